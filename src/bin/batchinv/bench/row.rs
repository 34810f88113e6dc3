//! The figures of one configuration, with their names in JSON. The scripts in benches/peers write the same names, which
//! benches/peers/schema.py explains.

use serde::{Deserialize, Serialize};

use crate::bench::operation::Operation;
use crate::exit::Failure;

/// Increases when a name changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// The note of a row whose device is the host's own cores.
pub const SOFTWARE: &str = "a software adapter: the device is the host's own cores";

/// Times are in seconds for the whole stack, and null if they were not taken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub schema: u32,
    pub program: String,
    pub engine: String,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    pub kernel: Option<String>,
    /// Lists from before there were others are about inverses.
    pub op: Operation,
    pub scalar: String,
    pub order: usize,
    /// The columns of a right-hand side, if the operation has one.
    pub width: Option<usize>,
    pub len: usize,
    pub threads: Option<usize>,
    pub repeats: Option<usize>,
    pub total_seconds: Option<f64>,
    pub total_median_seconds: Option<f64>,
    pub fresh_seconds: Option<f64>,
    pub fresh_median_seconds: Option<f64>,
    pub device_seconds: Option<f64>,
    pub device_median_seconds: Option<f64>,
    pub work_seconds: Option<f64>,
    /// In our rows, always memcpy on the host, with as many threads as the engine uses there.
    pub copy_seconds: Option<f64>,
    /// Only in our rows: a copy from one buffer of the device to another.
    pub device_copy_seconds: Option<f64>,
    /// Only of the CPU engine: multiply-adds by as many threads, with nothing loaded or stored.
    pub peak_gflops: Option<f64>,
    /// Only of our GPU engine: the part of the whole call that copies to the device and back.
    pub host_seconds: Option<f64>,
    /// Only in our rows: opening the device.
    pub open_seconds: Option<f64>,
    pub first_call_seconds: Option<f64>,
    pub max_ratio: Option<f64>,
    pub machine: Option<String>,
    pub commit: Option<String>,
    pub date: Option<String>,
    pub note: Option<String>,
}

impl Row {
    /// Returns whether the device is the host's own cores.
    pub fn is_software(&self) -> bool {
        self.note.as_ref().is_some_and(|note| note.contains(SOFTWARE))
    }

    /// The columns of a right-hand side; 0 if the operation has none.
    pub fn columns(&self) -> usize {
        self.width.unwrap_or(0)
    }

    /// Bytes of input and output together.
    pub fn bytes(&self) -> f64 {
        let scalar = self.scalar.parse().map_or(0, batchinv::ScalarKind::size);
        let elements = self.op.input(self.order, self.columns()).unwrap_or(0);
        (elements + self.op.output(self.order, self.columns())) as f64 * self.len as f64 * scalar as f64
    }

    /// Additions and multiplications of real numbers, four for one of complex numbers.
    pub fn flops(&self) -> f64 {
        let complex = if self.scalar.starts_with("complex") { 4.0 } else { 1.0 };
        complex * self.len as f64 * self.op.flops(self.order, self.columns())
    }

    /// The time of the whole call divided by the larger of the host's copies and the device's passes. It is 1 if they
    /// overlap perfectly.
    pub fn over_larger(&self) -> Option<f64> {
        let larger = self.host_seconds?.max(self.device_seconds?);
        self.total_seconds.map(|total| total / larger)
    }

    /// Seconds per matrix.
    pub fn each(&self, seconds: Option<f64>) -> Option<f64> {
        seconds.map(|seconds| seconds / self.len as f64)
    }
}

/// A JSON list with one row per line.
pub fn list(rows: &[Row]) -> Result<String, Failure> {
    let lines: Result<Vec<String>, _> = rows.iter().map(serde_json::to_string).collect();
    let lines = lines.map_err(|error| Failure::io(format!("cannot write JSON: {error}")))?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}
