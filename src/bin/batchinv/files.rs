//! Outputs that appear whole or not at all.
//!
//! A file is written on the file system of its destination, synced, and put in place. A device, a pipe or an open
//! descriptor is written to directly and never replaced.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::input;
use crate::place::{Place, folder};
use crate::stdio::is_dash;
use crate::temporary::TemporaryFile;

/// Outputs that are all checked before the work begins, written piece by piece, and put in place together at the end.
pub struct Outputs(Vec<Output>);

/// The bytes of one output, in two slices.
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub header: &'a [u8],
    pub elements: &'a [u8],
}

impl Outputs {
    /// Resolves each path and checks that it can be written to.
    pub fn open<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<Self, Failure> {
        let outputs = paths.map(Output::find).collect::<Result<Vec<_>, _>>()?;
        for (i, output) in outputs.iter().enumerate() {
            if let Some(other) = outputs[..i].iter().find(|other| other.place.is_same(&output.place)) {
                let (one, two) = (name(&other.path), name(&output.path));
                return Err(Failure::input(format!("two outputs are the same file: {one} and {two}")));
            }
        }
        outputs.into_iter().map(Output::prepare).collect::<Result<_, _>>().map(Self)
    }

    /// Refuses an input that is also an output, if that could destroy it. Writing directly to it would change it
    /// while it is read. A file that is replaced keeps its bytes for readers that have it open, but only the last
    /// output may replace the input: until that one is in place, the input is the only copy of the data.
    pub fn refuse_input(&self, input: &Path) -> Result<(), Failure> {
        let Some(identity) = input::identity(input) else { return Ok(()) };
        let last = self.0.len().saturating_sub(1);
        let forbidden = |&(i, output): &(usize, &Output)| match &output.place {
            Place::File(place) => i < last && input::identity(place) == Some(identity),
            place => place.identity() == Some(identity),
        };
        match self.0.iter().enumerate().find(forbidden) {
            None => Ok(()),
            Some((_, output)) => {
                let (input, output) = (input::name(input), name(&output.path));
                Err(Failure::input(format!("{output} is also the input {input}")))
            }
        }
    }

    /// Refuses to replace the file behind stdout, which would lose `what` is written there.
    pub fn refuse_stdout(&self, what: &str) -> Result<(), Failure> {
        let lost = |output: &&Output| matches!(output.place, Place::File(_)) && output.place.is_same(&Place::Stdout);
        self.0.iter().find(lost).map_or(Ok(()), |output| {
            Err(Failure::input(format!("{} is also standard output, which takes {what}", name(&output.path))))
        })
    }

    /// The folder for temporary files: the folder of the last output that is a file, or the system's.
    pub fn folder(&self) -> PathBuf {
        let folders = self.0.iter().rev().filter_map(|output| match &output.place {
            Place::File(place) => Some(folder(place).to_owned()),
            _ => None,
        });
        folders.into_iter().next().unwrap_or_else(std::env::temp_dir)
    }

    /// Prepares the outputs for `append`. With `keep`, a device or a pipe receives nothing before `finish`. Bytes for
    /// it are also kept until then if there are several such outputs, or if it is not the last output: a reader that
    /// waits for the end of one pipe before it opens the next would otherwise wait forever.
    pub fn begin(&mut self, keep: bool) -> Result<(), Failure> {
        let direct = self.0.iter().filter(|output| output.temporary.is_none()).count();
        let count = self.0.len();
        let folder = self.folder();
        for (i, output) in self.0.iter_mut().enumerate() {
            let streams = i + 1 == count && direct == 1 && !keep;
            output.begin(streams, &folder).map_err(|error| failed(&output.path, &error))?;
        }
        Ok(())
    }

    /// Writes to the end of output `index`, in the order in which they were opened.
    pub fn append(&mut self, index: usize, bytes: &[u8]) -> Result<(), Failure> {
        let output = &mut self.0[index];
        output.append(bytes).map_err(|error| failed(&output.path, &error))
    }

    /// Syncs all outputs to the disk, then puts them in place, first to last.
    pub fn finish(self) -> Result<(), Failure> {
        let mut outputs = self.0;
        for output in &mut outputs {
            output.sync().map_err(|error| failed(&output.path, &error))?;
        }
        for output in &mut outputs {
            output.finish().map_err(|error| failed(&output.path, &error))?;
        }
        Ok(())
    }

    /// Writes all outputs at once, and finishes.
    pub fn write(mut self, contents: &[Content<'_>]) -> Result<(), Failure> {
        self.begin(true)?;
        for (index, content) in contents.iter().enumerate() {
            self.append(index, content.header)?;
            self.append(index, content.elements)?;
        }
        self.finish()
    }
}

struct Output {
    /// The path as the user wrote it.
    path: PathBuf,
    place: Place,
    temporary: Option<TemporaryFile>,
    direct: Option<Direct>,
}

/// An output to a device, a pipe or an open descriptor.
enum Direct {
    /// Written at once.
    Now(Box<dyn Write + Send>),
    /// Kept in an unnamed temporary file, and written at the end.
    Kept(File),
}

impl Output {
    fn find(path: &Path) -> Result<Self, Failure> {
        let place = Place::find(path).map_err(|error| failed(path, &error))?;
        Ok(Self { path: path.to_owned(), place, temporary: None, direct: None })
    }

    /// Checks that the output can be written to; for a file, by creating its temporary file.
    fn prepare(self) -> Result<Self, Failure> {
        let temporary = match &self.place {
            Place::File(place) => TemporaryFile::beside(place).map(Some),
            place => place.check().map(|()| None),
        };
        let temporary = temporary.map_err(|error| failed(&self.path, &error))?;
        Ok(Self { temporary, ..self })
    }

    fn begin(&mut self, streams: bool, folder: &Path) -> io::Result<()> {
        if self.temporary.is_none() {
            let direct =
                if streams { Direct::Now(self.place.open()?) } else { Direct::Kept(tempfile::tempfile_in(folder)?) };
            self.direct = Some(direct);
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match (&mut self.temporary, &mut self.direct) {
            (Some(temporary), _) => temporary.append(bytes),
            (None, Some(Direct::Now(to))) => to.write_all(bytes),
            (None, Some(Direct::Kept(file))) => file.write_all(bytes),
            (None, None) => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.temporary.as_mut().map_or(Ok(()), TemporaryFile::sync)
    }

    fn finish(&mut self) -> io::Result<()> {
        match (self.temporary.take(), self.direct.take()) {
            (Some(temporary), _) => match &self.place {
                Place::File(place) => temporary.put_in_place(place),
                _ => Ok(()),
            },
            (None, Some(Direct::Now(mut to))) => to.flush(),
            (None, Some(Direct::Kept(mut file))) => {
                file.rewind()?;
                let mut to = self.place.open()?;
                io::copy(&mut file, &mut to)?;
                to.flush()
            }
            (None, None) => Ok(()),
        }
    }
}

fn name(path: &Path) -> String {
    if is_dash(path) { "standard output".to_owned() } else { path.display().to_string() }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("cannot write {}: {error}", name(path)))
}
