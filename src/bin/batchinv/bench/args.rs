//! The arguments of `bench`, and the configurations that they request.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use batchinv::ScalarKind;
use batchinv::plan::Work;
use clap::ValueEnum;

use crate::bench::operation::Operation;
use crate::drivers::Drivers;
use crate::exit::{self, Failure};

/// Time the engines, and compare them with a plain copy of the same bytes
///
/// Every configuration is first checked against the reference, matrices without an inverse included; a wrong answer
/// is refused, and no time is shown for it. `total` is the whole call, from host memory into warm memory that the
/// caller owns; `fresh` is the same with an output that the call allocates; `device` is the passes alone, by the
/// GPU's own clock. The input is random, and successive calls cycle through more memory than the caches hold.
#[derive(clap::Args, Debug)]
#[command(after_help = exit::HELP)]
pub struct Args {
    /// The operation
    #[arg(long, value_enum, default_value_t)]
    pub op: Operation,

    /// Columns of each right-hand side, for `--op solve`; 1 by default
    #[arg(long, value_name = "R", value_parser = positive)]
    pub width: Option<usize>,

    /// The engine; by default both, if there is a GPU
    #[arg(long, value_enum)]
    pub engine: Option<Choice>,

    /// Use the GPU with this number or name, as `batchinv info` shows them; part of a name will do, ignoring case
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<String>,

    #[command(flatten)]
    pub drivers: Drivers,

    /// Orders n of the n x n matrices
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = positive,
          default_value = "2,3,4,6,8,12,16,24,32,48,64,128")]
    pub order: Vec<usize>,

    /// Matrices per stack; by default 8 MiB of input, but at least 16
    #[arg(long, value_name = "COUNT", value_parser = positive)]
    pub len: Option<usize>,

    /// Scalars: float32, float64, complex64, complex128
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = ScalarKind::from_str,
          default_value = "float32")]
    pub scalar: Vec<ScalarKind>,

    /// Write the figures as a JSON list with one row per configuration; `-` for stdout
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Plot time per matrix against order as SVG; `-` for stdout
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,

    /// Show these figures beside ours: a list written by --json or by a script in benches/peers; may be repeated
    #[arg(long, value_name = "PEERS.json")]
    pub with: Vec<PathBuf>,

    /// At most N timed calls of each kind; fewer, but at least 5, once they have taken half a second
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = 100)]
    pub repeats: usize,

    /// Print only errors on stderr
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    Cpu,
    Gpu,
}

/// The work of one row of figures.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    pub op: Operation,
    pub scalar: ScalarKind,
    pub order: usize,
    /// The columns of a right-hand side; 0 if the operation has none.
    pub width: usize,
    pub len: usize,
}

/// Bytes of input without `--len`: more than the second-level caches hold, yet few enough for many repeats.
const STACK_BYTES: usize = 8 << 20;

/// Fewest matrices without `--len`.
const MIN_LEN: usize = 16;

impl Args {
    /// Checks the rules between arguments.
    pub fn check(&self) -> Result<(), Failure> {
        if self.engine == Some(Choice::Cpu) {
            let useless = [("--adapter", self.adapter.is_some()), ("--allow-non-conformant", self.drivers.allow)];
            if let Some((option, _)) = useless.into_iter().find(|(_, given)| *given) {
                return Err(Failure::input(format!("{option} is about GPUs, which --engine cpu never uses")));
            }
        }
        if self.width.is_some() && self.op != Operation::Solve {
            return Err(Failure::input("--width is about right-hand sides, which only --op solve has"));
        }
        for configuration in self.scalar.iter().flat_map(|&scalar| self.configurations(scalar)) {
            let Configuration { scalar, order, len, .. } = configuration;
            if configuration.checked_elements().is_none() {
                let line = format!("{len} matrices of order {order}, {scalar}, are more than memory can address");
                return Err(Failure::input(line));
            }
        }
        Ok(())
    }

