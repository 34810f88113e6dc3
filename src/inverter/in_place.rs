//! Inverses in the place of their matrices, without blocking.

use super::choice::Decision;
use super::options::Inverter;
use crate::cpu::tasks;
use crate::data::error::Error;
use crate::data::output::InversesMut;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;

impl Inverter {
    /// [`Inverter::invert_in_place`], without blocking while the GPU works.
    ///
    /// # Errors
    /// The same as for [`Inverter::invert_in_place`].
    pub async fn invert_in_place_async<T: Scalar>(
        &self,
        order: usize,
        mut stack: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        let len = stack.check_in_place(order)?;
        match self.decide(self.work::<T>(order, len)).await? {
            Decision::Cpu(plan, reason) => Ok(tasks::run(&plan, &self.host, order, None, stack, reason)),
            Decision::Gpu(gpu, plan, reason) => {
                let given = stack.elements.to_vec();
                let given = Stack::with_len(&given, order, len)?;
                match gpu.run(plan, self.source.time_limit, given, stack.reborrow()).await {
                    Ok(report) => Ok(Report { reason, ..report }),
                    Err(error) => self.finish_on_cpu(&gpu, error, given, stack).await,
                }
            }
        }
    }
}
