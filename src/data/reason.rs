//! Why the automatic choice fell on an engine, as a value whose words are made only when somebody reads them.

use std::sync::Arc;

use super::error::Error;
use super::refusal::Refusal;

/// Why the automatic choice fell on an engine.
///
/// ```
/// use batchinv::{Reason, Stack};
/// let inverses = batchinv::invert(Stack::new(&[2.0_f32], 1)?)?;
/// # #[cfg(feature = "gpu")]
/// assert_eq!(inverses.report().reason, Some(Reason::SmallWork { len: 1, order: 1 }));
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The CPU engine is done before the matrices would have reached a GPU.
    #[error("{len} matrices of order {order} are not worth the trip to a GPU")]
    SmallWork {
        /// The number of matrices.
        len: usize,
        /// Their order.
        order: usize,
    },

    /// The CPU engine factors a matrix that goes with all right-hand sides once, the GPU engine for each of them.
    #[error("one matrix goes with all {len} right-hand sides, and the CPU factors it once")]
    OneMatrix {
        /// The number of right-hand sides.
        len: usize,
    },

    /// This crate was built without the feature `gpu`.
    #[error("built without the feature \"gpu\"")]
    BuiltWithoutGpu,

    /// No adapter was found.
    #[error("no GPU adapter was found")]
    NoAdapter,

    /// No device could be opened.
    #[error(transparent)]
    NotOpened(Arc<Error>),

    /// The adapter runs on the host's own cores.
    #[error("{adapter} is a software adapter, the host's own cores are faster")]
    SoftwareAdapter {
        /// The adapter's name.
        adapter: Arc<str>,
    },

    /// The GPU engine cannot do this work.
    #[error("the gpu engine cannot do this: {0}")]
    Refused(Refusal),

    /// A hardware adapter takes the work.
    #[error("{adapter} takes it")]
    Adapter {
        /// The adapter's name.
        adapter: Arc<str>,
    },

    /// The GPU engine failed in the middle of the call, and the CPU engine did the rest.
    #[error("the GPU failed: {0}")]
    Failed(Arc<Error>),
}
