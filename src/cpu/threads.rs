//! The threads of the CPU engine.

use std::sync::Arc;

use crate::data::engine::Engine;
use crate::data::error::Error;
use crate::data::refusal::Refusal;
use crate::plan::cpu::Sharing;

/// The threads that a stack may be shared among.
#[derive(Clone, Debug, Default)]
pub enum Threads {
    /// The threads of the rayon pool that the call is made in, or of rayon's global pool outside any.
    #[default]
    Calling,
    /// The calling thread alone.
    One,
    /// A pool of the inverter's own.
    Own(Arc<rayon::ThreadPool>),
}

impl Threads {
    /// This many threads: 0 for the calling pool, 1 for the calling thread.
    pub fn new(count: usize) -> Result<Self, Error> {
        let refused = |refused: rayon::ThreadPoolBuildError| Error::Unsupported {
            engine: Engine::Cpu,
            reason: Refusal::Threads { count, detail: refused.to_string() },
        };
        Ok(match count {
            0 => Self::Calling,
            1 => Self::One,
            _ => Self::Own(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(count).build().map_err(refused)?)),
        })
    }

    /// The number of threads. It starts rayon's global pool if that is asked for and not running.
    pub fn count(&self) -> usize {
        match self {
            Self::Calling => rayon::current_num_threads(),
            Self::One => 1,
            Self::Own(pool) => pool.current_num_threads(),
        }
    }

    /// Runs work that is shared in this way.
    #[inline(always)]
    pub fn run<R: Send>(&self, sharing: Sharing, work: impl FnOnce() -> R + Send) -> R {
        match self {
            Self::Own(pool) if sharing != Sharing::None => pool.install(work),
            _ => work(),
        }
    }
}
