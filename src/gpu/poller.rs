//! Waiting for the device on a thread of its own, so that `invert_async` never blocks its executor and
//! nothing spins.

use std::sync::mpsc;

/// Waits for submissions, one after another; their callbacks run on its thread. It ends when dropped.
#[derive(Debug)]
pub struct Poller {
    submissions: mpsc::Sender<wgpu::SubmissionIndex>,
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
        let _ = std::thread::Builder::new().name("batchinv poll".to_owned()).spawn(wait);
        Self { submissions }
    }

    /// Sees to it that the callbacks of a submission run. False where nobody is there to wait.
    #[must_use]
    pub fn watch(&self, submission: wgpu::SubmissionIndex) -> bool {
        self.submissions.send(submission).is_ok()
    }
}
