//! Loads and stores of LANES consecutive matrices by transposes of LANES x LANES reals: memory holds one matrix after
//! another, vector (i, j) holds element (i, j) of all of them.
//!
//! ```text
//! memory            lane 0: a00 a01 a10 a11          vector (0, 0): a00 b00 c00 d00
//!                   lane 1: b00 b01 b10 b11   <->    vector (0, 1): a01 b01 c01 d01
//!                   lane 2: c00 c01 c10 c11          ...
//! ```
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::window::Extremes;
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::{MAX_LANES, transpose};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;

/// Reads LANES matrices. Returns whether all of their elements lie in the window that needs no scaling; `false` may
/// also mean that there are zeros, or NaN.
#[inline(always)]
pub fn load<S: Simd, T: Lane, const N: usize>(simd: S, source: &[T::Real], a: &mut [T::Vector<S>]) -> bool {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = a.len() * parts;
    let mut extremes = Extremes::<S, T>::new(simd);
    let whole = whole_blocks(reals, lanes);
    if whole < reals {
        let last = Magnitude::<T, S>::from_fn(simd, |lane| source[lane * reals + whole]);
        extremes.see(last);
        a[whole / parts].set_part(whole % parts, last);
    }
    let width = block_width::<S, T, N>();
    debug_assert!(whole >= width, "`short` and `order3` take matrices shorter than a block");
    let mut done = 0;
    while done < whole {
        // The last block starts earlier, so that it ends with the matrix.
        let first = done.min(whole - width);
        load_block::<S, T, N>(simd, &source[first..], reals, &mut a[first / parts..], &mut extremes);
        done = first + width;
    }
    extremes.in_window_of(simd, reals)
}

/// Reals of every matrix that are read together: a vector of each, or several short vectors, if that is a call.
#[inline(always)]
const fn block_width<S: Simd, T: Lane, const N: usize>() -> usize {
    if N > 0 { T::Vector::<S>::LANES } else { MAX_LANES }
}

/// Reads the first reals of every matrix.
#[inline(always)]
fn load_block<S: Simd, T: Lane, const N: usize>(
    simd: S,
    source: &[T::Real],
    reals: usize,
    a: &mut [T::Vector<S>],
    extremes: &mut Extremes<S, T>,
) {
    apart::<N, _, _>(
        simd,
        #[inline(always)]
        move || {
            let (lanes, parts, width) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS, block_width::<S, T, N>());
            let mut seen = *extremes;
            for part in 0..width / lanes {
                let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
                let mut rest = source;
                for lane in 0..lanes {
                    block[lane] = Magnitude::<T, S>::from_slice(simd, &rest[..width][part * lanes..][..lanes]);
                    seen.see(block[lane]);
                    rest = &rest[reals.min(rest.len())..];
                }
                transpose::<S, T>(&mut block);
                collect::<S, T>(&block[..lanes], &mut a[part * lanes / parts..][..lanes / parts]);
            }
            *extremes = seen;
        },
    );
}

/// Writes LANES matrices.
#[inline(always)]
pub fn store<S: Simd, T: Lane>(simd: S, a: &[T::Vector<S>], target: &mut [T::Real]) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = a.len() * parts;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
    let whole = whole_blocks(reals, lanes);
    if whole < reals {
        let last = a[whole / parts].part(whole % parts);
        for (lane, &real) in last.as_slice().iter().enumerate() {
            target[lane * reals + whole] = real;
        }
    }
    let mut done = 0;
    while done < whole {
        let first = done.min(whole - lanes);
        spread::<S, T>(&a[first / parts..][..lanes / parts], &mut block[..lanes]);
        transpose::<S, T>(&mut block);
        for (lane, vector) in block[..lanes].iter().enumerate() {
            vector.store_slice(&mut target[lane * reals + first..][..lanes]);
        }
        done = first + lanes;
    }
}

/// The reals of a matrix that go through transposes, LANES at a time. A single real that is left over, as at odd
/// orders, is not worth a block: it goes alone.
#[inline(always)]
const fn whole_blocks(reals: usize, lanes: usize) -> usize {
    if reals > lanes && reals % lanes == 1 { reals - 1 } else { reals }
}

/// Returns whether all elements are finite.
#[inline(always)]
pub fn finite<S: Simd, T: Lane>(simd: S, a: &[T::Vector<S>]) -> bool {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut sums = [zero; 4];
    let (fours, rest) = a.as_chunks::<4>();
    for four in fours {
        for (sum, x) in sums.iter_mut().zip(four) {
            *sum = x.poison(*sum, zero);
        }
    }
    for x in rest {
        sums[0] = x.poison(sums[0], zero);
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
pub fn collect<S: Simd, T: Lane>(places: &[Magnitude<T, S>], vectors: &mut [T::Vector<S>]) {
    for (vector, places) in vectors.iter_mut().zip(places.chunks_exact(T::Vector::<S>::PARTS)) {
        for (part, &place) in places.iter().enumerate() {
            vector.set_part(part, place);
        }
    }
}
