//! What plans know of an adapter and of a device on it.

/// What an adapter is, as wgpu's `DeviceType` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AdapterKind {
    /// With memory of its own.
    Discrete,
    /// Sharing the host's memory.
    Integrated,
    /// Of a virtual machine.
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

/// What plans depend on of a device: its limits, its features, and whether it is software. Begin with
/// [`GpuLimits::WEBGPU_DEFAULT`] to ask about a device that is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GpuLimits {
    /// `max_storage_buffer_binding_size` and `max_buffer_size`, the smaller one, in bytes.
    pub binding_bytes: u64,
    /// `max_compute_workgroups_per_dimension`.
    pub workgroups: u32,
    /// `max_compute_invocations_per_workgroup` and `max_compute_workgroup_size_x`, the smaller one.
    pub invocations: u32,
    /// `max_compute_workgroup_storage_size` in bytes.
    pub workgroup_bytes: u32,
    /// The smallest and the largest subgroup, where it has subgroups.
    pub subgroups: Option<(u32, u32)>,
    /// It computes in float64, and in 64-bit integers, by whose bits float64 is looked at.
    pub float64: bool,
    /// It runs on the host's own cores.
    pub software: bool,
    /// Its memory is the host's own, and the buffers of its shaders can be mapped there: chunks are written and read where they
    /// lie.
    pub mappable: bool,
}

impl GpuLimits {
    /// What every WebGPU implementation grants unasked (WebGPU specification, "Limits"), with no optional feature.
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
    /// As the driver names it. Plans never look at it, nor at `backend` and `driver`.
    pub name: String,
    /// What it is.
    pub kind: AdapterKind,
    /// The API it is reached through: `vulkan`, `metal`, `dx12`.
    pub backend: String,
    /// The driver and its version, in its own words.
    pub driver: String,
    /// What a device on it is granted.
    pub limits: GpuLimits,
    /// It offers timestamps of compute passes.
    pub timestamps: bool,
}

impl AdapterFacts {
    /// Of an adapter that is not here, to ask [`choose`](super::choose) about. It has no clock and says nothing of its driver.
    pub fn new(name: &str, kind: AdapterKind, limits: GpuLimits) -> Self {
        let (backend, driver) = (String::new(), String::new());
        Self { name: name.to_owned(), kind, backend, driver, limits, timestamps: false }
    }
}
