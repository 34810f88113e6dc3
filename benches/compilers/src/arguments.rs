//! The arguments of the program.

use std::path::PathBuf;

use batchinv::{Arithmetic, GpuKernel, Op, ScalarKind};
use clap::Parser;

use crate::child::radv;
use crate::questions::Orders;

/// Asks a GPU driver that needs no GPU (Mesa's RADV) what it makes of the shaders that a plan takes.
///
/// Exits with 1 if a program crashes the driver, does not compile, or spills registers and is not expected to; with 3
/// if the driver is absent.
#[derive(Parser)]
pub struct Arguments {
    /// Families of GPUs by RADV's names, or `all` that the installed driver knows.
    #[arg(long, value_delimiter = ',', default_value = "navi21,vega20")]
    pub family: Vec<String>,
    /// Scalars, or all that the family computes with.
    #[arg(long, value_delimiter = ',')]
    pub scalar: Vec<ScalarKind>,
    /// Arithmetics: float32, float64, pairs. By default the scalar's own, and pairs.
    #[arg(long, value_delimiter = ',', value_parser = arithmetic)]
    pub arithmetic: Vec<Arithmetic>,
    /// Operations: inverse, solve, det, cofactors. A determinant is a solution without columns.
    #[arg(long, value_delimiter = ',', value_parser = op, default_value = "inverse,solve")]
    pub op: Vec<Op>,
    /// Orders: `boundary`, those between which the plan changes; `all`; or numbers and ranges, such as 1,8,30-40.
    #[arg(long, default_value = "boundary")]
    pub order: Orders,
    /// This kernel, at the orders that it takes, instead of the one that the plan takes.
    #[arg(long, value_parser = kernel)]
    pub kernel: Option<GpuKernel>,
    /// Only programs that leave rcond out and do not work in place.
    #[arg(long)]
    pub plain: bool,
    /// Leave out what only few matrices go through, and count the instructions that the others execute, but for
    /// `device`.
    #[arg(long)]
    pub usual: bool,
    /// A WGSL file to compile instead of a plan's programs, at each of its entry points.
    #[arg(long)]
    pub wgsl: Option<PathBuf>,
    /// A list of programs that spill, to be compared with.
    #[arg(long)]
    pub expected: Option<PathBuf>,
    /// A file for one line of JSON per program.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// A folder for the instructions of each program, as text.
    #[arg(long)]
    pub isa: Option<PathBuf>,
    /// Print every program, not only those that fail and the totals.
    #[arg(long)]
    pub table: bool,
    /// Programs that are compiled at once.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    pub threads: usize,
    /// The file that leads Vulkan's loader to the driver.
    #[arg(long, default_value_os_t = radv())]
    pub driver: PathBuf,
}

fn op(word: &str) -> Result<Op, String> {
    let ops = [Op::Inverse, Op::Solve, Op::Det, Op::Cofactors];
    ops.into_iter().find(|op| op.name() == word).ok_or_else(|| "one of inverse, solve, det, cofactors".to_owned())
}

fn arithmetic(word: &str) -> Result<Arithmetic, String> {
    let arithmetics = [Arithmetic::Float32, Arithmetic::Float64, Arithmetic::Pairs];
    let found = arithmetics.into_iter().find(|arithmetic| arithmetic.name() == word);
    found.ok_or_else(|| "one of float32, float64, pairs".to_owned())
}

fn kernel(word: &str) -> Result<GpuKernel, String> {
    let kernels = GpuKernel::ALL;
    kernels.into_iter().find(|kernel| kernel.name() == word).ok_or_else(|| {
        let words: Vec<_> = kernels.iter().map(|kernel| kernel.name()).collect();
        format!("one of {}", words.join(", "))
    })
}
