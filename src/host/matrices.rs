//! Slices of matrices of fixed order, of any type.

use std::time::Instant;

use rayon::prelude::*;

use crate::data::engine::Engine;
use crate::data::error::{Error, ShapeError};
use crate::data::outcome::{Container, Inverses, Outcome};
use crate::data::output::InversesMut;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
use crate::data::status::Status;
use crate::inverter::options::Inverter;
use crate::plan::host::{HOST_CPU_PIECE, HOST_GPU_PIECE, HOST_TRANSPOSE};

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
        let (rconds, report) = by_pieces(self, &mut values, &mut statuses)?;
        Ok(Outcome { values, statuses, rconds, report })
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
        by_pieces(self, matrices, statuses).map(|(_, report)| report)
    }
}

type Rconds<M> = Option<Vec<<<M as SquareMatrix>::Scalar as Scalar>::Real>>;

/// Inverts a slice in place, in pieces. An empty slice is one empty piece: its report says what would have run.
fn by_pieces<M: SquareMatrix>(
    inverter: &Inverter,
    matrices: &mut [M],
    statuses: &mut [Status],
) -> Result<(Rconds<M>, Report), Error> {
    let total = matrices.len();
    // Decided once for all pieces: neither the engine nor the bits depend on where they end.
    let inverter = inverter.decided(inverter.work::<M::Scalar>(M::ORDER, total))?;
    let on_gpu = inverter.decided_engine() == Some(Engine::Gpu);
    let elements = if on_gpu { HOST_GPU_PIECE } else { HOST_CPU_PIECE };
    let piece = (elements / (M::ORDER * M::ORDER).max(1)).max(1);
    if total <= piece {
        return Rows::new().invert(&inverter, matrices, statuses);
    }
    if on_gpu {
        return one_by_one(inverter, piece, matrices, statuses);
    }
    let start = Instant::now();
    let invert = |rows: &mut Rows<M>, (matrices, statuses): (&mut [M], &mut [Status])| {
        rows.invert(&inverter, matrices, statuses)
    };
    let pieces = if inverter.is_parallel() {
        inverter.share(|| {
            let pieces = matrices.par_chunks_mut(piece).zip(statuses.par_chunks_mut(piece));
            pieces.map_init(Rows::new, invert).collect::<Result<Vec<_>, Error>>()
        })?
    } else {
        let mut rows = Rows::new();
        let pieces = matrices.chunks_mut(piece).zip(statuses.chunks_mut(piece));
        pieces.map(|piece| invert(&mut rows, piece)).collect::<Result<Vec<_>, Error>>()?
    };
    let (rconds, mut report) = merge::<M>(pieces);
    // The pieces ran side by side, and none went to a device.
    (report.chunks, report.seconds.dispatch) = (1, start.elapsed().as_secs_f64());
    Ok((rconds, report))
}

/// Inverts pieces on a GPU one after another: each overlaps within itself. Once the GPU has failed, the CPU takes the
/// rest.
fn one_by_one<M: SquareMatrix>(
    mut inverter: Inverter,
    piece: usize,
    matrices: &mut [M],
    statuses: &mut [Status],
) -> Result<(Rconds<M>, Report), Error> {
    let total = matrices.len();
    let mut rows = Rows::new();
    let mut pieces = Vec::new();
    for (i, (matrices, statuses)) in matrices.chunks_mut(piece).zip(statuses.chunks_mut(piece)).enumerate() {
        let rebased = |error: Error| error.of_piece(i * piece, total);
        let (rconds, mut report) = rows.invert(&inverter, matrices, statuses).map_err(rebased)?;
        report.gpu_failure = report.gpu_failure.map(rebased);
        if report.gpu_failure.is_some() {
            inverter = inverter.on_cpu();
        }
        pieces.push((rconds, report));
    }
    Ok(merge::<M>(pieces))
}

/// The results of successive pieces as one.
fn merge<M: SquareMatrix>(pieces: Vec<(Rconds<M>, Report)>) -> (Rconds<M>, Report) {
    let merged = pieces.into_iter().reduce(|(mut rconds, mut report), (next_rconds, next)| {
        if let Some((rconds, next)) = rconds.as_mut().zip(next_rconds) {
            rconds.extend(next);
        }
        report += next;
        (rconds, report)
    });
    merged.unwrap_or_else(|| unreachable!("there is at least one piece"))
}

/// Memory for the rows of a piece and for its inverses, kept from piece to piece: fresh memory costs more than
/// transposing.
struct Rows<M: SquareMatrix> {
    rows: Vec<M::Scalar>,
    inverses: Option<Inverses<M::Scalar>>,
}

impl<M: SquareMatrix> Rows<M> {
    const SIZE: usize = M::ORDER * M::ORDER;

    fn new() -> Self {
        Self { rows: Vec::new(), inverses: None }
    }

    /// Writes the rows of the matrices, inverts, and makes matrices of the rows again.
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
        visit_rows(matrices, rows, |matrix, rows| matrix.write_rows(rows));
        let stack = Stack::with_len(rows, M::ORDER, len)?;
        let report = match &mut self.inverses {
            Some(Inverses { values: kept, rconds, .. }) if kept.elements().len() >= elements && kept.len() >= len => {
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
        let rows = &mut inverses.values.elements_mut()[..elements];
        visit_rows(matrices, rows, |matrix, rows| matrix.read_rows(rows));
        Ok((inverses.rconds().map(|rconds| rconds[..len].to_vec()), report))
    }
}

/// Visits every matrix and its rows, on several threads if there is enough to do.
fn visit_rows<M: SquareMatrix>(
    matrices: &mut [M],
    rows: &mut [M::Scalar],
    visit: impl Fn(&mut M, &mut [M::Scalar]) + Send + Sync,
) {
    let size = M::ORDER * M::ORDER;
    // Matrices of order 0 have no rows.
    if size == 0 {
        return;
    }
    let some = |(matrices, rows): (&mut [M], &mut [M::Scalar])| {
        matrices.iter_mut().zip(rows.chunks_exact_mut(size)).for_each(|(matrix, rows)| visit(matrix, rows));
    };
    let at_once = (HOST_TRANSPOSE / size).max(1);
    if matrices.len() <= at_once {
        some((matrices, rows));
    } else {
        matrices.par_chunks_mut(at_once).zip(rows.par_chunks_mut(at_once * size)).for_each(some);
    }
}
