//! The range of magnitudes in vectors: what scaling goes by.

use fearless_simd::{Select, Simd, SimdBase};

use crate::cpu::simd::exponent::{Format, split};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Mask;
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::window;

/// The smallest and the largest exponent of the nonzero parts in every lane, and the largest magnitude.
pub struct Survey<S: Simd, T: Lane> {
    pub bottom: Magnitude<T, S>,
    pub top: Magnitude<T, S>,
    pub largest: Magnitude<T, S>,
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
