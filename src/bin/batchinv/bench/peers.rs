//! `--with`: figures of other programs, machines or days.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use batchinv::ScalarKind;
use serde_json::Value;

use crate::bench::operation::Operation;
use crate::bench::row::{Row, SCHEMA};
use crate::exit::Failure;

/// The rows of all files that have times, for this operation with right-hand sides of `width` columns.
pub fn read(paths: &[PathBuf], op: Operation, width: usize) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for path in paths {
        rows.extend(read_file(path).map_err(|failure| failure.about(path.display()))?);
    }
    // A peer that was not timed, or whose answer was wrong, has a row without times.
    rows.retain(|row| row.total_seconds.is_some() || row.device_seconds.is_some());
    rows.retain(|row| (row.op, row.columns()) == (op, width));
    Ok(rows)
}

fn read_file(path: &Path) -> Result<Vec<Row>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Failure::input("not a list of figures: it is not text"),
        _ => Failure::io(format!("cannot read it: {error}")),
    })?;
    let values: Vec<Value> = serde_json::from_str(&text)
        .map_err(|error| Failure::input(format!("not a list of figures, as `bench --json` writes it: {error}")))?;
    let read_row = |(i, value)| row(value).map_err(|reason| Failure::input(format!("row {}: {reason}", i + 1)));
    values.into_iter().enumerate().map(read_row).collect()
}

fn row(value: Value) -> Result<Row, String> {
    let schema = value.get("schema").ok_or("it has no \"schema\"")?;
    if schema.as_u64() != Some(SCHEMA.into()) {
        return Err(format!("its schema is {schema}; only {SCHEMA} is supported"));
    }
    for name in ["engine", "scalar", "order", "len"] {
        if value.get(name).is_none() {
            return Err(format!("it has no \"{name}\""));
        }
    }
    let mut row: Row = serde_json::from_value(value).map_err(|error| error.to_string())?;
    row.scalar.parse::<ScalarKind>().map_err(|error| error.to_string())?;
    if row.order == 0 || row.len == 0 {
        return Err("order and len must be above 0".to_owned());
    }
    if (row.op == Operation::Solve) != (row.columns() > 0) {
        let width = row.width.map_or("null".to_owned(), |width| width.to_string());
        return Err(format!("its width is {width}, and its op is {}", row.op.name()));
    }
    if row.op.input(row.order, row.columns()).is_none() {
        return Err("order and width are too large".to_owned());
    }
    // The copy of a GPU peer is a copy on the device.
    if row.adapter.is_some() && !row.program.starts_with("batchinv ") {
        row.device_copy_seconds = row.copy_seconds.take();
    }
    let times = [row.total_seconds, row.fresh_seconds, row.device_seconds, row.copy_seconds, row.device_copy_seconds];
    match times.into_iter().flatten().find(|seconds| !(seconds.is_finite() && *seconds > 0.0)) {
        Some(seconds) => Err(format!("{seconds} is not a time in seconds")),
        None => Ok(row),
    }
}
