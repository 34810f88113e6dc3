//! The description of a job.

use crate::data::engine::{Op, Precision};
use crate::data::layout::Layout;
use crate::data::on_failure::OnFailure;
use crate::data::scalar::ScalarKind;

/// The description of a [`Job`](super::Job): its matrices, which have one order and lie in one buffer, and the
/// buffers of its results.
///
/// By default the job inverts in place, from the first element of the buffer on, row-major and one matrix after
/// another. With [`JobDescriptor::solve`] it solves systems instead, with [`JobDescriptor::cofactors`] it computes
/// cofactor matrices, and with [`JobDescriptor::determinants`] alone it computes determinants and nothing else.
///
/// ```no_run
/// # use batchinv::{gpu::{GpuInverter, JobDescriptor}, plan::Layout, wgpu, ScalarKind};
/// # fn frame(gpu: &GpuInverter, instances: &wgpu::Buffer, normals: &wgpu::Buffer) -> Result<(), batchinv::Error> {
/// // The 3x3 part of column-major 4x4 transforms in, its inverse transpose as WGSL's mat3x3<f32> out.
/// let transforms = Layout { offset: 0, matrix: 16, row: 1, column: 4 };
/// let mat3x3 = Layout { offset: 0, matrix: 12, row: 1, column: 4 };
/// let descriptor = JobDescriptor::new(ScalarKind::Float32, 3, 10_000, instances)
///     .input_layout(transforms)
///     .output(normals, mat3x3.transposed());
/// let job = gpu.job(&descriptor)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct JobDescriptor<'a> {
    pub(super) scalar: ScalarKind,
    pub(super) precision: Precision,
    pub(super) order: u32,
    pub(super) capacity: u32,
    pub(super) input: (&'a wgpu::Buffer, Layout),
    /// True if the job computes cofactor matrices in place of inverses.
    pub(super) cofactors: bool,
    /// Right-hand sides and their number of columns.
    pub(super) rhs: Option<(&'a wgpu::Buffer, Layout, u32)>,
    pub(super) target: Target<'a>,
    pub(super) statuses: Option<&'a wgpu::Buffer>,
    pub(super) rconds: Option<&'a wgpu::Buffer>,
    pub(super) determinants: Option<&'a wgpu::Buffer>,
    pub(super) min_rcond: f64,
    pub(super) on_failure: OnFailure,
    pub(super) count: Option<(&'a wgpu::Buffer, u64)>,
}

/// The buffer that inverses or solutions go to.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The elements of their own matrices, or of their own right-hand sides.
    InPlace,
    /// A buffer of the caller's.
    Buffer(&'a wgpu::Buffer, Layout),
    /// A buffer that the job makes.
    Own(Layout),
}

impl<'a> JobDescriptor<'a> {
    /// Describes a job for up to `capacity` matrices of `order` in `buffer`, which needs the usage `STORAGE`.
    ///
    /// This buffer and all others of the job must belong to the device that will make it.
    /// [`GpuInverter::job_async`](crate::gpu::GpuInverter::job_async) says which it cannot check.
    pub fn new(scalar: ScalarKind, order: u32, capacity: u32, buffer: &'a wgpu::Buffer) -> Self {
        Self {
            scalar,
            precision: Precision::Native,
            order,
            capacity,
            input: (buffer, Layout::contiguous(order)),
            cofactors: false,
            rhs: None,
            target: Target::InPlace,
            statuses: None,
            rconds: None,
            determinants: None,
            min_rcond: 0.0,
            on_failure: OnFailure::Nan,
            count: None,
        }
    }

    /// The precision of the elimination; `Native` by default. A device without float64 must have been
    /// [prepared](crate::gpu::GpuInverter::prepare_async) for `Double`.
    #[must_use]
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The layout of the matrices in the buffer. In place, their inverses go to the same elements.
    #[must_use]
    pub fn input_layout(self, layout: Layout) -> Self {
        Self { input: (self.input.0, layout), ..self }
    }

    /// Solves systems A X = B with these matrices, for right-hand sides of `width` columns in a buffer, which needs the
    /// usage `STORAGE`. Each solution replaces its right-hand side, unless [`JobDescriptor::output`] or
    /// [`JobDescriptor::own_output`] sends it elsewhere. A layout whose stride from one matrix to the next is 0 stands
    /// for one matrix, or one right-hand side, for all systems. Matrices and right-hand sides may lie in one buffer.
    ///
    /// The status of a system is that of the inverse of its matrix, or -1 if the right-hand side is not finite or the
    /// solution overflows: see [`Inverter::solve`](crate::Inverter::solve). There are no rconds, and no identity on
    /// failure; with [`OnFailure::Input`], the right-hand side stands in the place of a solution that does not exist.
    ///
    /// ```no_run
    /// # use batchinv::{gpu::{GpuInverter, JobDescriptor}, plan::Layout, wgpu, ScalarKind};
    /// # fn frame(gpu: &GpuInverter, blocks: &wgpu::Buffer, forces: &wgpu::Buffer) -> Result<(), batchinv::Error> {
    /// // 10,000 systems of order 6 with one right-hand side each: the solutions replace the forces.
    /// let systems = JobDescriptor::new(ScalarKind::Float32, 6, 10_000, blocks);
    /// let job = gpu.job(&systems.solve(forces, Layout::columns(6, 1), 1))?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn solve(self, buffer: &'a wgpu::Buffer, layout: Layout, width: u32) -> Self {
        Self { rhs: Some((buffer, layout, width)), ..self }
    }

    /// Computes cofactor matrices, of orders 1 to 3, in place of inverses: see
    /// [`Inverter::cofactors`](crate::Inverter::cofactors). They go where inverses would go. Singular matrices have
    /// one, too; the status is -1 only if the matrix is not finite or a cofactor overflows. There are no rconds.
    ///
    /// The cofactor matrix of a transform's 3x3 part takes the normals of an object along, also if the transform
    /// flattens the object:
    ///
    /// ```no_run
    /// # use batchinv::{gpu::{GpuInverter, JobDescriptor}, plan::Layout, wgpu, ScalarKind};
    /// # fn frame(gpu: &GpuInverter, instances: &wgpu::Buffer, normals: &wgpu::Buffer) -> Result<(), batchinv::Error> {
    /// // The 3x3 part of column-major 4x4 transforms in, its cofactor matrix as WGSL's mat3x3<f32> out.
    /// let transforms = Layout { offset: 0, matrix: 16, row: 1, column: 4 };
    /// let mat3x3 = Layout { offset: 0, matrix: 12, row: 1, column: 4 };
    /// let descriptor = JobDescriptor::new(ScalarKind::Float32, 3, 10_000, instances).input_layout(transforms);
    /// let job = gpu.job(&descriptor.cofactors().output(normals, mat3x3))?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cofactors(self) -> Self {
        Self { cofactors: true, ..self }
    }

    /// The buffer of the determinants, two scalars for each matrix from its start: the mantissa and the exponent of
    /// [`Determinant`](crate::Determinant). It needs the usage `STORAGE`, and may hold no other data of the job.
    ///
    /// Beside [`JobDescriptor::solve`] they come with the solutions. Otherwise they are all that the job computes, and
    /// the matrices stay as they are: inverses take a second job.
    #[must_use]
    pub fn determinants(self, buffer: &'a wgpu::Buffer) -> Self {
        Self { determinants: Some(buffer), ..self }
    }

    /// The buffer and layout of the inverses; with [`Layout::transposed`], of the inverse transposes. The buffer
    /// needs the usage `STORAGE`. It may be the input's buffer. Then either each inverse replaces its own matrix,
    /// or all inverses lie apart from the matrices: behind them, before them, or beside each matrix in a struct
    /// that holds both. So do solutions, apart from the matrices, and in the place of right-hand sides or apart from
    /// them.
    #[must_use]
    pub fn output(self, buffer: &'a wgpu::Buffer, layout: Layout) -> Self {
        Self { target: Target::Buffer(buffer, layout), ..self }
    }

    /// Writes the inverses to a buffer that the job makes, [`Job::output`](super::Job::output). It is large enough
    /// for this layout and has the usages `STORAGE`, `COPY_SRC` and `VERTEX`. Gaps between the elements are zero.
    #[must_use]
    pub fn own_output(self, layout: Layout) -> Self {
        Self { target: Target::Own(layout), ..self }
    }

    /// The buffer of the status words, one `i32` per matrix from its start; by default a buffer of the job's own.
    /// It needs the usage `STORAGE`, and `COPY_SRC` for [`Job::read_statuses`](super::Job::read_statuses), and may
    /// hold no other data of the job. Only matrices that were inverted, or found to have no inverse, get a word: if
    /// any word may be read before its matrix got one, fill the buffer with -1 at first. The zeros of a new buffer
    /// mean "inverted".
    #[must_use]
    pub fn statuses(self, buffer: &'a wgpu::Buffer) -> Self {
        Self { statuses: Some(buffer), ..self }
    }

    /// The buffer of the reciprocal condition numbers, one `f32` or `f64` per matrix from its start, the real type
    /// of the scalar; by default they are not computed. It needs the usage `STORAGE`, and may hold no other data
    /// of the job.
    #[must_use]
    pub fn rconds(self, buffer: &'a wgpu::Buffer) -> Self {
        Self { rconds: Some(buffer), ..self }
    }

    /// The least reciprocal condition number of a matrix that counts as inverted; 0, the default, lets all pass. A
    /// matrix below it gets the status word -2 and keeps its inverse. The job makes a buffer for the rconds if
    /// none is given. They are those of the matrices as given. NaN lets all pass, too. Every other number compiles a
    /// shader of its own.
    #[must_use]
    pub fn min_rcond(self, min_rcond: f64) -> Self {
        Self { min_rcond, ..self }
    }

    /// What a matrix without an inverse becomes; `Nan` by default. [`OnFailure::Input`] needs inverses that do not
    /// replace their matrices.
    ///
    /// ```no_run
    /// # use batchinv::{gpu::{GpuInverter, JobDescriptor}, plan::Layout, wgpu, ScalarKind};
    /// use batchinv::OnFailure;
    /// # fn frame(gpu: &GpuInverter, transforms: &wgpu::Buffer) -> Result<(), batchinv::Error> {
    /// // A flattened object is drawn as if it had not been transformed, instead of as NaN.
    /// let descriptor = JobDescriptor::new(ScalarKind::Float32, 4, 10_000, transforms).on_failure(OnFailure::Identity);
    /// let job = gpu.job(&descriptor)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }

    /// The buffer in which [`Job::encode_indirect`](super::Job::encode_indirect) finds the number of matrices: a
    /// `u32` at a byte offset, a multiple of 4. The buffer needs the usage `STORAGE`.
    ///
    /// Every encoding has the dispatches that the whole capacity takes. A step of the kernel usually takes one; more
    /// if the device allows few workgroups or small bindings, up to
    /// [`INDIRECT_DISPATCHES`](crate::plan::INDIRECT_DISPATCHES). A larger job is refused as unsupported.
    #[must_use]
    pub fn count(self, buffer: &'a wgpu::Buffer, offset: u64) -> Self {
        Self { count: Some((buffer, offset)), ..self }
    }

    pub(super) fn op(&self) -> Op {
        match (self.rhs, self.determinants) {
            (Some(_), _) => Op::Solve,
            (None, Some(_)) => Op::Det,
            (None, None) if self.cofactors => Op::Cofactors,
            (None, None) => Op::Inverse,
        }
    }

    /// The columns of a right-hand side, or 0.
    pub(super) fn width(&self) -> u32 {
        self.rhs.map_or(0, |(_, _, width)| width)
    }

    /// Rows and columns of a matrix.
    pub(super) fn matrix(&self) -> [u32; 2] {
        [self.order, self.order]
    }

    /// Rows and columns of a result.
    pub(super) fn result(&self) -> [u32; 2] {
        [self.order, self.rhs.map_or(self.order, |(_, _, width)| width)]
    }

    /// The caller's buffers, with what they are for.
    pub(super) fn buffers(&self) -> Vec<(&'static str, &'a wgpu::Buffer)> {
        let output = match self.target {
            Target::Buffer(buffer, _) => Some(buffer),
            Target::InPlace | Target::Own(_) => None,
        };
        let buffers = [
            ("input", Some(self.input.0)),
            ("right-hand sides", self.rhs.map(|(buffer, ..)| buffer)),
            ("output", output),
            ("statuses", self.statuses),
            ("rconds", self.rconds),
            ("determinants", self.determinants),
            ("the count", self.count.map(|(buffer, _)| buffer)),
        ];
        buffers.into_iter().filter_map(|(what, buffer)| Some((what, buffer?))).collect()
    }
}
