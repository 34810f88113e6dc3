//! Starts rayon's threads, if there is memory for them.
//!
//! Starting a thread is an ordinary error only if there is no memory for its stack. A thread that has started allocates
//! more, such as a stack for signal handlers, and where that fails, the standard library aborts the process.

use std::thread::available_parallelism;

use crate::exit::Failure;
use crate::memory;

/// The standard library's default, whatever RUST_MIN_STACK says, so that the sum below is right.
const STACK_BYTES: usize = 2 << 20;

/// More than a thread needs besides its stack.
const SPARE_BYTES: usize = 1 << 20;

/// Starts the pool. Left to itself, rayon would start it at its first use, and panic if it cannot.
pub fn start() -> Result<(), Failure> {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|count| count.parse().ok());
    let threads = threads.filter(|&count| count > 0).unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    let threads = threads.min(rayon::max_num_threads());
    // The thread that waits for signals starts after them.
    memory::check([threads.saturating_add(1).saturating_mul(STACK_BYTES + SPARE_BYTES)])?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES);
    pool.build_global().map_err(|error| Failure::io(format!("cannot start a thread: {error}")))
}
