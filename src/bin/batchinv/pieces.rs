//! How a stack is cut into pieces, so that memory does not grow with its length.

use std::ops::Range;

use batchinv::Scalar;

use crate::exit::Failure;
use crate::memory;

/// Bytes of a piece on its larger side, input or output, unless a single matrix takes more.
const PIECE_BYTES: usize = 16 << 20;

/// The same for a file in Fortran order, where each piece is gathered from the whole file.
const FORTRAN_PIECE_BYTES: usize = 64 << 20;

/// At most this many matrices per piece: each takes a few words besides its elements.
const MOST_MATRICES: usize = 1 << 20;

/// Pieces in flight: one is read, one is computed, one is written, and one waits.
const IN_FLIGHT: usize = 4;

/// Bytes of all pieces in flight, results included, unless a single piece takes more.
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
    /// True if a single matrix takes more than a piece should.
    pub large: bool,
}

impl Pieces {
    /// Cuts a stack of `len` matrices. Each takes `most` bytes as input or as output, whichever is more, and `all`
    /// bytes together.
    pub fn new(len: usize, most: usize, all: usize, fortran: bool) -> Self {
        let (most, all) = (most.max(1), all.max(1));
        let bytes = if fortran { FORTRAN_PIECE_BYTES } else { PIECE_BYTES };
        let bytes = at_most(bytes);
        let piece = (bytes / most).clamp(1, MOST_MATRICES).min(len.max(1));
        let pieces = len.div_ceil(piece).max(1);
        let slots = (ALL_BYTES / piece.saturating_mul(all)).clamp(1, IN_FLIGHT).min(pieces);
        Self { len, piece, slots, large: most > bytes }
    }

    /// The matrices of a slot.
    pub fn per_slot(self) -> usize {
        self.piece.min(self.len)
    }

    /// The range of each piece; an empty stack is one empty piece.
    pub fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        (0..self.len.div_ceil(self.piece).max(1)).map(move |i| i * self.piece..self.len.min((i + 1) * self.piece))
    }

    /// Checks that there is memory for the CPU engine's copy of one matrix of so many elements in its working
    /// precision, for its panels, and for the threads that are still to be started. Where it is missing later, the
    /// allocator aborts the program.
    pub fn try_copy<T: Scalar>(self, elements: usize, in_double: bool) -> Result<(), Failure> {
        let elements = if self.len > 0 { elements } else { 0 };
        let size = if in_double { size_of::<T::Double>() } else { size_of::<T>() };
        let copy = elements.saturating_mul(size);
        memory::check([copy, SPARE_BYTES + copy / 8])
    }
}

/// Returns this number of bytes, or fewer if a test wants many pieces of a small file.
pub fn at_most(bytes: usize) -> usize {
    #[cfg(feature = "testing")]
    let bytes = std::env::var("BATCHINV_TEST_PIECE").ok().and_then(|bytes| bytes.parse().ok()).unwrap_or(bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(axes: [usize; 3], size: usize, fortran: bool) -> (usize, usize, usize) {
        let matrix = axes[1] * axes[2] * size;
        let pieces = Pieces::new(axes[0], matrix, 2 * matrix, fortran);
        (pieces.piece, pieces.ranges().count(), pieces.slots)
    }

    #[test]
    fn memory_is_bounded_whatever_the_length() {
        for (axes, size) in [([1 << 40, 4, 4], 4), ([1 << 30, 64, 64], 16), ([1 << 20, 1000, 1000], 8)] {
            for fortran in [false, true] {
                let (piece, _, slots) = pieces(axes, size, fortran);
                let matrices = slots * piece;
                assert!(2 * matrices * axes[1] * axes[2] * size <= ALL_BYTES && slots > 0, "{axes:?}");
                assert!(matrices * 16 <= 64 << 20, "statuses and rconds");
            }
        }
        // One matrix at a time: its input, its inverse, and the engine's copy.
        assert_eq!(pieces([10, 8192, 8192], 8, false), (1, 10, 1));
        let large = |matrix| Pieces::new(9, matrix, 2 * matrix, false).large;
        assert_eq!([large(8 << 26), large(8 << 20)], [true, false]);
    }

    #[test]
    fn every_matrix_is_in_one_piece() {
        assert_eq!(pieces([1000, 1024, 1024], 4, false), (4, 250, 4));
        assert_eq!(pieces([7, 1024, 1024], 4, false), (4, 2, 2));
        assert_eq!(pieces([0, 3, 3], 8, false), (1, 1, 1));
        assert_eq!(pieces([3, 0, 0], 8, false), (3, 1, 1));
        let cut = Pieces::new(7, 4 << 20, 8 << 20, false);
        assert_eq!(cut.ranges().collect::<Vec<_>>(), [0..4, 4..7]);
    }
}
