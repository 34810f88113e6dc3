//! Buffers that hold something from the start.

/// Makes a buffer and lets `fill` write to it. If it cannot be mapped, as on a lost device, it is destroyed, so that
/// every submission that uses it fails: its zeros would be read as counts or verdicts.
pub fn filled(
    device: &wgpu::Device,
    label: &str,
    size: u64,
    usage: wgpu::BufferUsages,
    fill: impl FnOnce(&mut wgpu::BufferViewMut),
) -> wgpu::Buffer {
    let buffer =
        device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: true });
    if let Ok(mut view) = buffer.get_mapped_range_mut(..) {
        fill(&mut view);
        drop(view);
        buffer.unmap();
    } else {
        buffer.destroy();
    }
    buffer
}
