//! The scaling of a group of matrices in vectors: which of them leave the window of magnitudes that need no scaling, by
//! which factors they come into it, and what a zero pivot of a scaled matrix proves.

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::{Real, Scalar};
use crate::data::scaling::{Scaling, one_factor};
use crate::data::status::Status;
use crate::plan::cpu::MAX_INTERLEAVED;

/// The most matrices of a group.
pub const MAX_MATRICES: usize = MAX_LANES * MAX_INTERLEAVED;

/// A real number for each matrix of a group.
pub type PerMatrix<T> = [<T as Scalar>::Real; MAX_MATRICES];

/// The scalings of a group of matrices. Memory is kept from group to group.
pub struct Balance<T: Scalar> {
    /// The matrices that one factor brings into the window, as a bit mask.
    by_factor: u64,
    /// For every matrix, if `by_factor` has any, two powers of two whose product is its factor, which may be too large
    /// for one power. Empty until a factor is needed: a call for one small matrix takes less time than filling it.
    factors: Vec<[PerMatrix<T>; 2]>,
    /// Other scaled matrices: `used` entries in use, then memory that was in use once.
    scaled: Vec<(usize, Scaling)>,
    used: usize,
    /// True if a matrix is not finite.
    poisoned: bool,
}

impl<T: Scalar> Balance<T> {
    /// Nothing is scaled.
    pub fn new() -> Self {
        Self { by_factor: 0, factors: Vec::new(), scaled: Vec::new(), used: 0, poisoned: false }
    }

    /// Prepares for the next group.
    #[inline(always)]
    pub fn clear(&mut self) {
        (self.by_factor, self.used, self.poisoned) = (0, 0, false);
    }

    /// Returns whether a matrix of the group needs more than a factor undone, or is not finite.
    #[inline(always)]
    pub fn needs_finishing(&self) -> bool {
        self.used > 0 || self.poisoned
    }

    /// The two factors of every matrix, before the elimination and after it: the inverse of f A is A^-1 / f, and
    /// A^-1 = f (f A)^-1.
    #[inline(always)]
    pub fn factors(&self) -> Option<&[PerMatrix<T>; 2]> {
        if self.by_factor != 0 { self.factors.first() } else { None }
    }

    /// The scaling of a matrix by rows and columns.
    pub fn scaling(&self, matrix: usize) -> Option<&Scaling> {
        self.scaled[..self.used].iter().find(|(scaled, _)| *scaled == matrix).map(|(_, scaling)| scaling)
    }

    /// Notes a matrix that is not finite.
    pub fn poison(&mut self) {
        self.poisoned = true;
    }

    /// Notes the factor of a finite matrix with these extremes, if one factor brings it into the window.
    pub fn take_factor(&mut self, matrix: usize, smallest: T::Real, largest: T::Real) -> bool {
        let Some(factors) = one_factor::<T>(smallest, largest) else { return false };
        if self.by_factor == 0 {
            self.factors.clear();
            self.factors.push([[T::Real::ONE; MAX_MATRICES]; 2]);
        }
        self.by_factor |= 1 << matrix;
        for (own, factor) in self.factors.iter_mut().flatten().zip(factors) {
            own[matrix] = factor;
        }
        true
    }

    /// Scales a finite matrix by rows and columns, in place. Returns whether its magnitudes need it; if not, nothing
    /// has changed.
    pub fn scale(&mut self, matrix: usize, order: usize, elements: &mut [T]) -> bool {
        let scaled = self.spare().scale(elements, order);
        if scaled {
            self.scaled[self.used].0 = matrix;
            self.used += 1;
        }
        scaled
    }

    /// The status of a finite matrix with a zero pivot in `column`, counted from 0. `elements` holds the matrix as
    /// given, and may be overwritten.
    pub fn zero_pivot(&mut self, matrix: usize, order: usize, elements: Option<&mut [T]>, column: usize) -> Status {
        if let Some(scaling) = self.scaling(matrix) {
            return scaling.zero_pivot(column);
        }
        // The entries that one factor leaves small are looked for only now: few scaled matrices are singular.
        let by_factor = self.by_factor >> matrix & 1 == 1;
        match elements {
            Some(elements) if by_factor => {
                let scaling = self.spare();
                if scaling.scale(elements, order) { scaling.zero_pivot(column) } else { Status::singular(column + 1) }
            }
            _ => Status::singular(column + 1),
        }
    }

    fn spare(&mut self) -> &mut Scaling {
        if self.used == self.scaled.len() {
            self.scaled.push((0, Scaling::default()));
        }
        &mut self.scaled[self.used].1
    }
}

/// Multiplies by one factor, then by another. Exact, except that an inverse that leaves the normal range is rounded
/// once.
#[inline(always)]
pub fn multiply<S: Simd, T: Lane>(vectors: &mut [T::Vector<S>], [first, second]: [Magnitude<T, S>; 2]) {
    for vector in vectors {
        for part in 0..T::Vector::<S>::PARTS {
            vector.set_part(part, vector.part(part) * first * second);
        }
    }
}

/// The smallest nonzero part in every lane, and the largest part; infinity and zero if all parts are zero.
#[inline(always)]
pub fn extremes<S: Simd, T: Lane>(simd: S, vectors: &[T::Vector<S>]) -> (Magnitude<T, S>, Magnitude<T, S>) {
    let mut smallest = Magnitude::<T, S>::splat(simd, T::Real::from_f64(f64::INFINITY));
    let mut largest = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    for vector in vectors {
        largest = largest.max(vector.largest_part());
        smallest = smallest.min(vector.smallest_part(simd));
    }
    (smallest, largest)
}

/// The lanes that hold NaN or infinity, as a bit mask.
#[inline(always)]
pub fn poisoned_lanes<S: Simd, T: Lane>(simd: S, vectors: &[T::Vector<S>]) -> u64 {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut poison = zero;
    for vector in vectors {
        poison = vector.poison(poison, zero);
    }
    !poison.simd_eq(zero).to_bitmask() & (u64::MAX >> (64 - T::Vector::<S>::LANES))
}
