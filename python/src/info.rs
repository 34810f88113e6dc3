//! What this machine offers.

use batchinv::SimdLevel;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::pools::get_num_threads;

/// What this machine offers to batchinv.
///
/// Returns
/// -------
/// Info
///     A dictionary: ``version``; ``simd``, the instructions of the CPU engine; ``threads``, their number by default;
///     ``adapters``, the GPUs, the best first, each a dictionary of ``name``, ``kind``, ``backend``, ``driver`` and
///     ``float64``, which says whether it computes in double precision.
///
/// Notes
/// -----
/// It loads the GPUs' drivers, which takes a moment. In a child that was forked from a process that uses the GPU,
/// the list of adapters is empty.
///
/// Examples
/// --------
/// >>> import batchinv as bi
/// >>> sorted(bi.info())
/// ['adapters', 'simd', 'threads', 'version']
#[pyfunction]
pub fn info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    info.set_item("simd", SimdLevel::best().name())?;
    info.set_item("threads", get_num_threads())?;
    info.set_item("adapters", adapters(py)?)?;
    Ok(info)
}

#[cfg(feature = "gpu")]
fn adapters(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    if !crate::gpu::claim() {
        return Ok(list);
    }
    for facts in py.detach(batchinv::gpu::adapters) {
        let adapter = PyDict::new(py);
        adapter.set_item("name", &*facts.name)?;
        adapter.set_item("kind", facts.kind.name())?;
        adapter.set_item("backend", facts.backend)?;
        adapter.set_item("driver", facts.driver)?;
        adapter.set_item("float64", facts.limits.float64)?;
        list.append(adapter)?;
    }
    Ok(list)
}

#[cfg(not(feature = "gpu"))]
fn adapters(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    Ok(PyList::empty(py))
}
