//! Systems A X = B, and determinants. Both come from LU factors.

use std::sync::Arc;

use super::buffers::Buffers;
use super::choice::Decision;
use super::options::Inverter;
use crate::cpu::lu::tasks;
use crate::data::columns::Columns;
use crate::data::determinant::Determinant;
use crate::data::engine::{Engine, Op};
use crate::data::error::{Error, ShapeError};
use crate::data::on_failure::OnFailure;
use crate::data::operand::Given;
use crate::data::outcome::{Determinants, Solutions};
use crate::data::output::{InversesMut, SolutionsMut, fits};
use crate::data::reason::Reason;
use crate::data::refusal::Refusal;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::{Stack, zeroed};
use crate::data::status::Status;
use crate::plan::cpu::CpuPlan;
use crate::plan::work::Work;

impl Inverter {
    /// [`Inverter::solve`], without blocking while the GPU works. The CPU engine computes when the future is first
    /// polled.
    ///
    /// # Errors
    /// The same as for [`Inverter::solve`].
    pub async fn solve_async<T: Scalar>(&self, a: Stack<'_, T>, b: Columns<'_, T>) -> Result<Solutions<T>, Error> {
        let work = self.system(a, b)?;
        let mut buffers = Buffers::of_systems(work, self.det.is_some())?;
        let report = self.run_systems(work, a, b, buffers.output()).await?;
        Ok(buffers.into_outcome(report))
    }

    /// [`Inverter::solve_into`], without blocking while the GPU works.
    ///
    /// # Errors
    /// The same as for [`Inverter::solve_into`].
    pub async fn solve_into_async<T: Scalar>(
        &self,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        output: SolutionsMut<'_, T>,
    ) -> Result<Report, Error> {
        let work = self.system(a, b)?;
        output.check(work.order, work.width, work.len)?;
        self.run_systems(work, a, b, output).await
    }

    /// [`Inverter::determinants`], without blocking while the GPU works. The CPU engine computes when the future is
    /// first polled.
    ///
    /// # Errors
    /// The same as for [`Inverter::determinants`].
    pub async fn determinants_async<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Determinants<T>, Error> {
        let mut values = zeroed(stack.len(), stack.order(), stack.len())?;
        let report = self.determinants_into_async(stack, &mut values).await?;
        Ok(Determinants { values, report })
    }

