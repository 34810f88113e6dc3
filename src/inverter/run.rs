//! One call, without blocking: choose, run, account.

use std::sync::Arc;

use super::buffers::Buffers;
use super::choice::Decision;
use super::engine_choice::EngineChoice;
use super::options::Inverter;
use super::source::DeviceSource;
#[cfg(not(feature = "gpu"))]
use super::without_gpu::GpuInverter;
use crate::cpu::task::{Inversion, Operation};
use crate::cpu::tasks;
use crate::data::error::Error;
use crate::data::operand::Given;
use crate::data::outcome::Inverses;
use crate::data::output::InversesMut;
use crate::data::reason::Reason;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
#[cfg(feature = "gpu")]
use crate::gpu::device::GpuInverter;
use crate::plan::work::Work;

impl Inverter {
    /// [`Inverter::invert`], without blocking while the GPU works. The CPU engine computes when the future is first
    /// polled; on the GPU engine, opening the device, building pipelines and copying from and to host memory happen
    /// while it is polled. So do fillings and rconds of equilibrated matrices, which the CPU computes at the end.
    ///
    /// ```
    /// # pollster::block_on(async {
    /// let elements = [2.0_f32];
    /// let inverses = batchinv::Inverter::cpu().invert_async(batchinv::Stack::new(&elements, 1)?).await?;
    /// assert_eq!(inverses.stack().elements(), [0.5]);
    /// # Ok::<(), batchinv::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The same as for [`Inverter::invert`].
    pub async fn invert_async<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
        let mut buffers = Buffers::new(stack, [self.rcond, self.det.is_some()])?;
        let report = self.invert_into_async(stack, buffers.output()).await?;
        Ok(buffers.into_outcome(report))
    }

    /// [`Inverter::invert_into`], without blocking while the GPU works.
    ///
    /// ```
    /// # pollster::block_on(async {
    /// use batchinv::{InversesMut, Inverter, Stack, Status};
    /// let (mut out, mut statuses) = ([0.0_f32; 2], [Status::NOT_FINITE; 2]);
    /// let output = InversesMut::new(&mut out, &mut statuses);
    /// Inverter::cpu().invert_into_async(Stack::new(&[2.0, 4.0], 1)?, output).await?;
    /// assert_eq!(out, [0.5, 0.25]);
    /// # Ok::<(), batchinv::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The same as for [`Inverter::invert_into`].
    pub async fn invert_into_async<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        output.check(stack)?;
        let output = self.with_determinants(stack, output).await?;
        self.run_matrices::<Inversion, T>(self.work::<T>(stack.order(), stack.len()), stack, output).await
    }

    /// Does the work of a stack, whose results are matrices of its order, with the engine that is chosen: into outputs
    /// that fit, without determinants. The CPU does it by `O`.
    pub(super) async fn run_matrices<O: Operation, T: Scalar>(
        &self,
        work: Work,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        let mut rconds = self.rconds_of_verdicts(stack.order(), &output)?;
        let mut output = output.or_rconds(rconds.as_deref_mut());
        let equilibrated = self.withhold_rconds(&mut output);
        let report = match self.decide(work).await? {
            Decision::Cpu(plan, reason) => {
                tasks::run::<O, T>(&plan, &self.host, stack.order(), Some(stack), output.reborrow(), reason)
            }
            Decision::Gpu(gpu, plan, reason) => {
                match gpu.run(plan, self.source.time_limit, Given::matrices(stack), output.reborrow()).await {
                    Ok(report) => Report { reason, ..report },
                    Err(error) => self.finish_on_cpu::<O, T>(&gpu, error, work, stack, output.reborrow()).await?,
                }
            }
        };
        self.spoil(output.elements);
        output.rconds = output.rconds.or(equilibrated);
        self.settle(stack.order(), stack.elements(), output);
        Ok(report)
    }

    /// Under the automatic choice, the CPU does the work on the matrices that the GPU has not finished.
    pub(super) async fn finish_on_cpu<O: Operation, T: Scalar>(
        &self,
        gpu: &GpuInverter,
        error: Error,
        work: Work,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        let done = self.goes_on_from(gpu, &error).await.ok_or_else(|| error.clone())?;
        let order = stack.order();
        let rest = stack.slice(done..stack.len());
        let plan = self.plan_cpu(Work { len: rest.len(), ..work });
        let reason = Some(Reason::Failed(Arc::new(error.clone())));
        let report = tasks::run::<O, T>(&plan, &self.host, order, Some(rest), output.from(done, order), reason);
        Ok(Report { gpu_failure: Some(error), ..report })
    }

    /// The number of finished matrices after a failure of the GPU, if the CPU is to do the rest: under the automatic
    /// choice.
    pub(super) async fn goes_on_from(&self, gpu: &GpuInverter, error: &Error) -> Option<usize> {
        let kept = matches!(self.source.device, DeviceSource::Best | DeviceSource::Named(_));
        if kept && matches!(error, Error::DeviceLost { .. }) {
            gpu.forget().await;
        }
        (self.choice == EngineChoice::Auto).then(|| error.done())
    }

    /// Makes the last element wrong if a test asks for it.
    pub(super) fn spoil<T: Scalar>(&self, elements: &mut [T]) {
        #[cfg(feature = "testing")]
        if let (true, Some(element)) = (self.wrong, elements.last_mut()) {
            *element = *element + *element + T::ONE;
        }
        #[cfg(not(feature = "testing"))]
        let _ = elements;
    }
}
