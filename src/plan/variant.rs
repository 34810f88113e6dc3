//! What a GPU program is compiled for, and the sizes that follow from it.

use super::{
    DEVICE_BLOCK, DEVICE_LARGE_PANEL, DEVICE_PANEL_INVOCATIONS, DEVICE_PANEL_SCALARS, DEVICE_PITCH_BREAK,
    DEVICE_SOFTWARE_TILE, DEVICE_SOFTWARE_WIDE_TILE, DEVICE_SPAN, DEVICE_TILE, DEVICE_WIDE_ORDER, DEVICE_WORK_BYTES,
    GpuLimits, Kernel, Precision, SUBGROUP_MIN_LANES, SUBGROUP_ROWS, SUBGROUP_WORKGROUP, THREAD_WORKGROUP,
    WORKGROUP_INVOCATIONS, WORKGROUP_ROW_BYTES,
};
use crate::ScalarKind;

/// Everything that decides a shader's text: two equal variants share their pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Variant {
    /// The kernel.
    pub kernel: Kernel,
    /// The scalar of input and output.
    pub scalar: ScalarKind,
    /// The precision of the elimination.
    pub precision: Precision,
    /// The n of n x n: `N` in the shader.
    pub order: u32,
    /// Matrices to a workgroup: `MATRICES` in the shader.
    pub matrices: u32,
    /// Invocations that share a matrix of `subgroup` (`LANES` in the shader), a row of `workgroup` (`PARTS`), or a panel of
    /// `device`; 1 in `thread`.
    pub parts: u32,
    /// Columns of a panel of `device`: `BLOCK` in the shader.
    pub block: u32,
    /// Columns of a span of `device`, whole panels: `SPAN` in the shader.
    pub span: u32,
    /// Of the update of `device`: rows to a workgroup, packs of each to an invocation, and how far apart they are, which is the
    /// number of invocations (`TILE_ROWS`, `TILE_PACKS` and `LINE` in the shader).
    pub tile: (u32, u32, u32),
    /// Where the input lies: `INPUT_OFFSET` and so on in the shader.
    pub input: Layout,
    /// Where the inverses go.
    pub output: Layout,
    /// Input and output are one buffer.
    pub in_place: bool,
    /// rcond is given with the inverse.
    pub rcond: bool,
}

impl Variant {
    /// A kernel for an order, from one contiguous buffer to another, with as many matrices to a workgroup as the kernel
    /// likes.
    pub const fn new(kernel: Kernel, scalar: ScalarKind, precision: Precision, order: u32) -> Self {
        let layout = Layout::contiguous(order);
        let one = Self {
            kernel,
            scalar,
            precision,
            order,
            matrices: 1,
            parts: 1,
            block: DEVICE_BLOCK,
            span: if order < DEVICE_WIDE_ORDER { DEVICE_BLOCK } else { DEVICE_SPAN },
            tile: DEVICE_TILE,
            input: layout,
            output: layout,
            in_place: false,
            rcond: false,
        };
        match kernel {
            Kernel::Subgroup => one.with_lanes(SUBGROUP_MIN_LANES),
            Kernel::Workgroup => {
                let columns = (WORKGROUP_ROW_BYTES / one.working_scalar().size()) as u32;
                let parts = order.div_ceil(columns);
                let one = Self { parts: if parts > 1 { parts } else { 1 }, ..one };
                match WORKGROUP_INVOCATIONS.checked_div(one.workgroup()) {
                    Some(several) if several > 1 => Self { matrices: several, ..one },
                    _ => one,
                }
            }
            Kernel::Device => {
                let rows = one.padded().next_power_of_two();
                let most = DEVICE_PANEL_INVOCATIONS.1;
                Self { parts: if rows > most { most } else { rows }, ..one }
            }
            _ => Self { matrices: THREAD_WORKGROUP, ..one },
        }
    }

    /// The scalar that the elimination runs in.
    pub const fn working_scalar(self) -> ScalarKind {
        self.scalar.working(self.precision)
    }

