//! Every use of the crate's inner API. A change to that API needs a change here and in no other module. The names of
//! the programs must stay, so that records remain comparable.

use batchinv::gpu::GpuInverter;
use batchinv::plan::{self, Variant, Work};
use batchinv::{Error, GpuKernel, InversesMut, Precision, Report, Scalar, Stack};

pub use batchinv::plan::Layout;

/// The word of the kernel that a report names.
pub fn kernel_name(report: &Report) -> &'static str {
    report.kernel.name()
}

/// A GPU program that the plan may not choose.
pub struct Forced {
    /// `thread`, `subgroup`, `workgroup` or `device`.
    pub kernel: &'static str,
    /// Sized for `hardware` or for `software`.
    pub sizes: &'static str,
    variant: Variant,
}

/// The programs of every kernel that takes this order on the device: sized for hardware and, if that differs, for
/// software.
pub fn forced<T: Scalar>(gpu: &GpuInverter, precision: Precision, order: usize) -> Vec<Forced> {
    let limits = gpu.facts().limits;
    let mut hardware = limits;
    hardware.software = false;
    let mut software = limits;
    software.software = true;
    let work = Work::inverse(T::KIND, order, 1).with_precision(precision);
    let takes = |kernel: &GpuKernel| {
        (1..=plan::max_order(*kernel, work.working_scalar())).contains(&order)
            && (*kernel != GpuKernel::Subgroup || limits.subgroups.is_some())
    };
    let mut all = Vec::new();
    for kernel in GpuKernel::ALL.into_iter().filter(takes) {
        let variant = Variant::new(kernel, T::KIND, precision, order as u32);
        let [hardware, software] = [&hardware, &software].map(|limits| variant.suited(limits));
        all.push(Forced { kernel: kernel.name(), sizes: "hardware", variant: hardware });
        if software != hardware {
            all.push(Forced { kernel: kernel.name(), sizes: "software", variant: software });
        }
    }
    all
}

/// Inverts a stack with a forced program, in chunks of a length.
pub fn invert_forced<T: Scalar>(
    gpu: &GpuInverter,
    forced: &Forced,
    chunk_len: usize,
    stack: Stack<'_, T>,
    output: InversesMut<'_, T>,
) -> Result<Report, Error> {
    gpu.invert_with(forced.variant, chunk_len, stack, output)
}
