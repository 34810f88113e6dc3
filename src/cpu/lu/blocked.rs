//! `blocked`: one matrix at a time, its columns in SIMD vectors, several pivots per pass.
//!
//! A panel of PANEL columns is factored by itself. Every column to the right of it, of A or of B, then takes its steps
//! in one pass: it exchanges rows as the panel did, its entries in the rows of the pivots become rows of U, and the
//! rows below are updated.
//!
//! ```text
//!      done        panel     columns to the right, and of B
//!    +--------+ +---------+ +-----------------------------+
//!    |  U   U | |    U    | |              U              |
//!    |  L   U | |    U    | |              U              |
//!    +--------+ +---------+ +-----------------------------+
//!    |  L   L | |  1 \ U  | |   rows of the pivots: U     |
//!    |  L   L | |    L    | |   rows below: -= L u        |
//!    +--------+ +---------+ +-----------------------------+
//! ```
//!
//! Rows of L stand as they did at their panel: later exchanges do not reach them.
//!
//! In a matrix too large for the nearest cache, panels are taken to the columns of an outer block only. Later columns
//! take the steps of a whole outer block at once, the rows below it as a product of matrices. All exchanges then come
//! first, in the columns and in a copy of L. Threads can share this work: between outer blocks, every column is a task
//! of its own.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use std::ops::Range;

use fearless_simd::{Simd, SimdBase, SimdMask};
use rayon::prelude::*;

use crate::cpu::kernel::column_pivot::pivot;
use crate::cpu::kernel::order2;
use crate::cpu::kernel::product::{DEPTH, Packed};
use crate::cpu::simd::apart::apart;
use crate::cpu::simd::exponent::Format;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::{Real, Scalar};
use crate::plan::cpu::{COLUMNS_TOGETHER, CpuTuning, UPDATE_COLUMNS, shared_columns};

/// Units of roundoff for each order by which two eliminations may differ in a pivot beside the largest element of its
/// column: many more than they do.
const DOUBT: f64 = 256.0;

/// The most columns of a panel.
const PANEL: usize = CpuTuning::BLOCK;

/// How a matrix is factored.
#[derive(Clone, Copy)]
pub struct Way {
    pub tuning: CpuTuning,
    /// True if the threads of the calling pool share the work.
    pub shared: bool,
    /// True if zero pivots are replaced by a unit of roundoff of their columns.
    pub floor: bool,
}

/// The factors of one matrix of order n.
pub struct Factors<S: Simd, T: Lane> {
    n: usize,
    /// Vectors per column.
    pub width: usize,
    /// Column j in `width` vectors from j * width on; lanes beyond row n - 1 are zero. First A, then L below the
    /// diagonal and U above it.
    pub columns: Vec<T::Vector<S>>,
    pub steps: Steps<S, T>,
    outer: OuterBlock<S, T>,
    /// The row number of every lane of a column.
    numbers: Vec<T::Real>,
}

/// The steps that were taken.
pub struct Steps<S: Simd, T: Lane> {
    /// The row that was exchanged with row k.
    pub rows: Vec<usize>,
    /// The pivots, and 1 / pivot, in every lane.
    pub pivots: Vec<T::Vector<S>>,
    reciprocals: Vec<T::Vector<S>>,
    /// The largest magnitude of every column of A.
    largest: Vec<T::Real>,
    /// True if a pivot is so small beside its column that rounding may have made it.
    pub doubtful: bool,
}

