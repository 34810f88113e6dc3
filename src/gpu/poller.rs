//! Waiting for the device on a thread of its own, so that `invert_async` does not block its executor meanwhile, and
//! nothing spins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::transfer::Answer;

/// Waits for submissions, one after another; their callbacks run on its thread.
///
/// Dropping it ends the thread and waits for that: a thread that still held the device when the process ends would
/// destroy it while the driver's own exit hooks run, which crashed Mesa.
#[derive(Debug)]
pub struct Poller {
    submissions: Option<mpsc::Sender<(wgpu::SubmissionIndex, Answer)>>,
    thread: Option<JoinHandle<()>>,
    limit: Arc<Limit>,
}

/// The longest wait for one submission, in nanoseconds; the largest number stands for none.
#[derive(Debug)]
struct Limit(AtomicU64);

impl Limit {
    fn get(&self) -> Option<Duration> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&limit| limit < u64::MAX).map(Duration::from_nanos)
    }
}

impl Poller {
    pub fn new(device: &wgpu::Device) -> Self {
        let (submissions, received) = mpsc::channel::<(wgpu::SubmissionIndex, Answer)>();
        let device = device.clone();
        let limit = Arc::new(Limit(AtomicU64::new(u64::MAX)));
        let longest = Arc::clone(&limit);
        let wait = move || {
            for (submission_index, answer) in received {
                let timeout = longest.get();
                let wait = wgpu::PollType::Wait { submission_index: Some(submission_index), timeout };
                // wgpu panics where the device is lost while it waits, and runs no callback then. The caller must
                // hear of it either way; where the callback has answered already, this answer is dropped.
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

    /// How long to wait for a submission from now on; without end for `None`.
    pub fn limit(&self, limit: Option<Duration>) {
        let nanos = limit.and_then(|limit| u64::try_from(limit.as_nanos()).ok()).unwrap_or(u64::MAX);
        self.limit.0.store(nanos, Ordering::Relaxed);
    }

    /// Sees to it that the callbacks of a submission run, or else that `answer` is given.
    pub fn watch(&self, submission: wgpu::SubmissionIndex, answer: Answer) {
        if let Some(Err(mpsc::SendError((_, answer)))) =
            self.submissions.as_ref().map(|to| to.send((submission, answer)))
        {
            let _ = answer.send(Err("there is no thread to wait for the device".to_owned()));
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.submissions = None;
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // What panics on it is caught there.
            let _ = thread.join();
        }
    }
}
