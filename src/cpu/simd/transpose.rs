//! Transposes between memory, where the elements of a matrix follow one another, and vectors, each of which holds one
//! element of LANES matrices.
//!
//! Blocks of LANES x LANES reals are transposed in registers by log2(LANES) rounds of interleaving; a round rotates the
//! bits of (row, column) by one place.

use fearless_simd::{Simd, SimdBase};

use super::lane::{Lane, Magnitude};
use super::vector::Vector;

/// The most lanes that a vector of reals has at any level.
pub const MAX_LANES: usize = 16;

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
