//! The arguments of `solve`, which are also the text of `--help`.

use std::path::{Path, PathBuf};

use batchinv::OnFailure;
use clap::ValueEnum;

use crate::determinants::LogArgs;
use crate::engine::EngineArgs;
use crate::exit::{self, Failure};
use crate::place::is_stdout;
use crate::report::messages::{Channels, Messages};
use crate::stdio::is_dash;

/// Solve the systems A X = B of two .npy files
///
/// A has the shape (..., n, n). B is one vector for all matrices if its shape is (n,), and X then has the shape
/// (..., n). Otherwise B has the shape (..., n, k), and so has X: a stack of vectors has a last axis of 1. The leading
/// axes of A and B broadcast. These are the rules of np.linalg.solve since NumPy 2.
///
/// X has the type that holds both inputs: float32, float64, complex64 or complex128. Integers and bool count as
/// float64, as in NumPy. Either byte order, C or Fortran order, and zero-length axes are accepted. One file holds one
/// array.
///
/// The solution of a system without one comes back filled with NaN, or with what --failed says. Any status but 0 is an
/// error only with --strict.
///
/// The files are read, and X is written, in pieces, so they may be larger than memory; one system must fit. A stream in
/// Fortran order, or one whose matrices are needed more than once, is kept in a temporary file beside X.
///
/// X, STATUS, DET and LOG are C order and little-endian, and appear whole or not at all, X last. An existing file is
/// replaced and keeps its permissions. X may be A or B itself; the others may not. A device, a pipe or an open
/// descriptor is written to directly, as by `batchinv inv`, see its --help.
#[derive(clap::Args, Debug)]
#[command(after_help = exit::HELP)]
pub struct Args {
    /// The matrices; `-` for stdin
    #[arg(value_name = "A.npy")]
    pub a: PathBuf,

    /// The right-hand sides; `-` for stdin
    #[arg(value_name = "B.npy")]
    pub b: PathBuf,

    /// Write the solutions here; `-` for stdout
    #[arg(short, long, value_name = "X.npy")]
    pub output: PathBuf,

    /// Write a verdict for each system here, as int32 in the shape of the leading axes
    ///
    /// 0: solved. k >= 1: singular, the pivot of column k, counted from 1, is exactly zero. -1: not finite, the matrix
    /// or the right-hand side holds NaN or infinity, or the solution overflows.
    #[arg(long, value_name = "STATUS.npy")]
    pub status: Option<PathBuf>,

    /// Write the determinant of each system's matrix here, in the type of X and the shape of the leading axes
    ///
    /// 0 if the matrix is singular, NaN if it is not finite.
    #[arg(long, value_name = "DET.npy")]
    pub det: Option<PathBuf>,

    #[command(flatten)]
    pub log: LogArgs,

    /// What the solution of a system without one becomes
    #[arg(long, value_enum, value_name = "FILLING", default_value_t = Failed::Nan)]
    pub failed: Failed,

    #[command(flatten)]
    pub engine: EngineArgs,

    /// Fail on the first system with a status other than 0, as NumPy does on a singular one, and write nothing
    #[arg(long)]
    pub strict: bool,

    /// Check every solution; fail, and write nothing, if LAPACK's test ratio is 8 or more
    ///
    /// The ratio is the largest of ||b - A x||_1 / (||A||_1 ||x||_1 eps) over the columns, in double precision. Above
    /// order 64, sqrt(n) is allowed.
    #[arg(long)]
    pub verify: bool,

    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Failed {
    /// NaN in every element
    Nan,
    /// Zero in every element
    Zero,
    /// The right-hand side itself
    Input,
}

impl From<Failed> for OnFailure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Nan => Self::Nan,
            Failed::Zero => Self::Zero,
            Failed::Input => Self::Input,
        }
    }
}

impl Args {
    /// Checks the rules between arguments.
    pub fn check(&self) -> Result<(), Failure> {
        if is_dash(&self.a) && is_dash(&self.b) {
            return Err(Failure::input("only one of A and B can be -, which is stdin"));
        }
        if self.outputs().filter(|path| is_stdout(path)).count() > 1 {
            return Err(Failure::input("only one of X, STATUS, DET and LOG can be -, which is stdout"));
        }
        if self.log.log.is_some() && self.det.is_none() {
            return Err(Failure::input("--log needs --det, which takes the signs"));
        }
        self.engine.check()
    }

    /// The paths that were given, in the order in which they are put in place.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> + Clone {
        [&self.status, &self.log.log, &self.det].into_iter().flatten().chain([&self.output]).map(PathBuf::as_path)
    }

    /// The streams of the messages.
    pub fn channels(&self) -> Channels {
        self.messages.channels(self.outputs().any(is_stdout))
    }
}
