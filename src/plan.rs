//! Which engine, which kernel, which pieces: decided here, from plain facts, before anything is touched.
//!
//! Everything in this module is a pure function of the work and of the facts of an adapter, so that tests
//! compare plans as values, with no device. Every tuning number of the crate stands in this file.
//!
//! Numbers, and the fields of [`Variant`], [`GpuPlan`], [`GpuLimits`] and [`AdapterFacts`], are here to be looked at, and
//! change with what is measured, in any release. [`Engine`], [`Precision`], [`Kernel`] and [`Layout`] follow semantic
//! versioning.

mod facts;
mod variant;

use std::time::Duration;

pub use facts::{AdapterFacts, AdapterKind, GpuLimits};
pub use variant::{Layout, Variant};

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
#[non_exhaustive]
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
#[non_exhaustive]
pub enum Kernel {
    /// CPU: one SIMD lane holds one matrix.
    Lanes,
    /// CPU: one matrix at a time, its rows in SIMD vectors. The bits are those of `Lanes`.
    Rows,
    /// CPU: one matrix at a time, its columns in SIMD vectors, several pivots to a pass.
    Blocked,
    /// GPU: one invocation inverts one matrix in its registers.
    Thread,
    /// GPU: some lanes of a subgroup hold the rows in their registers and shuffle pivot rows among themselves.
    Subgroup,
    /// GPU: the invocations of a workgroup hold the rows and share pivot rows through workgroup memory.
    Workgroup,
    /// GPU: the matrix stays in memory, and many workgroups share it.
    Device,
}

impl Kernel {
    /// The GPU's, in the order in which a plan prefers them.
    pub const GPU: [Self; 4] = [Self::Thread, Self::Subgroup, Self::Workgroup, Self::Device];

    /// The kernel's word, which is also its shader's file name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::Rows => "rows",
            Self::Blocked => "blocked",
            Self::Thread => "thread",
            Self::Subgroup => "subgroup",
            Self::Workgroup => "workgroup",
            Self::Device => "device",
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
        self.scalar.working(self.precision)
    }
}

// ---------------------------------------------------------------------------------------------------------
// The CPU engine

/// The largest of all `lanes_max_order`.
pub(crate) const LANES_MAX_ORDER: usize = 32;

/// Largest order that `lanes`, and `rows` with it, takes, by working scalar. Measured on 2 cores with AVX-512: in float32, full
/// groups of order 33 to 36 would take 0.75 to 0.85 of the time of `blocked`, but a matrix alone, which `rows` takes then, half as
/// much again.
pub const fn lanes_max_order(scalar: ScalarKind) -> usize {
    match scalar {
        ScalarKind::Float32 | ScalarKind::Float64 | ScalarKind::Complex64 | ScalarKind::Complex128 => LANES_MAX_ORDER,
    }
}

/// Whether `matrices` of a group of lanes are enough for `lanes` to beat `rows`, which takes one at a time.
pub const fn fills_lanes(matrices: usize, group: usize) -> bool {
    2 * matrices >= group
}

/// Groups of lanes that are eliminated in turns at the orders, 1 to 4, that registers hold as a whole, so that one divides while
/// the others multiply. At higher orders, two pivots go to a pass over memory.
pub(crate) const IN_TURNS: [usize; 4] = [2, 3, 2, 1];

/// The most of them.
pub(crate) const GROUPS_IN_TURNS: usize = 3;

/// How far ahead of the matrices in registers memory is asked for, in bytes of input.
pub(crate) const AHEAD_BYTES: usize = 2048;

/// Bytes of a vector above which `lanes` compiles orders each by itself. Vectors of 16 bytes come with few registers and,
/// on x86, no shuffle for the columns' order.
pub(crate) const FIXED_ABOVE_BYTES: usize = 16;

/// Columns that a pass of `lanes` updates at a time, as many as registers hold of the four rows that it reads, and
/// columns that it gathers of a pivot row at a time.
pub(crate) const PASS_COLUMNS: (usize, usize) = (6, 8);

