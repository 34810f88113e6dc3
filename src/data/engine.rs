//! The names of engines, kernels, operations and precisions.

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

/// The operation on each matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Op {
    /// Its inverse.
    #[default]
    Inverse,
    /// The solution of the system with it.
    Solve,
    /// Its determinant.
    Det,
    /// Its cofactor matrix.
    Cofactors,
}

impl Op {
    /// Returns whether the result is a matrix of the same order.
    pub(crate) const fn gives_a_matrix(self) -> bool {
        matches!(self, Self::Inverse | Self::Cofactors)
    }

    /// The operation's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inverse => "inverse",
            Self::Solve => "solve",
            Self::Det => "det",
            Self::Cofactors => "cofactors",
        }
    }
}

/// The precision of the elimination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precision {
    /// The scalar's own.
    #[default]
    Native,
    /// float64 or complex128, rounded at the end, as NumPy does for float32 and complex64. With float64, every element
    /// lies within a unit in the last place of the rounded float64 inverse. The same as `Native` for float64 and
    /// complex128.
    ///
    /// A GPU without float64 computes in pairs of float32 instead
    /// ([`Arithmetic::Pairs`](crate::Arithmetic::Pairs)). With X64 for the float64 inverse, ||X - X64||_1 is then at
    /// most 1.2e-7 ||X64||_1, twice the unit roundoff of float32, as long as the condition number in the 1-norm is at
    /// most 2^20 and elimination does not make elements much larger than those of A. For a matrix that is scaled by
    /// rows and columns, this holds of the scaled matrix. Small elements of X may lose digits beside large ones.
    Double,
}

/// A kernel of the CPU engine, named after how a matrix lies in SIMD vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CpuKernel {
    /// One SIMD lane holds one matrix.
    Lanes,
    /// One matrix at a time, its rows in SIMD vectors. Its bits equal those of `Lanes`.
    Rows,
    /// One matrix at a time, its columns in SIMD vectors, several pivots per pass.
    Blocked,
}

impl CpuKernel {
    /// `lanes`, `rows` or `blocked`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lanes => "lanes",
            Self::Rows => "rows",
            Self::Blocked => "blocked",
        }
    }
}

/// A kernel of the GPU engine, named after who works together on one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GpuKernel {
    /// One invocation inverts one matrix in its registers.
    Thread,
    /// Some lanes of a subgroup hold the rows in their registers and shuffle pivot rows among themselves.
    Subgroup,
    /// The invocations of a workgroup hold the rows and share pivot rows through workgroup memory.
    Workgroup,
    /// The matrix stays in memory, and many workgroups share it.
    Device,
}

impl GpuKernel {
    /// All of them, in the order in which a plan prefers them.
    pub const ALL: [Self; 4] = [Self::Thread, Self::Subgroup, Self::Workgroup, Self::Device];

    /// The kernel's word, which is also the name of its shader file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Subgroup => "subgroup",
            Self::Workgroup => "workgroup",
            Self::Device => "device",
        }
    }
}

/// The kernel that did the work of a call, on either engine.
///
/// ```
/// use batchinv::{CpuKernel, GpuKernel, Kernel};
/// assert_eq!(Kernel::Cpu(CpuKernel::Lanes).name(), "lanes");
/// assert_eq!(Kernel::from(GpuKernel::Device).to_string(), "device");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// On the CPU engine.
    Cpu(CpuKernel),
    /// On the GPU engine.
    Gpu(GpuKernel),
}

impl Kernel {
    /// The kernel's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu(kernel) => kernel.name(),
            Self::Gpu(kernel) => kernel.name(),
        }
    }

    /// The engine that the kernel belongs to.
    pub const fn engine(self) -> Engine {
        match self {
            Self::Cpu(_) => Engine::Cpu,
            Self::Gpu(_) => Engine::Gpu,
        }
    }
}

impl From<CpuKernel> for Kernel {
    fn from(kernel: CpuKernel) -> Self {
        Self::Cpu(kernel)
    }
}

impl From<GpuKernel> for Kernel {
    fn from(kernel: GpuKernel) -> Self {
        Self::Gpu(kernel)
    }
}

/// Displays a value by its `name`.
macro_rules! display_name {
    ($($named:ident),*) => {$(
        impl std::fmt::Display for $named {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    )*};
}

display_name!(Engine, Op, CpuKernel, GpuKernel, Kernel);
