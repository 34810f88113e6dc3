//! Right-hand sides in vectors, each column scaled by a power of two of its own, and the way back.

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use crate::cpu::simd::exponent::{Format, join_flushed, powers, shifted, shifted_any, split};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::window;

/// How the columns of a group are scaled. Memory is kept from group to group.
pub struct Scaled<S: Simd, T: Lane> {
    /// For each column the power of two that leads back, or its exponent.
    back: Vec<Magnitude<T, S>>,
    by_exponents: bool,
    /// The parts of a column, taken apart.
    parts: Vec<[Magnitude<T, S>; 2]>,
}

impl<S: Simd, T: Lane> Scaled<S, T> {
    /// Nothing is scaled.
    pub fn new() -> Self {
        Self { back: Vec::new(), by_exponents: false, parts: Vec::new() }
    }

    /// Scales `width` columns, which stand row by row in `b`, given the exponents of the matrix if it is scaled.
    /// `in_window` says that all elements are known to need none. Returns the lanes that are found not to be finite, as
    /// a bit mask.
    #[inline(always)]
    pub fn scale(
        &mut self,
        simd: S,
        (width, in_window, flushes): (usize, bool, bool),
        exponents: Option<[&[Magnitude<T, S>]; 2]>,
        b: &mut [T::Vector<S>],
    ) -> u64 {
        self.back.resize(width, Magnitude::<T, S>::splat(simd, T::Real::ZERO));
        self.by_exponents = exponents.is_some() || flushes || !(in_window || zeros_aside_in_window::<S, T>(simd, b));
        if self.by_exponents {
            return self.scale_by_exponents(simd, exponents, b);
        }
        scale_in_window::<S, T>(simd, b, &mut self.back);
        0
    }

    /// Turns the solutions of scaled systems into those of the systems themselves, with the exponents of the matrix's
    /// columns if it is scaled.
    #[inline(always)]
    pub fn undo(&self, simd: S, flushes: bool, columns: Option<&[Magnitude<T, S>]>, x: &mut [T::Vector<S>]) {
        if self.by_exponents {
            return self.undo_by_exponents(simd, flushes, columns, x);
        }
        for row in x.chunks_exact_mut(self.back.len()) {
            for (x, &back) in row.iter_mut().zip(&self.back) {
                multiply::<S, T>(x, back);
            }
        }
    }

    /// The same for any magnitudes, by their bits.
    #[inline(never)]
    #[cold]
    fn scale_by_exponents(
        &mut self,
        simd: S,
        exponents: Option<[&[Magnitude<T, S>]; 2]>,
        b: &mut [T::Vector<S>],
    ) -> u64 {
        let Self { back, parts, .. } = self;
        let width = back.len();
        simd.vectorize(
            #[inline(always)]
            || {
                let real = |real: T::Real| Magnitude::<T, S>::splat(simd, real);
                let whole = |exponent: i32| real(T::Real::from_f64(exponent.into()));
                let (zero, far, least) = (real(T::Real::ZERO), real(T::Real::FAR), real(T::Real::FAR_BELOW));
                let least_column = match exponents {
                    Some([_, columns]) => columns.iter().fold(far, |least_column, &column| least_column.min(column)),
                    None => zero,
                };
                let mut not_finite = 0;
                for (c, back) in back.iter_mut().enumerate() {
                    let (mut bottom, mut top) = (far, -far);
                    parts.clear();
                    for (i, x) in b[c..].iter().step_by(width).enumerate() {
                        let own = exponents.map_or(zero, |[rows, _]| rows[i]);
                        for part in 0..T::Vector::<S>::PARTS {
                            let [significand, exponent] = split(simd, x.part(part));
                            let exponent = exponent + own;
                            top = top.max(exponent);
                            bottom = bottom.min(exponent.simd_lt(least).select(far, exponent));
                            parts.push([significand, exponent]);
                        }
                    }
                    not_finite |= top.simd_gt(-least).to_bitmask();
                    // `rhs_exponent` in vectors; a column of zeros stays as it is.
                    let most = least_column.min(whole(T::Real::WINDOW - 1) - top).max(-top);
                    let shift = (whole(T::Real::MIN_EXPONENT) - bottom).max(-top).min(most);
                    let shift = top.simd_lt(least).select(zero, shift);
                    *back = -shift;
                    for (x, parts) in b[c..].iter_mut().step_by(width).zip(parts.chunks_exact(T::Vector::<S>::PARTS)) {
                        for (part, &[significand, exponent]) in parts.iter().enumerate() {
                            x.set_part(part, join_flushed(simd, significand, exponent + shift));
                        }
                    }
                }
                not_finite
            },
        )
    }

    #[inline(never)]
    #[cold]
    fn undo_by_exponents(&self, simd: S, flushes: bool, columns: Option<&[Magnitude<T, S>]>, x: &mut [T::Vector<S>]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
                for (j, row) in x.chunks_exact_mut(self.back.len()).enumerate() {
                    let own = columns.map_or(zero, |columns| columns[j]);
                    for (x, &back) in row.iter_mut().zip(&self.back) {
                        for part in 0..T::Vector::<S>::PARTS {
                            let (real, shift) = (x.part(part), own + back);
                            let real =
                                if flushes { shifted_any(simd, real, shift) } else { shifted(simd, real, shift) };
                            x.set_part(part, real);
                        }
                    }
                }
            },
        );
    }
}

/// Multiplies both parts by a power of two.
#[inline(always)]
pub fn multiply<S: Simd, T: Lane>(x: &mut T::Vector<S>, power: Magnitude<T, S>) {
    for part in 0..T::Vector::<S>::PARTS {
        x.set_part(part, x.part(part) * power);
    }
}

/// Brings the largest part of every column, all of whose elements lie in the window or are 0, into [1, 2), and writes
/// the powers of two that lead back.
#[inline(always)]
pub fn scale_in_window<S: Simd, T: Lane>(simd: S, b: &mut [T::Vector<S>], back: &mut [Magnitude<T, S>]) {
    let (width, order) = (back.len(), b.len() / back.len());
    for c in 0..width {
        // Loops over indexes: a closure would not be compiled with the instructions of the level.
        let mut largest = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        for i in 0..order {
            largest = largest.max(b[i * width + c].largest_part());
        }
        let [power, opposite] = powers(simd, largest);
        back[c] = opposite;
        for i in 0..order {
            multiply::<S, T>(&mut b[i * width + c], power);
        }
    }
}

/// Returns whether all elements lie in the window that needs no scaling. Zeros count for nothing.
#[inline(always)]
pub fn all_in_window<S: Simd, T: Lane>(simd: S, elements: &[T::Vector<S>]) -> bool {
    let (low, high) = window::<T>();
    let (low, high) = (Magnitude::<T, S>::splat(simd, low), Magnitude::<T, S>::splat(simd, high));
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut all = zero.simd_eq(zero);
    for x in elements {
        for part in 0..T::Vector::<S>::PARTS {
            let magnitude = x.part(part).abs();
            all &= (magnitude.simd_ge(low) & magnitude.simd_le(high)) | magnitude.simd_eq(zero);
        }
    }
    all.all_true()
}

/// The same, out of the way.
#[inline(never)]
#[cold]
pub fn zeros_aside_in_window<S: Simd, T: Lane>(simd: S, elements: &[T::Vector<S>]) -> bool {
    simd.vectorize(
        #[inline(always)]
        || all_in_window::<S, T>(simd, elements),
    )
}
