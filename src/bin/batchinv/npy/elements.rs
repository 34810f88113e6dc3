//! Elements, converted from the bytes of a file and to them.

use batchinv::{Real, Scalar, ScalarKind, Status};
use bytemuck::Pod;

use crate::exit::Failure;
use crate::npy::header::{Dtype, Header};
use crate::npy::source::Source;

/// Bytes per step of converting elements to another type.
const PIECE: usize = 1 << 18;

/// Reads elements from the next bytes. `T` is the scalar of the file, or one that holds all its values.
pub fn fill<T: Scalar>(
    source: &mut Source,
    header: &Header,
    elements: &mut [T],
    scratch: &mut Vec<u8>,
) -> Result<(), Failure> {
    let (size, part) = (header.dtype.size(), header.dtype.part());
    if header.dtype.scalar() == Some(T::KIND) {
        source.fill(bytemuck::cast_slice_mut(elements))?;
        if header.big_endian != cfg!(target_endian = "big") {
            swap_bytes(elements, part);
        }
        return Ok(());
    }
    scratch.resize(PIECE, 0);
    for values in elements.chunks_mut(PIECE / size) {
        let bytes = &mut scratch[..values.len() * size];
        source.fill(bytes)?;
        if header.big_endian {
            bytes.chunks_exact_mut(part).for_each(<[u8]>::reverse);
        }
        convert(header.dtype, bytes, values);
    }
    Ok(())
}

/// Converts little-endian elements: integers to float64, and any of them to a scalar that holds their values.
fn convert<T: Scalar>(dtype: Dtype, bytes: &[u8], values: &mut [T]) {
    fn each<T: Scalar, const SIZE: usize>(bytes: &[u8], values: &mut [T], value: impl Fn([u8; SIZE]) -> f64) {
        complex(bytes, values, |bytes| [value(bytes), 0.0]);
    }
    fn complex<T: Scalar, const SIZE: usize>(bytes: &[u8], values: &mut [T], parts: impl Fn([u8; SIZE]) -> [f64; 2]) {
        for (to, from) in values.iter_mut().zip(bytes.as_chunks().0) {
            let to: &mut [T::Real] = bytemuck::cast_slice_mut(std::slice::from_mut(to));
            for (to, part) in to.iter_mut().zip(parts(*from)) {
                *to = T::Real::from_f64(part);
            }
        }
    }
    match dtype {
        Dtype::Bool => each(bytes, values, |[byte]| if byte == 0 { 0.0 } else { 1.0 }),
        Dtype::Int8 => each(bytes, values, |b| i8::from_le_bytes(b).into()),
        Dtype::Int16 => each(bytes, values, |b| i16::from_le_bytes(b).into()),
        Dtype::Int32 => each(bytes, values, |b| i32::from_le_bytes(b).into()),
        Dtype::Int64 => each(bytes, values, |b| i64::from_le_bytes(b) as f64),
        Dtype::Uint8 => each(bytes, values, |b| u8::from_le_bytes(b).into()),
        Dtype::Uint16 => each(bytes, values, |b| u16::from_le_bytes(b).into()),
        Dtype::Uint32 => each(bytes, values, |b| u32::from_le_bytes(b).into()),
        Dtype::Uint64 => each(bytes, values, |b| u64::from_le_bytes(b) as f64),
        Dtype::Float32 => each(bytes, values, |b| f32::from_le_bytes(b).into()),
        Dtype::Float64 => each(bytes, values, f64::from_le_bytes),
        Dtype::Complex64 => complex(bytes, values, |b| {
            let [re, im]: [[u8; 4]; 2] = bytemuck::cast::<[u8; 8], _>(b);
            [re, im].map(|part| f32::from_le_bytes(part).into())
        }),
        Dtype::Complex128 => complex(bytes, values, |b| {
            let [re, im]: [[u8; 8]; 2] = bytemuck::cast::<[u8; 16], _>(b);
            [re, im].map(f64::from_le_bytes)
        }),
    }
}

/// An array that is to be written: the name and the size of its elements, and its axes.
#[derive(Clone, Copy)]
pub struct Array<'a> {
    pub descr: &'static str,
    pub size: usize,
    pub axes: &'a [usize],
}

impl<'a> Array<'a> {
    pub fn scalars<T: Scalar>(axes: &'a [usize]) -> Self {
        Self { descr: descr(T::KIND), size: size_of::<T>(), axes }
    }

    pub fn statuses(axes: &'a [usize]) -> Self {
        Self { descr: "<i4", size: size_of::<Status>(), axes }
    }
}

/// NumPy's name of a scalar in a little-endian file.
pub const fn descr(scalar: ScalarKind) -> &'static str {
    match scalar {
        ScalarKind::Float32 => "<f4",
        ScalarKind::Float64 => "<f8",
        ScalarKind::Complex64 => "<c8",
        ScalarKind::Complex128 => "<c16",
    }
}

/// Converts elements to the bytes of a little-endian file, in place. `part` is the size of an element, or of half a
/// complex one.
pub fn to_little_endian<T: Pod>(elements: &mut [T], part: usize) -> &[u8] {
    if cfg!(target_endian = "big") {
        swap_bytes(elements, part);
    }
    bytemuck::cast_slice(elements)
}

/// Reverses the bytes of every group of `part` bytes.
fn swap_bytes<T: Pod>(elements: &mut [T], part: usize) {
    match part {
        4 => bytemuck::cast_slice_mut(elements).iter_mut().for_each(|word: &mut u32| *word = word.swap_bytes()),
        8 => bytemuck::cast_slice_mut(elements).iter_mut().for_each(|word: &mut u64| *word = word.swap_bytes()),
        _ => bytemuck::cast_slice_mut(elements).chunks_exact_mut(part).for_each(<[u8]>::reverse),
    }
}
