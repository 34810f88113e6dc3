//! NumPy's arrays: which are taken as they are, and new ones.

use batchinv::{Scalar, ScalarKind, Shape};
use numpy::npyffi::NPY_TYPES;
use numpy::{Element, PyArrayDescrMethods, PyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// A scalar whose real numbers NumPy also knows.
pub trait Number: Scalar<Real: Element> + Element {}

impl<T: Scalar<Real: Element> + Element> Number for T {}

/// Runs an expression with `T` as the scalar of a [`ScalarKind`](batchinv::ScalarKind).
macro_rules! with_scalar {
    ($kind:expr, $t:ident => $op:expr) => {
        match $kind {
            batchinv::ScalarKind::Float32 => {
                type $t = f32;
                $op
            }
            batchinv::ScalarKind::Float64 => {
                type $t = f64;
                $op
            }
            batchinv::ScalarKind::Complex64 => {
                type $t = batchinv::Complex<f32>;
                $op
            }
            batchinv::ScalarKind::Complex128 => {
                type $t = batchinv::Complex<f64>;
                $op
            }
        }
    };
}
pub(crate) use with_scalar;

/// The array's scalar if its memory can be taken as it is: of one of the four kinds, in the machine's byte order,
/// aligned, row after row.
pub fn plain_kind(array: &Bound<'_, PyUntypedArray>) -> Option<ScalarKind> {
    let dtype = array.dtype();
    if !array.is_c_contiguous() || !array.is_aligned() || dtype.is_native_byteorder() == Some(false) {
        return None;
    }
    let kinds = [
        (NPY_TYPES::NPY_FLOAT, ScalarKind::Float32),
        (NPY_TYPES::NPY_DOUBLE, ScalarKind::Float64),
        (NPY_TYPES::NPY_CFLOAT, ScalarKind::Complex64),
        (NPY_TYPES::NPY_CDOUBLE, ScalarKind::Complex128),
    ];
    kinds.into_iter().find(|&(number, _)| number as i32 == dtype.num()).map(|(_, kind)| kind)
}

/// Bytes from which on an array comes from `np.empty`: clearing what fits in the cache costs less than calling it.
const LARGE: usize = 1 << 14;

/// A new array whose elements are all written to later.
pub fn new_array<'py, T: Element>(py: Python<'py>, shape: &[usize]) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    let bytes = shape.iter().fold(size_of::<T>(), |bytes, &axis| bytes.saturating_mul(axis));
    if bytes < LARGE {
        return Ok(PyArrayDyn::zeros(py, shape, false));
    }
    static EMPTY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let empty = EMPTY.import(py, "numpy", "empty")?.call1((shape, T::get_dtype(py)))?;
    Ok(empty.cast_into()?)
}

/// The array for results of this shape: `out`, if it is plain and of this scalar, or a new one.
pub fn output<'py, T: Number>(
    py: Python<'py>,
    out: Option<&Bound<'py, PyUntypedArray>>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyArrayDyn<T>>> {
    match out {
        None => new_array::<T>(py, shape),
        Some(out) if plain_kind(out) == Some(T::KIND) && out.shape() == shape => {
            Ok(out.cast::<PyArrayDyn<T>>()?.clone())
        }
        Some(_) => Err(not_plain()),
    }
}

/// An array of matrices whose memory can be taken as it is.
pub struct Plain<'a, 'py> {
    pub array: &'a Bound<'py, PyUntypedArray>,
    pub kind: ScalarKind,
    pub shape: Shape<'a>,
}

impl<'a, 'py> Plain<'a, 'py> {
    pub fn new(array: &'a Bound<'py, PyUntypedArray>) -> Option<Self> {
        Some(Self { array, kind: plain_kind(array)?, shape: Shape::new(array.shape()).ok()? })
    }
}

/// The rules in Python handed over what they should have copied.
pub fn not_plain() -> PyErr {
    PyTypeError::new_err("matrices in the machine's own layout are needed here")
}
