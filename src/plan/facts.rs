//! The facts of adapters and devices that plans depend on.

use std::sync::Arc;

/// The kind of an adapter, as wgpu's `DeviceType` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdapterKind {
    /// With memory of its own.
    Discrete,
    /// Sharing the host's memory.
    Integrated,
    /// An adapter of a virtual machine.
    Virtual,
    /// A software driver.
    Software,
    /// The driver does not say.
    Other,
}

impl AdapterKind {
    /// A word for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Software => "software",
            Self::Other => "other",
        }
    }
}

/// The facts of a device that plans depend on: its limits, its features, and whether it is software. Start from
/// [`GpuLimits::WEBGPU_DEFAULT`] to plan for a device that is not present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GpuLimits {
    /// The smaller of `max_storage_buffer_binding_size` and `max_buffer_size`, in bytes.
    pub binding_bytes: u64,
    /// `max_compute_workgroups_per_dimension`.
    pub workgroups: u32,
    /// The smaller of `max_compute_invocations_per_workgroup` and `max_compute_workgroup_size_x`.
    pub invocations: u32,
    /// `max_compute_workgroup_storage_size` in bytes.
    pub workgroup_bytes: u32,
    /// The sizes of the smallest and the largest subgroup, if the device has subgroups.
    pub subgroups: Option<(u32, u32)>,
    /// True if it computes in float64 and in 64-bit integers, which the shaders need to read the bits of float64.
    pub float64: bool,
    /// True if it runs on the host's own cores.
    pub software: bool,
    /// True if its memory is the host's own and the host can map storage buffers: chunks are then written and read in
    /// place.
    pub mappable: bool,
}

impl GpuLimits {
    /// The limits that every WebGPU implementation grants by default (WebGPU specification, "Limits"), with no optional
    /// feature.
    pub const WEBGPU_DEFAULT: Self = Self {
        binding_bytes: 128 << 20,
        workgroups: 65_535,
        invocations: 256,
        workgroup_bytes: 16_384,
        subgroups: None,
        float64: false,
        software: false,
        mappable: false,
    };
}

/// The facts of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterFacts {
    /// Its name, from the driver. Plans never look at it, nor at `backend` and `driver`.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: AdapterKind,
    /// The API that reaches it: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// The driver and its version, in its own words.
    pub driver: String,
    /// The limits and features that a device on it is granted.
    pub limits: GpuLimits,
    /// True if it offers timestamps of compute passes.
    pub timestamps: bool,
    /// True if its driver is known to have passed no conformance test, so that wgpu hides it from others. False for a
    /// device that the caller opened.
    pub non_conformant: bool,
}

impl AdapterFacts {
    /// The facts of an adapter that is not present, to ask [`plan::choose`](crate::plan::choose) about: one without
    /// timestamps and without a word about its driver.
    pub fn new(name: &str, kind: AdapterKind, limits: GpuLimits) -> Self {
        let (backend, driver) = (String::new(), String::new());
        Self { name: name.into(), kind, backend, driver, limits, timestamps: false, non_conformant: false }
    }
}
