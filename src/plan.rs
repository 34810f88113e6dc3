//! Which engine, which kernel, which pieces: decided here, from plain facts, before anything is touched.
//!
//! Everything in this file is a pure function of the work and of the facts of an adapter, so that tests
//! compare plans as values, with no device. Every tuning number of the crate stands here.

use crate::{Error, ScalarKind};

/// One of the two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SIMD lanes and all cores of the host.
    Cpu,
    /// WGSL compute shaders.
    Gpu,
}

impl Engine {
    /// `cpu` or `gpu`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// In which precision the elimination runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// In the scalar's own.
    #[default]
    Native,
    /// In float64 or complex128, rounded at the end, as NumPy does for float32 and complex64. No different from
    /// `Native` for float64 and complex128.
    Double,
}

/// One way to do the work, named after who works together on one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// CPU: one SIMD lane holds one matrix.
    Lanes,
    /// CPU: one matrix at a time, its rows in SIMD vectors. The bits are those of `Lanes`.
    Rows,
    /// CPU: one matrix at a time, its rows in SIMD vectors, several pivots to a pass.
    Blocked,
    /// GPU: one invocation inverts one matrix in its registers.
    Thread,
    /// GPU: the invocations of a workgroup hold the rows and share pivot rows through workgroup memory.
    Workgroup,
}

impl Kernel {
    /// The kernel's word, which is also its shader's file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::Rows => "rows",
            Self::Blocked => "blocked",
            Self::Thread => "thread",
            Self::Workgroup => "workgroup",
        }
    }
}

impl std::fmt::Display for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// What is to be done, apart from the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// The scalar of input and output.
    pub scalar: ScalarKind,
    /// The precision of the elimination.
    pub precision: Precision,
    /// The n of n x n.
    pub order: usize,
    /// The number of matrices.
    pub len: usize,
}

