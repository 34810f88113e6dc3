//! How the program ends: an exit status, and one line on stderr for each but 0.

use std::fmt::Display;
use std::io::Write;
use std::panic::{self, UnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Why the program ends with a status other than 0. Interrupts, 129, 130 and 143, are `interrupt.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// `--strict` or `--verify` found a matrix.
    Refused = 1,
    /// Bad arguments, bad input.
    Input = 2,
    /// The engine is absent, cannot do this, or was lost.
    Engine = 3,
    /// Reading or writing failed.
    Io = 4,
}

/// A status and its line.
#[derive(Debug)]
pub struct Failure {
    status: Status,
    line: String,
}

impl Failure {
    pub fn refused(line: impl Into<String>) -> Self {
        Self { status: Status::Refused, line: line.into() }
    }

    pub fn input(line: impl Into<String>) -> Self {
        Self { status: Status::Input, line: line.into() }
    }

    pub fn engine(line: impl Into<String>) -> Self {
        Self { status: Status::Engine, line: line.into() }
    }

    pub fn io(line: impl Into<String>) -> Self {
        Self { status: Status::Io, line: line.into() }
    }

    /// The same failure, with what it is about before the line.
    pub fn about(self, what: impl Display) -> Self {
        Self { line: format!("{what}: {}", self.line), ..self }
    }
}

impl From<batchinv::Error> for Failure {
    fn from(error: batchinv::Error) -> Self {
        use batchinv::Error;
        match error {
            Error::Shape(shape) => Self::input(shape.to_string()),
            Error::Singular { .. } | Error::NotFinite { .. } => Self::refused(error.to_string()),
            _ => Self::engine(error.to_string()),
        }
    }
}

/// The last panic's words and place.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// A panic, in this program or in a driver's bindings, is a failure of the engine, in one line. What the library catches,
/// it makes an error of, and nobody else need hear of it.
pub fn unpanicked(run: impl FnOnce() -> Result<(), Failure> + UnwindSafe) -> Result<(), Failure> {
    panic::set_hook(Box::new(|info| {
        let words = info.payload_as_str().unwrap_or("no words");
        let place = info.location().map_or(String::new(), |place| format!(" ({place})"));
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{words}{place}");
    }));
    panic::catch_unwind(run).unwrap_or_else(|_| {
        let words = PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        Err(Failure::engine(format!("stopped by a fault that should not be: {words}")))
    })
}

/// Says the one line of a failure and turns it into the exit status.
pub fn finish(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { status, line }) => {
            say(&line);
            ExitCode::from(status as u8)
        }
    }
}

/// A progress bar stands in the terminal's last line.
static BAR: AtomicBool = AtomicBool::new(false);

/// Whether a progress bar stands there from now on; the next line takes its place.
pub fn bar_shown(shown: bool) {
    BAR.store(shown, Ordering::Relaxed);
}

/// One line on stderr, whatever file names and drivers put into it. Where stderr itself is gone, nobody is left
/// to tell.
pub fn say(line: &str) {
    let line = one_line(line);
    // To the beginning of the line, and clear it.
    let clear = if BAR.swap(false, Ordering::Relaxed) { "\r\x1b[K" } else { "" };
    let _ = writeln!(std::io::stderr().lock(), "{clear}batchinv: {line}");
}

/// What has several lines, as wgpu's errors with their causes, in one.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()) {
        let between = if line.is_empty() {
            ""
        } else if line.ends_with(':') {
            " "
        } else {
            "; "
        };
        line += between;
        line.extend(part.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn causes_follow_in_the_same_line() {
        let text = "Validation Error\r\n\nCaused by:\n  no \x1bbuffer\n    no device\n";
        assert_eq!(super::one_line(text), "Validation Error; Caused by: no  buffer; no device");
    }
}
