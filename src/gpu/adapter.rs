//! Adapters: finding them, their facts, and opening a device on one.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::data::error::Error;
use crate::plan::facts::{AdapterFacts, AdapterKind, GpuLimits};

fn instance() -> wgpu::Instance {
    // No validation layers and nothing from the environment.
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// Every adapter that can run compute shaders, the best first.
async fn enumerate() -> Vec<(wgpu::Adapter, AdapterFacts)> {
    // wgpu panics if it was built without any backend.
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
pub async fn adapters_async() -> Vec<AdapterFacts> {
    let found = unpanicked(enumerate()).await.unwrap_or_default();
    found.into_iter().map(|(_, facts)| facts).collect()
}

/// The facts of every adapter that can run compute shaders, the best first, on native platforms: there they are
/// known at once.
pub fn adapters() -> Vec<AdapterFacts> {
    match pin!(adapters_async()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found,
        Poll::Pending => unreachable!("native platforms need not wait for their adapters"),
    }
}

/// `None` if the future panics, as wgpu does if a driver has too little memory to describe its adapters.
async fn unpanicked<F: Future>(ask: F) -> Option<F::Output> {
    let mut ask = pin!(ask);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| ask.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// Opens a device on the first adapter whose name contains `name`, ignoring case; on the best for `None`.
pub async fn open(name: Option<&str>) -> Result<(wgpu::Device, wgpu::Queue, AdapterFacts), Error> {
    unpanicked(find_and_open(name)).await.unwrap_or_else(|| {
        let reason = "a driver failed while it described its adapters, perhaps because memory ran out".to_owned();
        Err(Error::NoAdapter { reason })
    })
}

async fn find_and_open(name: Option<&str>) -> Result<(wgpu::Device, wgpu::Queue, AdapterFacts), Error> {
    let found = enumerate().await;
    let names: Vec<_> = found.iter().map(|(_, facts)| facts.name.to_string()).collect();
    let wanted = name.map(str::to_lowercase);
    let chosen = found
        .into_iter()
        .find(|(_, facts)| wanted.as_ref().is_none_or(|wanted| facts.name.to_lowercase().contains(wanted)));
    let Some((adapter, facts)) = chosen else {
        let reason = match name {
            Some(name) if !names.is_empty() => format!("none is named \"{name}\"; there are: {}", names.join(", ")),
            _ if wgpu::Instance::enabled_backend_features().is_empty() => {
                "built without the backend feature of this platform: \"vulkan\", \"metal\" or \"dx12\"".to_owned()
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
    // Without a handler, wgpu panics on an error that no scope caught. Such a failure still becomes an error when
    // its result is waited for.
    device.on_uncaptured_error(std::sync::Arc::new(|_| {}));
    Ok((device, queue, facts))
}

/// The features of an adapter that are worth asking for: timestamps, subgroups, pipelines in a file, float64 with
/// the 64-bit integers that read its bits, and, if its memory is the host's own, mappable storage buffers. The
/// engine needs none of them.
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

/// Returns whether mapped buffers save copies. An adapter with memory of its own would instead access the host's
/// memory throughout the work.
fn mappable(features: wgpu::Features, info: &wgpu::AdapterInfo) -> bool {
    features.contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS)
        && matches!(info.device_type, wgpu::DeviceType::IntegratedGpu | wgpu::DeviceType::Cpu)
}

/// The limits of an adapter that are worth asking for: its largest buffers, and otherwise the limits that every WebGPU
/// implementation grants.
pub fn wanted_limits(adapter: &wgpu::Adapter) -> wgpu::Limits {
    let limits = adapter.limits();
    wgpu::Limits {
        max_buffer_size: limits.max_buffer_size,
        max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
        ..wgpu::Limits::default()
    }
}

/// The facts of an adapter, with the features and limits that a device on it is granted.
pub fn facts(info: &wgpu::AdapterInfo, features: wgpu::Features, granted: &wgpu::Limits) -> AdapterFacts {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
        wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
        wgpu::DeviceType::VirtualGpu => AdapterKind::Virtual,
        wgpu::DeviceType::Cpu => AdapterKind::Software,
        wgpu::DeviceType::Other => AdapterKind::Other,
    };
    AdapterFacts {
        name: info.name.as_str().into(),
        kind,
        backend: info.backend.to_str().to_owned(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        limits: limits(granted, features, info),
        timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
    }
}

/// The limits that plans depend on, for a device that is granted these limits and features.
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
