//! Digests of everything that the engines compute, to show that a change alters no bit.
//!
//! Run it before and after a change that must not alter results, and compare the two records:
//!
//! ```text
//! cargo run --release -p batchinv-benches --bin digests --features testing > before.txt
//! cargo run --release -p batchinv-benches --bin digests --features testing > after.txt
//! diff before.txt after.txt
//! ```
//!
//! Each line stands for one call, or one GPU job, on one stack. It names the engine or adapter, the SIMD level or
//! program, the scalar, precision, order, family of matrices and kind of call. Then come the kernel that the report
//! names and the digests of the inverses, the statuses and the reciprocal condition numbers. The lines are sorted and
//! nothing in them depends on time, so an unchanged engine gives an identical record. The lines of a `--quick` record
//! all stand in the full one too.
//!
//! Compare records of one machine with the same drivers only: other SIMD levels, adapters and driver versions round
//! differently. The environment variable `VK_ADD_DRIVER_FILES` adds a second Vulkan driver.
//!
//! [`testing`] holds every use of the crate's inner API; the other modules use its public one.

mod cpu;
mod families;
mod gpu;
mod jobs;
mod record;
mod testing;

use std::io::{BufWriter, Write};

use clap::{Parser, ValueEnum};

use crate::record::Record;

#[derive(Parser)]
struct Args {
    /// Digests of one engine only.
    #[arg(long)]
    engine: Option<Engine>,
    /// Fewer orders, in a fraction of the time.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    Cpu,
    Gpu,
}

fn main() -> std::io::Result<()> {
    let Args { engine, quick } = Args::parse();
    let mut record = Record::default();
    if engine != Some(Engine::Gpu) {
        cpu::run(&mut record, quick);
    }
    if engine != Some(Engine::Cpu) {
        gpu::run(&mut record, quick);
        jobs::run(&mut record, quick);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for line in record.lines() {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
