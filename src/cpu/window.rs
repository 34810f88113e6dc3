//! Matrices in vectors, against the window of magnitudes that need no scaling: which of them leave it, and their factors.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::scaling::{self, Scalings};
use super::vector::{Magnitude, Vector};
use crate::inverses::Status;
use crate::scalar::{Real, Scalar};

/// Scales the matrices whose magnitudes need it, and marks those that are not finite; `scalings` are clear.
#[inline(always)]
pub fn scale_where_needed<S: Simd, T: Scalar>(
    simd: S,
    a: &mut [T::Vector<S>],
    n: usize,
    statuses: &mut [Status],
    scalings: &mut Scalings<T>,
) {
    let (smallest, largest) = extremes::<S, T>(simd, a);
    let (low, high) = scaling::window::<T>();
    let usual =
        smallest.simd_ge(Magnitude::<T, S>::splat(simd, low)) & largest.simd_le(Magnitude::<T, S>::splat(simd, high));
    let (unusual, poisoned) = (!usual.to_bitmask() & all_lanes::<S, T>(), poisoned_lanes::<S, T>(simd, a));
    if unusual | poisoned != 0 {
        scale_lanes::<S, T>(a, n, (unusual, poisoned), (smallest.as_slice(), largest.as_slice()), statuses, scalings);
        scale_by_factors::<S, T>(simd, a, scalings);
    }
}

/// Multiplies the matrices of every lane by their one factor; as before the elimination, so after it: the inverse of fA is
/// A^-1 / f. Exact but for an inverse that leaves the normal range, which is rounded once.
#[inline(always)]
pub fn scale_by_factors<S: Simd, T: Scalar>(simd: S, a: &mut [T::Vector<S>], scalings: &Scalings<T>) {
    if let Some(factors) = scalings.factors() {
        let lanes = T::Vector::<S>::LANES;
        multiply::<S, T>(a, factors.each_ref().map(|factor| Magnitude::<T, S>::from_slice(simd, &factor[..lanes])));
    }
}

/// Multiplies by one factor, then by another.
#[inline(always)]
pub fn multiply<S: Simd, T: Scalar>(a: &mut [T::Vector<S>], [first, second]: [Magnitude<T, S>; 2]) {
    for vector in a {
        for part in 0..T::Vector::<S>::PARTS {
            vector.set_part(part, vector.part(part) * first * second);
        }
    }
}

/// The smallest part in every lane that is not zero, and the largest; infinity and zero where all are zero.
#[inline(always)]
pub fn extremes<S: Simd, T: Scalar>(simd: S, a: &[T::Vector<S>]) -> (Magnitude<T, S>, Magnitude<T, S>) {
    let mut smallest = Magnitude::<T, S>::splat(simd, T::Real::from_f64(f64::INFINITY));
    let mut largest = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    for vector in a {
        largest = largest.max(vector.largest_part());
        smallest = smallest.min(vector.smallest_part(simd));
    }
    (smallest, largest)
}

/// The lanes that hold NaN or infinity, as a bit mask.
#[inline(always)]
pub fn poisoned_lanes<S: Simd, T: Scalar>(simd: S, a: &[T::Vector<S>]) -> u64 {
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

/// Finds the factors of `unusual` lanes, scales those that need more than one, and marks those that are not finite.
#[inline(never)]
fn scale_lanes<S: Simd, T: Scalar>(
    a: &mut [T::Vector<S>],
    n: usize,
    (unusual, poisoned): (u64, u64),
    (smallest, largest): (&[T::Real], &[T::Real]),
    statuses: &mut [Status],
    scalings: &mut Scalings<T>,
) {
    for (lane, status) in statuses.iter_mut().enumerate() {
        if poisoned >> lane & 1 == 1 {
            *status = Status::NOT_FINITE;
        } else if unusual >> lane & 1 == 1 && !scalings.one_will_do(lane, smallest[lane], largest[lane]) {
            let stride = a.len() / n;
            let elements = a.chunks(stride).flat_map(|row| row[..n].iter().map(|vector| vector.lane(lane)));
            if let Some(scaled) = scalings.scale(lane, n, elements) {
                for (row, scaled) in a.chunks_mut(stride).zip(scaled.chunks_exact(n)) {
                    for (vector, &element) in row.iter_mut().zip(scaled) {
                        vector.set_lane(lane, element);
                    }
                }
            }
        }
    }
}
