//! `thread`: one invocation inverts one matrix in its registers. `shaders/kernel/thread.wgsl` is its shader.

use super::kernel::{PlannedKernel, Size, writes_out};
use super::program::Program;
use crate::data::engine::GpuKernel;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// Matrices per workgroup by default.
pub const THREAD_WORKGROUP: u32 = 64;

/// The most 32-bit words of a matrix that an invocation holds on hardware without subgroups, which has up to 255
/// registers; a larger matrix would spill. On a software adapter a cache holds the rest.
pub const THREAD_MAX_WORDS: usize = 160;

/// The same if `subgroup` can take the matrix: 96 words take up to 128 registers, half as many as a lane may have.
pub const THREAD_WORDS: usize = 96;

/// The same beside right-hand sides, which take registers of their own: 90 words would take 135.
pub const THREAD_SOLVE_WORDS: usize = 80;

/// The same on a device with 128 registers, which has subgroups of 8 or 16 lanes.
pub const THREAD_FEW_WORDS: usize = 64;

/// The largest orders of which every step is written out, and not only the loops within a step: on hardware, and on
/// software. It halves the instructions on hardware. On lavapipe it saves time in the passes and takes time in the
/// first call; times with it as shares of those without:
///
/// | order | 5 | 6 | 7 | 8 |
/// |---|---|---|---|---|
/// | passes, float32 | 0.66 | 0.70 | 0.9 to 1.0 | 0.8 to 1.2 |
/// | passes, float64 | 0.82 | 0.88 | 0.84 | 0.6 to 0.85 |
/// | passes, complex64 | 0.75 | 0.69 | 0.7 to 0.8 | 0.7 to 1.05 |
/// | first call, float32 | 1.1 | 1.5 | 1.7 | |
pub const THREAD_STEPS_OUT: (u32, u32) = (9, 5);

/// The most columns of right-hand sides that an invocation holds.
pub const THREAD_RIDING: usize = 4;

/// The configuration of `thread`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Matrices, and so invocations, per workgroup: `MATRICES` in the shader.
    pub matrices: u32,
    /// True if loops over rows and columns are written out.
    pub written_out: bool,
    /// True if the steps are written out too: `STEPS_OUT` in the shader.
    pub steps_out: bool,
    /// Columns of right-hand sides that ride along at once: `RIDING` in the shader.
    pub riding: u32,
}

/// The most 32-bit words that an invocation holds on a device with these limits.
const fn most_words(size: Size, limits: &GpuLimits) -> usize {
    match limits.subgroups {
        _ if limits.software => usize::MAX,
        None => THREAD_MAX_WORDS,
        Some((8 | 16, _)) => THREAD_FEW_WORDS,
        Some(_) if size.width > 0 => THREAD_SOLVE_WORDS,
        Some(_) => THREAD_WORDS,
    }
}

/// Columns that ride along beside a matrix in this many words.
fn riding(size: Size, words: usize) -> u32 {
    let columns = words / size.words() / (size.order as usize).max(1);
    size.riding(columns.saturating_sub(size.order as usize).min(THREAD_RIDING) as u32)
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

    fn new(size: Size) -> Self {
        let riding = riding(size, THREAD_MAX_WORDS);
        Self { matrices: THREAD_WORKGROUP, written_out: false, steps_out: size.order <= THREAD_STEPS_OUT.0, riding }
    }

    fn suited(self, size: Size, limits: &GpuLimits) -> Self {
        let most = if limits.software { THREAD_STEPS_OUT.1 } else { THREAD_STEPS_OUT.0 };
        let riding = riding(size, most_words(size, limits));
        Self { written_out: writes_out(limits), steps_out: size.order <= most, riding, ..self }
    }

    fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        (size.order * (size.order + self.riding)) as usize * size.words() <= most_words(size, limits)
    }

    fn riding(self) -> u32 {
        self.riding
    }

    /// Scaling looks at every element three times.
    fn rounds(self, size: Size) -> u32 {
        size.order * (3 * size.order + 2 * self.riding + 6)
    }

    fn matrices(self) -> u32 {
        self.matrices
    }

    fn workgroup(self, _: Size) -> u32 {
        self.matrices
    }

    fn constants(self, _: Size, _: Program) -> Vec<(&'static str, u32)> {
        vec![("STEPS_OUT", u32::from(self.steps_out))]
    }

    fn writes_out(self) -> bool {
        self.written_out
    }

    #[cfg(feature = "gpu")]
    fn source(self) -> &'static str {
        include_str!("../../../shaders/kernel/thread.wgsl")
    }
}
