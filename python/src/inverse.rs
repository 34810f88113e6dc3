//! `inv` and `inv_ex`. NumPy's plain arrays are inverted from here, and all else goes through `_inv.py`.

use batchinv::plan::Work;
use batchinv::{Error, InversesMut, Inverter, Report, Stack, Status};
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use crate::arrays::{Number, Plain, new_array, not_plain, output, with_scalar};
use crate::call::{Job, run};
use crate::errors::{in_use, raised};
use crate::options::{Options, PyInverter};
use crate::statuses::{Statuses, check};

/// The inverse of each matrix in the last two axes, or an error for the first one that is singular: the same as
/// ``np.linalg.inv``.
///
/// Parameters
/// ----------
/// a : (..., n, n) array_like
///     The matrices: what NumPy takes (float32, float64, complex64, complex128; integers and bool count as float64; any
///     strides and byte order), and tensors in the host's memory of any library that speaks DLPack.
/// out : (..., n, n) array, optional
///     Where the inverses go. It may be `a` itself.
/// axes : list of tuple of int, optional
///     Two pairs ``[(row, column), (row, column)]``: the axes of the matrices in `a`, and of their inverses in the
///     result. The default is ``[(-2, -1), (-2, -1)]``, as for NumPy's generalized ufuncs.
/// precision : {"double", "native"}, default "double"
///     The precision of the elimination. "double" computes float32 and complex64 in double precision and rounds once,
///     as NumPy does; "native" computes them in their own precision, which is faster.
/// engine : {"auto", "cpu", "gpu"}, default "auto"
///     Who computes. "auto" takes a hardware GPU if the work is worth the trip and the GPU can do it, and the CPU
///     otherwise.
/// threads : int, optional
///     The most threads that the CPU engine uses, as far as there is use for them. The default is that of
///     `set_num_threads`.
///
/// Returns
/// -------
/// (..., n, n) array
///     The inverses, of the type of `a` and with its dtype. A matrix that holds NaN or infinity, or whose inverse
///     overflows, comes back as NaN.
///
/// Raises
/// ------
/// SingularMatrixError
///     If a matrix is singular: a pivot is exactly zero. The error is a ``numpy.linalg.LinAlgError`` that knows the
///     place, as ``index`` and ``column``. The contents of `out` are then unspecified.
/// numpy.linalg.LinAlgError
///     If `a` has fewer than two axes, or its last two axes differ in length.
/// TypeError
///     If the dtype is none of the above.
/// EngineError
///     If the engine asked for by name cannot do the work.
/// RuntimeError
///     If another thread is in a call that writes to the same memory.
///
/// See Also
/// --------
/// inv_ex : The inverses with a status for each, never an error for a singular matrix.
/// solve : Solutions of A X = B, faster and closer than the product of an inverse and B.
///
/// Notes
/// -----
/// Gauss-Jordan elimination with partial pivoting. The bits of an inverse depend on the matrix, the precision, and
/// the GPU or the CPU's instructions: never on its neighbors or the number of threads.
///
/// Other Python threads run while large stacks are inverted. They must not write to `a` meanwhile.
///
/// References
/// ----------
/// N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM, 2002, section 14.4: Gauss-Jordan
/// elimination, its residuals, and how they differ from those of an LU factorization.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> bi.inv(np.array([[[4.0, 7.0], [2.0, 6.0]], [[1.0, 2.0], [3.0, 5.0]]]))
/// array([[[ 0.6, -0.7],
///         [-0.2,  0.4]],
/// <BLANKLINE>
///        [[-5. ,  2. ],
///         [ 3. , -1. ]]])
#[pyfunction]
#[pyo3(signature = (a, *, out=None, axes=None, precision="double", engine="auto", threads=None))]
pub fn inv<'py>(
    a: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    axes: Option<&Bound<'py, PyAny>>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    inverses(Options::new(engine, None, precision, threads)?, a, out, axes)
}

