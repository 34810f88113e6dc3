//! Inverses in the place of their matrices, without blocking.

use super::choice::Decision;
use super::options::Inverter;
use crate::cpu::task::Inversion;
use crate::cpu::tasks;
use crate::data::error::Error;
use crate::data::operand::Given;
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
        stack: InversesMut<'_, T>,
    ) -> Result<Report, Error> {
        let len = stack.check_in_place(order)?;
        if let Some(given) = self.copy_of_input(order, &stack)? {
            return self.invert_into_async(given.view(), stack).await;
        }
        let mut rconds = self.rconds_of_verdicts(order, &stack)?;
        let mut stack = stack.or_rconds(rconds.as_deref_mut());
        let work = self.work::<T>(order, len);
        let report = match self.decide(work).await? {
            Decision::Cpu(plan, reason) => {
                tasks::run::<Inversion, T>(&plan, &self.host, order, None, stack.reborrow(), reason)
            }
            Decision::Gpu(gpu, plan, reason) => {
                let given = stack.elements.to_vec();
                let given = Stack::with_len(&given, order, len)?;
                match gpu.run(plan, self.source.time_limit, Given::matrices(given), stack.reborrow()).await {
                    Ok(report) => Report { reason, ..report },
                    Err(error) => {
                        self.finish_on_cpu::<Inversion, T>(&gpu, error, work, given, stack.reborrow()).await?
                    }
                }
            }
        };
        self.settle(order, &[], stack);
        Ok(report)
    }
}
