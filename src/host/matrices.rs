//! Slices of matrices of fixed order, whatever type they have.

use rayon::prelude::*;

use crate::inverses::{Report, Status, strict};
use crate::{Error, Inverter, Scalar, ShapeError, Stack};

/// Elements that are turned into rows, inverted and turned back at once. Measured: with fewer, the CPU engine's threads
/// wait for each other too often; with more, the pieces leave the cache.
const PIECE_ELEMENTS: usize = 1 << 18;

/// Matrices that a thread turns in one go.
const TURNED_AT_ONCE: usize = 1 << 10;

/// A type that holds one square matrix of fixed order: arrays of rows, and with the features `glam` and `nalgebra` the
/// matrices of those crates. Implement it for your own.
///
/// ```
/// use batchinv::host::{SquareMatrix, inv_matrices};
///
/// /// Column-major, as many graphics libraries have it.
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
        matrix.as_flattened_mut().copy_from_slice(rows);
        matrix
    }
}

/// The inverses of a slice of matrices, with a status for each.
///
/// A matrix whose status is not 0 comes back filled with [`Scalar::NAN`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MatrixInverses<M: SquareMatrix> {
    /// One for each matrix.
    pub inverses: Vec<M>,
    /// One for each matrix.
    pub statuses: Vec<Status>,
    /// 1 / (||A||_1 ||A^-1||_1) for each matrix, where [`Inverter::rcond`] asked for it.
    pub rconds: Option<Vec<<M::Scalar as Scalar>::Real>>,
    /// What ran.
    pub report: Report,
}

impl<M: SquareMatrix> MatrixInverses<M> {
    /// The first matrix whose status is not 0.
    pub fn first_failure(&self) -> Option<(usize, Status)> {
        self.statuses.iter().copied().enumerate().find(|(_, status)| !status.is_inverted())
    }

    /// The inverses, or the first matrix that has none as an error.
    ///
    /// # Errors
    /// [`Error::Singular`] or [`Error::NotFinite`], with the position of the matrix.
    pub fn strict(self) -> Result<Vec<M>, Error> {
        strict(&self.statuses)?;
        Ok(self.inverses)
    }
}

