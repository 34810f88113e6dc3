//! A variant: everything that the programs of a kernel are compiled for, and the sizes that follow from it.

use super::config::KernelConfig;
use super::device::DEVICE_WORK_BYTES;
use super::kernel::{SOFTWARE_ROUNDS, Size, has_cofactors};
#[cfg(feature = "gpu")]
use super::program::Program;
use super::program::{Schedule, Step};
use crate::data::arithmetic::Arithmetic;
use crate::data::engine::{GpuKernel, Op, Precision};
use crate::data::layout::Layout;
use crate::data::on_failure::OnFailure;
use crate::data::refusal::Refusal;
#[cfg(feature = "gpu")]
use crate::data::scalar::Real;
use crate::data::scalar::ScalarKind;
#[cfg(feature = "gpu")]
use crate::data::scaling::PAIRS_WINDOW;
use crate::plan::facts::GpuLimits;

/// Everything that decides the text of a kernel's programs: equal variants share their pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Variant {
    /// The kernel with its own numbers.
    pub config: KernelConfig,
    /// The operation.
    pub op: Op,
    /// The scalar of input and output.
    pub scalar: ScalarKind,
    /// The numbers that the elimination computes with.
    pub arithmetic: Arithmetic,
    /// The n of n x n: `N` in the shader.
    pub order: u32,
    /// The columns of a right-hand side, or 0: `WIDTH` in the shader.
    pub width: u32,
    /// The layout of the input: `INPUT_OFFSET` and so on in the shader.
    pub input: Layout,
    /// The layout of the output.
    pub output: Layout,
    /// True if input and output are one buffer.
    pub in_place: bool,
    /// The layout of the right-hand sides: `RHS_OFFSET` and so on in the shader.
    pub rhs: Layout,
    /// True if right-hand sides and output are one buffer.
    pub rhs_in_place: bool,
    /// True if determinants are computed too.
    pub det: bool,
    /// True if rcond is computed too.
    pub rcond: bool,
    /// The bits of the least rcond of a matrix that counts as inverted, in the real type of the scalar.
    pub min_rcond: u64,
    /// The stand-in for an inverse that does not exist.
    pub on_failure: OnFailure,
}

impl Variant {
    /// A kernel for matrices of this order, from one contiguous buffer to another, for a device with WebGPU's default
    /// limits and, if the precision needs it, float64.
    pub fn new(kernel: GpuKernel, scalar: ScalarKind, precision: Precision, order: u32) -> Self {
        let layout = Layout::contiguous(order);
        let arithmetic = Arithmetic::of(scalar, precision);
        let size = Size { op: Op::Inverse, working: scalar.working(precision), arithmetic, order, width: 0 };
        Self {
            config: KernelConfig::new(kernel, size),
            op: Op::Inverse,
            scalar,
            arithmetic,
            order,
            width: 0,
            input: layout,
            output: layout,
            in_place: false,
            rhs: Layout::columns(order, 0),
            rhs_in_place: false,
            det: false,
            rcond: false,
            min_rcond: 0,
            on_failure: OnFailure::Nan,
        }
    }

    /// The same kernel for another operation, with contiguous right-hand sides of `width` columns. Of a solution
    /// without columns, only the status remains, which `det` gives too.
    #[must_use]
    pub fn with_op(self, op: Op, width: u32) -> Self {
        let op = if op == Op::Solve && width == 0 { Op::Det } else { op };
        let layout = Layout::columns(self.order, width);
        let output = if op.gives_a_matrix() { Layout::contiguous(self.order) } else { layout };
        let new = Self { op, width, rhs: layout, output, det: op == Op::Det, ..self };
        Self { config: KernelConfig::new(self.kernel(), new.size()), ..new }
    }

    /// The same kernel that computes with other numbers.
    #[must_use]
    pub fn with_arithmetic(self, arithmetic: Arithmetic) -> Self {
        let new = Self { arithmetic, ..self };
        Self { config: KernelConfig::new(self.kernel(), new.size()), ..new }
    }

    /// The same, fitted to a device with these limits.
    #[must_use]
    pub fn suited(self, limits: &GpuLimits) -> Self {
        Self { config: self.config.suited(self.size(), limits), ..self }
    }

