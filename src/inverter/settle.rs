//! What follows an engine if the options ask for it: the verdict on ill-conditioned matrices, and what stands in the
//! place of an inverse that does not exist. Engines fill it with NaN.

use super::options::Inverter;
use crate::data::error::Error;
use crate::data::on_failure::OnFailure;
use crate::data::output::InversesMut;
use crate::data::scalar::{Real, Scalar};
use crate::data::stack::{StackBuf, zeroed};
use crate::data::status::Status;

impl Inverter {
    /// Memory for the rconds that verdicts go by, if the caller gave none.
    pub(super) fn rconds_of_verdicts<T: Scalar>(
        &self,
        order: usize,
        output: &InversesMut<'_, T>,
    ) -> Result<Option<Vec<T::Real>>, Error> {
        let len = output.statuses.len();
        let needed = self.min_rcond > 0.0 && output.rconds.is_none();
        Ok(needed.then(|| zeroed(len, order, len)).transpose()?)
    }

    /// A copy of matrices that are inverted in place, if those without an inverse must come back.
    pub(super) fn copy_of_input<T: Scalar>(
        &self,
        order: usize,
        stack: &InversesMut<'_, T>,
    ) -> Result<Option<StackBuf<T>>, Error> {
        if self.on_failure != OnFailure::Input {
            return Ok(None);
        }
        let mut copy = StackBuf::zeros(order, stack.statuses.len())?;
        copy.elements_mut().copy_from_slice(stack.elements);
        Ok(Some(copy))
    }

    /// Settles the results of a stack whose matrices are `given`, or empty if they were inverted in place.
    #[inline]
    pub(super) fn settle<T: Scalar>(&self, order: usize, given: &[T], output: InversesMut<'_, T>) {
        if self.min_rcond > 0.0
            && let Some(rconds) = &output.rconds
        {
            for (status, rcond) in output.statuses.iter_mut().zip(&**rconds) {
                if status.is_inverted() && rcond.to_f64() < self.min_rcond {
                    *status = Status::ILL_CONDITIONED;
                }
            }
        }
        let size = order * order;
        if self.on_failure == OnFailure::Nan || size == 0 {
            return;
        }
        for (index, place) in output.elements.chunks_exact_mut(size).enumerate() {
            if !output.statuses[index].has_inverse() {
                self.on_failure.fill(order, given.get(index * size..).map_or(&[], |rest| &rest[..size]), place);
            }
        }
    }
}
