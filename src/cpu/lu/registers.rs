//! Orders 1 to 4, each compiled by itself: from its load to the store of its solutions a group stays in registers.
//! Several right-hand sides wait in memory and come into registers one by one. What is not usual, a matrix that must be
//! scaled, a zero pivot, a solution that is not finite, is left to `group`, which gives the same bits. Orders 5 to 8
//! would take an eighth less time in the same way, and 2.9 MB of machine code.

#![allow(clippy::needless_range_loop, reason = "closures would not be compiled with the instructions of the level")]

use fearless_simd::Simd;

use super::lanes::Factors;
use super::pivot_product::{normalized, product};
use super::scaled::{all_in_window, multiply, scale_in_window};
use super::solver::{Groups, Results, Solver};
use crate::cpu::memory::{blocks, fixed, rectangles};
use crate::cpu::simd::lane::Lane;
use crate::cpu::simd::vector::Vector;
use crate::data::determinant::Determinant;
use crate::data::status::Status;

/// Returns whether orders are compiled each by itself: with vectors of 16 bytes, it would not pay for its size.
pub const fn suits<S: Simd, T: Lane>() -> bool {
    T::Vector::<S>::LANES * size_of::<T::Real>() > 16
}

/// Runs all groups; a solver of one group takes those that are not usual.
#[inline(never)]
pub fn run<S: Simd, T: Lane, const N: usize>(simd: S, unusual: &mut dyn Solver<T>, groups: Groups<'_, T>) {
    let Groups { a, b, width, results: Results { elements, statuses }, determinants } = groups;
    let mut columns = vec![T::Vector::<S>::splat(simd, T::ZERO); if width > 1 { N * width } else { 0 }];
    simd.vectorize(
        #[inline(always)]
        || {
            let lanes = T::Vector::<S>::LANES;
            let (size, rhs_size) = (lanes * N * N, lanes * N * width);
            let (mut rest, mut rest_statuses, mut rest_determinants) = (elements, statuses, determinants);
            for (index, a) in a.chunks_exact(size).enumerate() {
                let b = &b[index * rhs_size..][..rhs_size];
                let (x, statuses, determinants);
                (x, rest) = rest.split_at_mut(rhs_size);
                (statuses, rest_statuses) = rest_statuses.split_at_mut(lanes.min(rest_statuses.len()));
                (determinants, rest_determinants) = rest_determinants.split_at_mut(lanes.min(rest_determinants.len()));
                if one::<S, T, N>(simd, a, (b, x), &mut columns, determinants) {
                    statuses.fill(Status::INVERTED);
                    continue;
                }
                unusual.factor(a);
                if !determinants.is_empty() {
                    unusual.determinants(determinants);
                }
                if !statuses.is_empty() {
                    unusual.solve(width, b, Results { elements: x, statuses });
                }
            }
        },
    );
}

/// Runs one group. `columns` has room for its right-hand sides if they have several. Returns whether it was usual.
#[inline(always)]
fn one<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &[T],
    (b, x): (&[T], &mut [T]),
    columns: &mut [T::Vector<S>],
    determinants: &mut [Determinant<T>],
) -> bool {
    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    let (mut rows, mut l, mut rhs) = ([[zero; N]; N], [[zero; N]; N], [zero; N]);
    let in_window = fixed::load::<S, T, N>(simd, bytemuck::cast_slice(a), &mut rows);
    if !in_window && !all_in_window::<S, T>(simd, rows.as_flattened()) {
        return false;
    }
    if !columns.is_empty() {
        let in_window = rectangles::load::<S, T, 0>(simd, bytemuck::cast_slice(b), columns);
        if !in_window && !all_in_window::<S, T>(simd, columns) {
            return false;
        }
    } else if !b.is_empty() {
        let in_window = rectangles::load::<S, T, N>(simd, bytemuck::cast_slice(b), &mut rhs);
        if !in_window && !all_in_window::<S, T>(simd, &rhs) {
            return false;
        }
    }
    let (mut chosen, mut pivots, mut reciprocals, mut zero_pivots) =
        ([zero.magnitude(); N], [zero; N], [zero; N], [0; N]);
    let mut factors = Factors::<S, T> {
        a: rows.as_flattened_mut(),
        stride: N,
        l: l.as_flattened_mut(),
        chosen: &mut chosen,
        pivots: &mut pivots,
        reciprocals: &mut reciprocals,
        zero_pivots: &mut zero_pivots,
    };
    factors.factor::<N>(simd, N);
    if factors.zero_pivots.iter().fold(0, |any, lanes| any | lanes) != 0 {
        return false;
    }
    if !columns.is_empty() {
        let width = columns.len() / N;
        for c in 0..width {
            for i in 0..N {
                rhs[i] = columns[i * width + c];
            }
            solve::<S, T, N>(simd, &factors, &mut rhs);
            for i in 0..N {
                columns[i * width + c] = rhs[i];
            }
        }
        if !blocks::finite::<S, T>(simd, columns) {
            return false;
        }
        rectangles::store::<S, T, 0>(simd, columns, bytemuck::cast_slice_mut(x));
    } else if !b.is_empty() {
        solve::<S, T, N>(simd, &factors, &mut rhs);
        if !blocks::finite::<S, T>(simd, &rhs) {
            return false;
        }
        rectangles::store::<S, T, N>(simd, &rhs, bytemuck::cast_slice_mut(x));
    }
    if !determinants.is_empty() {
        let product = product::<S, T>(simd, pivots.into_iter().zip(chosen));
        normalized::<S, T>(&product, |_| 0, determinants);
    }
    true
}

/// Solves for one column, whose elements lie in the window or are 0.
#[inline(always)]
fn solve<S: Simd, T: Lane, const N: usize>(simd: S, factors: &Factors<'_, S, T>, column: &mut [T::Vector<S>; N]) {
    let mut back = [column[0].magnitude()];
    scale_in_window::<S, T>(simd, column, &mut back);
    factors.solve::<N>(simd, N, 1, column);
    for x in column {
        multiply::<S, T>(x, back[0]);
    }
}
