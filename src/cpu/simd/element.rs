//! Elements taken apart into a number of about 1 and an exponent, so that a few products of them can neither overflow
//! nor underflow before the result is put together.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::exponent::{Format, join, join_flushed, raised, split, split_normal, stated};
use super::lane::{Lane, Magnitude};
use super::vector::Vector;

/// An element with its largest part in [1, 2), and its exponent. Zero stays zero, with an exponent far below all others.
#[inline(always)]
pub fn split_element<S: Simd, T: Lane>(
    simd: S,
    mut element: T::Vector<S>,
    any_subnormal: bool,
) -> (T::Vector<S>, Magnitude<T, S>) {
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

/// An element times 2^exponent for an exponent of at most 0; 0 if it leaves no trace beside 1.
#[inline(always)]
pub fn times_power<S: Simd, T: Lane>(simd: S, mut element: T::Vector<S>, exponent: Magnitude<T, S>) -> T::Vector<S> {
    let (none, one) = (Magnitude::<T, S>::splat(simd, T::Real::NO_TRACE), Magnitude::<T, S>::splat(simd, 1_u8.into()));
    let power = raised(simd, one, exponent.max(none));
    let factor = exponent.simd_lt(none).select(Magnitude::<T, S>::splat(simd, 0_u8.into()), power);
    for part in 0..T::Vector::<S>::PARTS {
        element.set_part(part, element.part(part) * factor);
    }
    element
}

/// Every element, zero or of about 1, times its own power of two, rounded once if the result is subnormal. Results that
/// are too large are not finite.
#[inline(always)]
pub fn shifted<S: Simd, T: Lane, const N: usize>(
    simd: S,
    mut matrix: [[T::Vector<S>; N]; N],
    shifts: [[Magnitude<T, S>; N]; N],
) -> [[T::Vector<S>; N]; N] {
    let parts = T::Vector::<S>::PARTS;
    let (least, most) = (T::Real::EXPONENTS[0], T::Real::EXPONENTS[1]);
    let (least, most) = (Magnitude::<T, S>::splat(simd, least), Magnitude::<T, S>::splat(simd, most));
    let (zero, one) = (Magnitude::<T, S>::splat(simd, 0_u8.into()), Magnitude::<T, S>::splat(simd, 1_u8.into()));
    let far = Magnitude::<T, S>::splat(simd, T::Real::FAR);
    let (mut bottom, mut top) = (most, least);
    let mut after = [[[one; 2]; N]; N];
    for i in 0..N {
        for j in 0..N {
            for part in 0..parts {
                let real = matrix[i][j].part(part);
                let exponent = stated(simd, real.abs()) + shifts[i][j];
                after[i][j][part] = real.simd_eq(zero).select(-far, exponent);
                (bottom, top) = (bottom.min(after[i][j][part]), top.max(after[i][j][part]));
            }
        }
    }
    let usual = !(bottom.simd_lt(least) | top.simd_gt(most)).any_true();
    for i in 0..N {
        for j in 0..N {
            for part in 0..parts {
                let real = matrix[i][j].part(part);
                let shifted = if usual {
                    raised(simd, real, shifts[i][j])
                } else {
                    let [significand, _] = split_normal(simd, real);
                    join(simd, significand, after[i][j][part])
                };
                matrix[i][j].set_part(part, shifted);
            }
        }
    }
    matrix
}
