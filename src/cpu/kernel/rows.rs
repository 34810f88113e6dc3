//! `rows`: one matrix at a time, its rows in SIMD vectors, one pivot per pass.
//!
//! It is the elimination of `lanes` rotated: every element takes the same operations in the same order, so both give
//! the same bits. It serves stacks too short to fill lanes.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::order2;
use crate::cpu::arithmetic::Arithmetic;
use crate::cpu::balance::small;
use crate::cpu::frame::{Kernel, Settings, Vectors};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling;
use crate::data::status::Status;
use crate::plan::cpu::{CpuTuning, ROWS_ON_STACK};

/// One matrix.
pub struct Rows<S: Simd, A: Arithmetic> {
    /// Row i in `width` vectors from i * width on, and one more row; lanes beyond column n - 1 are zero. A small matrix
    /// stands in `small`.
    vectors: Vec<Vectors<S, A>>,
    small: [Vectors<S, A>; ROWS_ON_STACK],
    n: usize,
    width: usize,
    flushes: bool,
    /// The row of the input that became row k.
    permutation: [u32; CpuTuning::LANES_MAX_ORDER],
}

/// A matrix in rows of `width` vectors, and room for one more row.
struct Matrix<'a, V> {
    a: &'a mut [V],
    pivots: &'a mut [V],
    width: usize,
}

impl<S: Simd, A: Arithmetic> Rows<S, A> {
    #[inline(always)]
    fn matrix(&mut self) -> Matrix<'_, Vectors<S, A>> {
        let (rows, all) = (self.n * self.width, (self.n + 1) * self.width);
        let vectors = if all <= ROWS_ON_STACK { &mut self.small[..all] } else { &mut self.vectors[..all] };
        let (a, pivots) = vectors.split_at_mut(rows);
        Matrix { a, pivots, width: self.width }
    }
}

impl<S: Simd, A: Arithmetic> Kernel<S, A> for Rows<S, A> {
    type Kept = Vec<Vectors<S, A>>;
    type ZeroPivots = Option<usize>;
    const MATRIX_PER_LANE: bool = false;

    #[inline(always)]
    fn open(simd: S, settings: &Settings, kept: &mut Self::Kept) -> Self {
        let zero = Vectors::<S, A>::splat(simd, A::Work::ZERO);
        let (n, width) = (settings.order, settings.order.div_ceil(Vectors::<S, A>::LANES));
        let mut vectors = std::mem::take(kept);
        if (n + 1) * width > ROWS_ON_STACK {
            vectors.resize((n + 1) * width, zero);
        }
        let permutation = [0; CpuTuning::LANES_MAX_ORDER];
        Self { vectors, small: [zero; ROWS_ON_STACK], n, width, flushes: settings.flushes, permutation }
    }

    #[inline(always)]
    fn close(self, kept: &mut Self::Kept) {
        *kept = self.vectors;
    }

    #[inline(always)]
    fn load(&mut self, simd: S, input: &[A::Element]) -> bool {
        let lanes = Vectors::<S, A>::LANES;
        let (n, flushes, mut in_window) = (self.n, self.flushes, true);
        let window = if n == 2 { order2::window::<A::Work>() } else { scaling::window::<A::Work>() };
        self.permutation = std::array::from_fn(|i| i as u32);
        let Matrix { a, pivots, width } = self.matrix();
        // An earlier matrix may have left NaN beyond column n - 1.
        a.fill(Vectors::<S, A>::splat(simd, A::Work::ZERO));
        pivots.fill(Vectors::<S, A>::splat(simd, A::Work::ZERO));
        for (row, elements) in a.chunks_exact_mut(width).zip(input.chunks_exact(n)) {
            for (vector, elements) in row.iter_mut().zip(elements.chunks(lanes)) {
                for (lane, &element) in elements.iter().enumerate() {
                    let element = A::widen(element, flushes);
                    in_window &= element.finite() & scaling::in_window(element, window);
                    vector.set_lane(lane, element);
                }
            }
        }
        in_window
    }

