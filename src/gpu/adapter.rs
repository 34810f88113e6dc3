//! Adapters: finding them, their facts, and opening a device on one.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use super::candidate::Candidate;
use super::drivers::{Drivers, hidden, with_hidden};
use super::platform::{NONE_FOUND, candidates};
use crate::data::error::Error;
use crate::plan::facts::{AdapterFacts, AdapterKind, GpuLimits};

/// Every adapter with such a driver that can run compute shaders, the best first.
async fn enumerate(drivers: Drivers) -> Vec<(Candidate, AdapterFacts)> {
    // wgpu panics if it was built without any backend.
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return Vec::new();
    }
    let computes = |adapter: &wgpu::Adapter| {
        adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
    };
    let mut found: Vec<_> = candidates(drivers)
        .await
        .into_iter()
        .filter(|candidate| computes(&candidate.adapter))
        .map(|candidate| {
            let Candidate { adapter, info, features } = &candidate;
            let facts = facts(info, wanted(*features, info), &wanted_limits(adapter));
            (candidate, facts)
        })
        .collect();
    if drivers == Drivers::All {
        // wgpu does not say which drivers it would hide.
        let all: Vec<_> = found.iter().map(|(candidate, _)| candidate.info.clone()).collect();
        let shown = candidates(Drivers::Conformant).await.into_iter().map(|candidate| candidate.info).collect();
        for ((_, facts), hidden) in found.iter_mut().zip(hidden(&all, shown)) {
            facts.non_conformant = hidden;
        }
    }
    found.sort_by_key(|(_, facts)| {
        let kind = match facts.kind {
            AdapterKind::Discrete => 0,
            AdapterKind::Integrated => 1,
            AdapterKind::Virtual => 2,
            AdapterKind::Other => 3,
            AdapterKind::Software => 4,
        };
        (kind, facts.non_conformant)
    });
    found
}

/// The facts of every adapter that can run compute shaders, the best first. Loading drivers may print on standard
/// error: that of Mesa up to version 24 does if `XDG_RUNTIME_DIR` is not set, unless `NODEVICE_SELECT=1` is.
pub async fn adapters_async() -> Vec<AdapterFacts> {
    adapters_with_async(Drivers::Conformant).await
}

