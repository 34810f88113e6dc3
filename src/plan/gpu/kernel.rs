//! The questions that a plan asks each kernel.

use super::program::{Grid, Program, Step};
use crate::data::arithmetic::Arithmetic;
use crate::data::engine::{GpuKernel, Op};
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;
use crate::plan::work::COFACTORS_MAX_ORDER;

/// The most columns of right-hand sides that ride along at once. For more, a kernel eliminates again.
pub const RIDING_COLUMNS: u32 = 8;

/// The most rounds of loops that an invocation goes through for right-hand sides on a software adapter. Mesa's driver
/// silently ends a program after 65,536.
pub const SOFTWARE_ROUNDS: u32 = 1 << 15;

/// The size of the systems that a kernel works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// The operation.
    pub op: Op,
    /// The scalar that the elimination runs in. Pairs of float32 have the size of float64 and are taken for it.
    pub working: ScalarKind,
    /// The numbers that it computes with.
    pub arithmetic: Arithmetic,
    /// The n of n x n: `N` in the shader.
    pub order: u32,
    /// The columns of a right-hand side, or 0: `WIDTH` in the shader.
    pub width: u32,
}

impl Size {
    /// Columns of a tile, if at most `most` may ride along at once: as few tiles as possible, of equal width. At least
    /// one column rides, if there are any.
    pub const fn riding(self, most: u32) -> u32 {
        let most = if most > RIDING_COLUMNS { RIDING_COLUMNS } else { most };
        let tiles = self.width.div_ceil(if most > 0 { most } else { 1 });
        if tiles > 0 { self.width.div_ceil(tiles) } else { 0 }
    }

    /// 32-bit words of a scalar.
    pub const fn words(self) -> usize {
        self.working.size() / 4
    }

    /// Bytes of a real number that is no pair: `Real` in the shader.
    pub const fn real_bytes(self) -> u32 {
        match self.arithmetic {
            Arithmetic::Float32 | Arithmetic::Pairs => 4,
            Arithmetic::Float64 => 8,
        }
    }

    /// Bytes of four of them: `Pack` in the shader.
    pub const fn pack_bytes(self) -> u32 {
        4 * self.real_bytes()
    }

    /// Packs in this many columns of a row.
    pub const fn packs(self, columns: u32) -> u32 {
        columns / (self.pack_bytes() / self.working.size() as u32)
    }
}

/// Returns whether the loops that a shader marks are written out for a device with these limits. A row stays in
/// registers only if all its indices are numbers, on hardware and with Mesa's software driver, which has float64 or
/// subgroups of at least 8 lanes. SwiftShader has neither; it takes 6 seconds to compile `subgroup` of order 16 written
/// out, and more than 24 GiB for order 32.
pub(crate) fn writes_out(limits: &GpuLimits) -> bool {
    !limits.software || limits.float64 || limits.subgroups.is_some_and(|(smallest, _)| smallest >= 8)
}

/// Returns whether a kernel has the cofactor matrices of this order.
pub(crate) const fn has_cofactors(kernel: GpuKernel, order: usize) -> bool {
    matches!(kernel, GpuKernel::Thread) && order <= COFACTORS_MAX_ORDER
}

/// Everything that Rust knows of one kernel. Each implementation stands in a file of its own, next to the shader of the
/// same name.
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "only the GPU engine asks for constants"))]
pub(crate) trait PlannedKernel: Copy {
    /// The kernel's name.
    const NAME: GpuKernel;

    /// The largest order that the kernel takes on any device.
    fn max_order(working: ScalarKind) -> usize;

    /// The configuration for a device with WebGPU's default limits.
    fn new(size: Size) -> Self;

    /// The same, fitted to a device with these limits.
    fn suited(self, _: Size, _: &GpuLimits) -> Self {
        self
    }

    /// Returns whether a plan prefers this kernel to the next one on a device with these limits.
    fn suits(self, size: Size, limits: &GpuLimits) -> bool;

    /// Why a device with these limits cannot run this configuration, beyond the size of its workgroups.
    fn refusal(self, _: Size, _: &GpuLimits) -> Option<Refusal> {
        None
    }

    /// Matrices per workgroup: `MATRICES` in the shader.
    fn matrices(self) -> u32;

    /// Invocations per workgroup: `WORKGROUP` in the shader.
    fn workgroup(self, size: Size) -> u32;

    /// Columns of right-hand sides that ride along at once: `RIDING` in the shader.
    fn riding(self) -> u32;

    /// About the most rounds of loops that an invocation goes through for one tile of right-hand sides.
    fn rounds(self, _: Size) -> u32 {
        0
    }

    /// Bytes of workgroup memory.
    fn workgroup_bytes(self, _: Size) -> u32 {
        0
    }

    /// The constants of a program beyond those that all kernels have.
    fn constants(self, _: Size, _: Program) -> Vec<(&'static str, u32)> {
        Vec::new()
    }

    /// Bytes of working memory and of state for each matrix, if the kernel keeps matrices in memory.
    fn scratch(self, _: Size) -> Option<[u64; 2]> {
        None
    }

    /// Matrices that one batch holds, if `bytes` of working memory may be used at once.
    fn batch(self, _: Size, _: &GpuLimits, _bytes: u64) -> Option<u32> {
        None
    }

    /// The dispatches of a batch, in order.
    fn steps(self, _: Size, _rcond: bool) -> Vec<Step> {
        vec![Step { program: Program::MAIN, grid: Grid::Packed { matrices: self.matrices() } }]
    }

    /// Returns whether the loops that the shader marks are written out.
    fn writes_out(self) -> bool {
        true
    }

    /// The kernel's own text.
    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str;
}
