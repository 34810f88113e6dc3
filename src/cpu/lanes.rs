//! `lanes`: one SIMD lane holds one matrix.
//!
//! A group of as many matrices as a vector has lanes is transposed into vectors: vector (i, j) holds element
//! (i, j) of every matrix of the group. Then one elimination runs for all of them at once. Every lane picks its
//! own pivot row, so rows are exchanged by masks: the pivot row is gathered under the masks of the rows that hold
//! it, and row k goes where it came from. The elimination works in place: column k, once eliminated, is column k of
//! the inverse, up to the row exchanges, which become column exchanges at the end.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::scaling::{self, Scaling};
use super::vector::{Magnitude, Vector};
use super::{Arithmetic, transpose};
use crate::inverses::Status;
use crate::scalar::{Real, Scalar};

/// Working memory for one group, kept from group to group.
pub struct Lanes<S: Simd, A: Arithmetic> {
    /// Vector (i, j) at i * n + j.
    a: Vec<Vectors<S, A>>,
    /// The pivot row.
    pivots: Vec<Vectors<S, A>>,
    /// For each step, the row that was exchanged with row k.
    exchanges: Vec<Magnitude<A::Work, S>>,
    /// The group in memory, where it must be converted or made whole.
    staged: Vec<A::Work>,
}

type Vectors<S, A> = <<A as Arithmetic>::Work as Scalar>::Vector<S>;

impl<S: Simd, A: Arithmetic> Lanes<S, A> {
    pub fn new() -> Self {
        Self { a: Vec::new(), pivots: Vec::new(), exchanges: Vec::new(), staged: Vec::new() }
    }
}

/// Inverts up to LANES matrices of `order` n >= 1.
#[inline(always)]
pub fn invert_group<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Lanes<S, A>,
    n: usize,
    input: &[A::Element],
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    let lanes = Vectors::<S, A>::LANES;
    let size = n * n;
    let zero = Vectors::<S, A>::splat(simd, A::Work::ZERO);
    work.a.resize(size, zero);
    work.pivots.resize(n, zero);
    work.exchanges.resize(n, zero.magnitude());
    let Lanes { a, pivots, exchanges, staged } = work;

    let whole = input.len() == lanes * size;
    match A::as_work(input).filter(|_| whole) {
        Some(input) => transpose::load::<S, A::Work>(simd, bytemuck::cast_slice(input), a),
        None => {
            staged.clear();
            staged.extend(input.iter().map(|&element| A::widen(element)));
            // Lanes without a matrix take the identity.
            for index in input.len()..lanes * size {
                staged.push(if index % size % (n + 1) == 0 { A::Work::ONE } else { A::Work::ZERO });
            }
            transpose::load::<S, A::Work>(simd, bytemuck::cast_slice(staged), a);
        }
    }

    let (unusual, poisoned) = survey::<S, A::Work>(simd, a);
    let mut scalings: Vec<(usize, Scaling)> = Vec::new();
    statuses.fill(Status::INVERTED);
    if unusual | poisoned != 0 {
        scale_lanes::<S, A::Work>(a, n, unusual, poisoned, statuses, &mut scalings);
    }

    for k in 0..n {
        let singular = eliminate::<S, A::Work>(simd, a, n, k, pivots, &mut exchanges[k]);
        if singular != 0 {
            for (lane, status) in statuses.iter_mut().enumerate() {
                if singular >> lane & 1 == 1 && status.is_inverted() {
                    let scaling = scalings.iter().find(|(scaled, _)| *scaled == lane);
                    *status = scaling.map_or(Status::singular(k + 1), |(_, scaling)| scaling.zero_pivot(k));
                }
            }
        }
    }
    undo_exchanges::<S, A::Work>(simd, a, n, exchanges);

    let poisoned = poisoned_lanes::<S, A::Work>(simd, a);
    match A::as_work_mut(output).filter(|_| whole) {
        Some(output) => transpose::store::<S, A::Work>(simd, a, bytemuck::cast_slice_mut(output)),
        None => {
            staged.resize(lanes * size, A::Work::ZERO);
            transpose::store::<S, A::Work>(simd, a, bytemuck::cast_slice_mut(staged));
            for (element, &staged) in output.iter_mut().zip(staged.iter()) {
                *element = A::narrow(staged);
            }
        }
    }
    // The usual end: all inverted, and the results are those of the scalar itself.
    if A::NARROWS || poisoned != 0 || !scalings.is_empty() || statuses.iter().any(|status| !status.is_inverted()) {
        settle::<A>(n, output, poisoned, statuses, &scalings);
    }
}

/// Undoes the scaling, finds what is not finite after all, and fills what has no inverse.
#[inline(never)]
fn settle<A: Arithmetic>(
    n: usize,
    output: &mut [A::Element],
    poisoned: u64,
    statuses: &mut [Status],
    scalings: &[(usize, Scaling)],
) {
    for (lane, (matrix, status)) in output.chunks_exact_mut(n * n).zip(statuses).enumerate() {
        if status.is_inverted() {
            if let Some((_, scaling)) = scalings.iter().find(|(scaled, _)| *scaled == lane) {
                for (index, element) in matrix.iter_mut().enumerate() {
                    *element = A::narrow(scaling.undo(index / n, index % n, A::widen(*element)));
                }
            }
            if poisoned >> lane & 1 == 1 || !matrix.iter().all(|element| element.finite()) {
                *status = Status::NOT_FINITE;
            }
        }
        if !status.is_inverted() {
            matrix.fill(A::Element::NAN);
        }
    }
}

