//! The threads of the CPU engine: for each process, one pool of each size that was asked for.
//!
//! A forked child has none of its parent's threads, and work that is handed to them would wait forever. So a child
//! starts pools of its own, and leaves those of its parent where they are: joining their threads would wait, too.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors::EngineError;
use crate::trusted::Leaked;

/// The pools of a process, by their number of threads.
struct Pools {
    process: u32,
    by_count: Mutex<HashMap<usize, Arc<ThreadPool>>>,
}

static POOLS: Leaked<Pools> = Leaked::new();

/// The number of threads that was set; 0 if none was.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The threads that a call may use.
pub enum Workers {
    /// The calling thread.
    Caller,
    Pool(Arc<ThreadPool>),
}

impl Workers {
    /// This many threads of this process, or as many as are set for it.
    pub fn new(count: Option<usize>) -> PyResult<Self> {
        let count = count.unwrap_or_else(default_count).min(most());
        if count == 1 {
            return Ok(Self::Caller);
        }
        let mut by_count = pools().by_count.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = by_count.get(&count) {
            return Ok(Self::Pool(Arc::clone(pool)));
        }
        let pool = ThreadPoolBuilder::new().num_threads(count).thread_name(|index| format!("batchinv-{index}")).build();
        let pool = Arc::new(pool.map_err(|error| EngineError::new_err(format!("starting {count} threads: {error}")))?);
        by_count.insert(count, Arc::clone(&pool));
        Ok(Self::Pool(pool))
    }

    /// Runs work on these threads.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Caller => work(),
            Self::Pool(pool) => pool.install(work),
        }
    }
}

/// The pools of this process. No lock is shared with the parent, which may have been holding it.
fn pools() -> &'static Pools {
    let process = std::process::id();
    let of_this_process = |pools: &&Pools| pools.process == process;
    POOLS.get().filter(of_this_process).unwrap_or_else(|| {
        let new = || Pools { process, by_count: Mutex::default() };
        POOLS.replace_unless(|known| known.process == process, new)
    })
}

/// The most threads of a pool. More would only wait for each other, and starting thousands takes minutes.
fn most() -> usize {
    available_parallelism().map_or(1, NonZero::get).saturating_mul(2).max(16)
}

fn default_count() -> usize {
    match COUNT.load(Ordering::Relaxed) {
        0 => available_parallelism().map_or(1, NonZero::get),
        count => count,
    }
}

/// Sets how many threads calls without ``threads=`` may use, in this process and in children that are forked later.
///
/// Parameters
/// ----------
/// count : int or None
///     At least 1; twice the processors or 16, whichever is more, are the most that are started. ``None`` means as many
///     as the process may run on, which is also what holds if nothing is set.
///
/// Raises
/// ------
/// ValueError
///     If `count` is 0.
///
/// Notes
/// -----
/// The results do not depend on the number of threads, not in a single bit. Small stacks stay on the calling thread
/// whatever the number.
///
/// Examples
/// --------
/// >>> import batchinv as bi
/// >>> bi.set_num_threads(1)
/// >>> bi.get_num_threads()
/// 1
/// >>> bi.set_num_threads(None)
#[pyfunction]
#[pyo3(signature = (count, /))]
pub fn set_num_threads(count: Option<usize>) -> PyResult<()> {
    if count == Some(0) {
        return Err(PyValueError::new_err("the number of threads must be at least 1, or None"));
    }
    COUNT.store(count.unwrap_or(0), Ordering::Relaxed);
    Ok(())
}

/// Returns how many threads calls without ``threads=`` may use.
///
/// Returns
/// -------
/// int
///     What `set_num_threads` set, or the number of processors that the process may run on.
#[pyfunction]
pub fn get_num_threads() -> usize {
    default_count()
}
