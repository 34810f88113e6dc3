//! Systems A X = B, and determinants. Both come from LU factors, which the CPU engine computes.

use super::choice::Decision;
use super::options::Inverter;
use crate::cpu::lu::tasks;
use crate::data::columns::{Columns, ColumnsBuf};
use crate::data::determinant::Determinant;
use crate::data::engine::{Engine, Op};
use crate::data::error::{Error, ShapeError};
use crate::data::on_failure::OnFailure;
use crate::data::outcome::{Determinants, Outcome, Solutions};
use crate::data::output::{InversesMut, SolutionsMut};
use crate::data::reason::Reason;
use crate::data::refusal::Refusal;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::{Stack, zeroed};
use crate::data::status::Status;
use crate::plan::cpu::CpuPlan;
use crate::plan::work::Work;

impl Inverter {
    /// [`Inverter::solve`] for async programs. The CPU engine computes when the future is first polled.
    ///
    /// # Errors
    /// The same as for [`Inverter::solve`].
    pub async fn solve_async<T: Scalar>(&self, a: Stack<'_, T>, b: Columns<'_, T>) -> Result<Solutions<T>, Error> {
        let (plan, reason) = self.factors(self.system(a, b)?).await?;
        self.solve_on_cpu(&plan, reason, a, b)
    }

    /// [`Inverter::determinants`] for async programs. The CPU engine computes when the future is first polled.
    ///
    /// # Errors
    /// The same as for [`Inverter::determinants`].
    pub async fn determinants_async<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Determinants<T>, Error> {
        let (plan, reason) = self.factors(self.det_work::<T>(stack.order(), stack.len())).await?;
        let mut values = zeroed(stack.len(), stack.order(), stack.len())?;
        let report = self.determinants_on_cpu(&plan, reason, stack, &mut values);
        Ok(Determinants { values, report })
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

    /// The plan for LU factors, or why the engine that was named cannot compute them.
    pub(super) async fn factors(&self, work: Work) -> Result<(CpuPlan, Option<Reason>), Error> {
        match self.decide(work).await? {
            Decision::Cpu(plan, reason) => Ok((plan, reason)),
            Decision::Gpu(..) => Err(Error::refused(Refusal::Operation { op: work.op })),
        }
    }

    /// Solves systems with a plan that is already made.
    pub(super) fn solve_on_cpu<T: Scalar>(
        &self,
        plan: &CpuPlan,
        reason: Option<Reason>,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
    ) -> Result<Solutions<T>, Error> {
        let (order, len) = (a.order(), systems(a, b)?);
        let mut values = ColumnsBuf::zeros(order, b.width(), len)?;
        // All bits of `Status::INVERTED` are zero.
        let mut statuses: Vec<Status> = zeroed(len, order, len)?;
        let mut determinants = self.det.map(|_| zeroed::<Determinant<T>>(len, order, len)).transpose()?;
        let mut output = SolutionsMut::new(values.elements_mut(), &mut statuses);
        output.determinants = determinants.as_deref_mut();
        let report = self.solve_into_on_cpu(plan, reason, a, b, output);
        Ok(Outcome { values, statuses, rconds: None, determinants, report })
    }

    /// The same, into outputs that fit.
    pub(super) fn solve_into_on_cpu<T: Scalar>(
        &self,
        plan: &CpuPlan,
        reason: Option<Reason>,
        a: Stack<'_, T>,
        b: Columns<'_, T>,
        mut output: SolutionsMut<'_, T>,
    ) -> Report {
        let report = tasks::solve(plan, &self.host, a, b, output.reborrow(), reason);
        self.spoil(output.elements);
        self.settle_solutions(b, output);
        report
    }

    /// The work of solving systems, if matrices and right-hand sides go together and the options suit.
    pub(super) fn system<T: Scalar>(&self, a: Stack<'_, T>, b: Columns<'_, T>) -> Result<Work, Error> {
        self.solve_work::<T>(a.order(), b.width(), systems(a, b)?)
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

    /// Returns whether calls compute determinants beside their results.
    pub(crate) fn wants_determinants(&self) -> bool {
        self.det.is_some()
    }

    /// Computes the determinants of a stack that is about to be inverted, if there is a place for them. Returns the
    /// other outputs.
    #[inline]
    pub(super) fn with_determinants<'a, T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        mut output: InversesMut<'a, T>,
    ) -> InversesMut<'a, T> {
        if let (Some(determinants), Some(fill)) = (output.determinants.take(), self.det) {
            let (order, len) = (stack.order(), stack.len());
            let plan = self.plan_cpu(self.det_work::<T>(order, len));
            let given = (bytemuck::cast_slice(stack.elements()), order, len);
            fill(&plan, &self.host, T::KIND, given, bytemuck::cast_slice_mut(determinants));
        }
        output
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
