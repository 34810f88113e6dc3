//! One of the two inputs, whose matrices come in the order of the systems.

use std::ops::Range;
use std::path::Path;

use batchinv::Scalar;

use crate::exit::Failure;
use crate::input::{self, Opened};
use crate::memory::zeroed;
use crate::npy::Reader;
use crate::pieces::at_most;
use crate::shape::Stacked;
use crate::solve::systems::{Positions, Systems};

/// Matrices that repeat are kept in memory up to this many bytes, and are read again otherwise.
const HELD_BYTES: usize = 64 << 20;

/// One of the two.
pub struct Operand<'a, T> {
    /// A single matrix, which goes with all systems.
    pub one: Option<Vec<T>>,
    pub many: Option<Matrices<'a, T>>,
}

/// Matrices that are read piece by piece.
pub struct Matrices<'a, T> {
    path: &'a Path,
    reader: Reader,
    order: Order<T>,
    /// Positions of the piece that is being read.
    positions: Vec<usize>,
}

/// How matrices become as many as the systems are.
enum Order<T> {
    /// They are.
    OneByOne,
    /// From memory.
    Held(Vec<T>, Positions),
    /// Read again.
    Again(Positions),
}

/// Opens the array at a path and reads its header.
pub fn open(path: &Path, shape: Stacked, folder: &Path) -> Result<Reader, Failure> {
    match input::open(path, shape, folder)? {
        Opened::Array(reader) => Ok(reader),
        Opened::Archive(_) => {
            Err(Failure::input("it is an archive, and systems are read from .npy files").about(input::name(path)))
        }
    }
}

impl<'a, T: Scalar> Operand<'a, T> {
    /// The matrices of a file, which belong to these systems. Temporary files go to `folder`.
    pub fn new(path: &'a Path, mut reader: Reader, systems: &Systems, folder: &Path) -> Result<Self, Failure> {
        let (len, size) = (reader.shape().len, reader.shape().size());
        let about = |error: Failure| error.about(input::name(path));
        let whole = |reader: &mut Reader| -> Result<Vec<T>, Failure> {
            let mut elements = zeroed(len * size)?;
            reader.fill(&mut elements, len).map_err(about)?;
            Ok(elements)
        };
        if len == 1 && systems.len != 1 {
            return Ok(Self { one: Some(whole(&mut reader)?), many: None });
        }
        let positions = Positions::new(reader.shape().leading(), &systems.places);
        // Broadcasting only repeats, so equal numbers are equal orders.
        let order = if len == systems.len {
            Order::OneByOne
        } else if len.saturating_mul(size * size_of::<T>()) <= at_most(HELD_BYTES) {
            Order::Held(whole(&mut reader)?, positions)
        } else {
            let spool = || tempfile::tempfile_in(folder);
            reader = reader.seekable("that is needed more than once", spool).map_err(about)?;
            Order::Again(positions)
        };
        Ok(Self { one: None, many: Some(Matrices { path, reader, order, positions: Vec::new() }) })
    }
}

impl<T: Scalar> Matrices<'_, T> {
    /// Elements of one matrix.
    pub fn size(&self) -> usize {
        self.reader.shape().size()
    }

    /// Returns whether each piece is gathered from a whole file in Fortran order.
    pub fn is_fortran(&self) -> bool {
        self.reader.is_fortran() && !matches!(self.order, Order::Held(..))
    }

    /// Reads the matrices of these systems.
    pub fn fill(&mut self, elements: &mut [T], systems: Range<usize>) -> Result<(), Failure> {
        let size = self.size();
        let Self { path, reader, order, positions } = self;
        let read = match order {
            Order::OneByOne => reader.fill(elements, systems.len()),
            Order::Held(held, at) => {
                for (place, system) in elements.chunks_exact_mut(size.max(1)).zip(systems) {
                    place.copy_from_slice(&held[at.of(system) * size..][..size]);
                }
                Ok(())
            }
            Order::Again(at) => {
                positions.clear();
                positions.extend(systems.map(|system| at.of(system)));
                reader.gather(elements, positions)
            }
        };
        read.map_err(|error| error.about(input::name(path)))
    }
}
