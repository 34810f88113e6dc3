//! `blocked`: one matrix at a time, its rows in SIMD vectors, several pivots to a pass.
//!
//! An elimination step changes the matrix by a transformation that differs from the identity in one column only,
//! the one that in-place elimination leaves behind. `BLOCK` successive steps therefore make a transformation
//! that differs from it in `BLOCK` columns, W. So a panel of `BLOCK` columns is eliminated by itself, with
//! pivoting over all rows below, and leaves W; then the rest of the matrix takes all its steps in one pass: rows
//! of the panel's pivots are set aside as P and cleared, and every row i takes a[i] += W[i] P. Each pass then
//! loads and stores a row once for `BLOCK` multiply-adds.

use fearless_simd::{Select, Simd, SimdBase};

use super::Arithmetic;
use super::scaling;
use super::vector::Vector;
use crate::inverses::Status;
use crate::plan::BLOCK;
use crate::scalar::{Real, Scalar};

/// Working memory for one matrix, kept from matrix to matrix.
pub struct Blocked<V> {
    /// Row i in `width` vectors, from i * width on.
    a: Vec<V>,
    /// Column b of the panel in `width` vectors, from b * width on.
    panel: Vec<V>,
    /// The rows of the panel's pivots: vector j of row b at j * BLOCK + b.
    pivots: Vec<[V; BLOCK]>,
    /// The row of the input that stands in row k.
    origins: Vec<u32>,
}

impl<V> Blocked<V> {
    pub fn new() -> Self {
        Self { a: Vec::new(), panel: Vec::new(), pivots: Vec::new(), origins: Vec::new() }
    }
}

/// Inverts one matrix of order n >= 1.
#[inline(always)]
pub fn invert_matrix<S, A>(
    simd: S,
    work: &mut Blocked<<A::Work as Scalar>::Vector<S>>,
    n: usize,
    input: &[A::Element],
    output: &mut [A::Element],
) -> Status
where
    S: Simd,
    A: Arithmetic,
{
    let status = eliminate::<S, A>(simd, work, n, input, output);
    if !status.is_inverted() {
        output.fill(A::Element::NAN);
    }
    status
}

