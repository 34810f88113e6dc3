//! The CPU engine: which kernel, on which SIMD level, shared among which threads.

mod ahead;
mod blocked;
mod fixed;
mod lanes;
mod level;
mod pair;
pub mod reference;
mod rows;
mod scaling;
mod single;
mod transpose;
pub mod vector;
mod window;

use fearless_simd::Simd;
use rayon::prelude::*;

pub use self::level::SimdLevel;
use self::level::at_level;
use self::vector::Vector;
use crate::inverses::{InversesMut, Status};
use crate::plan::{self, Kernel, Precision, Work};
use crate::residual::fill_rconds;
use crate::scalar::{Real, Scalar};
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

/// Inverts a stack into outputs that fit it, on the threads of the calling pool where it is `shared` among them. Returns the
/// kernel that ran.
pub fn invert<T: Scalar>(
    stack: Stack<'_, T>,
    output: InversesMut<'_, T>,
    precision: Precision,
    level: SimdLevel,
    shared: bool,
) -> Kernel {
    let at = |_: &mut Vec<T>, from: usize, elements: &mut [T], piece: PieceMut<'_, T>| {
        let until = from + piece.statuses.len();
        piece.run(Some(stack.slice(from..until)), elements);
    };
    in_pieces(stack.order(), output, precision, level, shared, at)
}

/// Inverts the matrices that `stack` holds, in place.
pub fn invert_in_place<T: Scalar>(
    order: usize,
    stack: InversesMut<'_, T>,
    precision: Precision,
    level: SimdLevel,
    shared: bool,
) -> Kernel {
    let most = plan::cpu_task_len(order);
    let at = |copy: &mut Vec<T>, _: usize, elements: &mut [T], piece: PieceMut<'_, T>| {
        // One matrix at a time is read to its end before its inverse is written.
        if piece.kernel != Kernel::Lanes && piece.rconds.is_none() {
            return piece.run(None, elements);
        }
        let PieceMut { order, statuses, rconds, precision, kernel, shared, level } = piece;
        let mut rconds = rconds.map(|rconds| rconds.chunks_mut(most));
        // Tasks of `blocked` are long: in parts, the copy stays in the cache.
        let parts = elements.chunks_mut(most * order * order).zip(statuses.chunks_mut(most));
        for (elements, statuses) in parts {
            copy.clear();
            copy.extend_from_slice(elements);
            let given = Stack::with_len(copy, order, statuses.len()).expect("a copy is as long as what was copied");
            let rconds = rconds.as_mut().and_then(Iterator::next);
            PieceMut { order, statuses, rconds, precision, kernel, shared, level }.run(Some(given), elements);
        }
    };
    in_pieces(order, stack, precision, level, shared, at)
}

/// A task of the size that `plan` gives it, but for its elements, which `at` gets with working memory and the number of
/// its first matrix.
struct PieceMut<'a, T: Scalar> {
    order: usize,
    statuses: &'a mut [Status],
    rconds: Option<&'a mut [T::Real]>,
    precision: Precision,
    kernel: Kernel,
    shared: bool,
    level: SimdLevel,
}

impl<T: Scalar> PieceMut<'_, T> {
    /// Inverts `input`, or, without one, what stands in `elements`.
    fn run(self, input: Option<Stack<'_, T>>, elements: &mut [T]) {
        let Self { order, statuses, rconds, precision, kernel, shared, level } = self;
        debug_assert!(input.is_some() || rconds.is_none(), "rcond needs the matrix beside its inverse");
        let matrices = input.as_ref().map(Stack::elements);
        let piece = Piece { order, input: matrices, elements, statuses, precision, kernel, shared, level };
        T::run_piece(piece);
        if let (Some(input), Some(rconds)) = (input, rconds) {
            fill_rconds(input, elements, statuses, rconds);
        }
    }
}

