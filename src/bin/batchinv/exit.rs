//! How the program ends: with an exit status, and with one line on stderr unless the status is 0.

use std::fmt::Display;
use std::io::Write;
use std::panic::{self, UnwindSafe};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The exit statuses, for `--help`.
pub const HELP: &str = "\
Exit status:
  0         done; matrices with a status other than 0 are counted on stderr
  1         --strict met a status other than 0, or --verify or bench a wrong result
  2         bad arguments or bad input
  3         the engine is absent, cannot do this, or was lost
  4         reading or writing failed, or memory or threads ran out
  129, 130, 143  hung up, interrupted, terminated";

/// The statuses of failures. `interrupt.rs` ends the program with 129, 130 or 143 itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// `--strict` met a status other than 0, or `--verify` or `bench` a wrong inverse.
    Refused = 1,
    /// The arguments or the input are bad.
    Input = 2,
    /// The engine is absent, cannot do this, or was lost.
    Engine = 3,
    /// Reading or writing failed, or memory or threads ran out.
    Io = 4,
}

/// An exit status and its line.
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

    /// Puts the name of a file, say, before the line.
    pub fn about(self, subject: impl Display) -> Self {
        Self { line: format!("{subject}: {}", self.line), ..self }
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

/// Message and place of the last panic.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Turns a panic, in this program or in a driver's bindings, into a failure of the engine with one line. A panic that
/// the library catches becomes an error there and prints nothing.
pub fn catch_panics(run: impl FnOnce() -> Result<(), Failure> + UnwindSafe) -> Result<(), Failure> {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or(String::new(), |place| format!(" ({place})"));
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = format!("{message}{place}");
    }));
    panic::catch_unwind(run).unwrap_or_else(|_| {
        let panic = PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        Err(Failure::engine(format!("internal error: {panic}")))
    })
}

/// Prints the line of a failure and returns its exit status.
pub fn finish(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { status, line }) => {
            say(&line);
            ExitCode::from(status as u8)
        }
    }
}

/// True while a progress bar occupies the terminal's last line.
static BAR: AtomicBool = AtomicBool::new(false);

/// Records whether a progress bar is shown, which the next line then replaces.
pub fn bar_shown(shown: bool) {
    BAR.store(shown, Ordering::Relaxed);
}

/// Prints exactly one line on stderr, even if file names or drivers put line breaks into it. A failure to write it is
/// ignored: there is nowhere left to report it.
pub fn say(line: &str) {
    let line = one_line(line);
    // Returns to the start of the line and clears it.
    let clear = if BAR.swap(false, Ordering::Relaxed) { "\r\x1b[K" } else { "" };
    let _ = writeln!(std::io::stderr().lock(), "{clear}batchinv: {line}");
}

/// Joins several lines into one; wgpu's errors list their causes on lines of their own.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()) {
        let separator = if line.is_empty() {
            ""
        } else if line.ends_with(':') {
            " "
        } else {
            "; "
        };
        line += separator;
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
