//! One matrix and its right-hand sides: load, scale, factor; load, scale, solve, unscale, store; and the verdict.

use fearless_simd::{Simd, SimdBase};

use super::blocked::{Factors, Way};
use super::pivot_product::{normalized, product};
use super::scaled::{multiply, zeros_aside_in_window};
use super::solver::{Results, Solver};
use crate::cpu::arithmetic::Native;
use crate::cpu::balance::Balance;
use crate::cpu::balance::alone::{Alone, Kind};
use crate::cpu::frame::{self, Settings};
use crate::cpu::kernel::blocked::Blocked as Inverse;
use crate::cpu::kernel::pivots::number;
use crate::cpu::memory::strips::Strips;
use crate::cpu::simd::exponent::powers;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::determinant::Determinant;
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::rhs_exponent;
use crate::data::status::Status;

/// The working memory for one matrix, kept from matrix to matrix.
pub struct Single<S: Simd, T: Lane> {
    simd: S,
    order: usize,
    flushes: bool,
    way: Way,
    factors: Factors<S, T>,
    alone: Alone,
    scaled: bool,
    /// The verdict on the matrix alone.
    verdict: Status,
    b: Vec<T::Vector<S>>,
    /// For each column of `b` the exponent that leads back.
    back: Vec<i32>,
}

impl<S: Simd, T: Lane> Single<S, T> {
    /// Room for a matrix of this order, which is factored in one way.
    pub fn new(simd: S, order: usize, way: Way, flushes: bool) -> Self {
        Self {
            simd,
            order,
            flushes,
            way,
            factors: Factors::new(simd, order),
            alone: Alone::default(),
            scaled: false,
            verdict: Status::INVERTED,
            b: Vec::new(),
            back: Vec::new(),
        }
    }

    /// Reads a matrix, scales it if its magnitudes need it, and begins its verdict.
    fn load(&mut self, simd: S, matrix: &[T]) {
        let in_window = load::<S, T>(simd, self.order, matrix, &mut self.factors.columns);
        (self.verdict, self.scaled) = (Status::INVERTED, false);
        if !in_window || self.flushes {
            self.scale(simd, matrix);
        }
    }

    /// Gives a matrix with a doubtful pivot the verdict of the inverse, whose elimination rounds in another way above
    /// the orders of `lanes`. Where that finds no zero pivot, the factors get none either: in its place, a unit of
    /// roundoff is an error as small as any other.
    #[inline(never)]
    #[cold]
    fn judge_as_the_inverse(&mut self, simd: S, matrix: &[T], zero_pivot: bool) {
        let (order, tuning, flushes) = (self.order, self.way.tuning, self.flushes);
        let settings = Settings { order, tuning, shared: false, flushes };
        let (mut inverse, mut status) = (vec![T::ZERO; matrix.len()], [Status::INVERTED]);
        let (balance, kept) = (&mut Balance::new(), &mut Default::default());
        frame::run::<S, Native<T>, Inverse<S, Native<T>>>(
            simd,
            &settings,
            balance,
            kept,
            Some(matrix),
            &mut inverse,
            &mut status,
        );
        let [status] = status;
        if status.word() > 0 || (zero_pivot && !status.is_inverted()) {
            self.verdict = status;
        } else if zero_pivot {
            self.load(simd, matrix);
            self.factors.factor(simd, Way { floor: true, ..self.way });
        }
    }

    /// Scales the matrix if its magnitudes need it.
    #[inline(never)]
    #[cold]
    fn scale(&mut self, simd: S, matrix: &[T]) {
        let kind = self.alone.scale::<S, T>(simd, &mut self.factors.columns);
        self.scaled = matches!(kind, Kind::ByOne(_) | Kind::ByRowsAndColumns);
        if kind == Kind::NotFinite {
            self.verdict = Status::NOT_FINITE;
        } else if kind == Kind::ByRowsAndColumns {
            let mut scaled = matrix.to_vec();
            self.alone.scale_rows_and_columns(self.order, &mut scaled);
            load::<S, T>(simd, self.order, &scaled, &mut self.factors.columns);
        }
    }

    /// The determinant.
    #[inline(never)]
    fn determinant(&self) -> Determinant<T> {
        let simd = self.simd;
        match self.verdict.word() {
            0 => {}
            1.. => return Determinant::ZERO,
            _ => return Determinant::NAN,
        }
        simd.vectorize(
            #[inline(always)]
            || {
                let chosen = self.factors.steps.rows.iter().map(|&row| number::<S, T>(simd, row));
                let product = product::<S, T>(simd, self.factors.steps.pivots.iter().copied().zip(chosen));
                let sum = |_| (0..self.order).map(|i| self.alone.row(i) + self.alone.column(i)).sum();
                let mut found = [Determinant::ZERO];
                normalized::<S, T>(&product, |lane| if self.scaled { sum(lane) } else { 0 }, &mut found);
                found[0]
            },
        )
    }

    /// Scales every column of the right-hand side by a power of two of its own.
    #[inline(always)]
    fn scale_rhs(&mut self, simd: S, in_window: bool) {
        self.back.clear();
        let by_elements = self.scaled || self.flushes || !(in_window || zeros_aside_in_window::<S, T>(simd, &self.b));
        for column in self.b.chunks_exact_mut(self.factors.width) {
            if by_elements {
                self.back.push(-scale_by_elements::<S, T>(self.order, &self.alone, self.scaled, column));
                continue;
            }
            let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
            let largest = column.iter().fold(zero, |largest, x| largest.max(x.largest_part())).reduce_max();
            self.back.push(if largest.is_zero() { 0 } else { largest.exponent() });
            let [power, _] = powers(simd, Magnitude::<T, S>::splat(simd, largest));
            for x in column {
                multiply::<S, T>(x, power);
            }
        }
    }

