//! A group of systems with a matrix per lane: load, scale, factor; for each right-hand side load, scale, solve,
//! unscale, store; and the verdicts.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::lanes::Factors;
use super::pivot_product::{normalized, product};
use super::registers;
use super::scaled::Scaled;
use super::solver::{Groups, Results, Solver};
use crate::cpu::balance::Balance;
use crate::cpu::memory::{blocks, rectangles};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::Vector;
use crate::data::determinant::Determinant;
use crate::data::scalar::{Real, Scalar};
use crate::data::status::Status;
use crate::plan::cpu::CpuTuning;

/// The working memory of a group, kept from group to group.
pub struct Group<S: Simd, T: Lane> {
    simd: S,
    order: usize,
    /// True if the thread flushes subnormal numbers to zero.
    flushes: bool,
    /// From row to row of `a`. Odd, so that a column is spread over all sets of a cache.
    stride: usize,
    a: Vec<T::Vector<S>>,
    l: Vec<T::Vector<S>>,
    chosen: Vec<Magnitude<T, S>>,
    pivots: Vec<T::Vector<S>>,
    reciprocals: Vec<T::Vector<S>>,
    zero_pivots: [u64; CpuTuning::LANES_MAX_ORDER],
    balance: Balance<S, T>,
    /// The verdicts on the matrices alone.
    verdicts: [Status; MAX_LANES],
    b: Vec<T::Vector<S>>,
    scaled: Scaled<S, T>,
}

impl<S: Simd, T: Lane> Group<S, T> {
    /// Room for matrices of this order.
    pub fn new(simd: S, order: usize, flushes: bool) -> Self {
        let (zero, stride) = (T::Vector::<S>::splat(simd, T::ZERO), order | 1);
        Self {
            simd,
            order,
            flushes,
            stride,
            a: vec![zero; order * stride],
            l: vec![zero; order * order],
            chosen: vec![zero.magnitude(); order],
            pivots: vec![zero; order],
            reciprocals: vec![zero; order],
            zero_pivots: [0; CpuTuning::LANES_MAX_ORDER],
            balance: Balance::new(),
            verdicts: [Status::INVERTED; MAX_LANES],
            b: Vec::new(),
            scaled: Scaled::new(),
        }
    }

    /// The factors, and the right-hand sides beside them.
    #[inline(always)]
    fn factors(&mut self) -> (Factors<'_, S, T>, &mut [T::Vector<S>]) {
        let Self { stride, a, l, chosen, pivots, reciprocals, zero_pivots, b, .. } = self;
        (Factors { a, stride: *stride, l, chosen, pivots, reciprocals, zero_pivots }, b)
    }
}

impl<S: Simd, T: Lane> Solver<T> for Group<S, T> {
    fn matrices(&self) -> usize {
        T::Vector::<S>::LANES
    }

    fn factor(&mut self, matrices: &[T]) {
        let simd = self.simd;
        simd.vectorize(
            #[inline(always)]
            || {
                let (order, flushes) = (self.order, self.flushes);
                let a = &mut self.a[..order * order];
                let in_window = rectangles::load::<S, T, 0>(simd, bytemuck::cast_slice(matrices), a);
                self.verdicts = [Status::INVERTED; MAX_LANES];
                self.balance.clear();
                if !in_window || flushes {
                    let mut poisoned = self.balance.scale(simd, (order, flushes), a);
                    while poisoned != 0 {
                        self.verdicts[poisoned.trailing_zeros() as usize] = Status::NOT_FINITE;
                        poisoned &= poisoned - 1;
                    }
                }
                for row in (1..order).rev() {
                    self.a.copy_within(row * order..(row + 1) * order, row * self.stride);
                }
                self.factors().0.factor::<0>(simd, order);
                let zero_pivots = &self.zero_pivots[..order];
                if zero_pivots.iter().any(|&lanes| lanes != 0) {
                    let verdicts = &mut self.verdicts[..T::Vector::<S>::LANES];
                    self.balance.judge(simd, order, matrices, zero_pivots, verdicts);
                }
                // NaN may go unnoticed in the window test, but not on its way to the last pivot.
                let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
                let finite = self.pivots[order - 1].poison(zero, zero).simd_eq(zero).to_bitmask();
                for (lane, verdict) in self.verdicts[..T::Vector::<S>::LANES].iter_mut().enumerate() {
                    if finite >> lane & 1 == 0 && verdict.is_inverted() {
                        *verdict = Status::NOT_FINITE;
                    }
                }
            },
        );
    }

