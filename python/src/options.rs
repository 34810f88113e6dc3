//! The options of a call, from Python's arguments.

use batchinv::{EngineChoice, Precision, UnknownEngine};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// How a call computes, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    pub engine: EngineChoice,
    pub adapter: Option<String>,
    pub precision: Precision,
    /// The number of threads; `None` for that of the process.
    pub threads: Option<usize>,
}

impl Options {
    pub fn new(engine: &str, adapter: Option<String>, precision: &str, threads: Option<usize>) -> PyResult<Self> {
        let engine = engine.parse().map_err(|unknown: UnknownEngine| PyValueError::new_err(unknown.to_string()))?;
        let precision = match precision {
            "double" => Precision::Double,
            "native" => Precision::Native,
            _ => {
                let message = format!("unknown precision \"{precision}\": one of double, native");
                return Err(PyValueError::new_err(message));
            }
        };
        if threads == Some(0) {
            return Err(PyValueError::new_err("threads must be at least 1, or None"));
        }
        Ok(Self { engine, adapter, precision, threads })
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
        if self.precision == Precision::Double { "double" } else { "native" }
    }
}
