//! Arrays in `.npy` files: what NumPy writes is read, and what is written is what NumPy would write.
//!
//! A [`Reader`] hands out the matrices in pieces, first to last, so that memory does not grow with the file.

mod elements;
mod fortran;
mod header;

pub use elements::{descr, to_little_endian, zeroed};
pub use header::write as write_header;

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use batchinv::{Scalar, ScalarKind};

use crate::exit::Failure;
use crate::shape::Shape;
use header::{Dtype, Header};

/// The matrices of one array, read in C order and the host's byte order, whatever they are in the file.
pub struct Reader {
    source: Source,
    header: Header,
    shape: Shape,
    /// In Fortran order: where the first element lies.
    fortran: Option<u64>,
    /// Matrices handed out.
    done: usize,
    /// Bytes on their way to float64, or out of Fortran order.
    scratch: Vec<u8>,
}

/// Bytes that can be read at any place.
pub trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

/// Where an array comes from.
pub enum Input {
    /// Read once, first to last, of a length that shows at its end.
    Stream(Box<dyn Read + Send>),
    /// From its beginning, and its length.
    File(Box<dyn Seekable>, u64),
}

impl Reader {
    /// Reads the header. A stream in Fortran order is copied to the file that `spool` makes.
    pub fn new(input: Input, spool: impl FnOnce() -> io::Result<File>) -> Result<Self, Failure> {
        let left = match &input {
            Input::Stream(_) => None,
            Input::File(_, len) => Some(*len),
        };
        let mut source = Source { input, at: 0, left };
        let header = Header::read(&mut source)?;
        let shape = Shape::new(header.axes.clone()).map_err(Failure::input)?;
        // The header has already been refused where this product overflows.
        let bytes = shape.axes.iter().product::<usize>() as u64 * header.dtype.size() as u64;
        source.check_length(bytes)?;

        let mut fortran = header.fortran_order.then_some(source.at);
        if fortran.is_some() && source.left.is_none() {
            source = source.spooled(bytes, spool)?;
            fortran = Some(0);
        }
        Ok(Self { source, header, shape, fortran, done: 0, scratch: Vec::new() })
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What the elements become: integers become float64.
    pub fn scalar(&self) -> ScalarKind {
        match self.header.dtype {
            Dtype::Float32 => ScalarKind::Float32,
            Dtype::Complex64 => ScalarKind::Complex64,
            Dtype::Complex128 => ScalarKind::Complex128,
            _ => ScalarKind::Float64,
        }
    }

    /// It reads here and there, so that larger pieces take less time.
    pub fn is_fortran(&self) -> bool {
        self.fortran.is_some()
    }

    /// The next `len` matrices. With the last one, that nothing follows.
    ///
    /// # Panics
    /// Where `T` is not [`Reader::scalar`], or there are not so many.
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

/// Bytes of a stream that are moved at a time on their way to a file.
const STEP: usize = 1 << 20;

/// Where the bytes come from.
struct Source {
    input: Input,
    /// The place of the next byte.
    at: u64,
    /// How many bytes there are from here on, where that is known.
    left: Option<u64>,
}

impl Source {
    /// Before memory is taken: what the header promises is what the file holds, as far as that is known.
    fn check_length(&self, promised: u64) -> Result<(), Failure> {
        match self.left {
            Some(left) if left < promised => Err(Failure::input(format!(
                "truncated: the header promises {promised} bytes of elements, the file holds {left}"
            ))),
            Some(left) if left > promised => {
                Err(Failure::input(format!("{} bytes follow the array: one file holds one array", left - promised)))
            }
            _ => Ok(()),
        }
    }

    /// A stream shows only now whether more follows; a file may have grown.
    fn check_end(&mut self) -> Result<(), Failure> {
        if let Input::File(_, len) = self.input {
            self.seek(len)?;
        }
        match self.read_up_to(&mut [0])? {
            0 => Ok(()),
            _ => Err(Failure::input("more bytes follow the array: one file holds one array")),
        }
    }

    /// The rest of a stream in a file.
    fn spooled(mut self, promised: u64, spool: impl FnOnce() -> io::Result<File>) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::io(format!("cannot keep a stream in Fortran order in a temporary file: {error}"))
        };
        let mut file = spool().map_err(failed)?;
        let mut piece = vec![0; STEP.min(usize::try_from(promised).unwrap_or(STEP))];
        let mut left = promised;
        while left > 0 {
            let step = left.min(piece.len() as u64) as usize;
            self.fill(&mut piece[..step])?;
            file.write_all(&piece[..step]).map_err(failed)?;
            left -= step as u64;
        }
        self.check_end()?;
        file.rewind().map_err(failed)?;
        Ok(Self { input: Input::File(Box::new(file), promised), at: 0, left: Some(promised) })
    }

    /// Goes to another place of a file.
    fn seek(&mut self, to: u64) -> Result<(), Failure> {
        if let Input::File(bytes, len) = &mut self.input
            && to != self.at
        {
            bytes.seek(SeekFrom::Start(to)).map_err(|error| cannot_read(&error))?;
            (self.at, self.left) = (to, Some(len.saturating_sub(to)));
        }
        Ok(())
    }

    /// As many bytes as there are, up to all of `bytes`; how many.
    fn read_up_to(&mut self, bytes: &mut [u8]) -> Result<usize, Failure> {
        let input: &mut dyn Read = match &mut self.input {
            Input::Stream(input) => input,
            Input::File(input, _) => input,
        };
        let mut had = 0;
        while had < bytes.len() {
            match input.read(&mut bytes[had..]) {
                Ok(0) => break,
                Ok(more) => had += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(&error)),
            }
        }
        self.at += had as u64;
        self.left = self.left.map(|left| left.saturating_sub(had as u64));
        Ok(had)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        if self.read_up_to(bytes)? == bytes.len() {
            return Ok(());
        }
        Err(match self.input {
            Input::Stream(_) => Failure::input("truncated: it ends before the last element"),
            // Its length was right when it was opened.
            Input::File(..) => Failure::io("cannot read on: it has shrunk meanwhile"),
        })
    }
}

fn cannot_read(error: &io::Error) -> Failure {
    Failure::io(format!("cannot read on: {error}"))
}
