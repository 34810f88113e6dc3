//! Elements taken apart into a number of about 1 and an exponent. A product of two of them neither overflows nor
//! underflows before the result is put together, but for parts of complex numbers that are small beside the other part.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::exponent::{Format, behind_one, join_flushed, raised, shifted_any, split_finite, split_normal, stated};
use super::lane::{Lane, Magnitude};
use super::vector::{Mask, Vector};

/// A number of about 1, and an exponent.
pub type SplitElement<S, T> = (<T as Lane>::Vector<S>, Magnitude<T, S>);

/// A finite element with its largest part in [1, 2), and its exponent. Zero stays zero, with an exponent far below all
/// others.
#[inline(always)]
pub fn split_element<S: Simd, T: Lane>(simd: S, mut element: T::Vector<S>, any_subnormal: bool) -> SplitElement<S, T> {
    let parts = T::Vector::<S>::PARTS;
    let (first, last) = (element.part(0), element.part(parts - 1));
    let [first, last] = if any_subnormal {
        [split_finite(simd, first), split_finite(simd, last)]
    } else {
        [split_normal(simd, first), split_normal(simd, last)]
    };
    let exponent = first[1].max(last[1]);
    let (zero, none) =
        (Magnitude::<T, S>::splat(simd, 0_u8.into()), Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW));
    for part in 0..parts {
        let [significand, own] = if part == 0 { first } else { last };
        let below_1 = if parts == 1 { significand } else { join_flushed(simd, significand, own - exponent) };
        let is_zero = if any_subnormal { own.simd_lt(none) } else { element.part(part).simd_eq(zero) };
        element.set_part(part, is_zero.select(element.part(part), below_1));
    }
    (element, exponent)
}

/// An element times 2^exponent for an exponent of at most 0; 0 if its rounding errors leave no trace in a sum with 1.
#[inline(always)]
fn times_power<S: Simd, T: Lane>(simd: S, mut element: T::Vector<S>, exponent: Magnitude<T, S>) -> T::Vector<S> {
    let (none, one) = (Magnitude::<T, S>::splat(simd, T::Real::NO_TRACE), Magnitude::<T, S>::splat(simd, 1_u8.into()));
    let power = raised(simd, one, exponent.max(none));
    let factor = exponent.simd_lt(none).select(Magnitude::<T, S>::splat(simd, 0_u8.into()), power);
    for part in 0..T::Vector::<S>::PARTS {
        element.set_part(part, element.part(part) * factor);
    }
    element
}

/// A determinant, as a number and an exponent.
pub struct Determinant<S: Simd, T: Lane> {
    pub number: T::Vector<S>,
    pub exponent: Magnitude<T, S>,
    /// The lanes where it shows that the matrix is not singular.
    pub regular: Mask<Magnitude<T, S>, S>,
}

/// p s - q r, with the exponent of the larger product. Every element comes with its exponent.
#[inline(always)]
pub fn determinant<S: Simd, T: Lane>(
    simd: S,
    [[(p, of_p), (q, of_q)], [(r, of_r), (s, of_s)]]: [[SplitElement<S, T>; 2]; 2],
) -> Determinant<S, T> {
    let (of_ps, of_qr) = (of_p + of_s, of_q + of_r);
    let exponent = of_ps.max(of_qr);
    let beside_s = times_power::<S, T>(simd, p, of_ps - exponent);
    let beside_r = times_power::<S, T>(simd, q, of_qr - exponent);
    let (number, regular) = Vector::determinant(simd, [[beside_s, beside_r], [r, s]]);
    Determinant { number, exponent, regular }
}

