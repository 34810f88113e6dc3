//! Reals in vectors, taken apart into significand and exponent and put together again.
//!
//! All of it goes by the bits, and nothing computes with subnormal numbers: a thread that flushes them to zero gets the
//! same results as any other.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdFloatElement, SimdMask};

/// The bits of a real, as an integer.
type Word<R> = <R as SimdFloatElement>::Bits;
/// The bits of a vector of reals, as integers.
type Words<S, V> = <V as SimdFloat<S>>::Bits;

/// The format of a real.
pub trait Format: SimdFloatElement {
    const FRACTION_BITS: u32;
    const SIGN: Word<Self>;
    const EXPONENT: Word<Self>;
    const FRACTION: Word<Self>;
    /// The smallest number with 1 as its unit in the last place: its fraction is an integer.
    const UNITS: Word<Self>;
    /// Half as much again: the lowest bits of its sum with an integer of either sign are those of the integer.
    const SIGNED_UNITS: Self;
    /// The smallest normal number.
    const SMALLEST_NORMAL: Self;
    const INFINITY: Self;
    /// The exponents of the smallest normal number and of the largest.
    const EXPONENTS: [Self; 2];
    /// Minus twice the digits, below which an exponent leaves no trace in a sum with 1.
    const NO_TRACE: Self;
    /// The exponent bits of 2^e and of 2^-e together.
    const OPPOSITES: Word<Self>;
    /// The exponent of infinity and NaN, and minus that of zero: far beyond all sums of exponents of other numbers.
    const FAR: Self;
    /// Below all of these sums, and above any sum that zero takes part in.
    const FAR_BELOW: Self;
}

macro_rules! format {
    ($real:ident) => {
        impl Format for $real {
            const FRACTION_BITS: u32 = Self::MANTISSA_DIGITS - 1;
            const SIGN: Word<Self> = (-0.0 as Self).to_bits();
            const EXPONENT: Word<Self> = Self::INFINITY.to_bits();
            const FRACTION: Word<Self> = (1 << Self::FRACTION_BITS) - 1;
            const UNITS: Word<Self> = (1.0 / Self::EPSILON).to_bits();
            const SIGNED_UNITS: Self = 1.5 / Self::EPSILON;
            const SMALLEST_NORMAL: Self = Self::MIN_POSITIVE;
            const INFINITY: Self = Self::INFINITY;
            const EXPONENTS: [Self; 2] = [(Self::MIN_EXP - 1) as Self, (Self::MAX_EXP - 1) as Self];
            const NO_TRACE: Self = -2.0 * Self::MANTISSA_DIGITS as Self;
            const OPPOSITES: Word<Self> = Self::MAX.to_bits() & Self::EXPONENT;
            const FAR: Self = 65536.0;
            const FAR_BELOW: Self = -32768.0;
        }
    };
}

format!(f32);
format!(f64);

/// x = significand * 2^exponent with 1 <= |significand| < 2. Zero is taken apart as ±1 and -[`Format::FAR`]; infinity
/// and NaN have the exponent [`Format::FAR`].
#[inline(always)]
pub fn split<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, x: V) -> [V; 2] {
    let [_, most]: [V; 2] = limits(simd);
    let [significand, exponent] = split_finite(simd, x);
    [significand, exponent.simd_gt(most).select(V::splat(simd, V::Element::FAR), exponent)]
}

/// The same for finite numbers.
#[inline(always)]
pub fn split_finite<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, x: V) -> [V; 2] {
    let (zero, one) = (V::splat(simd, 0_u8.into()), V::splat(simd, 1_u8.into()));
    let (sign, exponent) = (word::<S, V>(simd, V::Element::SIGN), word::<S, V>(simd, V::Element::EXPONENT));
    let fraction = word::<S, V>(simd, V::Element::FRACTION);
    let [least, _]: [V; 2] = limits(simd);
    let far = V::splat(simd, V::Element::FAR);

    let bits = x.to_bits();
    let subnormal = V::from_bits(bits & exponent).simd_eq(zero);
    // The fraction as a number: behind a 1 it is 1 more.
    let number = V::from_bits((bits & fraction) | one.to_bits()) - one;
    let magnitude = subnormal.select(number, x.abs());
    let stated = stated(simd, magnitude);
    let own = subnormal.select(stated + least, stated);
    let own = magnitude.simd_eq(zero).select(-far, own);
    let significand = V::from_bits((magnitude.to_bits() & fraction) | one.to_bits() | (bits & sign));
    [significand, own]
}

