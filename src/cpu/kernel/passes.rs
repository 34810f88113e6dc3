//! Orders beyond registers: two pivots per pass over the matrix, on rows that roll.
//!
//! A pass takes columns k and k + 1, which stand at 0 and 1 of every row, and writes each row two columns to the left;
//! the new columns of the inverse enter at the right. After N steps the rows have turned once and stand right again, so
//! every column index is a constant.
//!
//! ```text
//! before:  | k  k+1 | k+2 ........ N-1 | 0 .... k-1 |       columns of A, then of the inverse
//!             \  \____________________________________
//! after:   | k+2 ........ N-1 | 0 .... k-1 | k  k+1 |
//! ```
//!
//! Rows are exchanged while they are updated. A pass first finds both pivots, which needs columns 0 and 1 alone. Then
//! it gathers both pivot rows under masks. Only then does it run over the rows, each under the masks of the lanes in
//! which another row takes its place.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase};

use super::pivots::{self, number};
use crate::cpu::arithmetic::Native;
use crate::cpu::frame::{Kernel, Settings};
use crate::cpu::memory::{columns, fixed};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;
use crate::plan::cpu::{CpuTuning, FIXED_ABOVE_BYTES, GATHER_COLUMNS, PASS_COLUMNS};

/// One group of matrices of order N.
#[derive(Clone, Copy)]
pub struct Passes<S: Simd, T: Lane, const N: usize> {
    a: [[T::Vector<S>; N]; N],
    /// For every step, the row that was exchanged with row k.
    chosen: [Magnitude<T, S>; N],
}

/// Returns whether each order is compiled by itself at this level.
pub const fn pays<S: Simd, T: Lane>() -> bool {
    T::Vector::<S>::LANES * size_of::<T::Real>() > FIXED_ABOVE_BYTES
}

impl<S: Simd, T: Lane, const N: usize> Kernel<S, Native<T>> for Passes<S, T, N> {
    type Kept = ();
    type ZeroPivots = [u64; N];
    const MATRIX_PER_LANE: bool = true;

    #[inline(always)]
    fn order(_: &Settings) -> usize {
        N
    }

    #[inline(always)]
    fn open(simd: S, _: &Settings, _: &mut ()) -> Self {
        let (zero, none) = (T::Vector::<S>::splat(simd, T::ZERO), Magnitude::<T, S>::splat(simd, T::Real::ZERO));
        Self { a: [[zero; N]; N], chosen: [none; N] }
    }

    #[inline(always)]
    fn load(&mut self, simd: S, input: &[T]) -> bool {
        fixed::load::<S, T, N>(simd, bytemuck::cast_slice(input), &mut self.a)
    }

    #[inline(always)]
    fn vectors(&mut self, _: usize) -> &mut [T::Vector<S>] {
        self.a.as_flattened_mut()
    }

    fn replace(&mut self, matrix: usize, elements: &[T]) {
        for (vector, &element) in self.a.as_flattened_mut().iter_mut().zip(elements) {
            vector.set_lane(matrix, element);
        }
    }

    #[inline(always)]
    fn eliminate(&mut self, simd: S, prefetch: &Prefetch<'_>) -> [u64; N] {
        let mut singular = [0; N];
        let mut k = 0;
        if N % 2 == 1 {
            (self.chosen[0], singular[0]) = single_step::<S, T, N>(simd, &mut self.a);
            k = 1;
        }
        while k < N {
            prefetch.touch(k / 2, N / 2);
            let both = two_steps::<S, T, N>(simd, &mut self.a, k);
            [(self.chosen[k], singular[k]), (self.chosen[k + 1], singular[k + 1])] = both;
            k += 2;
        }
        singular
    }

    #[inline(always)]
    fn store(&mut self, simd: S, output: &mut [T]) -> bool {
        columns::store::<S, T, N>(simd, &self.a, &self.chosen, bytemuck::cast_slice_mut(output))
    }

    #[inline(always)]
    fn rarely(&mut self, run: impl FnOnce(&mut Self)) {
        let mut copy = *self;
        run(&mut copy);
        *self = copy;
    }
}

/// The most pieces of PASS_COLUMNS columns in a row; two columns have been taken before.
const MAX_PIECES: usize = (CpuTuning::LANES_MAX_ORDER - 2).div_ceil(PASS_COLUMNS);

