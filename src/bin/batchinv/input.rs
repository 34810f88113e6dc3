//! INPUT: a file, or whatever stdin is.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::args::is_dash;
use crate::exit::Failure;
use crate::npy::{Input, Reader};

/// The array behind a path, as far as its header. What cannot be read twice and lies in Fortran order is kept in a
/// file of no name in `folder` meanwhile.
pub fn open(path: &Path, folder: &Path) -> Result<Reader, Failure> {
    let reader = |input| Reader::new(input, || tempfile::tempfile_in(folder)).map_err(|error| error.about(name(path)));
    if is_dash(path) {
        return reader(Input::Stream(Box::new(io::stdin())));
    }
    let failed = |error: io::Error| Failure::io(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if facts.is_dir() {
        return Err(Failure::io(format!("cannot read {}: it is a folder", path.display())));
    }
    // Only a regular file says how long it is.
    reader(if facts.is_file() { Input::File(Box::new(file), facts.len()) } else { Input::Stream(Box::new(file)) })
}

/// For people.
pub fn name(path: &Path) -> String {
    if is_dash(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// What tells one open file from another, where there is such a thing.
#[cfg(unix)]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let facts = match is_dash(path) {
        true => File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata(),
        false => std::fs::metadata(path),
    };
    facts.ok().filter(|facts| facts.is_file()).map(|facts| (facts.dev(), facts.ino()))
}

#[cfg(not(unix))]
pub fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}