    #[inline(always)]
    fn vectors(&mut self) -> &mut [Vectors<S, A>] {
        self.matrix().a
    }

    #[inline(always)]
    fn invert_unusual(&mut self, simd: S, settings: &Settings, statuses: &mut [Status]) -> bool {
        if !small::suits::<S, A::Work>(self.n) {
            return false;
        }
        statuses[0] = invert_small::<S, A::Work>(simd, settings, self.matrix());
        true
    }

    fn replace(&mut self, elements: &[A::Work]) {
        let (n, lanes) = (self.n, Vectors::<S, A>::LANES);
        let Matrix { a, width, .. } = self.matrix();
        for (row, elements) in a.chunks_exact_mut(width).zip(elements.chunks_exact(n)) {
            for (j, &element) in elements.iter().enumerate() {
                row[j / lanes].set_lane(j % lanes, element);
            }
        }
    }

    #[inline(always)]
    fn eliminate(&mut self, simd: S, _: &Prefetch<'_>) -> Option<usize> {
        if self.n == 2
            && let Some(zero_pivot) = invert_pair::<S, A::Work>(simd, self.matrix())
        {
            return zero_pivot;
        }
        for k in 0..self.n {
            let Some(pivot_row) = step::<S, A::Work>(simd, self.matrix(), k) else {
                return Some(k);
            };
            self.permutation.swap(k, pivot_row);
        }
        None
    }

    #[inline(always)]
    fn store(&mut self, _: S, output: &mut [A::Element]) -> bool {
        let (n, lanes, permutation) = (self.n, Vectors::<S, A>::LANES, self.permutation);
        let flushes = self.flushes;
        let Matrix { a, width, .. } = self.matrix();
        let mut finite = true;
        for (row, vectors) in output.chunks_exact_mut(n).zip(a.chunks_exact(width)) {
            for (j, &column) in permutation[..n].iter().enumerate() {
                let element = A::narrow(vectors[j / lanes].lane(j % lanes), flushes);
                finite &= element.finite();
                row[column as usize] = element;
            }
        }
        finite
    }
}

/// Finds the pivot of column k in rows k and below, exchanges its row with row k, and eliminates the column in place.
/// Returns the row of the pivot, or `None` if it is zero.
#[inline(always)]
fn step<S: Simd, T: Lane>(simd: S, matrix: Matrix<'_, T::Vector<S>>, k: usize) -> Option<usize> {
    let Matrix { a, pivots, width } = matrix;
    let lanes = T::Vector::<S>::LANES;
    let (vector, lane) = (k / lanes, k % lanes);

    // The first maximum of |re| + |im|.
    let mut best = a[k * width + vector].lane(lane).pivot_magnitude();
    let mut pivot_row = k;
    for (i, row) in a.chunks_exact(width).enumerate().skip(k + 1) {
        let magnitude = row[vector].lane(lane).pivot_magnitude();
        if magnitude > best {
            (best, pivot_row) = (magnitude, i);
        }
    }
    if best == T::Real::ZERO {
        return None;
    }
    swap_rows(a, width, k, pivot_row);

    // Lane `lane` is replaced in registers: storing a scalar into a vector that is loaded next would stall the core.
    let numbers = Magnitude::<T, S>::from_fn(simd, lane_number::<T>);
    let here = numbers.simd_eq(Magnitude::<T, S>::splat(simd, lane_number::<T>(lane)));
    let zero = T::Vector::<S>::splat(simd, T::ZERO);

    // Divide the pivot row by the pivot; 1 / pivot takes the place of the pivot.
    let row_k = &mut a[k * width..][..width];
    let reciprocal = T::Vector::<S>::splat(simd, row_k[vector].lane(lane)).reciprocal(simd);
    for (j, (pivot, x)) in pivots.iter_mut().zip(row_k.iter_mut()).enumerate() {
        *pivot = x.mul(reciprocal);
        if j == vector {
            *pivot = Vector::select(here, reciprocal, *pivot);
        }
        *x = *pivot;
    }

    let (pivots_before, rest) = pivots.split_at(vector);
    let (pivot_here, pivots_after) = (rest[0], &rest[1..]);
    for (i, row) in a.chunks_exact_mut(width).enumerate() {
        if i != k {
            let (before, rest) = row.split_at_mut(vector);
            let (x_here, after) = rest.split_first_mut().expect("the column lies in the row");
            let factor = T::Vector::<S>::splat(simd, x_here.lane(lane));
            for (x, &pivot) in before.iter_mut().zip(pivots_before) {
                *x = x.sub_mul(factor, pivot);
            }
            *x_here = T::Vector::<S>::select(here, zero, *x_here).sub_mul(factor, pivot_here);
            for (x, &pivot) in after.iter_mut().zip(pivots_after) {
                *x = x.sub_mul(factor, pivot);
            }
        }
    }
    Some(pivot_row)
}

