//! The speed of a plain copy on the device, the yardstick of the benchmarks: an inversion reads and writes every
//! element once, so it cannot be faster.

use super::device::GpuInverter;
use super::error::DeviceError;
use super::error_scopes::Errors;
use crate::data::error::Error;

/// Words per piece when a buffer is filled.
const FILL_WORDS: usize = 1 << 20;

impl GpuInverter {
    /// Seconds that the device takes to copy `bytes` bytes from one of its buffers to another: the best of
    /// `repeats`, by its own clock. `None` if it has no clock.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the device has no memory for both buffers, [`Error::DeviceLost`] from the device.
    pub async fn copy_seconds_async(&self, bytes: u64, repeats: usize) -> Result<Option<f64>, Error> {
        self.copy_seconds_of(bytes, repeats).await.map_err(|error| error.at(0, 0))
    }

    async fn copy_seconds_of(&self, bytes: u64, repeats: usize) -> Result<Option<f64>, DeviceError> {
        use wgpu::BufferUsages as Usage;
        let shared = &self.0;
        if !shared.facts.timestamps || repeats == 0 {
            return Ok(None);
        }
        let limit = shared.device.limits().max_buffer_size;
        if bytes > limit {
            return Err(DeviceError::OutOfMemory(format!("a buffer may have {limit} bytes, not {bytes}")));
        }
        let bytes = bytes.next_multiple_of(4);
        let errors = Errors::watch(&shared.device);
        let buffer = |size, usage| {
            shared.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("batchinv copy"),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let from = buffer(bytes, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
        let to = buffer(bytes, Usage::STORAGE | Usage::COPY_DST);
        let resolved = buffer(16, Usage::QUERY_RESOLVE | Usage::COPY_SRC);
        let staging = buffer(16, Usage::MAP_READ | Usage::COPY_DST);
        let queries = shared.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("batchinv copy"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        errors.check().await?;
        let errors = Errors::watch(&shared.device);
        // Hardware may copy zeros faster than anything else.
        let words: Vec<u32> = (0..FILL_WORDS as u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
        for offset in (0..bytes).step_by(4 * FILL_WORDS) {
            let words = &words[..FILL_WORDS.min(((bytes - offset) / 4) as usize)];
            shared.queue.write_buffer(&from, offset, bytemuck::cast_slice(words));
        }
        errors.check().await?;

        let mut best = f64::INFINITY;
        for repeat in 0..=repeats {
            let errors = Errors::watch(&shared.device);
            let mut encoder = shared.device.create_command_encoder(&Default::default());
            // The copy lies between two empty passes: the first is timed at its end, the second at its beginning.
            stamp(&mut encoder, &queries, None, Some(0));
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
            stamp(&mut encoder, &queries, Some(1), None);
            encoder.resolve_query_set(&queries, 0..2, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, 16);
            errors.check().await?;
            shared.read(encoder, &staging).await?;
            let view = staging.get_mapped_range(0..16).map_err(|error| DeviceError::Lost(error.to_string()))?;
            let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(&view[..]);
            drop(view);
            let errors = Errors::watch(&shared.device);
            staging.unmap();
            errors.check().await?;
            // The first copy also pays for the first access to the memory.
            if repeat > 0 {
                best = best.min(shared.seconds(stamps[1].saturating_sub(stamps[0])));
            }
        }
        Ok(Some(best))
    }
}

/// An empty compute pass that writes the time of its beginning or end.
fn stamp(encoder: &mut wgpu::CommandEncoder, queries: &wgpu::QuerySet, beginning: Option<u32>, end: Option<u32>) {
    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
        label: Some("batchinv stamp"),
        timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
            query_set: queries,
            beginning_of_pass_write_index: beginning,
            end_of_pass_write_index: end,
        }),
    });
}
