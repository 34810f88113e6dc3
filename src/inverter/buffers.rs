//! Memory for the result of a call.

use crate::data::columns::ColumnsBuf;
use crate::data::determinant::Determinant;
use crate::data::error::Error;
use crate::data::outcome::{Container, Outcome};
use crate::data::output::{InversesMut, SolutionsMut};
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::{Stack, StackBuf, zeroed};
use crate::data::status::Status;
use crate::plan::work::Work;

/// Memory for the result of a call: inverses or solutions in a container, and what stands beside them.
pub struct Buffers<T: Scalar, C> {
    values: C,
    statuses: Vec<Status>,
    rconds: Option<Vec<T::Real>>,
    determinants: Option<Vec<Determinant<T>>>,
}

impl<T: Scalar, C> Buffers<T, C> {
    fn beside(values: C, (order, len): (usize, usize), [rcond, det]: [bool; 2]) -> Result<Self, Error> {
        Ok(Self {
            values,
            // All bits of `Status::INVERTED` are zero.
            statuses: zeroed(len, order, len)?,
            rconds: rcond.then(|| zeroed(len, order, len)).transpose()?,
            determinants: det.then(|| zeroed(len, order, len)).transpose()?,
        })
    }

    pub fn into_outcome(self, report: Report) -> Outcome<C>
    where
        C: Container<Statuses = Vec<Status>, Rconds = Vec<T::Real>, Determinants = Vec<Determinant<T>>>,
    {
        let Self { values, statuses, rconds, determinants } = self;
        Outcome { values, statuses, rconds, determinants, report }
    }
}

impl<T: Scalar> Buffers<T, StackBuf<T>> {
    /// Memory for the inverses of a stack, and on request for rconds and determinants.
    pub fn new(stack: Stack<'_, T>, wanted: [bool; 2]) -> Result<Self, Error> {
        let size = (stack.order(), stack.len());
        Self::beside(StackBuf::zeros(size.0, size.1)?, size, wanted)
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
}

impl<T: Scalar> Buffers<T, ColumnsBuf<T>> {
    /// Memory for the solutions of systems, and on request for determinants.
    pub fn of_systems(work: Work, det: bool) -> Result<Self, Error> {
        let Work { order, width, len, .. } = work;
        Self::beside(ColumnsBuf::zeros(order, width, len)?, (order, len), [false, det])
    }

    pub fn output(&mut self) -> SolutionsMut<'_, T> {
        let Self { values, statuses, determinants, .. } = self;
        SolutionsMut { elements: values.elements_mut(), statuses, determinants: determinants.as_deref_mut() }
    }
}