    /// The same work as it suits a device with these limits.
    #[must_use]
    pub fn suited(self, limits: &GpuLimits) -> Self {
        match (self.kernel, limits.subgroups) {
            (Kernel::Device, _) if limits.software => {
                let large = self.order >= DEVICE_WIDE_ORDER;
                let tile = if large { DEVICE_SOFTWARE_WIDE_TILE } else { DEVICE_SOFTWARE_TILE };
                let variant = Self { tile, ..self };
                let real = matches!(self.working_scalar(), ScalarKind::Float32 | ScalarKind::Float64);
                let (order, scalars) = DEVICE_LARGE_PANEL;
                let rows = if real && self.order >= order { scalars } else { DEVICE_PANEL_SCALARS } / self.block;
                let parts =
                    variant.padded().div_ceil(rows).next_power_of_two().max(DEVICE_PANEL_INVOCATIONS.0).min(self.parts);
                Self { parts, ..variant }
            }
            (Kernel::Subgroup, Some((smallest, _))) => {
                // A software adapter's subgroup is a SIMD vector: lanes cost nothing there, and shuffles little.
                let (rows, words) = if limits.software { (1, u32::MAX) } else { SUBGROUP_ROWS };
                let mut variant = self.with_lanes(SUBGROUP_MIN_LANES);
                while variant.parts < smallest
                    && (variant.rows() > rows || variant.rows() > 1 && variant.lane_words() > words)
                {
                    variant = self.with_lanes(2 * variant.parts);
                }
                variant
            }
            _ => self,
        }
    }

    /// Words of 32 bits of its rows that one lane of `subgroup` holds.
    pub(super) const fn lane_words(self) -> u32 {
        self.rows() * self.order * (self.working_scalar().size() / 4) as u32
    }

    const fn with_lanes(self, lanes: u32) -> Self {
        Self { parts: lanes, matrices: SUBGROUP_WORKGROUP / lanes, ..self }
    }

    /// Rows and columns in the working memory of `device`, whole panels: `PADDED` in the shader.
    pub const fn padded(self) -> u32 {
        self.order.next_multiple_of(self.block)
    }

    /// From a row to the next in the working memory of `device`: `PITCH` in the shader. A tile of rows whose beginnings are a
    /// power of two apart would fight over few sets of a cache.
    pub const fn pitch(self) -> u32 {
        let padded = self.padded();
        if padded.is_multiple_of(DEVICE_PITCH_BREAK) { padded + self.block } else { padded }
    }

    /// Rows that one lane of `subgroup`, or rows of a panel that one invocation of `device` holds: `ROWS` in the shader.
    pub const fn rows(self) -> u32 {
        match self.kernel {
            Kernel::Device => self.padded().div_ceil(self.parts),
            _ => self.order.div_ceil(self.parts),
        }
    }

    /// Packs of a row to an invocation of `update` in `device`, where it takes so many columns: as few as make no more tiles
    /// (`TILE_PACKS` in the shader). What is beyond the columns would be loaded for nothing.
    pub const fn tile_packs(self, columns: u32) -> u32 {
        let (_, packs, line) = self.tile;
        let all = self.packs(columns).div_ceil(line);
        if all == 0 { packs } else { all.div_ceil(all.div_ceil(packs)) }
    }

    /// Workgroups that share an update of so many columns of one matrix in `device`: down the rows, and along them.
    pub const fn update_workgroups(self, columns: u32) -> [u32; 2] {
        let (rows, _, line) = self.tile;
        [self.padded() / rows, self.packs(columns).div_ceil(self.tile_packs(columns) * line)]
    }

    /// Of four real numbers each.
    const fn packs(self, columns: u32) -> u32 {
        let scalar = self.working_scalar();
        columns / (4 * scalar.real_size() / scalar.size()) as u32
    }

    /// Bytes of working memory and of state that `device` needs for each matrix.
    pub const fn scratch_bytes(self) -> (u64, u64) {
        let padded = self.padded() as u64;
        let work = self.pitch() as u64 * (padded + self.span as u64 + 1) * self.working_scalar().size() as u64;
        (work, 4 * (8 + 4 * padded + 4 * padded / self.block as u64))
    }

    /// Matrices that `device` works on at once.
    pub fn batch(self, limits: &GpuLimits) -> u32 {
        self.batch_within(limits, DEVICE_WORK_BYTES)
    }

    /// Matrices that `device` could work on at once, if memory were no matter.
    pub fn largest_batch(self, limits: &GpuLimits) -> u32 {
        self.batch_within(limits, u64::MAX)
    }

    fn batch_within(self, limits: &GpuLimits, bytes: u64) -> u32 {
        let (work, state) = self.scratch_bytes();
        // The shader's indexes are 32 bits wide.
        let indexed = u64::from(u32::MAX) * self.working_scalar().size() as u64;
        let fit = bytes.min(limits.binding_bytes).min(indexed) / work;
        fit.min(limits.binding_bytes / state).clamp(1, limits.workgroups.into()) as u32
    }

    /// Columns of a row in one invocation, the last one padded: `COLUMNS` in the shader.
    pub const fn columns(self) -> u32 {
        self.order.div_ceil(self.parts)
    }

