//! Why an engine cannot do some work, as a value whose words are made only when somebody reads them.

use super::engine::Op;
use super::scalar::ScalarKind;

/// Why an engine cannot do some work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The kernel does not have the operation.
    #[error("the kernel does not have the operation `{op}`")]
    Operation {
        /// The operation.
        op: Op,
    },

    /// The call asks for rconds, which come from inverses.
    #[error("`{op}` gives no rconds")]
    NoRconds {
        /// The operation.
        op: Op,
    },

    /// The call asks for the identity in the place of a result that is not square.
    #[error("`{op}` gives no identity on failure")]
    NoIdentity {
        /// The operation.
        op: Op,
    },

    /// The order is above the largest that any kernel takes.
    #[error("order {order} of {scalar} is above {max}, the largest its kernels take")]
    Order {
        /// The order of the matrices.
        order: usize,
        /// The scalar that the elimination would run in.
        scalar: ScalarKind,
        /// The largest order.
        max: usize,
    },

    /// The device lacks float64.
    #[error("the device does not compute in float64, which {scalar} in this precision needs")]
    Float64 {
        /// The scalar of input and output.
        scalar: ScalarKind,
    },

    /// The device's sums and products of float32 do not come with exact rounding errors.
    #[error(
        "the device has no float64, and was found to lose digits of pairs of float32: compute in the scalar's own \
         precision, or on the CPU"
    )]
    InexactPairs,

    /// A job would compute in pairs of float32, and nobody has found out yet if the device does that right.
    #[error(
        "without float64, a job in double precision needs a device that was prepared for it: call \
         `GpuInverter::prepare` or `prepare_async` first"
    )]
    Unprepared,

    /// The device's subgroups are too small, or it has none.
    #[error("`subgroup` needs subgroups of {lanes} lanes, the device has none")]
    Subgroups {
        /// The number of lanes that share a matrix.
        lanes: u32,
    },

    /// The device allows no workgroup at all.
    #[error("the device runs no workgroups")]
    NoWorkgroups,

    /// A workgroup would be too large.
    #[error(
        "order {order} needs workgroups of {invocations} invocations with {bytes} bytes, the device allows \
         {max_invocations} with {max_bytes}"
    )]
    Workgroup {
        /// The order of the matrices.
        order: u32,
        /// Invocations per workgroup.
        invocations: u32,
        /// Bytes of workgroup memory.
        bytes: u32,
        /// The most invocations per workgroup that the device allows.
        max_invocations: u32,
        /// The most bytes of workgroup memory that the device allows.
        max_bytes: u32,
    },

    /// A dispatch would need too many workgroups in one dimension.
    #[error("order {order} needs {needed} workgroups in a dimension, the device allows {max}")]
    Workgroups {
        /// The order of the matrices.
        order: u32,
        /// Workgroups in the largest dimension.
        needed: u32,
        /// The most that the device allows.
        max: u32,
    },

    /// One matrix does not fit in a binding.
    #[error("one matrix of order {order} takes {bytes} bytes, a binding {max}")]
    Binding {
        /// The order of the matrices.
        order: u32,
        /// Bytes of one matrix.
        bytes: u64,
        /// The most bytes that the device binds.
        max: u64,
    },

    /// One right-hand side does not fit in a binding.
    #[error("one right-hand side of {width} columns takes {bytes} bytes, a binding {max}")]
    RhsBinding {
        /// The columns of the right-hand side.
        width: u32,
        /// Bytes of one right-hand side.
        bytes: u64,
        /// The most bytes that the device binds.
        max: u64,
    },

    /// A right-hand side has more columns than a software driver can go through.
    #[error("a software driver takes at most {max} columns of right-hand sides at order {order}, not {width}")]
    Width {
        /// The columns of the right-hand side.
        width: u32,
        /// The order of the matrices.
        order: u32,
        /// The most columns.
        max: u32,
    },

    /// The working memory of one matrix does not fit in a binding.
    #[error("order {order} needs {bytes} bytes of working memory, a binding holds {max}")]
    WorkingMemory {
        /// The order of the matrices.
        order: u32,
        /// Bytes of working memory for one matrix.
        bytes: u64,
        /// The most bytes that the device binds.
        max: u64,
    },

    /// One result and its status do not fit in a buffer.
    #[error("order {order} takes {bytes} bytes and its status, a buffer {max}")]
    Buffer {
        /// The order of the matrices.
        order: usize,
        /// Bytes of one inverse or solution.
        bytes: u64,
        /// The most bytes of a buffer of this device.
        max: u64,
    },

    /// An indirect job would take too many dispatches. All of them are encoded, whatever the count turns out to be.
    #[error("an indirect job of this order takes at most {max} matrices on this device")]
    IndirectCapacity {
        /// The largest capacity.
        max: u32,
    },

    /// A plan made for other matrices.
    #[error("a plan for order {planned} does not fit order {order}")]
    Plan {
        /// The order that the plan is for.
        planned: u32,
        /// The order of the matrices.
        order: usize,
    },

    /// The device refuses a program.
    #[error("the device refuses {program}: {detail}")]
    Program {
        /// The program's label.
        program: String,
        /// The device's message.
        detail: String,
    },

    /// A blocking call in a callback of wgpu's that runs on a thread of the engine.
    #[error(
        "a blocking call on a thread of the engine, in a callback of wgpu's for example, would wait for itself: call \
         it from another thread, or await the async form on one"
    )]
    OwnThread,

    /// The system refuses to start threads.
    #[error("starting {count} threads: {detail}")]
    Threads {
        /// The number of threads.
        count: usize,
        /// The system's message.
        detail: String,
    },
}
