//! Starts rayon's threads, if there is memory for them.
//!
//! To start a thread without enough memory is an error only as long as its stack is missing. Then it needs a stack for
//! signal handlers and its first allocations, and where those fail, the standard library aborts the whole process.

use std::thread::available_parallelism;

use crate::exit::Failure;
use crate::npy::elements::memory_for;

/// The standard library's default.
const STACK_BYTES: usize = 2 << 20;

/// What a thread needs besides its stack, and more than that.
const SPARE_BYTES: usize = 1 << 20;

/// Starts the pool. Left to itself, rayon would start it at its first use, and panic if it cannot.
pub fn start() -> Result<(), Failure> {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|count| count.parse().ok());
    let threads = threads.filter(|&count| count > 0).unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    // One more starts after them, which waits for signals.
    memory_for(threads.saturating_add(1).saturating_mul(STACK_BYTES + SPARE_BYTES))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES);
    pool.build_global().map_err(|error| Failure::io(format!("cannot start a thread: {error}")))
}
