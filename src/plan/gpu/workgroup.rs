//! `workgroup`: the invocations of a workgroup hold a matrix in tiles, and share pivot columns and rows through
//! workgroup memory. `shaders/kernel/workgroup.wgsl` is its shader.

use super::kernel::{PlannedKernel, RIDING_COLUMNS, Size};
use super::program::Program;
use crate::data::engine::{GpuKernel, Op};
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// Largest order on a software adapter, where barriers are slow and `device` has few. On lavapipe without subgroups:
///
/// | order | `workgroup` | `device` |
/// |---|---|---|
/// | 16 | 20 us | 19 us |
/// | 32 | 132 us | 68 us |
pub const SOFTWARE_WORKGROUP_ORDER: usize = 16;

/// Invocations that a workgroup aims at, by taking several small matrices at once.
pub const WORKGROUP_INVOCATIONS: u32 = 64;

/// The largest order of any scalar.
pub const WORKGROUP_MAX_ORDER: usize = 128;

/// The most bytes of a tile, which one invocation holds in 64 registers.
pub const WORKGROUP_TILE_BYTES: usize = 256;

/// The configuration of `workgroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Workgroup {
    /// Matrices per workgroup: `MATRICES` in the shader.
    pub matrices: u32,
    /// Rows of a tile: `ROWS` in the shader.
    pub rows: u32,
    /// Columns of a tile: `COLUMNS` in the shader.
    pub columns: u32,
    /// True if the loops over rows and columns of a tile are written out. They are not for software drivers, which turn
    /// an invocation with barriers into a coroutine: that takes minutes to compile with a barrier in every copy.
    pub written_out: bool,
    /// Columns of right-hand sides that ride along at once: `RIDING` in the shader.
    pub riding: u32,
}

impl Workgroup {
    /// Tiles from the first row to the last, and from the first column to the last: `TILES_DOWN` and `TILES_ACROSS` in
    /// the shader.
    pub const fn tiles(self, order: u32) -> [u32; 2] {
        [order.div_ceil(self.rows), order.div_ceil(self.columns)]
    }

    /// Invocations that share a matrix.
    pub const fn team(self, order: u32) -> u32 {
        let [down, across] = self.tiles(order);
        down * across
    }
}

impl PlannedKernel for Workgroup {
    const NAME: GpuKernel = GpuKernel::Workgroup;

    /// 256 invocations hold one tile each.
    fn max_order(working: ScalarKind) -> usize {
        match working {
            ScalarKind::Float32 => WORKGROUP_MAX_ORDER,
            ScalarKind::Float64 | ScalarKind::Complex64 | ScalarKind::Complex128 => 64,
        }
    }

    fn new(size: Size) -> Self {
        let [rows, columns] = match size.words() {
            1 => [8, 8],
            2 => [8, 4],
            _ => [4, 4],
        };
        let one = Self { matrices: 1, rows, columns, written_out: false, riding: size.riding(RIDING_COLUMNS) };
        let several = WORKGROUP_INVOCATIONS.checked_div(one.team(size.order)).unwrap_or(1);
        let room = GpuLimits::WEBGPU_DEFAULT.workgroup_bytes / one.workgroup_bytes(size);
        Self { matrices: several.min(room).clamp(1, WORKGROUP_INVOCATIONS / 4), ..one }
    }

    fn suited(self, _: Size, limits: &GpuLimits) -> Self {
        Self { written_out: !limits.software, ..self }
    }

    fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        // `device` only inverts.
        !limits.software || size.order as usize <= SOFTWARE_WORKGROUP_ORDER || size.op != Op::Inverse
    }

    fn riding(self) -> u32 {
        self.riding
    }

    /// A step goes over the tile, its sides, and the tiles above each other; scaling over the tile a few times.
    fn rounds(self, size: Size) -> u32 {
        let [down, across] = self.tiles(size.order);
        let tile = self.rows * self.columns;
        let rides = (size.order * self.riding).div_ceil((down * across).max(1));
        size.order * (tile + 8 * self.rows + 2 * down + 2 * rides) + 8 * tile + across
    }

    fn matrices(self) -> u32 {
        self.matrices
    }

    fn workgroup(self, size: Size) -> u32 {
        self.matrices * self.team(size.order)
    }

    /// For each matrix: two pivot columns and a pivot row of scalars; per row a place, an entry of the
    /// permutation and an exponent; an exponent per column; a word for the first small column; two candidates per row
    /// of tiles, and its largest magnitude; a magnitude per tile; a sum per column; the riding columns and one scalar
    /// more, and two exponents for each of them and for one more.
    fn workgroup_bytes(self, size: Size) -> u32 {
        let (scalar, real) = (size.working.size() as u32, size.real_bytes());
        let [down, across] = self.tiles(size.order);
        let (rows, columns) = (down * self.rows, across * self.columns);
        let vectors = (2 * rows + columns) * scalar + (3 * rows + columns + 1) * 4;
        let gathered = 2 * down * (real + 4) + down * real + down * across * real + size.order * real;
        let riding = (rows * self.riding + 1) * scalar + 2 * (self.riding + 1) * 4;
        self.matrices * (vectors + gathered + riding)
    }

    fn constants(self, size: Size, _: Program) -> Vec<(&'static str, u32)> {
        let [down, across] = self.tiles(size.order);
        vec![("ROWS", self.rows), ("COLUMNS", self.columns), ("TILES_DOWN", down), ("TILES_ACROSS", across)]
    }

    fn writes_out(self) -> bool {
        self.written_out
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/workgroup.wgsl")
    }
}
