//! The methods of `Inverter`: the functions, with options that are given once.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::determinant::{signs_and_logs, values};
use crate::inverse::{inverses, inverses_ex};
use crate::options::{Options, PyInverter};
use crate::solve::{solutions, solutions_ex};

#[pymethods]
impl PyInverter {
    #[new]
    #[pyo3(signature = (
        engine="auto", *, adapter=None, precision="double", threads=None, min_rcond=0.0, rcond_of="given",
        on_failure="nan",
    ))]
    fn new(
        engine: &str,
        adapter: Option<String>,
        precision: &str,
        threads: Option<usize>,
        min_rcond: f64,
        rcond_of: &str,
        on_failure: &str,
    ) -> PyResult<Self> {
        let options = Options::new(engine, adapter, precision, threads)?;
        Ok(Self(options.with_verdicts(min_rcond, rcond_of, on_failure)?))
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

    /// The same as `batchinv.solve`, with the options of this inverter.
    #[pyo3(signature = (a, b, *, out=None))]
    fn solve<'py>(
        &self,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        solutions(self.0.clone(), a, b, out)
    }

    /// The same as `batchinv.solve_ex`, with the options of this inverter.
    #[pyo3(signature = (a, b, *, out=None))]
    fn solve_ex<'py>(
        &self,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        solutions_ex(self.0.clone(), a, b, out)
    }

    /// The same as `batchinv.det`, with the options of this inverter.
    fn det<'py>(&self, a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        values(self.0.clone(), a)
    }

    /// The same as `batchinv.slogdet`, with the options of this inverter.
    fn slogdet<'py>(&self, a: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        signs_and_logs(self.0.clone(), a)
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

    /// The least reciprocal condition number of a matrix that counts as inverted.
    #[getter]
    fn min_rcond(&self) -> f64 {
        self.0.min_rcond.get()
    }

    /// The matrix that reciprocal condition numbers are of: ``"given"`` or ``"equilibrated"``.
    #[getter]
    fn rcond_of(&self) -> &'static str {
        self.0.rcond_of_name()
    }

    /// What a matrix without an inverse becomes: ``"nan"``, ``"zero"``, ``"identity"`` or ``"input"``.
    #[getter]
    fn on_failure(&self) -> &'static str {
        self.0.on_failure_name()
    }

    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&'static str,), Bound<'py, PyDict>)> {
        let options = PyDict::new(py);
        options.set_item("adapter", self.adapter())?;
        options.set_item("precision", self.precision())?;
        options.set_item("threads", self.threads())?;
        options.set_item("min_rcond", self.min_rcond())?;
        options.set_item("rcond_of", self.rcond_of())?;
        options.set_item("on_failure", self.on_failure())?;
        Ok(((self.engine(),), options))
    }

    /// The call that makes it, without the options that have their defaults.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let ((engine,), options) = self.__getnewargs_ex__(py)?;
        let (_, defaults) = Self(Options::new("auto", None, "double", None)?).__getnewargs_ex__(py)?;
        let mut call = format!("Inverter('{engine}'");
        for (name, value) in options {
            if !value.eq(defaults.as_any().get_item(&name)?)? {
                call += &format!(", {name}={}", value.repr()?);
            }
        }
        Ok(call + ")")
    }
}
