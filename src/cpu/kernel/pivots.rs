//! The choice of pivots when every lane holds a matrix of its own, and the permutation that it leaves.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{RealLane, Vector};
use crate::data::scalar::{Real, Scalar};

/// A row number in every lane, as a real.
#[inline(always)]
pub fn number<S: Simd, T: Lane>(simd: S, row: usize) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(row as f64))
}

/// The row numbers from `first` on.
#[inline(always)]
pub fn numbers<S: Simd, T: Lane>(simd: S, first: usize) -> impl Iterator<Item = Magnitude<T, S>> {
    T::Real::NUMBERS[first..].iter().map(
        #[inline(always)]
        move |&number| Magnitude::<T, S>::splat(simd, number),
    )
}

/// The search for a pivot: in every lane, the row of the first maximum of |re| + |im|. NaN is chosen in the first row
/// only, as if one row were compared after another.
#[derive(Clone, Copy)]
pub struct Maximum<S: Simd, T: Lane> {
    best: Magnitude<T, S>,
    at: Magnitude<T, S>,
}

impl<S: Simd, T: Lane> Maximum<S, T> {
    /// Begins with an element of this row.
    #[inline(always)]
    pub fn new(element: T::Vector<S>, row: Magnitude<T, S>) -> Self {
        Self { best: element.magnitude(), at: row }
    }

    /// Takes in the element of a later row.
    #[inline(always)]
    pub fn see(&mut self, element: T::Vector<S>, row: Magnitude<T, S>) {
        let magnitude = element.magnitude();
        let better = magnitude.simd_gt(self.best);
        self.best = better.select(magnitude, self.best);
        self.at = better.select(row, self.at);
    }

    /// The rows, and the lanes where the maximum is zero, as a bit mask.
    #[inline(always)]
    pub fn found(self, simd: S) -> (Magnitude<T, S>, u64) {
        (self.at, self.best.simd_eq(Magnitude::<T, S>::splat(simd, T::Real::ZERO)).to_bitmask())
    }
}

/// The pivot of a column from row k on.
#[inline(always)]
pub fn first_maximum<S: Simd, T: Lane>(simd: S, column: &[T::Vector<S>], k: usize) -> (Magnitude<T, S>, u64) {
    let mut maximum = Maximum::<S, T>::new(column[k], number::<S, T>(simd, k));
    for (&x, row) in column[k + 1..].iter().zip(numbers::<S, T>(simd, k + 1)) {
        maximum.see(x, row);
    }
    maximum.found(simd)
}

/// Divides the pivot row by the pivot in column `at`, where 1 / pivot begins a column of the inverse.
#[inline(always)]
pub fn divide<S: Simd, T: Lane>(simd: S, row: &mut [T::Vector<S>], at: usize) {
    let reciprocal = row[at].reciprocal(simd);
    for x in row.iter_mut() {
        *x = x.mul(reciprocal);
    }
    row[at] = reciprocal;
}

/// Puts the columns of one row in order: exchanging rows of a matrix exchanges columns of its inverse, in reverse
/// order.
#[inline(always)]
pub fn undo<S: Simd, T: Lane>(simd: S, row: &mut [T::Vector<S>], pivots: &[Magnitude<T, S>]) {
    let n = pivots.len();
    for k in (0..n).rev() {
        // It stays in a register for all of its exchanges.
        let mut x = row[k];
        for (place, j) in row[k + 1..n].iter_mut().zip(numbers::<S, T>(simd, k + 1)) {
            let here = pivots[k].simd_eq(j);
            let y = *place;
            *place = Vector::select(here, x, y);
            x = Vector::select(here, y, x);
        }
        row[k] = x;
    }
}

/// The opposite of [`undo`], for a row of reals.
#[inline(always)]
pub fn permute<S: Simd, T: Lane>(simd: S, row: &mut [Magnitude<T, S>], pivots: &[Magnitude<T, S>]) {
    let n = row.len();
    for k in 0..n {
        let mut x = row[k];
        for (place, j) in row[k + 1..n].iter_mut().zip(numbers::<S, T>(simd, k + 1)) {
            let here = pivots[k].simd_eq(j);
            let y = *place;
            *place = here.select(x, y);
            x = here.select(y, x);
        }
        row[k] = x;
    }
}

/// [`undo`] between two rows, of which each step reads one and writes the other: a select stored to the place it was
/// loaded from becomes a masked store, which the next load waits for. Both rows hold the columns at first. Returns the
/// row that holds the result.
#[inline(always)]
pub fn undo_between<'a, S: Simd, T: Lane>(
    simd: S,
    [mut row, mut other]: [&'a mut [T::Vector<S>]; 2],
    pivots: &[Magnitude<T, S>],
) -> &'a [T::Vector<S>] {
    let n = pivots.len();
    for k in (0..n).rev() {
        let mut x = row[k];
        for ((place, &y), j) in other[k + 1..n].iter_mut().zip(&row[k + 1..n]).zip(numbers::<S, T>(simd, k + 1)) {
            let here = pivots[k].simd_eq(j);
            *place = Vector::select(here, x, y);
            x = Vector::select(here, y, x);
        }
        other[k] = x;
        (row, other) = (other, row);
    }
    row
}
