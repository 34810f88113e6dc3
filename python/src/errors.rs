//! Errors of the engines as Python's exceptions.

use batchinv::Error;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pyo3::import_exception!(batchinv, EngineError);
pyo3::import_exception!(batchinv, SingularMatrixError);

/// A call that could not run. What NumPy also refuses was refused before.
pub fn raised(error: Error) -> PyErr {
    match error {
        Error::Shape(shape) => PyValueError::new_err(shape.to_string()),
        other => EngineError::new_err(other.to_string()),
    }
}