impl<S: Simd, T: Lane> Factors<S, T> {
    /// Room for a matrix of order n.
    pub fn new(simd: S, n: usize) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let width = n.div_ceil(lanes);
        let (pivots, reciprocals) = (Vec::new(), Vec::new());
        Self {
            n,
            width,
            columns: vec![T::Vector::<S>::splat(simd, T::ZERO); n * width],
            steps: Steps { rows: Vec::new(), pivots, reciprocals, largest: Vec::new(), doubtful: false },
            outer: OuterBlock::new(),
            numbers: (0..width * lanes).map(|row| T::Real::from_f64(row as f64)).collect(),
        }
    }

    /// Factors the matrix that stands in `columns`. Returns the column of the first zero pivot, from 0.
    #[inline(never)]
    pub fn factor(&mut self, simd: S, way: Way) -> Option<usize> {
        simd.vectorize(
            #[inline(always)]
            || self.factor_here(simd, way),
        )
    }

    #[inline(always)]
    fn factor_here(&mut self, simd: S, way: Way) -> Option<usize> {
        let Self { n, width, columns, steps, outer, numbers } = self;
        let (n, width) = (*n, *width);
        steps.begin(simd, columns, width);
        if n == 2 && order2::decides::<S, T>() && !way.floor {
            return steps.take_pair(simd, columns, numbers);
        }
        let mut start = 0;
        loop {
            // The columns of the next outer block take the last one's steps and are then factored, while all later ones
            // take the last one's steps.
            let next = start..n.min(start + way.tuning.outer_block(n));
            let (own, right) = columns[next.start * width..].split_at_mut(next.len() * width);
            let mut next_block = || next_block(simd, way, outer, steps, own, numbers, next.clone());
            let mut others = || outer.take(simd, way, right, numbers);
            let zero_pivot = if way.shared { rayon::join(next_block, others).0 } else { (next_block(), others()).0 };
            if zero_pivot.is_some() || next.end == n {
                outer.rows.clear();
                return zero_pivot;
            }
            outer.prepare(next.start, way.tuning.block, steps, &columns[next.start * width..next.end * width], width);
            start = next.end;
        }
    }

    /// Solves for columns of right-hand sides, which stand in `b` as those of A in `columns`.
    #[inline(always)]
    pub fn solve(&self, simd: S, way: Way, b: &mut [T::Vector<S>]) {
        if way.shared {
            let size = self.width * shared_columns(b.len() / self.width, rayon::current_num_threads());
            b.par_chunks_mut(size).for_each(|b| self.solve_some(simd, way.tuning.block, b));
        } else {
            self.solve_some(simd, way.tuning.block, b);
        }
    }

    /// The same on this thread.
    fn solve_some(&self, simd: S, panel: usize, b: &mut [T::Vector<S>]) {
        apart::<0, _, _>(
            simd,
            #[inline(always)]
            || {
                let Self { n, width, columns, steps, numbers, .. } = self;
                for k in (0..*n).step_by(panel) {
                    let count = panel.min(n - k);
                    let (factors, rows) = (&columns[k * width..][..count * width], &steps.rows[k..][..count]);
                    let reciprocals = &steps.reciprocals[k..][..count];
                    Panel::<S, T>::new(simd, k, rows, factors, reciprocals, numbers).apply(simd, b, *width);
                }
                let mut groups = b.chunks_exact_mut(COLUMNS_TOGETHER * width);
                for group in groups.by_ref() {
                    self.substitute::<COLUMNS_TOGETHER>(simd, group);
                }
                for column in groups.into_remainder().chunks_exact_mut(*width) {
                    self.substitute::<1>(simd, column);
                }
            },
        );
    }

    /// The substitution from the last row up.
    #[inline(always)]
    fn substitute<const COLUMNS: usize>(&self, simd: S, x: &mut [T::Vector<S>]) {
        let (lanes, width) = (T::Vector::<S>::LANES, self.width);
        for j in (1..self.n).rev() {
            let (u, below) = (&self.columns[j * width..][..width], Below::<S, T>::new(simd, &self.numbers, j));
            for c in 0..COLUMNS {
                let column = &mut x[c * width..][..width];
                let known = T::Vector::<S>::splat(simd, column[j / lanes].lane(j % lanes));
                for v in 0..below.first {
                    column[v] = column[v].sub_mul(u[v], known);
                }
                let last = &mut column[below.first];
                *last = Vector::select(below.mask, *last, last.sub_mul(u[below.first], known));
            }
        }
    }
}

/// Takes the last outer block's steps to the columns of the next one, and factors them. Returns the column of the first
/// zero pivot.
fn next_block<S: Simd, T: Lane>(
    simd: S,
    way: Way,
    last: &OuterBlock<S, T>,
    steps: &mut Steps<S, T>,
    own: &mut [T::Vector<S>],
    numbers: &[T::Real],
    range: Range<usize>,
) -> Option<usize> {
    apart::<0, _, _>(
        simd,
        #[inline(always)]
        || {
            last.take(simd, Way { shared: false, ..way }, own, numbers);
            let width = own.len() / range.len();
            for k in range.clone().step_by(way.tuning.block) {
                let count = way.tuning.block.min(range.end - k);
                let panel = &mut own[(k - range.start) * width..];
                for b in 0..count {
                    if let Some(column) = steps.step(simd, (k, b), &mut panel[..count * width], numbers, way.floor) {
                        return Some(column);
                    }
                }
                let (factors, right) = panel.split_at_mut(count * width);
                let (rows, reciprocals) = (&steps.rows[k..], &steps.reciprocals[k..]);
                Panel::<S, T>::new(simd, k, rows, factors, reciprocals, numbers).apply(simd, right, width);
            }
            None
        },
    )
}

