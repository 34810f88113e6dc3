//! Reading buffers back, after everything submitted so far.

use super::deadline::Deadline;
use super::device::Shared;
use super::error::DeviceError;
use super::error_scopes::Errors;
use super::wait::Mapping;
use crate::data::clock::Instant;

impl Shared {
    /// Copies the beginnings of buffers into the caller's memory.
    pub async fn read_back<const N: usize>(&self, parts: [(&wgpu::Buffer, &mut [u8]); N]) -> Result<(), DeviceError> {
        self.read_after(self.encoder(), parts).await
    }

    /// The same after some commands, which are submitted.
    pub async fn read_after<const N: usize>(
        &self,
        mut encoder: wgpu::CommandEncoder,
        parts: [(&wgpu::Buffer, &mut [u8]); N],
    ) -> Result<(), DeviceError> {
        let size = parts.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let errors = Errors::watch(&self.device);
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv readback"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut end = 0;
        for (buffer, bytes) in &parts {
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, end, bytes.len() as u64);
            end += bytes.len() as u64;
        }
        errors.check().await?;
        self.read(encoder, &staging).await?;
        let view = staging.get_mapped_range(0..size).map_err(|error| DeviceError::Lost(error.to_string()))?;
        let mut rest = &view[..];
        for (_, bytes) in parts {
            let (part, behind) = rest.split_at(bytes.len());
            bytes.copy_from_slice(part);
            rest = behind;
        }
        Ok(())
    }

    /// Begins commands.
    pub fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("batchinv") })
    }

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