impl Work {
    /// The scalar that the elimination runs in.
    pub const fn working_scalar(self) -> ScalarKind {
        match (self.precision, self.scalar) {
            (Precision::Native, scalar) => scalar,
            (Precision::Double, ScalarKind::Float32 | ScalarKind::Float64) => ScalarKind::Float64,
            (Precision::Double, ScalarKind::Complex64 | ScalarKind::Complex128) => ScalarKind::Complex128,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------
// The CPU engine

/// The largest of all `lanes_max_order`.
const LANES_MAX_ORDER: usize = 64;

/// Largest order that `lanes`, and `rows` with it, takes, by working scalar; above, `blocked` is faster. Measured on
/// 2 cores with AVX-512.
pub const fn lanes_max_order(scalar: ScalarKind) -> usize {
    match scalar {
        ScalarKind::Float32 => LANES_MAX_ORDER,
        ScalarKind::Float64 => 48,
        ScalarKind::Complex64 => 32,
        ScalarKind::Complex128 => 24,
    }
}

/// Whether `matrices` of a group of lanes are enough for `lanes` to beat `rows`, which takes one at a time.
pub const fn fills_lanes(matrices: usize, group: usize) -> bool {
    2 * matrices >= group
}

/// Pivots to one pass over the matrix in `blocked`.
pub const BLOCK: usize = 8;

/// Elements that one task takes at a time, at the least: enough that handing out tasks costs nothing, few
/// enough that input and output of a task stay in the second-level cache.
pub const TASK_ELEMENTS: usize = 1 << 14;

/// Arithmetic below which a stack stays on the calling thread, in multiply-adds: about 20 microseconds.
pub const PARALLEL_FLOPS: usize = 1 << 17;

/// Matrices to a task of the CPU engine: whole groups of lanes, of which a vector has 16 at the most.
pub const fn cpu_task_len(order: usize) -> usize {
    let matrices = TASK_ELEMENTS / if order == 0 { 1 } else { order * order };
    if matrices >= 16 {
        matrices / 16 * 16
    } else if order <= LANES_MAX_ORDER {
        16
    } else if matrices > 1 {
        matrices
    } else {
        1
    }
}

/// Whether the CPU engine shares the stack among threads.
pub const fn cpu_parallel(work: Work) -> bool {
    work.len > 1
        && work.len.saturating_mul(work.order.saturating_mul(work.order).saturating_mul(work.order)) >= PARALLEL_FLOPS
}

/// The kernel that the CPU engine takes; `lanes` leaves groups that it would not fill to `rows`.
pub const fn cpu_kernel(work: Work) -> Kernel {
    if work.order <= lanes_max_order(work.working_scalar()) { Kernel::Lanes } else { Kernel::Blocked }
}

// ---------------------------------------------------------------------------------------------------------
// The GPU engine

/// What an adapter is, as wgpu's `DeviceType` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// The limits of a device that plans depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GpuLimits {
    /// `max_storage_buffer_binding_size` and `max_buffer_size`, the smaller one, in bytes.
    pub binding_bytes: u64,
    /// `max_compute_workgroups_per_dimension`.
    pub workgroups: u32,
    /// `max_compute_invocations_per_workgroup` and `max_compute_workgroup_size_x`, the smaller one.
    pub invocations: u32,
    /// `max_compute_workgroup_storage_size` in bytes.
    pub workgroup_bytes: u32,
}

impl GpuLimits {
    /// What every WebGPU implementation grants unasked (WebGPU specification, "Limits").
    pub const WEBGPU_DEFAULT: Self =
        Self { binding_bytes: 128 << 20, workgroups: 65_535, invocations: 256, workgroup_bytes: 16_384 };
}

/// The facts of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The smallest and the largest subgroup, where it offers subgroups.
    pub subgroups: Option<(u32, u32)>,
    /// It computes in float64.
    pub float64: bool,
    /// It offers timestamps of compute passes.
    pub timestamps: bool,
}

/// Largest order of `thread`: order^2 registers and the time to compile their use bound it. On lavapipe, order 12 takes
/// seconds to compile and order 16 ten times as long.
pub const THREAD_MAX_ORDER: usize = 12;

/// Largest order of `workgroup`: 256 invocations hold at most 64 elements each.
pub const WORKGROUP_MAX_ORDER: usize = 128;

/// Matrices, and so invocations, to a workgroup of `thread`.
pub const THREAD_WORKGROUP: u32 = 64;

/// Invocations that a workgroup of `workgroup` aims at, by taking several small matrices at once.
pub const WORKGROUP_INVOCATIONS: u32 = 64;

/// Columns of a row that one invocation of `workgroup` holds, at the most.
pub const WORKGROUP_COLUMNS: usize = 64;

/// Bytes of input in one chunk, at the most: the unit in which upload, kernel and readback overlap.
pub const CHUNK_BYTES: u64 = 8 << 20;

/// Chunks that are on their way at once: one is uploaded while another is worked on and a third is read back.
pub const CHUNKS_IN_FLIGHT: usize = 3;

/// Everything that decides a shader's text: two equal variants share a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    /// The kernel.
    pub kernel: Kernel,
    /// The scalar of input and output.
    pub scalar: ScalarKind,
    /// The n of n x n: `N` in the shader.
    pub order: u32,
    /// Matrices to a workgroup: `MATRICES` in the shader.
    pub matrices: u32,
    /// Invocations that share a row: `PARTS` in the shader; 1 in `thread`.
    pub parts: u32,
}

impl Variant {
    /// Columns of a row in one invocation, the last one padded: `COLUMNS` in the shader.
    pub const fn columns(self) -> u32 {
        self.order.div_ceil(self.parts)
    }

    /// Invocations to a workgroup: `WORKGROUP` in the shader.
    pub const fn workgroup(self) -> u32 {
        match self.kernel {
            Kernel::Workgroup => self.matrices * self.parts * self.columns() * self.parts,
            _ => self.matrices,
        }
    }

    /// Bytes of workgroup memory: for each matrix a pivot column and a pivot row of scalars, four words to a row (key,
    /// origin, two exponents), and four words more.
    pub const fn workgroup_bytes(self) -> u32 {
        match self.kernel {
            Kernel::Workgroup => {
                let rows = self.parts * self.columns();
                self.matrices * (rows * (2 * self.scalar.size() as u32 + 16) + 16)
            }
            _ => 0,
        }
    }
}

