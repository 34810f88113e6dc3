//! Orders that registers hold as a whole: one step after another, every loop unrolled.

use fearless_simd::{Simd, SimdBase};

use super::{exchange, number};
use crate::cpu::vector::{Magnitude, Vector};
use crate::scalar::Scalar;

/// Inverts G groups in place, each step for one after the other, so that none waits for its own divisions. Returns the lanes
/// with a zero pivot, for every column.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
) -> [[u64; N]; G] {
    let mut singular = [[0; N]; G];
    let mut exchanges = [[Magnitude::<T, S>::splat(simd, T::Real::ZERO); N]; G];
    let mut rows = *groups;
    // Not a loop, so that k is a constant in each.
    if N > 0 {
        step::<S, T, N, G, 0>(simd, &mut rows, &mut exchanges, &mut singular);
    }
    if N > 1 {
        step::<S, T, N, G, 1>(simd, &mut rows, &mut exchanges, &mut singular);
    }
    if N > 2 {
        step::<S, T, N, G, 2>(simd, &mut rows, &mut exchanges, &mut singular);
    }
    if N > 3 {
        step::<S, T, N, G, 3>(simd, &mut rows, &mut exchanges, &mut singular);
    }
    for (rows, exchanges) in rows.iter_mut().zip(&exchanges) {
        for row in rows {
            exchange::undo::<S, T, N>(simd, row, exchanges);
        }
    }
    *groups = rows;
    singular
}

#[inline(always)]
fn step<S: Simd, T: Scalar, const N: usize, const G: usize, const K: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
    exchanges: &mut [[Magnitude<T, S>; N]; G],
    singular: &mut [[u64; N]; G],
) {
    for g in 0..G {
        let (at, zero_pivot) = exchange::first_maximum::<S, T, N>(simd, &groups[g].map(|row| row[K]), K);
        (exchanges[g][K], singular[g][K]) = (at, zero_pivot);
    }
    let mut pivots = groups.map(|a| a[K]);
    for g in 0..G {
        let (a, pivots) = (&mut groups[g], &mut pivots[g]);
        let row_k = a[K];
        for i in K + 1..N {
            let here = exchanges[g][K].simd_eq(number::<S, T>(simd, i));
            for j in 0..N {
                pivots[j] = Vector::select(here, a[i][j], pivots[j]);
                a[i][j] = Vector::select(here, row_k[j], a[i][j]);
            }
        }
        let reciprocal = pivots[K].reciprocal(simd);
        for pivot in pivots.iter_mut() {
            *pivot = pivot.mul(reciprocal);
        }
        pivots[K] = reciprocal;
    }
    for (a, pivots) in groups.iter_mut().zip(&pivots) {
        for (i, row) in a.iter_mut().enumerate() {
            if i == K {
                *row = *pivots;
            } else {
                let factor = row[K];
                row[K] = Vector::splat(simd, T::ZERO);
                for j in 0..N {
                    row[j] = row[j].sub_mul(factor, pivots[j]);
                }
            }
        }
    }
}
