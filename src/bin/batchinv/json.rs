//! `--json`: one object on one line.

use std::io::{self, Write};

use serde::Serialize;

use crate::exit::Failure;

/// Writes the object to a stream, whose name is used if that fails.
pub fn print(object: &impl Serialize, to: &mut dyn Write, name: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(format!("cannot write {name}: {error}"));
    let text = serde_json::to_string(object).map_err(|error| failed(error.into()))?;
    writeln!(to, "{text}").and_then(|()| to.flush()).map_err(failed)
}
