//! The choice of a pivot when the lanes hold a column of one matrix.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;

/// The row of the first maximum of |re| + |im| in a column from row k on, or `None` if all are zero.
#[inline(always)]
pub fn pivot<S: Simd, T: Lane>(
    simd: S,
    column: &[T::Vector<S>],
    numbers: &[T::Real],
    n: usize,
    k: usize,
) -> Option<usize> {
    let lanes = T::Vector::<S>::LANES;
    let first = k / lanes;
    let from_k = Magnitude::<T, S>::from_slice(simd, &numbers[first * lanes..][..lanes])
        .simd_ge(Magnitude::<T, S>::splat(simd, numbers[k]));
    let none = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut best = from_k.select(column[first].magnitude(), none);
    for x in &column[first + 1..] {
        best = x.magnitude().max(best);
    }
    let largest = best.reduce_max();
    if largest > T::Real::ZERO {
        let largest = Magnitude::<T, S>::splat(simd, largest);
        // Backwards and without a branch, which would often be mispredicted.
        let mut row = 0;
        for (v, x) in column.iter().enumerate().skip(first + 1).rev() {
            let found = x.magnitude().simd_eq(largest).to_bitmask();
            row = if found == 0 { row } else { v * lanes + found.trailing_zeros() as usize };
        }
        let found = (column[first].magnitude().simd_eq(largest) & from_k).to_bitmask();
        return Some(if found == 0 { row } else { first * lanes + found.trailing_zeros() as usize });
    }
    // All are zero, or some are NaN.
    let magnitude = |i: usize| column[i / lanes].lane(i % lanes).pivot_magnitude();
    (k..n).any(|i| magnitude(i) != T::Real::ZERO).then_some(k)
}
