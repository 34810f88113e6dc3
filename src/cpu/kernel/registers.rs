//! Orders 1 to 4, which registers hold as a whole: every loop is unrolled, and G groups are interleaved, so that one
//! group divides while the others multiply. Order 2 goes by its determinant.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::order2::{self, Determinant, Pair};
use super::pivots::{self, number};
use crate::cpu::arithmetic::Native;
use crate::cpu::balance::small;
use crate::cpu::frame::{Kernel, Settings};
use crate::cpu::memory::fixed;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;
use crate::data::status::Status;
use crate::plan::cpu::{INTERLEAVED, PREFETCH_BYTES};

/// G groups of matrices of order N.
#[derive(Clone, Copy)]
pub struct Registers<S: Simd, T: Lane, const N: usize, const G: usize> {
    groups: [[[T::Vector<S>; N]; N]; G],
}

/// Every step in turn, then the permutation. Returns the lanes with a zero pivot, for every group and column. Not a
/// loop, so that k is a constant in each step.
macro_rules! all_steps {
    ($S:ty, $T:ty, $N:expr, $G:expr, $simd:expr, $groups:expr) => {{
        let (groups, mut singular) = ($groups, [[0; $N]; $G]);
        let mut chosen = [[Magnitude::<$T, $S>::splat($simd, <$T as Scalar>::Real::ZERO); $N]; $G];
        if $N > 0 {
            step::<$S, $T, $N, $G, 0>($simd, groups, &mut chosen, &mut singular);
        }
        if $N > 1 {
            step::<$S, $T, $N, $G, 1>($simd, groups, &mut chosen, &mut singular);
        }
        if $N > 2 {
            step::<$S, $T, $N, $G, 2>($simd, groups, &mut chosen, &mut singular);
        }
        if $N > 3 {
            step::<$S, $T, $N, $G, 3>($simd, groups, &mut chosen, &mut singular);
        }
        for (rows, chosen) in groups.iter_mut().zip(&chosen) {
            for row in rows {
                pivots::undo::<$S, $T>($simd, row, chosen);
            }
        }
        singular
    }};
}

/// Returns whether G interleaved groups would spill all the time: they take more than twice the registers, of which
/// there are 32 for vectors of 64 bytes and 16 for shorter ones.
pub const fn crowded<S: Simd, T: Lane>(order: usize, groups: usize) -> bool {
    let registers = if T::Vector::<S>::LANES * size_of::<T::Real>() > 32 { 32 } else { 16 };
    groups * order * order * T::Vector::<S>::PARTS > 2 * registers
}

impl<S: Simd, T: Lane, const N: usize, const G: usize> Kernel<S, Native<T>> for Registers<S, T, N, G> {
    type Kept = ();
    type ZeroPivots = [u64; N];
    const GROUPS: usize = G;
    const MATRIX_PER_LANE: bool = true;
    const PREFETCH_BYTES: usize = PREFETCH_BYTES;

    #[inline(always)]
    fn order(_: &Settings) -> usize {
        N
    }

    #[inline(always)]
    fn open(simd: S, _: &Settings, _: &mut ()) -> Self {
        const { assert!(N <= INTERLEAVED.len(), "more than registers hold") };
        Self { groups: [[[T::Vector::<S>::splat(simd, T::ZERO); N]; N]; G] }
    }

    #[inline(always)]
    fn load(&mut self, simd: S, input: &[T]) -> bool {
        let size = T::Vector::<S>::LANES * N * N;
        let mut in_window = true;
        for g in 0..G {
            let input = bytemuck::cast_slice(&input[g * size..][..size]);
            in_window &= fixed::load::<S, T, N>(simd, input, &mut self.groups[g]);
        }
        in_window
    }

    #[inline(always)]
    fn vectors(&mut self) -> &mut [T::Vector<S>] {
        self.groups.as_flattened_mut().as_flattened_mut()
    }

    #[inline(always)]
    fn invert_unusual(&mut self, simd: S, settings: &Settings, statuses: &mut [Status]) -> bool {
        if const { !small::suits::<S, T>(N) } {
            return false;
        }
        small::invert::<S, T, N>(simd, settings.flushes, self.vectors(), statuses);
        true
    }

    #[inline(always)]
    fn eliminate(&mut self, simd: S, _: &Prefetch<'_>) -> [u64; N] {
        let singular = if N == 2 {
            by_determinant::<S, T, N, G>(simd, &mut self.groups)
        } else {
            let mut rows = self.groups;
            let singular = all_steps!(S, T, N, G, simd, &mut rows);
            self.groups = rows;
            singular
        };
        let mut matrices = [0; N];
        for g in 0..G {
            for k in 0..N {
                matrices[k] |= singular[g][k] << (g * T::Vector::<S>::LANES);
            }
        }
        matrices
    }

