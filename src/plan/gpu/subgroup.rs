//! `subgroup`: some lanes of a subgroup hold the rows of a matrix in their registers and pass pivot rows among
//! themselves. `shaders/kernel/subgroup.wgsl` is its shader.

use super::kernel::{PlannedKernel, RIDING_COLUMNS, Size, writes_out};
use super::program::Program;
use crate::data::engine::GpuKernel;
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// Invocations per workgroup.
pub const SUBGROUP_WORKGROUP: u32 = 64;

/// The smallest subgroup of any adapter: Vulkan, Metal and Direct3D 12 have no smaller one in use.
pub const SUBGROUP_MIN_LANES: u32 = 4;

/// The most rows that one lane holds on hardware by choice. A step reads the whole pivot row, however many rows a lane
/// holds, so few lanes with several rows read less; but registers are few.
pub const SUBGROUP_ROWS: u32 = 4;

/// The order up to which a lane holds few words by choice, and how many. Beside them a lane needs about forty
/// registers, and 128 let twice as many subgroups wait for memory as more do.
pub const SUBGROUP_FEW_WORDS: (u32, u32) = (16, 64);

/// The most 32-bit words of rows that one lane holds on hardware by choice, and the most that it can hold, by the size
/// of the smallest subgroup, which tells the register file; if subgroups are too small for that, `workgroup` takes the
/// matrix. RADV crashes if a lane needs more than 248 registers (RDNA 1 and 2, Mesa 22.3.6 to 25.0.7).
///
/// | smallest subgroup | GPUs | registers | by choice | at most |
/// |---|---|---|---|---|
/// | 4 | Metal's, which report no other number | unknown | 64 | 100 |
/// | 8, 16 | Intel's | 128 | 64 | 72 |
/// | 32 | NVIDIA's, RDNA | 255 | 128 | 160 |
/// | 64 | GCN, CDNA | 256; more than 128 halve the subgroups at work | 88 | 128 |
const fn lane_words(smallest: u32) -> (u32, u32) {
    match smallest {
        ..8 => (64, 100),
        8..32 => (64, 72),
        32..64 => (128, 160),
        64.. => (88, 128),
    }
}

/// Columns are padded to a multiple of this, which the pivots of a round divide and a pack does too.
pub const SUBGROUP_COLUMNS: u32 = 4;

/// The largest order with more than one pivot per round on a software adapter, and their number there. On lavapipe:
///
/// | order | one pivot, time | first call | two | first call | four | first call |
/// |---|---|---|---|---|---|---|
/// | 16 | 0.78 us | 0.10 s | 0.74 us | 0.12 s | 0.75 us | 0.16 s |
/// | 24 | 1.77 us | 0.16 s | 1.64 us | 0.21 s | 1.77 us | 0.29 s |
/// | 48 | 11.2 us | 0.72 s | 12.7 us | 0.92 s | 13.4 us | 1.38 s |
/// | 64 | 23.8 us | 1.7 s | 29.9 us | 2.3 s | 28.7 us | 3.5 s |
pub const SUBGROUP_SOFTWARE_STEPS: (u32, u32) = (24, 2);

/// The most scalars that a lane holds on a software adapter whose loops are written out: eight rows of order 64, with
/// subgroups of 8 lanes. More take seconds to compile.
pub const SUBGROUP_SOFTWARE_SCALARS: u32 = 512;

/// The most multiply-adds of a lane on a software adapter whose loops are not written out. Mesa's driver silently ends
/// a program after 65,536 rounds of loops, and a lane goes through up to four for each multiply-add.
pub const SUBGROUP_SOFTWARE_ROUNDS: u32 = 1 << 13;

/// The configuration of `subgroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subgroup {
    /// Lanes that share a matrix, a power of two: `LANES` in the shader.
    pub lanes: u32,
    /// True for the form that suits hardware: `HARDWARE` in the shader. The pivot row goes through workgroup memory
    /// instead of shuffles, and without rcond the loops that load and store a row are written out too.
    pub hardware: bool,
    /// Pivots per round, up to four: `STEPS` in the shader.
    pub steps: u32,
    /// True if the loops over rows and columns are written out.
    pub written_out: bool,
    /// Columns of right-hand sides that ride along at once: `RIDING` in the shader.
    pub riding: u32,
}

impl Subgroup {
    /// Rows that one lane holds: `ROWS` in the shader.
    pub const fn rows(self, order: u32) -> u32 {
        order.div_ceil(self.lanes)
    }

