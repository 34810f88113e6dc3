//! Elements, converted from the bytes of a file and to them.

use batchinv::ScalarKind;
use bytemuck::Pod;

use crate::exit::Failure;
use crate::npy::header::{Dtype, Header};
use crate::npy::source::Source;

/// Bytes per step of converting integers to float64.
const PIECE: usize = 1 << 18;

/// Reads elements from the next bytes.
pub fn fill<T: Pod>(
    source: &mut Source,
    header: &Header,
    elements: &mut [T],
    scratch: &mut Vec<u8>,
) -> Result<(), Failure> {
    let size = header.dtype.size();
    if header.dtype.is_scalar() {
        source.fill(bytemuck::cast_slice_mut(elements))?;
        if header.big_endian != cfg!(target_endian = "big") {
            swap_bytes(elements, header.dtype.part());
        }
        return Ok(());
    }
    scratch.resize(PIECE, 0);
    for values in bytemuck::cast_slice_mut::<T, f64>(elements).chunks_mut(PIECE / size) {
        let bytes = &mut scratch[..values.len() * size];
        source.fill(bytes)?;
        if header.big_endian {
            bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        integers(header.dtype, bytes, values);
    }
    Ok(())
}

/// Converts little-endian integers to float64.
fn integers(dtype: Dtype, bytes: &[u8], values: &mut [f64]) {
    fn each<const SIZE: usize>(bytes: &[u8], values: &mut [f64], value: impl Fn([u8; SIZE]) -> f64) {
        for (to, from) in values.iter_mut().zip(bytes.as_chunks().0) {
            *to = value(*from);
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
        Dtype::Float32 | Dtype::Float64 | Dtype::Complex64 | Dtype::Complex128 => {
            unreachable!("scalars need no conversion")
        }
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

/// Allocates `len` elements of zero bytes, or fails if there is not enough memory.
pub fn zeroed<T: Pod>(len: usize) -> Result<Vec<T>, Failure> {
    bytemuck::allocation::try_zeroed_vec(len).map_err(|()| {
        let bytes = len.saturating_mul(size_of::<T>());
        Failure::io(format!("not enough memory: {bytes} bytes are needed at once"))
    })
}

/// Reverses the bytes of every group of `part` bytes.
fn swap_bytes<T: Pod>(elements: &mut [T], part: usize) {
    match part {
        4 => bytemuck::cast_slice_mut(elements).iter_mut().for_each(|word: &mut u32| *word = word.swap_bytes()),
        8 => bytemuck::cast_slice_mut(elements).iter_mut().for_each(|word: &mut u64| *word = word.swap_bytes()),
        _ => bytemuck::cast_slice_mut(elements).chunks_exact_mut(part).for_each(<[u8]>::reverse),
    }
}
