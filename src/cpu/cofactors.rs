//! Cofactor matrices of orders 1 to 3, a matrix per lane.
//!
//! A cofactor of order 3 is p s - q r for four elements, and indices that wrap around give it the right sign. With fused
//! multiply-adds, the rounding errors of both products are made up for: see `Vector::determinant`.

#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::balance::survey::Survey;
use crate::cpu::frame::settle;
use crate::cpu::memory::fixed;
use crate::cpu::simd::element::{shifted, split_element, times_power};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::Scalar;
use crate::data::status::Status;

/// Matrices of order N in vectors.
type Matrices<S, T, const N: usize> = [[<T as Lane>::Vector<S>; N]; N];

/// Writes the cofactor matrices of whole groups. On a thread that `flushes` subnormal numbers, nothing computes with
/// them.
#[inline(always)]
pub fn run<S: Simd, T: Lane>(
    simd: S,
    (order, flushes): (usize, bool),
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    match order {
        1 => groups::<S, T, 1>(simd, flushes, input, output, statuses),
        2 => groups::<S, T, 2>(simd, flushes, input, output, statuses),
        3 => groups::<S, T, 3>(simd, flushes, input, output, statuses),
        _ => unreachable!("a plan for cofactor matrices has an order of at most 3"),
    }
}

#[inline(never)]
fn groups<S: Simd, T: Lane, const N: usize>(
    simd: S,
    flushes: bool,
    input: &[T],
    output: &mut [T],
    statuses: &mut [Status],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let lanes = T::Vector::<S>::LANES;
            let mut a = [[T::Vector::<S>::splat(simd, T::ZERO); N]; N];
            let groups = input.chunks_exact(N * N * lanes).zip(output.chunks_exact_mut(N * N * lanes));
            for ((input, output), statuses) in groups.zip(statuses.chunks_exact_mut(lanes)) {
                let (input, output) = (bytemuck::cast_slice(input), bytemuck::cast_slice_mut(output));
                statuses.fill(Status::INVERTED);
                let in_window = fixed::load::<S, T, N>(simd, input, &mut a);
                let mut cofactors = cofactors::<S, T, N>(simd, &a);
                if !in_window || flushes {
                    // By a copy, so that the usual path stays in registers.
                    let mut copy = cofactors;
                    beyond_window::<S, T, N>(simd, &{ a }, &mut copy, statuses);
                    cofactors = copy;
                }
                if !fixed::store::<S, T, N>(simd, &cofactors, output) {
                    let mut copy = cofactors;
                    settle::<S, T>(simd, N, copy.as_flattened_mut(), statuses);
                    fixed::store::<S, T, N>(simd, &copy, output);
                }
            }
        },
    );
}

/// The cofactor matrices of matrices in the window.
#[inline(always)]
fn cofactors<S: Simd, T: Lane, const N: usize>(simd: S, a: &Matrices<S, T, N>) -> Matrices<S, T, N> {
    let (zero, one) = (T::Vector::<S>::splat(simd, T::ZERO), T::Vector::<S>::splat(simd, T::ONE));
    let mut cofactors = [[one; N]; N];
    for i in 0..N {
        for j in 0..N {
            cofactors[i][j] = match N {
                // NaN if the element is not finite.
                1 => one.sub_mul(zero, a[i][j]),
                2 if i == j => a[1 - i][1 - j],
                2 => negated::<S, T>(a[1 - i][1 - j]),
                _ => {
                    let [[p, q], [r, s]] = minor::<S, T, N>(a, i, j);
                    Vector::determinant([[p, q], [r, s]]).0
                }
            };
        }
    }
    cofactors
}

/// The elements beside row i and column j, which wrap around.
#[inline(always)]
fn minor<S: Simd, T: Lane, const N: usize>(a: &Matrices<S, T, N>, i: usize, j: usize) -> [[T::Vector<S>; 2]; 2] {
    let ([upper, lower], [left, right]) = ([(i + 1) % N, (i + 2) % N], [(j + 1) % N, (j + 2) % N]);
    [[a[upper][left], a[upper][right]], [a[lower][left], a[lower][right]]]
}

#[inline(always)]
fn negated<S: Simd, T: Lane>(mut element: T::Vector<S>) -> T::Vector<S> {
    for part in 0..T::Vector::<S>::PARTS {
        element.set_part(part, -element.part(part));
    }
    element
}

/// Marks the matrices that are not finite, and finds the cofactors of order 3 of those that leave the window: by
/// significands and exponents, so that products neither overflow nor underflow.
#[inline(never)]
fn beyond_window<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &Matrices<S, T, N>,
    cofactors: &mut Matrices<S, T, N>,
    statuses: &mut [Status],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut survey = Survey::<S, T>::new(simd);
            for x in a.as_flattened() {
                for part in 0..T::Vector::<S>::PARTS {
                    survey.see(simd, x.part(part));
                }
            }
            let poisoned = survey.poisoned(simd).to_bitmask();
            for (lane, status) in statuses.iter_mut().enumerate() {
                *status = if poisoned >> lane & 1 == 1 { Status::NOT_FINITE } else { *status };
            }
            let outside = survey.outside(simd);
            if N == 3 && outside.any_true() {
                by_exponents::<S, T, N>(simd, a, outside, cofactors);
            }
        },
    );
}

/// Replaces the cofactors of order 3 in some lanes.
#[inline(always)]
fn by_exponents<S: Simd, T: Lane, const N: usize>(
    simd: S,
    a: &Matrices<S, T, N>,
    lanes: Mask<Magnitude<T, S>, S>,
    cofactors: &mut Matrices<S, T, N>,
) {
    let mut elements = *a;
    let mut exponents = [[Magnitude::<T, S>::splat(simd, T::Real::ZERO); N]; N];
    for i in 0..N {
        for j in 0..N {
            (elements[i][j], exponents[i][j]) = split_element::<S, T>(simd, a[i][j], true);
        }
    }
    for i in 0..N {
        for j in 0..N {
            let ([upper, lower], [left, right]) = ([(i + 1) % N, (i + 2) % N], [(j + 1) % N, (j + 2) % N]);
            let [[p, q], [r, s]] = minor::<S, T, N>(&elements, i, j);
            let of_ps = exponents[upper][left] + exponents[lower][right];
            let of_qr = exponents[upper][right] + exponents[lower][left];
            let exponent = of_ps.max(of_qr);
            let beside_s = times_power::<S, T>(simd, p, of_ps - exponent);
            let beside_r = times_power::<S, T>(simd, q, of_qr - exponent);
            let (difference, _) = Vector::determinant([[beside_s, beside_r], [r, s]]);
            let [[cofactor]] = shifted::<S, T, 1>(simd, [[difference]], [[exponent]]);
            cofactors[i][j] = Vector::select(lanes, cofactor, cofactors[i][j]);
        }
    }
}
