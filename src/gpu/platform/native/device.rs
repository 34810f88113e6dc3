//! The facts of adapters and devices, from wgpu alone.

use crate::gpu::candidate::Candidate;
use crate::gpu::drivers::Drivers;
#[cfg(feature = "testing")]
use crate::gpu::faults;

/// Why there is no adapter.
pub const NONE_FOUND: &str =
    "wgpu found none; a GPU driver with Vulkan, Metal or Direct3D 12 is needed (Mesa's lavapipe will do)";

/// The adapters that wgpu shows.
pub async fn candidates(drivers: Drivers) -> Vec<Candidate> {
    let shown = drivers.instance().enumerate_adapters(wgpu::Backends::PRIMARY).await;
    #[cfg(feature = "testing")]
    let shown = match drivers {
        Drivers::Conformant => faults::without_hidden(shown),
        Drivers::All => shown,
    };
    let candidate = |adapter: wgpu::Adapter| {
        let (info, features) = (adapter.get_info(), adapter.features());
        Candidate { adapter, info, features }
    };
    shown.into_iter().map(candidate).collect()
}

/// The adapter of a device, and the features that the device was granted.
pub fn facts_of(device: &wgpu::Device) -> (wgpu::AdapterInfo, wgpu::Features) {
    (device.adapter_info(), device.features())
}

/// The text of a shader as wgpu takes it.
pub fn in_dialect(text: String, _subgroups: bool) -> String {
    text
}

/// Returns whether a device still makes buffers. A lost device reports the loss only through its callback, not to
/// error scopes, and makes nothing that can be used.
pub async fn is_alive(device: &wgpu::Device) -> bool {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("batchinv probe"),
        size: 4,
        usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    });
    buffer.get_mapped_range(..).is_ok()
}
