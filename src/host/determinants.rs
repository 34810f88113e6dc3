//! Determinants of slices of matrices of fixed order.

use super::matrices::SquareMatrix;
use super::pieces::{Beside, Done, Slices, by_pieces};
use super::rows::{first, write_each};
use crate::data::determinant::Determinant;
use crate::data::error::Error;
use crate::data::outcome::Determinants;
use crate::data::stack::Stack;
use crate::inverter::options::Inverter;

/// The determinant of every matrix of a slice; the engine is chosen automatically.
///
/// ```
/// let determinants = batchinv::host::determinants_matrices(&[[[4.0, 7.0], [2.0, 6.0_f32]]])?;
/// assert_eq!(determinants[0].value(), 10.0);
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// The same as [`Inverter::determinants`].
pub fn determinants_matrices<M: SquareMatrix>(matrices: &[M]) -> Result<Vec<Determinant<M::Scalar>>, Error> {
    Ok(Inverter::auto().determinants_matrices(matrices)?.values)
}

impl Inverter {
    /// [`Inverter::determinants`] for a slice of matrices of fixed order. See [`host`](crate::host).
    ///
    /// ```
    /// let singular = [[1.0_f64, 2.0], [2.0, 4.0]];
    /// let determinants = batchinv::Inverter::cpu().determinants_matrices(&[singular; 3])?;
    /// assert_eq!(determinants.values, [batchinv::Determinant::ZERO; 3]);
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`Inverter::determinants`].
    pub fn determinants_matrices<M: SquareMatrix>(&self, matrices: &[M]) -> Result<Determinants<M::Scalar>, Error> {
        let mut values = vec![Determinant::ZERO; matrices.len()];
        let work = self.det_work::<M::Scalar>(M::ORDER, matrices.len());
        let (_, report) = by_pieces(self, work, Matrices { matrices, determinants: &mut values })?;
        Ok(Determinants { values, report })
    }
}

/// Matrices, and the place of their determinants.
struct Matrices<'a, M: SquareMatrix> {
    matrices: &'a [M],
    determinants: &'a mut [Determinant<M::Scalar>],
}

impl<M: SquareMatrix> Slices for Matrices<'_, M> {
    type Scalar = M::Scalar;
    type Memory = Vec<M::Scalar>;

    fn memory() -> Self::Memory {
        Vec::new()
    }

    fn len(&self) -> usize {
        self.matrices.len()
    }

    fn size(&self) -> usize {
        M::ORDER * M::ORDER
    }

    fn split_at(self, at: usize) -> (Self, Self) {
        let (matrices, determinants) = (self.matrices.split_at(at), self.determinants.split_at_mut(at));
        (
            Self { matrices: matrices.0, determinants: determinants.0 },
            Self { matrices: matrices.1, determinants: determinants.1 },
        )
    }

    fn run(self, memory: &mut Self::Memory, inverter: &Inverter) -> Result<Done<M::Scalar>, Error> {
        let (size, len) = (self.size(), self.len());
        let rows = first(memory, len * size);
        write_each(self.matrices, rows, size, M::write_rows);
        let report = inverter.determinants_into(Stack::with_len(rows, M::ORDER, len)?, self.determinants)?;
        Ok((Beside { rconds: None, determinants: None }, report))
    }
}
