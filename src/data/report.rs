//! The account of what ran in a call.

use std::ops::AddAssign;
use std::sync::Arc;

use super::arithmetic::Arithmetic;
use super::engine::{CpuKernel, Engine, Kernel};
use super::error::Error;
use super::reason::Reason;

/// The account of what ran in a call.
///
/// ```
/// use batchinv::{CpuKernel, Engine, Kernel, Stack};
/// let inverses = batchinv::invert(Stack::new(&[1.0_f32; 4096], 1)?)?;
/// let report = inverses.report();
/// assert_eq!((report.engine, report.kernel, report.chunks), (Engine::Cpu, Kernel::Cpu(CpuKernel::Lanes), 1));
/// assert!(report.reason.is_some(), "the automatic choice says why");
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The engine that did the work.
    pub engine: Engine,
    /// The adapter's name, on the GPU engine.
    pub adapter: Option<Arc<str>>,
    /// The kernel that did the work.
    pub kernel: Kernel,
    /// The numbers that it computed with.
    pub arithmetic: Arithmetic,
    /// The number of pieces in which the stack went to the device; 1 on the CPU.
    pub chunks: usize,
    /// Why the automatic choice fell on this engine; `None` if the caller named it.
    pub reason: Option<Reason>,
    /// Why the GPU engine gave up under the automatic choice. The error says how many matrices, from the start of the
    /// stack, it had finished; the CPU engine, which is then the `engine`, did the others.
    pub gpu_failure: Option<Error>,
    /// Seconds per stage. All 0 on the CPU for less work than [`plan::TIMED_FLOPS`](crate::plan::TIMED_FLOPS): reading
    /// the clock would take a noticeable share of the time.
    pub seconds: Stages,
    /// Seconds that the device spent in compute passes, summed over the chunks, by its own timestamps; `None` on the
    /// CPU and on adapters without timestamps.
    pub device_seconds: Option<f64>,
}

impl Report {
    /// The account of work on the CPU engine that took `seconds`.
    pub(crate) fn of_cpu(kernel: CpuKernel, arithmetic: Arithmetic, seconds: f64, reason: Option<Reason>) -> Self {
        Self {
            engine: Engine::Cpu,
            adapter: None,
            kernel: Kernel::Cpu(kernel),
            arithmetic,
            chunks: 1,
            reason,
            gpu_failure: None,
            seconds: Stages { dispatch: seconds, ..Stages::default() },
            device_seconds: None,
        }
    }
}

/// Wall time of a call, stage by stage, in seconds. Stages of successive chunks overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stages {
    /// Choosing kernel and chunks, and building pipelines that did not exist yet.
    pub prepare: f64,
    /// Copying the input to the device.
    pub upload: f64,
    /// The work itself; on a GPU, from the submission until the results can be read.
    pub dispatch: f64,
    /// Copying the results back to the host.
    pub readback: f64,
}

/// Adds the report of the next piece of a stack that was inverted in pieces. The sum says which engine did the last
/// piece, and why the GPU failed if it did.
///
/// ```
/// use batchinv::{Inverter, Stack};
/// let mut report = Inverter::cpu().invert(Stack::new(&[2.0_f32; 5], 1)?)?.report;
/// report += Inverter::cpu().invert(Stack::new(&[4.0_f32; 3], 1)?)?.report;
/// assert_eq!(report.chunks, 2);
/// # Ok::<(), batchinv::Error>(())
/// ```
impl AddAssign for Report {
    fn add_assign(&mut self, next: Self) {
        self.chunks += next.chunks;
        self.seconds += next.seconds;
        self.device_seconds = self.device_seconds.zip(next.device_seconds).map(|(sum, next)| sum + next);
        if self.engine != next.engine {
            (self.engine, self.kernel, self.arithmetic) = (next.engine, next.kernel, next.arithmetic);
            (self.adapter, self.reason) = (next.adapter, next.reason);
        }
        self.gpu_failure = self.gpu_failure.take().or(next.gpu_failure);
    }
}

impl AddAssign for Stages {
    fn add_assign(&mut self, next: Self) {
        self.prepare += next.prepare;
        self.upload += next.upload;
        self.dispatch += next.dispatch;
        self.readback += next.readback;
    }
}