    fn determinants(&self, determinants: &mut [Determinant<T>]) {
        let simd = self.simd;
        simd.vectorize(
            #[inline(always)]
            || {
                let steps = self.pivots.iter().copied().zip(self.chosen.iter().copied());
                let product = product::<S, T>(simd, steps);
                let exponents = self.balance.rows_and_columns_of(0);
                let sum = |lane: usize| {
                    let all = exponents.iter().flatten().flat_map(|exponents| exponents.iter());
                    all.map(|exponent| exponent.as_slice()[lane].to_f64()).sum::<f64>() as i32
                };
                normalized::<S, T>(&product, sum, determinants);
                for (place, verdict) in determinants.iter_mut().zip(&self.verdicts) {
                    match verdict.word() {
                        0 => {}
                        1.. => *place = Determinant::ZERO,
                        _ => *place = Determinant::NAN,
                    }
                }
            },
        );
    }

    fn solve(&mut self, width: usize, rhs: &[T], Results { elements, statuses }: Results<'_, T>) {
        let simd = self.simd;
        statuses.copy_from_slice(&self.verdicts[..statuses.len()]);
        if width == 0 {
            return;
        }
        simd.vectorize(
            #[inline(always)]
            || {
                let (order, flushes) = (self.order, self.flushes);
                self.b.resize(order * width, T::Vector::<S>::splat(simd, T::ZERO));
                let in_window = rectangles::load::<S, T, 0>(simd, bytemuck::cast_slice(rhs), &mut self.b);
                let exponents = self.balance.rows_and_columns_of(0);
                let not_finite = self.scaled.scale(simd, (width, in_window, flushes), exponents, &mut self.b);
                let (factors, b) = self.factors();
                factors.solve::<0>(simd, order, width, b);
                let columns = self.balance.rows_and_columns_of(0).map(|[_, columns]| columns);
                self.scaled.undo(simd, flushes, columns, &mut self.b);
                rectangles::store::<S, T, 0>(simd, &self.b, bytemuck::cast_slice_mut(elements));
                let finite = blocks::finite::<S, T>(simd, &self.b);
                if !finite || not_finite != 0 || self.verdicts.iter().any(|verdict| !verdict.is_inverted()) {
                    settle(not_finite, order * width, rhs, elements, statuses);
                }
            },
        );
    }

    fn run_groups(&mut self, groups: Groups<'_, T>) -> bool {
        if const { !registers::suits::<S, T>() } {
            return false;
        }
        match self.order {
            1 => registers::run::<S, T, 1>(self.simd, self, groups),
            2 => registers::run::<S, T, 2>(self.simd, self, groups),
            3 => registers::run::<S, T, 3>(self.simd, self, groups),
            4 => registers::run::<S, T, 4>(self.simd, self, groups),
            _ => return false,
        }
        true
    }
}

/// Finds right-hand sides and solutions that are not finite, and fills the place of what is no solution.
#[inline(never)]
#[cold]
fn settle<T: Scalar>(not_finite: u64, size: usize, rhs: &[T], elements: &mut [T], statuses: &mut [Status]) {
    let systems = rhs.chunks_exact(size).zip(elements.chunks_exact_mut(size));
    for (lane, (status, (rhs, x))) in statuses.iter_mut().zip(systems).enumerate() {
        let finite = |elements: &[T]| elements.iter().all(|element| element.finite());
        if not_finite >> lane & 1 == 1 || !finite(rhs) || (status.is_inverted() && !finite(x)) {
            *status = Status::NOT_FINITE;
        }
        if !status.is_inverted() {
            x.fill(T::NAN);
        }
    }
}
