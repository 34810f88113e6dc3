//! Arrays in `.npy` files: what NumPy writes is read, and what is written is what NumPy would write.

mod header;
mod transpose;

pub use header::write as write_header;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use batchinv::{Complex, ScalarKind};
use bytemuck::Pod;

use crate::args::is_dash;
use crate::exit::Failure;
use crate::shape::Shape;
use header::{Dtype, Header};

/// A stack of matrices with the shape it had in the file, in C order and the host's byte order.
pub struct Array {
    pub elements: Elements,
    pub shape: Shape,
}

pub enum Elements {
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Complex64(Vec<Complex<f32>>),
    Complex128(Vec<Complex<f64>>),
}

/// Reads the array in the file at `path`, or in stdin for `-`.
pub fn read(path: &Path) -> Result<Array, Failure> {
    if is_dash(path) {
        return Source { bytes: &mut io::stdin().lock(), left: None }.array().map_err(|e| e.about("standard input"));
    }
    let failed = |error: io::Error| Failure::io(format!("cannot read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if facts.is_dir() {
        return Err(Failure::io(format!("cannot read {}: it is a folder", path.display())));
    }
    // Only a regular file says how long it is.
    let left = facts.is_file().then_some(facts.len());
    Source { bytes: &mut file, left }.array().map_err(|e| e.about(path.display()))
}

/// How NumPy names a scalar in a little-endian file.
pub const fn descr(scalar: ScalarKind) -> &'static str {
    match scalar {
        ScalarKind::Float32 => "<f4",
        ScalarKind::Float64 => "<f8",
        ScalarKind::Complex64 => "<c8",
        ScalarKind::Complex128 => "<c16",
    }
}

/// Elements in memory become elements of a little-endian file, in place.
pub fn to_little_endian<T: Pod>(elements: &mut [T], part: usize) -> &[u8] {
    if cfg!(target_endian = "big") {
        swap_bytes(elements, part);
    }
    bytemuck::cast_slice(elements)
}

/// `len` elements of zero bytes, or a plain refusal where memory cannot hold them.
pub fn zeroed<T: Pod>(len: usize) -> Result<Vec<T>, Failure> {
    bytemuck::allocation::try_zeroed_vec(len).map_err(|()| {
        let bytes = len.saturating_mul(size_of::<T>());
        Failure::io(format!("not enough memory: {bytes} bytes are needed at once"))
    })
}

/// Bytes of a stream that are asked for at first, before it has shown that there are more; the same again for
/// each piece of integers on their way to float64.
const PIECE: usize = 1 << 20;

/// Where an array comes from.
struct Source<'a> {
    bytes: &'a mut dyn Read,
    /// How many bytes there are, where that is known.
    left: Option<u64>,
}

