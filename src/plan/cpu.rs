//! The CPU engine's plan, and all of its tuning as one value.

use super::work::Work;
use crate::data::engine::{CpuKernel, Op, Precision};
use crate::data::scalar::ScalarKind;

/// How a stack goes through the CPU engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuPlan {
    /// The kernel. `Lanes` leaves a last group that is less than half full to `Rows`, or when it solves to `Blocked`,
    /// which gives the same bits. It fills such a group up for cofactor matrices.
    pub kernel: CpuKernel,
    /// The precision of the elimination.
    pub precision: Precision,
    /// Matrices per task; the last task may hold fewer.
    pub task_len: usize,
    /// How threads share the work.
    pub sharing: Sharing,
    /// True if the report gives the time.
    pub timed: bool,
    /// The numbers that the kernel works with.
    pub tuning: CpuTuning,
}

/// How threads share a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// The calling thread does everything.
    None,
    /// Each thread takes tasks of whole matrices.
    Tasks,
    /// All threads work on each matrix together.
    Columns,
}

/// The facts of the host that a CPU plan depends on.
///
/// The default is one thread with vectors of 16 bytes and the measured tuning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuFacts {
    /// The number of threads.
    pub threads: usize,
    /// Bytes of a SIMD vector.
    pub vector_bytes: usize,
    /// The tuning.
    pub tuning: CpuTuning,
}

impl Default for CpuFacts {
    fn default() -> Self {
        Self::new(1, 16)
    }
}

impl CpuFacts {
    /// A host with this many threads and vectors of this many bytes, and the measured tuning.
    pub const fn new(threads: usize, vector_bytes: usize) -> Self {
        Self { threads, vector_bytes, tuning: CpuTuning::MEASURED }
    }
}

impl CpuPlan {
    /// Plans this work for this host.
    #[inline]
    pub fn new(work: Work, facts: &CpuFacts) -> Self {
        let &CpuFacts { threads, vector_bytes, tuning } = facts;
        let Work { order, len, precision, .. } = work;
        let group = vector_bytes / work.working_scalar().real_size();
        let short = order > 0 && len > 0 && !fills_lanes(len.min(group), group);
        if !work.op.gives_a_matrix() {
            return Self::factors(work, facts, short);
        }
        let kernel = match tuning.kernel(work) {
            _ if work.op == Op::Cofactors => CpuKernel::Lanes,
            CpuKernel::Lanes if short => CpuKernel::Rows,
            kernel => kernel,
        };
        let sharing = match (threads > 1 && tuning.is_parallel(work), kernel) {
            (false, _) => Sharing::None,
            (true, CpuKernel::Blocked) if tuning.shares_columns(order, len, threads) => Sharing::Columns,
            (true, _) => Sharing::Tasks,
        };
        let task_len = match (kernel, sharing) {
            (CpuKernel::Blocked, Sharing::None) => tuning.blocked_task_len(order, len, 1),
            (CpuKernel::Blocked, _) => tuning.blocked_task_len(order, len, threads),
            _ => tuning.task_len(order),
        };
        Self { kernel, precision, task_len, sharing, timed: tuning.is_timed(work), tuning }
    }

    /// Plans LU factors and what comes from them. `short` says that the stack does not fill lanes.
    fn factors(work: Work, facts: &CpuFacts, short: bool) -> Self {
        let &CpuFacts { threads, tuning, .. } = facts;
        let Work { order, width, len, precision, .. } = work;
        let size = order.saturating_mul(order.saturating_add(width));
        let kernel = match tuning.kernel(work) {
            CpuKernel::Lanes if !short && size <= tuning.system_elements => CpuKernel::Lanes,
            _ => CpuKernel::Blocked,
        };
        let sharing = match (threads > 1 && tuning.is_parallel(work), kernel) {
            (true, CpuKernel::Blocked) if tuning.shares_columns(order, len, threads) => Sharing::Columns,
            (true, _) if len > 1 => Sharing::Tasks,
            _ => Sharing::None,
        };
        let task_len = match kernel {
            // Whole groups of lanes, of which a vector has at most 16.
            CpuKernel::Lanes => (tuning.task_elements / size.max(1)).next_multiple_of(16).max(16),
            _ => (tuning.task_elements / size.max(1))
                .max(len / tuning.blocked_tasks.saturating_mul(threads).max(1))
                .max(1),
        };
        Self { kernel, precision, task_len, sharing, timed: tuning.is_timed(work), tuning }
    }
}