    /// Returns whether a software driver can compile and run it.
    pub const fn suits_software(self, order: u32) -> bool {
        let scalars = self.rows(order).saturating_mul(order);
        match self.written_out {
            true => scalars <= SUBGROUP_SOFTWARE_SCALARS,
            false => scalars.saturating_mul(order) <= SUBGROUP_SOFTWARE_ROUNDS,
        }
    }

    /// 32-bit words of its rows that one lane holds.
    fn lane_words(self, size: Size) -> u32 {
        self.rows(size.order) * (size.order + self.riding) * size.words() as u32
    }

    /// Columns that ride along beside the matrix in this many words of a lane.
    fn room(self, size: Size, words: u32) -> u32 {
        (words / (self.rows(size.order) * size.words() as u32).max(1)).saturating_sub(size.order)
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

    fn new(size: Size) -> Self {
        let riding = size.riding(RIDING_COLUMNS);
        Self { lanes: SUBGROUP_MIN_LANES, hardware: false, steps: 1, written_out: false, riding }
    }

    fn suited(self, size: Size, limits: &GpuLimits) -> Self {
        let Some((smallest, _)) = limits.subgroups else { return self };
        let (few_order, few_words) = SUBGROUP_FEW_WORDS;
        // The subgroup of a software adapter is a SIMD vector: lanes cost nothing there, and shuffles little.
        let (rows, words) = match limits.software {
            true => (1, u32::MAX),
            false if size.order <= few_order => (SUBGROUP_ROWS, few_words),
            false => (SUBGROUP_ROWS, lane_words(smallest).0),
        };
        let mut suited = match limits.software {
            false => Self {
                lanes: SUBGROUP_MIN_LANES,
                hardware: true,
                steps: SUBGROUP_COLUMNS,
                written_out: true,
                riding: size.riding(1),
            },
            true => Self {
                lanes: SUBGROUP_MIN_LANES,
                hardware: false,
                steps: if size.order > SUBGROUP_SOFTWARE_STEPS.0 { 1 } else { SUBGROUP_SOFTWARE_STEPS.1 },
                written_out: writes_out(limits),
                riding: size.riding(RIDING_COLUMNS),
            },
        };
        while suited.lanes < smallest
            && (suited.rows(size.order) > rows || suited.rows(size.order) > 1 && suited.lane_words(size) > words)
        {
            suited.lanes *= 2;
        }
        if !limits.software {
            suited.riding = size.riding(suited.room(size, words));
        }
        suited
    }

    fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        limits.subgroups.is_some_and(|(smallest, _)| {
            smallest >= SUBGROUP_MIN_LANES
                && match limits.software {
                    true => self.suits_software(size.order),
                    false => self.lane_words(size) <= lane_words(smallest).1,
                }
        })
    }

    fn refusal(self, _: Size, limits: &GpuLimits) -> Option<Refusal> {
        let too_small = limits.subgroups.is_none_or(|(smallest, _)| self.lanes > smallest);
        too_small.then_some(Refusal::Subgroups { lanes: self.lanes })
    }

    fn riding(self) -> u32 {
        self.riding
    }

    /// Written out, scaling goes over the columns twice.
    fn rounds(self, size: Size) -> u32 {
        let lane = self.rows(size.order) * (size.order + self.riding);
        match self.written_out {
            true => 6 * size.order + lane,
            false => 4 * lane * size.order,
        }
    }

    fn matrices(self) -> u32 {
        SUBGROUP_WORKGROUP / self.lanes
    }

    fn workgroup(self, _: Size) -> u32 {
        self.matrices() * self.lanes
    }

    /// The pivot row of each matrix and the same divided, in packs of 16 or 32 bytes, and a pack behind each.
    fn workgroup_bytes(self, size: Size) -> u32 {
        let pack = size.pack_bytes();
        let elements = size.order.next_multiple_of(SUBGROUP_COLUMNS) + self.riding;
        let row = (elements * size.working.size() as u32).next_multiple_of(pack) + pack;
        if self.hardware { self.matrices() * 2 * row } else { 0 }
    }

    fn constants(self, size: Size, _: Program) -> Vec<(&'static str, u32)> {
        vec![
            ("LANES", self.lanes),
            ("STEPS", self.steps),
            ("LANE_BITS", self.lanes.ilog2()),
            ("ROWS", self.rows(size.order)),
            ("HARDWARE", u32::from(self.hardware)),
        ]
    }

    fn writes_out(self) -> bool {
        self.written_out
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/subgroup.wgsl")
    }
}
