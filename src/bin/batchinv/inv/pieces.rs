//! How a file is cut into pieces, so that memory does not grow with its length.

use std::ops::Range;

use batchinv::{Scalar, Status};

use crate::exit::Failure;
use crate::npy::elements::zeroed;
use crate::shape::Shape;

/// Bytes of matrices per piece, unless a single matrix takes more.
const PIECE_BYTES: usize = 16 << 20;

/// The same for a file in Fortran order, where each piece is gathered from the whole file.
const FORTRAN_PIECE_BYTES: usize = 64 << 20;

/// At most this many matrices per piece: each takes a few words besides its elements.
const MOST_MATRICES: usize = 1 << 20;

/// Pieces in flight: one is read, one is inverted, one is written, and one waits.
const IN_FLIGHT: usize = 4;

/// Bytes of all pieces in flight, inverses included, unless a single piece takes more.
const ALL_BYTES: usize = 256 << 20;

/// Bytes for two stacks of threads, and for all small things.
const SPARE_BYTES: usize = 8 << 20;

/// How a stack is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    len: usize,
    /// Matrices per piece.
    piece: usize,
    /// Pieces in flight.
    pub slots: usize,
    /// True if inverses overwrite their matrices.
    in_place: bool,
}

/// One piece, with room for its results.
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

impl Pieces {
    /// Cuts a stack whose elements take `size` bytes each. With `kept`, matrices are needed after they are inverted;
    /// otherwise a matrix larger than a piece is inverted in place, since two of them might not fit into memory.
    pub fn new(shape: &Shape, size: usize, fortran: bool, kept: bool) -> Self {
        let matrix = (shape.order * shape.order * size).max(1);
        let bytes = if fortran { FORTRAN_PIECE_BYTES } else { PIECE_BYTES };
        // Lets tests cut small files into many pieces.
        #[cfg(feature = "testing")]
        let bytes = std::env::var("BATCHINV_TEST_PIECE").ok().and_then(|bytes| bytes.parse().ok()).unwrap_or(bytes);
        let piece = (bytes / matrix).clamp(1, MOST_MATRICES).min(shape.len.max(1));
        let pieces = shape.len.div_ceil(piece).max(1);
        let slots = (ALL_BYTES / (2 * piece * matrix)).clamp(1, IN_FLIGHT).min(pieces);
        Self { len: shape.len, piece, slots, in_place: matrix > bytes && !kept }
    }

    /// The range of each piece; an empty stack is one empty piece.
    pub fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        (0..self.len.div_ceil(self.piece).max(1)).map(move |i| i * self.piece..self.len.min((i + 1) * self.piece))
    }

    /// Allocates a slot for one piece at a time.
    pub fn slot<T: Scalar>(self, order: usize, rcond: bool) -> Result<Slot<T>, Failure> {
        let len = self.piece.min(self.len);
        // First, so that a refusal for lack of memory states the bytes of the matrices.
        let matrices = zeroed(len * order * order)?;
        Ok(Slot {
            range: 0..0,
            order,
            matrices,
            inverses: zeroed(if self.in_place { 0 } else { len * order * order })?,
            statuses: zeroed(len)?,
            rconds: zeroed(if rcond { len } else { 0 })?,
        })
    }

    /// Checks that there is memory for the CPU engine's copy of one matrix in its working precision, for its panels,
    /// and for the threads that are still to be started. Where it is missing later, the allocator aborts the program.
    pub fn try_copy<T: Scalar>(self, order: usize, in_double: bool) -> Result<(), Failure> {
        let elements = if self.len > 0 { order * order } else { 0 };
        let spare = |copy: usize| zeroed::<u8>(SPARE_BYTES + copy / 8).map(drop);
        if in_double {
            zeroed::<T::Double>(elements).and_then(|copy| spare(size_of_val(&copy[..])))
        } else {
            zeroed::<T>(elements).and_then(|copy| spare(size_of_val(&copy[..])))
        }
    }
}

impl<T: Scalar> Slot<T> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(axes: &[usize], size: usize, fortran: bool) -> (usize, usize, usize) {
        let pieces = Pieces::new(&Shape::new(axes.to_vec()).unwrap(), size, fortran, true);
        (pieces.piece, pieces.ranges().count(), pieces.slots)
    }

    #[test]
    fn memory_is_bounded_whatever_the_length() {
        for (axes, size) in [([1 << 40, 4, 4], 4), ([1 << 30, 64, 64], 16), ([1 << 20, 1000, 1000], 8)] {
            for fortran in [false, true] {
                let (piece, _, slots) = pieces(&axes, size, fortran);
                let matrices = slots * piece;
                assert!(2 * matrices * axes[1] * axes[2] * size <= ALL_BYTES && slots > 0, "{axes:?}");
                assert!(matrices * 16 <= 64 << 20, "statuses and rconds");
            }
        }
        // One matrix at a time: its input, its inverse, and the engine's copy.
        assert_eq!(pieces(&[10, 8192, 8192], 8, false), (1, 10, 1));
        let in_place = |order, kept| Pieces::new(&Shape::new(vec![9, order, order]).unwrap(), 8, false, kept).in_place;
        assert_eq!([in_place(8192, false), in_place(8192, true), in_place(1024, false)], [true, false, false]);
    }

    #[test]
    fn every_matrix_is_in_one_piece() {
        assert_eq!(pieces(&[1000, 1024, 1024], 4, false), (4, 250, 4));
        assert_eq!(pieces(&[7, 1024, 1024], 4, false), (4, 2, 2));
        assert_eq!(pieces(&[0, 3, 3], 8, false), (1, 1, 1));
        assert_eq!(pieces(&[3, 0, 0], 8, false), (3, 1, 1));
        let shape = Shape::new(vec![7, 1024, 1024]).unwrap();
        assert_eq!(Pieces::new(&shape, 4, false, true).ranges().collect::<Vec<_>>(), [0..4, 4..7]);
    }
}
