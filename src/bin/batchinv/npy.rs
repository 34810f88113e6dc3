//! Arrays in `.npy` files, read and written as NumPy does.
//!
//! A [`Reader`] returns the matrices in pieces, first to last, so that memory does not grow with the file.

pub mod elements;
mod fortran;
pub mod header;
pub mod source;

use std::fs::File;
use std::io;

use batchinv::{Scalar, ScalarKind};

use crate::exit::Failure;
use crate::npy::header::{Dtype, Header};
use crate::npy::source::{Input, Source};
use crate::shape::Shape;

/// The matrices of one array, converted to C order and the host's byte order.
pub struct Reader {
    source: Source,
    header: Header,
    shape: Shape,
    /// The offset of the first element, if the array is in Fortran order.
    fortran: Option<u64>,
    /// Matrices read so far.
    done: usize,
    /// Memory for bytes that are still to be converted.
    scratch: Vec<u8>,
}

impl Reader {
    /// Reads the header. A stream in Fortran order is copied to the file that `spool` makes.
    pub fn new(input: Input, spool: impl FnOnce() -> io::Result<File>) -> Result<Self, Failure> {
        let mut source = Source::new(input);
        let header = Header::read(&mut source)?;
        let shape = Shape::new(header.axes.clone()).map_err(Failure::input)?;
        // `Header::read` refuses shapes for which this product overflows.
        let bytes = shape.axes.iter().product::<usize>() as u64 * header.dtype.size() as u64;
        source.check_length(bytes)?;

        let mut fortran = header.fortran_order.then_some(source.at);
        if fortran.is_some() && !source.is_seekable() {
            source = source.spooled(bytes, spool)?;
            fortran = Some(0);
        }
        Ok(Self { source, header, shape, fortran, done: 0, scratch: Vec::new() })
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The scalar of the matrices; integers become float64.
    pub fn scalar(&self) -> ScalarKind {
        match self.header.dtype {
            Dtype::Float32 => ScalarKind::Float32,
            Dtype::Complex64 => ScalarKind::Complex64,
            Dtype::Complex128 => ScalarKind::Complex128,
            _ => ScalarKind::Float64,
        }
    }

    /// Returns whether the file is in Fortran order. Each piece is then gathered from the whole file, so larger pieces
    /// take less time.
    pub fn is_fortran(&self) -> bool {
        self.fortran.is_some()
    }

    /// Reads the next `len` matrices. After the last one, fails if more bytes follow.
    ///
    /// # Panics
    /// If `T` is not [`Reader::scalar`], or if the length of `elements` is not that of `len` matrices.
    pub fn fill<T: Scalar>(&mut self, elements: &mut [T], len: usize) -> Result<(), Failure> {
        assert_eq!(T::KIND, self.scalar(), "the scalar of the array");
        assert_eq!(elements.len(), len * self.shape.order * self.shape.order, "room for {len} matrices");
        let Self { source, header, shape, scratch, .. } = self;
        match self.fortran {
            Some(start) => fortran::fill(source, header, shape, start, self.done, elements, scratch)?,
            None => elements::fill(source, header, elements, scratch)?,
        }
        self.done += len;
        if self.done == self.shape.len {
            self.source.check_end()?;
        }
        Ok(())
    }
}
