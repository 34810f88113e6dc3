//! Paths that mean stdin or stdout.

use std::path::Path;

/// Returns whether the path is `-`, which means stdin or stdout.
pub fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// Returns whether the path is one of the names of stdout.
pub fn is_stdout(path: &Path) -> bool {
    is_dash(path)
        || cfg!(unix) && ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}
