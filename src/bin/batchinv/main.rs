//! `batchinv`: np.linalg.inv, solve and det for `.npy` files, from the command line.
//!
//! `args` finds the command and `interrupt` guards its temporary files. Each command is one module, which owns its
//! arguments: `inv`, `solve`, `det`, `bench` and `info`.
//!
//! The first three take an `engine`, read every one of the `arrays` of an `input` in `pieces`, with several of them in
//! the `pipeline`, `check` them, write `results`, show `progress` and `report`. Arrays come in the formats of `npy` and
//! `npz`, and have a `shape`; `determinants` are arrays that two commands write. `files` are where results go. They
//! stand on `place` (what a path means), `temporary` (files that appear whole), `descriptor`, `stdio` (`-`) and
//! `identity`.
//!
//! All share `drivers` (which GPUs may be used), `ratio` (what counts as wrong), `memory` and `threads` (which may be
//! missing) and `json`. `exit` turns every failure into one line and an exit status, and `environment` keeps libraries
//! from printing what nobody can act on.

mod args;

mod bench;
mod det;
mod info;
mod inv;
mod solve;

mod arrays;
mod check;
mod descriptor;
mod determinants;
mod drivers;
mod engine;
mod environment;
mod exit;
mod files;
mod identity;
mod input;
mod interrupt;
mod json;
mod memory;
mod npy;
mod npz;
mod pieces;
mod pipeline;
mod place;
mod progress;
mod ratio;
mod report;
mod results;
mod shape;
mod stdio;
mod temporary;
mod threads;

use std::process::ExitCode;

use crate::args::Command;
use crate::exit::Failure;

fn main() -> ExitCode {
    environment::quiet_wayland();
    let outcome = exit::catch_panics(run);
    if outcome.is_err() {
        interrupt::wait_if_interrupted();
    }
    exit::finish(outcome)
}

fn run() -> Result<(), Failure> {
    let Some(command) = args::parse()? else {
        return Ok(()); // --help or --version, already printed
    };
    threads::start()?;
    interrupt::watch()?;
    #[cfg(feature = "testing")]
    if let Ok(part) = std::env::var("BATCHINV_TEST_NON_CONFORMANT") {
        batchinv::gpu::faults::non_conformant(part);
    }
    match command {
        Command::Inv(args) => inv::run(&args),
        Command::Solve(args) => solve::run(&args),
        Command::Det(args) => det::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Info(args) => info::run(&args),
    }
}
