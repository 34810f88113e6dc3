//! INPUT: a file or stdin.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::exit::Failure;
use crate::identity::{self, Identity};
use crate::npy::Reader;
use crate::npy::source::Input;
use crate::npz::directory::{self, Entry};
use crate::shape::{Shape, Stacked};
use crate::stdio::{is_dash, stdin};

/// An input: one array, or an archive of several.
pub enum Opened {
    Array(Reader),
    Archive(Archive),
}

/// Several arrays in one file.
pub struct Archive {
    file: File,
    pub entries: Vec<Entry>,
}

/// Opens the array at a path and reads its header, or an archive and reads its directory. A stream in Fortran order is
/// copied to an unnamed temporary file in `folder`, because its bytes are needed in another order.
pub fn open(path: &Path, shape: Stacked, folder: &Path) -> Result<Opened, Failure> {
    let spool = || tempfile::tempfile_in(folder);
    let reader = |input| Reader::new(input, shape, spool).map_err(|error| error.about(name(path)));
    let array = |input| reader(input).map(Opened::Array);
    if is_dash(path) {
        return array(Input::Stream(Box::new(io::stdin())));
    }
    let failed = |error: io::Error| Failure::io(format!("cannot read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if facts.is_dir() {
        return Err(Failure::io(format!("cannot read {}: it is a folder", path.display())));
    }
    // Only the length of a regular file is known.
    if !facts.is_file() {
        return array(Input::Stream(Box::new(file)));
    }
    let mut start = [0; 4];
    let had = file.read(&mut start).map_err(failed)?;
    if had == start.len() && directory::is_archive(start) {
        let entries = directory::read(&mut file, facts.len()).map_err(|error| error.about(name(path)))?;
        return Ok(Opened::Archive(Archive { file, entries }));
    }
    file.rewind().map_err(failed)?;
    array(Input::File(Box::new(file), facts.len()))
}

impl Archive {
    /// Reads the header of one array. Readers share the position in the file, so one is used at a time.
    pub fn reader(&self, entry: &Entry, folder: &Path) -> Result<Reader, Failure> {
        let failed = |error| Failure::io(format!("cannot read it: {error}"));
        let bytes = self.file.try_clone().and_then(|file| entry.unpack(file)).map_err(failed)?;
        let spool = || tempfile::tempfile_in(folder);
        Reader::new(Input::Entry(Box::new(bytes), entry.size), Shape::matrices, spool)
    }
}

/// The path as messages name it.
pub fn name(path: &Path) -> String {
    if is_dash(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Puts the path before a failure to read on. In an archive, where the array has a name, it comes with that name later.
pub fn about(array: Option<&str>, path: &Path) -> impl Fn(Failure) -> Failure {
    move |error| if array.is_none() { error.about(name(path)) } else { error }
}

/// The identity of a regular file; `None` for anything else.
pub fn identity(path: &Path) -> Option<Identity> {
    let facts = if is_dash(path) { stdin().and_then(|file| file.metadata()) } else { std::fs::metadata(path) };
    facts.ok().filter(Metadata::is_file).and_then(|facts| identity::of(&facts))
}
