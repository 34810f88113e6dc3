//! One call: beside Python's other threads, and in pieces, between which Python hears signals.

use std::time::{Duration, Instant};

use batchinv::plan::{HOST_GPU_PIECE, Work};
use batchinv::{Engine, EngineChoice, Error, Inverter, Report};
use pyo3::prelude::*;

use crate::errors::raised;
use crate::gpu;
use crate::options::Options;
use crate::pools::Workers;

/// Multiply-adds up to which a call keeps Python to itself and stays on its thread: about 5 microseconds, in which
/// nobody else would get far.
const SMALL: usize = 1 << 14;

/// Multiply-adds of the first piece: a few milliseconds on most machines, a tenth of a second on one slow core.
const FIRST: usize = 1 << 26;

/// The time that a piece should take. Ctrl-C is heard between two pieces.
const PIECE: Duration = Duration::from_millis(50);

/// The work of one call: an operation on a stack of matrices, and the memory for its results.
pub trait Job: Send + Sized {
    /// The work, in the scalar's own precision.
    fn work(&self) -> Work;

    /// The fewest matrices that make a piece.
    fn least(&self) -> usize {
        1
    }

    /// The same for the first `count` matrices, and for the rest.
    fn split_at(self, count: usize) -> (Self, Self);

    /// Computes the results.
    fn run(self, inverter: &Inverter) -> Result<Report, Error>;
}

/// Computes the results of a job.
#[inline]
pub fn run(py: Python<'_>, options: &Options, job: impl Job) -> PyResult<()> {
    let work = job.work();
    if options.engine != EngineChoice::Gpu && multiply_adds(work).saturating_mul(work.len) <= SMALL {
        let inverter = options.apply(Inverter::cpu()).threads(1).map_err(raised)?;
        return job.run(&inverter).map(drop).map_err(raised);
    }
    in_pieces(py, options, job)
}

fn in_pieces(py: Python<'_>, options: &Options, mut job: impl Job) -> PyResult<()> {
    let work = job.work().with_precision(options.precision);
    let (len, least) = (work.len, job.least());
    let (workers, inverter) = py.detach(|| {
        let workers = Workers::new(options.threads)?;
        // Outside of a pool, the engine would start one that children cannot use.
        let inverter = workers.run(|| gpu::inverter(options, work))?;
        let inverter = if let Workers::Caller = workers { inverter.threads(1).map_err(raised)? } else { inverter };
        PyResult::Ok((workers, inverter))
    })?;

    let (mut done, mut piece) = (0, FIRST / multiply_adds(work).max(1));
    loop {
        let count = piece.max(least).min(len - done);
        let (now, rest) = job.split_at(count);
        let started = Instant::now();
        let report = py.detach(|| workers.run(|| now.run(&inverter)));
        let report = report.map_err(|error| raised(error.of_piece(done, len)))?;
        done += count;
        if done == len {
            return Ok(());
        }
        py.check_signals()?;
        job = rest;
        // The first piece on a GPU also builds pipelines, so the next may be much longer.
        let growth = (PIECE.as_secs_f64() / started.elapsed().as_secs_f64().max(1e-9)).min(4.0);
        let fewest = if report.engine == Engine::Gpu { HOST_GPU_PIECE / (work.order * work.order).max(1) } else { 1 };
        piece = ((count as f64 * growth) as usize).max(fewest);
    }
}

/// Multiply-adds per matrix: about as many, and hardly ever fewer than there are.
fn multiply_adds(work: Work) -> usize {
    let square = work.order.saturating_mul(work.order);
    square.saturating_mul(work.order.saturating_add(work.width))
}
