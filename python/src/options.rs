//! The options of a call, from Python's arguments, and the object that keeps them.

use batchinv::{EngineChoice, Inverter, OnFailure, Precision, RcondOf, UnknownEngine};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

const PRECISIONS: &[(&str, Precision)] = &[("double", Precision::Double), ("native", Precision::Native)];

const RCONDS: &[(&str, RcondOf)] = &[("given", RcondOf::Given), ("equilibrated", RcondOf::Equilibrated)];

const FAILURES: &[(&str, OnFailure)] = &[
    ("nan", OnFailure::Nan),
    ("zero", OnFailure::Zero),
    ("identity", OnFailure::Identity),
    ("input", OnFailure::Input),
];

/// How a call computes, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    pub engine: EngineChoice,
    pub adapter: Option<String>,
    pub precision: Precision,
    /// The number of threads; `None` for that of the process.
    pub threads: Option<usize>,
    pub min_rcond: MinRcond,
    pub rcond_of: RcondOf,
    pub on_failure: OnFailure,
}

/// A least reciprocal condition number: 0 or above, never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinRcond(f64);

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
/// min_rcond : float, default 0
///     The least reciprocal condition number of a matrix that counts as inverted, as for `inv_ex`. `Inverter.inv`
///     raises `IllConditionedError` for the first below it.
/// rcond_of : {"given", "equilibrated"}, default "given"
///     The matrix that reciprocal condition numbers are of, as for `inv_ex`.
/// on_failure : {"nan", "zero", "identity", "input"}, default "nan"
///     What a matrix without an inverse becomes, as for `inv_ex`. A system without a solution becomes NaN, 0, or, for
///     "input", its right-hand side.
///
/// Raises
/// ------
/// ValueError
///     If an option has none of these values.
///
/// Notes
/// -----
/// Systems have no reciprocal condition numbers and no identity, so that `solve` and `solve_ex` raise `EngineError` if
/// `min_rcond` is above 0 or `on_failure` is "identity".
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
/// Inverter('cpu', precision='native')
#[pyclass(name = "Inverter", module = "batchinv", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PyInverter(pub Options);

impl Options {
    pub fn new(engine: &str, adapter: Option<String>, precision: &str, threads: Option<usize>) -> PyResult<Self> {
        if threads == Some(0) {
            return Err(PyValueError::new_err("threads must be at least 1, or None"));
        }
        Ok(Self {
            engine: engine.parse().map_err(|unknown: UnknownEngine| PyValueError::new_err(unknown.to_string()))?,
            adapter,
            precision: named("precision", precision, PRECISIONS)?,
            threads,
            min_rcond: MinRcond(0.0),
            rcond_of: RcondOf::Given,
            on_failure: OnFailure::Nan,
        })
    }

    /// The same options, with what follows an inversion.
    pub fn with_verdicts(self, min_rcond: f64, rcond_of: &str, on_failure: &str) -> PyResult<Self> {
        if min_rcond.is_nan() || min_rcond < 0.0 {
            return Err(PyValueError::new_err(format!("min_rcond must be at least 0, not {min_rcond}")));
        }
        Ok(Self {
            // Without the sign of a negative zero, equal options have equal bits.
            min_rcond: MinRcond(min_rcond.abs()),
            rcond_of: named("rcond_of", rcond_of, RCONDS)?,
            on_failure: named("on_failure", on_failure, FAILURES)?,
            ..self
        })
    }

    /// An inverter with the options that are not about engines and threads.
    pub fn apply(&self, inverter: Inverter) -> Inverter {
        let inverter = inverter.precision(self.precision).on_failure(self.on_failure);
        inverter.min_rcond(self.min_rcond.get()).rcond_of(self.rcond_of)
    }

    /// The engine's name, as it is given.
    pub fn engine_name(&self) -> &'static str {
        match self.engine {
            EngineChoice::Auto => "auto",
            EngineChoice::Cpu => "cpu",
            EngineChoice::Gpu => "gpu",
        }
    }

    /// The precision's name, as it is given.
    pub fn precision_name(&self) -> &'static str {
        name_of(self.precision, PRECISIONS)
    }

    /// The name of what rcond describes, as it is given.
    pub fn rcond_of_name(&self) -> &'static str {
        name_of(self.rcond_of, RCONDS)
    }

    /// The name of what stands for a missing inverse, as it is given.
    pub fn on_failure_name(&self) -> &'static str {
        name_of(self.on_failure, FAILURES)
    }
}

impl MinRcond {
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Eq for MinRcond {}

impl std::hash::Hash for MinRcond {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// The value that an option's name stands for.
fn named<V: Copy>(option: &str, name: &str, values: &[(&str, V)]) -> PyResult<V> {
    let found = values.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
    found.ok_or_else(|| {
        let known: Vec<&str> = values.iter().map(|&(known, _)| known).collect();
        PyValueError::new_err(format!("unknown {option} \"{name}\": one of {}", known.join(", ")))
    })
}

fn name_of<V: PartialEq>(value: V, values: &[(&'static str, V)]) -> &'static str {
    values.iter().find(|(_, known)| *known == value).map_or("", |&(name, _)| name)
}
