//! The scaling of matrices in vectors: which of them leave the window of magnitudes that need no scaling, by which
//! exponents they come into it, and what a zero pivot of a scaled matrix proves.

pub mod alone;
mod by_lane;
pub mod small;
pub mod survey;
mod zero_pivots;

use fearless_simd::Simd;

use self::alone::Alone;
use self::by_lane::{ByLane, LaneExponents};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::vector::Vector;
use crate::data::status::Status;

/// The scalings of the matrices that are eliminated together. Memory is kept from group to group.
pub struct Balance<S: Simd, T: Lane> {
    /// The scalings of groups with a matrix per lane. Empty until one is needed.
    groups: Vec<ByLane<S, T>>,
    /// The scaling of a matrix that all lanes hold together.
    pub alone: Alone,
    /// True if a matrix is scaled.
    pub scaled: bool,
    /// True if a matrix is not finite.
    pub poisoned: bool,
}

impl<S: Simd, T: Lane> Balance<S, T> {
    /// Nothing is scaled.
    pub fn new() -> Self {
        Self { groups: Vec::new(), alone: Alone::default(), scaled: false, poisoned: false }
    }

    /// Prepares for the next matrices.
    #[inline(always)]
    pub fn clear(&mut self) {
        (self.scaled, self.poisoned) = (false, false);
    }

    /// Scales the matrices in the lanes of all groups, group by group in `vectors`. Returns those that are not finite,
    /// as a bit mask.
    #[inline(never)]
    pub fn scale(&mut self, simd: S, (order, flushes): (usize, bool), vectors: &mut [T::Vector<S>]) -> u64 {
        let (size, lanes) = (order * order, T::Vector::<S>::LANES);
        while self.groups.len() * size < vectors.len() {
            self.groups.push(ByLane::new(simd));
        }
        simd.vectorize(
            #[inline(always)]
            || {
                let (mut rest, mut poisoned) = (vectors, 0);
                let mut index = 0;
                while !rest.is_empty() {
                    let (own, later) = rest.split_at_mut(size);
                    let group = &mut self.groups[index];
                    poisoned |= group.scale(simd, (order, flushes), own) << (index * lanes);
                    self.scaled |= group.any();
                    (rest, index) = (later, index + 1);
                }
                self.poisoned |= poisoned != 0;
                poisoned
            },
        )
    }

    /// The exponents of the rows of a group, if a matrix of it is scaled.
    pub fn rows_of(&mut self, group: usize) -> Option<&mut [Magnitude<T, S>]> {
        self.groups[group].rows()
    }

    /// The exponents of rows and columns of a group, if a matrix of it is scaled.
    pub fn rows_and_columns_of(&self, group: usize) -> Option<[&[Magnitude<T, S>]; 2]> {
        self.exponents_of(group).map(|LaneExponents { rows, columns, .. }| [rows, columns])
    }

    /// All that is known of the exponents of a group, if a matrix of it is scaled.
    fn exponents_of(&self, group: usize) -> Option<LaneExponents<'_, S, T>> {
        self.groups.get(group).filter(|_| self.scaled).and_then(ByLane::exponents)
    }

    /// Turns the inverses of the scaled matrices of all groups into those of the matrices themselves, by the exponents
    /// of the rows as they stand now.
    #[inline(never)]
    pub fn undo(&self, simd: S, order: usize, vectors: &mut [T::Vector<S>]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let (mut rest, mut index) = (vectors, 0);
                while !rest.is_empty() {
                    let (own, later) = rest.split_at_mut(order * order);
                    self.groups[index].undo(simd, own);
                    (rest, index) = (later, index + 1);
                }
            },
        );
    }

    /// Sets the status of every matrix with a zero pivot, in the lanes of all groups. `matrices` are those as given,
    /// and `zero_pivots` holds for every column, as a bit mask, the matrices whose pivot is zero there.
    #[inline(never)]
    pub fn judge(&self, simd: S, order: usize, matrices: &[T], zero_pivots: &[u64], statuses: &mut [Status]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let lanes = T::Vector::<S>::LANES;
                let groups = matrices.chunks_exact(order * order * lanes).zip(statuses.chunks_mut(lanes));
                for (index, (matrices, statuses)) in groups.enumerate() {
                    let exponents = self.exponents_of(index);
                    zero_pivots::judge(simd, order, (matrices, exponents), (zero_pivots, index * lanes), statuses);
                }
            },
        );
    }

    /// The status of a finite matrix that all lanes hold, with a zero pivot in `column`, counted from 0. `elements` is
    /// the matrix as given, in the scalar of the elimination, and may be overwritten; converted matrices are never
    /// scaled.
    pub fn zero_pivot(&mut self, order: usize, elements: Option<&mut [T]>, column: usize) -> Status {
        match elements {
            Some(elements) if self.scaled => self.alone.zero_pivot(order, elements, column),
            _ => Status::singular(column + 1),
        }
    }
}
