//! The kernels of the GPU engine as one enum.

use super::device::Device;
use super::kernel::{PlannedKernel, Size};
#[cfg(feature = "gpu")]
use super::program::Program;
use super::program::Step;
use super::subgroup::Subgroup;
use super::thread::Thread;
use super::workgroup::Workgroup;
use crate::data::engine::GpuKernel;
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;
use crate::plan::facts::GpuLimits;

/// A kernel with its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KernelConfig {
    /// One invocation per matrix.
    Thread(Thread),
    /// Some lanes of a subgroup per matrix.
    Subgroup(Subgroup),
    /// Some invocations of a workgroup per matrix.
    Workgroup(Workgroup),
    /// Many workgroups per matrix.
    Device(Device),
}

/// Asks the kernel inside a configuration.
macro_rules! ask {
    ($config:expr, $kernel:ident => $answer:expr) => {
        match $config {
            KernelConfig::Thread($kernel) => $answer,
            KernelConfig::Subgroup($kernel) => $answer,
            KernelConfig::Workgroup($kernel) => $answer,
            KernelConfig::Device($kernel) => $answer,
        }
    };
}

impl KernelConfig {
    /// The configuration of a kernel for a device with WebGPU's default limits.
    pub fn new(kernel: GpuKernel, size: Size) -> Self {
        match kernel {
            GpuKernel::Thread => Self::Thread(Thread::new(size)),
            GpuKernel::Subgroup => Self::Subgroup(Subgroup::new(size)),
            GpuKernel::Workgroup => Self::Workgroup(Workgroup::new(size)),
            GpuKernel::Device => Self::Device(Device::new(size)),
        }
    }

    /// The same, fitted to a device with these limits.
    #[must_use]
    pub fn suited(self, size: Size, limits: &GpuLimits) -> Self {
        match self {
            Self::Thread(kernel) => Self::Thread(kernel.suited(size, limits)),
            Self::Subgroup(kernel) => Self::Subgroup(kernel.suited(size, limits)),
            Self::Workgroup(kernel) => Self::Workgroup(kernel.suited(size, limits)),
            Self::Device(kernel) => Self::Device(kernel.suited(size, limits)),
        }
    }

    /// The kernel's name.
    pub fn name(self) -> GpuKernel {
        /// The name of a kernel's type.
        fn name<K: PlannedKernel>(_: K) -> GpuKernel {
            K::NAME
        }
        ask!(self, kernel => name(kernel))
    }

    pub(crate) fn suits(self, size: Size, limits: &GpuLimits) -> bool {
        size.order as usize <= max_order(self.name(), size.working) && ask!(self, kernel => kernel.suits(size, limits))
    }

    pub(crate) fn refusal(self, size: Size, limits: &GpuLimits) -> Option<Refusal> {
        ask!(self, kernel => kernel.refusal(size, limits))
    }

    pub(crate) fn riding(self) -> u32 {
        ask!(self, kernel => kernel.riding())
    }

    pub(crate) fn rounds(self, size: Size) -> u32 {
        ask!(self, kernel => kernel.rounds(size))
    }

    pub(crate) fn matrices(self) -> u32 {
        ask!(self, kernel => kernel.matrices())
    }

    pub(crate) fn workgroup(self, size: Size) -> u32 {
        ask!(self, kernel => kernel.workgroup(size))
    }

    pub(crate) fn workgroup_bytes(self, size: Size) -> u32 {
        ask!(self, kernel => kernel.workgroup_bytes(size))
    }

    pub(crate) fn scratch(self, size: Size) -> Option<[u64; 2]> {
        ask!(self, kernel => kernel.scratch(size))
    }

    pub(crate) fn batch(self, size: Size, limits: &GpuLimits, bytes: u64) -> Option<u32> {
        ask!(self, kernel => kernel.batch(size, limits, bytes))
    }

    pub(crate) fn steps(self, size: Size, rcond: bool) -> Vec<Step> {
        ask!(self, kernel => kernel.steps(size, rcond))
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn constants(self, size: Size, program: Program) -> Vec<(&'static str, u32)> {
        ask!(self, kernel => kernel.constants(size, program))
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn writes_out(self) -> bool {
        ask!(self, kernel => kernel.writes_out())
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn source(self) -> &'static str {
        ask!(self, kernel => kernel.source())
    }
}

/// The largest order that a kernel of the GPU engine takes, by working scalar.
pub fn max_order(kernel: GpuKernel, working: ScalarKind) -> usize {
    match kernel {
        GpuKernel::Thread => Thread::max_order(working),
        GpuKernel::Subgroup => Subgroup::max_order(working),
        GpuKernel::Workgroup => Workgroup::max_order(working),
        GpuKernel::Device => Device::max_order(working),
    }
}
