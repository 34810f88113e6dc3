//! The arguments of `det`, which are also the text of `--help`.

use std::path::{Path, PathBuf};

use crate::determinants::LogArgs;
use crate::engine::EngineArgs;
use crate::exit::{self, Failure};
use crate::place::is_stdout;
use crate::report::messages::{Channels, Messages};

/// Compute the determinant of every matrix of a .npy file, or of every array of a .npz archive
///
/// INPUT has the shape (..., n, n), and OUTPUT the shape (...). float32, float64, complex64 and complex128 keep their
/// type; integers and bool become float64, as in NumPy.
///
/// A singular matrix has the determinant 0, and one that holds NaN or infinity has NaN. Neither is an error: both are
/// counted on stderr, and so are determinants that overflow to infinity or underflow to 0, which --log keeps apart.
///
/// Files, pipes and archives are read and written as by `batchinv inv`, see its --help: in pieces, so that INPUT may be
/// larger than memory, and whole or not at all, LOG before OUTPUT.
#[derive(clap::Args, Debug)]
#[command(after_help = exit::HELP)]
pub struct Args {
    /// The matrices; `-` for stdin
    #[arg(value_name = "INPUT.npy")]
    pub input: PathBuf,

    /// Write the determinants here, or with --log their signs; `-` for stdout
    #[arg(short, long, value_name = "OUTPUT.npy")]
    pub output: PathBuf,

    #[command(flatten)]
    pub log: LogArgs,

    #[command(flatten)]
    pub engine: EngineArgs,

    #[command(flatten)]
    pub messages: Messages,
}

impl Args {
    /// Checks the rules between arguments.
    pub fn check(&self) -> Result<(), Failure> {
        if self.outputs().filter(|path| is_stdout(path)).count() > 1 {
            return Err(Failure::input("only one of OUTPUT and LOG can be -, which is stdout"));
        }
        self.engine.check()
    }

    /// The paths that were given, in the order in which they are put in place.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> + Clone {
        self.log.log.iter().chain([&self.output]).map(PathBuf::as_path)
    }

    /// The streams of the messages.
    pub fn channels(&self) -> Channels {
        self.messages.channels(self.outputs().any(is_stdout))
    }
}
