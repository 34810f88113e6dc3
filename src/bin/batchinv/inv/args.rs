//! The arguments of `inv`, which are also the text of `--help`.

use std::path::{Path, PathBuf};

use batchinv::{OnFailure, RcondOf};
use clap::ValueEnum;

use crate::engine::EngineArgs;
use crate::exit::{self, Failure};
use crate::place::is_stdout;
use crate::report::messages::{Channels, Messages};

/// Invert every matrix of a .npy file, or of every array of a .npz archive
///
/// INPUT has the shape (..., n, n). float32, float64, complex64 and complex128 keep their type; integers and bool
/// become float64, as in NumPy. Either byte order, C or Fortran order, and zero-length axes are accepted. One file
/// holds one array: bytes after it are refused.
///
/// A matrix without an inverse comes back filled with NaN, or with what --failed says. Any status but 0 is an error
/// only with --strict.
///
/// The file is read, inverted and written in pieces, so it may be larger than memory. Input from stdin in Fortran order
/// is kept in a temporary file beside OUTPUT.
///
/// If INPUT is an archive, compressed or not, so are OUTPUT, STATUS and RCOND, with the same names in them. Arrays are
/// inverted one after the other, and one that cannot be read fails them all. An archive is not read from stdin.
///
/// OUTPUT, STATUS and RCOND are C order and little-endian, and appear whole or not at all, STATUS and RCOND before
/// OUTPUT. An existing file is replaced and keeps its permissions. OUTPUT may be INPUT itself, which is replaced after
/// it has been read to its end; STATUS and RCOND may not. A device, a pipe or an open descriptor is written to
/// directly, with --strict or --verify only after all matrices have passed; it cannot be INPUT. A path names an open
/// descriptor if it ends, after its links, at an entry such as /dev/stdout, /dev/fd/3 or /proc/self/fd/3.
#[derive(clap::Args, Debug)]
#[command(after_help = exit::HELP)]
pub struct Args {
    /// The matrices; `-` for stdin
    #[arg(value_name = "INPUT.npy")]
    pub input: PathBuf,

    /// Write the inverses here, in the shape of INPUT; `-` for stdout
    #[arg(short, long, value_name = "OUTPUT.npy")]
    pub output: PathBuf,

    /// Write a verdict for each matrix here, as int32 in the shape of INPUT's leading axes
    ///
    /// 0: inverted. k >= 1: singular, the pivot of column k, counted from 1, is exactly zero. -1: not finite, the
    /// matrix holds NaN or infinity, or its inverse overflows. -2: ill-conditioned, inverted but below --min-rcond.
    #[arg(long, value_name = "STATUS.npy")]
    pub status: Option<PathBuf>,

    /// Write the reciprocal condition number 1 / (||A||_1 ||A^-1||_1) of each matrix here
    ///
    /// float32 or float64. The relative error of an inverse in the 1-norm is below 3 n eps / rcond. A matrix in
    /// mixed units has a tiny rcond and may still have an accurate inverse: --rcond-of equilibrated gives the rcond,
    /// and that bound, in the units that suit the matrix best. 0 if singular, NaN if not finite.
    #[arg(long, value_name = "RCOND.npy")]
    pub rcond: Option<PathBuf>,

    /// The matrix that RCOND and --min-rcond are about
    #[arg(long, value_enum, value_name = "MATRIX", default_value_t = Measured::Given)]
    pub rcond_of: Measured,

    /// Give matrices whose rcond is below X the status -2; with --strict, fail on the first
    ///
    /// X lies between 0 and 1. The inverses are kept. See --rcond-of for matrices in mixed units.
    #[arg(long, value_name = "X", value_parser = min_rcond, allow_negative_numbers = true)]
    pub min_rcond: Option<f64>,

    /// What a matrix without an inverse becomes
    #[arg(long, value_enum, value_name = "FILLING", default_value_t = Failed::Nan)]
    pub failed: Failed,

    #[command(flatten)]
    pub engine: EngineArgs,

    /// Fail on the first matrix with a status other than 0, as NumPy does on a singular one, and write nothing
    #[arg(long)]
    pub strict: bool,

    /// Check every inverse; fail, and write nothing, if LAPACK's test ratio is 3 or more
    ///
    /// The ratio is ||I - X A||_1 / (n ||A||_1 ||X||_1 eps), in double precision. Complex numbers (order 1) are allowed
    /// 6, since their reciprocal rounds more often.
    #[arg(long)]
    pub verify: bool,

    #[command(flatten)]
    pub messages: Messages,
}

/// The number of `--min-rcond`.
fn min_rcond(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("an rcond lies between 0 and 1".to_owned()) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Measured {
    /// The matrix as given
    Given,
    /// The matrix in the units of rows and columns that suit it best; too small for triangular and sparse matrices
    Equilibrated,
}

impl From<Measured> for RcondOf {
    fn from(measured: Measured) -> Self {
        match measured {
            Measured::Given => Self::Given,
            Measured::Equilibrated => Self::Equilibrated,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Failed {
    /// NaN in every element
    Nan,
    /// Zero in every element
    Zero,
    /// The identity matrix
    Identity,
    /// The matrix itself
    Input,
}

impl From<Failed> for OnFailure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Nan => Self::Nan,
            Failed::Zero => Self::Zero,
            Failed::Identity => Self::Identity,
            Failed::Input => Self::Input,
        }
    }
}

impl Args {
    /// Checks the rules between arguments.
    pub fn check(&self) -> Result<(), Failure> {
        if self.outputs().filter(|path| is_stdout(path)).count() > 1 {
            return Err(Failure::input("only one of OUTPUT, STATUS and RCOND can be -, which is stdout"));
        }
        if self.rcond_of != Measured::Given && self.rcond.is_none() && self.min_rcond.is_none() {
            return Err(Failure::input("--rcond-of needs --rcond or --min-rcond"));
        }
        self.engine.check()
    }

    /// The paths that were given among STATUS, RCOND and OUTPUT, in the order in which they are put in place.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> + Clone {
        [&self.status, &self.rcond].into_iter().flatten().chain([&self.output]).map(PathBuf::as_path)
    }

    /// The streams of the messages.
    pub fn channels(&self) -> Channels {
        self.messages.channels(self.outputs().any(is_stdout))
    }
}
