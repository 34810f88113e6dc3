//! What follows an engine if the options ask for it: rconds of equilibrated matrices, the verdict on ill-conditioned
//! ones, and what stands in the place of an inverse that does not exist. Engines fill it with NaN.

use rayon::prelude::*;

use super::options::Inverter;
use crate::data::columns::Columns;
use crate::data::condition::fill_rconds;
use crate::data::equilibrated::{Equilibration, RcondOf};
use crate::data::error::Error;
use crate::data::on_failure::OnFailure;
use crate::data::output::{InversesMut, SolutionsMut};
use crate::data::scalar::{Real, Scalar};
use crate::data::stack::{Stack, StackBuf, zeroed};
use crate::data::status::Status;
use crate::plan::host::RCOND_PIECE;

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

    /// Takes the memory for rconds away from an engine, which would compute those of the matrices as given.
    pub(super) fn withhold_rconds<'a, T: Scalar>(&self, output: &mut InversesMut<'a, T>) -> Option<&'a mut [T::Real]> {
        if self.rcond_of == RcondOf::Equilibrated { output.rconds.take() } else { None }
    }

    /// A copy of matrices that are inverted in place, if they are needed afterwards.
    pub(super) fn copy_of_input<T: Scalar>(
        &self,
        order: usize,
        stack: &InversesMut<'_, T>,
    ) -> Result<Option<StackBuf<T>>, Error> {
        let of_copy = self.rcond_of == RcondOf::Equilibrated && (stack.rconds.is_some() || self.min_rcond > 0.0);
        if self.on_failure != OnFailure::Input && !of_copy {
            return Ok(None);
        }
        let mut copy = StackBuf::zeros(order, stack.statuses.len())?;
        copy.elements_mut().copy_from_slice(stack.elements);
        Ok(Some(copy))
    }

    /// Settles the results of a stack whose matrices are `given`, or empty if they were inverted in place.
    #[inline]
    pub(super) fn settle<T: Scalar>(&self, order: usize, given: &[T], mut output: InversesMut<'_, T>) {
        if self.rcond_of == RcondOf::Equilibrated {
            self.equilibrate(order, given, &mut output);
        }
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
                let given = given.get(index * size..(index + 1) * size).unwrap_or_default();
                self.on_failure.fill(order, given, place);
            }
        }
    }

    /// Settles the solutions of systems with right-hand sides `b`, of which there may be one for all.
    pub(super) fn settle_solutions<T: Scalar>(&self, b: Columns<'_, T>, output: SolutionsMut<'_, T>) {
        let size = b.order() * b.width();
        if self.on_failure == OnFailure::Nan || size == 0 {
            return;
        }
        for (index, place) in output.elements.chunks_exact_mut(size).enumerate() {
            if !output.statuses[index].is_inverted() {
                let given = b.matrix(if b.len() == 1 { 0 } else { index });
                self.on_failure.fill(b.order(), given, place);
            }
        }
    }

    /// Fills in the rconds of the equilibrated matrices, on several threads if there is enough to do.
    fn equilibrate<T: Scalar>(&self, order: usize, given: &[T], output: &mut InversesMut<'_, T>) {
        let InversesMut { elements, statuses, rconds: Some(rconds), .. } = output else { return };
        let size = order * order;
        let fill = |first: usize, inverses: &[T], statuses: &[Status], rconds: &mut [T::Real]| {
            let given = Stack::with_len(&given[first * size..][..inverses.len()], order, statuses.len());
            let (given, mut equilibration) = (given.expect("as many matrices as inverses"), Equilibration::default());
            fill_rconds(given, inverses, statuses, rconds, |a, x, order| equilibration.rcond(a, x, order));
        };
        let piece = (RCOND_PIECE / size.max(1)).max(1);
        if size == 0 || statuses.len() <= piece || !self.is_parallel() {
            return fill(0, elements, statuses, rconds);
        }
        self.share(|| {
            let inverses = elements.par_chunks(piece * size).zip(statuses.par_chunks(piece));
            inverses.zip(rconds.par_chunks_mut(piece)).enumerate().for_each(
                |(index, ((inverses, statuses), rconds))| {
                    fill(index * piece, inverses, statuses, rconds);
                },
            );
        });
    }
}
