//! Cofactor matrices: what remains of the inverse if a matrix is singular.

use super::buffers::Buffers;
use super::options::Inverter;
use crate::cpu::cofactors::Cofactors;
use crate::data::engine::{Engine, Op};
use crate::data::error::Error;
use crate::data::outcome::Inverses;
use crate::data::output::InversesMut;
use crate::data::refusal::Refusal;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
use crate::plan::work::{COFACTORS_MAX_ORDER, Work};

impl Inverter {
    /// [`Inverter::cofactors`], without blocking while the GPU works. The CPU engine computes when the future is first
    /// polled.
    ///
    /// # Errors
    /// The same as for [`Inverter::cofactors`].
    pub async fn cofactors_async<T: Scalar>(&self, stack: Stack<'_, T>) -> Result<Inverses<T>, Error> {
        let mut buffers = Buffers::new(stack, [self.rcond, self.det.is_some()])?;
        let report = self.cofactors_into_async(stack, buffers.output()).await?;
        Ok(buffers.into_outcome(report))
    }

    /// [`Inverter::cofactors_into`], without blocking while the GPU works.
    ///
    /// # Errors
    /// The same as for [`Inverter::cofactors_into`].
    pub async fn cofactors_into_async<T: Scalar>(
        &self,
        stack: Stack<'_, T>,
        output: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        output.check(stack)?;
        let work = Work::cofactors(T::KIND, stack.order(), stack.len()).with_precision(self.precision);
        let refused = |reason| Err(Error::Unsupported { engine: Engine::Cpu, reason });
        if work.order > COFACTORS_MAX_ORDER {
            let (order, scalar) = (work.order, work.working_scalar());
            return refused(Refusal::Order { order, scalar, max: COFACTORS_MAX_ORDER });
        }
        if output.rconds.is_some() || self.min_rcond > 0.0 {
            return refused(Refusal::NoRconds { op: Op::Cofactors });
        }
        let output = self.with_determinants(stack, output).await?;
        self.run_matrices::<Cofactors, T>(work, stack, output).await
    }
}