/// A row's number in every lane, as a real.
#[inline(always)]
fn index<S: Simd, T: Scalar>(simd: S, i: usize) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(i as f64))
}

/// The lanes whose matrices need scaling, and those that hold NaN or infinity, as bit masks.
#[inline(always)]
fn survey<S: Simd, T: Scalar>(simd: S, a: &[T::Vector<S>]) -> (u64, u64) {
    let (low, high) = scaling::window::<T>();
    let (low, high) = (Magnitude::<T, S>::splat(simd, low), Magnitude::<T, S>::splat(simd, high));
    let (mut smallest, mut largest) = (high, low);
    for vector in a {
        largest = largest.max(vector.largest_part());
        smallest = smallest.min(vector.smallest_part(simd));
    }
    let usual = smallest.simd_ge(low) & largest.simd_le(high);
    (!usual.to_bitmask() & all_lanes::<S, T>(), poisoned_lanes::<S, T>(simd, a))
}

/// The lanes that hold NaN or infinity, as a bit mask.
#[inline(always)]
fn poisoned_lanes<S: Simd, T: Scalar>(simd: S, a: &[T::Vector<S>]) -> u64 {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut poison = zero;
    for vector in a {
        poison = vector.poison(poison, zero);
    }
    !poison.simd_eq(zero).to_bitmask() & all_lanes::<S, T>()
}

#[inline(always)]
fn all_lanes<S: Simd, T: Scalar>() -> u64 {
    u64::MAX >> (64 - T::Vector::<S>::LANES)
}

/// Scales the matrices of `unusual` lanes, and marks those that are not finite. Rare, so one lane after another.
#[inline(never)]
fn scale_lanes<S: Simd, T: Scalar>(
    a: &mut [T::Vector<S>],
    n: usize,
    unusual: u64,
    poisoned: u64,
    statuses: &mut [Status],
    scalings: &mut Vec<(usize, Scaling)>,
) {
    for (lane, status) in statuses.iter_mut().enumerate() {
        if poisoned >> lane & 1 == 1 {
            *status = Status::NOT_FINITE;
        } else if unusual >> lane & 1 == 1 {
            let mut matrix: Vec<T> = a.iter().map(|vector| vector.lane(lane)).collect();
            if let Some(scaling) = scaling::scale(&mut matrix, n) {
                scalings.push((lane, scaling));
            }
            for (vector, element) in a.iter_mut().zip(matrix) {
                vector.set_lane(lane, element);
            }
        }
    }
}

/// Step k of the elimination, in every lane. Returns the lanes whose pivot is exactly zero, as a bit mask.
#[inline(always)]
fn eliminate<S: Simd, T: Scalar>(
    simd: S,
    a: &mut [T::Vector<S>],
    n: usize,
    k: usize,
    pivots: &mut [T::Vector<S>],
    exchange: &mut Magnitude<T, S>,
) -> u64 {
    // The first maximum of |re| + |im| on or below the diagonal.
    let (mut best, mut at) = (a[k * n + k].magnitude(), index::<S, T>(simd, k));
    for i in k + 1..n {
        let magnitude = a[i * n + k].magnitude();
        let better = magnitude.simd_gt(best);
        best = better.select(magnitude, best);
        at = better.select(index::<S, T>(simd, i), at);
    }
    let singular = best.simd_eq(Magnitude::<T, S>::splat(simd, T::Real::ZERO)).to_bitmask();

    // Row exchange: `pivots` becomes the pivot row, and row k goes to the row that the pivot row left.
    let (above, below) = a.split_at_mut((k + 1) * n);
    let row_k = &mut above[k * n..];
    pivots.copy_from_slice(row_k);
    for (i, row) in (k + 1..n).zip(below.chunks_exact_mut(n)) {
        let here = at.simd_eq(index::<S, T>(simd, i));
        if here.any_true() {
            for ((x, pivot), &from_k) in row.iter_mut().zip(pivots.iter_mut()).zip(row_k.iter()) {
                *pivot = Vector::select(here, *x, *pivot);
                *x = Vector::select(here, from_k, *x);
            }
        }
    }
    *exchange = at;

    // The pivot row times 1 / pivot; where the pivot stood, 1 / pivot itself: column k of the inverse.
    let reciprocal = pivots[k].reciprocal(simd);
    for (pivot, x) in pivots.iter_mut().zip(row_k.iter_mut()) {
        *pivot = pivot.mul(reciprocal);
        *x = *pivot;
    }
    pivots[k] = reciprocal;
    row_k[k] = reciprocal;

    let zero = T::Vector::<S>::splat(simd, T::ZERO);
    for (i, row) in a.chunks_exact_mut(n).enumerate() {
        if i != k {
            let factor = row[k];
            row[k] = zero;
            for (x, &pivot) in row.iter_mut().zip(pivots.iter()) {
                *x = x.sub_mul(factor, pivot);
            }
        }
    }
    singular
}

/// Row exchanges of the matrix are column exchanges of its inverse, in the opposite order.
#[inline(always)]
fn undo_exchanges<S: Simd, T: Scalar>(simd: S, a: &mut [T::Vector<S>], n: usize, exchanges: &[Magnitude<T, S>]) {
    for (k, exchange) in exchanges.iter().enumerate().rev() {
        for j in k + 1..n {
            let here = exchange.simd_eq(index::<S, T>(simd, j));
            if here.any_true() {
                for row in a.chunks_exact_mut(n) {
                    let (x, y) = (row[k], row[j]);
                    row[k] = Vector::select(here, y, x);
                    row[j] = Vector::select(here, x, y);
                }
            }
        }
    }
}
