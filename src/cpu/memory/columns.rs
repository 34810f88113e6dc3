//! Stores of LANES consecutive matrices whose columns are permuted, each matrix in its own way.
//!
//! The permutation is the same in every row of a matrix. So it is worked out once, on a row of byte indexes, and then
//! applied by one byte shuffle to whole rows as they lie in memory:
//!
//! ```text
//! per matrix, once:   indexes 0 1 2 3  --undo_between-->  2 0 3 1
//! per row:            x0 x1 x2 x3      --shuffle------->  x2 x0 x3 x1  -> memory
//! ```
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Bytes, Simd, SimdBase};

use super::blocks::{finite, spread};
use crate::cpu::kernel::pivots;
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::{MAX_LANES, transpose};
use crate::cpu::simd::vector::{RealLane, Vector};
use crate::data::scalar::{Real, Scalar};
use crate::plan::cpu::CpuTuning;

/// Writes LANES matrices, with their columns in order. Returns whether all of their elements are finite. Behind the
/// matrices there are `MAX_LANES` more vectors in `a`, which are read and not used; `rows` hold a row each in between.
#[inline(always)]
pub fn store<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T::Vector<S>],
    chosen: &[Magnitude<T, S>],
    rows: [&mut [T::Vector<S>]; 2],
    target: &mut [T::Real],
) -> bool {
    let n = chosen.len();
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let bytes = lanes * size_of::<T::Real>();
    if n * parts <= lanes && bytes > 16 {
        store_rows::<S, T, N>(simd, a, chosen, rows, target);
    } else if n * parts <= 2 * lanes && bytes > 32 {
        // AVX2 has no shuffle of two vectors.
        store_two_vectors::<S, T, N>(simd, a, chosen, rows, target);
    } else {
        store_elements::<S, T>(a, chosen, target);
    }
    finite::<S, T>(simd, &a[..n * n])
}

/// For every column of the inverse, the byte indexes of the column that holds it, in each lane.
#[inline(always)]
fn indexes<'a, S: Simd, T: Lane>(
    simd: S,
    chosen: &[Magnitude<T, S>],
    rows: [&'a mut [T::Vector<S>]; 2],
) -> &'a [T::Vector<S>] {
    let parts = T::Vector::<S>::PARTS;
    let [row, other] = rows;
    for (j, (column, other)) in row[..chosen.len()].iter_mut().zip(other.iter_mut()).enumerate() {
        for part in 0..parts {
            column.set_part(part, Magnitude::<T, S>::splat(simd, T::Real::byte_indexes(j * parts + part)));
        }
        *other = *column;
    }
    pivots::undo_between::<S, T>(simd, [row, other], chosen)
}

/// Several whole rows per vector.
#[inline(always)]
fn store_rows<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T::Vector<S>],
    chosen: &[Magnitude<T, S>],
    rows: [&mut [T::Vector<S>]; 2],
    target: &mut [T::Real],
) {
    let n = chosen.len();
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (n * parts, n * n * parts);
    let used = lanes / row * row;
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);

    let columns = indexes::<S, T>(simd, chosen, rows);
    let mut orders = [zero; MAX_LANES];
    for order in orders[..used].chunks_exact_mut(row) {
        spread::<S, T>(&columns[..n], order);
    }
    transpose::<S, T>(&mut orders);
    // The byte indexes of later rows in a vector are offset by whole rows.
    let row_bytes = row * size_of::<T::Real>();
    let mut offset = <Magnitude<T, S> as SimdBase<S>>::ByteVector::splat(simd, 0);
    for (index, row) in offset.as_mut_slice().chunks_mut(row_bytes).enumerate() {
        row.fill((index * row_bytes) as u8);
    }
    for order in &mut orders[..lanes] {
        *order = Magnitude::<T, S>::from_bytes(order.to_bytes() + offset);
    }

    let mut done = 0;
    while done + lanes <= reals {
        store_block::<S, T, N>(simd, &a[done / parts..], &orders, &mut target[done..], reals);
        done += used;
    }
    if done < reals {
        // Behind the last row stands another matrix.
        let mut block = [zero; MAX_LANES];
        block_at::<S, T>(&a[done / parts..], &mut block);
        for (lane, order) in orders[..lanes].iter().enumerate() {
            let ordered = block[lane].swizzle_dyn(order.to_bytes());
            let target = &mut target[lane * reals + done..][..reals - done];
            for (target, &real) in target.iter_mut().zip(ordered.as_slice()) {
                *target = real;
            }
        }
    }
}

