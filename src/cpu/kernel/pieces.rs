//! Columns in pieces of a few, whose pivots stay in registers while the rows go by.

/// Columns in pieces of similar width, at most `widest`.
#[derive(Clone, Copy)]
pub struct Pieces {
    count: usize,
    width: usize,
    /// The number of pieces, counted from the last one, that are one column wider.
    wider: usize,
}

impl Pieces {
    /// Pieces of so many columns.
    #[inline(always)]
    pub fn new(columns: usize, widest: usize) -> Self {
        let count = columns.div_ceil(widest);
        Self { count, width: columns / count.max(1), wider: columns % count.max(1) }
    }

    /// The number of columns of every piece.
    #[inline(always)]
    pub fn widths(self) -> impl Iterator<Item = usize> {
        (0..self.count).map(move |piece| self.width + usize::from(piece + self.wider >= self.count))
    }
}

/// W vectors from `from` on.
#[inline(always)]
pub fn piece<V: Copy, const W: usize>(vectors: &[V], from: usize) -> [V; W] {
    *vectors[from..].first_chunk().expect("as many as W")
}