    /// The same without what a program does not depend on, so that its pipeline serves more variants.
    #[cfg(feature = "gpu")]
    pub(crate) fn seen_by(self, program: Program) -> Self {
        let rcond = self.rcond && program.knows_rcond;
        let (min_rcond, on_failure) = match program.gives_verdicts {
            true => (if rcond { self.min_rcond } else { 0 }, self.on_failure),
            false => (0, OnFailure::Nan),
        };
        Self { rcond, min_rcond, on_failure, ..self }
    }

    /// The kernel's name.
    pub fn kernel(self) -> GpuKernel {
        self.config.name()
    }

    /// The scalar that the elimination runs in. Pairs of float32 have the size of float64 and are taken for it.
    pub const fn working_scalar(self) -> ScalarKind {
        match self.arithmetic {
            Arithmetic::Float32 => self.scalar,
            Arithmetic::Float64 | Arithmetic::Pairs => self.scalar.working(Precision::Double),
        }
    }

    /// The exponent of the window: see `data::scaling`.
    #[cfg(feature = "gpu")]
    pub(crate) const fn window(self) -> i32 {
        match self.arithmetic {
            Arithmetic::Float32 => f32::WINDOW,
            Arithmetic::Float64 => f64::WINDOW,
            Arithmetic::Pairs => PAIRS_WINDOW,
        }
    }

    /// Returns whether an inverse is stored four real elements at a time: by rows at order 4, whole at order 2, where
    /// the layout begins each at a multiple of four. On lavapipe, `thread` then takes 0.91 of the time. Order 8 stays
    /// out: stored so, it took 0.93 of the time in float32, but 1.2 in float64.
    #[cfg(feature = "gpu")]
    pub(crate) fn stores_vec4(self) -> bool {
        let Self { op, scalar, order, input, output, in_place, .. } = self;
        let Layout { offset, matrix, row, column } = output;
        let real = matches!(scalar, ScalarKind::Float32 | ScalarKind::Float64);
        let together = match order {
            2 => row == 2,
            4 => row % 4 == 0,
            _ => false,
        };
        let whole = together && column == 1 && offset % 4 == 0 && matrix % 4 == 0;
        // Elsewhere in the buffer of the output, the input may end within four elements, which the binding cuts off.
        let read_whole = !in_place || input == output || input == output.transposed();
        self.kernel() == GpuKernel::Thread && op == Op::Inverse && real && whole && read_whole
    }

    /// The size of the systems.
    pub const fn size(self) -> Size {
        let Self { op, arithmetic, order, width, .. } = self;
        Size { op, working: self.working_scalar(), arithmetic, order, width }
    }

    /// Columns of right-hand sides that ride along at once: `RIDING` in the shader.
    pub fn riding(self) -> u32 {
        self.config.riding()
    }

    /// How often a kernel eliminates, each time for some columns: `TILES` in the shader.
    pub fn tiles(self) -> u32 {
        self.width.div_ceil(self.riding().max(1)).max(1)
    }

    /// Matrices per workgroup: `MATRICES` in the shader.
    pub fn matrices(self) -> u32 {
        self.config.matrices()
    }

    /// Invocations per workgroup: `WORKGROUP` in the shader.
    pub fn workgroup(self) -> u32 {
        self.config.workgroup(self.size())
    }

    /// Bytes of workgroup memory.
    pub fn workgroup_bytes(self) -> u32 {
        self.config.workgroup_bytes(self.size())
    }

    /// Bytes of working memory and of state for each matrix, if the kernel keeps matrices in memory.
    pub fn scratch(self) -> Option<[u64; 2]> {
        self.config.scratch(self.size())
    }

    /// Matrices in working memory at once, if the kernel needs any.
    pub fn batch(self, limits: &GpuLimits) -> Option<u32> {
        self.config.batch(self.size(), limits, DEVICE_WORK_BYTES)
    }

    /// The largest batch that bindings and 32-bit indexes allow, whatever `DEVICE_WORK_BYTES` is.
    pub fn largest_batch(self, limits: &GpuLimits) -> Option<u32> {
        self.config.batch(self.size(), limits, u64::MAX)
    }

    /// Returns whether it computes in float64 or complex128.
    pub const fn needs_float64(self) -> bool {
        matches!(self.arithmetic, Arithmetic::Float64)
    }

