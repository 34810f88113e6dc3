//! `det` and `slogdet`. NumPy's plain arrays go to the engine from here, and all else goes through `_det.py`.

use std::sync::atomic::{AtomicBool, Ordering};

use batchinv::plan::Work;
use batchinv::{Error, Inverter, Report, Stack};
use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

use crate::arrays::{Number, Plain, new_array, not_plain, with_scalar};
use crate::call::{Job, run};
use crate::errors::{in_use, raised};
use crate::options::{Options, PyInverter};

/// The determinant of each matrix in the last two axes: the same as ``np.linalg.det``.
///
/// Parameters
/// ----------
/// a : (..., n, n) array_like
///     The matrices, as for `inv`.
/// precision, engine, threads
///     As for `inv`.
///
/// Returns
/// -------
/// (...) array
///     The determinants, with the dtype of inverses of `a`; a scalar for a single matrix. 0 for a singular matrix, NaN
///     for one that holds NaN or infinity. A determinant beyond the range of the dtype is 0, or infinity with NumPy's
///     warning of an overflow.
///
/// Raises
/// ------
/// numpy.linalg.LinAlgError, TypeError, EngineError
///     As `inv` does, but never for the numbers in `a`.
///
/// See Also
/// --------
/// slogdet : Sign and logarithm, for determinants beyond the range of the dtype.
///
/// Notes
/// -----
/// LU factorization with partial pivoting. float32 and complex64 are computed in double precision and rounded once,
/// unless `precision` is "native".
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> bi.det(np.array([[[4.0, 7.0], [2.0, 6.0]], [[1.0, 2.0], [2.0, 4.0]]]))
/// array([10.,  0.])
#[pyfunction]
#[pyo3(signature = (a, *, precision="double", engine="auto", threads=None))]
pub fn det<'py>(
    a: &Bound<'py, PyAny>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    values(Options::new(engine, None, precision, threads)?, a)
}

/// Sign and logarithm of the determinant of each matrix in the last two axes: the same as ``np.linalg.slogdet``.
///
/// Parameters
/// ----------
/// a : (..., n, n) array_like
///     The matrices, as for `inv`.
/// precision, engine, threads
///     As for `det`.
///
/// Returns
/// -------
/// SlogdetResult
///     A named tuple of two:
///
///     - ``sign`` : (...) array. 1, -1, or a complex number of modulus 1; 0 for a singular matrix, NaN for one that
///       holds NaN or infinity.
///     - ``logabsdet`` : (...) array of real numbers. The natural logarithm of the magnitude, -infinity for a singular
///       matrix. It neither overflows nor underflows.
///
/// Raises
/// ------
/// numpy.linalg.LinAlgError, TypeError, EngineError
///     As `inv` does, but never for the numbers in `a`.
///
/// See Also
/// --------
/// det : The determinants themselves.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import batchinv as bi
/// >>> sign, logabsdet = bi.slogdet(-1e-8 * np.eye(99))
/// >>> print(sign, round(logabsdet / np.log(10)))
/// -1.0 -792
#[pyfunction]
#[pyo3(signature = (a, *, precision="double", engine="auto", threads=None))]
pub fn slogdet<'py>(
    a: &Bound<'py, PyAny>,
    precision: &str,
    engine: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    signs_and_logs(Options::new(engine, None, precision, threads)?, a)
}

/// The determinants of a plain array's matrices, for `_det.py`.
#[pyfunction]
#[pyo3(signature = (inverter, a))]
pub fn determinant<'py>(
    inverter: PyRef<'py, PyInverter>,
    a: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyAny>> {
    let plain = Plain::new(a).ok_or_else(not_plain)?;
    with_scalar!(plain.kind, T => of_plain::<T>(&inverter.0, &plain))
}

/// Signs of the determinants of a plain array's matrices, and logarithms in float64, for `_det.py`.
#[pyfunction]
#[pyo3(signature = (inverter, a))]
pub fn sign_and_log<'py>(
    inverter: PyRef<'py, PyInverter>,
    a: &Bound<'py, PyUntypedArray>,
) -> PyResult<Bound<'py, PyTuple>> {
    let (py, plain) = (a.py(), Plain::new(a).ok_or_else(not_plain)?);
    with_scalar!(plain.kind, T => {
        let signs = new_array::<T>(py, plain.shape.leading())?;
        let logs = new_array::<f64>(py, plain.shape.leading())?;
        let (mut signs_out, mut logs_out) = (signs.try_readwrite()?, logs.try_readwrite()?);
        let results = Results::SignsAndLogs(signs_out.as_slice_mut()?, logs_out.as_slice_mut()?);
        factorize::<T>(&inverter.0, &plain, results)?;
        drop((signs_out, logs_out));
        (signs, logs).into_pyobject(py)
    })
}

