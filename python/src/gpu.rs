//! The engine of a call, and the process that may use the GPU.
//!
//! A driver's threads and connections do not come along into a forked child: there, a call on a device that the parent
//! opened waits forever. So the first process that reaches for the GPU keeps it from its children.

use std::sync::atomic::{AtomicU32, Ordering};

use batchinv::plan::{Work, worth_the_trip};
use batchinv::{EngineChoice, Inverter};
use pyo3::prelude::*;

use crate::errors::{EngineError, raised};
use crate::options::Options;

/// The process that reached for the GPU first; 0 if none has.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Returns whether this process may use the GPU, and notes that it does.
pub fn claim() -> bool {
    let process = std::process::id();
    match OWNER.compare_exchange(0, process, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => true,
        Err(owner) => owner == process,
    }
}

/// The inverter for some work, with its engine chosen for all of it. May open a device, which takes a while.
pub fn inverter(options: &Options, work: Work) -> PyResult<Inverter> {
    let on_gpu = match options.engine {
        EngineChoice::Cpu => false,
        EngineChoice::Auto => cfg!(feature = "gpu") && worth_the_trip(work).is_ok() && claim(),
        EngineChoice::Gpu if claim() => true,
        EngineChoice::Gpu => {
            return Err(EngineError::new_err(
                "the gpu engine cannot run in this process: it was forked from one that uses the GPU. Start it by \
                 \"spawn\" or \"forkserver\", or take engine=\"cpu\"",
            ));
        }
    };
    let inverter = if on_gpu { opened(options)? } else { Inverter::cpu() };
    options.apply(inverter).decided(work).map_err(raised)
}

/// The GPU engine, or the automatic choice, with the adapter that the options name.
fn opened(options: &Options) -> PyResult<Inverter> {
    let inverter = Inverter::new(options.engine).map_err(raised)?;
    #[cfg(feature = "gpu")]
    if let Some(name) = &options.adapter {
        return Ok(inverter.adapter(name));
    }
    Ok(inverter)
}