impl<S: Simd, T: Lane> Steps<S, T> {
    /// Begins with a matrix.
    #[inline(always)]
    fn begin(&mut self, simd: S, columns: &[T::Vector<S>], width: usize) {
        self.rows.clear();
        self.pivots.clear();
        self.reciprocals.clear();
        self.doubtful = false;
        self.largest.clear();
        for column in columns.chunks_exact(width) {
            let mut largest = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
            for x in column {
                largest = x.magnitude().max(largest);
            }
            self.largest.push(largest.reduce_max());
        }
    }

    /// Takes both steps of order 2. Returns the column of the first zero pivot.
    #[inline(always)]
    fn take_pair(&mut self, simd: S, columns: &mut [T::Vector<S>], numbers: &[T::Real]) -> Option<usize> {
        let (lanes, width) = (T::Vector::<S>::LANES, columns.len() / 2);
        let (one, lane) = (1 / lanes, 1 % lanes);
        let [p, r] = [columns[0].lane(0), columns[one].lane(lane)];
        let [q, s] = [columns[width].lane(0), columns[width + one].lane(lane)];
        let (p, q) = (T::Vector::<S>::splat(simd, p), T::Vector::<S>::splat(simd, q));
        let (r, s) = (T::Vector::<S>::splat(simd, r), T::Vector::<S>::splat(simd, s));
        if let Some(column) = self.step(simd, (0, 0), columns, numbers, false) {
            return Some(column);
        }
        let exchanged = Mask::<Magnitude<T, S>, S>::splat(simd, self.rows[0] == 1);
        let last = &mut columns[width + one];
        let computed = T::Vector::<S>::splat(simd, last.lane(lane));
        let pivot = order2::second_pivot::<S, T>(simd, [[p, q], [r, s]], exchanged, computed, self.reciprocals[0]);
        last.set_lane(lane, pivot.lane(0));
        self.step(simd, (0, 1), columns, numbers, false)
    }

    /// Takes the next step, in the panel of the columns from k on: its column b. Returns its number if its pivot is
    /// zero.
    #[inline(always)]
    fn step(
        &mut self,
        simd: S,
        (k, b): (usize, usize),
        panel: &mut [T::Vector<S>],
        numbers: &[T::Real],
        floor: bool,
    ) -> Option<usize> {
        let Self { rows, pivots, reciprocals, largest, doubtful } = self;
        let (lanes, n, row) = (T::Vector::<S>::LANES, largest.len(), k + b);
        let width = numbers.len() / lanes;
        let own = &mut panel[b * width..][..width];
        let pivot_row = match pivot::<S, T>(simd, own, numbers, n, row) {
            Some(pivot_row) => pivot_row,
            None if floor => {
                let roundoff = T::ONE.scaled(largest[row].exponent() - T::Real::FRACTION_BITS as i32 - 1);
                own[row / lanes].set_lane(row % lanes, roundoff);
                row
            }
            None => return Some(row),
        };
        let doubt = T::Real::from_f64(DOUBT * n as f64 * T::Real::EPS);
        *doubtful |= own[pivot_row / lanes].lane(pivot_row % lanes).pivot_magnitude() < doubt * largest[row];
        for column in panel.chunks_exact_mut(width) {
            swap::<S, T>(column, row, pivot_row);
        }
        let (done, right) = panel.split_at_mut((b + 1) * width);
        let factors = &done[b * width..];
        let pivot = T::Vector::<S>::splat(simd, factors[row / lanes].lane(row % lanes));
        let reciprocal = pivot.reciprocal(simd);
        let below = Below::<S, T>::new(simd, numbers, row + 1);
        for column in right.chunks_exact_mut(width) {
            let u = T::Vector::<S>::splat(simd, column[row / lanes].lane(row % lanes)).mul(reciprocal);
            column[row / lanes].set_lane(row % lanes, u.lane(0));
            for v in below.first..width {
                let updated = column[v].sub_mul(factors[v], u);
                column[v] = below.keep(v, updated, column[v]);
            }
        }
        rows.push(pivot_row);
        pivots.push(pivot);
        reciprocals.push(reciprocal);
        None
    }
}

/// The steps of an outer block, prepared for later columns. Memory is kept from one outer block to the next.
struct OuterBlock<S: Simd, T: Lane> {
    /// Its first column.
    k: usize,
    /// The rows of its pivots; none before the first outer block.
    rows: Vec<usize>,
    reciprocals: Vec<T::Vector<S>>,
    /// Its columns, with all of its exchanges.
    factors: Vec<T::Vector<S>>,
    /// -L in the rows below it.
    packed: Packed<T::Vector<S>>,
}

