//! The choice of pivots when every lane holds a matrix of its own, and the permutation that it leaves.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};

/// A row number in every lane, as a real.
#[inline(always)]
pub fn number<S: Simd, T: Lane>(simd: S, row: usize) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(row as f64))
}

/// In every lane, the row of the first maximum of |re| + |im| in a column from row k on; and the lanes where that
/// maximum is zero, as a bit mask. NaN is chosen in row k only, as if one row were compared after another.
#[inline(always)]
pub fn first_maximum<S: Simd, T: Lane>(simd: S, column: &[T::Vector<S>], k: usize) -> (Magnitude<T, S>, u64) {
    let mut best = column[k].magnitude();
    let mut at = number::<S, T>(simd, k);
    for (i, x) in column.iter().enumerate().skip(k + 1) {
        let magnitude = x.magnitude();
        let better = magnitude.simd_gt(best);
        best = better.select(magnitude, best);
        at = better.select(number::<S, T>(simd, i), at);
    }
    (at, best.simd_eq(Magnitude::<T, S>::splat(simd, T::Real::ZERO)).to_bitmask())
}

/// Divides the pivot row by the pivot in column `at`, where 1 / pivot begins a column of the inverse.
#[inline(always)]
pub fn divide<S: Simd, T: Lane>(simd: S, row: &mut [T::Vector<S>], at: usize) {
    let reciprocal = row[at].reciprocal(simd);
    for x in row.iter_mut() {
        *x = x.mul(reciprocal);
    }
    row[at] = reciprocal;
}

/// Puts the columns of one row in order: exchanging rows of a matrix exchanges columns of its inverse, in reverse
/// order.
#[inline(always)]
pub fn undo<S: Simd, T: Lane>(simd: S, row: &mut [T::Vector<S>], pivots: &[Magnitude<T, S>]) {
    let n = pivots.len();
    for k in (0..n).rev() {
        // It stays in a register for all of its exchanges.
        let mut x = row[k];
        for j in k + 1..n {
            let here = pivots[k].simd_eq(number::<S, T>(simd, j));
            let y = row[j];
            row[j] = Vector::select(here, x, y);
            x = Vector::select(here, y, x);
        }
        row[k] = x;
    }
}