#[inline(always)]
fn eliminate<S, A>(
    simd: S,
    work: &mut Blocked<<A::Work as Scalar>::Vector<S>>,
    n: usize,
    input: &[A::Element],
    output: &mut [A::Element],
) -> Status
where
    S: Simd,
    A: Arithmetic,
{
    let lanes = <A::Work as Scalar>::Vector::<S>::LANES;
    let width = n.div_ceil(lanes);
    let zero = <A::Work as Scalar>::Vector::<S>::splat(simd, A::Work::ZERO);
    work.a.clear();
    work.a.resize(n * width, zero);
    work.panel.clear();
    work.panel.resize(BLOCK * width, zero);
    work.pivots.resize(width, [zero; BLOCK]);
    work.origins.clear();
    work.origins.extend(0..n as u32);
    let Blocked { a, panel, pivots, origins } = work;

    if !input.iter().all(|element| element.finite()) {
        return Status::NOT_FINITE;
    }
    let (low, high) = scaling::window::<A::Work>();
    let usual = input.iter().all(|&element| {
        let element = A::widen(element);
        let largest = element.largest_part();
        largest == <A::Work as Scalar>::Real::ZERO || (largest <= high && element.smallest_part() >= low)
    });
    let mut scaling = None;
    if usual {
        for (row, elements) in a.chunks_exact_mut(width).zip(input.chunks_exact(n)) {
            load_row::<S, A::Work>(row, elements.iter().map(|&element| A::widen(element)));
        }
    } else {
        let mut matrix: Vec<A::Work> = input.iter().map(|&element| A::widen(element)).collect();
        scaling = scaling::scale(&mut matrix, n);
        for (row, elements) in a.chunks_exact_mut(width).zip(matrix.chunks_exact(n)) {
            load_row::<S, A::Work>(row, elements.iter().copied());
        }
    }

    let mut k = 0;
    while k < n {
        let block = BLOCK.min(n - k);
        panel[block * width..].fill(zero);
        for (i, row) in a.chunks_exact(width).enumerate() {
            for b in 0..block {
                panel[b * width + i / lanes].set_lane(i % lanes, row[(k + b) / lanes].lane((k + b) % lanes));
            }
        }
        for b in 0..block {
            let Some(pivot_row) = find_pivot::<S, A::Work>(simd, &panel[b * width..][..width], k + b, n) else {
                return scaling.map_or(Status::singular(k + b + 1), |scaling| scaling.zero_pivot(k + b));
            };
            if pivot_row != k + b {
                origins.swap(k + b, pivot_row);
                let (above, below) = a.split_at_mut(pivot_row * width);
                above[(k + b) * width..][..width].swap_with_slice(&mut below[..width]);
            }
            eliminate_column::<S, A::Work>(simd, panel, width, block, b, k + b, pivot_row);
        }
        update::<S, A::Work>(simd, a, panel, pivots, width, k, block);
        for (i, row) in a.chunks_exact_mut(width).enumerate() {
            for b in 0..block {
                row[(k + b) / lanes].set_lane((k + b) % lanes, panel[b * width + i / lanes].lane(i % lanes));
            }
        }
        k += block;
    }

    for (i, (row, vectors)) in output.chunks_exact_mut(n).zip(a.chunks_exact(width)).enumerate() {
        for (j, &origin) in origins.iter().enumerate() {
            let element = vectors[j / lanes].lane(j % lanes);
            let element = scaling.as_ref().map_or(element, |scaling| scaling.undo(i, origin as usize, element));
            row[origin as usize] = A::narrow(element);
        }
    }
    if output.iter().all(|element| element.finite()) { Status::INVERTED } else { Status::NOT_FINITE }
}

#[inline(always)]
fn load_row<S: Simd, T: Scalar>(row: &mut [T::Vector<S>], elements: impl Iterator<Item = T>) {
    let lanes = T::Vector::<S>::LANES;
    for (j, element) in elements.enumerate() {
        row[j / lanes].set_lane(j % lanes, element);
    }
}

/// The first maximum of |re| + |im| in rows `from..n` of a column, or `None` where it is zero.
#[inline(always)]
fn find_pivot<S: Simd, T: Scalar>(simd: S, column: &[T::Vector<S>], from: usize, n: usize) -> Option<usize> {
    type M<T, S> = <<T as Scalar>::Vector<S> as Vector<S, T>>::Magnitude;
    let lanes = T::Vector::<S>::LANES;
    let first = from / lanes;
    let real = |i: usize| T::Real::from_f64(i as f64);

    // The vector with row `from` in it lane by lane, the others whole; the padding below row n is zero.
    let mut best = M::<T, S>::splat(simd, real(0) - T::Real::ONE);
    let mut at = M::<T, S>::splat(simd, real(0));
    let iota = M::<T, S>::from_fn(simd, real);
    for (v, vector) in column.iter().enumerate().skip(first) {
        let rows = iota + real(v * lanes);
        let candidates = rows.simd_ge(M::<T, S>::splat(simd, real(from)));
        let magnitude = vector.magnitude();
        let better = magnitude.simd_gt(best) & candidates;
        best = better.select(magnitude, best);
        at = better.select(rows, at);
    }
    let (mut magnitude, mut row) = (real(0), None);
    for (&candidate, &index) in best.as_slice().iter().zip(at.as_slice()) {
        let index = index.to_f64() as usize;
        if candidate > magnitude || (candidate == magnitude && row.is_some_and(|row| index < row)) {
            (magnitude, row) = (candidate, Some(index));
        }
    }
    match row {
        // Nothing but NaN, from an overflow on the way: go on, the result will say so.
        None if !column_is_zero::<S, T>(column, from, n) => Some(from),
        row => row,
    }
}