/// Returns whether `matrices` fill a group of `group` lanes well enough for `lanes` to beat `rows`, which takes one at
/// a time.
pub(crate) const fn fills_lanes(matrices: usize, group: usize) -> bool {
    2 * matrices >= group
}

/// The tuning of the CPU engine. Tests shrink it, to reach every path at small orders.
///
/// | number | compared on 2 cores with AVX-512 | time |
/// |---|---|---|
/// | `lanes_max_order` | full groups, float32, order 33 to 36: `lanes` / `blocked` | 0.75 to 0.85 |
/// | | a single matrix of these orders, which `rows` takes then, / `blocked` | 1.5 |
/// | `outer_block_order` | order 64: outer blocks of 32 / none, float64 and complex128 | 1.04, 0.97 |
/// | | order 96: the same | 0.96, 0.91 |
/// | | order 128: the same | 0.92, 0.87 |
/// | | orders 96 and 128: the same in float32 | 1.05, 0.95 |
/// | `wide_outer_block_order` | order 192: outer blocks of 64 / 32, float64 and complex128 | 1.07, 1.3 |
/// | | order 512: the same | 0.95, 1.0 |
/// | | order 1024: the same | 0.91, 1.0 |
/// | `shared_min_order` | order 320: two threads / one, float64, float32, complex128 | 0.82, 0.93, 0.80 |
/// | | order 256: the same | 1.0 |
/// | | order 1024: the same, float64 | 0.7 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CpuTuning {
    /// Largest order that `lanes`, and `rows` with it, takes; at most [`CpuTuning::LANES_MAX_ORDER`].
    pub lanes_max_order: usize,
    /// Pivots per panel of `blocked`; at most [`CpuTuning::BLOCK`].
    pub block: usize,
    /// Smallest order with outer blocks: below it, each panel is taken to the whole matrix.
    pub outer_block_order: usize,
    /// Columns of an outer block: a multiple of 16, at most half of [`CpuTuning::OUTER_BLOCK`], since large orders
    /// double it.
    pub outer_block: usize,
    /// Smallest order with outer blocks twice as wide, which pay once no near cache holds the matrix.
    pub wide_outer_block_order: usize,
    /// Smallest order at which threads share single matrices.
    pub shared_min_order: usize,
    /// Fewest elements per task: enough that handing out tasks costs nothing, few enough that the input and output of a
    /// task stay in the second-level cache.
    pub task_elements: usize,
    /// Tasks per thread of `blocked`: few enough that memory is allocated once for many matrices, enough that no thread
    /// waits long for the last one.
    pub blocked_tasks: usize,
    /// Most elements of a matrix with its right-hand side that `lanes` takes: more of them, in every lane, would leave
    /// the near caches.
    pub system_elements: usize,
    /// Multiply-adds below which a stack stays on the calling thread: about 20 microseconds.
    pub parallel_multiply_adds: usize,
    /// Multiply-adds below which a call is not timed: reading the clock twice takes 50 ns, a whole call for a 4x4 180.
    pub timed_multiply_adds: usize,
}

/// Multiply-adds below which a call of the CPU engine is not timed.
pub const TIMED_FLOPS: usize = CpuTuning::MEASURED.timed_multiply_adds;

impl CpuTuning {
    /// The largest `lanes_max_order`: arrays have room for orders up to it.
    pub const LANES_MAX_ORDER: usize = 32;

