//! Waiting for the device on a thread of its own, so that a future neither blocks its executor nor spins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use super::worker::Worker;
use crate::gpu::wait::{Answer, Mapping};

/// Waits for submissions, one after another; their callbacks run on its thread, and the caller's own, too.
#[derive(Debug)]
pub struct Waiter(Worker<Watched>);

/// A submission, and who waits for it.
#[derive(Debug)]
struct Watched {
    submission: wgpu::SubmissionIndex,
    answer: Answer,
    wanted: Weak<()>,
}

/// How long the thread waits before it looks whether anybody still waits. A device that hangs keeps neither the
/// thread nor those who wait for the thread's end.
const SLICE: Duration = Duration::from_millis(100);

impl Waiter {
    /// Starts the thread that waits for this device.
    pub fn new(device: &wgpu::Device) -> Self {
        let device = device.clone();
        Self(Worker::new("batchinv poll", move |received| wait_for_all(&device, &received)))
    }

    /// Makes sure that the callbacks of a submission run, or that the mapping gets the reason why they cannot.
    pub fn watch(&self, submission: wgpu::SubmissionIndex, mapping: &Mapping) {
        let (answer, wanted) = (Arc::clone(&mapping.answer), Arc::downgrade(&mapping.wanted));
        if let Err(Watched { answer, .. }) = self.0.send(Watched { submission, answer, wanted }) {
            let _ = answer.send(Err("there is no thread to wait for the device".to_owned()));
        }
    }

    /// Returns whether the caller runs on the thread.
    pub fn is_current(&self) -> bool {
        self.0.is_current()
    }
}

fn wait_for_all(device: &wgpu::Device, received: &mpsc::Receiver<Watched>) {
    let mut next = received.recv().ok();
    while let Some(watched) = next {
        let wait = wgpu::PollType::Wait { submission_index: Some(watched.submission.clone()), timeout: Some(SLICE) };
        // wgpu panics if the device is lost during the wait, and then runs no callback. The caller must get an answer
        // in any case; if the callback has answered already, this answer is dropped.
        let failure = match catch_unwind(AssertUnwindSafe(|| device.poll(wait))) {
            Ok(Ok(_)) => None,
            Ok(Err(wgpu::PollError::Timeout)) => {
                next = if watched.wanted.strong_count() > 0 {
                    Some(watched)
                } else {
                    match received.try_recv() {
                        Ok(later) => Some(later),
                        // Its memory becomes free in a poll, so the wait goes on while there is nothing else to do.
                        Err(mpsc::TryRecvError::Empty) => Some(watched),
                        Err(mpsc::TryRecvError::Disconnected) => None,
                    }
                };
                continue;
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the device was lost while it worked".to_owned()),
        };
        if let Some(failure) = failure {
            let _ = watched.answer.send(Err(failure));
        }
        next = received.recv().ok();
    }
}