    /// Turns the solution of the scaled system into that of the system itself.
    #[inline(always)]
    fn undo(&mut self) {
        let lanes = T::Vector::<S>::LANES;
        for (column, &back) in self.b.chunks_exact_mut(self.factors.width).zip(&self.back) {
            for j in 0..self.order {
                let own = if self.scaled { self.alone.column(j) } else { 0 };
                if own + back != 0 {
                    let x = column[j / lanes].lane(j % lanes).scaled(own + back);
                    column[j / lanes].set_lane(j % lanes, x);
                }
            }
        }
    }
}

impl<S: Simd, T: Lane> Solver<T> for Single<S, T> {
    fn matrices(&self) -> usize {
        1
    }

    fn factor(&mut self, matrix: &[T]) {
        let simd = self.simd;
        self.load(simd, matrix);
        if !self.verdict.is_inverted() {
            return;
        }
        let zero_pivot = self.factors.factor(simd, self.way);
        if self.order > self.way.tuning.lanes_max_order && (zero_pivot.is_some() || self.factors.steps.doubtful) {
            self.judge_as_the_inverse(simd, matrix, zero_pivot.is_some());
        } else if let Some(column) = zero_pivot {
            self.verdict = if self.scaled {
                self.alone.zero_pivot(self.order, &mut matrix.to_vec(), column)
            } else {
                Status::singular(column + 1)
            };
        }
        // NaN may go unnoticed in the window test, but not on its way to the last pivot.
        if self.verdict.is_inverted() && !self.factors.steps.pivots[self.order - 1].lane(0).finite() {
            self.verdict = Status::NOT_FINITE;
        }
    }

    fn determinants(&self, determinants: &mut [Determinant<T>]) {
        determinants[0] = self.determinant();
    }

    fn solve(&mut self, width: usize, rhs: &[T], Results { elements, statuses }: Results<'_, T>) {
        let simd = self.simd;
        statuses[0] = self.verdict;
        if width == 0 {
            return;
        }
        simd.vectorize(
            #[inline(always)]
            || {
                self.b.resize(width * self.factors.width, T::Vector::<S>::splat(simd, T::ZERO));
                let in_window = load::<S, T>(simd, self.order, rhs, &mut self.b);
                if !in_window && !rhs.iter().all(|element| element.finite()) {
                    statuses[0] = Status::NOT_FINITE;
                }
                if statuses[0].is_inverted() {
                    self.scale_rhs(simd, in_window);
                    self.factors.solve(simd, self.way, &mut self.b);
                    self.undo();
                    if !store::<S, T>(simd, self.order, &self.b, elements) {
                        statuses[0] = Status::NOT_FINITE;
                    }
                }
            },
        );
        if !statuses[0].is_inverted() {
            elements.fill(T::NAN);
        }
    }
}

/// Scales a column of any magnitudes, with the exponents of the matrix's rows. Returns its exponent.
#[inline(never)]
#[cold]
fn scale_by_elements<S: Simd, T: Lane>(order: usize, alone: &Alone, scaled: bool, column: &mut [T::Vector<S>]) -> i32 {
    let lanes = T::Vector::<S>::LANES;
    let row = |i: usize| if scaled { alone.row(i) } else { 0 };
    let at = |column: &[T::Vector<S>], i: usize| column[i / lanes].lane(i % lanes);
    let exponents = (0..order).filter_map(|i| at(column, i).exponents().map(|own| own.map(|own| own + row(i))));
    let range = exponents.reduce(|[bottom, top], [low, high]| [bottom.min(low), top.max(high)]);
    let Some([bottom, top]) = range else { return 0 };
    let exponent = rhs_exponent::<T>(bottom, top, if scaled { alone.least_column() } else { 0 });
    for i in 0..order {
        let x = at(column, i).flushed(row(i) + exponent);
        column[i / lanes].set_lane(i % lanes, x);
    }
    exponent
}

/// Reads a matrix of `order` rows. Returns whether all of its elements lie in the window that needs no scaling; `false`
/// may also mean that there are zeros.
#[inline(never)]
fn load<S: Simd, T: Lane>(simd: S, order: usize, elements: &[T], columns: &mut [T::Vector<S>]) -> bool {
    simd.vectorize(
        #[inline(always)]
        || {
            let (row, lanes) = (elements.len() / order, T::Vector::<S>::LANES);
            let mut strips = Strips::<S, T>::new(simd, order, row);
            for strip in 0..strips.count() {
                strips.load(simd, strip, bytemuck::cast_slice(&elements[strip * lanes * row..]), columns);
            }
            strips.in_window(simd)
        },
    )
}

/// Writes a matrix of `order` rows. Returns whether all of its elements are finite.
#[inline(always)]
fn store<S: Simd, T: Lane>(simd: S, order: usize, columns: &[T::Vector<S>], elements: &mut [T]) -> bool {
    let (row, lanes) = (elements.len() / order, T::Vector::<S>::LANES);
    let mut strips = Strips::<S, T>::new(simd, order, row);
    for strip in 0..strips.count() {
        let target = bytemuck::cast_slice_mut(&mut elements[strip * lanes * row..]);
        strips.store(simd, strip, columns, None, target);
    }
    strips.finite(simd)
}