    /// The largest `block`: the panel that is compiled.
    pub const BLOCK: usize = 8;

    /// The largest outer block that is compiled.
    pub const OUTER_BLOCK: usize = 64;

    /// The tuning in use, as measured.
    pub const MEASURED: Self = Self {
        lanes_max_order: Self::LANES_MAX_ORDER,
        block: Self::BLOCK,
        outer_block_order: 96,
        outer_block: 32,
        wide_outer_block_order: 384,
        shared_min_order: 320,
        task_elements: 1 << 14,
        blocked_tasks: 8,
        system_elements: 1 << 12,
        parallel_multiply_adds: 1 << 17,
        timed_multiply_adds: 1 << 9,
    };

    /// The kernel for this work; `lanes` leaves groups that it would not fill to `rows`.
    pub const fn kernel(&self, work: Work) -> CpuKernel {
        if work.order <= self.lanes_max_order { CpuKernel::Lanes } else { CpuKernel::Blocked }
    }

    /// Columns of an outer block at this order; the whole matrix below `outer_block_order`.
    pub const fn outer_block(&self, order: usize) -> usize {
        if order < self.outer_block_order {
            order
        } else if order < self.wide_outer_block_order {
            self.outer_block
        } else {
            2 * self.outer_block
        }
    }

    /// Matrices per task: whole groups of lanes, of which a vector has at most 16.
    pub const fn task_len(&self, order: usize) -> usize {
        let matrices = self.task_elements / if order == 0 { 1 } else { order.saturating_mul(order) };
        if matrices >= 16 {
            matrices / 16 * 16
        } else if order <= Self::LANES_MAX_ORDER {
            16
        } else if matrices > 1 {
            matrices
        } else {
            1
        }
    }

    /// Matrices per task of `blocked`, which takes one after another: their number depends on the threads, their bits
    /// do not.
    pub const fn blocked_task_len(&self, order: usize, len: usize, threads: usize) -> usize {
        let fair = len / self.blocked_tasks.saturating_mul(if threads == 0 { 1 } else { threads });
        let least = self.task_len(order);
        if fair > least { fair } else { least }
    }

    /// Returns whether there are too few matrices for each thread to take one, so that the threads share each matrix.
    pub const fn shares_columns(&self, order: usize, len: usize, threads: usize) -> bool {
        len < threads && order >= self.shared_min_order
    }

    /// Returns whether threads share the work.
    pub const fn is_parallel(&self, work: Work) -> bool {
        (work.len > 1 || work.order >= self.shared_min_order) && work.multiply_adds() >= self.parallel_multiply_adds
    }

    /// Returns whether the report gives the time.
    pub const fn is_timed(&self, work: Work) -> bool {
        work.multiply_adds() >= self.timed_multiply_adds
    }
}

/// Largest order of `lanes`, by working scalar.
pub const fn lanes_max_order(working: ScalarKind) -> usize {
    match working {
        ScalarKind::Float32 | ScalarKind::Float64 | ScalarKind::Complex64 | ScalarKind::Complex128 => {
            CpuTuning::MEASURED.lanes_max_order
        }
    }
}

// ---------------------------------------------------------------------------------------------------------
// Sizes of the compiled kernels: they decide what registers hold, so they are constants.

/// Groups of lanes that are eliminated interleaved at orders 1 to 4, which registers hold as a whole: one group divides
/// while the others multiply.
pub(crate) const INTERLEAVED: [usize; 4] = [2, 3, 2, 1];

/// Prefetch distance of the kernels that hold matrices in registers, in bytes of input.
pub(crate) const PREFETCH_BYTES: usize = 2048;