    /// Invocations to a workgroup: `WORKGROUP` in the shader.
    pub const fn workgroup(self) -> u32 {
        match self.kernel {
            Kernel::Workgroup => self.matrices * self.parts * self.columns() * self.parts,
            Kernel::Device => self.parts,
            Kernel::Subgroup => self.matrices * self.parts,
            _ => self.matrices,
        }
    }

    /// Bytes of workgroup memory. `workgroup`: for each matrix a pivot column and a pivot row of scalars, a key, an origin, two
    /// exponents and a sum to a row, two magnitudes to an invocation, and two words more. `device`: a key and a word to an
    /// invocation, a sum and two words to each share of a line, a row of the panel, and a word more.
    pub const fn workgroup_bytes(self) -> u32 {
        match self.kernel {
            Kernel::Workgroup => {
                let (scalar, real) = (self.working_scalar().size() as u32, self.working_scalar().real_size() as u32);
                let rows = self.parts * self.columns();
                let one = rows * (2 * scalar + 2 * real + 12) + 2 * real * rows * self.parts;
                self.matrices * (one + 8)
            }
            Kernel::Device => {
                let (scalar, real) = (self.working_scalar().size() as u32, self.working_scalar().real_size() as u32);
                let shares = if self.parts > self.block { self.parts } else { self.block };
                self.parts * (real + 4) + shares * (real + 8) + self.block * scalar + 4
            }
            _ => 0,
        }
    }

    /// It computes in float64 or complex128.
    pub const fn needs_float64(self) -> bool {
        matches!(self.working_scalar(), ScalarKind::Float64 | ScalarKind::Complex128)
    }
}

/// Where the elements of a stack lie in a buffer: element (i, j) of matrix m at
/// `offset + m * matrix + i * row + j * column`, all counted in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Of element (0, 0) of the first matrix.
    pub offset: u32,
    /// From a matrix to the next.
    pub matrix: u32,
    /// From a row to the next.
    pub row: u32,
    /// From a column to the next.
    pub column: u32,
}

impl Layout {
    /// Row-major, one matrix after another.
    pub const fn contiguous(order: u32) -> Self {
        Self { offset: 0, matrix: order.saturating_mul(order), row: order, column: 1 }
    }

    /// The same places, with rows for columns.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    /// The first element of `len` matrices, and the one behind the last; `len` and `order` are not 0.
    #[cfg(feature = "gpu")]
    pub(crate) fn elements(self, order: u32, len: u32) -> (u64, u64) {
        let Self { offset, matrix, row, column } = self;
        let last = |stride: u32, count: u32| u64::from(stride) * u64::from(count - 1);
        let offset = u64::from(offset);
        let end = [last(matrix, len), last(row, order), last(column, order), 1];
        (offset, end.into_iter().fold(offset, u64::saturating_add))
    }

    /// No two elements of `len` matrices lie at one place. Layouts of which this cannot be told stride by stride count
    /// as if there were.
    #[cfg(feature = "gpu")]
    pub(crate) fn is_injective(self, order: u32, len: u32) -> bool {
        let mut axes = [(self.matrix, len), (self.row, order), (self.column, order)];
        axes.sort_unstable();
        let mut span = 0;
        axes.into_iter().filter(|&(_, count)| count > 1).all(|(stride, count)| {
            let apart = u64::from(stride) > span;
            span += u64::from(stride) * u64::from(count - 1);
            apart
        })
    }

    /// Counted from another element, which does not lie behind it.
    #[cfg(feature = "gpu")]
    pub(crate) fn from(self, base: u64) -> Self {
        Self { offset: (u64::from(self.offset) - base) as u32, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 65 columns in two parts of 33, so 66 rows with the padding.
    #[test]
    fn sizes_of_a_variant() {
        let variant = Variant::new(Kernel::Workgroup, ScalarKind::Float32, Precision::Native, 65);
        assert_eq!((variant.matrices, variant.parts), (1, 2));
        assert_eq!((variant.columns(), variant.workgroup()), (33, 132));
        assert_eq!(variant.workgroup_bytes(), 66 * (2 * 4 + 5 * 4) + 2 * 4 * 132 + 8);
        // Nothing to do, and nothing to divide by.
        let software = GpuLimits { software: true, ..GpuLimits::WEBGPU_DEFAULT };
        for kernel in Kernel::GPU {
            let nothing = Variant::new(kernel, ScalarKind::Float32, Precision::Native, 0);
            assert!(nothing.parts > 0 && nothing.suited(&software).parts > 0, "{kernel}");
        }
        let thread = Variant::new(Kernel::Thread, ScalarKind::Float32, Precision::Native, 5);
        assert_eq!((thread.columns(), thread.workgroup(), thread.workgroup_bytes()), (5, 64, 0));
    }
}