/// How a stack goes to a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GpuPlan {
    /// What is compiled.
    pub variant: Variant,
    /// Matrices to a chunk; the last chunk may hold fewer.
    pub chunk_len: usize,
    /// Number of chunks.
    pub chunks: usize,
}

/// How `work` goes to a device with these limits.
///
/// ```
/// use batchinv::plan::{self, GpuLimits, Work};
/// use batchinv::{Kernel, Precision, ScalarKind};
/// let work = Work { scalar: ScalarKind::Float32, precision: Precision::Native, order: 4, len: 1_000_000 };
/// let plan = plan::gpu(work, &GpuLimits::WEBGPU_DEFAULT)?;
/// assert_eq!((plan.variant.kernel, plan.chunk_len, plan.chunks), (Kernel::Thread, 131_072, 8));
/// # Ok::<(), batchinv::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unsupported`] with a plain reason where the GPU engine cannot take it.
pub fn gpu(work: Work, limits: &GpuLimits) -> Result<GpuPlan, Error> {
    let unsupported = |reason: String| Err(Error::Unsupported { engine: Engine::Gpu, reason });
    if work.working_scalar() != work.scalar {
        return unsupported(format!("{} in double precision is not built for the GPU yet", work.scalar));
    }
    if work.scalar != ScalarKind::Float32 {
        return unsupported(format!("its kernels take float32, not {}", work.scalar));
    }
    let (order, matrices, parts) = match work.order {
        0 => return unsupported("a matrix of order 0 has nothing to compute".to_owned()),
        n @ 1..=THREAD_MAX_ORDER => (n as u32, THREAD_WORKGROUP, 1),
        n @ ..=WORKGROUP_MAX_ORDER => {
            let parts = n.div_ceil(WORKGROUP_COLUMNS) as u32;
            let invocations = parts * parts * (n as u32).div_ceil(parts);
            (n as u32, (WORKGROUP_INVOCATIONS / invocations).max(1), parts)
        }
        n => return unsupported(format!("order {n} is above {WORKGROUP_MAX_ORDER}, the largest its kernels take")),
    };
    let kernel = if work.order <= THREAD_MAX_ORDER { Kernel::Thread } else { Kernel::Workgroup };
    gpu_with(Variant { kernel, scalar: work.scalar, order, matrices, parts }, work.len, limits)
}

/// The chunks for a variant already chosen.
pub(crate) fn gpu_with(variant: Variant, len: usize, limits: &GpuLimits) -> Result<GpuPlan, Error> {
    let unsupported = |reason: String| Err(Error::Unsupported { engine: Engine::Gpu, reason });
    if variant.workgroup() > limits.invocations || variant.workgroup_bytes() > limits.workgroup_bytes {
        return unsupported(format!(
            "order {} needs workgroups of {} invocations with {} bytes, the device allows {} with {}",
            variant.order,
            variant.workgroup(),
            variant.workgroup_bytes(),
            limits.invocations,
            limits.workgroup_bytes
        ));
    }
    let matrix_bytes = u64::from(variant.order).pow(2) * variant.scalar.size() as u64;
    let fit = limits.binding_bytes / matrix_bytes;
    if fit == 0 {
        return unsupported(format!(
            "one matrix of order {} takes {matrix_bytes} bytes, a binding {}",
            variant.order, limits.binding_bytes
        ));
    }
    let dispatch = u64::from(limits.workgroups) * u64::from(variant.matrices);
    let chunk_len = (CHUNK_BYTES / matrix_bytes).clamp(1, fit.min(dispatch)) as usize;
    Ok(GpuPlan { variant, chunk_len, chunks: len.div_ceil(chunk_len) })
}

// ---------------------------------------------------------------------------------------------------------
// The automatic choice between them

/// Order from which `auto` thinks a hardware adapter worth the trip. Below, an inverse moves its bytes across
/// the bus and back for less arithmetic than the host needs to copy them. Not measured on hardware yet.
pub const AUTO_MIN_ORDER: usize = 16;

