//! `solve` and `solve_ex`. NumPy's plain arrays are solved from here, and all else goes through `_solve.py`.

use batchinv::plan::Work;
use batchinv::{Columns, Error, Inverter, Report, SolutionsMut, Stack, Status};
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use crate::arrays::{Number, Plain, new_array, not_plain, output, plain_kind, with_scalar};
use crate::call::{Job, run};
use crate::errors::{in_use, raised};
use crate::options::{Options, PyInverter};
use crate::statuses::{Statuses, check};

/// The solution X of each system A X = B, or an error for the first singular matrix: the same as ``np.linalg.solve``.
///
/// Parameters
/// ----------
/// a : (..., n, n) array_like
///     The matrices A, as for `inv`.
/// b : (n,) or (..., n, k) array_like
///     The right-hand sides. With one axis, it is one vector for every matrix; with more, the last two are a matrix of
///     k columns, as in NumPy 2. The axes before them are broadcast against those of `a`: one matrix goes with many
///     right-hand sides, and one right-hand side with many matrices, without being copied.
/// out : (..., n) or (..., n, k) array, optional
///     Where the solutions go. It may be `b` itself.
/// precision : {"double", "native"}, default "double"
///     The precision of the elimination. "double" computes float32 and complex64 in double precision and rounds once,
///     as NumPy does; "native" computes them in their own precision, which is faster.
/// engine : {"auto", "cpu", "gpu"}, default "auto"
///     Who computes, as for `inv`.
/// threads : int, optional
///     The most threads that are used, as for `inv`.
///
/// Returns
/// -------
/// (..., n) array if `b` has one axis, or (..., n, k) array
///     The solutions, of the type of `b`, with the common dtype of `a` and `b`. A system that holds NaN or infinity, or
///     whose solution overflows, comes back as NaN.
///
/// Raises
/// ------
/// SingularMatrixError
///     If a matrix is singular: a pivot is exactly zero. ``index`` is its place along the broadcast axes. The contents
///     of `out` are then unspecified.
/// numpy.linalg.LinAlgError
///     If `a` has fewer than two axes, or its last two axes differ in length.
/// ValueError
///     If `b` has not n rows, or the axes cannot be broadcast.
/// TypeError, EngineError, RuntimeError
///     As `inv` does.
///
/// See Also
/// --------
/// solve_ex : The solutions with a status for each, never an error for a singular matrix.
///
/// Notes
/// -----
/// LU factorization with partial pivoting. The bits of a column depend on its matrix, on itself, the precision and the
/// CPU's instructions: never on its neighbors or the number of threads.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> a = np.array([[[4.0, 1.0], [1.0, 3.0]], [[2.0, 0.0], [0.0, 4.0]]])
/// >>> bi.solve(a, np.array([5.0, 4.0]))
/// array([[1. , 1. ],
///        [2.5, 1. ]])
#[pyfunction]
#[pyo3(signature = (a, b, *, out=None, precision="double", engine="auto", threads=None))]
pub fn solve<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    solutions(Options::new(engine, None, precision, threads)?, a, b, out)
}

/// The solution X and a status for each system A X = B. A singular matrix is not an error.
///
/// Parameters
/// ----------
/// a, b, out, precision, engine, threads
///     As for `solve`; `out` takes the solutions.
///
/// Returns
/// -------
/// SolveExResult
///     A named tuple of two:
///
///     - ``solution`` : (..., n) or (..., n, k) array. A system whose status is not 0 comes back as NaN.
///     - ``status`` : (...) array of int32, for the broadcast axes. 0: solved. k >= 1: the matrix is singular, the
///       pivot of column k, counted from 1, is exactly zero. -1: the matrix or the right-hand side holds NaN or
///       infinity, or the solution overflows.
///
/// Raises
/// ------
/// numpy.linalg.LinAlgError, ValueError, TypeError, EngineError
///     As `solve` does, but never for the numbers in `a` and `b`.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> bi.solve_ex(np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]]]), np.ones(2))
/// SolveExResult(solution=array([[0.5 , 0.25],
///        [ nan,  nan]]), status=array([0, 2], dtype=int32))
#[pyfunction]
#[pyo3(signature = (a, b, *, out=None, precision="double", engine="auto", threads=None))]
pub fn solve_ex<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    solutions_ex(Options::new(engine, None, precision, threads)?, a, b, out)
}

