//! Loads and stores of LANES consecutive rectangles of any size, a right-hand side each: memory holds one after
//! another, a vector holds one element of all of them.
//!
//! Those of fewer reals than a block go through a copy with room behind it, so that every lane can read and write a
//! whole vector.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Simd, SimdBase};

use super::window::Extremes;
use super::{blocks, short};
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::{MAX_LANES, transpose};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;

/// Room for the reals of LANES rectangles of fewer than MAX_LANES reals, and for a vector behind them.
const ROOM: usize = MAX_LANES * (MAX_LANES + 1);

/// Reads LANES columns of N rows, or LANES rectangles of any size if N is 0. Returns whether all of their elements lie
/// in the window that needs no scaling; `false` may also mean that there are zeros, or NaN.
#[inline(always)]
pub fn load<S: Simd, T: Lane, const N: usize>(simd: S, source: &[T::Real], vectors: &mut [T::Vector<S>]) -> bool {
    apart::<N, _, _>(
        simd,
        #[inline(always)]
        move || {
            let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
            let reals = if N > 0 { N * parts } else { vectors.len() * parts };
            if reals >= MAX_LANES {
                return blocks::load::<S, T, 0>(simd, source, vectors);
            }
            let mut extremes = Extremes::<S, T>::new(simd);
            let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
            if goes_short::<N>(reals, lanes) {
                short::load::<S, T>(simd, source, reals, &mut extremes, &mut block);
                blocks::collect::<S, T>(&block, vectors);
                return extremes.in_window(simd);
            }
            let mut room = [T::Real::ZERO; ROOM];
            room[..source.len()].copy_from_slice(source);
            for chunk in source.chunks_exact(lanes) {
                extremes.see(Magnitude::<T, S>::from_slice(simd, chunk));
            }
            for first in (0..reals).step_by(lanes) {
                for lane in 0..lanes {
                    block[lane] = Magnitude::<T, S>::from_slice(simd, &room[lane * reals + first..][..lanes]);
                }
                transpose::<S, T>(&mut block);
                blocks::collect::<S, T>(&block[..lanes], &mut vectors[first / parts..]);
            }
            extremes.in_window(simd)
        },
    )
}

/// Writes LANES columns of N rows, or LANES rectangles of any size if N is 0.
#[inline(always)]
pub fn store<S: Simd, T: Lane, const N: usize>(simd: S, vectors: &[T::Vector<S>], target: &mut [T::Real]) {
    apart::<N, _, _>(
        simd,
        #[inline(always)]
        move || {
            let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
            let reals = if N > 0 { N * parts } else { vectors.len() * parts };
            if reals >= MAX_LANES {
                return blocks::store::<S, T>(simd, vectors, target);
            }
            let mut block = [Magnitude::<T, S>::splat(simd, T::Real::ZERO); MAX_LANES];
            if goes_short::<N>(reals, lanes) {
                blocks::spread::<S, T>(vectors, &mut block);
                return short::store::<S, T>(&mut block, reals, target);
            }
            let mut room = [T::Real::ZERO; ROOM];
            for first in (0..reals).step_by(lanes) {
                blocks::spread::<S, T>(&vectors[first / parts..], &mut block[..lanes]);
                transpose::<S, T>(&mut block);
                for lane in 0..lanes {
                    let row = &mut room[lane * reals + first..];
                    if first > 0 && reals - first < lanes {
                        // The next lane's first elements stand behind these already.
                        row[..reals - first].copy_from_slice(&block[lane].as_slice()[..reals - first]);
                    } else {
                        block[lane].store_slice(&mut row[..lanes]);
                    }
                }
            }
            target.copy_from_slice(&room[..target.len()]);
        },
    );
}

/// Returns whether `short` takes rectangles of so many reals: it is fast if their number is a constant.
#[inline(always)]
const fn goes_short<const N: usize>(reals: usize, lanes: usize) -> bool {
    N > 0 && short::suits(reals, lanes)
}
