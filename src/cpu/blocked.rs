//! `blocked`: one matrix at a time, its rows in SIMD vectors, several pivots to a pass.
//!
//! An elimination step changes the matrix by a transformation that differs from the identity in one column only,
//! the one that in-place elimination leaves behind. `BLOCK` successive steps therefore make a transformation
//! that differs from it in `BLOCK` columns, W. So a panel of `BLOCK` columns is eliminated by itself, with
//! pivoting over all rows below, and leaves W; then the rest of the matrix takes all its steps in one pass: rows
//! of the panel's pivots are set aside as P and cleared, and every row i takes a[i] += W[i] P. Each pass then
//! loads and stores a row once for `BLOCK` multiply-adds.

use fearless_simd::Simd;

use super::rows::{self, Rows};
use super::single::Matrix;
use super::vector::Vector;
use crate::plan::BLOCK;
use crate::scalar::Scalar;

/// Working memory.
pub struct Blocked<V> {
    /// Columns k..k + BLOCK of the matrix: row i in `panel_width` vectors.
    panel: Vec<V>,
    /// The rows of the panel's pivots: vector j of all of them at j.
    pivots: Vec<[V; BLOCK]>,
}

impl<V> Blocked<V> {
    pub fn new() -> Self {
        Self { panel: Vec::new(), pivots: Vec::new() }
    }
}

/// Inverts in place, but for the order of the columns. Returns the column, from 0, of the first zero pivot.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar>(
    simd: S,
    work: &mut Blocked<T::Vector<S>>,
    rows: &mut Rows<T::Vector<S>>,
    matrix: &mut Matrix<T::Vector<S>>,
) -> Option<usize> {
    let lanes = T::Vector::<S>::LANES;
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let panel_width = BLOCK.div_ceil(lanes);
    let Blocked { panel, pivots } = work;
    panel.clear();
    panel.resize(matrix.n * panel_width, zero);
    pivots.resize(matrix.width, [zero; BLOCK]);

    let mut k = 0;
    while k < matrix.n {
        let block = BLOCK.min(matrix.n - k);
        if block < BLOCK {
            panel.fill(zero);
        }
        for (row, panel) in matrix.a.chunks_exact(matrix.width).zip(panel.chunks_exact_mut(panel_width)) {
            for b in 0..block {
                panel[b / lanes].set_lane(b % lanes, row[(k + b) / lanes].lane((k + b) % lanes));
            }
        }
        for b in 0..block {
            let Some(pivot_row) = rows::step::<S, T>(simd, rows, panel, panel_width, k + b, b) else {
                return Some(k + b);
            };
            matrix.exchange(k + b, pivot_row);
        }
        update::<S, T>(simd, matrix, panel, pivots, k, block);
        for (row, panel) in matrix.a.chunks_exact_mut(matrix.width).zip(panel.chunks_exact(panel_width)) {
            for b in 0..block {
                row[(k + b) / lanes].set_lane((k + b) % lanes, panel[b / lanes].lane(b % lanes));
            }
        }
        k += block;
    }
    None
}

/// All of the panel's steps for the rest of the matrix: a[i] += W[i] P, with P the rows k..k + block, cleared.
#[inline(always)]
fn update<S: Simd, T: Scalar>(
    simd: S,
    matrix: &mut Matrix<T::Vector<S>>,
    panel: &[T::Vector<S>],
    pivots: &mut [[T::Vector<S>; BLOCK]],
    k: usize,
    block: usize,
) {
    let (width, n) = (matrix.width, matrix.n);
    let panel_width = panel.len() / n;
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    for b in 0..BLOCK {
        for (j, pivot) in pivots.iter_mut().enumerate() {
            pivot[b] = if b < block { std::mem::replace(&mut matrix.a[(k + b) * width + j], zero) } else { zero };
        }
    }
    // Two rows at a time share the loads of P.
    let mut pairs = matrix.a.chunks_exact_mut(2 * width);
    for (rows, panel) in pairs.by_ref().zip(panel.chunks_exact(2 * panel_width)) {
        let upper = factors::<S, T>(simd, &panel[..panel_width]);
        let lower = factors::<S, T>(simd, &panel[panel_width..]);
        let (first, second) = rows.split_at_mut(width);
        for ((x, y), pivot) in first.iter_mut().zip(second).zip(pivots.iter()) {
            let (mut sum_x, mut sum_y) = (*x, *y);
            for b in 0..BLOCK {
                sum_x = sum_x.add_mul(upper[b], pivot[b]);
                sum_y = sum_y.add_mul(lower[b], pivot[b]);
            }
            (*x, *y) = (sum_x, sum_y);
        }
    }
    let last = pairs.into_remainder();
    if !last.is_empty() {
        let factors = factors::<S, T>(simd, &panel[(n - 1) * panel_width..]);
        for (x, pivot) in last.iter_mut().zip(pivots.iter()) {
            for b in 0..BLOCK {
                *x = x.add_mul(factors[b], pivot[b]);
            }
        }
    }
}

/// A row of the panel, each factor in a vector of its own.
#[inline(always)]
fn factors<S: Simd, T: Scalar>(simd: S, panel: &[T::Vector<S>]) -> [T::Vector<S>; BLOCK] {
    let lanes = T::Vector::<S>::LANES;
    let mut factors = [T::Vector::<S>::splat(simd, T::ZERO); BLOCK];
    for (b, factor) in factors.iter_mut().enumerate() {
        *factor = T::Vector::<S>::splat(simd, panel[b / lanes].lane(b % lanes));
    }
    factors
}
