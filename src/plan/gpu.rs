//! The GPU engine's plan: which kernel, with which numbers, in which chunks.

pub mod config;
pub mod device;
pub mod kernel;
pub mod program;
pub mod subgroup;
pub mod thread;
pub mod variant;
pub mod workgroup;

use std::time::Duration;

use self::kernel::has_cofactors;
use self::variant::Variant;
use self::workgroup::WORKGROUP_MAX_ORDER;
use super::facts::{AdapterKind, GpuLimits};
use super::work::{COFACTORS_MAX_ORDER, Work};
use crate::data::engine::{GpuKernel, Op};
use crate::data::error::Error;
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;

/// The most bytes of input per chunk: the unit in which upload, kernel and readback overlap.
pub const CHUNK_BYTES: u64 = 8 << 20;

/// Chunks in flight at once: one is uploaded while another is worked on and a third is read back.
pub const CHUNKS_IN_FLIGHT: usize = 3;

/// Multiply-adds of float32 per submission: a seventh of a second on a device that does 10^12 floating-point operations
/// per second. Windows resets a device that works on one submission for two seconds.
pub const SUBMISSION_MULTIPLY_ADDS: u64 = 1 << 36;

/// How a stack goes to a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GpuPlan {
    /// The programs that are compiled.
    pub variant: Variant,
    /// Matrices per chunk; the last chunk may hold fewer.
    pub chunk_len: usize,
    /// The number of chunks.
    pub chunks: usize,
    /// Submissions per chunk.
    pub submissions: usize,
}

impl GpuPlan {
    /// Plans this work for a device with these limits.
    pub(crate) fn new(work: Work, limits: &GpuLimits) -> Result<Self, Refusal> {
        match Self::variant(work, limits) {
            Some(variant) => Self::with(variant, work.len, limits),
            None => {
                let takes = |&order: &usize| Self::variant(Work { order, ..work }, limits).is_some();
                let max = match work.op {
                    Op::Inverse => device::DEVICE_MAX_ORDER,
                    Op::Cofactors => COFACTORS_MAX_ORDER,
                    Op::Solve | Op::Det => (1..=WORKGROUP_MAX_ORDER).rev().find(takes).unwrap_or(0),
                };
                Err(Refusal::Order { order: work.order, scalar: work.working_scalar(), max })
            }
        }
    }

    /// The first kernel that suits.
    fn variant(work: Work, limits: &GpuLimits) -> Option<Variant> {
        let (order, width) = (u32::try_from(work.order).ok()?, u32::try_from(work.width).ok()?);
        let variants = GpuKernel::ALL
            .into_iter()
            .filter(|&kernel| work.order <= config::max_order(kernel, work.working_scalar()))
            .filter(|&kernel| work.op != Op::Cofactors || has_cofactors(kernel, work.order))
            .map(|kernel| Variant::new(kernel, work.scalar, work.precision, order))
            .map(|variant| variant.with_arithmetic(work.arithmetic(limits)).with_op(work.op, width))
            .map(|variant| variant.suited(limits));
        variants.into_iter().find(|variant| variant.config.suits(variant.size(), limits))
    }

    /// Cuts a stack into chunks for a variant that is already chosen.
    pub(crate) fn with(variant: Variant, len: usize, limits: &GpuLimits) -> Result<Self, Refusal> {
        if let Some(refusal) = variant.refusal(limits) {
            return Err(refusal);
        }
        let bytes = variant.matrix_bytes().max(variant.rhs_bytes());
        let fit = limits.binding_bytes / bytes;
        let batch = variant.batch(limits);
        let dispatch = batch.map_or(u64::from(limits.workgroups) * u64::from(variant.matrices()), u64::from);
        let chunk_len = (CHUNK_BYTES / bytes).clamp(1, fit.min(dispatch)) as usize;
        let submissions = match batch {
            Some(_) => submissions(variant.working_scalar(), variant.order, chunk_len.min(len)),
            None => 1,
        };
        Ok(Self { variant, chunk_len, chunks: len.div_ceil(chunk_len), submissions })
    }
}

/// Plans this work for a device with these limits.
///
/// ```
/// use batchinv::plan::{self, GpuLimits, Work};
/// use batchinv::{GpuKernel, ScalarKind};
/// let work = Work::inverse(ScalarKind::Float32, 4, 1_000_000);
/// let plan = plan::gpu(work, &GpuLimits::WEBGPU_DEFAULT)?;
/// assert_eq!((plan.variant.kernel(), plan.chunk_len, plan.chunks), (GpuKernel::Thread, 131_072, 8));
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unsupported`] with the reason if the GPU engine cannot do it.
pub fn gpu(work: Work, limits: &GpuLimits) -> Result<GpuPlan, Error> {
    GpuPlan::new(work, limits).map_err(Error::refused)
}

/// The number of submissions for this many matrices of `device`. A chunk of small matrices is never too long; one
/// float32 matrix of order 4,096 just fits. A complex multiply-add counts as four, and one of float64 as sixteen: many
/// GPUs have a thirty-second of the units for it.
pub const fn submissions(working: ScalarKind, order: u32, len: usize) -> usize {
    let each = match working {
        ScalarKind::Float32 => 1,
        ScalarKind::Complex64 => 4,
        ScalarKind::Float64 => 16,
        ScalarKind::Complex128 => 64,
    };
    let work = (order as u64).pow(3).saturating_mul(len as u64).saturating_mul(each);
    if work <= SUBMISSION_MULTIPLY_ADDS { 1 } else { work.div_ceil(SUBMISSION_MULTIPLY_ADDS) as usize }
}

/// How long to wait for a piece of work from a device that this crate opened. The watchdogs of hardware drivers reset a
/// device after about ten seconds of work, so one that is silent for ten minutes will stay silent. A software adapter
/// has no watchdog and may take its time.
pub const fn patience(kind: AdapterKind) -> Option<Duration> {
    match kind {
        AdapterKind::Software => None,
        _ => Some(Duration::from_secs(600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::engine::Precision;
    use crate::plan::gpu::config::KernelConfig;
    use crate::plan::gpu::workgroup::Workgroup;

    #[test]
    fn a_forced_variant_is_cut_into_chunks_too() {
        let variant = Variant::new(GpuKernel::Workgroup, ScalarKind::Float32, Precision::Native, 65);
        let plan = GpuPlan::with(variant, 100_000, &GpuLimits::WEBGPU_DEFAULT).unwrap();
        assert_eq!((plan.variant, plan.chunk_len), (variant, (CHUNK_BYTES / (65 * 65 * 4)) as usize));
        assert_eq!(plan.chunks, 100_000_usize.div_ceil(plan.chunk_len));
        let config =
            KernelConfig::Workgroup(Workgroup { matrices: 4, rows: 8, columns: 8, written_out: false, riding: 0 });
        let wide = Variant { config, ..variant };
        assert!(GpuPlan::with(wide, 1, &GpuLimits::WEBGPU_DEFAULT).is_err(), "4 x 81 invocations are too many");
    }
}
