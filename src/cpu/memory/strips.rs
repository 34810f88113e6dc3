//! Loads and stores of one matrix, which lies in memory row by row, with its columns in vectors: a strip of LANES rows
//! after another, by transposes of LANES x LANES reals.

use fearless_simd::{Simd, SimdBase, SimdMask};

use super::window::Extremes;
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::{MAX_LANES, transpose};
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;

/// The strips of a matrix, and what was found in those that passed through registers. A column has a vector in each.
pub struct Strips<S: Simd, T: Lane> {
    /// The number of rows.
    rows: usize,
    /// Reals per row.
    row: usize,
    extremes: Extremes<S, T>,
    poison: Magnitude<T, S>,
}

impl<S: Simd, T: Lane> Strips<S, T> {
    /// Matrices of so many rows and columns.
    #[inline(always)]
    pub fn new(simd: S, rows: usize, columns: usize) -> Self {
        let poison = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
        Self { rows, row: columns * T::Vector::<S>::PARTS, extremes: Extremes::new(simd), poison }
    }

    /// The number of strips.
    #[inline(always)]
    pub fn count(&self) -> usize {
        self.rows.div_ceil(T::Vector::<S>::LANES)
    }

    /// The number of rows of a strip.
    #[inline(always)]
    pub fn rows_of(&self, strip: usize) -> usize {
        let lanes = T::Vector::<S>::LANES;
        lanes.min(self.rows - strip * lanes)
    }

    /// Reads a strip, which `source` begins with.
    #[inline(never)]
    pub fn load(&mut self, simd: S, strip: usize, source: &[T::Real], columns: &mut [T::Vector<S>]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
                let (rows, width) = (self.rows_of(strip), self.count());
                let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
                for first in (0..self.row).step_by(lanes) {
                    let mut block = [zero; MAX_LANES];
                    for (index, vector) in block[..rows].iter_mut().enumerate() {
                        // Beyond the end of a row stands the next one, and is ignored.
                        let rest = &source[index * self.row + first..];
                        *vector = match rest.get(..lanes) {
                            Some(whole) => Magnitude::<T, S>::from_slice(simd, whole),
                            None => {
                                let mut vector = Magnitude::<T, S>::splat(simd, T::Real::ONE);
                                vector.as_mut_slice()[..rest.len()].copy_from_slice(rest);
                                vector
                            }
                        };
                        self.extremes.see(*vector);
                        #[allow(clippy::eq_op, reason = "not 0 beside what is not finite")]
                        let poison = *vector - *vector;
                        self.poison += poison;
                    }
                    transpose::<S, T>(&mut block);
                    let columns = columns[first / parts * width + strip..].iter_mut().step_by(width);
                    for (column, reals) in columns.zip(block[..lanes].chunks_exact(parts)) {
                        for (part, &real) in reals.iter().enumerate() {
                            column.set_part(part, real);
                        }
                    }
                }
            },
        );
    }

    /// Writes a strip, which `target` begins with. Column j stands where `sources` says, or in its own place.
    #[inline(never)]
    pub fn store(
        &mut self,
        simd: S,
        strip: usize,
        columns: &[T::Vector<S>],
        sources: Option<&[u32]>,
        target: &mut [T::Real],
    ) {
        simd.vectorize(
            #[inline(always)]
            || {
                let (lanes, parts) = (T::Vector::<S>::LANES, T::Vector::<S>::PARTS);
                let (rows, width) = (self.rows_of(strip), self.count());
                let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
                // From right to left, so that the beginning of the next row overwrites the excess of a row.
                for first in (0..self.row).step_by(lanes).rev() {
                    let mut block = [zero; MAX_LANES];
                    let own = first / parts..(self.row / parts).min((first + lanes) / parts);
                    for (reals, column) in block[..lanes].chunks_exact_mut(parts).zip(own) {
                        let vector =
                            columns[sources.map_or(column, |sources| sources[column] as usize) * width + strip];
                        self.poison = vector.poison(self.poison, zero);
                        for (part, real) in reals.iter_mut().enumerate() {
                            *real = vector.part(part);
                        }
                    }
                    transpose::<S, T>(&mut block);
                    for (index, vector) in block[..rows].iter().enumerate() {
                        let rest = &mut target[index * self.row + first..];
                        match rest.get_mut(..lanes) {
                            Some(whole) => vector.store_slice(whole),
                            None => {
                                let end = rest.len();
                                rest.copy_from_slice(&vector.as_slice()[..end]);
                            }
                        }
                    }
                }
            },
        );
    }

    /// Returns whether all that was read lies in the window that needs no scaling; `false` may also mean that there are
    /// zeros.
    #[inline(always)]
    pub fn in_window(&self, simd: S) -> bool {
        self.extremes.in_window(simd) && self.finite(simd)
    }

    /// Returns whether all that was read or written is finite.
    #[inline(always)]
    pub fn finite(&self, simd: S) -> bool {
        self.poison.simd_eq(Magnitude::<T, S>::splat(simd, T::Real::ZERO)).all_true()
    }
}
