//! Transposes between memory, where the elements of a matrix follow one another, and vectors, each of which holds one
//! element of LANES matrices.
//!
//! Blocks of LANES x LANES reals are transposed in registers by log2(LANES) rounds of interleaving; a round rotates the
//! bits of (row, column) by one place.

use fearless_simd::{Simd, SimdBase};

use super::lane::{Lane, Magnitude};
use super::vector::Vector;
use crate::data::scalar::Scalar;

/// The most lanes that a vector of reals has at any level.
pub const MAX_LANES: usize = 16;

/// Reads LANES consecutive matrices of order n into vectors: n rows of n, evenly spaced in `a`.
#[inline(always)]
pub fn load<S: Simd, T: Lane>(simd: S, source: &[T::Real], a: &mut [T::Vector<S>], n: usize) {
    let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
    let reals = n * n * parts;
    let gap = a.len() / n - n;
    let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
    let mut done = 0;
    while done < reals {
        // The last block starts earlier, so that it ends with the matrix; it reads some elements twice.
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

/// Writes vectors as LANES consecutive matrices of order n.
#[inline(always)]
pub fn store<S: Simd, T: Lane>(simd: S, a: &[T::Vector<S>], n: usize, target: &mut [T::Real]) {
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
            // If a matrix is shorter than a vector, the next matrix overwrites the excess.
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

/// The index of an element's vector, with gaps of `gap` vectors between rows of n.
#[inline(always)]
fn place(element: usize, n: usize, gap: usize) -> usize {
    if gap == 0 { element } else { element + element / n * gap }
}

/// Reads fewer reals than a vector has lanes.
#[inline(always)]
fn partial<S: Simd, T: Lane>(simd: S, reals: &[T::Real]) -> Magnitude<T, S> {
    let mut vector = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    vector.as_mut_slice()[..reals.len()].copy_from_slice(reals);
    vector
}

/// Transposes the first LANES x LANES reals.
#[inline(always)]
pub fn transpose<S: Simd, T: Lane>(block: &mut [Magnitude<T, S>; MAX_LANES]) {
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
fn round<S: Simd, T: Lane>(block: &mut [Magnitude<T, S>; MAX_LANES]) {
    let old = *block;
    let half = T::Vector::<S>::LANES / 2;
    for index in 0..half {
        let (low, high) = (old[index], old[index + half]);
        block[2 * index] = low.zip_low(high);
        block[2 * index + 1] = low.zip_high(high);
    }
}
