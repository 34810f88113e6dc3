//! The window test that is fused into loads: the extremes of all reals that pass through registers.

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::kernel::order2;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scaling;

/// The smallest and the largest magnitude seen, within the window or beyond it.
///
/// NaN may go unnoticed, but never hides another matrix's extremes: if one of two is NaN, x86 takes the second for
/// their minimum and maximum, so the extremes so far come second. ARM takes the NaN, which then lies in no window, and
/// the portable form takes the other.
#[derive(Clone, Copy)]
pub struct Extremes<S: Simd, T: Lane> {
    smallest: Magnitude<T, S>,
    largest: Magnitude<T, S>,
}

impl<S: Simd, T: Lane> Extremes<S, T> {
    #[inline(always)]
    pub fn new(simd: S) -> Self {
        let (low, high) = scaling::window::<T>();
        Self { smallest: Magnitude::<T, S>::splat(simd, high), largest: Magnitude::<T, S>::splat(simd, low) }
    }

    /// Takes in a vector of reals.
    #[inline(always)]
    pub fn see(&mut self, reals: Magnitude<T, S>) {
        (self.smallest, self.largest) = (reals.abs().min(self.smallest), reals.abs().max(self.largest));
    }

    /// Returns whether all reals lie in the window. `false` may also mean that there are zeros, or NaN.
    #[inline(always)]
    pub fn in_window(&self, simd: S) -> bool {
        self.within(simd, scaling::window::<T>())
    }

    /// The same, given the reals of every matrix, if the matrices are to be inverted.
    #[inline(always)]
    pub fn in_window_of(&self, simd: S, reals: usize) -> bool {
        let is_pair = reals == 4 && T::Vector::<S>::PARTS == 1;
        self.within(simd, if is_pair { order2::window::<T>() } else { scaling::window::<T>() })
    }

    /// Returns whether all reals lie in a window whose ends are on both sides of 1.
    #[inline(always)]
    pub fn within(&self, simd: S, (low, high): (T::Real, T::Real)) -> bool {
        let inside = self.smallest.simd_ge(Magnitude::<T, S>::splat(simd, low))
            & self.largest.simd_le(Magnitude::<T, S>::splat(simd, high));
        inside.all_true()
    }
}
