//! `blocked`: one matrix at a time, its columns in SIMD vectors, several pivots to a pass.
//!
//! An elimination step changes the matrix by a transformation that differs from the identity in one column only,
//! the one that in-place elimination leaves behind. `BLOCK` successive steps therefore make a transformation
//! that differs from it in `BLOCK` columns, W. So a panel of `BLOCK` columns is eliminated by itself, with
//! pivoting over all rows below, and leaves W; then every other column takes all its steps in one pass: what it has in
//! the rows of the panel's pivots is set aside as p and cleared, and the column takes += W p.
//!
//! With columns in vectors, the search for a pivot and the elimination in the panel run along vectors, and what the row
//! exchanges do to the order of the inverse's columns costs nothing: columns are taken in their order when they are
//! written. And threads can share one matrix: between panels, every column is a task of its own.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask};
use rayon::prelude::*;

use super::Arithmetic;
use super::transpose::{MAX_LANES, transpose};
use super::vector::{Magnitude, Vector};
use crate::plan::{self, BLOCK, COLUMNS_TOGETHER};
use crate::scalar::{Real, Scalar};

/// A matrix of order n in columns, with the working memory, kept from one to the next.
pub struct Blocked<V, M, T: Scalar> {
    /// Column j in `width` vectors, from j * width on; lanes beyond row n - 1 are zero.
    pub columns: Vec<V>,
    /// A panel, in the same form: always BLOCK columns.
    panel: Vec<V>,
    /// In every vector of a column, 1 in the rows of the panel's pivots, 0 elsewhere.
    cleared: Vec<M>,
    /// What every column has in the rows of the panel's pivots.
    pivots: Vec<[T; BLOCK]>,
    /// The row of the input that stands in row k.
    pub origins: Vec<u32>,
    /// The column that holds column j of the inverse.
    sources: Vec<u32>,
    /// The numbers of rows, as many as a column has lanes.
    numbers: Vec<T::Real>,
    /// The rows of one vector's height, where they are converted on their way: of the whole matrix, a copy would be as large as
    /// `columns`.
    strip: Vec<T>,
    width: usize,
    n: usize,
}

impl<V: Copy, M, T: Scalar> Blocked<V, M, T> {
    pub fn new() -> Self {
        Self {
            columns: Vec::new(),
            panel: Vec::new(),
            cleared: Vec::new(),
            pivots: Vec::new(),
            origins: Vec::new(),
            sources: Vec::new(),
            numbers: Vec::new(),
            strip: Vec::new(),
            width: 0,
            n: 0,
        }
    }
}

/// The working memory of one arithmetic, and its vectors.
pub type Of<S, A> = Blocked<Vectors<S, A>, Reals<S, A>, <A as Arithmetic>::Work>;
type Vectors<S, A> = <<A as Arithmetic>::Work as Scalar>::Vector<S>;
type Reals<S, A> = Magnitude<<A as Arithmetic>::Work, S>;
type WorkReal<A> = <<A as Arithmetic>::Work as Scalar>::Real;

/// Reads a matrix of order n. Returns whether all of its elements lie in the window from `low` to `high` that needs no
/// scaling; false may also mean that there are zeros, or NaN.
#[inline(always)]
pub fn load<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Of<S, A>,
    n: usize,
    source: &[A::Element],
    (low, high): (WorkReal<A>, WorkReal<A>),
) -> bool {
    let (lanes, parts) = (Vectors::<S, A>::LANES, Vectors::<S, A>::PARTS);
    let zero = Reals::<S, A>::splat(simd, WorkReal::<A>::ZERO);
    let (low, high) = (Reals::<S, A>::splat(simd, low), Reals::<S, A>::splat(simd, high));
    let (mut smallest, mut largest, mut poison) = (high, low, zero);
    let row = n * parts;
    (work.n, work.width) = (n, n.div_ceil(lanes));
    work.columns.resize(n * work.width, Vectors::<S, A>::splat(simd, A::Work::ZERO));
    if work.numbers.len() != work.width * lanes {
        work.numbers = (0..work.width * lanes).map(|i| WorkReal::<A>::from_f64(i as f64)).collect();
    }
    work.origins.clear();
    work.origins.extend(0..n as u32);

    for down in 0..work.width {
        let rows = lanes.min(n - down * lanes);
        let source = &source[down * lanes * n..];
        let strip: &[WorkReal<A>] = match A::as_work(source) {
            Some(source) => bytemuck::cast_slice(source),
            None => {
                work.strip.clear();
                work.strip.extend(source[..rows * n].iter().map(|&element| A::widen(element)));
                bytemuck::cast_slice(&work.strip)
            }
        };
        for first in (0..row).step_by(lanes) {
            let mut block = [zero; MAX_LANES];
            for (index, vector) in block[..rows].iter_mut().enumerate() {
                // What a row has too little is the next row's, and goes nowhere.
                let rest = &strip[index * row + first..];
                *vector = match rest.get(..lanes) {
                    Some(whole) => Reals::<S, A>::from_slice(simd, whole),
                    None => {
                        let mut vector = Reals::<S, A>::splat(simd, WorkReal::<A>::ONE);
                        vector.as_mut_slice()[..rest.len()].copy_from_slice(rest);
                        vector
                    }
                };
                (smallest, largest) = (smallest.min(vector.abs()), largest.max(vector.abs()));
                poison = vector.mul_add(zero, poison);
            }
            transpose::<S, A::Work>(&mut block);
            let columns = work.columns[first / parts * work.width + down..].iter_mut().step_by(work.width);
            for (column, reals) in columns.zip(block[..lanes].chunks_exact(parts)) {
                for (part, &real) in reals.iter().enumerate() {
                    column.set_part(part, real);
                }
            }
        }
    }
    let usual = smallest.simd_ge(low) & largest.simd_le(high) & poison.simd_eq(zero);
    usual.all_true()
}