/// Solves the systems of plain arrays, for `_solve.py`, into `out` or a new array, and returns the solutions and their
/// statuses. Matrices and right-hand sides are each one, or as many as the solutions.
#[pyfunction]
#[pyo3(signature = (inverter, a, b, out))]
pub fn solution_ex<'py>(
    inverter: PyRef<'py, PyInverter>,
    a: &Bound<'py, PyUntypedArray>,
    b: &Bound<'py, PyUntypedArray>,
    out: Option<&Bound<'py, PyUntypedArray>>,
) -> PyResult<Bound<'py, PyTuple>> {
    let (py, systems) = (a.py(), Systems::new(a, b).ok_or_else(not_plain)?);
    let statuses = new_array::<i32>(py, &systems.leading)?;
    let out = {
        let mut statuses = statuses.try_readwrite()?;
        let words = bytemuck::cast_slice_mut(statuses.as_slice_mut()?);
        with_scalar!(systems.a.kind, T => fill::<T>(&inverter.0, &systems, out, words)?.into_any())
    };
    (out, statuses).into_pyobject(py)
}

/// `solve` with the options of an inverter.
pub fn solutions<'py>(
    options: Options,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    if let (None, Ok(matrices), Ok(rhs)) = (out, a.cast_exact::<PyUntypedArray>(), b.cast_exact::<PyUntypedArray>())
        && let Some(systems) = Systems::new(matrices, rhs)
    {
        return with_scalar!(systems.a.kind, T => strict::<T>(&options, &systems));
    }
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._solve", "solve")?.call1((PyInverter(options), a, b, out))
}

/// `solve_ex` with the options of an inverter.
pub fn solutions_ex<'py>(
    options: Options,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._solve", "solve_ex")?.call1((PyInverter(options), a, b, out))
}

/// Arrays of matrices and of right-hand sides whose memory can be taken as it is.
struct Systems<'a, 'py> {
    a: Plain<'a, 'py>,
    b: &'a Bound<'py, PyUntypedArray>,
    /// The number of right-hand sides: 1, or that of the systems.
    rhs_len: usize,
    /// The columns of a right-hand side.
    width: usize,
    /// The number of systems.
    len: usize,
    /// The axes of the systems.
    leading: Vec<usize>,
}

impl<'a, 'py> Systems<'a, 'py> {
    fn new(a: &'a Bound<'py, PyUntypedArray>, b: &'a Bound<'py, PyUntypedArray>) -> Option<Self> {
        let (a, kind) = (Plain::new(a)?, plain_kind(b)?);
        let (rhs_leading, rows, width) = match *b.shape() {
            [rows] => (&[][..], rows, 1),
            [ref leading @ .., rows, width] => (leading, rows, width),
            [] => return None,
        };
        if kind != a.kind || rows != a.shape.order() {
            return None;
        }
        let leading = broadcast(a.shape.leading(), rhs_leading)?;
        let product = |axes: &[usize]| axes.iter().try_fold(1_usize, |len, &axis| len.checked_mul(axis));
        let (len, rhs_len) = (product(&leading)?, product(rhs_leading)?);
        // What is as many as the systems is repeated along no axis.
        let suits = |count| count == 1 || count == len;
        (suits(a.shape.len()) && suits(rhs_len)).then_some(Self { a, b, rhs_len, width, len, leading })
    }