    /// The columns of a right-hand side; 0 if the operation has none.
    pub fn columns(&self) -> usize {
        if self.op == Operation::Solve { self.width.unwrap_or(1) } else { 0 }
    }

    /// The paths that were given, JSON before plot.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> {
        [&self.json, &self.plot].into_iter().flatten().map(PathBuf::as_path)
    }

    /// One configuration per distinct order, in the order of the command line.
    pub fn configurations(&self, scalar: ScalarKind) -> impl Iterator<Item = Configuration> {
        let first = |(i, order): &(usize, &usize)| !self.order[..*i].contains(order);
        let (op, width) = (self.op, self.columns());
        self.order.iter().enumerate().filter(first).map(move |(_, &order)| {
            let bytes = || op.input(order, width).unwrap_or(usize::MAX).saturating_mul(scalar.size());
            let len = self.len.unwrap_or_else(|| (STACK_BYTES / bytes()).max(MIN_LEN));
            Configuration { op, scalar, order, width, len }
        })
    }
}

impl Configuration {
    pub fn work(self) -> Work {
        self.op.work(self.scalar, self.order, self.width, self.len)
    }

    /// Elements of the input, of the output, and of a copy that reads and writes as many bytes as both together.
    pub fn elements(self) -> Elements {
        self.checked_elements().expect("`Args::check` refused what overflows")
    }

    /// The number of determinants that come out.
    pub fn determinants(self) -> usize {
        if self.op == Operation::Det { self.len } else { 0 }
    }

    /// `None` if memory cannot address all the stacks that are held at once.
    fn checked_elements(self) -> Option<Elements> {
        let Self { op, scalar, order, width, len } = self;
        let input = op.input(order, width)?.checked_mul(len)?;
        // 8 is more than the number of stacks held at once.
        input.checked_mul(scalar.size()).filter(|bytes| *bytes <= isize::MAX as usize / 8)?;
        let output = op.output(order, width) * len;
        Some(Elements { input, output, copied: (input + output).div_ceil(2) })
    }
}

/// The elements of one stack.
#[derive(Clone, Copy, Debug)]
pub struct Elements {
    pub input: usize,
    pub output: usize,
    pub copied: usize,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("not a whole number above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use batchinv::ScalarKind;
    use clap::Parser;

    use super::{Args, Configuration};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        args: Args,
    }

    fn asked(args: &[&str]) -> Vec<(ScalarKind, usize, usize)> {
        let args = Program::try_parse_from([&["bench"], args].concat()).unwrap().args;
        let all = args.scalar.iter().flat_map(|scalar| args.configurations(*scalar));
        all.map(|Configuration { scalar, order, len, .. }| (scalar, order, len)).collect()
    }

    #[test]
    fn stacks_are_8_mib_unless_their_length_is_given() {
        use ScalarKind::{Complex128, Float32};
        let all = asked(&[]);
        let orders: Vec<usize> = all.iter().map(|(_, order, _)| *order).collect();
        assert_eq!(orders, [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128]);
        assert!(all.contains(&(Float32, 2, 1 << 19)) && all.contains(&(Float32, 128, 128)));
        let large = asked(&["--order", "4,512,4", "--scalar", "float32,complex128"]);
        let wanted = [(Float32, 4, 1 << 17), (Float32, 512, 16), (Complex128, 4, 1 << 15), (Complex128, 512, 16)];
        assert_eq!(large, wanted);
        assert_eq!(asked(&["--order", "3", "--len", "5"]), [(Float32, 3, 5)]);
        // With 12 columns, right-hand sides are three times as large as matrices of order 4.
        assert_eq!(asked(&["--op", "solve", "--width", "12", "--order", "4"]), [(Float32, 4, 1 << 15)]);
        assert_eq!(asked(&["--op", "det", "--order", "4"]), [(Float32, 4, 1 << 17)]);
    }
}