/// `det` with the options of an inverter.
pub fn values<'py>(options: Options, a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(array) = a.cast_exact::<PyUntypedArray>()
        && let Some(plain) = Plain::new(array)
    {
        return with_scalar!(plain.kind, T => of_plain::<T>(&options, &plain));
    }
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._det", "det")?.call1((PyInverter(options), a))
}

/// `slogdet` with the options of an inverter.
pub fn signs_and_logs<'py>(options: Options, a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static RULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    RULES.import(a.py(), "batchinv._det", "slogdet")?.call1((PyInverter(options), a))
}

/// The determinants, as a scalar for a single matrix.
fn of_plain<'py, T: Number>(options: &Options, a: &Plain<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = a.array.py();
    let values = new_array::<T>(py, a.shape.leading())?;
    let overflowed = AtomicBool::new(false);
    let mut out = values.try_readwrite()?;
    factorize::<T>(options, a, Results::Values(out.as_slice_mut()?, &overflowed))?;
    drop(out);
    if overflowed.into_inner() {
        // Warns, raises or is silent, as `np.errstate` says.
        static OVERFLOW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        OVERFLOW.import(py, "batchinv._det", "overflow")?.call0()?;
    }
    if a.shape.leading().is_empty() { values.get_item(PyTuple::empty(py)) } else { Ok(values.into_any()) }
}

fn factorize<T: Number>(options: &Options, a: &Plain<'_, '_>, results: Results<'_, T>) -> PyResult<()> {
    let input = a.array.cast::<PyArrayDyn<T>>()?.try_readonly().map_err(in_use)?;
    let stack = Stack::with_len(input.as_slice()?, a.shape.order(), a.shape.len());
    let stack = stack.map_err(|error| raised(error.into()))?;
    run(a.array.py(), options, Determinants { stack, results })
}

/// The determinants of a stack.
struct Determinants<'a, T: Number> {
    stack: Stack<'a, T>,
    results: Results<'a, T>,
}

/// The form of determinants, and the memory that they go to.
enum Results<'a, T> {
    /// The values, and whether one of them overflows.
    Values(&'a mut [T], &'a AtomicBool),
    SignsAndLogs(&'a mut [T], &'a mut [f64]),
}

impl<T: Number> Job for Determinants<'_, T> {
    fn work(&self) -> Work {
        Work::det(T::KIND, self.stack.order(), self.stack.len())
    }

    fn split_at(self, count: usize) -> (Self, Self) {
        let (now, rest) = match self.results {
            Results::Values(values, overflowed) => {
                let (values, others) = values.split_at_mut(count);
                (Results::Values(values, overflowed), Results::Values(others, overflowed))
            }
            Results::SignsAndLogs(signs, logs) => {
                let ((signs, other_signs), (logs, other_logs)) = (signs.split_at_mut(count), logs.split_at_mut(count));
                (Results::SignsAndLogs(signs, logs), Results::SignsAndLogs(other_signs, other_logs))
            }
        };
        let (stack, other_stack) = (self.stack.slice(0..count), self.stack.slice(count..self.stack.len()));
        (Self { stack, results: now }, Self { stack: other_stack, results: rest })
    }

    fn run(self, inverter: &Inverter) -> Result<Report, Error> {
        let determinants = inverter.determinants(self.stack)?;
        match self.results {
            Results::Values(values, overflowed) => {
                // The mantissa is at least 1, so the exponent says it.
                let range = if T::KIND.real_size() == 4 { f32::MAX_EXP } else { f64::MAX_EXP };
                for (value, determinant) in values.iter_mut().zip(&determinants.values) {
                    *value = determinant.value();
                    if determinant.exponent() >= range {
                        overflowed.store(true, Ordering::Relaxed);
                    }
                }
            }
            Results::SignsAndLogs(signs, logs) => {
                for ((sign, log), determinant) in signs.iter_mut().zip(logs).zip(&determinants.values) {
                    *sign = determinant.sign();
                    *log = determinant.ln_abs();
                }
            }
        }
        Ok(determinants.report)
    }
}
