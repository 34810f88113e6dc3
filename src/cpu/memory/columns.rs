//! Stores of LANES consecutive matrices of order N whose columns are permuted, each matrix in its own way.
//!
//! The permutation is the same in every row of a matrix. So it is worked out once, on a row of byte indexes, and then
//! applied by one byte shuffle to whole rows as they lie in memory:
//!
//! ```text
//! per matrix, once:   indexes 0 1 2 3  --pivots::undo-->  2 0 3 1
//! per row:            x0 x1 x2 x3      --shuffle------->  x2 x0 x3 x1  -> memory
//! ```

use fearless_simd::{Bytes, Simd, SimdBase};

use super::fixed::{finite, spread};
use crate::cpu::kernel::pivots;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::{MAX_LANES, transpose};
use crate::cpu::simd::vector::{RealLane, Vector};
use crate::data::scalar::{Real, Scalar};

/// Writes LANES matrices, with their columns in order. Returns whether all of their elements are finite.
#[inline(always)]
pub fn store<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    chosen: &[Magnitude<T, S>; N],
    target: &mut [T::Real],
) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (N * parts, N * N * parts);
    if row <= lanes {
        store_rows::<S, T, N>(simd, a, chosen, target);
    } else if row <= 2 * lanes && lanes * size_of::<T::Real>() > 32 {
        // AVX2 has no shuffle of two vectors.
        store_two_vectors::<S, T, N>(simd, a, chosen, target);
    } else {
        let mut columns = [[0; N]; MAX_LANES];
        for (lane, columns) in columns[..lanes].iter_mut().enumerate() {
            *columns = std::array::from_fn(|j| j);
            for k in (0..N).rev() {
                columns.swap(k, chosen[k].as_slice()[lane].to_f64() as usize);
            }
        }
        for (i, row) in a.iter().enumerate() {
            for (lane, columns) in columns[..lanes].iter().enumerate() {
                let target = &mut target[lane * reals + i * N * parts..][..N * parts];
                for (j, &column) in columns.iter().enumerate() {
                    for part in 0..parts {
                        target[j * parts + part] = row[column].part(part).as_slice()[lane];
                    }
                }
            }
        }
    }
    finite::<S, T, N>(simd, a)
}

/// For every column of the inverse, the byte indexes of the column that holds it, in each lane.
#[inline(always)]
fn indexes<S: Simd, T: Lane, const N: usize>(simd: S, chosen: &[Magnitude<T, S>; N]) -> [T::Vector<S>; N] {
    let parts = T::Vector::<S>::PARTS;
    let mut row: [T::Vector<S>; N] = std::array::from_fn(|j| {
        let mut column = T::Vector::<S>::splat(simd, T::ZERO);
        for part in 0..parts {
            column.set_part(part, Magnitude::<T, S>::splat(simd, T::Real::byte_indexes(j * parts + part)));
        }
        column
    });
    pivots::undo::<S, T>(simd, &mut row, chosen);
    row
}

/// Several whole rows per vector.
#[inline(always)]
fn store_rows<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    chosen: &[Magnitude<T, S>; N],
    target: &mut [T::Real],
) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (N * parts, N * N * parts);
    let used = lanes / row * row;
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);

    let columns = indexes::<S, T, N>(simd, chosen);
    let mut orders = [zero; MAX_LANES];
    for order in orders[..used].chunks_exact_mut(row) {
        spread::<S, T>(&columns, order);
    }
    transpose::<S, T>(&mut orders);
    // The byte indexes of later rows in a vector are offset by whole rows.
    let row_bytes = row * size_of::<T::Real>();
    let offset =
        <Magnitude<T, S> as SimdBase<S>>::ByteVector::from_fn(simd, |byte| (byte / row_bytes * row_bytes) as u8);

    let mut block = [zero; MAX_LANES];
    let mut done = 0;
    while done < reals {
        let count = used.min(reals - done);
        spread::<S, T>(&a.as_flattened()[done / parts..], &mut block[..used]);
        transpose::<S, T>(&mut block);
        for lane in 0..lanes {
            let ordered = block[lane].swizzle_dyn(orders[lane].to_bytes() + offset);
            // The next rows overwrite the excess; behind the last row stands another matrix.
            let rest = &mut target[lane * reals + done..];
            if done + lanes <= reals {
                ordered.store_slice(&mut rest[..lanes]);
            } else {
                rest[..count].copy_from_slice(&ordered.as_slice()[..count]);
            }
        }
        done += count;
    }
}

/// Two vectors per row.
#[inline(always)]
fn store_two_vectors<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    chosen: &[Magnitude<T, S>; N],
    target: &mut [T::Real],
) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (N * parts, N * N * parts);
    let orders = halves::<S, T, N>(simd, &indexes::<S, T, N>(simd, chosen));
    for (i, vectors) in a.iter().enumerate() {
        let blocks = halves::<S, T, N>(simd, vectors);
        for lane in 0..lanes {
            for half in 0..2 {
                let ordered = blocks[0][lane].concat_swizzle_dyn(blocks[1][lane], orders[half][lane].to_bytes());
                let rest = &mut target[lane * reals + i * row + half * lanes..];
                let count = lanes.min(row - half * lanes);
                if i * row + (half + 1) * lanes <= reals {
                    ordered.store_slice(&mut rest[..lanes]);
                } else {
                    rest[..count].copy_from_slice(&ordered.as_slice()[..count]);
                }
            }
        }
    }
}

/// Transposes a row in two halves.
#[inline(always)]
fn halves<S: Simd, T: Lane, const N: usize>(simd: S, row: &[T::Vector<S>; N]) -> [[Magnitude<T, S>; MAX_LANES]; 2] {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let mut halves = [[Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES]; 2];
    spread::<S, T>(row, &mut halves[0][..lanes]);
    spread::<S, T>(&row[lanes / parts..], &mut halves[1][..lanes]);
    transpose::<S, T>(&mut halves[0]);
    transpose::<S, T>(&mut halves[1]);
    halves
}
