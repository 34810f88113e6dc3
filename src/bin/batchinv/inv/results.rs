//! STATUS, RCOND and OUTPUT, as far as they were given: files of one array each, or archives of several.

use std::path::{Path, PathBuf};

use batchinv::{Scalar, Status};

use crate::exit::Failure;
use crate::files::Outputs;
use crate::inv::args::Args;
use crate::inv::pieces::{Parts, Slot};
use crate::npy::elements::{descr, to_little_endian};
use crate::npy::header;
use crate::npz::writer::Writer;
use crate::shape::Shape;

pub struct Results<'a> {
    args: &'a Args,
    outputs: Outputs,
    /// One for each output, if they are archives.
    archives: Vec<Writer>,
    begun: bool,
}

impl<'a> Results<'a> {
    /// Checks that the outputs can be written to.
    pub fn open(args: &'a Args) -> Result<Self, Failure> {
        let outputs = Outputs::open(args.outputs())?;
        outputs.refuse_input(&args.input)?;
        if args.json {
            outputs.refuse_stdout("the object of --json")?;
        }
        Ok(Self { args, outputs, archives: Vec::new(), begun: false })
    }

    /// The folder for temporary files.
    pub fn folder(&self) -> PathBuf {
        self.outputs.folder()
    }

    /// Makes the outputs archives.
    pub fn be_archives(&mut self) -> Result<(), Failure> {
        let is_npy = |path: &&Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
        if let Some(path) = self.args.outputs().find(is_npy) {
            let path = path.display();
            return Err(Failure::input(format!(
                "{path} will be an archive, as INPUT is: its name must not end in .npy"
            )));
        }
        self.archives = self.args.outputs().map(|_| Writer::default()).collect();
        Ok(())
    }

    /// Begins an array, with its name in an archive.
    pub fn begin<T: Scalar>(&mut self, name: Option<&str>, shape: &Shape) -> Result<(), Failure> {
        self.begin_outputs()?;
        let status = header::write("<i4", shape.leading());
        let rcond = header::write(descr(<T::Real as Scalar>::KIND), shape.leading());
        let output = header::write(descr(T::KIND), &shape.axes);
        if let Some(name) = name {
            let elements = shape.len * shape.order * shape.order;
            let real = size_of::<T::Real>();
            let bytes = [shape.len * size_of::<Status>(), shape.len * real, elements * size_of::<T>()];
            let sizes = [&status, &rcond, &output].map(Vec::len);
            for (index, part) in self.given([0, 1, 2]).enumerate().collect::<Vec<_>>() {
                let header = self.archives[index].begin(name, (sizes[part] + bytes[part]) as u64);
                self.outputs.append(index, &header)?;
            }
        }
        self.append([&status, &rcond, &output])
    }

    pub fn write<T: Scalar>(&mut self, slot: &mut Slot<T>) -> Result<(), Failure> {
        let Parts { matrices, inverses, statuses, rconds } = slot.parts();
        let inverses = if inverses.is_empty() { matrices } else { inverses };
        let part = size_of::<T::Real>();
        self.append([
            to_little_endian::<Status>(statuses, 4),
            to_little_endian(rconds, part),
            to_little_endian(inverses, part),
        ])
    }

    /// Ends an array.
    pub fn end(&mut self) -> Result<(), Failure> {
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
            // A refused matrix must leave nothing behind, not even on stdout.
            false => self.outputs.begin(self.args.strict || self.args.verify),
        }
    }

    /// Appends to the outputs, and counts the bytes in archives.
    fn append(&mut self, bytes: [&[u8]; 3]) -> Result<(), Failure> {
        for (index, bytes) in self.given(bytes).enumerate().collect::<Vec<_>>() {
            if let Some(archive) = self.archives.get_mut(index) {
                archive.data(bytes);
            }
            self.outputs.append(index, bytes)?;
        }
        Ok(())
    }

    /// The items of the outputs that were given, from those of STATUS, RCOND and OUTPUT.
    fn given<X>(&self, all: [X; 3]) -> impl Iterator<Item = X> + use<X> {
        let given = [self.args.status.is_some(), self.args.rcond.is_some(), true];
        all.into_iter().zip(given).filter(|(_, given)| *given).map(|(it, _)| it)
    }
}