/// Elements from which `auto` thinks a hardware adapter worth the trip: below, the host is done before a
/// device is opened. Not measured on hardware yet.
pub const AUTO_MIN_ELEMENTS: usize = 1 << 17;

/// Whether `auto` counts a software adapter as hardware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AutoPolicy {
    /// It does not: on the host's own cores, the CPU engine is faster.
    #[default]
    HardwareOnly,
    /// It does, so that tests run the automatic path end to end on a software driver.
    SoftwareCounts,
}

/// Whether `auto` looks for an adapter at all for this work. `Err` says why not.
///
/// # Errors
/// The reason, in words, why the CPU engine takes it.
pub fn worth_the_trip(work: Work) -> Result<(), String> {
    if work.order < AUTO_MIN_ORDER || work.len.saturating_mul(work.order * work.order) < AUTO_MIN_ELEMENTS {
        return Err(format!("{} matrices of order {} are not worth the trip to a GPU", work.len, work.order));
    }
    gpu(work, &GpuLimits::WEBGPU_DEFAULT).map(drop).map_err(|refusal| refusal.to_string())
}

/// The engine that `auto` takes, and why: the adapter where it is hardware, can do the work and the work is
/// worth the trip; the CPU otherwise. Never a software adapter, except under the policy made for tests.
///
/// ```
/// use batchinv::plan::{self, AutoPolicy, Work};
/// use batchinv::{Engine, Precision, ScalarKind};
/// let work = Work { scalar: ScalarKind::Float32, precision: Precision::Native, order: 32, len: 1000 };
/// let (engine, reason) = plan::choose(work, None, AutoPolicy::HardwareOnly);
/// assert_eq!((engine, reason.as_str()), (Engine::Cpu, "no GPU adapter was found"));
/// ```
pub fn choose(work: Work, adapter: Option<&AdapterFacts>, policy: AutoPolicy) -> (Engine, String) {
    if let Err(reason) = worth_the_trip(work) {
        return (Engine::Cpu, reason);
    }
    let Some(adapter) = adapter else {
        return (Engine::Cpu, "no GPU adapter was found".to_owned());
    };
    if adapter.kind == AdapterKind::Software && policy == AutoPolicy::HardwareOnly {
        return (Engine::Cpu, format!("{} is a software adapter, the host's own cores are faster", adapter.name));
    }
    match gpu(work, &adapter.limits) {
        Ok(_) => (Engine::Gpu, format!("{} takes it", adapter.name)),
        Err(refusal) => (Engine::Cpu, refusal.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIANT: Variant =
        Variant { kernel: Kernel::Workgroup, scalar: ScalarKind::Float32, order: 65, matrices: 1, parts: 2 };

    /// 65 columns in two parts of 33, so 66 rows with the padding.
    #[test]
    fn sizes_of_a_variant() {
        assert_eq!((VARIANT.columns(), VARIANT.workgroup()), (33, 132));
        assert_eq!(VARIANT.workgroup_bytes(), 66 * (2 * 4 + 4 * 4) + 16);
        let thread = Variant { kernel: Kernel::Thread, order: 5, matrices: 64, parts: 1, ..VARIANT };
        assert_eq!((thread.columns(), thread.workgroup(), thread.workgroup_bytes()), (5, 64, 0));
    }

    #[test]
    fn a_forced_variant_is_cut_into_chunks_too() {
        let plan = gpu_with(VARIANT, 100_000, &GpuLimits::WEBGPU_DEFAULT).unwrap();
        assert_eq!((plan.variant, plan.chunk_len), (VARIANT, (CHUNK_BYTES / (65 * 65 * 4)) as usize));
        assert_eq!(plan.chunks, 100_000_usize.div_ceil(plan.chunk_len));
        let wide = Variant { matrices: 2, ..VARIANT };
        assert!(gpu_with(wide, 1, &GpuLimits::WEBGPU_DEFAULT).is_err(), "264 invocations are too many");
    }
}
