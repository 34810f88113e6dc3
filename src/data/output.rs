//! The memory that a call writes to.

use super::determinant::Determinant;
use super::error::ShapeError;
use super::scalar::{Real, Scalar};
use super::stack::Stack;
use super::status::Status;

/// The caller's own memory, for a call to write to.
///
/// ```
/// use batchinv::{InversesMut, Inverter, Stack, Status};
/// let elements = [2.0_f32, 0.0, 0.0, 4.0];
/// let (mut out, mut statuses) = ([0.0; 4], [Status::NOT_FINITE; 1]);
/// Inverter::cpu().invert_into(Stack::new(&elements, 2)?, InversesMut::new(&mut out, &mut statuses))?;
/// assert_eq!(out, [0.5, 0.0, 0.0, 0.25]);
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Debug)]
pub struct InversesMut<'a, T: Scalar> {
    pub(crate) elements: &'a mut [T],
    pub(crate) statuses: &'a mut [Status],
    pub(crate) rconds: Option<&'a mut [T::Real]>,
    pub(crate) determinants: Option<&'a mut [Determinant<T>]>,
}

impl<'a, T: Scalar> InversesMut<'a, T> {
    /// Memory for len * order^2 elements and len statuses.
    pub fn new(elements: &'a mut [T], statuses: &'a mut [Status]) -> Self {
        Self { elements, statuses, rconds: None, determinants: None }
    }

    /// Adds memory for len reciprocal condition numbers, which the call then computes.
    pub fn with_rconds(self, rconds: &'a mut [T::Real]) -> Self {
        Self { rconds: Some(rconds), ..self }
    }

    /// The same memory, with that for rconds if there is none yet.
    pub(crate) fn or_rconds(self, rconds: Option<&'a mut [T::Real]>) -> Self {
        Self { rconds: self.rconds.or(rconds), ..self }
    }

    /// The same memory, borrowed for a shorter time.
    pub(crate) fn reborrow(&mut self) -> InversesMut<'_, T> {
        InversesMut {
            elements: self.elements,
            statuses: self.statuses,
            rconds: self.rconds.as_deref_mut(),
            determinants: self.determinants.as_deref_mut(),
        }
    }

    /// Checks that every output has the length that the stack needs.
    pub(crate) fn check(&self, stack: Stack<'_, T>) -> Result<(), ShapeError> {
        fits("elements", self.elements.len(), stack.elements().len())?;
        fits("statuses", self.statuses.len(), stack.len())?;
        self.rconds.as_ref().map_or(Ok(()), |rconds| fits("rconds", rconds.len(), stack.len()))?;
        self.determinants.as_ref().map_or(Ok(()), |dets| fits("determinants", dets.len(), stack.len()))
    }

    /// Checks that the elements are as many matrices of this order as there are statuses, and returns their number.
    pub(crate) fn check_in_place(&self, order: usize) -> Result<usize, ShapeError> {
        let stack = Stack::with_len(self.elements, order, self.statuses.len())?;
        self.check(stack)?;
        Ok(stack.len())
    }

    /// The outputs of the matrices from `first` on, for a stack of this order.
    pub(crate) fn from(self, first: usize, order: usize) -> Self {
        Self {
            elements: &mut self.elements[first * order * order..],
            statuses: &mut self.statuses[first..],
            rconds: self.rconds.map(|rconds| &mut rconds[first..]),
            determinants: self.determinants.map(|determinants| &mut determinants[first..]),
        }
    }

    /// Settles a stack of order 0, whose matrices have no elements: each is inverted, with an infinite rcond and the
    /// determinant 1.
    pub(crate) fn fill_empty(self) {
        self.statuses.fill(Status::INVERTED);
        if let Some(rconds) = self.rconds {
            rconds.fill(T::Real::from_f64(f64::INFINITY));
        }
        if let Some(determinants) = self.determinants {
            determinants.fill(Determinant::ONE);
        }
    }
}

/// The caller's own memory, for the solutions of systems A X = B.
///
/// ```
/// use batchinv::{Columns, Inverter, SolutionsMut, Stack, Status};
/// let (a, b) = ([2.0_f32, 0.0, 0.0, 4.0], [1.0, 1.0]);
/// let (mut x, mut statuses) = ([0.0; 2], [Status::NOT_FINITE; 1]);
/// let output = SolutionsMut::new(&mut x, &mut statuses);
/// Inverter::cpu().solve_into(Stack::new(&a, 2)?, Columns::new(&b, 2, 1)?, output)?;
/// assert_eq!(x, [0.5, 0.25]);
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Debug)]
pub struct SolutionsMut<'a, T: Scalar> {
    pub(crate) elements: &'a mut [T],
    pub(crate) statuses: &'a mut [Status],
    pub(crate) determinants: Option<&'a mut [Determinant<T>]>,
}

impl<'a, T: Scalar> SolutionsMut<'a, T> {
    /// Memory for len * order * width elements and len statuses.
    pub fn new(elements: &'a mut [T], statuses: &'a mut [Status]) -> Self {
        Self { elements, statuses, determinants: None }
    }

    /// Adds memory for the determinants of the len matrices, which the call then computes.
    pub fn with_determinants(self, determinants: &'a mut [Determinant<T>]) -> Self {
        Self { determinants: Some(determinants), ..self }
    }

    /// The same memory, borrowed for a shorter time.
    pub(crate) fn reborrow(&mut self) -> SolutionsMut<'_, T> {
        SolutionsMut {
            elements: self.elements,
            statuses: self.statuses,
            determinants: self.determinants.as_deref_mut(),
        }
    }

    /// The same memory for an engine that knows every kind of output.
    pub(crate) fn into_any(self) -> InversesMut<'a, T> {
        let Self { elements, statuses, determinants } = self;
        InversesMut { elements, statuses, rconds: None, determinants }
    }

    /// The outputs of the systems from `first` on, for solutions of `size` elements.
    pub(crate) fn from(self, first: usize, size: usize) -> Self {
        Self {
            elements: &mut self.elements[first * size..],
            statuses: &mut self.statuses[first..],
            determinants: self.determinants.map(|determinants| &mut determinants[first..]),
        }
    }

    /// Checks that every output has the length that `len` solutions need.
    pub(crate) fn check(&self, order: usize, width: usize, len: usize) -> Result<(), ShapeError> {
        let needed = order.checked_mul(width).and_then(|size| size.checked_mul(len));
        let needed = needed.ok_or(ShapeError::ColumnsTooLarge { order, width, len })?;
        fits("elements", self.elements.len(), needed)?;
        fits("statuses", self.statuses.len(), len)?;
        self.determinants.as_ref().map_or(Ok(()), |dets| fits("determinants", dets.len(), len))
    }
}

/// Checks the length of an output.
pub(crate) fn fits(what: &'static str, got: usize, needed: usize) -> Result<(), ShapeError> {
    if got == needed { Ok(()) } else { Err(ShapeError::Output { what, got, needed }) }
}