/// The inverse and a status for each matrix in the last two axes. A singular matrix is not an error.
///
/// Parameters
/// ----------
/// a : (..., n, n) array_like
///     The matrices, as for `inv`.
/// rcond : bool, default False
///     Whether to compute reciprocal condition numbers.
/// min_rcond : float, default 0
///     The least reciprocal condition number of a matrix that counts as inverted: those below get the status -2 and
///     keep their inverses. At 0, all pass.
/// rcond_of : {"given", "equilibrated"}, default "given"
///     What `rcond` and `min_rcond` describe: the matrix as given, or in the units of its rows and columns that suit it
///     best. A matrix in mixed units, such as a covariance of lengths and angles, has a tiny rcond as given, even if
///     its inverse is right to the last digit.
/// on_failure : {"nan", "zero", "identity", "input"}, default "nan"
///     What a matrix without an inverse becomes: all NaN, all 0, the identity, or the matrix itself. Its status says so
///     all the same.
/// out, axes, precision, engine, threads
///     As for `inv`; `out` takes the inverses.
///
/// Returns
/// -------
/// InvExResult
///     A named tuple of three:
///
///     - ``inverse`` : (..., n, n) array. A matrix whose status is k or -1 comes back as NaN, or as `on_failure` says.
///     - ``status`` : (...) array of int32. 0: inverted. k >= 1: singular, the pivot of column k, counted from 1, is
///       exactly zero, as LAPACK's and PyTorch's ``info``. -1: it holds NaN or infinity, or its inverse overflows. -2:
///       inverted, but its rcond is below `min_rcond`.
///     - ``rcond`` : (...) array of real numbers, or None if it was not asked for. 1 / (norm1(A) norm1(A^-1)) of the
///       matrix that `rcond_of` names: 0 for a singular matrix, NaN for one that is not finite, infinity at order 0.
///
/// Raises
/// ------
/// numpy.linalg.LinAlgError, TypeError, EngineError
///     As `inv` does, but never for the numbers in `a`.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> bi.inv_ex(np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 2.0], [2.0, 4.0]]])).status
/// array([0, 2], dtype=int32)
#[pyfunction]
#[pyo3(signature = (
    a, *, rcond=false, min_rcond=0.0, rcond_of="given", on_failure="nan", out=None, axes=None, precision="double",
    engine="auto", threads=None,
))]
#[allow(clippy::too_many_arguments, reason = "they are keywords in Python")]
pub fn inv_ex<'py>(
    a: &Bound<'py, PyAny>,
    rcond: bool,
    min_rcond: f64,
    rcond_of: &str,
    on_failure: &str,
    out: Option<&Bound<'py, PyAny>>,
    axes: Option<&Bound<'py, PyAny>>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = Options::new(engine, None, precision, threads)?.with_verdicts(min_rcond, rcond_of, on_failure)?;
    inverses_ex(options, a, rcond, out, axes)
}

/// Inverts the matrices of a plain array, for `_inv.py`, into `out` or a new array.
#[pyfunction]
#[pyo3(signature = (inverter, a, out))]
pub fn inverse<'py>(
    inverter: PyRef<'py, PyInverter>,
    a: &Bound<'py, PyUntypedArray>,
    out: Option<&Bound<'py, PyUntypedArray>>,
) -> PyResult<Bound<'py, PyAny>> {
    let plain = Plain::new(a).ok_or_else(not_plain)?;
    with_scalar!(plain.kind, T => strict::<T>(&inverter.0, &plain, out))
}

/// Inverts the matrices of a plain array, for `_inv.py`, into `out` or a new array, and returns the inverses, their
/// statuses, and reciprocal condition numbers or None.
#[pyfunction]
#[pyo3(signature = (inverter, a, out, rcond))]
pub fn inverse_ex<'py>(
    inverter: PyRef<'py, PyInverter>,
    a: &Bound<'py, PyUntypedArray>,
    out: Option<&Bound<'py, PyUntypedArray>>,
    rcond: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    let plain = Plain::new(a).ok_or_else(not_plain)?;
    with_scalar!(plain.kind, T => with_statuses::<T>(&inverter.0, &plain, out, rcond))
}

/// `inv` with the options of an inverter.
pub fn inverses<'py>(
    options: Options,
    a: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    axes: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    if let (None, None, Ok(array)) = (out, axes, a.cast_exact::<PyUntypedArray>())
        && let Some(plain) = Plain::new(array)
    {
        return with_scalar!(plain.kind, T => strict::<T>(&options, &plain, None));
    }
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._inv", "inv")?.call1((PyInverter(options), a, out, axes))
}

