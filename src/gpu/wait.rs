//! Waiting until the host may read or write buffers. `platform` sees to it that the callbacks of the device run.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_intrusive::channel::shared::{OneshotReceiver, OneshotSender, oneshot_channel};

use super::error::DeviceError;

/// Reports that the buffers are mapped, or why they never will be. Only the first answer counts.
pub type Answer = Arc<OneshotSender<Result<(), String>>>;

/// Buffers on their way to the host.
#[derive(Debug)]
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "no thread answers, or asks who waits"))]
pub struct Mapping {
    pub answer: Answer,
    receiver: OneshotReceiver<Result<(), String>>,
    /// Tells a thread that waits for the device, by its end, that nobody waits any more.
    pub wanted: Arc<()>,
}

impl Mapping {
    /// Requests parts of buffers for the host, once all submitted work is done.
    pub fn new<'a>(buffers: impl IntoIterator<Item = (&'a wgpu::Buffer, wgpu::MapMode, Range<u64>)>) -> Self {
        let buffers: Vec<_> = buffers.into_iter().collect();
        let (answer, receiver) = oneshot_channel();
        let answer = Arc::new(answer);
        let missing = Arc::new(AtomicUsize::new(buffers.len()));
        for (buffer, mode, range) in buffers {
            let (answer, missing) = (Arc::clone(&answer), Arc::clone(&missing));
            buffer.map_async(mode, range, move |result| {
                // The last buffer to be mapped answers, or the first that fails.
                let last = missing.fetch_sub(1, Ordering::AcqRel) == 1;
                if last || result.is_err() {
                    let _ = answer.send(result.map_err(|error| error.to_string()));
                }
            });
        }
        Self { answer, receiver, wanted: Arc::default() }
    }

    /// Waits until the buffers are mapped.
    pub async fn wait(&self) -> Result<(), DeviceError> {
        #[cfg(feature = "testing")]
        super::faults::mapping()?;
        let answer = self.receiver.receive().await;
        answer.unwrap_or_else(|| Err("the device dropped the request".to_owned())).map_err(DeviceError::Lost)
    }
}
