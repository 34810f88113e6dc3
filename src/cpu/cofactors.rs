//! Cofactor matrices of orders 1 to 3, a matrix per lane.
//!
//! A cofactor of order 3 is p s - q r for four elements, and indices that wrap around give it the right sign. With
//! fused multiply-adds, the rounding errors of both products are made up for: see `Vector::determinant`.

#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::arithmetic::{Arithmetic, Double, Native};
use crate::cpu::balance::survey::Survey;
use crate::cpu::frame::{Vectors, settle};
use crate::cpu::memory::fixed;
use crate::cpu::simd::element::{Determinant, determinant, raise, split_element};
use crate::cpu::simd::exponent::flushes;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::level::SimdLevel;
use crate::cpu::simd::vector::{Mask, Vector};
use crate::cpu::task::{Operation, Staged, Task, operation};
use crate::data::scalar::Scalar;
use crate::data::status::Status;
use crate::plan::cpu::CpuPlan;

/// Their cofactor matrices.
pub struct Cofactors;

operation!(Cofactors, run);

/// Matrices of order N in vectors.
type Matrices<S, T, const N: usize> = [[<T as Lane>::Vector<S>; N]; N];

/// Runs whole groups as they lie, and in working memory what must be converted or does not fill a group.
#[inline(always)]
fn run<S: Simd, A: Arithmetic>(simd: S, _: &CpuPlan, task: Task<'_, A::Element>) {
    let Task { order, input, elements, statuses } = task;
    let (size, group) = (order * order, Vectors::<S, A>::LANES);
    let (flushes, given) = (flushes(), input.expect("lanes cannot work in place"));
    let whole = statuses.len() / group * group;
    let (matrices, rest) = given.split_at(whole * size);
    let (results, rest_results) = elements.split_at_mut(whole * size);
    let (verdicts, rest_verdicts) = statuses.split_at_mut(whole);
    let mut staged = Staged::new();
    let mut by_groups = |given: &[A::Element], results: &mut [A::Element], verdicts: &mut [Status]| {
        let groups = given.chunks(group * size).zip(results.chunks_mut(group * size));
        for ((given, results), verdicts) in groups.zip(verdicts.chunks_mut(group)) {
            let (from, to, words) = staged.fill::<A>(given, order, group, flushes);
            at_order::<S, A::Work>(simd, (order, flushes), from, to, words);
            staged.empty::<A>(results, verdicts, size, flushes);
        }
    };
    match (A::as_work(matrices), A::as_work_mut(results)) {
        (Some(from), Some(to)) => at_order::<S, A::Work>(simd, (order, flushes), from, to, verdicts),
        _ => by_groups(matrices, &mut *results, verdicts),
    }
    by_groups(rest, rest_results, rest_verdicts);
}

/// Writes the cofactor matrices of whole groups. On a thread that `flushes` subnormal numbers, those that the matrices
/// hold still count.
#[inline(always)]
fn at_order<S: Simd, T: Lane>(
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
                if N == 3 && (!in_window || flushes) {
                    // By a copy, so that the usual path stays in registers.
                    let mut copy = cofactors;
                    beyond_window::<S, T, N>(simd, &{ a }, &mut copy);
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
    let one = T::Vector::<S>::splat(simd, T::ONE);
    let mut cofactors = [[one; N]; N];
    for i in 0..N {
        for j in 0..N {
            cofactors[i][j] = match N {
                1 => one_if_finite::<S, T>(a[i][j], one),
                2 if i == j => a[1 - i][1 - j],
                2 => negated::<S, T>(a[1 - i][1 - j]),
                _ => Vector::determinant(simd, minor(a, i, j)).0,
            };
        }
    }
    cofactors
}

/// The elements beside row i and column j, which wrap around.
#[inline(always)]
fn minor<V: Copy, const N: usize>(a: &[[V; N]; N], i: usize, j: usize) -> [[V; 2]; 2] {
    let ([upper, lower], [left, right]) = ([(i + 1) % N, (i + 2) % N], [(j + 1) % N, (j + 2) % N]);
    [[a[upper][left], a[upper][right]], [a[lower][left], a[lower][right]]]
}

/// 1, or NaN beside an element that is not finite.
#[inline(always)]
fn one_if_finite<S: Simd, T: Lane>(element: T::Vector<S>, mut one: T::Vector<S>) -> T::Vector<S> {
    one.set_part(0, element.poison_any(one.part(0)));
    one
}

#[inline(always)]
fn negated<S: Simd, T: Lane>(mut element: T::Vector<S>) -> T::Vector<S> {
    for part in 0..T::Vector::<S>::PARTS {
        element.set_part(part, -element.part(part));
    }
    element
}

/// Finds the cofactors of order 3 of the matrices that leave the window: by significands and exponents, so that
/// products neither overflow nor underflow. An element that is not finite makes a cofactor so, too.
#[inline(never)]
fn beyond_window<S: Simd, T: Lane, const N: usize>(simd: S, a: &Matrices<S, T, N>, cofactors: &mut Matrices<S, T, N>) {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut survey = Survey::<S, T>::new(simd);
            for x in a.as_flattened() {
                for part in 0..T::Vector::<S>::PARTS {
                    survey.see(simd, x.part(part));
                }
            }
            let outside = survey.outside(simd);
            if outside.any_true() {
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
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut elements = [[(a[0][0], zero); N]; N];
    for i in 0..N {
        for j in 0..N {
            elements[i][j] = split_element::<S, T>(simd, a[i][j], true);
        }
    }
    for i in 0..N {
        for j in 0..N {
            let Determinant { number, exponent, .. } = determinant::<S, T>(simd, minor(&elements, i, j));
            let [cofactor] = raise::<S, T, 1>(simd, [number], [exponent]);
            cofactors[i][j] = Vector::select(lanes, cofactor, cofactors[i][j]);
        }
    }
}