    /// The shape of the solutions.
    fn shape(&self) -> Vec<usize> {
        let of_rhs = self.b.shape();
        [&self.leading, &of_rhs[of_rhs.len().saturating_sub(2)..]].concat()
    }
}

/// The axes that two arrays have together, by NumPy's rules.
fn broadcast(left: &[usize], right: &[usize]) -> Option<Vec<usize>> {
    let (long, short) = if left.len() < right.len() { (right, left) } else { (left, right) };
    let mut axes = long.to_vec();
    for (axis, &other) in axes.iter_mut().rev().zip(short.iter().rev()) {
        match (*axis, other) {
            (one, other) if one == other || other == 1 => {}
            (1, other) => *axis = other,
            _ => return None,
        }
    }
    Some(axes)
}

/// The solutions, or an error for the first singular matrix.
fn strict<'py, T: Number>(options: &Options, systems: &Systems<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut statuses = Statuses::new(systems.len)?;
    let out = fill::<T>(options, systems, None, statuses.words())?;
    check(out.py(), statuses.words(), &systems.leading)?;
    Ok(out.into_any())
}

/// Solves the systems into `out`, a plain array of the solutions' shape and dtype, or into a new one.
fn fill<'py, T: Number>(
    options: &Options,
    systems: &Systems<'_, 'py>,
    out: Option<&Bound<'py, PyUntypedArray>>,
    statuses: &mut [Status],
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let (py, order) = (systems.b.py(), systems.a.shape.order());
    let out = output::<T>(py, out, &systems.shape())?;
    let matrices = systems.a.array.cast::<PyArrayDyn<T>>()?.try_readonly().map_err(in_use)?;
    let rhs = systems.b.cast::<PyArrayDyn<T>>()?.try_readonly().map_err(in_use)?;
    let mut target = out.try_readwrite().map_err(in_use)?;
    let stack = Stack::with_len(matrices.as_slice()?, order, systems.a.shape.len());
    let columns = Columns::with_len(rhs.as_slice()?, order, systems.width, systems.rhs_len);
    let (a, b) = (stack.map_err(|error| raised(error.into()))?, columns.map_err(|error| raised(error.into()))?);
    run(py, options, Solving { a, b, elements: target.as_slice_mut()?, statuses })?;
    drop(target);
    Ok(out)
}

/// The solving of systems. Matrices and right-hand sides are each one, or as many as the statuses.
struct Solving<'a, T: Number> {
    a: Stack<'a, T>,
    b: Columns<'a, T>,
    elements: &'a mut [T],
    statuses: &'a mut [Status],
}

impl<T: Number> Job for Solving<'_, T> {
    fn work(&self) -> Work {
        Work::solve(T::KIND, self.a.order(), self.b.width(), self.statuses.len()).with_matrices(self.a.len())
    }

    fn least(&self) -> usize {
        // A matrix for all is factorized in every piece, which must not take most of the time.
        if self.a.len() == 1 { 4 * self.a.order() / self.b.width().max(1) } else { 1 }.max(1)
    }

    fn split_at(self, count: usize) -> (Self, Self) {
        let (a, b, len) = (self.a, self.b, self.statuses.len());
        let (elements, other_elements) = self.elements.split_at_mut(count * b.order() * b.width());
        let (statuses, other_statuses) = self.statuses.split_at_mut(count);
        let part = |range: std::ops::Range<usize>| {
            let a = if a.len() == 1 { a } else { a.slice(range.clone()) };
            (a, if b.len() == 1 { b } else { b.slice(range) })
        };
        let ((a, b), (other_a, other_b)) = (part(0..count), part(count..len));
        let rest = Self { a: other_a, b: other_b, elements: other_elements, statuses: other_statuses };
        (Self { a, b, elements, statuses }, rest)
    }

    fn run(self, inverter: &Inverter) -> Result<Report, Error> {
        inverter.solve_into(self.a, self.b, SolutionsMut::new(self.elements, self.statuses))
    }
}
