//! Slices of matrices of fixed order, of any type.

use super::pieces::{Beside, Done, Slices, by_pieces};
use super::rows::{first, read_each, write_each};
use crate::data::determinant::Determinant;
use crate::data::error::{Error, ShapeError};
use crate::data::outcome::{Container, Inverses, Outcome};
use crate::data::output::InversesMut;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
use crate::data::status::Status;
use crate::inverter::options::Inverter;
use crate::plan::work::Work;

/// A type that holds one square matrix of fixed order: arrays of rows, and with the features `glam` and `nalgebra` the
/// matrices of those crates. Implement it for your own types.
///
/// ```
/// use batchinv::host::{SquareMatrix, inv_matrices};
///
/// /// Column-major, as in many graphics libraries.
/// #[derive(Clone, Copy)]
/// struct Mat2 {
///     columns: [[f32; 2]; 2],
/// }
///
/// impl SquareMatrix for Mat2 {
///     type Scalar = f32;
///     const ORDER: usize = 2;
///
///     fn write_rows(&self, rows: &mut [f32]) {
///         let [[a, c], [b, d]] = self.columns;
///         rows.copy_from_slice(&[a, b, c, d]);
///     }
///
///     fn from_rows(rows: &[f32]) -> Self {
///         Self { columns: [[rows[0], rows[2]], [rows[1], rows[3]]] }
///     }
/// }
///
/// let shear = Mat2 { columns: [[1.0, 0.0], [3.0, 1.0]] };
/// assert_eq!(inv_matrices(&[shear])?[0].columns, [[1.0, 0.0], [-3.0, 1.0]]);
/// # Ok::<(), batchinv::Error>(())
/// ```
pub trait SquareMatrix: Copy + Send + Sync {
    /// The type of its elements.
    type Scalar: Scalar;

    /// The n of n x n.
    const ORDER: usize;

    /// Writes its `ORDER * ORDER` elements, row after row.
    fn write_rows(&self, rows: &mut [Self::Scalar]);

    /// The matrix with these `ORDER * ORDER` elements, row after row.
    fn from_rows(rows: &[Self::Scalar]) -> Self;

    /// Replaces its elements by these `ORDER * ORDER` ones, row after row. Implement it for matrices that may be large:
    /// by default it makes a new matrix, which takes its size on the stack of a thread.
    fn read_rows(&mut self, rows: &[Self::Scalar]) {
        *self = Self::from_rows(rows);
    }
}

/// An array of rows.
impl<T: Scalar, const N: usize> SquareMatrix for [[T; N]; N] {
    type Scalar = T;
    const ORDER: usize = N;

    fn write_rows(&self, rows: &mut [T]) {
        rows.copy_from_slice(self.as_flattened());
    }

    fn from_rows(rows: &[T]) -> Self {
        let mut matrix = [[T::ZERO; N]; N];
        matrix.read_rows(rows);
        matrix
    }

    fn read_rows(&mut self, rows: &[T]) {
        self.as_flattened_mut().copy_from_slice(rows);
    }
}

/// The inverses of a slice of matrices, with a status for each.
pub type MatrixInverses<M> = Outcome<Vec<M>>;

impl<M: SquareMatrix> Container for Vec<M> {
    type Statuses = Vec<Status>;
    type Rconds = Vec<<M::Scalar as Scalar>::Real>;
    type Determinants = Vec<Determinant<M::Scalar>>;

    fn statuses(statuses: &Vec<Status>) -> impl Iterator<Item = Status> {
        statuses.iter().copied()
    }
}

/// Inverts every matrix of a slice, each with a [`Status`]; the engine is chosen automatically.
///
/// ```
/// use batchinv::host::invert_matrices;
/// let matrices = [[[2.0, 0.0], [0.0, 4.0]], /* singular: */ [[1.0, 2.0], [2.0, 4.0_f64]]];
/// let result = invert_matrices(&matrices)?;
/// assert_eq!(result.values[0], [[0.5, 0.0], [0.0, 0.25]]);
/// assert_eq!(result.statuses[1].word(), 2);
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// The same as for [`invert`](crate::invert).
pub fn invert_matrices<M: SquareMatrix>(matrices: &[M]) -> Result<MatrixInverses<M>, Error> {
    Inverter::auto().invert_matrices(matrices)
}

/// Inverts every matrix of a slice, or fails on the first that has no inverse, as `np.linalg.inv` does.
///
/// # Errors
/// [`Error::Singular`] or [`Error::NotFinite`] for the first matrix with a status other than 0; otherwise as
/// [`invert_matrices`].
pub fn inv_matrices<M: SquareMatrix>(matrices: &[M]) -> Result<Vec<M>, Error> {
    invert_matrices(matrices)?.strict()
}

