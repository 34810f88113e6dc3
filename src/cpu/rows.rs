//! `rows`: one matrix at a time, its rows in SIMD vectors, one pivot to a pass.
//!
//! The elimination of `lanes`, turned by a quarter: every element takes the same operations in the same order, so
//! that both give the same bits. It serves stacks too short to fill lanes.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::pair;
use super::single::{Matrix, swap_rows};
use super::vector::{Magnitude, Vector};
use crate::scalar::{Real, Scalar};

/// Inverts in place, but for the order of the columns. Returns the column, from 0, of the first zero pivot.
#[inline(always)]
pub fn eliminate<S: Simd, T: Scalar>(simd: S, matrix: &mut Matrix<'_, T::Vector<S>>) -> Option<usize> {
    if matrix.n == 2 && invert_pair::<S, T>(simd, matrix) {
        return None;
    }
    for k in 0..matrix.n {
        let Some(pivot_row) = step::<S, T>(simd, matrix, k) else {
            return Some(k);
        };
        matrix.origins.swap(k, pivot_row);
    }
    None
}

/// One step: finds the pivot of column k in rows k and below, exchanges its row with row k, and eliminates the column in
/// place. Returns the row where the pivot was, or `None` where it is zero.
#[inline(always)]
fn step<S: Simd, T: Scalar>(simd: S, matrix: &mut Matrix<'_, T::Vector<S>>, k: usize) -> Option<usize> {
    let Matrix { a, pivots, width, .. } = matrix;
    let width = *width;
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

    // Lane `lane` is replaced in registers: a scalar stored into a vector that is loaded next stalls the core.
    let numbers = Magnitude::<T, S>::from_fn(simd, number::<T>);
    let here = numbers.simd_eq(Magnitude::<T, S>::splat(simd, number::<T>(lane)));
    let zero = T::Vector::<S>::splat(simd, T::ZERO);

    // The pivot row over the pivot; where the pivot stood, 1 / pivot.
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

/// Order 2, where its determinant is to be trusted. Returns whether it is; if not, nothing has changed.
#[inline(always)]
fn invert_pair<S: Simd, T: Scalar>(simd: S, matrix: &mut Matrix<'_, T::Vector<S>>) -> bool {
    let Matrix { a, width, .. } = matrix;
    let lanes = T::Vector::<S>::LANES;
    let element = |i: usize, j: usize| T::Vector::<S>::splat(simd, a[i * *width + j / lanes].lane(j % lanes));
    let pair = [[element(0, 0), element(0, 1)], [element(1, 0), element(1, 1)]];
    let (determinant, trusted) = pair::determinant::<S, T>(simd, pair);
    if !trusted.all_true() {
        return false;
    }
    let inverse = pair::invert::<S, T>(simd, pair, determinant);
    for (i, row) in inverse.iter().enumerate() {
        for (j, element) in row.iter().enumerate() {
            let (vector, lane) = (i * *width + j / lanes, j % lanes);
            a[vector].set_lane(lane, element.lane(0));
        }
    }
    true
}

/// A lane's number as a real.
#[inline(always)]
fn number<T: Scalar>(lane: usize) -> T::Real {
    T::Real::from_f64(lane as f64)
}
