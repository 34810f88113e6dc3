//! `thread`: one invocation inverts one matrix in its registers. `shaders/kernel/thread.wgsl` is its shader.

use super::kernel::{PlannedKernel, Size};
use crate::data::engine::GpuKernel;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// Matrices per workgroup by default.
pub const THREAD_WORKGROUP: u32 = 64;

/// The most 32-bit words of a matrix that an invocation holds on hardware, which has up to 255 registers; a larger
/// matrix would spill. On a software adapter a cache holds the rest.
pub const THREAD_MAX_WORDS: usize = 160;

/// The configuration of `thread`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Matrices, and so invocations, per workgroup: `MATRICES` in the shader.
    pub matrices: u32,
}

impl PlannedKernel for Thread {
    const NAME: GpuKernel = GpuKernel::Thread;

    /// The order^2 registers of a matrix bound it; on lavapipe, two orders more take ten times as long.
    fn max_order(working: ScalarKind) -> usize {
        match working {
            ScalarKind::Float32 | ScalarKind::Float64 => 12,
            ScalarKind::Complex64 | ScalarKind::Complex128 => 8,
        }
    }

    fn new(_: Size) -> Self {
        Self { matrices: THREAD_WORKGROUP }
    }

    fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        limits.software || (size.order as usize).pow(2) * size.words() <= THREAD_MAX_WORDS
    }

    fn matrices(self) -> u32 {
        self.matrices
    }

    fn workgroup(self, _: Size) -> u32 {
        self.matrices
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/thread.wgsl")
    }
}
