//! The statuses of a call, and the errors of those that are strict.

use batchinv::{Shape, Status, Verdict};
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::{IllConditionedError, SingularMatrixError};

/// The statuses of a strict call. Those of a few matrices need no memory of the heap.
pub struct Statuses {
    len: usize,
    few: [Status; 8],
    many: Vec<Status>,
}

impl Statuses {
    pub fn new(len: usize) -> PyResult<Self> {
        let mut statuses = Self { len, few: [Status::INVERTED; 8], many: Vec::new() };
        if len > statuses.few.len() {
            let reserved = statuses.many.try_reserve_exact(len);
            reserved.map_err(|_| PyMemoryError::new_err(format!("no memory for {len} statuses")))?;
            statuses.many.resize(len, Status::INVERTED);
        }
        Ok(statuses)
    }

    pub fn words(&mut self) -> &mut [Status] {
        if self.many.is_empty() { &mut self.few[..self.len] } else { &mut self.many }
    }
}

/// Raises an error for the first matrix without an inverse, or below the least rcond. As in NumPy, NaN and infinity are
/// none.
pub fn check(py: Python<'_>, statuses: &[Status], leading: &[usize]) -> PyResult<()> {
    let mut verdicts = statuses.iter().map(|status| status.verdict()).enumerate();
    let failure = verdicts.find(|(_, verdict)| !matches!(verdict, Verdict::Inverted | Verdict::NotFinite));
    let Some((position, verdict)) = failure else { return Ok(()) };
    let axes = [leading, &[1, 1]].concat();
    let index = Shape::new(&axes).expect("as many matrices as statuses").index(position);
    let index = PyTuple::new(py, index)?.unbind();
    Err(match verdict {
        Verdict::Singular { column } => SingularMatrixError::new_err((index, column)),
        _ => IllConditionedError::new_err((index,)),
    })
}

/// Raises an error for the first status of a failure, for the rules in Python.
#[pyfunction]
#[pyo3(signature = (status, /))]
pub fn check_statuses(py: Python<'_>, status: PyReadonlyArrayDyn<'_, i32>) -> PyResult<()> {
    check(py, bytemuck::cast_slice(status.as_slice()?), status.shape())
}