/// Vectors to which a matrix and one more row of `rows` take no memory but the stack's: orders to 15 of float32 with AVX-512.
pub(crate) const ROWS_ON_STACK: usize = 16;

/// Pivots to one pass over the matrix in `blocked`.
pub const BLOCK: usize = 8;

/// Columns that an update of `blocked` takes at a time, which share the loads of a panel, where registers hold what all
/// need: of real scalars. Complex ones go one by one.
pub(crate) const COLUMNS_TOGETHER: usize = 2;

/// The most columns of a span in `blocked`: pivots to a pass over a matrix that no near cache holds.
pub(crate) const SPAN: usize = 64;

/// Columns to a span of `blocked`, whose panels take their steps to these first and to the others together; all, where the whole
/// matrix is near enough. Measured on 2 cores with AVX-512, in float64 and complex128: at 64, spans of 32 take 1.04 and 0.97 of the
/// time without any, at 96 0.96 and 0.91, at 128 0.92 and 0.87; spans of 64 take 1.07 and 1.3 of the time of such of 32 at 192, 0.95
/// and 1.0 at 512, 0.91 and 1.0 at 1024. In float32, those of 32 take 1.05 of the time at 96, 0.95 at 128.
pub const fn span(order: usize) -> usize {
    match order {
        ..96 => order,
        96..384 => SPAN / 2,
        _ => SPAN,
    }
}

/// Vectors to the height of a tile, and columns to its width, for vectors of some bytes, of which a scalar takes `parts`: sums that
/// registers hold besides what a tile's row needs, of which vectors of 64 bytes have 32, shorter ones 16.
pub(crate) const fn span_tile(vector_bytes: usize, parts: usize) -> (usize, usize) {
    match (vector_bytes > 32, parts == 1) {
        (true, true) => (4, 6),
        (true, false) | (false, true) => (2, 6),
        (false, false) => (1, 5),
    }
}

/// Columns that a span is taken to at a time, by one thread.
pub(crate) const SPAN_CHUNK: usize = 48;

/// Tiles of W that all columns of a chunk take before the next ones.
pub(crate) const SPAN_STRIP: usize = 16;

/// Elements that one task takes at a time, at the least: enough that handing out tasks costs nothing, few
/// enough that input and output of a task stay in the second-level cache.
pub const TASK_ELEMENTS: usize = 1 << 14;

/// Arithmetic below which a stack stays on the calling thread, in multiply-adds: about 20 microseconds.
pub const PARALLEL_FLOPS: usize = 1 << 17;

/// Arithmetic below which a call of the CPU engine is not timed, in multiply-adds. Looking at the clock twice takes 50 ns, and a
/// 4x4, which is 64 of them, all in all 180.
pub const TIMED_FLOPS: usize = 1 << 9;

