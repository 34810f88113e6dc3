//! Inverses in the place of their matrices.

use crate::{Error, InversesMut, Inverter, Report, Scalar, ShapeError, Stack};

impl Inverter {
    /// Puts the inverse of every matrix in its place. `stack` holds, as elements, the matrices of `order` on entry and their
    /// inverses on return; statuses and, where there is room for them, reciprocal condition numbers are filled in, as
    /// [`Inverter::invert_into`] does. A matrix whose status is not 0 becomes NaN. Blocks.
    ///
    /// The bits are those of [`Inverter::invert`]. On the CPU engine, each thread has working memory for one matrix above
    /// order 32, in the precision that it computes in, and for a few of smaller orders; where reciprocal condition numbers are
    /// asked for, for a copy of them as well. On the GPU engine the whole stack is copied first.
    ///
    /// ```
    /// use batchinv::{InversesMut, Inverter, Status};
    /// let mut elements = [4.0_f64, 7.0, 2.0, 6.0, 1.0, 2.0, 2.0, 4.0];
    /// let mut statuses = [Status::INVERTED; 2];
    /// Inverter::cpu().invert_in_place(2, InversesMut::new(&mut elements, &mut statuses))?;
    /// assert!((elements[0] - 0.6).abs() < 1e-15);
    /// assert_eq!(statuses.map(Status::word), [0, 2]);
    /// assert!(elements[4..].iter().all(|x| x.is_nan()));
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError`] where the elements are not as many matrices of `order` as there are statuses; otherwise as
    /// [`Inverter::invert_into`]. After any but a [`ShapeError`], elements and statuses hold no meaning.
    pub fn invert_in_place<T: Scalar>(&self, order: usize, stack: InversesMut<'_, T>) -> Result<Report, Error> {
        let given = Stack::with_len(stack.elements, order, stack.statuses.len())?;
        if let Some(rconds) = &stack.rconds
            && rconds.len() != given.len()
        {
            return Err(ShapeError::Output { what: "rconds", got: rconds.len(), needed: given.len() }.into());
        }
        self.replace(order, stack)
    }
}
