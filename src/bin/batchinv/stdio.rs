//! Stdin and stdout, which `-` means.

use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::path::Path;

use crate::exit::Failure;

/// Returns whether the path is `-`, which means stdin or stdout.
pub fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// Stdin without a buffer.
pub fn stdin() -> io::Result<File> {
    duplicate(&io::stdin())
}

/// Stdout without a buffer. Unlike `io::stdout`, it does not take a descriptor that is not open for writing as one that
/// writes everything.
pub fn stdout() -> io::Result<File> {
    duplicate(&io::stdout())
}

/// The same for lines of text. A console of Windows takes text from `io::stdout` only.
pub fn stdout_for_text() -> Result<Box<dyn Write>, Failure> {
    if cfg!(not(unix)) {
        return Ok(Box::new(io::stdout()));
    }
    let stdout = stdout().map_err(|error| Failure::io(format!("cannot write standard output: {error}")))?;
    Ok(Box::new(LineWriter::new(stdout)))
}

#[cfg(unix)]
fn duplicate(stream: &impl std::os::fd::AsFd) -> io::Result<File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn duplicate(stream: &impl std::os::windows::io::AsHandle) -> io::Result<File> {
    Ok(stream.as_handle().try_clone_to_owned()?.into())
}
