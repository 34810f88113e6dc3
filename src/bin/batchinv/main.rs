//! `batchinv`: np.linalg.inv for `.npy` files, from the command line.

mod args;
mod bench;
mod exit;
mod files;
mod info;
mod input;
mod interrupt;
mod inv;
mod npy;
mod report;
mod shape;

use std::process::ExitCode;

use args::Command;
use exit::Failure;

fn main() -> ExitCode {
    let outcome = exit::unpanicked(run);
    if outcome.is_err() {
        interrupt::wait_where_interrupted();
    }
    exit::finish(outcome)
}

fn run() -> Result<(), Failure> {
    let Some(command) = args::parse()? else {
        return Ok(()); // --help or --version, already printed
    };
    interrupt::watch()?;
    match command {
        Command::Inv(args) => inv::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Info(args) => info::run(&args),
    }
}
