//! Errors of the engines as Python's exceptions.

use batchinv::Error;
use numpy::BorrowError;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

pyo3::import_exception!(batchinv, EngineError);
pyo3::import_exception!(batchinv, IllConditionedError);
pyo3::import_exception!(batchinv, SingularMatrixError);

/// A call that could not run. What NumPy also refuses was refused before.
pub fn raised(error: Error) -> PyErr {
    match error {
        Error::Shape(shape) => PyValueError::new_err(shape.to_string()),
        other => EngineError::new_err(other.to_string()),
    }
}

/// Memory that cannot be borrowed: another thread's call has it, or it is read-only.
pub fn in_use(error: BorrowError) -> PyErr {
    match error {
        BorrowError::AlreadyBorrowed => PyRuntimeError::new_err("another call is reading or writing the same memory"),
        other => PyValueError::new_err(other.to_string()),
    }
}