/// Matrices to a task of the CPU engine: whole groups of lanes, of which a vector has 16 at the most.
pub const fn cpu_task_len(order: usize) -> usize {
    let matrices = TASK_ELEMENTS / if order == 0 { 1 } else { order.saturating_mul(order) };
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

/// Tasks to a thread of what `blocked` takes: few enough that memory is asked for once for many matrices, enough that no
/// thread waits long for the last one.
pub const BLOCKED_TASKS: usize = 8;

/// Matrices to a task of `blocked`, which takes one after another: their number depends on the threads, their bits do not.
pub const fn blocked_task_len(order: usize, len: usize, threads: usize) -> usize {
    let (fair, least) = (len / (BLOCKED_TASKS * if threads == 0 { 1 } else { threads }), cpu_task_len(order));
    if fair > least { fair } else { least }
}

/// Smallest order of which the threads of the CPU engine share single matrices. Measured on 2 cores with AVX-512: two threads took 0.82
/// of one's time at 320 in float64, 0.93 in float32, 0.80 in complex128, 0.7 of it at 1024, and gained nothing at 256.
pub const SHARED_MIN_ORDER: usize = 320;

/// Whether there are too few matrices for the threads to take one each, so that they share each of them.
pub const fn shares_matrices(order: usize, len: usize, threads: usize) -> bool {
    len < threads && order >= SHARED_MIN_ORDER
}

/// Columns outside a span to a task where threads share a matrix: a few tasks to a thread, none of them tiny.
pub(crate) const fn shared_columns(columns: usize, threads: usize) -> usize {
    let (_, wide) = span_tile(64, 1);
    let fair = (columns / (4 * if threads == 0 { 1 } else { threads })).next_multiple_of(wide);
    if fair > SPAN_CHUNK {
        SPAN_CHUNK
    } else if fair < 2 * wide {
        2 * wide
    } else {
        fair
    }
}

/// Whether the CPU engine shares the work among threads.
pub const fn cpu_parallel(work: Work) -> bool {
    (work.len > 1 || work.order >= SHARED_MIN_ORDER) && multiply_adds(work) >= PARALLEL_FLOPS
}

/// Whether the CPU engine looks at the clock for its report.
pub(crate) const fn cpu_timed(work: Work) -> bool {
    multiply_adds(work) >= TIMED_FLOPS
}

const fn multiply_adds(work: Work) -> usize {
    work.len.saturating_mul(work.order.saturating_mul(work.order).saturating_mul(work.order))
}

/// The kernel that the CPU engine takes; `lanes` leaves groups that it would not fill to `rows`.
pub const fn cpu_kernel(work: Work) -> Kernel {
    if work.order <= lanes_max_order(work.working_scalar()) { Kernel::Lanes } else { Kernel::Blocked }
}

// ---------------------------------------------------------------------------------------------------------
// The GPU engine

/// Largest order of a kernel of the GPU engine, by working scalar; 0 for the CPU's.
///
/// `thread`: order^2 registers bound it; on lavapipe, two orders more make it ten times as slow. `subgroup`: the registers
/// of several lanes. `workgroup`: 256 invocations hold at most [`WORKGROUP_ROW_BYTES`] each.
pub const fn max_order(kernel: Kernel, working: ScalarKind) -> usize {
    match (kernel, working) {
        (Kernel::Thread, ScalarKind::Float32 | ScalarKind::Float64) => 12,
        (Kernel::Thread, ScalarKind::Complex64 | ScalarKind::Complex128) => 8,
        (Kernel::Subgroup, ScalarKind::Float32) => 64,
        (Kernel::Subgroup, ScalarKind::Float64 | ScalarKind::Complex64) => 48,
        (Kernel::Subgroup, ScalarKind::Complex128) => 32,
        (Kernel::Workgroup, ScalarKind::Float32) => 128,
        (Kernel::Workgroup, _) => 64,
        (Kernel::Device, _) => DEVICE_MAX_ORDER,
        (Kernel::Lanes | Kernel::Rows | Kernel::Blocked, _) => 0,
    }
}

/// Matrices, and so invocations, to a workgroup of `thread`.
pub const THREAD_WORKGROUP: u32 = 64;

/// Words of 32 bits of its matrix that an invocation of `thread` holds on hardware, which has up to 255 registers; a matrix
/// of more would spill. Software adapters have a cache for that.
pub const THREAD_MOST_WORDS: usize = 160;

/// Invocations to a workgroup of `subgroup`.
pub const SUBGROUP_WORKGROUP: u32 = 64;

/// The smallest subgroup that any adapter has (Vulkan, Metal and Direct3D 12 have no smaller one in use).
pub const SUBGROUP_MIN_LANES: u32 = 4;

/// Rows, and words of 32 bits of them, that one lane of `subgroup` holds on hardware. Each step takes one shuffle for each
/// column, whatever the rows of a lane, so that few lanes with several rows shuffle less; but registers are few.
pub const SUBGROUP_ROWS: (u32, u32) = (4, 128);

/// Words of 32 bits of its rows that one lane of `subgroup` can hold on hardware, which has up to 255 registers; where
/// subgroups are too small for that, `workgroup` does it.
pub const SUBGROUP_MOST_WORDS: u32 = 192;

/// Largest order of `workgroup` on a software adapter: there, barriers are slow, and `device` has few. Measured on
/// lavapipe without subgroups: order 16, 20 us against 19; order 32, 132 against 68.
pub const SOFTWARE_WORKGROUP_ORDER: usize = 16;

/// Invocations that a workgroup of `workgroup` aims at, by taking several small matrices at once.
pub const WORKGROUP_INVOCATIONS: u32 = 64;

/// Bytes of a row that one invocation of `workgroup` holds, at the most.
pub const WORKGROUP_ROW_BYTES: usize = 256;

/// Largest order of `device`, whose indexes are 32 bits wide; memory ends earlier.
pub const DEVICE_MAX_ORDER: usize = 1 << 14;

/// Columns of a panel of `device`, which one workgroup eliminates alone.
pub const DEVICE_BLOCK: u32 = 16;

/// Columns whose panels are taken to the rest of the matrix together by `device`: pivots to one pass over it, from this order
/// on. Below, each panel is. Bytes bind on hardware too: at order 256, sixteen passes become four and what three would be within
/// the spans. On lavapipe, order 512 took 28 ms in spans of 64 and 33 in such of 32, 256 5.0 and 6.4; 192 took 2.0 with spans and
/// 2.3 without, 128 0.77 and 0.68.
pub const DEVICE_SPAN: u32 = 64;
/// See [`DEVICE_SPAN`].
pub const DEVICE_WIDE_ORDER: u32 = 129;

/// Rows to a workgroup of the update of `device`, packs of each to an invocation, and how far apart they are, which is
/// the number of invocations. A pack is four real numbers that are loaded and stored at once.
pub const DEVICE_TILE: (u32, u32, u32) = (8, 2, 32);

/// The same on a software adapter, where a load takes as long as tens of multiply-adds and invocations beyond a SIMD vector's are no
/// help: on lavapipe, passes of order 256 took two thirds of the time that the tile for hardware takes, of order 128 four fifths.
pub const DEVICE_SOFTWARE_TILE: (u32, u32, u32) = (16, 4, 8);

/// The same from [`DEVICE_WIDE_ORDER`] on.
pub const DEVICE_SOFTWARE_WIDE_TILE: (u32, u32, u32) = (16, 8, 8);

/// Scalars of a panel that one invocation of `device` holds, at the most, on a software adapter: there, few invocations
/// with several rows wait for each other less.
pub const DEVICE_PANEL_SCALARS: u32 = 128;

/// Invocations of a panel of `device`, at the least on a software adapter, and at the most.
pub const DEVICE_PANEL_INVOCATIONS: (u32, u32) = (8, 256);

/// An order, and scalars of a panel that one invocation holds from there on, of real ones. On lavapipe, passes of order 384 in
/// float32 took 10.1 ms with 256 and 11.3 with 128, of 192 1.7 and 2.0, but the first call 6 s instead of 4.5: only large matrices
/// are worth that. Complex ones take several times as long to compile, and so does all with 512.
pub const DEVICE_LARGE_PANEL: (u32, u32) = (257, 256);

/// Rows of `device` that are a multiple of so many scalars long are padded.
pub const DEVICE_PITCH_BREAK: u32 = 128;

/// Bytes of working memory that `device` takes at once, unless one matrix needs more.
pub const DEVICE_WORK_BYTES: u64 = 32 << 20;

/// Matrices to a workgroup, at the most, of any program.
pub const MOST_MATRICES: u32 = 64;

/// Bytes of input in one chunk, at the most: the unit in which upload, kernel and readback overlap.
pub const CHUNK_BYTES: u64 = 8 << 20;

/// Chunks that are on their way at once: one is uploaded while another is worked on and a third is read back.
pub const CHUNKS_IN_FLIGHT: usize = 3;

/// Multiply-adds of float32 to one submission: a seventh of a second for a device that does 10^12 floating-point operations in a
/// second. Windows resets a device that works for two seconds on one.
pub const SUBMISSION_MULTIPLY_ADDS: u64 = 1 << 36;

/// Submissions into which the work on so many matrices is cut. A chunk of small ones is never too long; a matrix of order 4,096 is
/// just not, in float32. A complex multiply-add counts as four, and one of float64 as sixteen: many GPUs have a thirty-second of the
/// units for it.
pub const fn submissions(working: ScalarKind, order: u32, len: usize) -> usize {
    let each = match working {
        ScalarKind::Float32 => 1,
        ScalarKind::Complex64 => 4,
        ScalarKind::Float64 => 16,
        ScalarKind::Complex128 => 64,
    };
    let work = (order as u64).pow(3).saturating_mul(len as u64).saturating_mul(each);
    if work <= SUBMISSION_MULTIPLY_ADDS { 1 } else { work.div_ceil(SUBMISSION_MULTIPLY_ADDS) as usize }
}

/// How long to wait for a piece of work from a device that was opened here. The watchdogs of hardware's drivers reset what
/// works for more than ten seconds or so: what is silent for ten minutes will stay so. A software adapter has no
/// watchdog, and may take its time.
pub const fn patience(kind: AdapterKind) -> Option<Duration> {
    match kind {
        AdapterKind::Software => None,
        _ => Some(Duration::from_secs(600)),
    }
}

/// How a stack goes to a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct GpuPlan {
    /// What is compiled.
    pub variant: Variant,
    /// Matrices to a chunk; the last chunk may hold fewer.
    pub chunk_len: usize,
    /// Number of chunks.
    pub chunks: usize,
    /// Submissions to a chunk.
    pub submissions: usize,
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
    let kernel = gpu_kernel(work, limits)?;
    let variant = Variant::new(kernel, work.scalar, work.precision, work.order as u32);
    gpu_with(variant.suited(limits), work.len, limits)
}

