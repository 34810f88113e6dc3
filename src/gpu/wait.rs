//! Waiting for the device on a thread of its own, so that a future neither blocks its executor nor spins.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_intrusive::channel::shared::{OneshotReceiver, OneshotSender, oneshot_channel};

use super::error::DeviceError;

/// Waits for submissions, one after another; their callbacks run on its thread.
///
/// Dropping it ends the thread and waits for its end. A thread that still held the device at the end of the
/// process would destroy it while the driver's own exit hooks run, which crashed Mesa.
#[derive(Debug)]
pub struct Waiter {
    submissions: Option<mpsc::Sender<(wgpu::SubmissionIndex, Answer)>>,
    thread: Option<JoinHandle<()>>,
    limit: Arc<Limit>,
}

/// The longest wait for one submission, in nanoseconds; `u64::MAX` means no limit.
#[derive(Debug)]
struct Limit(AtomicU64);

impl Limit {
    fn get(&self) -> Option<Duration> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&limit| limit < u64::MAX).map(Duration::from_nanos)
    }
}

/// Reports that the buffers are mapped, or why they never will be. Only the first answer counts.
type Answer = Arc<OneshotSender<Result<(), String>>>;

/// Buffers on their way to the host.
#[derive(Debug)]
pub struct Mapping {
    answer: Answer,
    receiver: OneshotReceiver<Result<(), String>>,
}

impl Waiter {
    /// Starts the thread that waits for this device.
    pub fn new(device: &wgpu::Device) -> Self {
        let (submissions, received) = mpsc::channel::<(wgpu::SubmissionIndex, Answer)>();
        let device = device.clone();
        let limit = Arc::new(Limit(AtomicU64::new(u64::MAX)));
        let longest = Arc::clone(&limit);
        let wait = move || {
            for (submission_index, answer) in received {
                let timeout = longest.get();
                let wait = wgpu::PollType::Wait { submission_index: Some(submission_index), timeout };
                // wgpu panics if the device is lost during the wait, and then runs no callback. The caller must
                // get an answer in any case; if the callback has answered already, this answer is dropped.
                let failure = match catch_unwind(AssertUnwindSafe(|| device.poll(wait))) {
                    Ok(Ok(_)) => continue,
                    Ok(Err(wgpu::PollError::Timeout)) => {
                        format!("no answer within {:?}", timeout.unwrap_or(Duration::MAX))
                    }
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "the device was lost while it worked".to_owned(),
                };
                let _ = answer.send(Err(failure));
            }
        };
        let thread = thread::Builder::new().name("batchinv poll".to_owned()).spawn(wait).ok();
        Self { submissions: Some(submissions), thread, limit }
    }

    /// The longest wait for a submission from now on; `None` for no limit.
    pub fn limit(&self, limit: Option<Duration>) {
        let nanos = limit.and_then(|limit| u64::try_from(limit.as_nanos()).ok()).unwrap_or(u64::MAX);
        self.limit.0.store(nanos, Ordering::Relaxed);
    }

    /// Makes sure that the callbacks of a submission run, or that the mapping gets the reason why they cannot.
    pub fn watch(&self, submission: wgpu::SubmissionIndex, mapping: &Mapping) {
        let answer = Arc::clone(&mapping.answer);
        if let Some(Err(mpsc::SendError((_, answer)))) =
            self.submissions.as_ref().map(|to| to.send((submission, answer)))
        {
            let _ = answer.send(Err("there is no thread to wait for the device".to_owned()));
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.submissions = None;
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // A panic on the thread is caught there.
            let _ = thread.join();
        }
    }
}

impl Mapping {
    /// Requests parts of buffers for the host, once all submitted work is done.
    pub fn new<const COUNT: usize>(buffers: [(&wgpu::Buffer, wgpu::MapMode, Range<u64>); COUNT]) -> Self {
        let (answer, receiver) = oneshot_channel();
        let answer = Arc::new(answer);
        let missing = Arc::new(AtomicUsize::new(COUNT));
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
        Self { answer, receiver }
    }

    /// Waits until the buffers are mapped.
    pub async fn wait(&self) -> Result<(), DeviceError> {
        #[cfg(feature = "testing")]
        super::faults::mapping()?;
        let answer = self.receiver.receive().await;
        answer.unwrap_or_else(|| Err("the device dropped the request".to_owned())).map_err(DeviceError::Lost)
    }
}