/// Writes the inverse, its columns in their order. Returns whether all of its elements are finite.
#[inline(always)]
pub fn store<S: Simd, A: Arithmetic>(simd: S, work: &mut Of<S, A>, target: &mut [A::Element]) -> bool {
    let (lanes, parts) = (Vectors::<S, A>::LANES, Vectors::<S, A>::PARTS);
    let zero = Reals::<S, A>::splat(simd, WorkReal::<A>::ZERO);
    let (n, width) = (work.n, work.width);
    let row = n * parts;
    work.sources.resize(n, 0);
    for (k, &origin) in work.origins.iter().enumerate() {
        work.sources[origin as usize] = k as u32;
    }

    let (mut poison, mut finite) = (zero, true);
    for down in 0..width {
        let rows = lanes.min(n - down * lanes);
        let target = &mut target[down * lanes * n..];
        let strip: &mut [WorkReal<A>] = match A::as_work_mut(target) {
            Some(target) => bytemuck::cast_slice_mut(target),
            None => {
                work.strip.resize(rows * n, A::Work::ZERO);
                bytemuck::cast_slice_mut(&mut work.strip)
            }
        };
        // From right to left, so that what goes beyond the end of a row is overwritten by the next row's beginning.
        for first in (0..row).step_by(lanes).rev() {
            let mut block = [zero; MAX_LANES];
            let sources = &work.sources[first / parts..];
            for (reals, &source) in block[..lanes].chunks_exact_mut(parts).zip(sources) {
                let vector = work.columns[source as usize * width + down];
                poison = vector.poison(poison, zero);
                for (part, real) in reals.iter_mut().enumerate() {
                    *real = vector.part(part);
                }
            }
            transpose::<S, A::Work>(&mut block);
            for (index, vector) in block[..rows].iter().enumerate() {
                let rest = &mut strip[index * row + first..];
                match rest.get_mut(..lanes) {
                    Some(whole) => vector.store_slice(whole),
                    None => {
                        let end = rest.len();
                        rest.copy_from_slice(&vector.as_slice()[..end]);
                    }
                }
            }
        }
        if A::NARROWS {
            for (element, &inverse) in target.iter_mut().zip(&work.strip) {
                *element = A::narrow(inverse);
                finite &= element.finite();
            }
        }
    }
    finite && poison.simd_eq(zero).all_true()
}

