//! A check that the buffers of a job belong to its device.
//!
//! Each instance of wgpu numbers its buffers by itself, and a device finds a buffer by its number alone. wgpu refuses
//! a buffer of another device of its instance. The number of a buffer of another instance may be nobody's, and then
//! wgpu panics; or it may be that of a buffer of this device, which the job would then overwrite. wgpu's own way to
//! compare buffers knows no more than the numbers. But every buffer reports its errors to the device that made it, and
//! to unmap a buffer that is not mapped is an error without any other effect.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::descriptor::JobDescriptor;
use crate::data::error::JobError;

/// Checks that the caller's buffers belong to the device, which has made `own`, a buffer that is not mapped. A buffer
/// of another instance is not found out while it is mapped or if it can be mapped, since unmapping would then have an
/// effect.
pub async fn check_origin(
    descriptor: &JobDescriptor<'_>,
    device: &wgpu::Device,
    own: &wgpu::Buffer,
) -> Result<(), JobError> {
    // Not so in browsers, which check the origin of buffers themselves.
    let telling = reports_to(device, own).await;
    for (what, buffer) in descriptor.buffers() {
        let foreign = || JobError::Refused {
            detail: format!("the buffer for {what} belongs to another device, of another instance of wgpu"),
        };
        bind(device, buffer).await.ok_or_else(foreign)?.map_err(|detail| JobError::Refused { detail })?;
        if telling && !may_be_mapped(buffer, own) && !reports_to(device, buffer).await {
            return Err(foreign());
        }
    }
    Ok(())
}

/// Binds a buffer: `None` if wgpu panics, since the instance has no buffer with this number, or else what wgpu says.
async fn bind(device: &wgpu::Device, buffer: &wgpu::Buffer) -> Option<Result<(), String>> {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let ty = wgpu::BufferBindingType::Storage { read_only: true };
    let entry = wgpu::BindGroupLayoutEntry {
        binding: 0,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let label = Some("batchinv probe");
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &[entry] });
    let word = wgpu::BufferBinding { buffer, offset: 0, size: wgpu::BufferSize::new(4) };
    let entry = wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(word) };
    let descriptor = wgpu::BindGroupDescriptor { label, layout: &layout, entries: &[entry] };
    let known = catch_unwind(AssertUnwindSafe(|| drop(device.create_bind_group(&descriptor)))).is_ok();
    let said = scope.pop();
    let said = said.await;
    known.then(|| said.map_or(Ok(()), |error| Err(error.to_string())))
}

/// Returns whether unmapping this buffer, which is not mapped, is an error of this device. On an uncaptured error, the
/// other device's handler may panic, as wgpu's own does.
async fn reports_to(device: &wgpu::Device, buffer: &wgpu::Buffer) -> bool {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let _ = catch_unwind(AssertUnwindSafe(|| buffer.unmap()));
    let said = scope.pop();
    said.await.is_some()
}

/// Returns whether a buffer can be mapped, or does not say in the words of `unmapped` that it is not mapped.
fn may_be_mapped(buffer: &wgpu::Buffer, unmapped: &wgpu::Buffer) -> bool {
    let said = |buffer: &wgpu::Buffer| buffer.get_mapped_range(..).err().map(|error| error.to_string());
    let mappable = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::MAP_WRITE;
    buffer.usage().intersects(mappable) || said(buffer) != said(unmapped)
}
