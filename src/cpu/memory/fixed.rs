//! Loads and stores of LANES consecutive matrices of order N: memory holds one matrix after another, vector (i, j)
//! holds element (i, j) of all of them.
//!
//! ```text
//! memory            lane 0: a00 a01 a10 a11          vector (0, 0): a00 b00 c00 d00
//!                   lane 1: b00 b01 b10 b11   <->    vector (0, 1): a01 b01 c01 d01
//!                   lane 2: c00 c01 c10 c11          ...
//! ```
//!
//! It is a transpose of LANES rows, block by block. `order3` and `short` are faster ways for small matrices.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::window::Extremes;
use super::{order3, short};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::{MAX_LANES, transpose};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;

/// Reads LANES matrices. Returns whether all of their elements lie in the window that needs no scaling; `false` may
/// also mean that there are zeros, or NaN.
#[inline(always)]
pub fn load<S: Simd, T: Lane, const N: usize>(simd: S, source: &[T::Real], a: &mut [[T::Vector<S>; N]; N]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = N * N * parts;
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut extremes = Extremes::<S, T>::new(simd);
    let mut block = [zero; MAX_LANES];

    if order3::pays::<S, T>(reals) {
        let mut memory = [zero; order3::REALS];
        for (vector, chunk) in memory.iter_mut().zip(source.chunks_exact(lanes)) {
            *vector = Magnitude::<T, S>::from_slice(simd, chunk);
            extremes.see(*vector);
        }
        collect::<S, T>(&order3::gather::<S, T>(simd, &memory), a.as_flattened_mut());
    } else if short::suits(reals, lanes) {
        short::load::<S, T>(simd, source, reals, &mut extremes, &mut block);
        collect::<S, T>(&block, a.as_flattened_mut());
    } else {
        let whole = whole_blocks(reals, lanes);
        if whole < reals {
            let last = Magnitude::<T, S>::from_fn(simd, |lane| source[lane * reals + whole]);
            extremes.see(last);
            a.as_flattened_mut()[whole / parts].set_part(whole % parts, last);
        }
        let mut done = 0;
        while done < whole {
            // The last block starts earlier, so that it ends with the matrix.
            let first = done.min(whole.saturating_sub(lanes));
            for lane in 0..lanes {
                let rest = &source[lane * reals + first..];
                block[lane] = match rest.get(..lanes) {
                    Some(whole) => Magnitude::<T, S>::from_slice(simd, whole),
                    None => {
                        let mut vector = Magnitude::<T, S>::splat(simd, T::Real::ONE);
                        vector.as_mut_slice()[..reals].copy_from_slice(&rest[..reals]);
                        vector
                    }
                };
                extremes.see(block[lane]);
            }
            transpose::<S, T>(&mut block);
            collect::<S, T>(&block[..lanes], &mut a.as_flattened_mut()[first / parts..]);
            done = first + lanes;
        }
    }
    extremes.in_window(simd)
}

/// Writes LANES matrices. Returns whether all of their elements are finite.
#[inline(always)]
pub fn store<S: Simd, T: Lane, const N: usize>(simd: S, a: &[[T::Vector<S>; N]; N], target: &mut [T::Real]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = N * N * parts;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];

    if order3::pays::<S, T>(reals) {
        let mut elements = [block[0]; order3::REALS];
        spread::<S, T>(a.as_flattened(), &mut elements);
        let memory = order3::scatter::<S, T>(simd, &elements);
        for (vector, chunk) in memory.iter().zip(target.chunks_exact_mut(lanes)) {
            vector.store_slice(chunk);
        }
    } else if short::suits(reals, lanes) {
        spread::<S, T>(a.as_flattened(), &mut block);
        short::store::<S, T>(&mut block, reals, target);
    } else {
        let whole = whole_blocks(reals, lanes);
        if whole < reals {
            let last = a.as_flattened()[whole / parts].part(whole % parts);
            for (lane, &real) in last.as_slice().iter().enumerate() {
                target[lane * reals + whole] = real;
            }
        }
        let mut done = 0;
        while done < whole {
            let first = done.min(whole.saturating_sub(lanes));
            spread::<S, T>(&a.as_flattened()[first / parts..], &mut block[..lanes]);
            transpose::<S, T>(&mut block);
            for (lane, vector) in block[..lanes].iter().enumerate() {
                // If a matrix is shorter than a vector, the next matrix overwrites the excess.
                let rest = &mut target[lane * reals + first..];
                match rest.get_mut(..lanes) {
                    Some(whole) => vector.store_slice(whole),
                    None => rest[..reals].copy_from_slice(&vector.as_slice()[..reals]),
                }
            }
            done = first + lanes;
        }
    }
    finite::<S, T, N>(simd, a)
}

/// The reals of a matrix that go through transposes, LANES at a time. A single real that is left over, as at odd
/// orders, is not worth a block: it goes alone.
#[inline(always)]
const fn whole_blocks(reals: usize, lanes: usize) -> usize {
    if reals > lanes && reals % lanes == 1 { reals - 1 } else { reals }
}

/// Returns whether all elements are finite.
#[inline(always)]
pub fn finite<S: Simd, T: Lane, const N: usize>(simd: S, a: &[[T::Vector<S>; N]; N]) -> bool {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut sums = [zero; 4];
    for row in a {
        for (j, x) in row.iter().enumerate() {
            sums[j % 4] = x.poison(sums[j % 4], zero);
        }
    }
    let sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    sum.simd_eq(zero).all_true()
}

/// Copies the real and imaginary parts of vectors, one after another, to as many places as there are.
#[inline(always)]
pub fn spread<S: Simd, T: Lane>(vectors: &[T::Vector<S>], places: &mut [Magnitude<T, S>]) {
    for (vector, places) in vectors.iter().zip(places.chunks_exact_mut(T::Vector::<S>::PARTS)) {
        for (part, place) in places.iter_mut().enumerate() {
            *place = vector.part(part);
        }
    }
}

/// The opposite of `spread`.
#[inline(always)]
fn collect<S: Simd, T: Lane>(places: &[Magnitude<T, S>], vectors: &mut [T::Vector<S>]) {
    for (vector, places) in vectors.iter_mut().zip(places.chunks_exact(T::Vector::<S>::PARTS)) {
        for (part, &place) in places.iter().enumerate() {
            vector.set_part(part, place);
        }
    }
}