/// Step 0 by itself, for odd orders. Returns the row that was exchanged and the lanes with a zero pivot.
#[inline(always)]
fn single_step<S: Simd, T: Lane, const N: usize>(simd: S, a: &mut [[T::Vector<S>; N]; N]) -> (Magnitude<T, S>, u64) {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let mut column = [zero; N];
    for i in 0..N {
        column[i] = a[i][0];
    }
    let (at, singular) = pivots::first_maximum::<S, T>(simd, &column, 0);
    let mut pivot_row = gather::<S, T, N>(simd, a, 0, at);
    let row_0 = a[0];
    pivots::divide::<S, T>(simd, &mut pivot_row, 0);
    for i in 1..N {
        let here = at.simd_eq(number::<S, T>(simd, i));
        let row = &mut a[i];
        let factor = T::Vector::<S>::select(here, row_0[0], row[0]);
        for j in 1..N {
            row[j - 1] = T::Vector::<S>::select(here, row_0[j], row[j]).sub_mul(factor, pivot_row[j]);
        }
        row[N - 1] = zero.sub_mul(factor, pivot_row[0]);
    }
    for j in 0..N {
        a[0][j] = pivot_row[(j + 1) % N];
    }
    (at, singular)
}

/// Steps k and k + 1. Returns, for each, the row that was exchanged and the lanes with a zero pivot.
#[inline(always)]
fn two_steps<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    k: usize,
) -> [(Magnitude<T, S>, u64); 2] {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let (mut factors, mut next_factors) = ([zero; N], [zero; N]);
    for i in k..N {
        factors[i] = a[i][0];
    }
    let (at, singular) = pivots::first_maximum::<S, T>(simd, &factors, k);
    let mut pivot_row = gather::<S, T, N>(simd, a, k, at);
    pivots::divide::<S, T>(simd, &mut pivot_row, 0);

    // The factors of step k in every row, and those of step k + 1: column 1 as step k leaves it.
    for i in 0..k {
        factors[i] = a[i][0];
        next_factors[i] = a[i][1].sub_mul(factors[i], pivot_row[1]);
    }
    let (first_k, second_k) = (a[k][0], a[k][1]);
    for i in k + 1..N {
        let here = at.simd_eq(number::<S, T>(simd, i));
        factors[i] = Vector::select(here, first_k, a[i][0]);
        next_factors[i] = T::Vector::<S>::select(here, second_k, a[i][1]).sub_mul(factors[i], pivot_row[1]);
    }
    let (next_at, next_singular) = pivots::first_maximum::<S, T>(simd, &next_factors, k + 1);

    // Row k may be the second pivot row, from where the first exchange has put it.
    let source = next_at.simd_eq(at).select(number::<S, T>(simd, k), next_at);
    let mut next_pivot_row = gather::<S, T, N>(simd, a, k, source);
    let (first, second) = (factors[k + 1], next_factors[k + 1]);
    let (mut factor, mut next_factor) = (first, second);
    for i in k + 2..N {
        let here = next_at.simd_eq(number::<S, T>(simd, i));
        factor = Vector::select(here, factors[i], factor);
        next_factor = Vector::select(here, next_factors[i], next_factor);
        factors[i] = Vector::select(here, first, factors[i]);
        next_factors[i] = Vector::select(here, second, next_factors[i]);
    }
    next_pivot_row[0] = zero.sub_mul(factor, pivot_row[0]);
    next_pivot_row[1] = next_factor;
    for j in 2..N {
        next_pivot_row[j] = next_pivot_row[j].sub_mul(factor, pivot_row[j]);
    }
    pivots::divide::<S, T>(simd, &mut next_pivot_row, 1);

    // Borrowed: a pass that owned these arrays would copy all of them when it is made.
    let pass = Pass::<S, T, N> {
        at,
        next_at,
        pivot_row: &pivot_row,
        next_pivot_row: &next_pivot_row,
        factors: &factors,
        next_factors: &next_factors,
        k,
    };
    // The columns from 2 on, in pieces of similar size.
    let pieces = (N - 2).div_ceil(PASS_COLUMNS);
    let cut = |piece: usize| 2 + piece * (N - 2) / pieces;
    for piece in 0..MAX_PIECES {
        if piece < pieces {
            pass.update(simd, a, cut(piece), cut(piece + 1));
        }
    }
    pass.enter(simd, a);
    [(at, singular), (next_at, next_singular)]
}

/// The pivots of two steps, their rows over their pivots, and the factors of every row.
struct Pass<'a, S: Simd, T: Lane, const N: usize> {
    /// The rows that are exchanged with k and k + 1.
    at: Magnitude<T, S>,
    next_at: Magnitude<T, S>,
    pivot_row: &'a [T::Vector<S>; N],
    next_pivot_row: &'a [T::Vector<S>; N],
    factors: &'a [T::Vector<S>; N],
    next_factors: &'a [T::Vector<S>; N],
    k: usize,
}

