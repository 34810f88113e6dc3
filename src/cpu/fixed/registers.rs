//! Orders that registers hold as a whole: one step after another, every loop unrolled; order 2 by its determinant.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::{exchange, number};
use crate::cpu::pair::{self, Determinant, Pair};
use crate::cpu::vector::{Magnitude, Vector};
use crate::plan::IN_TURNS;
use crate::scalar::Scalar;

/// Inverts G groups in place, each step for one after the other, so that none waits for its own divisions. Returns the lanes
/// with a zero pivot, for every column.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
) -> [[u64; N]; G] {
    const { assert!(N <= IN_TURNS.len(), "more than registers hold") };
    let mut singular = [[0; N]; G];
    if N == 2 {
        let mut determinants = [pair::determinant::<S, T>(simd, corner::<S, T, N>(&groups[0])); G];
        let mut trusted = determinants[0].1.all_true();
        for g in 1..G {
            determinants[g] = pair::determinant::<S, T>(simd, corner::<S, T, N>(&groups[g]));
            trusted &= determinants[g].1.all_true();
        }
        if trusted {
            for g in 0..G {
                invert_pair::<S, T, N>(simd, &mut groups[g], determinants[g].0);
            }
        } else {
            // Copies, so that those of the usual way stay in registers.
            let mut copies = *groups;
            singular = mixed_pairs::<S, T, N, G>(simd, &mut copies, &determinants);
            *groups = copies;
        }
        return singular;
    }
    let mut rows = *groups;
    stepwise::<S, T, N, G>(simd, &mut rows, &mut singular);
    *groups = rows;
    singular
}

/// One step after the other.
#[inline(always)]
fn stepwise<S: Simd, T: Scalar, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
    singular: &mut [[u64; N]; G],
) {
    let mut exchanges = [[Magnitude::<T, S>::splat(simd, T::Real::ZERO); N]; G];
    // Not a loop, so that k is a constant in each.
    if N > 0 {
        step::<S, T, N, G, 0>(simd, groups, &mut exchanges, singular);
    }
    if N > 1 {
        step::<S, T, N, G, 1>(simd, groups, &mut exchanges, singular);
    }
    if N > 2 {
        step::<S, T, N, G, 2>(simd, groups, &mut exchanges, singular);
    }
    if N > 3 {
        step::<S, T, N, G, 3>(simd, groups, &mut exchanges, singular);
    }
    for (rows, exchanges) in groups.iter_mut().zip(&exchanges) {
        for row in rows {
            exchange::undo::<S, T, N>(simd, row, exchanges);
        }
    }
}

/// Groups of order 2, where some lane must take one step after the other. Each lane takes what it would with any neighbours: both
/// ways are gone for all of them, and it has one or the other by its own determinant.
#[cold]
#[inline(never)]
fn mixed_pairs<S: Simd, T: Scalar, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
    determinants: &[Determinant<S, T>; G],
) -> [[u64; N]; G] {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut singular = [[0; N]; G];
            let mut by_steps = *groups;
            stepwise::<S, T, N, G>(simd, &mut by_steps, &mut singular);
            for g in 0..G {
                let (determinant, trusted) = determinants[g];
                invert_pair::<S, T, N>(simd, &mut groups[g], determinant);
                for (x, &by_steps) in groups[g].as_flattened_mut().iter_mut().zip(by_steps[g].as_flattened()) {
                    *x = Vector::select(trusted, *x, by_steps);
                }
                for lanes in &mut singular[g] {
                    *lanes &= !trusted.to_bitmask();
                }
            }
            singular
        },
    )
}

/// The matrices of order 2 that these are.
#[inline(always)]
fn corner<S: Simd, T: Scalar, const N: usize>(a: &[[T::Vector<S>; N]; N]) -> Pair<T::Vector<S>> {
    [[a[0][0], a[0][1]], [a[1][0], a[1][1]]]
}

#[inline(always)]
fn invert_pair<S: Simd, T: Scalar, const N: usize>(simd: S, a: &mut [[T::Vector<S>; N]; N], determinant: T::Vector<S>) {
    [[a[0][0], a[0][1]], [a[1][0], a[1][1]]] = pair::invert::<S, T>(simd, corner::<S, T, N>(a), determinant);
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
