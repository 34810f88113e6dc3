//! The destination of a command's messages.

use std::io;

use serde::Serialize;

use crate::exit::Failure;
use crate::json;
use crate::stdio::stdout_for_text;

// Not a doc comment: clap would show it instead of the command's own.
#[derive(clap::Args, Debug)]
pub struct Messages {
    /// Print one JSON object on stdout that says what ran
    ///
    /// If an output is stdout, the object goes to stderr and replaces the lines for people.
    #[arg(long)]
    pub json: bool,

    /// Print only errors on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// The streams of the messages.
#[derive(Clone, Copy, Debug)]
pub struct Channels {
    /// True if lines for people, and a progress bar, go to stderr.
    pub lines: bool,
    object: Option<Stream>,
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    Stdout,
    Stderr,
}

impl Messages {
    /// The streams, if an output takes stdout or not.
    pub fn channels(&self, stdout_taken: bool) -> Channels {
        // An object on stderr must stand there alone.
        let lines = !(self.quiet || self.json && stdout_taken);
        Channels { lines, object: self.json.then_some(if stdout_taken { Stream::Stderr } else { Stream::Stdout }) }
    }
}

impl Channels {
    /// Prints the object of `--json`, if it was asked for.
    pub fn print(self, object: &impl Serialize) -> Result<(), Failure> {
        match self.object {
            Some(Stream::Stderr) => json::print(object, &mut io::stderr().lock(), "standard error"),
            Some(Stream::Stdout) => json::print(object, &mut stdout_for_text()?, "standard output"),
            None => Ok(()),
        }
    }
}