/// Inverts in place, but for the order of the columns; the threads of the calling pool take columns each where they are
/// `shared`. Returns the column, from 0, of the first zero pivot.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar>(
    simd: S,
    work: &mut Blocked<T::Vector<S>, Magnitude<T, S>, T>,
    shared: bool,
) -> Option<usize> {
    let lanes = T::Vector::<S>::LANES;
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let (n, width) = (work.n, work.width);
    work.cleared.resize(width, zero.magnitude());
    work.panel.resize(BLOCK * width, zero);
    work.pivots.resize(n, [T::ZERO; BLOCK]);
    let mut k = 0;
    while k < n {
        let block = BLOCK.min(n - k);
        let own = k * width..(k + block) * width;
        work.panel[..block * width].copy_from_slice(&work.columns[own.clone()]);
        work.panel[block * width..].fill(zero);
        let mut pivot_rows = [0; BLOCK];
        for (b, pivot_row) in pivot_rows[..block].iter_mut().enumerate() {
            *pivot_row = match step::<S, T>(simd, &mut work.panel, &work.numbers, n, k + b, b) {
                Some(pivot_row) => pivot_row,
                None => return Some(k + b),
            };
            work.origins.swap(k + b, *pivot_row);
        }
        let one = Magnitude::<T, S>::splat(simd, T::Real::ONE);
        let none = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        for (cleared, numbers) in work.cleared.iter_mut().zip(work.numbers.chunks_exact(lanes)) {
            let numbers = Magnitude::<T, S>::from_slice(simd, numbers);
            let own = numbers.simd_ge(Magnitude::<T, S>::splat(simd, work.numbers[k]))
                & numbers.simd_le(Magnitude::<T, S>::splat(simd, work.numbers[k + block - 1]));
            *cleared = own.select(one, none);
        }
        let (left, rest) = work.columns.split_at_mut(own.start);
        let (own, right) = rest.split_at_mut(own.len());
        own.copy_from_slice(&work.panel[..own.len()]);
        let (left_pivots, rest) = work.pivots.split_at_mut(k);
        let right_pivots = &mut rest[block..];
        let pass = Pass { k, rows: &pivot_rows[..block], panel: &work.panel, cleared: &work.cleared };
        if shared {
            let some = plan::shared_columns(n, rayon::current_num_threads());
            let left = left.par_chunks_mut(some * width).zip(left_pivots.par_chunks_mut(some));
            let right = right.par_chunks_mut(some * width).zip(right_pivots.par_chunks_mut(some));
            left.chain(right).for_each(|(columns, pivots)| {
                simd.vectorize(
                    #[inline(always)]
                    || pass.run(simd, columns, pivots),
                );
            });
        } else {
            pass.run(simd, left, left_pivots);
            pass.run(simd, right, right_pivots);
        }
        k += block;
    }
    None
}

/// One step in the panel: finds the pivot of column b in rows k to n, exchanges its row with row k, and eliminates the
/// column in place. Returns the row where the pivot was, or `None` where it is zero.
#[inline(always)]
fn step<S: Simd, T: Scalar>(
    simd: S,
    panel: &mut [T::Vector<S>],
    numbers: &[T::Real],
    n: usize,
    k: usize,
    b: usize,
) -> Option<usize> {
    let lanes = T::Vector::<S>::LANES;
    let width = numbers.len() / lanes;
    let pivot_row = pivot::<S, T>(simd, &panel[b * width..][..width], numbers, n, k)?;
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let (k_vector, k_lane) = (k / lanes, k % lanes);
    let (p_vector, p_lane) = (pivot_row / lanes, pivot_row % lanes);

    // For each column, what row k holds before and after; the pivot's own begins a column of the inverse.
    let reciprocal = T::Vector::<S>::splat(simd, panel[b * width + p_vector].lane(p_lane)).reciprocal(simd);
    let (mut before, mut after) = ([zero; BLOCK], [zero; BLOCK]);
    for c in 0..BLOCK {
        let column = &panel[c * width..][..width];
        before[c] = T::Vector::<S>::splat(simd, column[k_vector].lane(k_lane));
        after[c] = T::Vector::<S>::splat(simd, column[p_vector].lane(p_lane)).mul(reciprocal);
    }
    let factor_before = before[b];
    (before[b], after[b]) = (zero, reciprocal);

    let real = |number: usize| Magnitude::<T, S>::splat(simd, numbers[number]);
    let (k, pivot) = (real(k), real(pivot_row));
    for (v, numbers) in numbers.chunks_exact(lanes).enumerate() {
        let numbers = Magnitude::<T, S>::from_slice(simd, numbers);
        let (at_k, at_pivot) = (numbers.simd_eq(k), numbers.simd_eq(pivot));
        let factor = T::Vector::<S>::select(at_pivot, factor_before, panel[b * width + v]);
        panel[b * width + v] = zero;
        for c in 0..BLOCK {
            let x = T::Vector::<S>::select(at_pivot, before[c], panel[c * width + v]).sub_mul(factor, after[c]);
            panel[c * width + v] = Vector::select(at_k, after[c], x);
        }
    }
    Some(pivot_row)
}

