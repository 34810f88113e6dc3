//! Reading a buffer back, after everything submitted so far.

use std::time::Instant;

use super::deadline::Deadline;
use super::device::Shared;
use super::error::DeviceError;
use super::error_scopes::Errors;
use super::wait::Mapping;

impl Shared {
    /// Submits commands, and maps a staging buffer once they have run.
    pub async fn read(&self, encoder: wgpu::CommandEncoder, staging: &wgpu::Buffer) -> Result<(), DeviceError> {
        self.check_thread()?;
        let (device, queue, staging) = (self.device.clone(), self.queue.clone(), staging.clone());
        let work = move || {
            let errors = Errors::watch(&device);
            let submission = queue.submit([encoder.finish()]);
            let mapping = Mapping::new([(&staging, wgpu::MapMode::Read, 0..staging.size())]);
            ((submission, mapping), errors.check())
        };
        let read = async {
            let (submission, mapping) = self.submitter.run(work).await?;
            self.waiter.watch(submission, &mapping);
            mapping.wait().await
        };
        Deadline::new(Instant::now(), self.time_limit.get()).keep(read).await
    }
}
