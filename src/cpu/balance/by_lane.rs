//! The scaling of a group with a matrix per lane: every matrix by exponents of its own, all lanes at once.
#![allow(clippy::needless_range_loop, reason = "one index walks several arrays; iterators would hide it")]

use std::mem::take;

use fearless_simd::{Select, Simd, SimdBase, SimdMask};

use super::survey::{Extent, Survey};
use crate::cpu::simd::exponent::{Format, join_flushed, raised, shifted, shifted_any, split_normal, stated};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::{proves_alone, window};

/// Some lanes.
type Lanes<S, T> = Mask<Magnitude<T, S>, S>;

/// The exponents by which the matrices of a group are scaled. Memory is kept from group to group.
pub struct ByLane<S: Simd, T: Lane> {
    /// The matrices that are scaled, as a bit mask.
    scaled: u64,
    /// The scaled matrices of which a zero pivot may prove nothing, since they have small entries.
    may_be_small: u64,
    exponents: Exponents<Vec<Magnitude<T, S>>>,
    /// The exponent below which a scaled entry is small: more than 2^w below the largest.
    lowest: Magnitude<T, S>,
    /// True if the thread flushes subnormal numbers to zero.
    flushes: bool,
}

/// The exponents by which the matrices of a group are scaled: 0 in lanes that are not.
pub struct LaneExponents<'a, S: Simd, T: Lane> {
    /// The matrices that are scaled, as a bit mask.
    pub scaled: u64,
    /// The scaled matrices of which a zero pivot may prove nothing, since they have small entries.
    pub may_be_small: u64,
    pub rows: &'a [Magnitude<T, S>],
    pub columns: &'a [Magnitude<T, S>],
    /// The exponent below which a scaled entry is small.
    pub lowest: Magnitude<T, S>,
}

/// Exponents, as vectors or as slices of them.
#[derive(Default)]
struct Exponents<E> {
    /// The exponents by which rows are scaled.
    rows: E,
    /// The exponents by which columns are scaled.
    columns: E,
    /// The exponents of the real and imaginary parts of all elements, while these are scaled.
    parts: E,
}

impl<V> Exponents<Vec<V>> {
    fn slices(&mut self) -> Exponents<&mut [V]> {
        Exponents { rows: &mut self.rows, columns: &mut self.columns, parts: &mut self.parts }
    }
}

impl<S: Simd, T: Lane> ByLane<S, T> {
    /// Nothing is scaled.
    pub fn new(simd: S) -> Self {
        let lowest = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        Self { scaled: 0, may_be_small: 0, exponents: Exponents::default(), lowest, flushes: false }
    }

    /// Returns whether a matrix is scaled.
    pub fn any(&self) -> bool {
        self.scaled != 0
    }

    /// Scales the matrices whose magnitudes need it. Returns those that are not finite, as a bit mask; these are not
    /// scaled.
    #[inline(always)]
    pub fn scale(&mut self, simd: S, (order, flushes): (usize, bool), vectors: &mut [T::Vector<S>]) -> u64 {
        self.exponents.rows.resize(order, self.lowest);
        self.exponents.columns.resize(order, self.lowest);
        self.flushes = flushes;
        let scaled = match order {
            _ if flushes => None,
            1 => self.scale_few::<1>(simd, vectors),
            2 => self.scale_few::<2>(simd, vectors),
            _ => {
                let mut exponents = take(&mut self.exponents);
                exponents.parts.resize(order * order * T::Vector::<S>::PARTS, self.lowest);
                let scaled = self.scale_normal(simd, order, vectors, exponents.slices());
                self.exponents = exponents;
                scaled
            }
        };
        match scaled {
            Some(poisoned) => poisoned,
            None => self.scale_any(simd, order, vectors),
        }
    }

    /// The smallest matrices, which take longer to be scaled than to be inverted: unrolled, and in registers.
    #[inline(always)]
    fn scale_few<const N: usize>(&mut self, simd: S, vectors: &mut [T::Vector<S>]) -> Option<u64> {
        let (mut rows, mut columns, mut parts) = ([self.lowest; N], [self.lowest; N], [[[self.lowest; 2]; N]; N]);
        let parts = parts.as_flattened_mut().as_flattened_mut();
        let exponents = Exponents { rows: &mut rows[..], columns: &mut columns[..], parts };
        let scaled = self.scale_normal(simd, N, vectors, exponents);
        self.exponents.rows.copy_from_slice(&rows);
        self.exponents.columns.copy_from_slice(&columns);
        scaled
    }

