//! Choosing pivots, and what row exchanges do to columns.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::number;
use crate::cpu::vector::{Magnitude, Vector};
use crate::scalar::Scalar;

/// The row of the first maximum of |re| + |im| among the rows from k on, in every lane, and the lanes where it is
/// zero, as a bit mask. NaN is chosen in row k only, as by comparing one row after another.
#[inline(always)]
pub fn first_maximum<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    column: &[T::Vector<S>; N],
    k: usize,
) -> (Magnitude<T, S>, u64) {
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

/// Row exchanges of the matrix are column exchanges of its inverse, in the opposite order.
#[inline(always)]
pub fn undo<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    row: &mut [T::Vector<S>; N],
    exchanges: &[Magnitude<T, S>; N],
) {
    for k in (0..N).rev() {
        // In a register for all of its exchanges.
        let mut x = row[k];
        for j in k + 1..N {
            let here = exchanges[k].simd_eq(number::<S, T>(simd, j));
            let y = row[j];
            row[j] = Vector::select(here, x, y);
            x = Vector::select(here, y, x);
        }
        row[k] = x;
    }
}