/// The first maximum of |re| + |im| in a column from row k on, or `None` where all is zero.
#[inline(always)]
fn pivot<S: Simd, T: Scalar>(
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
        // From the end on, and without a branch, which would often go wrong.
        let mut row = 0;
        for (v, x) in column.iter().enumerate().skip(first + 1).rev() {
            let found = x.magnitude().simd_eq(largest).to_bitmask();
            row = if found == 0 { row } else { v * lanes + found.trailing_zeros() as usize };
        }
        let found = (column[first].magnitude().simd_eq(largest) & from_k).to_bitmask();
        return Some(if found == 0 { row } else { first * lanes + found.trailing_zeros() as usize });
    }
    // Zero, or NaN is among them.
    let magnitude = |i: usize| column[i / lanes].lane(i % lanes).pivot_magnitude();
    (k..n).any(|i| magnitude(i) != T::Real::ZERO).then_some(k)
}

/// Exchanges the rows of a column as the panel's, and takes out what then stands in the rows k and below.
#[inline(always)]
fn set_aside<S: Simd, T: Scalar>(column: &mut [T::Vector<S>], pivots: &mut [T; BLOCK], k: usize, rows: &[usize]) {
    let lanes = T::Vector::<S>::LANES;
    for (b, &row) in rows.iter().enumerate() {
        let taken = column[row / lanes].lane(row % lanes);
        let left = column[(k + b) / lanes].lane((k + b) % lanes);
        column[row / lanes].set_lane(row % lanes, left);
        pivots[b] = taken;
    }
    pivots[rows.len()..].fill(T::ZERO);
}

/// All of the panel's steps, for other columns.
struct Pass<'a, S: Simd, T: Scalar> {
    /// The panel's first column.
    k: usize,
    /// Where its pivots were.
    rows: &'a [usize],
    panel: &'a [T::Vector<S>],
    cleared: &'a [Magnitude<T, S>],
}

impl<S: Simd, T: Scalar> Pass<'_, S, T> {
    #[inline(always)]
    fn run(&self, simd: S, columns: &mut [T::Vector<S>], pivots: &mut [[T; BLOCK]]) {
        let &Self { k, rows, panel, cleared } = self;
        let width = cleared.len();
        for (column, pivots) in columns.chunks_exact_mut(width).zip(pivots.iter_mut()) {
            set_aside::<S, T>(column, pivots, k, rows);
        }
        // Two columns at a time share the loads of W, where registers hold what both need.
        let together = if T::Vector::<S>::PARTS == 1 { COLUMNS_TOGETHER } else { 1 };
        let mut groups = columns.chunks_exact_mut(together * width);
        for (columns, pivots) in groups.by_ref().zip(pivots.chunks_exact(together)) {
            if together == COLUMNS_TOGETHER {
                let (left, right) = columns.split_at_mut(width);
                update_columns::<S, T, COLUMNS_TOGETHER>(simd, [left, right], panel, [&pivots[0], &pivots[1]], cleared);
            } else {
                update_columns::<S, T, 1>(simd, [columns], panel, [&pivots[0]], cleared);
            }
        }
        let rest = groups.into_remainder();
        if !rest.is_empty() {
            update_columns::<S, T, 1>(simd, [rest], panel, [&pivots[pivots.len() - 1]], cleared);
        }
    }
}

#[inline(always)]
fn update_columns<S: Simd, T: Scalar, const COLUMNS: usize>(
    simd: S,
    columns: [&mut [T::Vector<S>]; COLUMNS],
    panel: &[T::Vector<S>],
    pivots: [&[T; BLOCK]; COLUMNS],
    cleared: &[Magnitude<T, S>],
) {
    let width = cleared.len();
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let mut splats = [[zero; BLOCK]; COLUMNS];
    for c in 0..COLUMNS {
        for b in 0..BLOCK {
            splats[c][b] = T::Vector::<S>::splat(simd, pivots[c][b]);
        }
    }
    // A loop: `array::from_fn` would not be inlined.
    let mut factors: [&[T::Vector<S>]; BLOCK] = [&[]; BLOCK];
    for (b, factors) in factors.iter_mut().enumerate() {
        *factors = &panel[b * width..][..width];
    }
    for (v, &cleared) in cleared.iter().enumerate() {
        let cleared = cleared.simd_eq(Magnitude::<T, S>::splat(simd, T::Real::ZERO));
        let mut sums = [zero; COLUMNS];
        for c in 0..COLUMNS {
            sums[c] = Vector::select(cleared, columns[c][v], zero);
        }
        for b in 0..BLOCK {
            let factor = factors[b][v];
            for c in 0..COLUMNS {
                sums[c] = sums[c].add_mul(factor, splats[c][b]);
            }
        }
        for c in 0..COLUMNS {
            columns[c][v] = sums[c];
        }
    }
}
