//! INPUT: a file or stdin.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::exit::Failure;
use crate::npy::Reader;
use crate::npy::source::Input;
use crate::stdio::is_dash;

/// Opens the array at a path and reads its header. A stream in Fortran order is copied to an unnamed temporary file in
/// `folder`, because its bytes are needed in another order.
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
    // Only the length of a regular file is known.
    reader(if facts.is_file() { Input::File(Box::new(file), facts.len()) } else { Input::Stream(Box::new(file)) })
}

/// The path as messages name it.
pub fn name(path: &Path) -> String {
    if is_dash(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Device and inode of a regular file, which tell whether two paths are the same file; `None` for anything else and on
/// systems without them.
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
