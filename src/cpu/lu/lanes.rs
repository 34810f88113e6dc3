//! `lanes`: one SIMD lane holds one matrix, and another its right-hand side.
//!
//! Step k divides the pivot row by its pivot and takes it from the rows below: the steps of the inverse, so that the
//! pivots have the same bits, without the rows above. L is kept apart, column by column, and U takes the place of A:
//!
//! ```text
//!         a                      l, by columns
//!   1   u   u   u            .   .   .   .
//!       1   u   u            l   .   .   .       row i of L as it stood at step k:
//!           1   u            l   l   .   .       later exchanges do not reach it
//!               1            l   l   l   .
//! ```
//!
//! Every lane picks its own pivot row, so rows are exchanged under masks, while they are updated. A right-hand side
//! takes the same exchanges and updates, step by step, and then the substitution from the last row up.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use std::ops::Range;

use fearless_simd::{Simd, SimdBase};

use crate::cpu::kernel::order2;
use crate::cpu::kernel::pieces::{Pieces, piece};
use crate::cpu::kernel::pivots::{self, Maximum, number};
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::plan::cpu::{SOLVED_COLUMNS, factor_columns};

/// The factors of LANES matrices of order n, in memory or in registers.
pub struct Factors<'a, S: Simd, T: Lane> {
    /// Row by row: A, then U above the diagonal.
    pub a: &'a mut [T::Vector<S>],
    /// From row to row of `a`, at least n.
    pub stride: usize,
    /// L below the diagonal, column by column.
    pub l: &'a mut [T::Vector<S>],
    /// The row that was exchanged with row k.
    pub chosen: &'a mut [Magnitude<T, S>],
    /// The pivots, and 1 / pivot.
    pub pivots: &'a mut [T::Vector<S>],
    pub reciprocals: &'a mut [T::Vector<S>],
    /// The lanes with a zero pivot, for every column.
    pub zero_pivots: &'a mut [u64],
}

impl<S: Simd, T: Lane> Factors<'_, S, T> {
    /// Factors the matrices that stand in `a`. Order n is N, or any order if N is 0.
    #[inline(always)]
    pub fn factor<const N: usize>(&mut self, simd: S, n: usize) {
        let n = if N > 0 { N } else { n };
        let Self { a, l, chosen, pivots, reciprocals, zero_pivots, stride } = self;
        let (stride, a, l) = (*stride, &mut **a, &mut l[..n * n]);
        let pair = (n == 2 && order2::decides::<S, T>()).then(|| [[a[0], a[1]], [a[stride], a[stride + 1]]]);
        for k in 0..n {
            let at;
            (at, zero_pivots[k]) = pivot::<S, T>(simd, a, (n, stride), k);
            let (first, column) = (a[k * stride + k], &mut l[k * n..][..n]);
            let mut pivot = first;
            for (i, number) in (k + 1..n).zip(pivots::numbers::<S, T>(simd, k + 1)) {
                let (here, x) = (at.simd_eq(number), a[i * stride + k]);
                pivot = Vector::select(here, x, pivot);
                column[i] = Vector::select(here, first, x);
            }
            let reciprocal = pivot.reciprocal(simd);
            (chosen[k], pivots[k], reciprocals[k]) = (at, pivot, reciprocal);
            let step = Step::<S, T> { simd, n, k, at, reciprocal, factors: column };
            step.take::<N>(a, stride, k + 1..n);
            if let (0, Some(pair)) = (k, pair) {
                let exchanged = at.simd_eq(number::<S, T>(simd, 1));
                a[stride + 1] = order2::second_pivot::<S, T>(simd, pair, exchanged, a[stride + 1], reciprocal);
            }
        }
    }

    /// Solves for `width` columns, which stand row by row in `b`.
    #[inline(always)]
    pub fn solve<const N: usize>(&self, simd: S, n: usize, width: usize, b: &mut [T::Vector<S>]) {
        let n = if N > 0 { N } else { n };
        for k in 0..n {
            let (at, reciprocal) = (self.chosen[k], self.reciprocals[k]);
            Step::<S, T> { simd, n, k, at, reciprocal, factors: &self.l[k * n..][..n] }.take::<N>(b, width, 0..width);
        }
        let mut from = 0;
        for columns in Pieces::new(width, SOLVED_COLUMNS).widths() {
            match columns {
                1 => self.substitute::<1>(n, width, from, b),
                2 => self.substitute::<2>(n, width, from, b),
                3 => self.substitute::<3>(n, width, from, b),
                _ => self.substitute::<4>(n, width, from, b),
            }
            from += columns;
        }
    }

    /// The substitution from the last row up, in W columns from `from` on.
    #[inline(always)]
    fn substitute<const W: usize>(&self, n: usize, width: usize, from: usize, b: &mut [T::Vector<S>]) {
        for j in (1..n).rev() {
            let x = piece::<_, W>(b, j * width + from);
            for i in 0..j {
                let (u, row) = (self.a[i * self.stride + j], &mut b[i * width + from..][..W]);
                for c in 0..W {
                    row[c] = row[c].sub_mul(u, x[c]);
                }
            }
        }
    }
}