/// The subnormal number whose fraction is that of a sum from 1 to 2, with the sign of another number.
#[inline(always)]
pub fn behind_one<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, sum: V, sign: V) -> V {
    let one = V::splat(simd, 1_u8.into());
    V::from_bits((sum.to_bits() - one.to_bits()) | (sign.to_bits() & word::<S, V>(simd, V::Element::SIGN)))
}

/// significand * 2^exponent for a significand from [`split`], rounded once if the result is subnormal.
#[inline(always)]
fn join<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, significand: V, exponent: V) -> V {
    let one = V::splat(simd, 1_u8.into());
    let [least, most]: [V; 2] = limits(simd);
    let sign = significand.to_bits() & word::<S, V>(simd, V::Element::SIGN);
    // Behind a 1, the last place of the fraction is that of subnormal numbers, and the sum rounds to it.
    let place = (exponent - least).max(V::splat(simd, V::Element::NO_TRACE));
    let sum = one + raised::<S, V>(simd, significand.abs(), place);
    let subnormal = behind_one(simd, sum, significand);
    let infinity = V::from_bits(sign | word::<S, V>(simd, V::Element::EXPONENT));
    let finite = exponent.simd_lt(least).select(subnormal, raised(simd, significand, exponent));
    exponent.simd_gt(most).select(infinity, finite)
}

/// The same for an exponent that is not above the largest, with 0 for a subnormal result. Only a zero that was taken
/// apart keeps its sign.
#[inline(always)]
pub fn join_flushed<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, significand: V, exponent: V) -> V {
    let sign = V::from_bits(significand.to_bits() & word::<S, V>(simd, V::Element::SIGN));
    let was_zero = exponent.simd_lt(V::splat(simd, V::Element::FAR_BELOW));
    let below = was_zero.select(sign, V::splat(simd, 0_u8.into()));
    let normal = raised::<S, V>(simd, significand, exponent);
    exponent.simd_lt(V::splat(simd, V::Element::EXPONENTS[0])).select(below, normal)
}

/// The same as [`split`] for normal numbers and zero. Zero is taken apart as ±1 and -[`Format::FAR`].
#[inline(always)]
pub fn split_normal<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, x: V) -> [V; 2] {
    let kept = word::<S, V>(simd, V::Element::FRACTION) | word::<S, V>(simd, V::Element::SIGN);
    let significand = V::from_bits((x.to_bits() & kept) | V::splat(simd, 1_u8.into()).to_bits());
    let zero = x.simd_eq(V::splat(simd, 0_u8.into()));
    [significand, zero.select(V::splat(simd, -V::Element::FAR), stated(simd, x.abs()))]
}

/// x * 2^exponent, rounded once if the result is subnormal. The thread must not flush subnormal numbers.
#[inline(always)]
pub fn shifted<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, x: V, exponent: V) -> V {
    let [least, most]: [V; 2] = limits(simd);
    let zero = x.simd_eq(V::splat(simd, 0_u8.into()));
    let before = stated(simd, x.abs());
    let after = before + exponent;
    let strange = before.min(after).simd_lt(least) | before.max(after).simd_gt(most);
    if (strange & !zero).any_true() {
        return shifted_any(simd, x, exponent);
    }
    zero.select(x, raised(simd, x, exponent))
}

/// x * 2^exponent, rounded once if the result is subnormal.
#[inline(always)]
pub fn shifted_any<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, x: V, exponent: V) -> V {
    let [significand, own] = split(simd, x);
    join(simd, significand, own + exponent)
}