    /// The dispatches of a batch, in order.
    pub fn steps(self) -> Vec<Step> {
        self.config.steps(self.size(), self.rcond)
    }

    /// The same on a device with these limits.
    pub fn schedule(self, limits: &GpuLimits) -> Schedule {
        Schedule::new(self.steps(), self.batch(limits), limits)
    }

    /// Why a device with these limits cannot run it.
    pub(crate) fn refusal(self, limits: &GpuLimits) -> Option<Refusal> {
        let has_op = match self.op {
            Op::Inverse => true,
            Op::Cofactors => has_cofactors(self.kernel(), self.order as usize),
            Op::Solve | Op::Det => self.kernel() != GpuKernel::Device,
        };
        if !has_op {
            return Some(Refusal::Operation { op: self.op });
        }
        if self.needs_float64() && !limits.float64 {
            return Some(Refusal::Float64 { scalar: self.scalar });
        }
        if limits.workgroups == 0 {
            return Some(Refusal::NoWorkgroups);
        }
        if self.workgroup() > limits.invocations || self.workgroup_bytes() > limits.workgroup_bytes {
            return Some(Refusal::Workgroup {
                order: self.order,
                invocations: self.workgroup(),
                bytes: self.workgroup_bytes(),
                max_invocations: limits.invocations,
                max_bytes: limits.workgroup_bytes,
            });
        }
        let bytes = self.matrix_bytes();
        if bytes > limits.binding_bytes {
            return Some(Refusal::Binding { order: self.order, bytes, max: limits.binding_bytes });
        }
        let bytes = self.rhs_bytes();
        if bytes > limits.binding_bytes {
            return Some(Refusal::RhsBinding { width: self.width, bytes, max: limits.binding_bytes });
        }
        let rounds = self.config.rounds(self.size());
        if limits.software && self.tiles() > 1 && self.tiles().saturating_mul(rounds) > SOFTWARE_ROUNDS {
            // In tiles as wide as they can be.
            let widest = self.with_op(self.op, u32::MAX).suited(limits);
            let max = (SOFTWARE_ROUNDS / widest.config.rounds(widest.size())).max(1) * widest.riding();
            return Some(Refusal::Width { width: self.width, order: self.order, max });
        }
        self.config.refusal(self.size(), limits)
    }

    /// Bytes of one right-hand side.
    pub(crate) fn rhs_bytes(self) -> u64 {
        u64::from(self.order) * u64::from(self.width) * self.scalar.size() as u64
    }

    /// Bytes of one matrix; 1 at order 0, so that it can divide.
    pub(crate) fn matrix_bytes(self) -> u64 {
        (u64::from(self.order).pow(2) * self.scalar.size() as u64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::gpu::workgroup::Workgroup;

    /// 65 rows and columns take 9 x 9 tiles, and 72 with the padding.
    #[test]
    fn sizes_of_a_variant() {
        let variant = Variant::new(GpuKernel::Workgroup, ScalarKind::Float32, Precision::Native, 65);
        let config = Workgroup { matrices: 1, rows: 8, columns: 8, written_out: false, riding: 0 };
        assert_eq!((variant.config, config.tiles(65)), (KernelConfig::Workgroup(config), [9, 9]));
        assert_eq!((variant.matrices(), variant.workgroup()), (1, 81));
        assert_eq!(variant.workgroup_bytes(), 4 * (3 * 72 + 4 * 72 + 1 + 4 * 9 + 9 + 81 + 65 + 1 + 2));
        let thread = Variant::new(GpuKernel::Thread, ScalarKind::Float32, Precision::Native, 5);
        assert_eq!((thread.matrices(), thread.workgroup(), thread.workgroup_bytes()), (64, 64, 0));
    }

    /// Order 0 divides by nothing that is zero.
    #[test]
    fn order_0() {
        let software = GpuLimits { software: true, ..GpuLimits::WEBGPU_DEFAULT };
        for kernel in GpuKernel::ALL {
            let variant = Variant::new(kernel, ScalarKind::Float32, Precision::Native, 0);
            let suited = variant.suited(&software);
            assert!(variant.refusal(&GpuLimits::WEBGPU_DEFAULT).is_none() || kernel == GpuKernel::Subgroup, "{kernel}");
            assert!(suited.matrices() > 0 && suited.batch(&software) != Some(0), "{kernel}");
        }
    }
}