/// The same with the drivers that may be used.
pub async fn adapters_with_async(drivers: Drivers) -> Vec<AdapterFacts> {
    let found = unpanicked(enumerate(drivers)).await.unwrap_or_default();
    found.into_iter().map(|(_, facts)| facts).collect()
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

/// Opens a device on the adapter that `name` means: see [`position`]. On the best for `None`.
pub async fn open(name: Option<&str>, drivers: Drivers) -> Result<(wgpu::Device, wgpu::Queue, AdapterFacts), Error> {
    unpanicked(find_and_open(name, drivers)).await.unwrap_or_else(|| {
        let reason = "a driver failed while it described its adapters, perhaps because memory ran out".to_owned();
        Err(Error::NoAdapter { reason })
    })
}

async fn find_and_open(
    name: Option<&str>,
    drivers: Drivers,
) -> Result<(wgpu::Device, wgpu::Queue, AdapterFacts), Error> {
    let (Candidate { adapter, info, features }, facts) = match find(enumerate(drivers).await, name) {
        Ok(found) => found,
        Err(reason) if drivers == Drivers::All => return Err(Error::NoAdapter { reason }),
        Err(reason) => {
            let all = enumerate(Drivers::All).await.into_iter().map(|(_, facts)| facts);
            let hidden: Vec<_> = all.filter(|facts| facts.non_conformant).map(|facts| facts.name.to_string()).collect();
            return Err(Error::NoAdapter { reason: with_hidden(reason, &hidden) });
        }
    };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("batchinv"),
        required_features: wanted(features, &info),
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

/// The adapter that `name` means among those that were found, or why there is none.
fn find<T>(found: Vec<(T, AdapterFacts)>, name: Option<&str>) -> Result<(T, AdapterFacts), String> {
    let names: Vec<_> = found.iter().map(|(_, facts)| facts.name.to_string()).collect();
    let position = position(&names, name)?;
    found.into_iter().nth(position).ok_or_else(|| {
        let reason = if wgpu::Instance::enabled_backend_features().is_empty() {
            "built without the backend feature of this platform: \"vulkan\", \"metal\", \"dx12\" or \"webgpu\""
        } else {
            NONE_FOUND
        };
        reason.to_owned()
    })
}

/// The position of the adapter that is meant: digits alone are a position, as [`adapters`] counts them from 0;
/// anything else is a name, or a part of one name only, ignoring case. 0 for `None`, and if there is none at all.
fn position(names: &[String], wanted: Option<&str>) -> Result<usize, String> {
    let Some(wanted) = wanted.filter(|_| !names.is_empty()) else { return Ok(0) };
    let fault = if wanted.trim().is_empty() {
        "no name is given".to_owned()
    } else if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        match wanted.parse() {
            Ok(position) if position < names.len() => return Ok(position),
            _ => format!("there is no number {wanted}"),
        }
    } else {
        let (wanted_name, names) = (wanted.to_lowercase(), names.iter().map(|name| name.to_lowercase()));
        let parts: Vec<usize> = positions(names.clone(), |name| name.contains(&wanted_name));
        let whole: Vec<usize> = positions(names, |name| *name == wanted_name);
        match (&whole[..], &parts[..]) {
            (&[only], _) | (_, &[only]) => return Ok(only),
            (_, []) => format!("none is named \"{wanted}\""),
            _ => format!("\"{wanted}\" names several"),
        }
    };
    let list: Vec<_> = names.iter().enumerate().map(|(position, name)| format!("{position} {name}")).collect();
    Err(format!("{fault}; there are: {}", list.join(", ")))
}

fn positions(names: impl Iterator<Item = String>, fits: impl Fn(&String) -> bool) -> Vec<usize> {
    names.enumerate().filter(|(_, name)| fits(name)).map(|(position, _)| position).collect()
}

/// The features of an adapter that are worth asking for: timestamps, subgroups, pipelines in a file, float64 with
/// the 64-bit integers that read its bits, and, if its memory is the host's own, mappable storage buffers. The
/// engine needs none of them.
pub fn wanted_features(adapter: &wgpu::Adapter) -> wgpu::Features {
    wanted(adapter.features(), &adapter.get_info())
}

fn wanted(mut features: wgpu::Features, info: &wgpu::AdapterInfo) -> wgpu::Features {
    use wgpu::Features;
    features.set(Features::MAPPABLE_PRIMARY_BUFFERS, mappable(features, info));
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
        non_conformant: false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_by_number_and_by_name() {
        let names = ["NVIDIA H200", "llvmpipe (LLVM 15.0.6)", "NVIDIA H200", "AMD Radeon", "AMD Radeon Pro 1"];
        let names = names.map(str::to_owned);
        let of = |wanted| position(&names, Some(wanted));
        assert_eq!([of("0"), of("2"), of("1")], [Ok(0), Ok(2), Ok(1)], "never the 1 in a name");
        assert_eq!([of("LLVM 15"), of("amd radeon"), of("pro 1")], [Ok(1), Ok(3), Ok(4)], "a whole name before parts");
        for (wanted, fault) in [
            ("NVIDIA", "\"NVIDIA\" names several; there are: 0 NVIDIA H200, 1 llvmpipe"),
            ("nvidia h200", "\"nvidia h200\" names several"),
            ("zzz", "none is named \"zzz\""),
            ("5", "there is no number 5"),
            ("99999999999999999999999", "there is no number 9999"),
            ("", "no name is given"),
            (" ", "no name is given"),
        ] {
            let error = of(wanted).unwrap_err();
            assert!(error.starts_with(fault) && error.ends_with(", 4 AMD Radeon Pro 1"), "{wanted:?}: {error}");
        }
        assert_eq!((position(&names, None), position(&[], Some("x"))), (Ok(0), Ok(0)));
    }
}