    /// The usual case: no matrix has subnormal numbers. Otherwise returns `None`, and nothing has changed.
    #[inline(always)]
    fn scale_normal(
        &mut self,
        simd: S,
        order: usize,
        vectors: &mut [T::Vector<S>],
        mut exponents: Exponents<&mut [Magnitude<T, S>]>,
    ) -> Option<u64> {
        let parts = T::Vector::<S>::PARTS;
        let vectors = &mut vectors[..order * order];
        let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        let Extent { smallest, largest, outside, poisoned, any_subnormal } =
            Extent::<S, T>::of(simd, vectors, window::<T>());
        let poisoned = poisoned.to_bitmask() & all_lanes::<S, T>();
        self.scaled = outside.to_bitmask() & all_lanes::<S, T>();
        if self.scaled == 0 {
            return Some(poisoned);
        }
        if any_subnormal {
            return None;
        }
        let (bottom, top) = (stated(simd, smallest), stated(simd, largest));
        let one_is_enough = one_is_enough::<S, T>(simd, bottom, top);
        if !(outside & !one_is_enough).any_true() {
            let shift = outside.select(whole::<S, T>(simd, T::Real::WINDOW - 1) - top, zero);
            for vector in vectors {
                for part in 0..parts {
                    let real = vector.part(part);
                    vector.set_part(part, real.simd_eq(zero).select(real, raised(simd, real, shift)));
                }
            }
            exponents.rows.fill(shift);
            exponents.columns.fill(zero);
            self.lowest = whole::<S, T>(simd, -1);
            self.note_small(order, bottom + shift);
            return Some(poisoned);
        }

        for (index, vector) in vectors.iter_mut().enumerate() {
            for part in 0..parts {
                let [significand, exponent] = split_normal(simd, vector.part(part));
                vector.set_part(part, significand);
                exponents.parts[index * parts + part] = exponent;
            }
        }
        self.choose(simd, order, (outside, one_is_enough), top, &mut exponents);
        self.apply(simd, order, vectors, &exponents);
        Some(poisoned)
    }

    /// The same for any numbers, also on a thread that flushes subnormal ones.
    #[inline(always)]
    fn scale_any(&mut self, simd: S, order: usize, vectors: &mut [T::Vector<S>]) -> u64 {
        let parts = T::Vector::<S>::PARTS;
        let mut exponents = take(&mut self.exponents);
        exponents.parts.resize(order * order * parts, self.lowest);
        let mut survey = Survey::<S, T>::new(simd);
        for (index, vector) in vectors.iter_mut().enumerate() {
            for part in 0..parts {
                let [significand, exponent] = survey.see(simd, vector.part(part));
                vector.set_part(part, significand);
                exponents.parts[index * parts + part] = exponent;
            }
        }
        let outside = survey.outside(simd);
        self.scaled = outside.to_bitmask() & all_lanes::<S, T>();
        let one_is_enough = one_is_enough::<S, T>(simd, survey.bottom, survey.top);
        self.choose(simd, order, (outside, one_is_enough), survey.top, &mut exponents.slices());
        self.apply(simd, order, vectors, &exponents.slices());
        self.exponents = exponents;
        survey.poisoned(simd).to_bitmask() & all_lanes::<S, T>()
    }

    /// Chooses the exponents of rows and columns: one for the whole matrix if that is enough.
    #[inline(always)]
    fn choose(
        &mut self,
        simd: S,
        order: usize,
        (outside, one_is_enough): (Lanes<S, T>, Lanes<S, T>),
        top: Magnitude<T, S>,
        exponents: &mut Exponents<&mut [Magnitude<T, S>]>,
    ) {
        let zero = whole::<S, T>(simd, 0);
        let one = (outside & one_is_enough).select(whole::<S, T>(simd, T::Real::WINDOW - 1) - top, zero);
        let each = outside & !one_is_enough;
        self.lowest = one_is_enough.select(whole::<S, T>(simd, -1), whole::<S, T>(simd, -T::Real::WINDOW));
        exponents.rows.fill(one);
        exponents.columns.fill(zero);
        if !each.any_true() {
            return;
        }
        let far = Magnitude::<T, S>::splat(simd, T::Real::FAR);
        let least = Magnitude::<T, S>::splat(simd, T::Real::FAR_BELOW);
        let reals = order * T::Vector::<S>::PARTS;
        let (rows, tops) = (&mut exponents.rows[..order], &mut exponents.columns[..order]);
        tops.fill(-far);
        for (i, own) in rows.iter_mut().enumerate() {
            let row = &exponents.parts[i * reals..][..reals];
            let mut top = -far;
            for &exponent in row {
                top = top.max(exponent);
            }
            *own = each.select(top.simd_lt(least).select(zero, -top), one);
            for (j, &exponent) in row.iter().enumerate() {
                let top = &mut tops[j / T::Vector::<S>::PARTS];
                *top = top.max(exponent + *own);
            }
        }
        for own in tops {
            *own = each.select(own.simd_lt(least).select(zero, -*own), zero);
        }
    }

