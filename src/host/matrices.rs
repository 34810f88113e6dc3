//! Slices of matrices of fixed order, whatever type they have.

use std::time::Instant;

use rayon::prelude::*;

use crate::inverses::{Inverses, InversesMut, Report, Status, strict};
use crate::plan::{self, Engine};
use crate::{Error, Inverter, Scalar, ShapeError, Stack};

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

/// Inverts a slice in place, in pieces. A slice of none is one empty piece: its report says what would have run.
fn by_pieces<M: SquareMatrix>(
    inverter: &Inverter,
    matrices: &mut [M],
    statuses: &mut [Status],
) -> Result<(Rconds<M>, Report), Error> {
    let total = matrices.len();
    // Once for all pieces: neither the engine nor the bits depend on where they end.
    let (inverter, engine) = inverter.decided_for::<M::Scalar>(M::ORDER, total)?;
    let at_once = if engine == Engine::Gpu { plan::HOST_GPU_PIECE } else { plan::HOST_CPU_PIECE };
    let piece = (at_once / (M::ORDER * M::ORDER).max(1)).max(1);
    if total <= piece {
        return Rows::new().invert(&inverter, matrices, statuses);
    }
    if engine == Engine::Gpu {
        return one_by_one(inverter, piece, matrices, statuses);
    }
    let start = Instant::now();
    let pieces = inverter.threads.run(true, |shared| -> Result<Vec<_>, Error> {
        let invert = |rows: &mut Rows<M>, (matrices, statuses): (&mut [M], &mut [Status])| {
            rows.invert(&inverter, matrices, statuses)
        };
        if shared {
            let pieces = matrices.par_chunks_mut(piece).zip(statuses.par_chunks_mut(piece));
            return pieces.map_init(Rows::new, invert).collect();
        }
        let mut rows = Rows::new();
        matrices.chunks_mut(piece).zip(statuses.chunks_mut(piece)).map(|piece| invert(&mut rows, piece)).collect()
    })?;
    let mut pieces = pieces.into_iter();
    let Some((mut rconds, mut report)) = pieces.next() else { unreachable!("there is more than one piece") };
    for (next, _) in pieces {
        extend::<M>(&mut rconds, next);
    }
    // Pieces ran beside each other.
    report.seconds.dispatch = start.elapsed().as_secs_f64();
    Ok((rconds, report))
}

/// Pieces on a GPU, which overlap within themselves. Once it has failed, the CPU takes those that are left.
fn one_by_one<M: SquareMatrix>(
    mut inverter: Inverter,
    piece: usize,
    matrices: &mut [M],
    statuses: &mut [Status],
) -> Result<(Rconds<M>, Report), Error> {
    let total = matrices.len();
    let mut rows = Rows::new();
    let mut whole: Option<(Rconds<M>, Report)> = None;
    for (i, (matrices, statuses)) in matrices.chunks_mut(piece).zip(statuses.chunks_mut(piece)).enumerate() {
        let placed = |error: Error| error.of_piece(i * piece, total);
        let (next_rconds, mut next) = rows.invert(&inverter, matrices, statuses).map_err(placed)?;
        next.gpu_failure = next.gpu_failure.map(placed);
        if next.gpu_failure.is_some() {
            inverter = inverter.on_cpu();
        }
        let Some((rconds, report)) = &mut whole else {
            whole = Some((next_rconds, next));
            continue;
        };
        extend::<M>(rconds, next_rconds);
        report.chunks += next.chunks;
        report.seconds.prepare += next.seconds.prepare;
        report.seconds.upload += next.seconds.upload;
        report.seconds.dispatch += next.seconds.dispatch;
        report.seconds.readback += next.seconds.readback;
        report.device_seconds = report.device_seconds.zip(next.device_seconds).map(|(sum, next)| sum + next);
        if next.gpu_failure.is_some() {
            (report.engine, report.kernel, report.adapter) = (next.engine, next.kernel, next.adapter);
            (report.gpu_failure, report.reason) = (next.gpu_failure, next.reason);
        }
    }
    Ok(whole.unwrap_or_else(|| unreachable!("there is more than one piece")))
}

fn extend<M: SquareMatrix>(rconds: &mut Rconds<M>, next: Rconds<M>) {
    if let Some((rconds, next)) = rconds.as_mut().zip(next) {
        rconds.extend(next);
    }
}

/// Memory for a piece by rows, and for its inverses: kept from piece to piece, since fresh memory costs more than turning.
struct Rows<M: SquareMatrix> {
    rows: Vec<M::Scalar>,
    inverses: Option<Inverses<M::Scalar>>,
}

impl<M: SquareMatrix> Rows<M> {
    const SIZE: usize = M::ORDER * M::ORDER;

    fn new() -> Self {
        Self { rows: Vec::new(), inverses: None }
    }

    /// Turns columns into rows, inverts, and turns the rows back.
    fn invert(
        &mut self,
        inverter: &Inverter,
        matrices: &mut [M],
        statuses: &mut [Status],
    ) -> Result<(Rconds<M>, Report), Error> {
        let (len, elements) = (matrices.len(), matrices.len() * Self::SIZE);
        if self.rows.len() < elements {
            self.rows.resize(elements, M::Scalar::ZERO);
        }
        let rows = &mut self.rows[..elements];
        turn(matrices, rows, |matrix, rows| matrix.write_rows(rows));
        let stack = Stack::with_len(rows, M::ORDER, len)?;
        let report = match &mut self.inverses {
            Some(Inverses { stack: kept, rconds, .. }) if kept.elements().len() >= elements && kept.len() >= len => {
                let output = InversesMut {
                    elements: &mut kept.elements_mut()[..elements],
                    statuses: &mut *statuses,
                    rconds: rconds.as_mut().map(|rconds| &mut rconds[..len]),
                };
                inverter.invert_into(stack, output)?
            }
            smaller => {
                let inverses = smaller.insert(inverter.invert(stack)?);
                statuses.copy_from_slice(inverses.statuses());
                inverses.report().clone()
            }
        };
        let Some(inverses) = &mut self.inverses else { return Ok((None, report)) };
        turn(matrices, &mut inverses.stack.elements_mut()[..elements], |matrix, rows| *matrix = M::from_rows(rows));
        Ok((inverses.rconds().map(|rconds| rconds[..len].to_vec()), report))
    }
}

/// Visits every matrix and its rows, on several threads where there is enough to do.
fn turn<M: SquareMatrix>(
    matrices: &mut [M],
    rows: &mut [M::Scalar],
    visit: impl Fn(&mut M, &mut [M::Scalar]) + Send + Sync,
) {
    let size = M::ORDER * M::ORDER;
    // Matrices of order 0 have nothing to turn.
    if size == 0 {
        return;
    }
    let some = |(matrices, rows): (&mut [M], &mut [M::Scalar])| {
        matrices.iter_mut().zip(rows.chunks_exact_mut(size)).for_each(|(matrix, rows)| visit(matrix, rows));
    };
    let at_once = (plan::HOST_TURN / size).max(1);
    if matrices.len() <= at_once {
        some((matrices, rows));
    } else {
        matrices.par_chunks_mut(at_once).zip(rows.par_chunks_mut(at_once * size)).for_each(some);
    }
}
