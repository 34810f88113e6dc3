//! Memory for the result of a call.

use crate::data::determinant::Determinant;
use crate::data::error::Error;
use crate::data::outcome::Inverses;
use crate::data::output::InversesMut;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::{Stack, StackBuf, zeroed};
use crate::data::status::Status;

/// Memory for the result of a call.
pub struct Buffers<T: Scalar> {
    values: StackBuf<T>,
    statuses: Vec<Status>,
    rconds: Option<Vec<T::Real>>,
    determinants: Option<Vec<Determinant<T>>>,
}

impl<T: Scalar> Buffers<T> {
    /// Memory for the inverses of a stack, and on request for rconds and determinants.
    pub fn new(stack: Stack<'_, T>, [rcond, det]: [bool; 2]) -> Result<Self, Error> {
        let (order, len) = (stack.order(), stack.len());
        Ok(Self {
            values: StackBuf::zeros(order, len)?,
            // All bits of `Status::INVERTED` are zero.
            statuses: zeroed(len, order, len)?,
            rconds: rcond.then(|| zeroed(len, order, len)).transpose()?,
            determinants: det.then(|| zeroed(len, order, len)).transpose()?,
        })
    }

    pub fn output(&mut self) -> InversesMut<'_, T> {
        let Self { values, statuses, rconds, determinants } = self;
        InversesMut {
            elements: values.elements_mut(),
            statuses,
            rconds: rconds.as_deref_mut(),
            determinants: determinants.as_deref_mut(),
        }
    }

    pub fn into_outcome(self, report: Report) -> Inverses<T> {
        let Self { values, statuses, rconds, determinants } = self;
        Inverses { values, statuses, rconds, determinants, report }
    }
}