/// `lanes` compiles each order up to this one by itself, as `cpu::task` lists them, and one body for all others.
///
/// Time is the geometric mean over orders 5 to 32 of all four scalars, in the cache, on one thread of a Zen 5, as a
/// share of commit b36051d, which compiled every order by itself:
///
/// | compiled by themselves | machine code | time with AVX-512, and at its worst order | with AVX2 |
/// |---|---|---|---|
/// | none | 1.8 MB | 1.02, 1.77 | 0.99, 1.44 |
/// | to 8 | 2.5 MB | 0.97, 1.15 | 0.98, 1.15 |
/// | to 16 | 3.9 MB | 0.97, 1.15 | 0.98, 1.14 |
/// | reals to 32, complex numbers to 8 | 4.8 MB | 0.98, 1.12 | 0.97, 1.18 |
/// | all (b36051d) | 6.6 MB | 1 | 1 |
pub(crate) const COMPILED_ORDERS: usize = 8;

/// Columns that a pass of `lanes` updates together, for vectors of this many bytes: as many as registers hold of the
/// four rows that it reads. With AVX2, float32 and float64 of orders 22 to 32 take 0.97 of the time with 5 that they
/// take with 6, and 0.99 with 4.
pub(crate) const fn pass_columns(vector_bytes: usize) -> usize {
    if vector_bytes > 32 { 6 } else { 5 }
}

/// Columns of A that `lanes` factors together, for vectors of this many bytes: registers hold them of two rows.
pub(crate) const fn factor_columns(vector_bytes: usize) -> usize {
    if vector_bytes > 32 { 6 } else { 4 }
}

/// Columns of B that `lanes` solves for together.
pub(crate) const SOLVED_COLUMNS: usize = 4;

/// Columns of a pivot row that `lanes` gathers together.
pub(crate) const GATHER_COLUMNS: usize = 8;

/// Vectors of a matrix of `rows`, with one more row, that fit on the stack: orders to 15 of float32 with AVX-512.
pub(crate) const ROWS_ON_STACK: usize = 16;

/// Columns of a real scalar that `blocked` updates together, to share the loads of a panel. Complex columns go one by
/// one.
pub(crate) const COLUMNS_TOGETHER: usize = 2;

/// The register tile of an outer block's update, as (vectors high, columns wide): its sums fit in registers, of which
/// there are 32 with AVX-512 and 16 otherwise. `parts` is 1 for a real scalar and 2 for a complex one.
pub(crate) const fn register_tile(vector_bytes: usize, parts: usize) -> (usize, usize) {
    match (vector_bytes > 32, parts == 1) {
        (true, true) => (4, 6),
        (true, false) | (false, true) => (2, 6),
        (false, false) => (1, 5),
    }
}

/// Columns that one thread takes at a time in an outer block's update.
pub(crate) const UPDATE_COLUMNS: usize = 48;

/// Register tiles of an outer block that all of these columns take before the next ones.
pub(crate) const UPDATE_STRIP: usize = 16;

/// Columns per task when threads share the update of one matrix: a few tasks per thread, none of them tiny.
pub(crate) const fn shared_columns(columns: usize, threads: usize) -> usize {
    let (_, wide) = register_tile(64, 1);
    let fair = (columns / (if threads == 0 { 1 } else { threads }).saturating_mul(4)).next_multiple_of(wide);
    if fair > UPDATE_COLUMNS {
        UPDATE_COLUMNS
    } else if fair < 2 * wide {
        2 * wide
    } else {
        fair
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread has room for the columns of its task, and a task is never empty.
    #[test]
    fn columns_are_shared_in_chunks() {
        for threads in [0, 1, 2, 16, 200] {
            for columns in [0, 1, 5, 100, 1_000, usize::MAX / 2] {
                let chunk = shared_columns(columns, threads);
                assert!((1..=UPDATE_COLUMNS).contains(&chunk), "{columns} on {threads}");
            }
        }
        let tuning = CpuTuning::MEASURED;
        let widths = [tuning.outer_block, 2 * tuning.outer_block];
        assert!((1..2_000).all(|order| [order, widths[0], widths[1]].contains(&tuning.outer_block(order))));
        assert_eq!(widths[1], CpuTuning::OUTER_BLOCK);
    }
}
