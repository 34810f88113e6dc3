//! One call: beside Python's other threads, and in pieces, between which Python hears signals.

use std::time::{Duration, Instant};

use batchinv::plan::{HOST_GPU_PIECE, Work};
use batchinv::{Engine, EngineChoice, InversesMut, Inverter, Scalar, Stack, Status};
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

/// The memory that a call writes to.
pub struct Output<'a, T: Scalar> {
    pub elements: &'a mut [T],
    pub statuses: &'a mut [Status],
    pub rconds: Option<&'a mut [T::Real]>,
}

/// Inverts a stack.
#[inline]
pub fn run<T: Scalar>(py: Python<'_>, options: &Options, stack: Stack<'_, T>, output: Output<'_, T>) -> PyResult<()> {
    let (order, len) = (stack.order(), stack.len());
    if options.engine != EngineChoice::Gpu && multiply_adds(order).saturating_mul(len) <= SMALL {
        let inverter = Inverter::cpu().precision(options.precision).threads(1).map_err(raised)?;
        return inverter.invert_into(stack, output.into_inverses()).map(drop).map_err(raised);
    }
    in_pieces(py, options, stack, output)
}

fn in_pieces<T: Scalar>(
    py: Python<'_>,
    options: &Options,
    stack: Stack<'_, T>,
    mut output: Output<'_, T>,
) -> PyResult<()> {
    let (order, len) = (stack.order(), stack.len());
    let work = Work::inverse(T::KIND, order, len).with_precision(options.precision);
    let (workers, inverter) = py.detach(|| {
        let workers = Workers::new(options.threads)?;
        // Outside of a pool, the engine would start one that children cannot use.
        let inverter = workers.run(|| gpu::inverter(options, work))?;
        let inverter = if let Workers::Caller = workers { inverter.threads(1).map_err(raised)? } else { inverter };
        PyResult::Ok((workers, inverter))
    })?;

    let (mut done, mut piece) = (0, FIRST / multiply_adds(order).max(1));
    loop {
        let count = piece.clamp(1, len.max(1)).min(len - done);
        let (now, rest) = output.split_at(count, order);
        let started = Instant::now();
        let part = stack.slice(done..done + count);
        let report = py.detach(|| workers.run(|| inverter.invert_into(part, now.into_inverses())));
        let report = report.map_err(|error| raised(error.of_piece(done, len)))?;
        done += count;
        if done == len {
            return Ok(());
        }
        py.check_signals()?;
        output = rest;
        // The first piece on a GPU also builds pipelines, so the next may be much longer.
        let growth = (PIECE.as_secs_f64() / started.elapsed().as_secs_f64().max(1e-9)).min(4.0);
        let least = if report.engine == Engine::Gpu { HOST_GPU_PIECE / (order * order).max(1) } else { 1 };
        piece = ((count as f64 * growth) as usize).max(least);
    }
}

/// Multiply-adds per matrix.
fn multiply_adds(order: usize) -> usize {
    order.saturating_mul(order).saturating_mul(order)
}

impl<'a, T: Scalar> Output<'a, T> {
    fn into_inverses(self) -> InversesMut<'a, T> {
        let inverses = InversesMut::new(self.elements, self.statuses);
        match self.rconds {
            None => inverses,
            Some(rconds) => inverses.with_rconds(rconds),
        }
    }

    /// The outputs of the first `count` matrices, and of the rest.
    fn split_at(self, count: usize, order: usize) -> (Self, Self) {
        let (elements, other_elements) = self.elements.split_at_mut(count * order * order);
        let (statuses, other_statuses) = self.statuses.split_at_mut(count);
        let (rconds, other_rconds) = self.rconds.map(|rconds| rconds.split_at_mut(count)).unzip();
        let rest = Self { elements: other_elements, statuses: other_statuses, rconds: other_rconds };
        (Self { elements, statuses, rconds }, rest)
    }
}
