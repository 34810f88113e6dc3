//! `workgroup`: the invocations of a workgroup hold the rows of a matrix and share pivot rows through workgroup memory.
//! `shaders/kernel/workgroup.wgsl` is its shader.

use super::kernel::{PlannedKernel, Size};
use super::program::Program;
use crate::data::engine::GpuKernel;
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

/// The most bytes of a row that one invocation holds.
pub const WORKGROUP_ROW_BYTES: usize = 256;

/// The configuration of `workgroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Workgroup {
    /// Matrices per workgroup: `MATRICES` in the shader.
    pub matrices: u32,
    /// Invocations that share a row: `PARTS` in the shader.
    pub parts: u32,
}

impl Workgroup {
    /// Columns of a row in one invocation, the last one padded: `COLUMNS` in the shader.
    pub const fn columns(self, order: u32) -> u32 {
        order.div_ceil(self.parts)
    }

    /// Invocations that share a matrix.
    const fn team(self, order: u32) -> u32 {
        self.parts * self.columns(order) * self.parts
    }
}

impl PlannedKernel for Workgroup {
    const NAME: GpuKernel = GpuKernel::Workgroup;

    /// 256 invocations hold at most [`WORKGROUP_ROW_BYTES`] each.
    fn max_order(working: ScalarKind) -> usize {
        match working {
            ScalarKind::Float32 => 128,
            ScalarKind::Float64 | ScalarKind::Complex64 | ScalarKind::Complex128 => 64,
        }
    }

    fn new(size: Size) -> Self {
        let columns = (WORKGROUP_ROW_BYTES / size.working.size()) as u32;
        let one = Self { matrices: 1, parts: size.order.div_ceil(columns).max(1) };
        match WORKGROUP_INVOCATIONS.checked_div(one.team(size.order)) {
            Some(several) if several > 1 => Self { matrices: several, ..one },
            _ => one,
        }
    }

    fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        !limits.software || size.order as usize <= SOFTWARE_WORKGROUP_ORDER
    }

    fn matrices(self) -> u32 {
        self.matrices
    }

    fn workgroup(self, size: Size) -> u32 {
        self.matrices * self.team(size.order)
    }

    /// For each matrix: per row a pivot column and a pivot row of scalars, a key, an entry of the permutation, two
    /// exponents and a sum; per invocation two magnitudes; and two words more.
    fn workgroup_bytes(self, size: Size) -> u32 {
        let (scalar, real) = (size.working.size() as u32, size.working.real_size() as u32);
        let rows = self.parts * self.columns(size.order);
        let one = rows * (2 * scalar + 2 * real + 12) + 2 * real * rows * self.parts;
        self.matrices * (one + 8)
    }

    fn constants(self, size: Size, _: Program) -> Vec<(&'static str, u32)> {
        vec![("PARTS", self.parts), ("COLUMNS", self.columns(size.order))]
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/workgroup.wgsl")
    }
}