impl<S: Simd, T: Lane> OuterBlock<S, T> {
    fn new() -> Self {
        Self { k: 0, rows: Vec::new(), reciprocals: Vec::new(), factors: Vec::new(), packed: Packed::new() }
    }

    /// Takes the last steps, those of `columns` from column k on, which were factored in panels.
    #[inline(always)]
    fn prepare(&mut self, k: usize, panel: usize, steps: &Steps<S, T>, columns: &[T::Vector<S>], width: usize) {
        self.k = k;
        self.rows.clear();
        self.rows.extend_from_slice(&steps.rows[k..]);
        self.reciprocals.clear();
        self.reciprocals.extend_from_slice(&steps.reciprocals[k..]);
        self.factors.clear();
        self.factors.extend_from_slice(columns);
        for (own, columns) in self.factors.chunks_mut(panel * width).enumerate() {
            for column in columns.chunks_exact_mut(width) {
                for (b, &row) in self.rows.iter().enumerate().skip((own + 1) * panel) {
                    swap::<S, T>(column, k + b, row);
                }
            }
        }
        // The next outer block begins at a vector.
        self.packed.pack::<S, T, true>(&self.factors, width, steps.rows.len() / T::Vector::<S>::LANES);
    }

    /// Takes all steps to later columns.
    #[inline(always)]
    fn take(&self, simd: S, way: Way, columns: &mut [T::Vector<S>], numbers: &[T::Real]) {
        if self.rows.is_empty() {
            return;
        }
        let (width, panel) = (self.packed.width, way.tuning.block);
        let some = |columns: &mut [T::Vector<S>]| self.take_to_some(simd, panel, columns, numbers);
        if way.shared {
            let size = width * shared_columns(columns.len() / width, rayon::current_num_threads());
            columns.par_chunks_mut(size).for_each(some);
        } else {
            columns.chunks_mut(UPDATE_COLUMNS * width).for_each(some);
        }
    }

    /// The same to at most [`UPDATE_COLUMNS`] columns: panel by panel in its own rows, then at once in those below.
    fn take_to_some(&self, simd: S, panel: usize, columns: &mut [T::Vector<S>], numbers: &[T::Real]) {
        let &Self { k, ref rows, ref reciprocals, ref factors, ref packed } = self;
        let (width, lanes, depth) = (packed.width, T::Vector::<S>::LANES, rows.len());
        apart::<0, _, _>(
            simd,
            #[inline(always)]
            || {
                for column in columns.chunks_exact_mut(width) {
                    for (b, &row) in rows.iter().enumerate() {
                        swap::<S, T>(column, k + b, row);
                    }
                }
                for first in (0..depth).step_by(panel) {
                    let own = first..depth.min(first + panel);
                    let factors = &factors[first * width..own.end * width];
                    Panel::<S, T>::new(simd, k + first, &[], factors, &reciprocals[own], numbers).apply(
                        simd,
                        columns,
                        (k + depth) / lanes,
                    );
                }
                let mut pivots = [[T::ZERO; DEPTH]; UPDATE_COLUMNS];
                let pivots = &mut pivots[..columns.len() / width];
                for (column, pivots) in columns.chunks_exact(width).zip(pivots.iter_mut()) {
                    for (row, pivot) in (k..k + depth).zip(pivots) {
                        *pivot = column[row / lanes].lane(row % lanes);
                    }
                }
                packed.add::<S, T>(simd, columns, pivots);
            },
        );
    }
}

/// The rows from some row on.
struct Below<S: Simd, T: Lane> {
    /// The first vector that holds any.
    first: usize,
    /// The lanes of that vector that do.
    mask: Mask<Magnitude<T, S>, S>,
}

impl<S: Simd, T: Lane> Below<S, T> {
    /// The rows from `row` on, which may be the number of lanes of a column.
    #[inline(always)]
    fn new(simd: S, numbers: &[T::Real], row: usize) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let first = row / lanes;
        let start = (first * lanes).min(numbers.len() - lanes);
        let numbers = Magnitude::<T, S>::from_slice(simd, &numbers[start..][..lanes]);
        Self { first, mask: numbers.simd_ge(Magnitude::<T, S>::splat(simd, T::Real::from_f64(row as f64))) }
    }

    /// `new` in these rows, `old` in those above.
    #[inline(always)]
    fn keep(&self, vector: usize, new: T::Vector<S>, old: T::Vector<S>) -> T::Vector<S> {
        if vector == self.first { Vector::select(self.mask, new, old) } else { new }
    }
}