    #[inline(always)]
    fn store(&mut self, simd: S, output: &mut [T]) -> bool {
        let size = T::Vector::<S>::LANES * N * N;
        let mut finite = true;
        for g in 0..G {
            let output = bytemuck::cast_slice_mut(&mut output[g * size..][..size]);
            finite &= fixed::store::<S, T, N>(simd, &self.groups[g], output);
        }
        finite
    }

    #[inline(always)]
    fn rarely<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        let mut copy = *self;
        let result = run(&mut copy);
        *self = copy;
        result
    }
}

/// Order 2: by the determinant if it shows for all lanes that they are not singular.
#[inline(always)]
fn by_determinant<S: Simd, T: Lane, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
) -> [[u64; N]; G] {
    let mut determinants = [Vector::determinant(simd, corner::<S, T, N>(&groups[0])); G];
    let mut regular = determinants[0].1.all_true();
    for g in 1..G {
        determinants[g] = Vector::determinant(simd, corner::<S, T, N>(&groups[g]));
        regular &= determinants[g].1.all_true();
    }
    if regular {
        for g in 0..G {
            invert_pair::<S, T, N>(simd, &mut groups[g], determinants[g].0);
        }
        return [[0; N]; G];
    }
    // A copy goes by reference, so that the groups themselves stay in registers.
    let mut copies = *groups;
    let singular = mixed_pairs::<S, T, N, G>(simd, &mut copies, &determinants);
    *groups = copies;
    singular
}

/// Groups of order 2 in which some matrix may be singular. For complex ones, both paths are computed for every lane;
/// each lane then selects by its own determinant, so its result does not depend on its neighbors.
#[inline(never)]
fn mixed_pairs<S: Simd, T: Lane, const N: usize, const G: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
    determinants: &[Determinant<S, T>; G],
) -> [[u64; N]; G] {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut singular = [[0; N]; G];
            if order2::decides::<S, T>() {
                for g in 0..G {
                    let (determinant, regular) = determinants[g];
                    [singular[g][0], singular[g][1]] =
                        order2::zero_pivots::<S, T>(simd, corner::<S, T, N>(&groups[g]), !regular);
                    invert_pair::<S, T, N>(simd, &mut groups[g], determinant);
                }
                return singular;
            }
            let mut by_steps = *groups;
            singular = all_steps!(S, T, N, G, simd, &mut by_steps);
            for g in 0..G {
                let (determinant, regular) = determinants[g];
                invert_pair::<S, T, N>(simd, &mut groups[g], determinant);
                for (x, &by_steps) in groups[g].as_flattened_mut().iter_mut().zip(by_steps[g].as_flattened()) {
                    *x = Vector::select(regular, *x, by_steps);
                }
                for lanes in &mut singular[g] {
                    *lanes &= !regular.to_bitmask();
                }
            }
            singular
        },
    )
}

/// The matrices of order 2 in a group.
#[inline(always)]
fn corner<S: Simd, T: Lane, const N: usize>(a: &[[T::Vector<S>; N]; N]) -> Pair<T::Vector<S>> {
    [[a[0][0], a[0][1]], [a[1][0], a[1][1]]]
}

#[inline(always)]
fn invert_pair<S: Simd, T: Lane, const N: usize>(simd: S, a: &mut [[T::Vector<S>; N]; N], determinant: T::Vector<S>) {
    [[a[0][0], a[0][1]], [a[1][0], a[1][1]]] = order2::invert::<S, T>(simd, corner::<S, T, N>(a), determinant);
}

/// Step K of every group.
#[inline(always)]
fn step<S: Simd, T: Lane, const N: usize, const G: usize, const K: usize>(
    simd: S,
    groups: &mut [[[T::Vector<S>; N]; N]; G],
    chosen: &mut [[Magnitude<T, S>; N]; G],
    singular: &mut [[u64; N]; G],
) {
    for g in 0..G {
        let (at, zero_pivot) = pivots::first_maximum::<S, T>(simd, &groups[g].map(|row| row[K]), K);
        (chosen[g][K], singular[g][K]) = (at, zero_pivot);
    }
    let mut pivot_rows = groups.map(|a| a[K]);
    for g in 0..G {
        let (a, pivot_row) = (&mut groups[g], &mut pivot_rows[g]);
        let row_k = a[K];
        for i in K + 1..N {
            let here = chosen[g][K].simd_eq(number::<S, T>(simd, i));
            for j in 0..N {
                pivot_row[j] = Vector::select(here, a[i][j], pivot_row[j]);
                a[i][j] = Vector::select(here, row_k[j], a[i][j]);
            }
        }
        pivots::divide::<S, T>(simd, pivot_row, K);
    }
    for (a, pivot_row) in groups.iter_mut().zip(&pivot_rows) {
        for (i, row) in a.iter_mut().enumerate() {
            if i == K {
                *row = *pivot_row;
            } else {
                let factor = row[K];
                row[K] = Vector::splat(simd, T::ZERO);
                for j in 0..N {
                    row[j] = row[j].sub_mul(factor, pivot_row[j]);
                }
            }
        }
    }
}
