//! One piece of a stack that is inverted, with room for its results.

use std::ops::Range;

use batchinv::{Scalar, Status};

use crate::exit::Failure;
use crate::memory::zeroed;

pub struct Slot<T: Scalar> {
    /// The piece's matrices, by position in the whole stack.
    pub range: Range<usize>,
    order: usize,
    matrices: Vec<T>,
    /// Empty if inverses overwrite their matrices.
    inverses: Vec<T>,
    statuses: Vec<Status>,
    /// Empty without `--rcond`.
    rconds: Vec<T::Real>,
}

/// The parts of a slot, as long as its piece.
pub struct Parts<'a, T: Scalar> {
    pub matrices: &'a mut [T],
    /// Empty if inverses overwrite their matrices.
    pub inverses: &'a mut [T],
    pub statuses: &'a mut [Status],
    pub rconds: &'a mut [T::Real],
}

impl<T: Scalar> Slot<T> {
    /// Room for `len` matrices. With `in_place`, inverses overwrite them.
    pub fn new(len: usize, order: usize, in_place: bool, rcond: bool) -> Result<Self, Failure> {
        // First, so that a refusal for lack of memory states the bytes of the matrices.
        let matrices = zeroed(len * order * order)?;
        Ok(Self {
            range: 0..0,
            order,
            matrices,
            inverses: zeroed(if in_place { 0 } else { len * order * order })?,
            statuses: zeroed(len)?,
            rconds: zeroed(if rcond { len } else { 0 })?,
        })
    }

    pub fn parts(&mut self) -> Parts<'_, T> {
        let len = self.range.len();
        let elements = len * self.order * self.order;
        Parts {
            matrices: &mut self.matrices[..elements],
            inverses: if self.inverses.is_empty() { &mut [] } else { &mut self.inverses[..elements] },
            statuses: &mut self.statuses[..len],
            rconds: if self.rconds.is_empty() { &mut [] } else { &mut self.rconds[..len] },
        }
    }
}
