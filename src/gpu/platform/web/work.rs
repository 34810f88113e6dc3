//! Waiting and submitting, which take no threads here.

use std::future::Future;

use crate::gpu::error::DeviceError;
use crate::gpu::wait::Mapping;

/// The browser runs callbacks by itself.
#[derive(Debug)]
pub struct Waiter;

impl Waiter {
    /// Nothing to start.
    pub fn new(_: &wgpu::Device) -> Self {
        Self
    }

    /// Nothing to do.
    pub fn watch(&self, _: wgpu::SubmissionIndex, _: &Mapping) {}

    /// There is no other thread.
    pub fn is_current(&self) -> bool {
        false
    }
}

/// Submits work to one device at once: the browser's own process does it.
#[derive(Debug)]
pub struct Submitter;

impl Submitter {
    /// Nothing to start.
    pub fn new(_software: bool) -> Self {
        Self
    }

    /// Submits work, and waits until the device has it. `work` returns its result and what the error scopes will say.
    pub async fn run<T, C>(&self, work: impl FnOnce() -> (T, C)) -> Result<T, DeviceError>
    where
        C: Future<Output = Result<(), DeviceError>>,
    {
        let (result, checked) = work();
        checked.await?;
        Ok(result)
    }

    /// Nothing is under way between two callbacks.
    pub fn is_busy(&self) -> bool {
        false
    }

    /// There is no other thread.
    pub fn is_current(&self) -> bool {
        false
    }
}

/// No call blocks in a browser.
pub fn is_blocking() -> bool {
    false
}
