//! The arguments, which are also the text of `--help`.

use std::path::{Path, PathBuf};

use batchinv::{EngineChoice, Precision};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench;
use crate::exit::Failure;

/// np.linalg.inv for stacks of small matrices, on any GPU and on all cores, with a verdict for each matrix.
#[derive(Debug, Parser)]
#[command(name = "batchinv", version, arg_required_else_help = false, after_help = EXIT_STATUS)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

pub const EXIT_STATUS: &str = "\
Exit status:
  0         done; matrices without an inverse are counted on stderr
  1         --strict met a matrix without an inverse, or --verify or bench a wrong one
  2         bad arguments or bad input
  3         the engine is absent, cannot do this, or was lost
  4         reading or writing failed
  129, 130, 143  hung up, interrupted, terminated";

#[derive(Debug, Subcommand)]
pub enum Command {
    Inv(Inv),
    Bench(bench::Args),
    Info(Info),
}

/// Invert every matrix of a .npy file
///
/// INPUT has the shape (..., n, n). float32, float64, complex64 and complex128 stay what they are; integers and
/// bool become float64, as in NumPy. Either byte order, C or Fortran order, zero-length axes too. One file holds
/// one array: bytes after it are refused.
///
/// A matrix without an inverse comes back filled with NaN and is no error, unless --strict is given.
///
/// The file is read, inverted and written in pieces: it may be larger than memory. What comes from stdin in Fortran
/// order is kept in a temporary file beside OUTPUT.
///
/// OUTPUT, STATUS and RCOND are C order and little-endian, and appear whole or not at all, STATUS and RCOND before
/// OUTPUT. An existing file is replaced, and keeps its permissions; OUTPUT may be INPUT itself, which is replaced
/// after its end has been read; STATUS and RCOND may not. A device or a pipe is written to directly, with --strict or
/// --verify only after all matrices have passed; it cannot be INPUT.
#[derive(Args, Debug)]
#[command(after_help = EXIT_STATUS)]
pub struct Inv {
    /// The matrices; `-` for stdin
    #[arg(value_name = "INPUT.npy")]
    pub input: PathBuf,

    /// Where the inverses go, in the shape of INPUT; `-` for stdout
    #[arg(short, long, value_name = "OUTPUT.npy")]
    pub output: PathBuf,

    /// Where a verdict for each matrix goes, as int32 in the shape of INPUT's leading axes
    ///
    /// 0: inverted. k >= 1: singular, the pivot of column k, counted from 1, is exactly zero. -1: not finite, the
    /// matrix holds NaN or infinity, or its inverse overflows.
    #[arg(long, value_name = "STATUS.npy")]
    pub status: Option<PathBuf>,

    /// Where the reciprocal condition number 1 / (||A||_1 ||A^-1||_1) of each matrix goes
    ///
    /// float32 or float64. Below n * eps, the inverse has no digit to trust. 0 where singular, NaN where not finite.
    #[arg(long, value_name = "RCOND.npy")]
    pub rcond: Option<PathBuf>,

    /// The engine; `auto` takes a hardware GPU where the work is worth the trip, and the CPU otherwise
    #[arg(long, value_enum, default_value_t = Engine::Auto)]
    pub engine: Engine,

    /// The first GPU whose name contains NAME, whatever the case; see `batchinv info`
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<String>,

    /// `double` computes float32 and complex64 in double precision and rounds at the end, as NumPy does
    #[arg(long = "precision", value_enum, value_name = "PRECISION", default_value_t = WorkingPrecision::Native)]
    pub working_precision: WorkingPrecision,

    /// Fail on the first matrix without an inverse, as NumPy does, and write nothing
    #[arg(long)]
    pub strict: bool,

    /// Check every inverse: fail, and write nothing, where LAPACK's test ratio is 3 or more
    ///
    /// The ratio is ||I - X A||_1 / (n ||A||_1 ||X||_1 eps), in double precision.
    #[arg(long)]
    pub verify: bool,

    /// Print what ran as one JSON object on stdout
    ///
    /// Where OUTPUT, STATUS or RCOND is `-`, the object goes to stderr, in place of the lines for people.
    #[arg(long)]
    pub json: bool,

    /// Say nothing on stderr but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Show the CPU, the GPU adapters, and the kernel that each order takes on them
#[derive(Args, Debug)]
pub struct Info {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Auto,
    Cpu,
    Gpu,
}

impl From<Engine> for EngineChoice {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Auto => Self::Auto,
            Engine::Cpu => Self::Cpu,
            Engine::Gpu => Self::Gpu,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorkingPrecision {
    Native,
    Double,
}

impl WorkingPrecision {
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Double => "double",
        }
    }
}

impl From<WorkingPrecision> for Precision {
    fn from(precision: WorkingPrecision) -> Self {
        match precision {
            WorkingPrecision::Native => Self::Native,
            WorkingPrecision::Double => Self::Double,
        }
    }
}

/// `-`: stdin or stdout.
pub fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// stdout, under one of its names.
fn is_stdout(path: &Path) -> bool {
    is_dash(path)
        || cfg!(unix) && ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// The command, or `None` where `--help` or `--version` was all that was asked.
pub fn parse() -> Result<Option<Command>, Failure> {
    let command = match Program::try_parse() {
        Ok(program) => program.command,
        Err(error) => return explain(&error),
    };
    match &command {
        Command::Inv(args) => args.check()?,
        Command::Bench(args) => args.check()?,
        Command::Info(_) => {}
    }
    Ok(Some(command))
}

impl Inv {
    /// The rules between arguments.
    fn check(&self) -> Result<(), Failure> {
        if self.outputs().filter(|path| is_stdout(path)).count() > 1 {
            return Err(Failure::input("only one of OUTPUT, STATUS and RCOND can be -, which is stdout"));
        }
        if self.adapter.is_some() && self.engine == Engine::Cpu {
            return Err(Failure::input("--adapter names a GPU, which --engine cpu never uses"));
        }
        Ok(())
    }

    /// STATUS, RCOND and OUTPUT, as far as they are given, in the order of their placing.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> {
        [&self.status, &self.rcond].into_iter().flatten().chain([&self.output]).map(PathBuf::as_path)
    }

    /// An output goes to stdout.
    pub fn stdout_taken(&self) -> bool {
        self.outputs().any(is_stdout)
    }
}

/// Help goes to stdout. An error becomes one line: what clap says, up to the blank line before its usage text.
fn explain(error: &clap::Error) -> Result<Option<Command>, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print() {
            Ok(()) => Ok(None),
            Err(error) => Err(Failure::io(format!("cannot write standard output: {error}"))),
        };
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let said: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    Err(Failure::input(format!("{}; see batchinv --help", said.join(" "))))
}
