//! Orders that registers hold as a whole: one step after another, every loop unrolled.

use fearless_simd::{Simd, SimdBase};

use super::{exchange, number};
use crate::cpu::vector::{Magnitude, Vector};
use crate::scalar::Scalar;

/// Inverts in place. Returns the lanes with a zero pivot, for every column.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    exchanges: &mut [Magnitude<T, S>; N],
) -> [u64; N] {
    let mut singular = [0; N];
    let mut rows = *a;
    // Not a loop, so that k is a constant in each.
    if N > 0 {
        step::<S, T, N, 0>(simd, &mut rows, exchanges, &mut singular);
    }
    if N > 1 {
        step::<S, T, N, 1>(simd, &mut rows, exchanges, &mut singular);
    }
    if N > 2 {
        step::<S, T, N, 2>(simd, &mut rows, exchanges, &mut singular);
    }
    if N > 3 {
        step::<S, T, N, 3>(simd, &mut rows, exchanges, &mut singular);
    }
    for row in &mut rows {
        exchange::undo::<S, T, N>(simd, row, exchanges);
    }
    *a = rows;
    singular
}

#[inline(always)]
fn step<S: Simd, T: Scalar, const N: usize, const K: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    exchanges: &mut [Magnitude<T, S>; N],
    singular: &mut [u64; N],
) {
    let (at, zero_pivot) = exchange::first_maximum::<S, T, N>(simd, &a.map(|row| row[K]), K);
    (exchanges[K], singular[K]) = (at, zero_pivot);

    let row_k = a[K];
    let mut pivots = row_k;
    for i in K + 1..N {
        let here = at.simd_eq(number::<S, T>(simd, i));
        for j in 0..N {
            pivots[j] = Vector::select(here, a[i][j], pivots[j]);
            a[i][j] = Vector::select(here, row_k[j], a[i][j]);
        }
    }
    let reciprocal = pivots[K].reciprocal(simd);
    for pivot in &mut pivots {
        *pivot = pivot.mul(reciprocal);
    }
    pivots[K] = reciprocal;

    for (i, row) in a.iter_mut().enumerate() {
        if i == K {
            *row = pivots;
        } else {
            let factor = row[K];
            row[K] = Vector::splat(simd, T::ZERO);
            for j in 0..N {
                row[j] = row[j].sub_mul(factor, pivots[j]);
            }
        }
    }
}
