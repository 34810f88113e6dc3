//! The CPU engine: which kernel, on which SIMD level, shared among which threads.

mod blocked;
mod lanes;
mod level;
pub mod reference;
mod rows;
mod scaling;
mod single;
mod transpose;
pub mod vector;

use fearless_simd::Simd;
use rayon::prelude::*;

pub use self::level::SimdLevel;
use self::level::at_level;
use self::vector::Vector;
use crate::inverses::{InversesMut, Status};
use crate::plan::{self, Kernel, Precision, Work};
use crate::residual::fill_rconds;
use crate::scalar::Scalar;
use crate::stack::Stack;

/// The arithmetic of `Precision::Double` for a scalar.
type DoubleOf<T> = <T as Scalar>::DoubleArithmetic;

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
pub struct Native<T>(T);

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

/// `Precision::Double`, for float32 and complex64.
pub struct Double<T>(T);

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
    // Matrices without elements, or none of whatever order.
    if stack.elements().is_empty() {
        statuses.fill(Status::INVERTED);
        if let Some(rconds) = rconds {
            fill_rconds(stack, elements, statuses, rconds);
        }
        return kernel;
    }

    let group = at_level!(level, simd => group::<_, T>(simd, precision));
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
        T::run_piece(Piece { input, elements: &mut *elements, statuses: &mut *statuses, precision, kernel, level });
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

/// What one thread does in one go: some matrices, and where their inverses and statuses go.
#[derive(Debug)]
pub struct Piece<'a, T> {
    input: Stack<'a, T>,
    elements: &'a mut [T],
    statuses: &'a mut [Status],
    precision: Precision,
    kernel: Kernel,
    level: SimdLevel,
}

/// Runs a piece with the instructions of its level.
pub fn run_piece<T: Scalar>(piece: Piece<'_, T>) {
    match piece.precision {
        Precision::Native => at_level!(piece.level, simd => run::<_, Native<T>>(simd, piece)),
        Precision::Double => at_level!(piece.level, simd => run::<_, DoubleOf<T>>(simd, piece)),
    }
}

#[inline(always)]
fn run<S: Simd, A: Arithmetic>(simd: S, piece: Piece<'_, A::Element>) {
    let Piece { input, elements, statuses, kernel, .. } = piece;
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