/// Writes a vector of every matrix; what follows overwrites the excess.
#[inline(always)]
fn store_block<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T::Vector<S>],
    orders: &[Magnitude<T, S>; MAX_LANES],
    target: &mut [T::Real],
    reals: usize,
) {
    apart::<N, _, _>(
        simd,
        #[inline(always)]
        move || {
            let lanes = T::Vector::<S>::LANES;
            let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
            block_at::<S, T>(a, &mut block);
            let mut start = 0;
            for lane in 0..lanes {
                let ordered = block[lane].swizzle_dyn(orders[lane].to_bytes());
                ordered.store_slice(&mut target[start..start + lanes]);
                start += reals;
            }
        },
    );
}

/// Transposes the first vectors. What is indexed by a loop is a copy, so that the transpose itself stays in
/// registers.
#[inline(always)]
fn block_at<S: Simd, T: Lane>(a: &[T::Vector<S>], block: &mut [Magnitude<T, S>; MAX_LANES]) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let mut rows = *block;
    spread::<S, T>(&a[..lanes / parts], &mut rows[..lanes]);
    transpose::<S, T>(&mut rows);
    block[..lanes].copy_from_slice(&rows[..lanes]);
}

/// Two vectors per row, of which the second ends with the row.
#[inline(always)]
fn store_two_vectors<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T::Vector<S>],
    chosen: &[Magnitude<T, S>],
    rows: [&mut [T::Vector<S>]; 2],
    target: &mut [T::Real],
) {
    let n = chosen.len();
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (n * parts, n * n * parts);
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let columns = indexes::<S, T>(simd, chosen, rows);
    let mut orders = [[zero; MAX_LANES]; 2];
    block_at::<S, T>(columns, &mut orders[0]);
    block_at::<S, T>(&columns[n - lanes / parts..], &mut orders[1]);
    for i in 0..n {
        store_row::<S, T, N>(simd, &a[i * n..], &orders, &mut target[i * row..], row, reals);
    }
}

/// Writes a row of every matrix.
#[inline(always)]
fn store_row<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T::Vector<S>],
    orders: &[[Magnitude<T, S>; MAX_LANES]; 2],
    target: &mut [T::Real],
    row: usize,
    reals: usize,
) {
    apart::<N, _, _>(
        simd,
        #[inline(always)]
        move || {
            let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
            let mut blocks = [[Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES]; 2];
            block_at::<S, T>(a, &mut blocks[0]);
            block_at::<S, T>(&a[lanes / parts..], &mut blocks[1]);
            let mut start = 0;
            for lane in 0..lanes {
                let (first, second) = (blocks[0][lane], blocks[1][lane]);
                let head = first.concat_swizzle_dyn(second, orders[0][lane].to_bytes());
                let tail = first.concat_swizzle_dyn(second, orders[1][lane].to_bytes());
                head.store_slice(&mut target[start..start + lanes]);
                tail.store_slice(&mut target[start + row - lanes..start + row]);
                start += reals;
            }
        },
    );
}

/// One element after another.
#[inline(always)]
fn store_elements<S: Simd, T: Lane>(a: &[T::Vector<S>], chosen: &[Magnitude<T, S>], target: &mut [T::Real]) {
    let n = chosen.len();
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let (row, reals) = (n * parts, n * n * parts);
    let mut columns = [[0; CpuTuning::LANES_MAX_ORDER]; MAX_LANES];
    for (lane, columns) in columns[..lanes].iter_mut().enumerate() {
        for (j, column) in columns.iter_mut().enumerate() {
            *column = j;
        }
        for k in (0..n).rev() {
            columns.swap(k, chosen[k].as_slice()[lane].to_f64() as usize);
        }
    }
    for (i, vectors) in a[..n * n].chunks_exact(n).enumerate() {
        for (lane, columns) in columns[..lanes].iter().enumerate() {
            let target = &mut target[lane * reals + i * row..][..row];
            for (target, &column) in target.chunks_exact_mut(parts).zip(columns) {
                for (part, target) in target.iter_mut().enumerate() {
                    *target = vectors[column].part(part).as_slice()[lane];
                }
            }
        }
    }
}
