//! INPUT: a file or stdin.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use crate::exit::Failure;
use crate::identity::{self, Identity};
use crate::npy::Reader;
use crate::npy::source::Input;
use crate::stdio::{is_dash, stdin};

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

/// The identity of a regular file; `None` for anything else.
pub fn identity(path: &Path) -> Option<Identity> {
    let facts = if is_dash(path) { stdin().and_then(|file| file.metadata()) } else { std::fs::metadata(path) };
    facts.ok().filter(Metadata::is_file).and_then(|facts| identity::of(&facts))
}
