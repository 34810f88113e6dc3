//! Adapters: finding them, their facts, and opening a device on one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;
use crate::plan::{AdapterFacts, AdapterKind, GpuLimits};

fn instance() -> wgpu::Instance {
    // No validation layers and nothing from the environment.
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// Every adapter that can run compute shaders, the best first.
async fn enumerate() -> Vec<(wgpu::Adapter, AdapterFacts)> {
    // wgpu panics where it was built without one.
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return Vec::new();
    }
    let mut found: Vec<_> = instance()
        .enumerate_adapters(wgpu::Backends::PRIMARY)
        .await
        .into_iter()
        .filter(|adapter| adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS))
        .map(|adapter| {
            let facts = facts(&adapter.get_info(), wanted_features(&adapter), &wanted_limits(&adapter));
            (adapter, facts)
        })
        .collect();
    found.sort_by_key(|(_, facts)| match facts.kind {
        AdapterKind::Discrete => 0,
        AdapterKind::Integrated => 1,
        AdapterKind::Virtual => 2,
        AdapterKind::Other => 3,
        AdapterKind::Software => 4,
    });
    found
}

/// The facts of every adapter that can run compute shaders, the best first.
pub fn adapters() -> Vec<AdapterFacts> {
    let found = unpanicked(|| pollster::block_on(enumerate())).unwrap_or_default();
    found.into_iter().map(|(_, facts)| facts).collect()
}

/// wgpu panics where a driver has no memory left to describe itself.
fn unpanicked<T>(ask: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}

/// Opens a device on the first adapter whose name contains `name`, whatever the case; on the best for `None`.
pub fn open(name: Option<&str>) -> Result<(wgpu::Device, wgpu::Queue, AdapterFacts), Error> {
    unpanicked(|| pollster::block_on(find_and_open(name))).unwrap_or_else(|| {
        let reason = "a driver failed while it was asked what it offers, perhaps for want of memory".to_owned();
        Err(Error::NoAdapter { reason })
    })
}

async fn find_and_open(name: Option<&str>) -> Result<(wgpu::Device, wgpu::Queue, AdapterFacts), Error> {
    let found = enumerate().await;
    let names: Vec<String> = found.iter().map(|(_, facts)| facts.name.clone()).collect();
    let wanted = name.map(str::to_lowercase);
    let chosen = found
        .into_iter()
        .find(|(_, facts)| wanted.as_ref().is_none_or(|wanted| facts.name.to_lowercase().contains(wanted)));
    let Some((adapter, facts)) = chosen else {
        let reason = match name {
            Some(name) if !names.is_empty() => format!("none is named \"{name}\"; there are: {}", names.join(", ")),
            _ if wgpu::Instance::enabled_backend_features().is_empty() => {
                "built without the one of the features \"vulkan\", \"metal\" and \"dx12\" that this platform has"
                    .to_owned()
            }
            _ => "wgpu found none; a GPU driver with Vulkan, Metal or Direct3D 12 is needed (Mesa's lavapipe will do)"
                .to_owned(),
        };
        return Err(Error::NoAdapter { reason });
    };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("batchinv"),
        required_features: wanted_features(&adapter),
        required_limits: wanted_limits(&adapter),
        ..Default::default()
    };
    let (device, queue) = adapter
        .request_device(&descriptor)
        .await
        .map_err(|error| Error::NoAdapter { reason: format!("{} opens no device: {error}", facts.name) })?;
    // A failure that no scope caught surfaces as an error where its result is waited for, never as a panic.
    device.on_uncaptured_error(std::sync::Arc::new(|_| {}));
    Ok((device, queue, facts))
}

/// The features of an adapter that are worth asking for: timestamps, subgroups, pipelines in a file, float64 with
/// the 64-bit integers that its bits are looked at by, and, where its memory is the host's own, buffers that can be mapped. The
/// engine does without any of them.
pub fn wanted_features(adapter: &wgpu::Adapter) -> wgpu::Features {
    use wgpu::Features;
    let mut features = adapter.features();
    features.set(Features::MAPPABLE_PRIMARY_BUFFERS, mappable(features, &adapter.get_info()));
    let float64 = Features::SHADER_F64 | Features::SHADER_INT64;
    let together = if features.contains(float64) { float64 } else { Features::empty() };
    let single =
        Features::TIMESTAMP_QUERY | Features::SUBGROUP | Features::PIPELINE_CACHE | Features::MAPPABLE_PRIMARY_BUFFERS;
    (features & single) | together
}

/// Whether mapped buffers save copies. With memory of its own, an adapter would reach for the host's all the time instead.
fn mappable(features: wgpu::Features, info: &wgpu::AdapterInfo) -> bool {
    features.contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS)
        && matches!(info.device_type, wgpu::DeviceType::IntegratedGpu | wgpu::DeviceType::Cpu)
}

/// The limits of an adapter that are worth asking for: buffers as large as it has them. Everything else is what every
/// WebGPU implementation grants.
pub fn wanted_limits(adapter: &wgpu::Adapter) -> wgpu::Limits {
    let limits = adapter.limits();
    wgpu::Limits {
        max_buffer_size: limits.max_buffer_size,
        max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
        ..wgpu::Limits::default()
    }
}

/// Of an adapter, with what a device on it is granted.
pub fn facts(info: &wgpu::AdapterInfo, features: wgpu::Features, granted: &wgpu::Limits) -> AdapterFacts {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
        wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
        wgpu::DeviceType::Cpu => AdapterKind::Software,
        wgpu::DeviceType::Other => AdapterKind::Other,
    };
    AdapterFacts {
        name: info.name.clone(),
        kind,
        backend: info.backend.to_str().to_owned(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        limits: limits(granted, features, info),
        timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
    }
}

/// What plans depend on, of a device that is granted these limits and features.
fn limits(limits: &wgpu::Limits, features: wgpu::Features, info: &wgpu::AdapterInfo) -> GpuLimits {
    GpuLimits {
        binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        workgroups: limits.max_compute_workgroups_per_dimension,
        invocations: limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x),
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        subgroups: features
            .contains(wgpu::Features::SUBGROUP)
            .then_some((info.subgroup_min_size, info.subgroup_max_size)),
        float64: features.contains(wgpu::Features::SHADER_F64 | wgpu::Features::SHADER_INT64),
        software: info.device_type == wgpu::DeviceType::Cpu,
        mappable: mappable(features, info),
    }
}
