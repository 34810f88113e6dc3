//! Orders beyond registers: two pivots to a pass over the matrix, on rows that roll.
//!
//! A pass takes the columns k and k + 1, which stand at 0 and 1 of every row, and writes each row two columns to the
//! left; the new columns of the inverse enter at the right end. After N steps the rows have turned once and stand
//! right again. So every column index is a constant.
//!
//! Rows are exchanged while they are updated. A pass first finds both pivots, which needs columns 0 and 1 alone; then
//! it gathers both pivot rows under masks, and only then runs over the rows, each under the masks of the lanes
//! where another row takes its place.

use fearless_simd::{Select, Simd, SimdBase};

use super::{exchange, number};
use crate::cpu::ahead::Ahead;
use crate::cpu::vector::{Magnitude, Vector};
use crate::plan::{LANES_MAX_ORDER, PASS_COLUMNS};
use crate::scalar::Scalar;

/// Columns that are updated at a time.
const COLUMNS: usize = PASS_COLUMNS.0;

/// Pieces of that size to a row, at the most: two columns have gone before.
const MAX_PIECES: usize = (LANES_MAX_ORDER - 2).div_ceil(COLUMNS);

/// Inverts in place, but for the order of the columns. Returns the lanes with a zero pivot, for every column.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    exchanges: &mut [Magnitude<T, S>; N],
    ahead: &Ahead<'_>,
) -> [u64; N] {
    let mut singular = [0; N];
    let mut k = 0;
    if N % 2 == 1 {
        singular[0] = one::<S, T, N>(simd, a, &mut exchanges[0]);
        k = 1;
    }
    while k < N {
        ahead.touch(k / 2, N / 2);
        let found = two::<S, T, N>(simd, a, k);
        for b in 0..2 {
            (exchanges[k + b], singular[k + b]) = found[b];
        }
        k += 2;
    }
    singular
}

/// Step 0 by itself.
#[inline(always)]
fn one<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    exchange: &mut Magnitude<T, S>,
) -> u64 {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let mut column = [zero; N];
    for i in 0..N {
        column[i] = a[i][0];
    }
    let (at, singular) = exchange::first_maximum::<S, T, N>(simd, &column, 0);
    *exchange = at;
    let mut pivots = gather::<S, T, N>(simd, a, 0, at);
    let row_0 = a[0];
    divide::<S, T, N>(simd, &mut pivots, 0);
    for i in 1..N {
        let here = at.simd_eq(number::<S, T>(simd, i));
        let row = &mut a[i];
        let factor = T::Vector::<S>::select(here, row_0[0], row[0]);
        for j in 1..N {
            row[j - 1] = T::Vector::<S>::select(here, row_0[j], row[j]).sub_mul(factor, pivots[j]);
        }
        row[N - 1] = zero.sub_mul(factor, pivots[0]);
    }
    for j in 0..N {
        a[0][j] = pivots[(j + 1) % N];
    }
    singular
}

/// Steps k and k + 1. Returns, for both, the row that was exchanged and the lanes with a zero pivot.
#[inline(always)]
fn two<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    k: usize,
) -> [(Magnitude<T, S>, u64); 2] {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let (mut firsts, mut seconds) = ([zero; N], [zero; N]);
    for i in k..N {
        firsts[i] = a[i][0];
    }
    let (at, singular) = exchange::first_maximum::<S, T, N>(simd, &firsts, k);
    let mut pivots = gather::<S, T, N>(simd, a, k, at);
    divide::<S, T, N>(simd, &mut pivots, 0);

    // The factors of step k in every row, and those of step k + 1: column 1 as step k leaves it.
    for i in 0..k {
        firsts[i] = a[i][0];
        seconds[i] = a[i][1].sub_mul(firsts[i], pivots[1]);
    }
    let (first_k, second_k) = (a[k][0], a[k][1]);
    for i in k + 1..N {
        let here = at.simd_eq(number::<S, T>(simd, i));
        firsts[i] = Vector::select(here, first_k, a[i][0]);
        seconds[i] = T::Vector::<S>::select(here, second_k, a[i][1]).sub_mul(firsts[i], pivots[1]);
    }
    let (next_at, next_singular) = exchange::first_maximum::<S, T, N>(simd, &seconds, k + 1);

    // Row k may be the second pivot's, from where the first exchange has put it.
    let source = next_at.simd_eq(at).select(number::<S, T>(simd, k), next_at);
    let mut next_pivots = gather::<S, T, N>(simd, a, k, source);
    let (first, second) = (firsts[k + 1], seconds[k + 1]);
    let (mut next_first, mut next_second) = (first, second);
    for i in k + 2..N {
        let here = next_at.simd_eq(number::<S, T>(simd, i));
        next_first = Vector::select(here, firsts[i], next_first);
        next_second = Vector::select(here, seconds[i], next_second);
        firsts[i] = Vector::select(here, first, firsts[i]);
        seconds[i] = Vector::select(here, second, seconds[i]);
    }
    next_pivots[0] = zero.sub_mul(next_first, pivots[0]);
    next_pivots[1] = next_second;
    for j in 2..N {
        next_pivots[j] = next_pivots[j].sub_mul(next_first, pivots[j]);
    }
    divide::<S, T, N>(simd, &mut next_pivots, 1);

    let step = Step { at, next_at, pivots: &pivots, next_pivots: &next_pivots, firsts: &firsts, seconds: &seconds, k };
    // The columns from 2 on, in pieces of much the same size.
    let pieces = (N - 2).div_ceil(COLUMNS);
    let cut = |piece: usize| 2 + piece * (N - 2) / pieces;
    for piece in 0..MAX_PIECES {
        if piece < pieces {
            columns::<S, T, N>(simd, a, &step, cut(piece), cut(piece + 1));
        }
    }
    for i in 0..N {
        a[i][N - 2] = zero.sub_mul(firsts[i], pivots[0]).sub_mul(seconds[i], next_pivots[0]);
        a[i][N - 1] = zero.sub_mul(seconds[i], next_pivots[1]);
    }
    let factor = pivots[1];
    for j in 0..N {
        let from = (j + 2) % N;
        let pivot = if from == 1 { zero } else { pivots[from] };
        a[k][j] = pivot.sub_mul(factor, next_pivots[from]);
        a[k + 1][j] = next_pivots[from];
    }
    [(at, singular), (next_at, next_singular)]
}

