//! The arguments of `bench`, and the configurations that they ask for.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use batchinv::plan::Work;
use batchinv::{Precision, ScalarKind};
use clap::ValueEnum;

use crate::exit::Failure;

/// Time the engines: how long an inverse takes, and how far that is from a plain copy
///
/// Every configuration is checked against the reference first, matrices without an inverse included; a wrong answer
/// is refused, and no time is shown for it. Then `total` is the whole call from host memory into memory of the
/// caller's that is warm, `fresh` the same with an output that the call allocates, and `device` the passes alone
/// by the GPU's own clock. The input is random, and calls go around more memory than the caches hold.
#[derive(clap::Args, Debug)]
#[command(after_help = crate::args::EXIT_STATUS)]
pub struct Args {
    /// The engine; both unless given, the GPU where there is one
    #[arg(long, value_enum)]
    pub engine: Option<Choice>,

    /// The first GPU whose name contains NAME, whatever the case; see `batchinv info`
    #[arg(long, value_name = "NAME")]
    pub adapter: Option<String>,

    /// Orders n of the n x n matrices
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = positive,
          default_value = "2,3,4,6,8,12,16,24,32,48,64,128")]
    pub order: Vec<usize>,

    /// Matrices in a stack; unless given, 8 MiB of them, and at least 16
    #[arg(long, value_name = "COUNT", value_parser = positive)]
    pub len: Option<usize>,

    /// Scalars: float32, float64, complex64, complex128
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = ScalarKind::from_str,
          default_value = "float32")]
    pub scalar: Vec<ScalarKind>,

    /// Write the figures as a JSON list with a row for each configuration; `-` for stdout
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Draw time per matrix against order; `-` for stdout
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,

    /// Show these figures beside ours: a list that --json or a script in benches/peers wrote; may be repeated
    #[arg(long, value_name = "PEERS.json")]
    pub with: Vec<PathBuf>,

    /// Timed calls of a kind, at the most; at least 5 are made and for about half a second, unless N is less
    #[arg(long, value_name = "N", value_parser = positive, default_value_t = 100)]
    pub repeats: usize,

    /// Say nothing on stderr but errors
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    Cpu,
    Gpu,
}

/// What is timed at once.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    pub scalar: ScalarKind,
    pub order: usize,
    pub len: usize,
}

/// Bytes of input where no length is given: more than the second-level caches, little enough for many repeats.
const STACK_BYTES: usize = 8 << 20;

/// Matrices, at the least, where no length is given.
const MIN_LEN: usize = 16;

impl Args {
    /// The rules between arguments.
    pub fn check(&self) -> Result<(), Failure> {
        if self.adapter.is_some() && self.engine == Some(Choice::Cpu) {
            return Err(Failure::input("--adapter names a GPU, which --engine cpu never uses"));
        }
        for &scalar in &self.scalar {
            for Configuration { order, len, .. } in self.configurations(scalar) {
                if stack_bytes(scalar, order, len).is_none() {
                    let line = format!("{len} matrices of order {order}, {scalar}, are more than memory can address");
                    return Err(Failure::input(line));
                }
            }
        }
        Ok(())
    }

    /// JSON and plot, as far as they are given.
    pub fn outputs(&self) -> impl Iterator<Item = &Path> {
        [&self.json, &self.plot].into_iter().flatten().map(PathBuf::as_path)
    }

    /// Each order once, in the order given.
    pub fn configurations(&self, scalar: ScalarKind) -> impl Iterator<Item = Configuration> {
        let first = |(i, order): &(usize, &usize)| !self.order[..*i].contains(order);
        self.order.iter().enumerate().filter(first).map(move |(_, &order)| {
            let fitting = || order.saturating_mul(order).saturating_mul(scalar.size());
            let len = self.len.unwrap_or_else(|| (STACK_BYTES / fitting()).max(MIN_LEN));
            Configuration { scalar, order, len }
        })
    }
}

impl Configuration {
    pub fn work(self) -> Work {
        Work { scalar: self.scalar, precision: Precision::Native, order: self.order, len: self.len }
    }

    /// Of the input, and of the output too.
    pub fn stack_bytes(self) -> usize {
        stack_bytes(self.scalar, self.order, self.len).expect("`Args::check` refused what overflows")
    }
}

/// `None` where input and output together are more than memory can address.
fn stack_bytes(scalar: ScalarKind, order: usize, len: usize) -> Option<usize> {
    let bytes = order.checked_mul(order)?.checked_mul(scalar.size())?.checked_mul(len)?;
    // As many as are held at once, and some room.
    (bytes <= isize::MAX as usize / 8).then_some(bytes)
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
        all.map(|Configuration { scalar, order, len }| (scalar, order, len)).collect()
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
    }
}