/// The exponents of the smallest normal number and of the largest.
#[inline(always)]
fn limits<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S) -> [V; 2] {
    let [least, most] = V::Element::EXPONENTS;
    [V::splat(simd, least), V::splat(simd, most)]
}

/// The exponent that the bits of a magnitude state: right if it is a normal number.
#[inline(always)]
pub fn stated<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, magnitude: V) -> V {
    let units = word::<S, V>(simd, V::Element::UNITS);
    let biased = V::from_bits((magnitude.to_bits() >> V::Element::FRACTION_BITS) | units) - V::from_bits(units);
    biased - V::splat(simd, V::Element::EXPONENTS[1])
}

/// 2^-e and 2^e for normal numbers with the exponent e, if both powers are normal; any finite number and 0 for zero.
#[inline(always)]
pub fn powers<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, magnitude: V) -> [V; 2] {
    let exponent = magnitude.to_bits() & word::<S, V>(simd, V::Element::EXPONENT);
    [V::from_bits(word::<S, V>(simd, V::Element::OPPOSITES) - exponent), V::from_bits(exponent)]
}

/// A normal number times 2^exponent, if the result is normal.
#[inline(always)]
pub fn raised<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, x: V, exponent: V) -> V {
    let exponent = (exponent + V::splat(simd, V::Element::SIGNED_UNITS)).to_bits() << V::Element::FRACTION_BITS;
    V::from_bits(x.to_bits() + exponent)
}

#[inline(always)]
fn word<S: Simd, V: SimdFloat<S, Element: Format>>(simd: S, bits: Word<V::Element>) -> Words<S, V> {
    Words::<S, V>::splat(simd, bits)
}

/// Returns whether this thread takes subnormal numbers for zero, or makes zeros of them: its caller can have set that.
pub fn flushes() -> bool {
    let smallest = std::hint::black_box(f32::MIN_POSITIVE);
    let subnormal = std::hint::black_box(f32::from_bits(1));
    smallest * 0.5 == 0.0 || subnormal == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::level::{SimdLevel, at_level};
    use crate::data::scalar::Real;

    /// Every result is that of the scalar form, which goes by integers.
    fn agrees<S: Simd, T: Format + Real>(simd: S) {
        let numbers = [1.0, -1.5, 1.999_999_9, 3.0e-5, 0.0, -0.0, f64::from(f32::MAX)].map(T::from_f64);
        let subnormal = [0, 3, 20].map(|places| T::ONE.scaled(T::MIN_EXPONENT - places));
        let odd = [-3, 1, 5, 20].map(|places| T::from_f64(-1.375).scaled(T::MIN_EXPONENT - places));
        for x in numbers.into_iter().chain(subnormal).chain(odd) {
            for exponent in -2500..=2500 {
                let shift = T::Native::<S>::splat(simd, T::from_f64(exponent.into()));
                let vector = T::Native::<S>::splat(simd, x);
                let [significand, own] = split(simd, vector);
                let by_parts = join(simd, significand, own + shift);
                let flushed = join_flushed(simd, significand, own + shift);
                let same = |vector: T::Native<S>, wanted: T| {
                    let found = vector.as_slice()[0];
                    assert!(
                        bytemuck::bytes_of(&found) == bytemuck::bytes_of(&wanted),
                        "{x:?} times 2^{exponent}: {found:?} instead of {wanted:?}"
                    );
                };
                same(by_parts, x.scaled(exponent));
                same(shifted(simd, vector, shift), x.scaled(exponent));
                if x.is_zero() || x.exponent() >= T::MIN_EXPONENT {
                    assert_eq!(
                        split_normal(simd, vector).map(|v| v.as_slice()[0]),
                        [significand, own].map(|v| v.as_slice()[0])
                    );
                }
                if x.scaled(exponent).finite() {
                    same(flushed, x.flushed(exponent));
                }
            }
        }
    }

    #[test]
    fn powers_of_two_at_every_level() {
        for level in SimdLevel::all() {
            at_level!(level, simd => agrees::<_, f32>(simd));
            at_level!(level, simd => agrees::<_, f64>(simd));
        }
    }
}