/// What an update reads.
struct Step<'a, V, M, const N: usize> {
    /// The rows that are exchanged with k and k + 1.
    at: M,
    next_at: M,
    pivots: &'a [V; N],
    next_pivots: &'a [V; N],
    firsts: &'a [V; N],
    seconds: &'a [V; N],
    k: usize,
}

/// Both steps for the columns from `from` to `to`, which go two to the left.
#[inline(always)]
fn columns<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &mut [[T::Vector<S>; N]; N],
    step: &Step<'_, T::Vector<S>, Magnitude<T, S>, N>,
    from: usize,
    to: usize,
) {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let &Step { at, next_at, firsts, seconds, k, .. } = step;
    let (mut pivots, mut next_pivots) = ([zero; COLUMNS], [zero; COLUMNS]);
    for j in 0..COLUMNS {
        if from + j < to {
            (pivots[j], next_pivots[j]) = (step.pivots[from + j], step.next_pivots[from + j]);
        }
    }
    for i in 0..k {
        let (first, second) = (firsts[i], seconds[i]);
        let row = &mut a[i];
        for j in 0..COLUMNS {
            if from + j < to {
                row[from + j - 2] = row[from + j].sub_mul(first, pivots[j]).sub_mul(second, next_pivots[j]);
            }
        }
    }
    // What the exchanges put in the places of the pivot rows: row k, and what is row k + 1 after the first.
    let (mut row_k, mut row_next) = ([zero; COLUMNS], [zero; COLUMNS]);
    let next_here = at.simd_eq(number::<S, T>(simd, k + 1));
    for j in 0..COLUMNS {
        if from + j < to {
            row_k[j] = a[k][from + j];
            row_next[j] = Vector::select(next_here, row_k[j], a[k + 1][from + j]);
        }
    }
    for i in k + 2..N {
        let (first, second) = (firsts[i], seconds[i]);
        let here = at.simd_eq(number::<S, T>(simd, i));
        let next_here = next_at.simd_eq(number::<S, T>(simd, i));
        let row = &mut a[i];
        for j in 0..COLUMNS {
            if from + j < to {
                let x = T::Vector::<S>::select(here, row_k[j], row[from + j]);
                let x = T::Vector::<S>::select(next_here, row_next[j], x);
                row[from + j - 2] = x.sub_mul(first, pivots[j]).sub_mul(second, next_pivots[j]);
            }
        }
    }
}

/// In every lane the row that `at` names, which is k or below.
#[inline(always)]
fn gather<S: Simd, T: Scalar, const N: usize>(
    simd: S,
    a: &[[T::Vector<S>; N]; N],
    k: usize,
    at: Magnitude<T, S>,
) -> [T::Vector<S>; N] {
    const COLUMNS: usize = PASS_COLUMNS.1;
    let mut row = a[k];
    for piece in 0..LANES_MAX_ORDER.div_ceil(COLUMNS) {
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

/// The pivot row over the pivot in column `at`; where the pivot stood, 1 / pivot: a column of the inverse begins.
#[inline(always)]
fn divide<S: Simd, T: Scalar, const N: usize>(simd: S, pivots: &mut [T::Vector<S>; N], at: usize) {
    let reciprocal = pivots[at].reciprocal(simd);
    for pivot in pivots.iter_mut() {
        *pivot = pivot.mul(reciprocal);
    }
    pivots[at] = reciprocal;
}
