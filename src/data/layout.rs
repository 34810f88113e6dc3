//! The layout of a stack in a buffer. `shaders/layout.wgsl` is its twin.

/// The layout of a stack in a buffer: element (i, j) of matrix m lies at `offset + m * matrix + i * row + j * column`,
/// counted in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The place of element (0, 0) of the first matrix.
    pub offset: u32,
    /// The stride from one matrix to the next.
    pub matrix: u32,
    /// The stride from one row to the next.
    pub row: u32,
    /// The stride from one column to the next.
    pub column: u32,
}

impl Layout {
    /// Row-major, one matrix after another.
    pub const fn contiguous(order: u32) -> Self {
        Self::columns(order, order)
    }

    /// Row-major matrices of `order` rows and `width` columns, one after another: right-hand sides or solutions.
    pub const fn columns(order: u32, width: u32) -> Self {
        Self { offset: 0, matrix: order.saturating_mul(width), row: width, column: 1 }
    }

    /// The layout of the transposes: rows and columns exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    /// The places of the first element of `len` matrices of this many rows and columns, and of the end of the last; no
    /// number is 0.
    #[cfg(feature = "gpu")]
    pub(crate) fn elements(self, [rows, columns]: [u32; 2], len: u32) -> (u64, u64) {
        let Self { offset, matrix, row, column } = self;
        let last = |stride: u32, count: u32| u64::from(stride) * u64::from(count - 1);
        let offset = u64::from(offset);
        let end = [last(matrix, len), last(row, rows), last(column, columns), 1];
        (offset, end.into_iter().fold(offset, u64::saturating_add))
    }

    /// Returns whether no two elements of `len` matrices share a place. A layout counts as overlapping if its strides
    /// alone do not prove otherwise.
    #[cfg(feature = "gpu")]
    pub(crate) fn is_injective(self, [rows, columns]: [u32; 2], len: u32) -> bool {
        let mut axes = [(self.matrix, len), (self.row, rows), (self.column, columns)];
        axes.sort_unstable();
        let mut span = 0_u64;
        axes.into_iter().filter(|&(_, count)| count > 1).all(|(stride, count)| {
            let apart = u64::from(stride) > span;
            span = span.saturating_add(u64::from(stride) * u64::from(count - 1));
            apart
        })
    }

    /// The same layout, counted from element `base`, which must not lie behind its offset.
    #[cfg(feature = "gpu")]
    pub(crate) fn from(self, base: u64) -> Self {
        Self { offset: (u64::from(self.offset) - base) as u32, ..self }
    }
}