/// The kernel that the GPU engine takes.
fn gpu_kernel(work: Work, limits: &GpuLimits) -> Result<Kernel, Error> {
    let working = work.working_scalar();
    let lane_words = || {
        let variant = Variant::new(Kernel::Subgroup, work.scalar, work.precision, work.order as u32);
        variant.suited(limits).lane_words()
    };
    let takes = |kernel: &Kernel| {
        work.order <= max_order(*kernel, working)
            && match kernel {
                Kernel::Thread => limits.software || work.order * work.order * working.size() / 4 <= THREAD_MOST_WORDS,
                Kernel::Subgroup => {
                    limits.subgroups.is_some_and(|(smallest, _)| smallest >= SUBGROUP_MIN_LANES)
                        && (limits.software || lane_words() <= SUBGROUP_MOST_WORDS)
                }
                Kernel::Workgroup if limits.software => work.order <= SOFTWARE_WORKGROUP_ORDER,
                _ => true,
            }
    };
    Kernel::GPU.into_iter().find(takes).ok_or_else(|| {
        let most = DEVICE_MAX_ORDER;
        let reason = format!("order {} of {working} is above {most}, the largest its kernels take", work.order);
        Error::Unsupported { engine: Engine::Gpu, reason }
    })
}

/// The chunks for a variant already chosen.
pub(crate) fn gpu_with(variant: Variant, len: usize, limits: &GpuLimits) -> Result<GpuPlan, Error> {
    let unsupported = |reason: String| Err(Error::Unsupported { engine: Engine::Gpu, reason });
    if variant.needs_float64() && !limits.float64 {
        return unsupported(format!(
            "the device does not compute in float64, which {} in this precision needs",
            variant.scalar
        ));
    }
    if variant.kernel == Kernel::Subgroup && limits.subgroups.is_none_or(|(smallest, _)| variant.parts > smallest) {
        return unsupported(format!("`subgroup` needs subgroups of {} lanes, the device has none", variant.parts));
    }
    if limits.workgroups == 0 {
        return unsupported("the device runs no workgroups".to_owned());
    }
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
    // A matrix of order 0 takes no bytes.
    let matrix_bytes = (u64::from(variant.order).pow(2) * variant.scalar.size() as u64).max(1);
    let fit = limits.binding_bytes / matrix_bytes;
    if fit == 0 {
        return unsupported(format!(
            "one matrix of order {} takes {matrix_bytes} bytes, a binding {}",
            variant.order, limits.binding_bytes
        ));
    }
    let (work, state) = variant.scratch_bytes();
    if variant.kernel == Kernel::Device && work.max(state) > limits.binding_bytes {
        return unsupported(format!(
            "order {} needs {work} bytes of working memory, a binding holds {}",
            variant.order, limits.binding_bytes
        ));
    }
    let [down, along] = variant.update_workgroups(variant.padded());
    let most = down.max(along).max(variant.padded() / variant.block);
    if variant.kernel == Kernel::Device && most > limits.workgroups {
        return unsupported(format!(
            "order {} needs {most} workgroups in a dimension, the device allows {}",
            variant.order, limits.workgroups
        ));
    }
    let dispatch = match variant.kernel {
        Kernel::Device => u64::from(variant.batch(limits)),
        _ => u64::from(limits.workgroups) * u64::from(variant.matrices),
    };
    let chunk_len = (CHUNK_BYTES / matrix_bytes).clamp(1, fit.min(dispatch)) as usize;
    let submissions = match variant.kernel {
        Kernel::Device => submissions(variant.working_scalar(), variant.order, chunk_len.min(len)),
        _ => 1,
    };
    Ok(GpuPlan { variant, chunk_len, chunks: len.div_ceil(chunk_len), submissions })
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
    if work.order < AUTO_MIN_ORDER || work.len.saturating_mul(work.order.saturating_mul(work.order)) < AUTO_MIN_ELEMENTS
    {
        return Err(format!("{} matrices of order {} are not worth the trip to a GPU", work.len, work.order));
    }
    Ok(())
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

// ---------------------------------------------------------------------------------------------------------
// Matrices of other crates, column by column

/// Elements that [`host`](crate::host) turns into rows, inverts and turns back at once on the CPU: few enough to stay in a
/// core's cache. 2^16 to 2^20 took up to twice as long.
pub const HOST_CPU_PIECE: usize = 1 << 15;

/// The same on a GPU, where each piece is a trip to the device: enough for its chunks to overlap.
pub const HOST_GPU_PIECE: usize = 1 << 22;

/// Elements that a thread turns in one go: fewer are turned sooner than another thread wakes.
pub const HOST_TURN: usize = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread has room for what it is given at a time, and is never given nothing.
    #[test]
    fn columns_are_shared_in_chunks() {
        for threads in [0, 1, 2, 16, 200] {
            for columns in [0, 1, 5, 100, 1_000, usize::MAX / 2] {
                assert!((1..=SPAN_CHUNK).contains(&shared_columns(columns, threads)), "{columns} on {threads}");
            }
        }
        assert!((1..2_000).all(|order| span(order) == order || [SPAN / 2, SPAN].contains(&span(order))));
    }

    #[test]
    fn a_forced_variant_is_cut_into_chunks_too() {
        let variant = Variant::new(Kernel::Workgroup, ScalarKind::Float32, Precision::Native, 65);
        let plan = gpu_with(variant, 100_000, &GpuLimits::WEBGPU_DEFAULT).unwrap();
        assert_eq!((plan.variant, plan.chunk_len), (variant, (CHUNK_BYTES / (65 * 65 * 4)) as usize));
        assert_eq!(plan.chunks, 100_000_usize.div_ceil(plan.chunk_len));
        let wide = Variant { matrices: 2, ..variant };
        assert!(gpu_with(wide, 1, &GpuLimits::WEBGPU_DEFAULT).is_err(), "264 invocations are too many");
    }
}
