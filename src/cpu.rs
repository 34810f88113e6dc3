//! The CPU engine: which kernel, on which SIMD level, shared among which threads.

mod blocked;
mod lanes;
pub mod reference;
mod rows;
mod scaling;
mod single;
mod transpose;
pub mod vector;

use fearless_simd::{Level, Simd, dispatch};
use rayon::prelude::*;

use self::vector::Vector;
use crate::inverses::{InversesMut, Status};
use crate::plan::{self, Kernel, Precision, Work};
use crate::residual::fill_rconds;
use crate::scalar::Scalar;
use crate::stack::Stack;

/// The instructions that the CPU engine uses.
///
/// The best level of the machine is found at run time. A lower one can be forced, for tests and comparisons.
#[derive(Clone, Copy, Debug)]
pub struct SimdLevel(Level);

impl SimdLevel {
    /// The best that this machine has.
    pub fn best() -> Self {
        Self(Level::new())
    }

    /// All that this machine has, from the baseline that the crate was compiled for to the best.
    pub fn all() -> Vec<Self> {
        let best = Level::new();
        let mut levels = vec![Self(Level::baseline())];
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            levels.extend(best.as_sse4_2().map(|level| Self(level.level())));
            levels.extend(best.as_avx2().map(|level| Self(level.level())));
            levels.extend(best.as_avx512().map(|level| Self(level.level())));
        }
        levels.dedup_by_key(|level| level.name());
        let _ = best;
        levels
    }

    /// `sse2`, `sse4.2`, `avx2`, `avx512`, `neon`, or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Sse2(_) => "sse2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Sse4_2(_) => "sse4.2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Avx2(_) => "avx2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => "neon",
            _ => "portable",
        }
    }
}

/// The scalar that comes in, and the one that the elimination runs in.
pub trait Arithmetic {
    /// Of input and output.
    type Element: Scalar;
    /// Of the elimination.
    type Work: Scalar;
    /// Exact.
    fn widen(element: Self::Element) -> Self::Work;
    /// Rounded to nearest.
    fn narrow(work: Self::Work) -> Self::Element;
    /// Whether `narrow` rounds.
    const NARROWS: bool;
    /// The elements themselves, where both are one type.
    fn as_work(elements: &[Self::Element]) -> Option<&[Self::Work]>;
    /// The elements themselves, where both are one type.
    fn as_work_mut(elements: &mut [Self::Element]) -> Option<&mut [Self::Work]>;
}

/// `Precision::Native`.
struct Native<T>(T);

impl<T: Scalar> Arithmetic for Native<T> {
    type Element = T;
    type Work = T;

    #[inline(always)]
    fn widen(element: T) -> T {
        element
    }

    #[inline(always)]
    fn narrow(work: T) -> T {
        work
    }

    const NARROWS: bool = false;

    #[inline(always)]
    fn as_work(elements: &[T]) -> Option<&[T]> {
        Some(elements)
    }

    #[inline(always)]
    fn as_work_mut(elements: &mut [T]) -> Option<&mut [T]> {
        Some(elements)
    }
}

/// `Precision::Double`.
struct Double<T>(T);

impl<T: Scalar> Arithmetic for Double<T> {
    type Element = T;
    type Work = T::Double;

    #[inline(always)]
    fn widen(element: T) -> T::Double {
        element.to_double()
    }

    #[inline(always)]
    fn narrow(work: T::Double) -> T {
        T::from_double(work)
    }

    const NARROWS: bool = true;

    fn as_work(_: &[T]) -> Option<&[T::Double]> {
        None
    }

    fn as_work_mut(_: &mut [T]) -> Option<&mut [T::Double]> {
        None
    }
}

