//! Which threads the CPU engine may use.

use std::sync::Arc;

use crate::plan::Engine;
use crate::{Error, Inverter};

/// The threads of an inverter's CPU engine.
#[derive(Clone, Debug, Default)]
pub(crate) enum Threads {
    /// Those of the rayon pool that the call is made in; rayon's global pool elsewhere.
    #[default]
    Calling,
    /// The calling thread alone.
    One,
    /// A pool of the inverter's own.
    Own(Arc<rayon::ThreadPool>),
}

impl Threads {
    /// Runs `work` where it may be shared out, if it may: that is its argument. What is not `worth` it stays on the calling
    /// thread, and no pool is asked or started for it.
    pub(crate) fn run<R: Send>(&self, worth: bool, work: impl FnOnce(bool) -> R + Send) -> R {
        match self {
            _ if !worth => work(false),
            Self::Calling => work(rayon::current_num_threads() > 1),
            Self::One => work(false),
            Self::Own(pool) => pool.install(|| work(true)),
        }
    }
}

impl Inverter {
    /// How many threads the CPU engine uses, at the most: 1 is the calling thread alone, more are threads of the
    /// inverter's own, shared by its clones. 0, and so it is unless set, means the rayon pool that a call is made in:
    /// the global one, or, for a pool of yours, `pool.install(|| inverter.invert(stack))`. A stack that is quickly inverted
    /// stays on one thread whatever the count; fewer matrices than threads are shared each, from order 320 on. The bits of a
    /// result do not depend on the count.
    ///
    /// ```
    /// use batchinv::{Inverter, Stack};
    /// let elements = vec![2.0_f32; 10_000];
    /// let stack = Stack::new(&elements, 1)?;
    /// let one = Inverter::cpu().threads(1)?.invert(stack)?;
    /// let three = Inverter::cpu().threads(3)?.invert(stack)?;
    /// assert_eq!(one.stack(), three.stack());
    /// # Ok::<(), batchinv::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the system refuses so many threads.
    pub fn threads(self, count: usize) -> Result<Self, Error> {
        let threads = match count {
            0 => Threads::Calling,
            1 => Threads::One,
            _ => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().map_err(|refused| {
                    Error::Unsupported { engine: Engine::Cpu, reason: format!("starting {count} threads: {refused}") }
                })?;
                Threads::Own(Arc::new(pool))
            }
        };
        Ok(self.with_threads(threads))
    }
}
