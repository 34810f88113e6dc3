//! `lanes`: one SIMD lane holds one matrix.
//!
//! A group of as many matrices as a vector has lanes is transposed into vectors: vector (i, j) holds element
//! (i, j) of every matrix of the group. Then one elimination runs for all of them at once. Every lane picks its
//! own pivot row, so rows are exchanged by masks: the pivot row is gathered under the masks of the rows that hold
//! it, and row k goes where it came from. The elimination works in place: column k, once eliminated, is column k of
//! the inverse, up to the row exchanges, which are undone in the addresses of the last store.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::Arithmetic;
use super::scaling::{self, Scaling};
use super::vector::Vector;
use crate::inverses::Status;
use crate::scalar::{Real, Scalar};

/// Working memory for one group, kept from group to group.
pub struct Lanes<V> {
    /// Vector (i, j) at i * n + j.
    a: Vec<V>,
    /// The pivot row.
    pivots: Vec<V>,
    /// The row of the input that stands in row k, for each lane, at k * lanes + lane.
    origins: Vec<u32>,
}

impl<V> Lanes<V> {
    pub fn new() -> Self {
        Self { a: Vec::new(), pivots: Vec::new(), origins: Vec::new() }
    }
}

/// Inverts up to `LANES` matrices of `order` n >= 1.
#[inline(always)]
pub fn invert_group<S, A>(
    simd: S,
    work: &mut Lanes<<A::Work as Scalar>::Vector<S>>,
    n: usize,
    input: &[A::Element],
    output: &mut [A::Element],
    statuses: &mut [Status],
) where
    S: Simd,
    A: Arithmetic,
{
    let lanes = <A::Work as Scalar>::Vector::<S>::LANES;
    let size = n * n;
    let zero = <A::Work as Scalar>::Vector::<S>::splat(simd, A::Work::ZERO);
    work.a.resize(size, zero);
    work.pivots.resize(n, zero);
    work.origins.resize(n * lanes, 0);
    let (a, pivots, origins) = (&mut work.a[..size], &mut work.pivots[..n], &mut work.origins[..n * lanes]);

    for (lane, matrix) in input.chunks_exact(size).enumerate() {
        for (vector, &element) in a.iter_mut().zip(matrix) {
            vector.set_lane(lane, A::widen(element));
        }
    }
    for lane in statuses.len()..lanes {
        for (index, vector) in a.iter_mut().enumerate() {
            vector.set_lane(lane, if index % (n + 1) == 0 { A::Work::ONE } else { A::Work::ZERO });
        }
    }

    let (unusual, poisoned) = survey::<S, A::Work>(simd, a);
    let mut scalings: Vec<(usize, Scaling)> = Vec::new();
    statuses.fill(Status::INVERTED);
    if unusual | poisoned != 0 {
        scale_lanes::<S, A::Work>(a, n, unusual, poisoned, statuses, &mut scalings);
    }

    for (k, row) in origins.chunks_exact_mut(lanes).enumerate() {
        row.fill(k as u32);
    }
    for k in 0..n {
        let singular = eliminate::<S, A::Work>(simd, a, n, k, pivots, origins);
        if singular != 0 {
            for (lane, status) in statuses.iter_mut().enumerate() {
                if singular >> lane & 1 == 1 && status.is_inverted() {
                    let scaling = scalings.iter().find(|(scaled, _)| *scaled == lane);
                    *status = scaling.map_or(Status::singular(k + 1), |(_, scaling)| scaling.zero_pivot(k));
                }
            }
        }
    }

    let (_, poisoned) = survey::<S, A::Work>(simd, a);
    for (lane, (matrix, status)) in output.chunks_exact_mut(size).zip(statuses).enumerate() {
        if status.is_inverted() && poisoned >> lane & 1 == 1 {
            *status = Status::NOT_FINITE;
        }
        if !status.is_inverted() {
            matrix.fill(A::Element::NAN);
            continue;
        }
        for (row, vectors) in matrix.chunks_exact_mut(n).zip(a.chunks_exact(n)) {
            for (vector, origin) in vectors.iter().zip(origins.chunks_exact(lanes)) {
                row[origin[lane] as usize] = A::narrow(vector.lane(lane));
            }
        }
        if let Some((_, scaling)) = scalings.iter().find(|(scaled, _)| *scaled == lane) {
            for (index, element) in matrix.iter_mut().enumerate() {
                *element = A::narrow(scaling.undo(index / n, index % n, A::widen(*element)));
            }
        }
        // A result of the working scalar may still overflow the element.
        if !matrix.iter().all(|element| element.finite()) {
            *status = Status::NOT_FINITE;
            matrix.fill(A::Element::NAN);
        }
    }
}

/// The lanes whose matrices need scaling, and those that hold NaN or infinity, as bit masks.
#[inline(always)]
fn survey<S: Simd, T: Scalar>(simd: S, a: &[T::Vector<S>]) -> (u64, u64) {
    type M<T, S> = <<T as Scalar>::Vector<S> as Vector<S, T>>::Magnitude;
    let (low, high) = scaling::window::<T>();
    let zero = M::<T, S>::splat(simd, T::Real::ZERO);
    let (mut smallest, mut largest, mut poison) = (M::<T, S>::splat(simd, high), zero, zero);
    for vector in a {
        largest = largest.max(vector.largest_part());
        smallest = smallest.min(vector.smallest_part(simd));
        poison = vector.poison(poison, zero);
    }
    let usual = smallest.simd_ge(M::<T, S>::splat(simd, low)) & largest.simd_le(M::<T, S>::splat(simd, high));
    let all = u64::MAX >> (64 - T::Vector::<S>::LANES);
    (!usual.to_bitmask() & all, !poison.simd_eq(zero).to_bitmask() & all)
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
    origins: &mut [u32],
) -> u64 {
    type M<T, S> = <<T as Scalar>::Vector<S> as Vector<S, T>>::Magnitude;
    let index = |i: usize| M::<T, S>::splat(simd, T::Real::from_f64(i as f64));
    let lanes = T::Vector::<S>::LANES;

    // The first maximum of |re| + |im| on or below the diagonal.
    let (mut best, mut at) = (a[k * n + k].magnitude(), index(k));
    for i in k + 1..n {
        let magnitude = a[i * n + k].magnitude();
        let better = magnitude.simd_gt(best);
        best = better.select(magnitude, best);
        at = better.select(index(i), at);
    }
    let singular = best.simd_eq(M::<T, S>::splat(simd, T::Real::ZERO)).to_bitmask();

    // Row exchange: `pivots` becomes the pivot row, and row k goes to the row that the pivot row left.
    let (above, below) = a.split_at_mut((k + 1) * n);
    let row_k = &mut above[k * n..];
    pivots.copy_from_slice(row_k);
    for (i, row) in (k + 1..n).zip(below.chunks_exact_mut(n)) {
        let here = at.simd_eq(index(i));
        if here.any_true() {
            for ((x, pivot), &from_k) in row.iter_mut().zip(pivots.iter_mut()).zip(row_k.iter()) {
                *pivot = Vector::select(here, *x, *pivot);
                *x = Vector::select(here, from_k, *x);
            }
        }
    }
    for lane in 0..lanes {
        let from = at.as_slice()[lane].to_f64() as usize;
        origins.swap(k * lanes + lane, from * lanes + lane);
    }

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
