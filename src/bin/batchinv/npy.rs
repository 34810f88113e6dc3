//! Arrays in `.npy` files, read and written as NumPy does.
//!
//! A [`Reader`] returns the matrices in pieces, so that memory does not grow with the file.

pub mod elements;
mod fortran;
pub mod header;
pub mod source;

use std::fs::File;
use std::io;

use batchinv::{Scalar, ScalarKind};

use crate::exit::Failure;
use crate::npy::header::Header;
use crate::npy::source::{Input, Source};
use crate::shape::{Shape, Stacked};

/// The matrices of one array, converted to C order and the host's byte order.
pub struct Reader {
    source: Source,
    header: Header,
    shape: Shape,
    /// The offset of the first element.
    start: u64,
    /// Matrices read so far, if they are read one after the other.
    done: usize,
    /// Memory for bytes that are still to be converted.
    scratch: Vec<u8>,
}

impl Reader {
    /// Reads the header, and makes a stack of its axes. A stream in Fortran order is copied to the file that `spool`
    /// makes.
    pub fn new(input: Input, shape: Stacked, spool: impl FnOnce() -> io::Result<File>) -> Result<Self, Failure> {
        let mut source = Source::new(input);
        let header = Header::read(&mut source)?;
        let shape = shape(header.axes.clone()).map_err(Failure::input)?;
        source.check_length(bytes_of(&header))?;
        let start = source.at;
        let reader = Self { source, header, shape, start, done: 0, scratch: Vec::new() };
        if reader.is_fortran() { reader.seekable("in Fortran order", spool) } else { Ok(reader) }
    }

    /// The same matrices, to be read in any order. A stream, with the reason why it is not read as it comes, is copied
    /// to the file that `spool` makes.
    pub fn seekable(mut self, why: &str, spool: impl FnOnce() -> io::Result<File>) -> Result<Self, Failure> {
        if !self.source.is_seekable() {
            self.source = self.source.spooled(bytes_of(&self.header), why, spool)?;
            self.start = 0;
        }
        Ok(self)
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The scalar of the matrices; integers become float64.
    pub fn scalar(&self) -> ScalarKind {
        self.header.dtype.scalar().unwrap_or(ScalarKind::Float64)
    }

    /// Returns whether the file is in Fortran order. Each piece is then gathered from the whole file, so larger pieces
    /// take less time.
    pub fn is_fortran(&self) -> bool {
        self.header.fortran_order
    }

    /// Reads the next `len` matrices. After the last one, fails if more bytes follow.
    ///
    /// `T` is [`Reader::scalar`], or a scalar that holds all its values.
    ///
    /// # Panics
    /// If the length of `elements` is not that of `len` matrices.
    pub fn fill<T: Scalar>(&mut self, elements: &mut [T], len: usize) -> Result<(), Failure> {
        assert_eq!(elements.len(), len * self.shape.size(), "room for {len} matrices");
        let Self { source, header, shape, start, scratch, done } = self;
        match header.fortran_order {
            true => fortran::fill(source, header, shape, *start, *done..*done + len, elements, scratch)?,
            false => elements::fill(source, header, elements, scratch)?,
        }
        self.done += len;
        if self.done == self.shape.len {
            self.source.check_end()?;
        }
        Ok(())
    }

    /// Reads the matrices at these positions, in any order and also several times, from a file or a
    /// [`Reader::seekable`] stream.
    ///
    /// # Panics
    /// The same as [`Reader::fill`].
    pub fn gather<T: Scalar>(&mut self, elements: &mut [T], positions: &[usize]) -> Result<(), Failure> {
        let size = self.shape.size();
        assert_eq!(elements.len(), positions.len() * size, "room for {} matrices", positions.len());
        let Self { source, header, shape, start, scratch, .. } = self;
        if header.fortran_order {
            return fortran::fill(source, header, shape, *start, positions.iter().copied(), elements, scratch);
        }
        let bytes = (size * header.dtype.size()) as u64;
        let mut at = 0;
        while at < positions.len() {
            let rest = &positions[at..];
            // Neighbors are read together, and what was just read is copied.
            let run = (1..rest.len()).take_while(|&i| rest[i] == rest[0] + i).count() + 1;
            source.seek(*start + rest[0] as u64 * bytes)?;
            elements::fill(source, header, &mut elements[at * size..(at + run) * size], scratch)?;
            at += run;
            while at < positions.len() && positions[at] == positions[at - 1] {
                elements.copy_within((at - 1) * size..at * size, at * size);
                at += 1;
            }
        }
        Ok(())
    }
}

/// The bytes of all elements. `Header::read` refuses shapes for which this product overflows.
fn bytes_of(header: &Header) -> u64 {
    header.axes.iter().product::<usize>() as u64 * header.dtype.size() as u64
}
