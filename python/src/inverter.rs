//! `inv`, `inv_ex` and `Inverter`. NumPy's plain arrays are inverted from here, and all else goes through `_rules.py`.

use batchinv::{ScalarKind, Shape, Stack, Status};
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::arrays::{Number, new_array, plain_kind, with_scalar};
use crate::call::{Output, run};
use crate::errors::{SingularMatrixError, in_use, raised};
use crate::options::Options;

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
/// out, axes, precision, engine, threads
///     As for `inv`; `out` takes the inverses.
///
/// Returns
/// -------
/// InvExResult
///     A named tuple of three:
///
///     - ``inverse`` : (..., n, n) array. A matrix whose status is not 0 comes back as NaN.
///     - ``status`` : (...) array of int32. 0: inverted. k >= 1: singular, the pivot of column k, counted from 1, is
///       exactly zero, as LAPACK's and PyTorch's ``info``. -1: it holds NaN or infinity, or its inverse overflows.
///     - ``rcond`` : (...) array of real numbers, or None if it was not asked for. 1 / (norm1(A) norm1(A^-1)): 0 for a
///       singular matrix, NaN for one that is not finite, infinity at order 0.
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
#[pyo3(signature = (a, *, rcond=false, out=None, axes=None, precision="double", engine="auto", threads=None))]
pub fn inv_ex<'py>(
    a: &Bound<'py, PyAny>,
    rcond: bool,
    out: Option<&Bound<'py, PyAny>>,
    axes: Option<&Bound<'py, PyAny>>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    inverses_ex(Options::new(engine, None, precision, threads)?, a, rcond, out, axes)
}

/// An engine with options, for any number of calls.
///
/// It can be pickled, compared and hashed, and it holds no memory of its own: devices and threads belong to the
/// process, which keeps them from the first call that wants them on.
///
/// Parameters
/// ----------
/// engine : {"auto", "cpu", "gpu"}, default "auto"
///     Who computes, as for `inv`.
/// adapter : str, optional
///     The GPU, by its name or a part of it that no other has, ignoring case; digits alone are its position in
///     ``info()["adapters"]``. The default is the best one.
/// precision : {"double", "native"}, default "double"
///     The precision of the elimination, as for `inv`.
/// threads : int, optional
///     The most threads that the CPU engine uses. The default is that of `set_num_threads`.
///
/// Raises
/// ------
/// ValueError
///     If an option has none of these values.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> fast = bi.Inverter("cpu", precision="native")
/// >>> fast.inv(np.array([[2.0, 0.0], [0.0, 4.0]], np.float32))
/// array([[0.5 , 0.  ],
///        [0.  , 0.25]], dtype=float32)
/// >>> fast
/// Inverter('cpu', adapter=None, precision='native', threads=None)
#[pyclass(name = "Inverter", module = "batchinv", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PyInverter(Options);

#[pymethods]
impl PyInverter {
    #[new]
    #[pyo3(signature = (engine="auto", *, adapter=None, precision="double", threads=None))]
    fn new(engine: &str, adapter: Option<String>, precision: &str, threads: Option<usize>) -> PyResult<Self> {
        Ok(Self(Options::new(engine, adapter, precision, threads)?))
    }