/// The steps of a panel, for other columns.
struct Panel<'a, S: Simd, T: Lane> {
    /// The panel's first column.
    k: usize,
    /// The rows of its pivots, unless they are exchanged already.
    rows: &'a [usize],
    factors: &'a [T::Vector<S>],
    reciprocals: &'a [T::Vector<S>],
    /// Element (b, e) of L in the rows of the pivots, in every lane.
    corner: [[T::Vector<S>; PANEL]; PANEL],
    below: Below<S, T>,
    width: usize,
}

impl<'a, S: Simd, T: Lane> Panel<'a, S, T> {
    #[inline(always)]
    fn new(
        simd: S,
        k: usize,
        rows: &'a [usize],
        factors: &'a [T::Vector<S>],
        reciprocals: &'a [T::Vector<S>],
        numbers: &[T::Real],
    ) -> Self {
        let lanes = T::Vector::<S>::LANES;
        let width = numbers.len() / lanes;
        let mut corner = [[T::Vector::<S>::splat(simd, T::ZERO); PANEL]; PANEL];
        for (b, row) in corner[..reciprocals.len()].iter_mut().enumerate() {
            for (e, element) in row[..b].iter_mut().enumerate() {
                let at = k + b;
                *element = T::Vector::<S>::splat(simd, factors[e * width + at / lanes].lane(at % lanes));
            }
        }
        Self { k, rows, factors, reciprocals, corner, below: Below::new(simd, numbers, k + reciprocals.len()), width }
    }

    /// Takes all steps to the columns, as far down as their vector `end`.
    #[inline(never)]
    fn apply(&self, simd: S, columns: &mut [T::Vector<S>], end: usize) {
        simd.vectorize(
            #[inline(always)]
            || {
                // Two real columns share the loads of L; registers do not hold two complex ones.
                let (mut rest, width) = (columns, self.width);
                while T::Vector::<S>::PARTS == 1 && rest.len() >= COLUMNS_TOGETHER * width {
                    let (group, others) = rest.split_at_mut(COLUMNS_TOGETHER * width);
                    if self.reciprocals.len() == PANEL {
                        self.update::<PANEL, COLUMNS_TOGETHER>(simd, group, end);
                    } else {
                        self.update::<0, COLUMNS_TOGETHER>(simd, group, end);
                    }
                    rest = others;
                }
                for column in rest.chunks_exact_mut(width) {
                    self.update::<0, 1>(simd, column, end);
                }
            },
        );
    }

    /// Takes its P steps, or as many as there are if P is 0, to some columns.
    #[inline(always)]
    fn update<const P: usize, const COLUMNS: usize>(&self, simd: S, columns: &mut [T::Vector<S>], end: usize) {
        let (lanes, width, k) = (T::Vector::<S>::LANES, self.width, self.k);
        let steps = if P > 0 { P } else { self.reciprocals.len() };
        let mut pivots = [[T::Vector::<S>::splat(simd, T::ZERO); COLUMNS]; PANEL];
        for c in 0..COLUMNS {
            let column = &mut columns[c * width..][..width];
            for (b, &row) in self.rows.iter().enumerate() {
                swap::<S, T>(column, k + b, row);
            }
            for b in 0..steps {
                let mut u = T::Vector::<S>::splat(simd, column[(k + b) / lanes].lane((k + b) % lanes));
                for e in 0..b {
                    u = u.sub_mul(self.corner[b][e], pivots[e][c]);
                }
                pivots[b][c] = u.mul(self.reciprocals[b]);
            }
            for b in 0..steps {
                column[(k + b) / lanes].set_lane((k + b) % lanes, pivots[b][c].lane(0));
            }
        }
        for v in self.below.first..end {
            let mut sums = [pivots[0][0]; COLUMNS];
            for c in 0..COLUMNS {
                sums[c] = columns[c * width + v];
            }
            for b in 0..steps {
                let factor = self.factors[b * width + v];
                for c in 0..COLUMNS {
                    sums[c] = sums[c].sub_mul(factor, pivots[b][c]);
                }
            }
            for c in 0..COLUMNS {
                let place = &mut columns[c * width + v];
                *place = self.below.keep(v, sums[c], *place);
            }
        }
    }
}

/// Exchanges two rows of a column.
#[inline(always)]
fn swap<S: Simd, T: Lane>(column: &mut [T::Vector<S>], i: usize, j: usize) {
    if i != j {
        let lanes = T::Vector::<S>::LANES;
        let (x, y) = (column[i / lanes].lane(i % lanes), column[j / lanes].lane(j % lanes));
        column[i / lanes].set_lane(i % lanes, y);
        column[j / lanes].set_lane(j % lanes, x);
    }
}
