//! The arrays that a command writes, one to each of its outputs: files of one array each, or archives of several.

use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::files::Outputs;
use crate::npy::elements::Array;
use crate::npy::header;
use crate::npz::writer::Writer;

pub struct Results {
    paths: Vec<PathBuf>,
    outputs: Outputs,
    /// One for each output, if they are archives.
    archives: Vec<Writer>,
    /// True if nothing may appear before all pieces have passed.
    keep: bool,
    begun: bool,
    /// True if the arrays have begun that are written now.
    in_arrays: bool,
}

impl Results {
    /// Checks that the outputs can be written to, and that none of them destroys an input. The last one is put in place
    /// last. With `keep`, a refused matrix leaves nothing behind, not even on stdout.
    pub fn open<'a>(
        paths: impl Iterator<Item = &'a Path> + Clone,
        inputs: &[&Path],
        keep: bool,
        json: bool,
    ) -> Result<Self, Failure> {
        let outputs = Outputs::open(paths.clone())?;
        inputs.iter().try_for_each(|input| outputs.refuse_input(input))?;
        if json {
            outputs.refuse_stdout("the object of --json")?;
        }
        Ok(Self {
            paths: paths.map(Path::to_owned).collect(),
            outputs,
            archives: Vec::new(),
            keep,
            begun: false,
            in_arrays: false,
        })
    }

    /// The folder for temporary files.
    pub fn folder(&self) -> PathBuf {
        self.outputs.folder()
    }

    /// Makes the outputs archives.
    pub fn be_archives(&mut self) -> Result<(), Failure> {
        let is_npy = |path: &&PathBuf| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
        if let Some(path) = self.paths.iter().find(is_npy) {
            let path = path.display();
            return Err(Failure::input(format!(
                "{path} will be an archive, as INPUT is: its name must not end in .npy"
            )));
        }
        self.archives = self.paths.iter().map(|_| Writer::default()).collect();
        Ok(())
    }

    /// Begins an array in each output, with its name in an archive, unless that is done.
    pub fn begin<'a>(
        &mut self,
        name: Option<&str>,
        arrays: impl IntoIterator<Item = Array<'a>>,
    ) -> Result<(), Failure> {
        if std::mem::replace(&mut self.in_arrays, true) {
            return Ok(());
        }
        self.begin_outputs()?;
        for (index, array) in arrays.into_iter().enumerate() {
            let header = header::write(array.descr, array.axes);
            if let Some(name) = name {
                let bytes = array.axes.iter().product::<usize>() * array.size;
                let entry = self.archives[index].begin(name, (header.len() + bytes) as u64);
                self.outputs.append(index, &entry)?;
            }
            self.append_to(index, &header)?;
        }
        Ok(())
    }

    /// Appends to the array of each output.
    pub fn append<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Failure> {
        parts.into_iter().enumerate().try_for_each(|(index, bytes)| self.append_to(index, bytes))
    }

    /// Ends the arrays.
    pub fn end(&mut self) -> Result<(), Failure> {
        self.in_arrays = false;
        let Self { archives, outputs, .. } = self;
        archives.iter_mut().enumerate().try_for_each(|(index, archive)| outputs.append(index, &archive.end()))
    }

    /// Puts the outputs in place.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.begin_outputs()?; // an archive may be empty
        let Self { mut archives, mut outputs, .. } = self;
        for (index, archive) in archives.iter_mut().enumerate() {
            outputs.append(index, &archive.finish())?;
        }
        outputs.finish()
    }

    fn begin_outputs(&mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.begun, true) {
            true => Ok(()),
            false => self.outputs.begin(self.keep),
        }
    }

    /// Appends to an output, and counts the bytes in an archive.
    fn append_to(&mut self, index: usize, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(archive) = self.archives.get_mut(index) {
            archive.data(bytes);
        }
        self.outputs.append(index, bytes)
    }
}