/// Numbers of about 1, or zeros, each times its own power of two, rounded once if the result is subnormal. A result
/// that is too large becomes infinite, and others of its lane may become so too. One part of a complex number may be
/// small beside the other.
#[inline(always)]
pub fn raise<S: Simd, T: Lane, const N: usize>(
    simd: S,
    mut elements: [T::Vector<S>; N],
    exponents: [Magnitude<T, S>; N],
) -> [T::Vector<S>; N] {
    let parts = T::Vector::<S>::PARTS;
    let (zero, one) = (Magnitude::<T, S>::splat(simd, 0_u8.into()), Magnitude::<T, S>::splat(simd, 1_u8.into()));
    let [least, most] = T::Real::EXPONENTS;
    let (least, most) = (Magnitude::<T, S>::splat(simd, least), Magnitude::<T, S>::splat(simd, most));
    let none = Magnitude::<T, S>::splat(simd, T::Real::NO_TRACE);
    let infinity = Magnitude::<T, S>::splat(simd, T::Real::INFINITY);
    let (mut bottom, mut top) = (least, least);
    let given = elements;
    for e in 0..N {
        for part in 0..parts {
            let real = given[e].part(part);
            let (magnitude, is_zero) = (real.abs(), real.simd_eq(zero));
            let before = stated(simd, magnitude);
            let after = before + exponents[e];
            bottom = bottom.min(is_zero.select(least, before));
            top = top.max(is_zero.select(least, after));
            // Behind a 1, the last place of the fraction is that of subnormal numbers, and the sum rounds to it.
            let sum = one + raised(simd, magnitude, (after - least).max(none) - before);
            let subnormal = behind_one(simd, sum, real);
            let raised = after.simd_lt(least).select(subnormal, raised(simd, real, exponents[e]));
            elements[e].set_part(part, is_zero.select(real, raised));
        }
    }
    if parts > 1 && bottom.simd_lt(least).any_true() {
        for e in 0..N {
            for part in 0..parts {
                elements[e].set_part(part, shifted_any(simd, given[e].part(part), exponents[e]));
            }
        }
        return elements;
    }
    for element in &mut elements {
        let real = element.part(0);
        element.set_part(0, top.simd_gt(most).select(infinity, real));
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::level::{SimdLevel, at_level};
    use crate::data::scalar::{Real, Scalar};

    /// A result of [`raise`] beside others is that of the scalar form, which goes by integers.
    fn agrees<S: Simd, T: Lane>(simd: S) {
        let real = T::Real::from_f64;
        let tiny = T::Real::ONE.scaled(T::Real::MIN_EXPONENT);
        let parts = [1.0, -1.5, 0.3, -0.0, 0.0, 1.999_999_9, 2.0e14].map(real);
        for (index, &re) in parts.iter().enumerate() {
            for im in [parts[(index + 2) % parts.len()], tiny, tiny.scaled(-3)] {
                for exponent in -2100..=2100 {
                    let shifts = [exponent, 0, -3, 5].map(|e| Magnitude::<T, S>::splat(simd, real(f64::from(e))));
                    let (mut given, one) = (T::Vector::<S>::splat(simd, T::ZERO), T::Vector::<S>::splat(simd, T::ONE));
                    given.set_part(T::Vector::<S>::PARTS - 1, Magnitude::<T, S>::splat(simd, im));
                    given.set_part(0, Magnitude::<T, S>::splat(simd, re));
                    let x = given.lane(0);
                    let [first, ..] = raise::<S, T, 4>(simd, [given, one, given, one], shifts);
                    let [alone] = raise::<S, T, 1>(simd, [given], [shifts[0]]);
                    for (found, others) in [(first, [0, -3, 5].as_slice()), (alone, &[])] {
                        let (found, wanted) = (found.lane(0), x.scaled(exponent));
                        let same = bytemuck::bytes_of(&found) == bytemuck::bytes_of(&wanted);
                        let right = if wanted.finite() { same } else { !found.finite() };
                        let beside_infinity = others.iter().any(|&e| !x.scaled(e).finite());
                        assert!(right || beside_infinity, "{x:?} times 2^{exponent}: {found:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn raised_at_every_level() {
        for level in SimdLevel::all() {
            at_level!(level, simd => agrees::<_, f32>(simd));
            at_level!(level, simd => agrees::<_, f64>(simd));
            at_level!(level, simd => agrees::<_, num_complex::Complex<f32>>(simd));
            at_level!(level, simd => agrees::<_, num_complex::Complex<f64>>(simd));
        }
    }
}
