//! Submitting work: on the calling thread, or, if the driver computes meanwhile, on a thread of the engine.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_intrusive::channel::shared::oneshot_channel;

use super::ready::at_once;
use super::worker::Worker;
use crate::gpu::error::DeviceError;
#[cfg(feature = "testing")]
use crate::gpu::faults;

/// Submits work to one device, in the order in which it is handed over.
///
/// A software driver may compute inside the submission, while wgpu holds locks that other submissions, uploads and
/// mappings want. There, all of these belong on the thread, so that a future neither blocks its executor nor misses
/// its deadline. On hardware a thread would only cost time.
#[derive(Debug)]
pub struct Submitter {
    thread: Option<Worker<Box<dyn FnOnce() + Send>>>,
    /// Shared by all work that the thread has not finished.
    busy: Arc<()>,
}

impl Submitter {
    /// With a thread for a software adapter.
    pub fn new(software: bool) -> Self {
        let run = |received: std::sync::mpsc::Receiver<Box<dyn FnOnce() + Send>>| {
            received.into_iter().for_each(|work| work())
        };
        Self { thread: software.then(|| Worker::new("batchinv submit", run)), busy: Arc::default() }
    }

    /// Submits work, and waits until the device has it. `work` returns its result and what the error scopes, which
    /// belong to their thread, will say. If the future is dropped, work that has not begun is dropped, too.
    pub async fn run<T, C>(&self, work: impl FnOnce() -> (T, C) + Send + 'static) -> Result<T, DeviceError>
    where
        T: Send + 'static,
        C: Future<Output = Result<(), DeviceError>>,
    {
        let Some(thread) = &self.thread else {
            let (result, checked) = work();
            checked.await?;
            return Ok(result);
        };
        #[cfg(feature = "testing")]
        let carried = faults::carry();
        let (answer, receiver) = oneshot_channel();
        let (busy, wanted) = (Arc::clone(&self.busy), Arc::new(()));
        let still_wanted = Arc::downgrade(&wanted);
        let submit = move || {
            let (result, checked) = work();
            at_once(checked).map(|()| result)
        };
        #[cfg(feature = "testing")]
        let submit = || carried.run(submit);
        let message = Box::new(move || {
            if still_wanted.strong_count() > 0 {
                // wgpu panics if the device is lost at the wrong moment. Then the answer is dropped, which is one.
                let result = catch_unwind(AssertUnwindSafe(submit));
                drop(busy);
                let _ = result.map(|result| answer.send(result));
            }
        });
        // Without a thread the message is dropped, and the answer with it.
        let _ = thread.send(message);
        let result = receiver.receive().await;
        drop(wanted);
        result.unwrap_or_else(|| Err(DeviceError::Lost("the work could not be submitted".to_owned())))
    }

    /// Returns whether work is under way on the thread.
    pub fn is_busy(&self) -> bool {
        Arc::strong_count(&self.busy) > 1
    }

    /// Returns whether the caller runs on the thread.
    pub fn is_current(&self) -> bool {
        self.thread.as_ref().is_some_and(Worker::is_current)
    }
}
