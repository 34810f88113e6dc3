//! The determinant, as the product of the pivots.

use fearless_simd::{Select, Simd, SimdBase};

use super::scaled::multiply;
use crate::cpu::kernel::pivots::number;
use crate::cpu::simd::exponent::{powers, stated};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::determinant::Determinant;
use crate::data::scalar::{Real, Scalar};

/// The product of the pivots, with a minus for each step that exchanged rows: mantissas and exponents, the latter as
/// whole numbers. A step is its pivot and the row that was exchanged with its own.
#[inline(always)]
pub fn product<S: Simd, T: Lane>(
    simd: S,
    steps: impl Iterator<Item = (T::Vector<S>, Magnitude<T, S>)>,
) -> (T::Vector<S>, Magnitude<T, S>) {
    let (zero, one) = (T::Vector::<S>::splat(simd, T::ZERO), T::Vector::<S>::splat(simd, T::ONE));
    let (mut mantissa, mut exponent) = (one, zero.magnitude());
    for (k, (mut pivot, at)) in steps.enumerate() {
        exponent += normalize::<S, T>(simd, &mut pivot);
        mantissa = mantissa.mul(pivot);
        exponent += normalize::<S, T>(simd, &mut mantissa);
        let opposite = zero.sub_mul(mantissa, one);
        mantissa = Vector::select(at.simd_eq(number::<S, T>(simd, k)), mantissa, opposite);
    }
    (mantissa, exponent)
}

/// Divides numbers by the powers of two that bring their larger parts into [1, 2), and returns the exponents. A
/// subnormal number stays smaller.
#[inline(always)]
fn normalize<S: Simd, T: Lane>(simd: S, numbers: &mut T::Vector<S>) -> Magnitude<T, S> {
    let whole = |exponent: i32| Magnitude::<T, S>::splat(simd, T::Real::from_f64(exponent.into()));
    let power = |exponent: i32| Magnitude::<T, S>::splat(simd, T::Real::ONE.scaled(exponent));
    // The opposite power of the largest numbers is not normal, so these are made smaller first.
    let half = -T::Real::MIN_EXPONENT / 2;
    let large = numbers.largest_part().simd_ge(power(half));
    multiply::<S, T>(numbers, large.select(power(-half), power(0)));
    let largest = numbers.largest_part();
    let [opposite, _] = powers(simd, largest);
    multiply::<S, T>(numbers, opposite);
    stated(simd, largest) + large.select(whole(half), whole(0))
}

/// The determinants in the first lanes of a product; from their exponents are taken those by which the matrices were
/// scaled.
#[inline(always)]
pub fn normalized<S: Simd, T: Lane>(
    (mantissa, exponent): &(T::Vector<S>, Magnitude<T, S>),
    scaled: impl Fn(usize) -> i32,
    determinants: &mut [Determinant<T>],
) {
    for (lane, place) in determinants.iter_mut().enumerate() {
        let exponent = exponent.as_slice()[lane].to_f64() as i32;
        *place = Determinant::new(mantissa.lane(lane), exponent - scaled(lane));
    }
}
