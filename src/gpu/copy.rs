//! A plain copy on the device: the limit that an inversion, which reads and writes every element once, could reach.

use super::GpuInverter;
use crate::Error;

impl GpuInverter {
    /// Seconds that the device takes to copy `bytes` bytes from one of its buffers into another, by its own
    /// clock: the best of `repeats`. `None` where it has no clock.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where the device has no room for both buffers, [`Error::DeviceLost`] from the device.
    pub fn copy_seconds(&self, bytes: u64, repeats: usize) -> Result<Option<f64>, Error> {
        use wgpu::BufferUsages as Usage;
        let shared = &self.0;
        if !shared.facts.timestamps || repeats == 0 {
            return Ok(None);
        }
        let lost = |detail: String| Error::DeviceLost { done: 0, len: 0, detail };
        let bytes = bytes.next_multiple_of(4);
        let scope = shared.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = shared.device.push_error_scope(wgpu::ErrorFilter::Validation);
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
        let errors = [pollster::block_on(validation.pop()), pollster::block_on(scope.pop())];
        if let Some(error) = errors.into_iter().flatten().next() {
            return Err(Error::OutOfMemory { detail: error.to_string() });
        }

        let mut best = f64::INFINITY;
        for repeat in 0..=repeats {
            let mut encoder = shared.device.create_command_encoder(&Default::default());
            // The end of an empty pass before the copy, and the beginning of one behind it.
            stamp(&mut encoder, &queries, None, Some(0));
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
            stamp(&mut encoder, &queries, Some(1), None);
            encoder.resolve_query_set(&queries, 0..2, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, 16);
            let submission = shared.queue.submit([encoder.finish()]);
            let mapped = super::transfer::map_buffer(&staging, 0..16);
            if !shared.poller.watch(submission) {
                return Err(lost("no thread could be started to wait for the device".to_owned()));
            }
            pollster::block_on(mapped.wait()).map_err(lost)?;
            let view = staging.get_mapped_range(0..16).map_err(|error| lost(error.to_string()))?;
            let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(&view[..]);
            drop(view);
            staging.unmap();
            // The first one pays for the first touch of the memory.
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
