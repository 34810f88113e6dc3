//! Elements taken apart into a number of about 1 and an exponent. A product of two of them neither overflows nor
//! underflows before the result is put together, but for parts of complex numbers that are small beside the other part.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::exponent::{Format, join, join_flushed, raised, shifted_any, split, split_normal, stated};
use super::lane::{Lane, Magnitude};
use super::vector::{Mask, Vector};

/// A number of about 1, and an exponent.
pub type SplitElement<S, T> = (<T as Lane>::Vector<S>, Magnitude<T, S>);

/// An element with its largest part in [1, 2), and its exponent. Zero stays zero, with an exponent far below all
/// others.
#[inline(always)]
pub fn split_element<S: Simd, T: Lane>(simd: S, mut element: T::Vector<S>, any_subnormal: bool) -> SplitElement<S, T> {
    let parts = T::Vector::<S>::PARTS;
    let (first, last) = (element.part(0), element.part(parts - 1));
    let [first, last] = if any_subnormal {
        [split(simd, first), split(simd, last)]
    } else {
        [split_normal(simd, first), split_normal(simd, last)]
    };
    let exponent = first[1].max(last[1]);
    let none = Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW);
    for part in 0..parts {
        let [significand, own] = if part == 0 { first } else { last };
        let below_1 = if parts == 1 { significand } else { join_flushed(simd, significand, own - exponent) };
        element.set_part(part, own.simd_lt(none).select(element.part(part), below_1));
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

/// Real numbers of about 1, or zeros, each times its own power of two, rounded once if the result is subnormal. Results
/// that are too large are not finite. The parts of complex numbers may be of any magnitude.
#[inline(always)]
pub fn raise<S: Simd, T: Lane, const N: usize>(
    simd: S,
    mut elements: [T::Vector<S>; N],
    exponents: [Magnitude<T, S>; N],
) -> [T::Vector<S>; N] {
    if T::Vector::<S>::PARTS > 1 {
        for e in 0..N {
            for part in 0..T::Vector::<S>::PARTS {
                elements[e].set_part(part, shifted_any(simd, elements[e].part(part), exponents[e]));
            }
        }
        return elements;
    }
    let (least, most) = (T::Real::EXPONENTS[0], T::Real::EXPONENTS[1]);
    let (least, most) = (Magnitude::<T, S>::splat(simd, least), Magnitude::<T, S>::splat(simd, most));
    let zero = Magnitude::<T, S>::splat(simd, 0_u8.into());
    let far = Magnitude::<T, S>::splat(simd, T::Real::FAR);
    let (mut bottom, mut top) = (most, least);
    let mut after = [zero; N];
    for e in 0..N {
        let real = elements[e].part(0);
        let exponent = stated(simd, real.abs()) + exponents[e];
        after[e] = real.simd_eq(zero).select(-far, exponent);
        (bottom, top) = (bottom.min(after[e]), top.max(after[e]));
    }
    let usual = !(bottom.simd_lt(least) | top.simd_gt(most)).any_true();
    for e in 0..N {
        let real = elements[e].part(0);
        let raised = if usual {
            raised(simd, real, exponents[e])
        } else {
            let [significand, _] = split_normal(simd, real);
            join(simd, significand, after[e])
        };
        elements[e].set_part(0, raised);
    }
    elements
}