/// One step, for columns of A or of B.
struct Step<'a, S: Simd, T: Lane> {
    simd: S,
    n: usize,
    k: usize,
    /// The row that is exchanged with row k.
    at: Magnitude<T, S>,
    /// 1 / pivot
    reciprocal: T::Vector<S>,
    /// Column k of L.
    factors: &'a [T::Vector<S>],
}

impl<S: Simd, T: Lane> Step<'_, S, T> {
    /// Takes the step to some columns, of rows that begin every `width` vectors.
    #[inline(always)]
    fn take<const N: usize>(&self, a: &mut [T::Vector<S>], width: usize, columns: Range<usize>) {
        let mut from = columns.start;
        let widest = factor_columns(T::Vector::<S>::LANES * size_of::<T::Real>());
        for piece in Pieces::new(columns.len(), widest).widths() {
            match piece {
                1 => self.take_piece::<N, 1>(a, width, from),
                2 => self.take_piece::<N, 2>(a, width, from),
                3 => self.take_piece::<N, 3>(a, width, from),
                4 => self.take_piece::<N, 4>(a, width, from),
                5 => self.take_piece::<N, 5>(a, width, from),
                _ => self.take_piece::<N, 6>(a, width, from),
            }
            from += piece;
        }
    }

    /// The same for W columns from `from` on.
    #[inline(always)]
    fn take_piece<const N: usize, const W: usize>(&self, a: &mut [T::Vector<S>], width: usize, from: usize) {
        let &Self { simd, n, k, at, reciprocal, factors } = self;
        apart::<N, _, _>(
            simd,
            #[inline(always)]
            move || {
                let start = k * width + from;
                let row_k = piece::<_, W>(a, start);
                let mut pivot_row = row_k;
                for (i, number) in (k + 1..n).zip(pivots::numbers::<S, T>(simd, k + 1)) {
                    let (here, row) = (at.simd_eq(number), &a[i * width + from..][..W]);
                    for c in 0..W {
                        pivot_row[c] = Vector::select(here, row[c], pivot_row[c]);
                    }
                }
                for x in &mut pivot_row {
                    *x = x.mul(reciprocal);
                }
                a[start..][..W].copy_from_slice(&pivot_row);
                for (i, number) in (k + 1..n).zip(pivots::numbers::<S, T>(simd, k + 1)) {
                    let (here, row) = (at.simd_eq(number), &mut a[i * width + from..][..W]);
                    for c in 0..W {
                        row[c] = T::Vector::<S>::select(here, row_k[c], row[c]).sub_mul(factors[i], pivot_row[c]);
                    }
                }
            },
        );
    }
}

/// The pivot of column k from row k on, and the lanes where it is zero.
#[inline(always)]
fn pivot<S: Simd, T: Lane>(
    simd: S,
    a: &[T::Vector<S>],
    (n, stride): (usize, usize),
    k: usize,
) -> (Magnitude<T, S>, u64) {
    let mut maximum = Maximum::<S, T>::new(a[k * stride + k], number::<S, T>(simd, k));
    for (i, row) in (k + 1..n).zip(pivots::numbers::<S, T>(simd, k + 1)) {
        maximum.see(a[i * stride + k], row);
    }
    maximum.found(simd)
}