    /// Puts the elements together again, with the exponents of their rows and columns.
    #[inline(always)]
    fn apply(
        &mut self,
        simd: S,
        order: usize,
        vectors: &mut [T::Vector<S>],
        Exponents { rows, columns, parts: exponents }: &Exponents<&mut [Magnitude<T, S>]>,
    ) {
        let parts = T::Vector::<S>::PARTS;
        let (far, far_below) = (T::Real::FAR, T::Real::FAR_BELOW);
        let [far, far_below] = [Magnitude::<T, S>::splat(simd, far), Magnitude::<T, S>::splat(simd, far_below)];
        let mut bottom = far;
        for i in 0..order {
            for j in 0..order {
                let (index, shift) = (i * order + j, rows[i] + columns[j]);
                for part in 0..parts {
                    let exponent = exponents[index * parts + part] + shift;
                    bottom = bottom.min(exponent.simd_lt(far_below).select(far, exponent));
                    // Numbers that are not finite may come out as anything: their whole matrix becomes NaN.
                    let element = join_flushed(simd, vectors[index].part(part), exponent);
                    vectors[index].set_part(part, element);
                }
            }
        }
        self.note_small(order, bottom);
    }

    /// Notes which scaled matrices have small entries that count, given the smallest exponent of each.
    #[inline(always)]
    fn note_small(&mut self, order: usize, bottom: Magnitude<T, S>) {
        let small = bottom.simd_lt(self.lowest).to_bitmask() & self.scaled;
        self.may_be_small = if proves_alone::<T>(order) { 0 } else { small };
    }

    /// The exponents, if a matrix is scaled.
    pub fn exponents(&self) -> Option<LaneExponents<'_, S, T>> {
        let Exponents { rows, columns, .. } = &self.exponents;
        (self.scaled != 0).then_some(LaneExponents {
            scaled: self.scaled,
            may_be_small: self.may_be_small,
            rows,
            columns,
            lowest: self.lowest,
        })
    }

    /// The exponents of the rows, if a matrix is scaled.
    pub fn rows(&mut self) -> Option<&mut [Magnitude<T, S>]> {
        (self.scaled != 0).then_some(&mut self.exponents.rows)
    }

    /// Turns the inverses of the scaled matrices into those of the matrices themselves, by the exponents of the rows as
    /// they stand now.
    #[inline(always)]
    pub fn undo(&self, simd: S, vectors: &mut [T::Vector<S>]) {
        match self.exponents.rows.len() {
            _ if self.scaled == 0 => {}
            1 => self.undo_order(simd, 1, vectors),
            2 => self.undo_order(simd, 2, vectors),
            order => self.undo_order(simd, order, vectors),
        }
    }

    #[inline(always)]
    fn undo_order(&self, simd: S, order: usize, vectors: &mut [T::Vector<S>]) {
        let (rows, columns, vectors) =
            (&self.exponents.rows[..order], &self.exponents.columns[..order], &mut vectors[..order * order]);
        for i in 0..order {
            for j in 0..order {
                let (element, shift) = (&mut vectors[i * order + j], columns[i] + rows[j]);
                for part in 0..T::Vector::<S>::PARTS {
                    let real = element.part(part);
                    let real = if self.flushes { shifted_any(simd, real, shift) } else { shifted(simd, real, shift) };
                    element.set_part(part, real);
                }
            }
        }
    }
}

/// A bit for every lane.
fn all_lanes<S: Simd, T: Lane>() -> u64 {
    u64::MAX >> (64 - T::Vector::<S>::LANES)
}

/// A whole number in every lane.
#[inline(always)]
fn whole<S: Simd, T: Lane>(simd: S, number: i32) -> Magnitude<T, S> {
    Magnitude::<T, S>::splat(simd, T::Real::from_f64(number.into()))
}

/// The lanes in which one exponent for the whole matrix brings it into the window; no entry falls below the normal
/// range with it.
#[inline(always)]
fn one_is_enough<S: Simd, T: Lane>(simd: S, bottom: Magnitude<T, S>, top: Magnitude<T, S>) -> Lanes<S, T> {
    let most = T::Real::from_f64((2 * T::Real::WINDOW - 2).into());
    (top - bottom).simd_le(Magnitude::<T, S>::splat(simd, most))
}
