//! Between memory, where the elements of a matrix follow one another, and vectors that hold the same element of as
//! many matrices as they have lanes.
//!
//! Blocks of LANES x LANES reals are transposed in registers by rounds of interleaving, log2(LANES) of them: a round
//! turns the bits of (row, column) by one place.

use fearless_simd::{Simd, SimdBase};

use super::vector::{Magnitude, Vector};
use crate::scalar::Scalar;

/// The most lanes that a vector of reals has at any level.
pub const MAX_LANES: usize = 16;

/// Reads LANES matrices of order n, one after another, into vectors: rows of n, evenly spread over `a`.
#[inline(always)]
pub fn load<S: Simd, T: Scalar>(simd: S, source: &[T::Real], a: &mut [T::Vector<S>], n: usize) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = n * n * parts;
    let gap = a.len() / n - n;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
    let mut done = 0;
    while done < reals {
        // The last block goes back, so as to end with the matrix; what it reads again is the same.
        let first = done.min(reals.saturating_sub(lanes));
        for (lane, row) in block[..lanes].iter_mut().enumerate() {
            let rest = &source[lane * reals + first..];
            *row = match rest.get(..lanes) {
                Some(whole) => Magnitude::<T, S>::from_slice(simd, whole),
                None => partial::<S, T>(simd, rest),
            };
        }
        transpose::<S, T>(&mut block);
        for (index, &row) in block[..lanes.min(reals)].iter().enumerate() {
            let element = (first + index) / parts;
            a[place(element, n, gap)].set_part((first + index) % parts, row);
        }
        done = first + lanes;
    }
}

/// Writes vectors as LANES matrices of order n, one after another.
#[inline(always)]
pub fn store<S: Simd, T: Scalar>(simd: S, a: &[T::Vector<S>], n: usize, target: &mut [T::Real]) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = n * n * parts;
    let gap = a.len() / n - n;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
    let mut done = 0;
    while done < reals {
        let first = done.min(reals.saturating_sub(lanes));
        for (index, row) in block[..lanes.min(reals)].iter_mut().enumerate() {
            let element = (first + index) / parts;
            *row = a[place(element, n, gap)].part((first + index) % parts);
        }
        transpose::<S, T>(&mut block);
        for (lane, row) in block[..lanes].iter().enumerate() {
            // Where a matrix is shorter than a vector, what goes too far is overwritten by the next matrix.
            let rest = &mut target[lane * reals + first..];
            match rest.get_mut(..lanes) {
                Some(whole) => row.store_slice(whole),
                None => {
                    let end = rest.len();
                    rest.copy_from_slice(&row.as_slice()[..end]);
                }
            }
        }
        done = first + lanes;
    }
}

/// Where the vector of an element stands: rows of n are `gap` apart.
#[inline(always)]
fn place(element: usize, n: usize, gap: usize) -> usize {
    if gap == 0 { element } else { element + element / n * gap }
}

/// A vector of fewer reals than it has lanes.
#[inline(always)]
fn partial<S: Simd, T: Scalar>(simd: S, reals: &[T::Real]) -> Magnitude<T, S> {
    let mut vector = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    vector.as_mut_slice()[..reals.len()].copy_from_slice(reals);
    vector
}

/// Transposes the first LANES x LANES reals.
#[inline(always)]
pub fn transpose<S: Simd, T: Scalar>(block: &mut [Magnitude<T, S>; MAX_LANES]) {
    // Not a loop, so that all stays in registers.
    round::<S, T>(block);
    if T::Vector::<S>::LANES > 2 {
        round::<S, T>(block);
    }
    if T::Vector::<S>::LANES > 4 {
        round::<S, T>(block);
    }
    if T::Vector::<S>::LANES > 8 {
        round::<S, T>(block);
    }
}

#[inline(always)]
fn round<S: Simd, T: Scalar>(block: &mut [Magnitude<T, S>; MAX_LANES]) {
    let old = *block;
    let half = T::Vector::<S>::LANES / 2;
    for index in 0..half {
        let (low, high) = (old[index], old[index + half]);
        block[2 * index] = low.zip_low(high);
        block[2 * index + 1] = low.zip_high(high);
    }
}