/// Inverts every matrix of a slice, each with a [`Status`]; the engine is chosen automatically.
///
/// ```
/// use batchinv::host::invert_matrices;
/// let matrices = [[[2.0, 0.0], [0.0, 4.0]], /* singular: */ [[1.0, 2.0], [2.0, 4.0_f64]]];
/// let result = invert_matrices(&matrices)?;
/// assert_eq!(result.inverses[0], [[0.5, 0.0], [0.0, 0.25]]);
/// assert_eq!(result.statuses[1].word(), 2);
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// As [`invert`](crate::invert).
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
    /// assert_eq!(result.inverses[0], [[0.25]]);
    /// assert_eq!(result.rconds, Some(vec![1.0, 0.0]));
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Inverter::invert`].
    pub fn invert_matrices<M: SquareMatrix>(&self, matrices: &[M]) -> Result<MatrixInverses<M>, Error> {
        let mut inverses = matrices.to_vec();
        let mut statuses = vec![Status::INVERTED; matrices.len()];
        let (rconds, report) = by_pieces(self, &mut inverses, &mut statuses)?;
        Ok(MatrixInverses { inverses, statuses, rconds, report })
    }

    /// Puts the inverse of every matrix of a slice in its place, and its status beside it. Allocates for one piece at the
    /// most, however long the slice.
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
    /// [`ShapeError::Output`](crate::ShapeError::Output) where the slices differ in length; otherwise as [`Inverter::invert`], and then some of the
    /// matrices may be inverted already.
    pub fn invert_matrices_in_place<M: SquareMatrix>(
        &self,
        matrices: &mut [M],
        statuses: &mut [Status],
    ) -> Result<Report, Error> {
        let (got, needed) = (statuses.len(), matrices.len());
        if got != needed {
            return Err(ShapeError::Output { what: "statuses", got, needed }.into());
        }
        by_pieces(self, matrices, statuses).map(|(_, report)| report)
    }
}

type Rconds<M> = Option<Vec<<<M as SquareMatrix>::Scalar as Scalar>::Real>>;

/// Inverts a slice in place, in pieces that stay in the cache. A slice of none is one empty piece: its report says what
/// would have run.
fn by_pieces<M: SquareMatrix>(
    inverter: &Inverter,
    matrices: &mut [M],
    statuses: &mut [Status],
) -> Result<(Rconds<M>, Report), Error> {
    let size = M::ORDER * M::ORDER;
    let per_piece = (PIECE_ELEMENTS / size.max(1)).max(1);
    let mut rows = vec![M::Scalar::ZERO; size * per_piece.min(matrices.len())];
    let (first, rest) = matrices.split_at_mut(per_piece.min(matrices.len()));
    let (first_statuses, rest_statuses) = statuses.split_at_mut(first.len());
    let (mut rconds, mut report) = piece(inverter, first, first_statuses, &mut rows)?;
    for (matrices, statuses) in rest.chunks_mut(per_piece).zip(rest_statuses.chunks_mut(per_piece)) {
        let (next_rconds, next) = piece(inverter, matrices, statuses, &mut rows[..size * matrices.len()])?;
        if let Some((rconds, next)) = rconds.as_mut().zip(next_rconds) {
            rconds.extend(next);
        }
        report.chunks += next.chunks;
        report.seconds.prepare += next.seconds.prepare;
        report.seconds.upload += next.seconds.upload;
        report.seconds.dispatch += next.seconds.dispatch;
        report.seconds.readback += next.seconds.readback;
        report.device_seconds = report.device_seconds.zip(next.device_seconds).map(|(sum, next)| sum + next);
    }
    Ok((rconds, report))
}

/// Turns columns into rows, inverts, and turns the rows back. `rows` has room for the elements of the matrices.
fn piece<M: SquareMatrix>(
    inverter: &Inverter,
    matrices: &mut [M],
    statuses: &mut [Status],
    rows: &mut [M::Scalar],
) -> Result<(Rconds<M>, Report), Error> {
    let size = M::ORDER * M::ORDER;
    let read = |(matrices, rows): (&mut [M], &mut [M::Scalar])| {
        matrices.iter().zip(rows.chunks_exact_mut(size)).for_each(|(matrix, rows)| matrix.write_rows(rows));
    };
    let write = |(matrices, rows): (&mut [M], &[M::Scalar])| {
        matrices.iter_mut().zip(rows.chunks_exact(size)).for_each(|(matrix, rows)| *matrix = M::from_rows(rows));
    };
    // A matrix of order 0 has nothing to turn, and a small piece is turned sooner than another thread wakes.
    let (turns, shared) = (size > 0, matrices.len() > TURNED_AT_ONCE);
    match (turns, shared) {
        (false, _) => {}
        (true, false) => read((&mut *matrices, &mut *rows)),
        (true, true) => {
            matrices.par_chunks_mut(TURNED_AT_ONCE).zip(rows.par_chunks_mut(TURNED_AT_ONCE * size)).for_each(read);
        }
    }
    let inverses = inverter.invert(Stack::with_len(rows, M::ORDER, matrices.len())?)?;
    let rows = inverses.stack().elements();
    match (turns, shared) {
        (false, _) => {}
        (true, false) => write((matrices, rows)),
        (true, true) => {
            matrices.par_chunks_mut(TURNED_AT_ONCE).zip(rows.par_chunks(TURNED_AT_ONCE * size)).for_each(write);
        }
    }
    statuses.copy_from_slice(inverses.statuses());
    Ok((inverses.rconds().map(<[_]>::to_vec), inverses.report().clone()))
}