#[inline(always)]
fn column_is_zero<S: Simd, T: Scalar>(column: &[T::Vector<S>], from: usize, n: usize) -> bool {
    let lanes = T::Vector::<S>::LANES;
    (from..n).all(|i| column[i / lanes].lane(i % lanes) == T::ZERO)
}

/// One elimination step within the panel: exchanges rows `k` and `pivot_row`, and eliminates column b in place.
#[inline(always)]
fn eliminate_column<S: Simd, T: Scalar>(
    simd: S,
    panel: &mut [T::Vector<S>],
    width: usize,
    block: usize,
    b: usize,
    k: usize,
    pivot_row: usize,
) {
    let lanes = T::Vector::<S>::LANES;
    for column in panel.chunks_exact_mut(width).take(block) {
        let (above, below) = (column[k / lanes].lane(k % lanes), column[pivot_row / lanes].lane(pivot_row % lanes));
        column[k / lanes].set_lane(k % lanes, below);
        column[pivot_row / lanes].set_lane(pivot_row % lanes, above);
    }
    let reciprocal = panel[b * width + k / lanes].lane(k % lanes).reciprocal();

    let (before, rest) = panel.split_at_mut(b * width);
    let (factors, after) = rest.split_at_mut(width);
    for column in before.chunks_exact_mut(width).chain(after.chunks_exact_mut(width).take(block - b - 1)) {
        let pivot = column[k / lanes].lane(k % lanes) * reciprocal;
        let pivots = T::Vector::<S>::splat(simd, pivot);
        for (x, &factor) in column.iter_mut().zip(factors.iter()) {
            *x = x.sub_mul(factor, pivots);
        }
        column[k / lanes].set_lane(k % lanes, pivot);
    }
    let negative = T::Vector::<S>::splat(simd, -reciprocal);
    for factor in factors.iter_mut() {
        *factor = factor.mul(negative);
    }
    factors[k / lanes].set_lane(k % lanes, reciprocal);
}

/// All of the panel's steps for the rest of the matrix: a[i] += W[i] P, with P the rows k..k + block, cleared.
#[inline(always)]
fn update<S: Simd, T: Scalar>(
    simd: S,
    a: &mut [T::Vector<S>],
    panel: &[T::Vector<S>],
    pivots: &mut [[T::Vector<S>; BLOCK]],
    width: usize,
    k: usize,
    block: usize,
) {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    for b in 0..BLOCK {
        for (j, pivot) in pivots.iter_mut().enumerate() {
            pivot[b] = if b < block { std::mem::replace(&mut a[(k + b) * width + j], zero) } else { zero };
        }
    }
    // Two rows at a time share the loads of P.
    let n = a.len() / width;
    let mut pairs = a.chunks_exact_mut(2 * width);
    for (pair, rows) in pairs.by_ref().enumerate() {
        let upper = factors::<S, T>(simd, panel, width, 2 * pair);
        let lower = factors::<S, T>(simd, panel, width, 2 * pair + 1);
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
        let factors = factors::<S, T>(simd, panel, width, n - 1);
        for (x, pivot) in last.iter_mut().zip(pivots.iter()) {
            for b in 0..BLOCK {
                *x = x.add_mul(factors[b], pivot[b]);
            }
        }
    }
}

/// Row i of the panel, each factor in a vector of its own.
#[inline(always)]
fn factors<S: Simd, T: Scalar>(simd: S, panel: &[T::Vector<S>], width: usize, i: usize) -> [T::Vector<S>; BLOCK] {
    let lanes = T::Vector::<S>::LANES;
    let mut factors = [T::Vector::<S>::splat(simd, T::ZERO); BLOCK];
    for (b, factor) in factors.iter_mut().enumerate() {
        *factor = T::Vector::<S>::splat(simd, panel[b * width + i / lanes].lane(i % lanes));
    }
    factors
}
