//! `subgroup`: some lanes of a subgroup hold the rows of a matrix in their registers and shuffle pivot rows among
//! themselves. `shaders/kernel/subgroup.wgsl` is its shader.

use super::kernel::{PlannedKernel, Size};
use super::program::Program;
use crate::data::engine::GpuKernel;
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// Invocations per workgroup.
pub const SUBGROUP_WORKGROUP: u32 = 64;

/// The smallest subgroup of any adapter: Vulkan, Metal and Direct3D 12 have no smaller one in use.
pub const SUBGROUP_MIN_LANES: u32 = 4;

/// The most rows, and 32-bit words of rows, that one lane holds on hardware by choice. A step takes one shuffle per
/// column, however many rows a lane holds, so few lanes with several rows shuffle less; but registers are few.
pub const SUBGROUP_ROWS: (u32, u32) = (4, 128);

/// The most 32-bit words of rows that one lane can hold on hardware, which has up to 255 registers; if subgroups are
/// too small for that, `workgroup` takes the matrix. Beside its rows a lane needs five words for every four columns
/// and about twenty more; RADV crashes if that makes more than 248 (RDNA 1 and 2, Mesa 22.3.6 to 25.0.7).
pub const SUBGROUP_MAX_WORDS: u32 = 160;

/// The configuration of `subgroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subgroup {
    /// Lanes that share a matrix, a power of two: `LANES` in the shader.
    pub lanes: u32,
}

impl Subgroup {
    /// Rows that one lane holds: `ROWS` in the shader.
    pub const fn rows(self, order: u32) -> u32 {
        order.div_ceil(self.lanes)
    }

    /// 32-bit words of its rows that one lane holds.
    fn lane_words(self, size: Size) -> u32 {
        self.rows(size.order) * size.order * size.words() as u32
    }
}

impl PlannedKernel for Subgroup {
    const NAME: GpuKernel = GpuKernel::Subgroup;

    /// The registers of several lanes bound it.
    fn max_order(working: ScalarKind) -> usize {
        match working {
            ScalarKind::Float32 => 64,
            ScalarKind::Float64 | ScalarKind::Complex64 => 48,
            ScalarKind::Complex128 => 32,
        }
    }

    fn new(_: Size) -> Self {
        Self { lanes: SUBGROUP_MIN_LANES }
    }

    fn suited(self, size: Size, limits: &GpuLimits) -> Self {
        let Some((smallest, _)) = limits.subgroups else { return self };
        // The subgroup of a software adapter is a SIMD vector: lanes cost nothing there, and shuffles little.
        let (rows, words) = if limits.software { (1, u32::MAX) } else { SUBGROUP_ROWS };
        let mut suited = Self { lanes: SUBGROUP_MIN_LANES };
        while suited.lanes < smallest
            && (suited.rows(size.order) > rows || suited.rows(size.order) > 1 && suited.lane_words(size) > words)
        {
            suited = Self { lanes: 2 * suited.lanes };
        }
        suited
    }

    fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        limits.subgroups.is_some_and(|(smallest, _)| smallest >= SUBGROUP_MIN_LANES)
            && (limits.software || self.lane_words(size) <= SUBGROUP_MAX_WORDS)
    }

    fn refusal(self, _: Size, limits: &GpuLimits) -> Option<Refusal> {
        let too_small = limits.subgroups.is_none_or(|(smallest, _)| self.lanes > smallest);
        too_small.then_some(Refusal::Subgroups { lanes: self.lanes })
    }

    fn matrices(self) -> u32 {
        SUBGROUP_WORKGROUP / self.lanes
    }

    fn workgroup(self, _: Size) -> u32 {
        self.matrices() * self.lanes
    }

    fn constants(self, size: Size, _: Program) -> Vec<(&'static str, u32)> {
        vec![("LANES", self.lanes), ("ROWS", self.rows(size.order))]
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/subgroup.wgsl")
    }
}
