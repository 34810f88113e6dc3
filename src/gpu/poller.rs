//! Waiting for the device on a thread of its own, so that `invert_async` never blocks its executor and
//! nothing spins.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// Waits for submissions, one after another; their callbacks run on its thread.
///
/// Dropping it ends the thread and waits for that: a thread that still held the device when the process ends would
/// destroy it while the driver's own exit hooks run, which crashed Mesa.
#[derive(Debug)]
pub struct Poller {
    submissions: Option<mpsc::Sender<wgpu::SubmissionIndex>>,
    thread: Option<JoinHandle<()>>,
}

impl Poller {
    pub fn new(device: &wgpu::Device) -> Self {
        let (submissions, received) = mpsc::channel();
        let device = device.clone();
        let wait = move || {
            for submission_index in received {
                // A failure reaches the waiting call through its mapping, which then fails too.
                let _ = device.poll(wgpu::PollType::Wait { submission_index: Some(submission_index), timeout: None });
            }
        };
        // Where no thread can be started, the channel is closed and every wait fails as a lost device.
        let thread = thread::Builder::new().name("batchinv poll".to_owned()).spawn(wait).ok();
        Self { submissions: Some(submissions), thread }
    }

    /// Sees to it that the callbacks of a submission run. False where nobody is there to wait.
    #[must_use]
    pub fn watch(&self, submission: wgpu::SubmissionIndex) -> bool {
        self.submissions.as_ref().is_some_and(|submissions| submissions.send(submission).is_ok())
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.submissions = None;
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // It cannot have panicked: it calls nothing that does.
            let _ = thread.join();
        }
    }
}