/// Inverts a stack into outputs that fit it. Returns the kernel that ran.
pub fn invert<T: Scalar>(
    stack: Stack<'_, T>,
    output: InversesMut<'_, T>,
    precision: Precision,
    level: SimdLevel,
) -> Kernel {
    let work = Work { scalar: T::KIND, precision, order: stack.order(), len: stack.len() };
    let kernel = plan::cpu_kernel(work);
    let InversesMut { elements, statuses, mut rconds } = output;
    if stack.order() == 0 {
        statuses.fill(Status::INVERTED);
        if let Some(rconds) = rconds {
            fill_rconds(stack, elements, statuses, rconds);
        }
        return kernel;
    }

    let group = dispatch!(level.0, simd => group::<_, T>(simd, precision));
    let reported = match kernel {
        Kernel::Lanes if !plan::fills_lanes(stack.len().min(group), group) => Kernel::Rows,
        kernel => kernel,
    };
    let size = stack.order() * stack.order();
    let per_task = plan::cpu_task_len(stack.order());
    let parallel = plan::cpu_parallel(work) && rayon::current_num_threads() > 1;
    let task_len = if parallel { per_task } else { stack.len().max(1) };
    let piece = |index: usize, elements: &mut [T], statuses: &mut [Status], rconds: Option<&mut [T::Real]>| {
        let input = stack.slice(index * task_len..index * task_len + statuses.len());
        run_piece(input, elements, statuses, precision, kernel, level);
        if let Some(rconds) = rconds {
            fill_rconds(input, elements, statuses, rconds);
        }
    };
    if !parallel {
        piece(0, elements, statuses, rconds);
        return reported;
    }
    let outputs = elements.par_chunks_mut(task_len * size).zip(statuses.par_chunks_mut(task_len));
    match &mut rconds {
        None => outputs.enumerate().for_each(|(index, (elements, statuses))| piece(index, elements, statuses, None)),
        Some(rconds) => outputs
            .zip(rconds.par_chunks_mut(task_len))
            .enumerate()
            .for_each(|(index, ((elements, statuses), rconds))| piece(index, elements, statuses, Some(rconds))),
    }
    reported
}

/// Matrices that fill a vector's lanes.
#[inline(always)]
fn group<S: Simd, T: Scalar>(_: S, precision: Precision) -> usize {
    match precision {
        Precision::Native => T::Vector::<S>::LANES,
        Precision::Double => <T::Double as Scalar>::Vector::<S>::LANES,
    }
}

fn run_piece<T: Scalar>(
    input: Stack<'_, T>,
    elements: &mut [T],
    statuses: &mut [Status],
    precision: Precision,
    kernel: Kernel,
    level: SimdLevel,
) {
    match precision {
        Precision::Native => dispatch!(level.0, simd => run::<_, Native<T>>(simd, input, elements, statuses, kernel)),
        Precision::Double => dispatch!(level.0, simd => run::<_, Double<T>>(simd, input, elements, statuses, kernel)),
    }
}

#[inline(always)]
fn run<S: Simd, A: Arithmetic>(
    simd: S,
    input: Stack<'_, A::Element>,
    elements: &mut [A::Element],
    statuses: &mut [Status],
    kernel: Kernel,
) {
    let n = input.order();
    let mut single = single::Single::<S, A>::new();
    let mut lanes = lanes::Lanes::<S, A>::new();
    let group = <A::Work as Scalar>::Vector::<S>::LANES;
    let inputs = input.elements().chunks(group * n * n);
    for ((input, output), statuses) in inputs.zip(elements.chunks_mut(group * n * n)).zip(statuses.chunks_mut(group)) {
        if kernel == Kernel::Lanes && plan::fills_lanes(statuses.len(), group) {
            lanes::invert_group(simd, &mut lanes, n, input, output, statuses);
        } else {
            // `rows` gives the bits of `lanes`.
            let kernel = if kernel == Kernel::Lanes { Kernel::Rows } else { kernel };
            let matrices = input.chunks_exact(n * n).zip(output.chunks_exact_mut(n * n));
            for ((input, output), status) in matrices.zip(statuses) {
                *status = single::invert_matrix(simd, &mut single, kernel, n, input, output);
            }
        }
    }
}