impl<S: Simd, T: Lane, const N: usize> Pass<'_, S, T, N> {
    /// Takes both steps to the columns from `from` to `to`, at most PASS_COLUMNS of them, which move two to the left.
    #[inline(always)]
    fn update(&self, simd: S, a: &mut [[T::Vector<S>; N]; N], from: usize, to: usize) {
        const COLUMNS: usize = PASS_COLUMNS;
        let zero = T::Vector::<S>::splat(simd, T::ZERO);
        let &Self { at, next_at, k, .. } = self;
        let (mut pivots, mut next_pivots) = ([zero; COLUMNS], [zero; COLUMNS]);
        for j in 0..COLUMNS {
            if from + j < to {
                (pivots[j], next_pivots[j]) = (self.pivot_row[from + j], self.next_pivot_row[from + j]);
            }
        }
        for i in 0..k {
            let (factor, next_factor) = (self.factors[i], self.next_factors[i]);
            let row = &mut a[i];
            for j in 0..COLUMNS {
                if from + j < to {
                    row[from + j - 2] = row[from + j].sub_mul(factor, pivots[j]).sub_mul(next_factor, next_pivots[j]);
                }
            }
        }
        // The exchanges put row k, and what is row k + 1 after the first of them, in the places of the pivot rows.
        let (mut row_k, mut row_next) = ([zero; COLUMNS], [zero; COLUMNS]);
        let next_here = at.simd_eq(number::<S, T>(simd, k + 1));
        for j in 0..COLUMNS {
            if from + j < to {
                row_k[j] = a[k][from + j];
                row_next[j] = Vector::select(next_here, row_k[j], a[k + 1][from + j]);
            }
        }
        for i in k + 2..N {
            let (factor, next_factor) = (self.factors[i], self.next_factors[i]);
            let here = at.simd_eq(number::<S, T>(simd, i));
            let next_here = next_at.simd_eq(number::<S, T>(simd, i));
            let row = &mut a[i];
            for j in 0..COLUMNS {
                if from + j < to {
                    let x = T::Vector::<S>::select(here, row_k[j], row[from + j]);
                    let x = T::Vector::<S>::select(next_here, row_next[j], x);
                    row[from + j - 2] = x.sub_mul(factor, pivots[j]).sub_mul(next_factor, next_pivots[j]);
                }
            }
        }
    }

    /// Writes the new columns of the inverse at the right end, and both pivot rows.
    #[inline(always)]
    fn enter(&self, simd: S, a: &mut [[T::Vector<S>; N]; N]) {
        let zero = T::Vector::<S>::splat(simd, T::ZERO);
        let &Self { pivot_row, next_pivot_row, factors, next_factors, k, .. } = self;
        for i in 0..N {
            a[i][N - 2] = zero.sub_mul(factors[i], pivot_row[0]).sub_mul(next_factors[i], next_pivot_row[0]);
            a[i][N - 1] = zero.sub_mul(next_factors[i], next_pivot_row[1]);
        }
        let factor = pivot_row[1];
        for j in 0..N {
            let from = (j + 2) % N;
            let pivot = if from == 1 { zero } else { pivot_row[from] };
            a[k][j] = pivot.sub_mul(factor, next_pivot_row[from]);
            a[k + 1][j] = next_pivot_row[from];
        }
    }
}

/// In every lane, the row that `at` names, which is k or below.
#[inline(always)]
fn gather<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    k: usize,
    at: Magnitude<T, S>,
) -> [T::Vector<S>; N] {
    const COLUMNS: usize = GATHER_COLUMNS;
    let mut row = a[k];
    for piece in 0..CpuTuning::LANES_MAX_ORDER.div_ceil(COLUMNS) {
        let mut part = [T::Vector::<S>::splat(simd, T::ZERO); COLUMNS];
        for j in 0..COLUMNS {
            if piece * COLUMNS + j < N {
                part[j] = row[piece * COLUMNS + j];
            }
        }
        for i in k + 1..N {
            let here = at.simd_eq(number::<S, T>(simd, i));
            for j in 0..COLUMNS {
                if piece * COLUMNS + j < N {
                    part[j] = Vector::select(here, a[i][piece * COLUMNS + j], part[j]);
                }
            }
        }
        for j in 0..COLUMNS {
            if piece * COLUMNS + j < N {
                row[piece * COLUMNS + j] = part[j];
            }
        }
    }
    row
}