fn in_pieces<T: Scalar>(
    order: usize,
    output: InversesMut<'_, T>,
    precision: Precision,
    level: SimdLevel,
    shared: bool,
    at: impl Fn(&mut Vec<T>, usize, &mut [T], PieceMut<'_, T>) + Sync,
) -> Kernel {
    let InversesMut { elements, statuses, rconds } = output;
    let len = statuses.len();
    let work = Work { scalar: T::KIND, precision, order, len };
    let kernel = plan::cpu_kernel(work);
    // Matrices without elements, or none of whatever order.
    if elements.is_empty() {
        statuses.fill(Status::INVERTED);
        if let Some(rconds) = rconds {
            rconds.fill(T::Real::from_f64(f64::INFINITY));
        }
        return kernel;
    }

    let group = at_level!(level, simd => group::<_, T>(simd, precision));
    let reported = match kernel {
        Kernel::Lanes if !plan::fills_lanes(len.min(group), group) => Kernel::Rows,
        kernel => kernel,
    };
    let size = order * order;
    let threads = if shared { rayon::current_num_threads() } else { 1 };
    let task_len = match kernel {
        Kernel::Blocked => plan::blocked_task_len(order, len, threads),
        _ => plan::cpu_task_len(order),
    };
    // Each matrix among all threads, or the matrices.
    let within = shared && kernel == Kernel::Blocked && plan::shares_matrices(order, len, threads);
    let task = |copy: &mut Vec<T>, (index, ((elements, statuses), rconds)): (usize, Outputs<'_, T>)| {
        let piece = PieceMut { order, statuses, rconds, precision, kernel, shared: within, level };
        at(copy, index * task_len, elements, piece);
    };
    if shared && !within {
        let outputs = elements.par_chunks_mut(task_len * size).zip(statuses.par_chunks_mut(task_len));
        match rconds {
            None => outputs.map(|output| (output, None)).enumerate().for_each_init(Vec::new, task),
            Some(rconds) => {
                outputs.zip(rconds.par_chunks_mut(task_len).map(Some)).enumerate().for_each_init(Vec::new, task)
            }
        }
        return reported;
    }
    let one_after_another = || {
        let mut copy = Vec::new();
        let mut rconds = rconds.map(|rconds| rconds.chunks_mut(task_len));
        let outputs = elements.chunks_mut(task_len * size).zip(statuses.chunks_mut(task_len));
        for (index, output) in outputs.enumerate() {
            task(&mut copy, (index, (output, rconds.as_mut().and_then(Iterator::next))));
        }
    };
    if within {
        // From a thread of the pool, which shares out what it does in no time.
        rayon::scope(|_| one_after_another());
    } else {
        one_after_another();
    }
    reported
}

/// The elements, the statuses and, where asked for, the reciprocal condition numbers of a task.
type Outputs<'a, T> = ((&'a mut [T], &'a mut [Status]), Option<&'a mut [<T as Scalar>::Real]>);

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
    order: usize,
    /// The matrices; where there are none, they stand in `elements`, from where `lanes` cannot take them.
    input: Option<&'a [T]>,
    elements: &'a mut [T],
    statuses: &'a mut [Status],
    precision: Precision,
    kernel: Kernel,
    /// Whether the threads of the calling pool share each matrix.
    shared: bool,
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
    let Piece { order: n, input, elements, statuses, kernel, shared, .. } = piece;
    let group = <A::Work as Scalar>::Vector::<S>::LANES;
    // What does not fill a group goes to `rows`, which gives the bits of `lanes`.
    let rest = statuses.len() % group;
    let in_lanes = match kernel {
        Kernel::Lanes if plan::fills_lanes(rest, group) => statuses.len(),
        Kernel::Lanes => statuses.len() - rest,
        _ => 0,
    };
    let (output, rest_output) = elements.split_at_mut(in_lanes * n * n);
    let (statuses, rest_statuses) = statuses.split_at_mut(in_lanes);
    let (input, rest) = input.map(|input| input.split_at(in_lanes * n * n)).unzip();
    if in_lanes > 0 {
        let input = input.expect("`lanes` is given its matrices apart");
        lanes::invert(simd, &mut lanes::Lanes::<S, A>::new(), n, input, output, statuses);
    }
    let kernel = if kernel == Kernel::Lanes { Kernel::Rows } else { kernel };
    let mut single = single::Single::<S, A>::new();
    let mut matrices = rest.map(|rest| rest.chunks_exact(n * n));
    for (output, status) in rest_output.chunks_exact_mut(n * n).zip(rest_statuses) {
        let input = matrices.as_mut().and_then(Iterator::next);
        *status = single::invert_matrix(simd, &mut single, (kernel, shared), n, input, output);
    }
}