impl Source<'_> {
    fn array(mut self) -> Result<Array, Failure> {
        let Header { dtype, big_endian, fortran_order, axes } = Header::read(&mut self)?;
        let shape = Shape::new(axes).map_err(Failure::input)?;
        // The header has already been refused where this product overflows.
        let count = shape.axes.iter().product();
        self.check_length(count, dtype.size())?;

        let elements = match dtype {
            Dtype::Float32 => Elements::Float32(self.scalars(count, 4, big_endian)?),
            Dtype::Float64 => Elements::Float64(self.scalars(count, 8, big_endian)?),
            Dtype::Complex64 => Elements::Complex64(self.scalars(count, 4, big_endian)?),
            Dtype::Complex128 => Elements::Complex128(self.scalars(count, 8, big_endian)?),
            Dtype::Bool => self.integers(count, big_endian, |[byte]: [u8; 1]| if byte == 0 { 0.0 } else { 1.0 })?,
            Dtype::Int8 => self.integers(count, big_endian, |b| i8::from_le_bytes(b).into())?,
            Dtype::Int16 => self.integers(count, big_endian, |b| i16::from_le_bytes(b).into())?,
            Dtype::Int32 => self.integers(count, big_endian, |b| i32::from_le_bytes(b).into())?,
            Dtype::Int64 => self.integers(count, big_endian, |b| i64::from_le_bytes(b) as f64)?,
            Dtype::Uint8 => self.integers(count, big_endian, |b| u8::from_le_bytes(b).into())?,
            Dtype::Uint16 => self.integers(count, big_endian, |b| u16::from_le_bytes(b).into())?,
            Dtype::Uint32 => self.integers(count, big_endian, |b| u32::from_le_bytes(b).into())?,
            Dtype::Uint64 => self.integers(count, big_endian, |b| u64::from_le_bytes(b) as f64)?,
        };
        self.check_end()?;
        let elements = if fortran_order { transpose::elements(elements, &shape)? } else { elements };
        Ok(Array { elements, shape })
    }

    /// Before memory is taken: what the header promises is what the file holds, as far as that is known.
    fn check_length(&self, count: usize, size: usize) -> Result<(), Failure> {
        let promised = count as u64 * size as u64;
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

    /// A stream shows only now whether more follows.
    fn check_end(&mut self) -> Result<(), Failure> {
        match self.read_up_to(&mut [0])? {
            0 => Ok(()),
            _ => Err(Failure::input("more bytes follow the array: one file holds one array")),
        }
    }

    /// All elements, as they are. `part` is the size of what has a byte order: an element, or half of a complex one.
    fn scalars<T: Pod>(&mut self, count: usize, part: usize, big_endian: bool) -> Result<Vec<T>, Failure> {
        let mut elements = Vec::new();
        if self.left.is_some() {
            // The length has been checked.
            elements = zeroed(count)?;
            self.fill(bytemuck::cast_slice_mut(&mut elements))?;
        }
        // From a stream, memory grows with what has been received.
        while elements.len() < count {
            let had = elements.len();
            let step = (count - had).min(had.max(PIECE / size_of::<T>()));
            reserve(&mut elements, step)?;
            elements.resize(had + step, T::zeroed());
            self.fill(bytemuck::cast_slice_mut(&mut elements[had..]))?;
        }
        if big_endian != cfg!(target_endian = "big") {
            swap_bytes(&mut elements, part);
        }
        Ok(elements)
    }

    /// All elements, piece by piece on their way to float64. `value` takes the bytes of one, little-endian.
    fn integers<const SIZE: usize>(
        &mut self,
        count: usize,
        big_endian: bool,
        value: impl Fn([u8; SIZE]) -> f64,
    ) -> Result<Elements, Failure> {
        let mut elements = Vec::new();
        if self.left.is_some() {
            reserve(&mut elements, count)?;
        }
        let mut piece = vec![[0; SIZE]; count.min(PIECE / SIZE)];
        while elements.len() < count {
            let step = piece.len().min(count - elements.len());
            let piece = &mut piece[..step];
            self.fill(piece.as_flattened_mut())?;
            reserve(&mut elements, step)?;
            elements.extend(piece.iter_mut().map(|bytes| {
                if big_endian {
                    bytes.reverse();
                }
                value(*bytes)
            }));
        }
        Ok(Elements::Float64(elements))
    }

    /// As many bytes as there are, up to all of `bytes`; how many.
    fn read_up_to(&mut self, bytes: &mut [u8]) -> Result<usize, Failure> {
        let mut had = 0;
        while had < bytes.len() {
            match self.bytes.read(&mut bytes[had..]) {
                Ok(0) => break,
                Ok(more) => had += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(cannot_read(&error)),
            }
        }
        // A file that grows meanwhile may give more than it said.
        self.left = self.left.map(|left| left.saturating_sub(had as u64));
        Ok(had)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        if self.read_up_to(bytes)? < bytes.len() {
            return Err(Failure::input("truncated: it ends before the last element"));
        }
        Ok(())
    }
}

fn cannot_read(error: &io::Error) -> Failure {
    Failure::io(format!("cannot read on: {error}"))
}

fn reserve<T>(elements: &mut Vec<T>, more: usize) -> Result<(), Failure> {
    elements.try_reserve(more).map_err(|_| {
        let bytes = elements.len().saturating_add(more).saturating_mul(size_of::<T>());
        Failure::io(format!("not enough memory: {bytes} bytes are needed at once"))
    })
}

/// Turns the bytes of every part of `part` bytes around.
fn swap_bytes<T: Pod>(elements: &mut [T], part: usize) {
    match part {
        4 => bytemuck::cast_slice_mut(elements).iter_mut().for_each(|word: &mut u32| *word = word.swap_bytes()),
        8 => bytemuck::cast_slice_mut(elements).iter_mut().for_each(|word: &mut u64| *word = word.swap_bytes()),
        _ => bytemuck::cast_slice_mut(elements).chunks_exact_mut(part).for_each(<[u8]>::reverse),
    }
}