/// Exchanges two rows of `width` vectors.
#[inline(always)]
fn swap_rows<V>(a: &mut [V], width: usize, i: usize, j: usize) {
    if i != j {
        let (above, below) = a.split_at_mut(i.max(j) * width);
        above[i.min(j) * width..][..width].swap_with_slice(&mut below[..width]);
    }
}

/// Inverts a number, or a matrix of order 2, that may be unusual, and returns its status.
#[inline(always)]
fn invert_small<S: Simd, T: Lane>(simd: S, settings: &Settings, matrix: Matrix<'_, T::Vector<S>>) -> Status {
    let (Matrix { a, width, .. }, n) = (matrix, settings.order);
    let lanes = T::Vector::<S>::LANES;
    let at = |index: usize| (index / n * width + index % n / lanes, index % n % lanes);
    let mut elements = [T::Vector::<S>::splat(simd, T::ZERO); 4];
    for (index, element) in elements[..n * n].iter_mut().enumerate() {
        let (vector, lane) = at(index);
        *element = T::Vector::<S>::splat(simd, a[vector].lane(lane));
    }
    let mut statuses = [Status::INVERTED; MAX_LANES];
    match n {
        1 => small::invert::<S, T, 1>(simd, settings.flushes, &mut elements[..1], &mut statuses),
        _ => small::invert::<S, T, 2>(simd, settings.flushes, &mut elements, &mut statuses),
    }
    for (index, element) in elements[..n * n].iter().enumerate() {
        let (vector, lane) = at(index);
        a[vector].set_lane(lane, element.lane(0));
    }
    statuses[0]
}

/// Order 2 by its determinant. Returns the column of a zero pivot, if there is one; or `None`, and nothing has changed,
/// if the pivots decide.
#[inline(always)]
fn invert_pair<S: Simd, T: Lane>(simd: S, matrix: Matrix<'_, T::Vector<S>>) -> Option<Option<usize>> {
    let Matrix { a, width, .. } = matrix;
    let lanes = T::Vector::<S>::LANES;
    let element = |i: usize, j: usize| T::Vector::<S>::splat(simd, a[i * width + j / lanes].lane(j % lanes));
    let pair = [[element(0, 0), element(0, 1)], [element(1, 0), element(1, 1)]];
    let (determinant, regular) = Vector::determinant(simd, pair);
    if !regular.all_true() {
        let decides = order2::decides::<S, T>();
        return decides.then(|| Some(usize::from(order2::zero_pivots::<S, T>(simd, pair, !regular)[0] == 0)));
    }
    let inverse = order2::invert::<S, T>(simd, pair, determinant);
    for (i, row) in inverse.iter().enumerate() {
        for (j, element) in row.iter().enumerate() {
            let (vector, lane) = (i * width + j / lanes, j % lanes);
            a[vector].set_lane(lane, element.lane(0));
        }
    }
    Some(None)
}

/// A lane number as a real.
#[inline(always)]
fn lane_number<T: Scalar>(lane: usize) -> T::Real {
    T::Real::from_f64(lane as f64)
}
