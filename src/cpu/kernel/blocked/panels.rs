//! One panel of at most BLOCK columns after another: each is eliminated by itself, then taken to the other columns of a
//! range.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use std::ops::Range;

use fearless_simd::{Select, Simd, SimdBase};

use crate::cpu::kernel::column_pivot::pivot;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};
use crate::plan::cpu::{COLUMNS_TOGETHER, CpuTuning};

/// The most columns of a panel.
const BLOCK: usize = CpuTuning::BLOCK;

/// The working memory of panels besides the columns, kept from one matrix to the next.
pub struct Panels<V, M, T: Scalar> {
    /// A panel, in the form of BLOCK columns; those beyond a narrower panel are zero.
    panel: Vec<V>,
    /// In every vector of a column, 1 in the rows of the panel's pivots, 0 elsewhere.
    cleared: Vec<M>,
    /// The entries of every column in the rows of the panel's pivots.
    pivots: Vec<[T; BLOCK]>,
    /// The rows of the pivots of the last range, step by step.
    pub pivot_rows: Vec<usize>,
    /// The row of the input that became row k.
    pub permutation: Vec<u32>,
    /// The row number of every lane of a column.
    numbers: Vec<T::Real>,
}

impl<V: Copy, M, T: Scalar> Panels<V, M, T> {
    pub fn new() -> Self {
        Self {
            panel: Vec::new(),
            cleared: Vec::new(),
            pivots: Vec::new(),
            pivot_rows: Vec::new(),
            permutation: Vec::new(),
            numbers: Vec::new(),
        }
    }

    /// Begins with a matrix of order n, whose columns have this many lanes.
    pub fn begin(&mut self, n: usize, lanes: usize) {
        if self.numbers.len() != lanes {
            self.numbers = (0..lanes).map(|i| T::Real::from_f64(i as f64)).collect();
        }
        self.permutation.clear();
        self.permutation.extend(0..n as u32);
    }
}

/// Eliminates `columns`, those of a range, in panels of `block`, and notes the rows of their pivots. Returns the
/// column, from 0, of the first zero pivot.
#[inline(always)]
pub fn eliminate<S: Simd, T: Lane>(
    simd: S,
    work: &mut Panels<T::Vector<S>, Magnitude<T, S>, T>,
    columns: &mut [T::Vector<S>],
    range: Range<usize>,
    block: usize,
) -> Option<usize> {
    let lanes = T::Vector::<S>::LANES;
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let Panels { panel, cleared, pivots, pivot_rows, permutation, numbers } = work;
    let (n, width) = (permutation.len(), numbers.len() / lanes);
    cleared.resize(width, zero.magnitude());
    panel.resize(BLOCK * width, zero);
    pivots.resize(range.len(), [T::ZERO; BLOCK]);
    pivot_rows.clear();
    for k in range.clone().step_by(block) {
        let block = block.min(range.end - k);
        let first = k - range.start;
        let own = first * width..(first + block) * width;
        panel[..own.len()].copy_from_slice(&columns[own.clone()]);
        panel[own.len()..].fill(zero);
        for b in 0..block {
            let Some(row) = step::<S, T>(simd, panel, numbers, n, k + b, b) else {
                return Some(k + b);
            };
            pivot_rows.push(row);
            permutation.swap(k + b, row);
        }
        let one = Magnitude::<T, S>::splat(simd, T::Real::ONE);
        let none = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        for (cleared, own) in cleared.iter_mut().zip(numbers.chunks_exact(lanes)) {
            let own = Magnitude::<T, S>::from_slice(simd, own);
            let own = own.simd_ge(Magnitude::<T, S>::splat(simd, numbers[k]))
                & own.simd_le(Magnitude::<T, S>::splat(simd, numbers[k + block - 1]));
            *cleared = own.select(one, none);
        }
        let (left, rest) = columns.split_at_mut(own.start);
        let (own, right) = rest.split_at_mut(own.len());
        own.copy_from_slice(&panel[..own.len()]);
        let (left_pivots, rest) = pivots.split_at_mut(first);
        let pass = Pass { k, rows: &pivot_rows[first..first + block], panel, cleared };
        for (columns, pivots) in [(left, left_pivots), (right, &mut rest[block..])] {
            pass.run(simd, columns, pivots);
        }
    }
    None
}

/// One step in the panel: finds the pivot of column b in rows k to n, exchanges its row with row k, and eliminates the
/// column in place. Returns the row of the pivot, or `None` if it is zero.
#[inline(always)]
fn step<S: Simd, T: Lane>(
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

    // The elements of row k before and after the step; the one in the pivot's column begins a column of the inverse.
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

/// Exchanges rows k, k + 1, ... of a column with `rows`, as in the panel, and takes out the entries that then stand in
/// the former.
#[inline(always)]
fn set_aside<S: Simd, T: Lane>(column: &mut [T::Vector<S>], pivots: &mut [T; BLOCK], k: usize, rows: &[usize]) {
    let lanes = T::Vector::<S>::LANES;
    for (b, &row) in rows.iter().enumerate() {
        let taken = column[row / lanes].lane(row % lanes);
        let left = column[(k + b) / lanes].lane((k + b) % lanes);
        column[row / lanes].set_lane(row % lanes, left);
        pivots[b] = taken;
    }
    pivots[rows.len()..].fill(T::ZERO);
}

/// All steps of a panel, for other columns.
struct Pass<'a, S: Simd, T: Lane> {
    /// The panel's first column.
    k: usize,
    /// The rows of its pivots.
    rows: &'a [usize],
    panel: &'a [T::Vector<S>],
    cleared: &'a [Magnitude<T, S>],
}

impl<S: Simd, T: Lane> Pass<'_, S, T> {
    #[inline(always)]
    fn run(&self, simd: S, columns: &mut [T::Vector<S>], pivots: &mut [[T; BLOCK]]) {
        let &Self { k, rows, panel, cleared } = self;
        let width = cleared.len();
        for (column, pivots) in columns.chunks_exact_mut(width).zip(pivots.iter_mut()) {
            set_aside::<S, T>(column, pivots, k, rows);
        }
        // Two columns share the loads of W if registers hold both.
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
fn update_columns<S: Simd, T: Lane, const COLUMNS: usize>(
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
