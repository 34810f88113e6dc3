//! nalgebra's matrices and vectors of fixed size.

use nalgebra::{SMatrix, SMatrixView, SMatrixViewMut, SVector};

use super::matrices::SquareMatrix;
use super::systems::Vector;
use crate::data::scalar::Scalar;

/// nalgebra stores it column by column.
///
/// ```
/// use nalgebra::{Complex, Matrix3, SMatrix};
/// let stiffness = Matrix3::new(4.0, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 1.0, 2.0);
/// let inverses = batchinv::host::inv_matrices(&[stiffness; 1000])?;
/// assert!((stiffness * inverses[999] - Matrix3::identity()).norm() < 1e-14);
///
/// // Any size, and complex numbers too.
/// let admittance = SMatrix::<Complex<f64>, 7, 7>::from_diagonal_element(Complex::new(0.0, 2.0));
/// let impedances = batchinv::host::inv_matrices(&[admittance])?;
/// assert_eq!(impedances[0][(6, 6)], Complex::new(0.0, -0.5));
/// # Ok::<(), batchinv::Error>(())
/// ```
impl<T: Scalar, const N: usize> SquareMatrix for SMatrix<T, N, N> {
    type Scalar = T;
    const ORDER: usize = N;

    #[inline]
    fn write_rows(&self, rows: &mut [T]) {
        // Read as columns, rows are the transpose.
        self.transpose_to(&mut SMatrixViewMut::<T, N, N>::from_slice(rows));
    }

    #[inline]
    fn from_rows(rows: &[T]) -> Self {
        Self::from_row_slice(rows)
    }

    #[inline]
    fn read_rows(&mut self, rows: &[T]) {
        SMatrixView::<T, N, N>::from_slice(rows).transpose_to(self);
    }
}

/// ```
/// use nalgebra::{Matrix3, Vector3};
/// let stiffness = Matrix3::new(4.0, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 1.0, 2.0);
/// let loads = [Vector3::new(1.0, 0.0, 0.0), Vector3::new(0.0, 0.0, 1.0)];
/// let displacements = batchinv::host::solve_matrices(&[stiffness], &loads)?;
/// assert!((stiffness * displacements[1] - loads[1]).norm() < 1e-14);
/// # Ok::<(), batchinv::Error>(())
/// ```
impl<T: Scalar, const N: usize> Vector for SVector<T, N> {
    type Scalar = T;
    const LEN: usize = N;

    #[inline]
    fn write(&self, elements: &mut [T]) {
        elements.copy_from_slice(self.as_slice());
    }

    #[inline]
    fn from_elements(elements: &[T]) -> Self {
        Self::from_column_slice(elements)
    }
}