/// Slices of matrices, with an engine and options.
impl Inverter {
    /// [`Inverter::invert`] for a slice of matrices of fixed order. See [`host`](crate::host).
    ///
    /// ```
    /// use batchinv::Inverter;
    /// let result = Inverter::cpu().rcond(true).invert_matrices(&[[[4.0_f32]], [[0.0]]])?;
    /// assert_eq!(result.values[0], [[0.25]]);
    /// assert_eq!(result.rconds, Some(vec![1.0, 0.0]));
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`Inverter::invert`].
    pub fn invert_matrices<M: SquareMatrix>(&self, matrices: &[M]) -> Result<MatrixInverses<M>, Error> {
        let mut values = matrices.to_vec();
        let mut statuses = vec![Status::INVERTED; matrices.len()];
        let matrices = Matrices { matrices: &mut values, statuses: &mut statuses };
        let (Beside { rconds, determinants }, report) = by_pieces(self, self.work_on::<M>(matrices.len()), matrices)?;
        Ok(Outcome { values, statuses, rconds, determinants, report })
    }

    /// Replaces every matrix of a slice by its inverse, and fills in its status. Allocates memory for one piece,
    /// however long the slice.
    ///
    /// ```
    /// use batchinv::{Inverter, Status};
    /// let (mut matrices, mut statuses) = ([[[4.0_f32]], [[5.0]]], [Status::NOT_FINITE; 2]);
    /// Inverter::cpu().invert_matrices_in_place(&mut matrices, &mut statuses)?;
    /// assert_eq!((matrices, statuses), ([[[0.25]], [[0.2]]], [Status::INVERTED; 2]));
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ShapeError::Output`] if the slices differ in length; otherwise as [`Inverter::invert`], and then some of the
    /// matrices may already be inverted.
    pub fn invert_matrices_in_place<M: SquareMatrix>(
        &self,
        matrices: &mut [M],
        statuses: &mut [Status],
    ) -> Result<Report, Error> {
        let (got, needed) = (statuses.len(), matrices.len());
        if got != needed {
            return Err(ShapeError::Output { what: "statuses", got, needed }.into());
        }
        by_pieces(self, self.work_on::<M>(needed), Matrices { matrices, statuses }).map(|(_, report)| report)
    }

    fn work_on<M: SquareMatrix>(&self, len: usize) -> Work {
        self.work::<M::Scalar>(M::ORDER, len)
    }
}

/// Matrices that become their inverses.
struct Matrices<'a, M> {
    matrices: &'a mut [M],
    statuses: &'a mut [Status],
}

/// The rows of a piece, and its inverses.
struct Rows<T: Scalar> {
    rows: Vec<T>,
    inverses: Option<Inverses<T>>,
}

impl<M: SquareMatrix> Slices for Matrices<'_, M> {
    type Scalar = M::Scalar;
    type Memory = Rows<M::Scalar>;

    fn memory() -> Self::Memory {
        Rows { rows: Vec::new(), inverses: None }
    }

    fn len(&self) -> usize {
        self.matrices.len()
    }

    fn size(&self) -> usize {
        M::ORDER * M::ORDER
    }

    fn split_at(self, at: usize) -> (Self, Self) {
        let (matrices, statuses) = (self.matrices.split_at_mut(at), self.statuses.split_at_mut(at));
        (Self { matrices: matrices.0, statuses: statuses.0 }, Self { matrices: matrices.1, statuses: statuses.1 })
    }

    /// Writes the rows of the matrices, inverts, and makes matrices of the rows again.
    fn run(self, memory: &mut Self::Memory, inverter: &Inverter) -> Result<Done<M::Scalar>, Error> {
        let (size, len, Self { matrices, statuses }) = (self.size(), self.len(), self);
        let elements = len * size;
        let rows = first(&mut memory.rows, elements);
        write_each(matrices, rows, size, M::write_rows);
        let stack = Stack::with_len(rows, M::ORDER, len)?;
        let report = match &mut memory.inverses {
            Some(Inverses { values: kept, rconds, determinants, .. })
                if kept.elements().len() >= elements && kept.len() >= len =>
            {
                let output = InversesMut {
                    elements: &mut kept.elements_mut()[..elements],
                    statuses: &mut *statuses,
                    rconds: rconds.as_mut().map(|rconds| &mut rconds[..len]),
                    determinants: determinants.as_mut().map(|determinants| &mut determinants[..len]),
                };
                inverter.invert_into(stack, output)?
            }
            smaller => {
                let inverses = smaller.insert(inverter.invert(stack)?);
                statuses.copy_from_slice(inverses.statuses());
                inverses.report().clone()
            }
        };
        let Some(inverses) = &memory.inverses else { unreachable!("the first piece made them") };
        read_each(matrices, &inverses.values.elements()[..elements], size, M::read_rows);
        let rconds = inverses.rconds().map(|rconds| rconds[..len].to_vec());
        let determinants = inverses.determinants().map(|determinants| determinants[..len].to_vec());
        Ok((Beside { rconds, determinants }, report))
    }
}