    /// [`Inverter::determinants_into`], without blocking while the GPU works.
    ///
    /// # Errors
    /// The same as for [`Inverter::determinants_into`].
    pub async fn determinants_into_async<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        determinants: &mut [Determinant<T>],
    ) -> Result<Report, Error> {
        fits("determinants", determinants.len(), stack.len())?;
        let on_cpu = |plan: &CpuPlan, reason, rest: Stack<'_, T>, determinants: &mut [Determinant<T>]| {
            self.determinants_on_cpu(plan, reason, rest, determinants)
        };
        self.run_determinants(stack, determinants, on_cpu).await
    }

    /// Solves systems into outputs that fit, with the engine that is chosen.
    pub(super) async fn run_systems<T: Scalar>(
        &self,
        work: Work,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        mut output: SolutionsMut<'_, T>,
    ) -> Result<Report, Error> {
        let (gpu, plan, reason) = match self.decide(work).await? {
            Decision::Cpu(plan, reason) => return Ok(self.solve_into_on_cpu(&plan, reason, a, b, output)),
            Decision::Gpu(gpu, plan, reason) => (gpu, plan, reason),
        };
        let given = Given::systems(a, b, work.len);
        let report = match gpu.run(plan, self.source.time_limit, given, output.reborrow().into_any()).await {
            Ok(report) => Report { reason, ..report },
            Err(error) => {
                let done = self.goes_on_from(&gpu, &error).await.ok_or_else(|| error.clone())?;
                let plan = self.plan_cpu(Work { len: work.len - done, ..work });
                let output = output.reborrow().from(done, work.order * work.width);
                let reason = Some(Reason::Failed(Arc::new(error.clone())));
                let report = tasks::solve(&plan, &self.host, given.from(done), output, reason);
                Report { gpu_failure: Some(error), ..report }
            }
        };
        self.finish_systems(b, output);
        Ok(report)
    }

    /// Computes determinants with the engine that is chosen; `on_cpu` is how the CPU does it.
    async fn run_determinants<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        determinants: &mut [Determinant<T>],
        on_cpu: impl Fn(&CpuPlan, Option<Reason>, Stack<'_, T>, &mut [Determinant<T>]) -> Report,
    ) -> Result<Report, Error> {
        let (order, len) = (stack.order(), stack.len());
        let work = self.det_work::<T>(order, len);
        let (gpu, plan, reason) = match self.decide(work).await? {
            Decision::Cpu(plan, reason) => return Ok(on_cpu(&plan, reason, stack, determinants)),
            Decision::Gpu(gpu, plan, reason) => (gpu, plan, reason),
        };
        let mut statuses: Vec<Status> = zeroed(len, order, len)?;
        let mut output = InversesMut::new(&mut [], &mut statuses);
        output.determinants = Some(&mut *determinants);
        match gpu.run(plan, self.source.time_limit, Given::matrices(stack), output).await {
            Ok(report) => Ok(Report { reason, ..report }),
            Err(error) => {
                let done = self.goes_on_from(&gpu, &error).await.ok_or_else(|| error.clone())?;
                let plan = self.plan_cpu(Work { len: len - done, ..work });
                let reason = Some(Reason::Failed(Arc::new(error.clone())));
                let report = on_cpu(&plan, reason, stack.slice(done..len), &mut determinants[done..]);
                Ok(Report { gpu_failure: Some(error), ..report })
            }
        }
    }

    /// Computes determinants with a plan that is already made. Makes the last one wrong if a test asks for it.
    pub(super) fn determinants_on_cpu<T: Scalar>(
        &self,
        plan: &CpuPlan,
        reason: Option<Reason>,
        stack: Stack<'_, T>,
        determinants: &mut [Determinant<T>],
    ) -> Report {
        let report = tasks::determinants(plan, &self.host, stack, determinants, reason);
        #[cfg(feature = "testing")]
        if let (true, Some(last)) = (self.wrong, determinants.last_mut()) {
            *last = Determinant::new(-last.mantissa(), last.exponent());
        }
        report
    }

    /// Solves systems with a plan that is already made, into outputs that fit.
    pub(super) fn solve_into_on_cpu<T: Scalar>(
        &self,
        plan: &CpuPlan,
        reason: Option<Reason>,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        mut output: SolutionsMut<'_, T>,
    ) -> Report {
        let given = Given::systems(a, b, output.statuses.len());
        let report = tasks::solve(plan, &self.host, given, output.reborrow(), reason);
        self.finish_systems(b, output);
        report
    }

    /// The steps that follow an engine.
    fn finish_systems<T: Scalar>(&self, b: Columns<'_, T>, output: SolutionsMut<'_, T>) {
        self.spoil(output.elements);
        self.settle_solutions(b, output);
    }

    /// The work of solving systems, if matrices and right-hand sides go together and the options suit.
    pub(super) fn system<T: Scalar>(&self, a: Stack<'_, T>, b: Columns<'_, T>) -> Result<Work, Error> {
        Ok(self.solve_work::<T>(a.order(), b.width(), systems(a, b)?)?.with_matrices(a.len()))
    }

    /// The work of solving `len` systems, if the options suit.
    pub(crate) fn solve_work<T: Scalar>(&self, order: usize, width: usize, len: usize) -> Result<Work, Error> {
        let refused = |reason| Err(Error::Unsupported { engine: Engine::Cpu, reason });
        if self.rcond || self.min_rcond > 0.0 {
            return refused(Refusal::NoRconds { op: Op::Solve });
        }
        if self.on_failure == OnFailure::Identity {
            return refused(Refusal::NoIdentity { op: Op::Solve });
        }
        Ok(Work::solve(T::KIND, order, width, len).with_precision(self.precision))
    }

    /// The work of computing determinants.
    pub(crate) fn det_work<T: Scalar>(&self, order: usize, len: usize) -> Work {
        Work::det(T::KIND, order, len).with_precision(self.precision)
    }

    /// Computes the determinants of a stack that is about to be inverted, if there is a place for them: those of
    /// [`Inverter::determinants`], to the bit. Returns the other outputs.
    #[inline]
    pub(super) async fn with_determinants<'a, T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        mut output: InversesMut<'a, T>,
    ) -> Result<InversesMut<'a, T>, Error> {
        if let (Some(determinants), Some(fill)) = (output.determinants.take(), self.det) {
            let on_cpu = |plan: &CpuPlan, reason, stack: Stack<'_, T>, determinants: &mut [Determinant<T>]| {
                let given = (bytemuck::cast_slice(stack.elements()), stack.order(), stack.len());
                fill(plan, &self.host, T::KIND, given, bytemuck::cast_slice_mut(determinants), reason)
            };
            match self.run_determinants(stack, determinants, on_cpu).await {
                // The GPU inverts larger matrices than it has determinants of.
                Err(Error::Unsupported { .. }) => {
                    let plan = self.plan_cpu(self.det_work::<T>(stack.order(), stack.len()));
                    on_cpu(&plan, None, stack, determinants);
                }
                done => drop(done?),
            }
        }
        Ok(output)
    }
}

/// The number of systems, if matrices and right-hand sides go together.
pub(super) fn systems<T: Scalar>(a: Stack<'_, T>, b: Columns<'_, T>) -> Result<usize, ShapeError> {
    count((a.len(), a.order()), (b.len(), b.order()))
}

/// The number of systems that `len` matrices of `order` and `rhs_len` right-hand sides of `rhs_order` rows make: one
/// matrix goes with all right-hand sides, and one right-hand side with all matrices.
pub(crate) fn count((len, order): (usize, usize), (rhs_len, rhs_order): (usize, usize)) -> Result<usize, ShapeError> {
    match (len, rhs_len) {
        _ if order != rhs_order => {}
        (len, rhs_len) if len == rhs_len => return Ok(len),
        (1, len) | (len, 1) => return Ok(len),
        _ => {}
    }
    Err(ShapeError::Rhs { len, order, rhs_len, rhs_order })
}