/// `inv_ex` with the options of an inverter.
pub fn inverses_ex<'py>(
    options: Options,
    a: &Bound<'py, PyAny>,
    rcond: bool,
    out: Option<&Bound<'py, PyAny>>,
    axes: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._inv", "inv_ex")?.call1((PyInverter(options), a, rcond, out, axes))
}

/// The inverses, or an error for the first singular matrix.
fn strict<'py, T: Number>(
    options: &Options,
    a: &Plain<'_, 'py>,
    out: Option<&Bound<'py, PyUntypedArray>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut statuses = Statuses::new(a.shape.len())?;
    let out = fill::<T>(options, a, out, statuses.words(), None)?;
    check(out.py(), statuses.words(), a.shape.leading())?;
    Ok(out.into_any())
}

/// The inverses, their statuses and, if they are asked for, reciprocal condition numbers.
fn with_statuses<'py, T: Number>(
    options: &Options,
    a: &Plain<'_, 'py>,
    out: Option<&Bound<'py, PyUntypedArray>>,
    rcond: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    let (py, leading) = (a.array.py(), a.shape.leading());
    let statuses = new_array::<i32>(py, leading)?;
    let rconds = rcond.then(|| new_array::<T::Real>(py, leading)).transpose()?;
    let out = {
        let mut statuses = statuses.try_readwrite()?;
        let mut rconds = rconds.as_ref().map(|rconds| rconds.try_readwrite()).transpose()?;
        let rconds = rconds.as_mut().map(|rconds| rconds.as_slice_mut()).transpose()?;
        fill::<T>(options, a, out, bytemuck::cast_slice_mut(statuses.as_slice_mut()?), rconds)?
    };
    (out, statuses, rconds).into_pyobject(py)
}

/// Inverts the matrices into `out`, a plain array of the same shape and dtype, or into a new one.
#[inline]
fn fill<'py, T: Number>(
    options: &Options,
    a: &Plain<'_, 'py>,
    out: Option<&Bound<'py, PyUntypedArray>>,
    statuses: &mut [Status],
    rconds: Option<&mut [T::Real]>,
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let py = a.array.py();
    let out = output::<T>(py, out, a.array.shape())?;
    let input = a.array.cast::<PyArrayDyn<T>>()?.try_readonly().map_err(in_use)?;
    let mut target = out.try_readwrite().map_err(in_use)?;
    let stack = Stack::with_len(input.as_slice()?, a.shape.order(), a.shape.len());
    let stack = stack.map_err(|error| raised(error.into()))?;
    run(py, options, Inversion { stack, elements: target.as_slice_mut()?, statuses, rconds })?;
    drop(target);
    Ok(out)
}

/// The inversion of a stack.
struct Inversion<'a, T: Number> {
    stack: Stack<'a, T>,
    elements: &'a mut [T],
    statuses: &'a mut [Status],
    rconds: Option<&'a mut [T::Real]>,
}

impl<T: Number> Job for Inversion<'_, T> {
    fn work(&self) -> Work {
        Work::inverse(T::KIND, self.stack.order(), self.stack.len())
    }

    fn split_at(self, count: usize) -> (Self, Self) {
        let (order, len) = (self.stack.order(), self.stack.len());
        let (elements, other_elements) = self.elements.split_at_mut(count * order * order);
        let (statuses, other_statuses) = self.statuses.split_at_mut(count);
        let (rconds, other_rconds) = self.rconds.map(|rconds| rconds.split_at_mut(count)).unzip();
        let (stack, other_stack) = (self.stack.slice(0..count), self.stack.slice(count..len));
        let rest =
            Self { stack: other_stack, elements: other_elements, statuses: other_statuses, rconds: other_rconds };
        (Self { stack, elements, statuses, rconds }, rest)
    }

    fn run(self, inverter: &Inverter) -> Result<Report, Error> {
        let inverses = InversesMut::new(self.elements, self.statuses);
        inverter.invert_into(
            self.stack,
            match self.rconds {
                None => inverses,
                Some(rconds) => inverses.with_rconds(rconds),
            },
        )
    }
}