    /// The same as `batchinv.inv`, with the options of this inverter.
    #[pyo3(signature = (a, *, out=None, axes=None))]
    fn inv<'py>(
        &self,
        a: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        axes: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        inverses(self.0.clone(), a, out, axes)
    }

    /// The same as `batchinv.inv_ex`, with the options of this inverter.
    #[pyo3(signature = (a, *, rcond=false, out=None, axes=None))]
    fn inv_ex<'py>(
        &self,
        a: &Bound<'py, PyAny>,
        rcond: bool,
        out: Option<&Bound<'py, PyAny>>,
        axes: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        inverses_ex(self.0.clone(), a, rcond, out, axes)
    }

    /// Who computes: ``"auto"``, ``"cpu"`` or ``"gpu"``.
    #[getter]
    fn engine(&self) -> &'static str {
        self.0.engine_name()
    }

    /// The GPU that was asked for by name, or None.
    #[getter]
    fn adapter(&self) -> Option<&str> {
        self.0.adapter.as_deref()
    }

    /// The precision of the elimination: ``"double"`` or ``"native"``.
    #[getter]
    fn precision(&self) -> &'static str {
        self.0.precision_name()
    }

    /// The most threads that the CPU engine uses, or None for those of the process.
    #[getter]
    fn threads(&self) -> Option<usize> {
        self.0.threads
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&'static str,), Bound<'py, PyDict>)> {
        let options = PyDict::new(py);
        options.set_item("adapter", self.adapter())?;
        options.set_item("precision", self.precision())?;
        options.set_item("threads", self.threads())?;
        Ok(((self.engine(),), options))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let adapter = match self.adapter() {
            None => "None".to_owned(),
            Some(name) => PyString::new(py, name).repr()?.to_string(),
        };
        let threads = self.threads().map_or("None".to_owned(), |threads| threads.to_string());
        let (engine, precision) = (self.engine(), self.precision());
        Ok(format!("Inverter('{engine}', adapter={adapter}, precision='{precision}', threads={threads})"))
    }
}

/// Inverts the matrices of a plain array, for `_rules.py`, into `out` or a new array.
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

/// Inverts the matrices of a plain array, for `_rules.py`, into `out` or a new array, and returns the inverses, their
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

fn inverses<'py>(
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
    RULES.import(a.py(), "batchinv._rules", "inv")?.call1((PyInverter(options), a, out, axes))
}

fn inverses_ex<'py>(
    options: Options,
    a: &Bound<'py, PyAny>,
    rcond: bool,
    out: Option<&Bound<'py, PyAny>>,
    axes: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._rules", "inv_ex")?.call1((PyInverter(options), a, rcond, out, axes))
}

/// An array of matrices whose memory can be taken as it is.
struct Plain<'a, 'py> {
    array: &'a Bound<'py, PyUntypedArray>,
    kind: ScalarKind,
    shape: Shape<'a>,
}

impl<'a, 'py> Plain<'a, 'py> {
    fn new(array: &'a Bound<'py, PyUntypedArray>) -> Option<Self> {
        Some(Self { array, kind: plain_kind(array)?, shape: Shape::new(array.shape()).ok()? })
    }
}

fn not_plain() -> PyErr {
    PyTypeError::new_err("matrices in the machine's own layout are needed here")
}

/// The inverses, or an error for the first singular matrix.
fn strict<'py, T: Number>(
    options: &Options,
    a: &Plain<'_, 'py>,
    out: Option<&Bound<'py, PyUntypedArray>>,
) -> PyResult<Bound<'py, PyAny>> {
    // The statuses of a few matrices need no memory of the heap.
    let (mut few, mut many) = ([Status::INVERTED; 8], Vec::new());
    let statuses = match a.shape.len() {
        len @ ..=8 => &mut few[..len],
        len => {
            let reserved = many.try_reserve_exact(len);
            reserved.map_err(|_| PyMemoryError::new_err(format!("no memory for {len} statuses")))?;
            many.resize(len, Status::INVERTED);
            &mut many[..]
        }
    };
    let out = fill::<T>(options, a, out, statuses, None)?;
    if let Some((position, status)) = statuses.iter().enumerate().find(|(_, status)| status.word() > 0) {
        let index = PyTuple::new(out.py(), a.shape.index(position))?;
        return Err(SingularMatrixError::new_err((index.unbind(), status.word())));
    }
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
    let out = match out {
        None => new_array::<T>(py, a.array.shape())?,
        Some(out) if plain_kind(out) == Some(a.kind) => out.cast::<PyArrayDyn<T>>()?.clone(),
        Some(_) => return Err(not_plain()),
    };
    let input = a.array.cast::<PyArrayDyn<T>>()?.try_readonly().map_err(in_use)?;
    let mut target = out.try_readwrite().map_err(in_use)?;
    let stack = Stack::with_len(input.as_slice()?, a.shape.order(), a.shape.len());
    let stack = stack.map_err(|error| raised(error.into()))?;
    run(py, options, stack, Output { elements: target.as_slice_mut()?, statuses, rconds })?;
    drop(target);
    Ok(out)
}
