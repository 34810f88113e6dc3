//! Matrices whose number of reals is a power of two below the number of lanes: a vector holds several whole matrices.
//!
//! ```text
//! memory, 2 reals per matrix, 4 lanes        vectors
//! a0 a1 b0 b1 | c0 c1 d0 d1        <->       a0 b0 c0 d0 | a1 b1 c1 d1
//! ```
//!
//! Each round of unzipping halves the distance between the reals of one element; zipping goes back.

use fearless_simd::{Simd, SimdBase};

use super::window::Extremes;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::MAX_LANES;

/// Returns whether matrices of `reals` reals are this short.
#[inline(always)]
pub const fn suits(reals: usize, lanes: usize) -> bool {
    reals < lanes && reals.is_power_of_two()
}

/// Reads LANES matrices into one vector per real.
#[inline(always)]
pub fn load<S: Simd, T: Lane>(
    simd: S,
    source: &[T::Real],
    reals: usize,
    extremes: &mut Extremes<S, T>,
    block: &mut [Magnitude<T, S>; MAX_LANES],
) {
    let lanes = Magnitude::<T, S>::LEN;
    for (vector, chunk) in block[..reals].iter_mut().zip(source.chunks_exact(lanes)) {
        *vector = Magnitude::<T, S>::from_slice(simd, chunk);
        extremes.see(*vector);
    }
    let mut round = 1;
    while round < reals {
        let old = *block;
        for index in 0..reals / 2 {
            let (low, high) = (old[2 * index], old[2 * index + 1]);
            block[index] = low.unzip_low(high);
            block[index + reals / 2] = low.unzip_high(high);
        }
        round *= 2;
    }
}

/// Writes LANES matrices from one vector per real.
#[inline(always)]
pub fn store<S: Simd, T: Lane>(block: &mut [Magnitude<T, S>; MAX_LANES], reals: usize, target: &mut [T::Real]) {
    let lanes = Magnitude::<T, S>::LEN;
    let mut round = 1;
    while round < reals {
        let old = *block;
        for index in 0..reals / 2 {
            let (low, high) = (old[index], old[index + reals / 2]);
            block[2 * index] = low.zip_low(high);
            block[2 * index + 1] = low.zip_high(high);
        }
        round *= 2;
    }
    for (vector, chunk) in block[..reals].iter().zip(target.chunks_exact_mut(lanes)) {
        vector.store_slice(chunk);
    }
}
