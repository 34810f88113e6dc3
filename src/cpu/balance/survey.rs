//! The range of magnitudes in vectors: what scaling goes by.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::simd::exponent::{Format, split};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::window;

/// The smallest and the largest exponent of the nonzero parts in every lane, and the largest magnitude.
pub struct Survey<S: Simd, T: Lane> {
    pub bottom: Magnitude<T, S>,
    pub top: Magnitude<T, S>,
    pub largest: Magnitude<T, S>,
}

/// The same in fewer instructions, by comparisons: for threads that do not flush subnormal numbers.
pub struct Extent<S: Simd, T: Lane> {
    /// The smallest and the largest magnitude of the nonzero parts in every lane.
    pub smallest: Magnitude<T, S>,
    pub largest: Magnitude<T, S>,
    /// The lanes that leave the window of magnitudes that need no scaling, and are finite.
    pub outside: Mask<Magnitude<T, S>, S>,
    /// The lanes that hold NaN or infinity.
    pub poisoned: Mask<Magnitude<T, S>, S>,
    /// True if a lane outside holds subnormal numbers.
    pub any_subnormal: bool,
}

impl<S: Simd, T: Lane> Extent<S, T> {
    #[inline(always)]
    pub fn of(simd: S, vectors: &[T::Vector<S>], (low, high): (T::Real, T::Real)) -> Self {
        let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        let infinity = Magnitude::<T, S>::splat(simd, T::Real::INFINITY);
        let (mut smallest, mut largest, mut poison) = (infinity, zero, zero);
        for vector in vectors {
            poison = vector.poison_any(poison);
            for part in 0..T::Vector::<S>::PARTS {
                let magnitude = vector.part(part).abs();
                largest = largest.max(magnitude);
                smallest = smallest.min(magnitude.simd_eq(zero).select(infinity, magnitude));
            }
        }
        let finite = poison.simd_eq(zero);
        let inside = smallest.simd_ge(Magnitude::<T, S>::splat(simd, low))
            & largest.simd_le(Magnitude::<T, S>::splat(simd, high));
        let outside = finite & !inside;
        let subnormal = smallest.simd_lt(Magnitude::<T, S>::splat(simd, T::Real::SMALLEST_NORMAL));
        let any_subnormal = (subnormal & outside).any_true();
        Self { smallest, largest, outside, poisoned: !finite, any_subnormal }
    }
}

impl<S: Simd, T: Lane> Survey<S, T> {
    #[inline(always)]
    pub fn new(simd: S) -> Self {
        let far = Magnitude::<T, S>::splat(simd, T::Real::FAR);
        Self { bottom: far, top: -far, largest: Magnitude::<T, S>::splat(simd, T::Real::ZERO) }
    }

    /// Takes in the real or imaginary parts of a vector. Returns their significands and exponents.
    #[inline(always)]
    pub fn see(&mut self, simd: S, part: Magnitude<T, S>) -> [Magnitude<T, S>; 2] {
        let [significand, exponent] = split(simd, part);
        let far = Magnitude::<T, S>::splat(simd, T::Real::FAR);
        let is_zero = exponent.simd_lt(Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW));
        self.largest = self.largest.max(part.abs());
        self.top = self.top.max(exponent);
        self.bottom = self.bottom.min(is_zero.select(far, exponent));
        [significand, exponent]
    }

    /// The lanes that hold NaN or infinity.
    #[inline(always)]
    pub fn poisoned(&self, simd: S) -> Mask<Magnitude<T, S>, S> {
        self.top.simd_ge(Magnitude::<T, S>::splat(simd, T::Real::FAR))
    }

    /// The lanes that leave the window of magnitudes that need no scaling, and are finite.
    #[inline(always)]
    pub fn outside(&self, simd: S) -> Mask<Magnitude<T, S>, S> {
        let low = Magnitude::<T, S>::splat(simd, T::Real::from_f64((-T::Real::WINDOW).into()));
        let high = Magnitude::<T, S>::splat(simd, window::<T>().1);
        (self.bottom.simd_lt(low) | self.largest.simd_gt(high)) & !self.poisoned(simd)
    }
}
