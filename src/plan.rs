//! Plans: which engine, which kernel, which pieces. They are decided here, from plain facts, before anything runs.
//!
//! Everything in this module is a pure function of the work and of the facts of a host or an adapter, so that tests
//! compare plans as values, without a device. A plan is made once, in [`Choice`], and runs as it was made.
//!
//! The numbers, and the fields of [`Variant`], [`GpuPlan`], [`CpuPlan`], [`CpuTuning`], [`GpuLimits`] and
//! [`AdapterFacts`], are public to be read, and change with new measurements in any release. [`Work`] and [`Layout`]
//! follow semantic versioning.

pub(crate) mod choose;
pub(crate) mod cpu;
pub(crate) mod facts;
pub(crate) mod gpu;
pub(crate) mod host;
pub(crate) mod work;

pub use self::choose::{AUTO_MIN_ELEMENTS, AUTO_MIN_ORDER, AutoPolicy, Choice, Plan, choose, worth_the_trip};
pub use self::cpu::{CpuFacts, CpuPlan, CpuTuning, Sharing, TIMED_FLOPS, lanes_max_order};
pub use self::facts::{AdapterFacts, AdapterKind, GpuLimits};
pub use self::gpu::config::{KernelConfig, max_order};
pub use self::gpu::device::{
    DEVICE_BLOCK, DEVICE_COPIED_PANEL_WORDS, DEVICE_LARGE_PANEL, DEVICE_MAX_ORDER, DEVICE_OUTER_BLOCK,
    DEVICE_PANEL_INVOCATIONS, DEVICE_PANEL_SCALARS, DEVICE_PANEL_WORDS, DEVICE_PITCH_BREAK, DEVICE_SOFTWARE_TILE,
    DEVICE_SOFTWARE_WIDE_TILE, DEVICE_TILE, DEVICE_WIDE_ORDER, DEVICE_WORK_BYTES, Device, Tile,
};
pub use self::gpu::kernel::Size;
pub use self::gpu::program::{CountTable, Dispatch, Grid, INDIRECT_DISPATCHES, MAX_MATRICES, Program, Schedule, Step};
pub use self::gpu::subgroup::{SUBGROUP_FEW_WORDS, SUBGROUP_MIN_LANES, SUBGROUP_ROWS, SUBGROUP_WORKGROUP, Subgroup};
pub use self::gpu::thread::{THREAD_MAX_WORDS, THREAD_WORDS, THREAD_WORKGROUP, Thread};
pub use self::gpu::variant::Variant;
pub use self::gpu::workgroup::{SOFTWARE_WORKGROUP_ORDER, WORKGROUP_INVOCATIONS, WORKGROUP_TILE_BYTES, Workgroup};
pub use self::gpu::{CHUNK_BYTES, CHUNKS_IN_FLIGHT, GpuPlan, SUBMISSION_MULTIPLY_ADDS, gpu, patience, submissions};
pub use self::host::{HOST_CPU_PIECE, HOST_GPU_PIECE, HOST_TRANSPOSE};
pub use self::work::{COFACTORS_MAX_ORDER, Work};
pub use crate::data::layout::Layout;
