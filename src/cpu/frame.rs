//! The one frame around every kernel.
//!
//! ```text
//! for each group:   load -> window test -> scale | eliminate | unscale -> store -> verdicts
//!                   memory  balance                balance     memory   frame
//! ```
//!
//! A kernel is an elimination of matrices in vectors. Two steps are fused into its neighbors for speed: `load` tests
//! the window on its way, and `store` looks for numbers that are not finite.

use fearless_simd::{Simd, SimdBase, SimdMask};

use crate::cpu::arithmetic::Arithmetic;
use crate::cpu::balance::{self, Balance, MAX_MATRICES, PerMatrix};
use crate::cpu::simd::lane::{Lane, Magnitude};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::vector::Vector;
use crate::data::scalar::Scalar;
use crate::data::scaling;
use crate::data::status::Status;
use crate::plan::cpu::CpuTuning;

/// Vectors of the scalar that an arithmetic works in.
pub type Vectors<S, A> = <<A as Arithmetic>::Work as Lane>::Vector<S>;
/// Vectors of its reals.
pub type Reals<S, A> = Magnitude<<A as Arithmetic>::Work, S>;

/// The settings of an elimination.
#[derive(Clone, Copy)]
pub struct Settings {
    /// The n of n x n.
    pub order: usize,
    /// The numbers that the kernel works with.
    pub tuning: CpuTuning,
    /// True if the threads of the calling pool share each matrix.
    pub shared: bool,
}

/// Matrices in vectors, and how to eliminate them. A kernel knows neither scaling nor statuses.
pub trait Kernel<S: Simd, A: Arithmetic>: Sized {
    /// Working memory that is kept from call to call.
    type Kept: Default;

    /// The columns with zero pivots.
    type ZeroPivots: ZeroPivots;

    /// Groups that are eliminated together.
    const GROUPS: usize = 1;

    /// True if every lane holds a matrix of its own; otherwise all lanes together hold one.
    const MATRIX_PER_LANE: bool;

    /// Matrices that are eliminated together.
    const MATRICES: usize = if Self::MATRIX_PER_LANE { Self::GROUPS * Vectors::<S, A>::LANES } else { 1 };

    /// Bytes of input by which the frame prefetches ahead; 0 for no prefetch.
    const PREFETCH_BYTES: usize = 0;

    /// The order, as a constant if the kernel is compiled for one.
    #[inline(always)]
    fn order(settings: &Settings) -> usize {
        settings.order
    }

    /// Takes the working memory.
    fn open(simd: S, settings: &Settings, kept: &mut Self::Kept) -> Self;

    /// Gives the working memory back.
    #[inline(always)]
    fn close(self, _: &mut Self::Kept) {}

    /// Reads the matrices. Returns whether all elements are known to lie in the window that needs no scaling; `false`
    /// may also mean that there are zeros or NaN.
    fn load(&mut self, simd: S, input: &[A::Element]) -> bool;

    /// The vectors of a group.
    fn vectors(&mut self, group: usize) -> &mut [Vectors<S, A>];

    /// Replaces one matrix of the group.
    fn replace(&mut self, matrix: usize, elements: &[A::Work]);

    /// Inverts in place, up to the order of rows or columns, which `store` knows. `prefetch` holds the next matrices
    /// and the place of the inverses.
    fn eliminate(&mut self, simd: S, prefetch: &Prefetch<'_>) -> Self::ZeroPivots;

    /// Writes the inverses. Returns whether all elements are finite.
    fn store(&mut self, simd: S, output: &mut [A::Element]) -> bool;

    /// Runs something rare. A kernel that lives in registers lends a copy of itself, to stay there otherwise.
    #[inline(always)]
    fn rarely(&mut self, run: impl FnOnce(&mut Self)) {
        run(self);
    }
}

/// The columns with zero pivots, first to last.
pub trait ZeroPivots {
    /// Returns whether there is any.
    fn any(&self) -> bool;

    /// Visits every column, from 0, with the matrices whose pivot is zero there, as a bit mask.
    fn visit(&self, visit: impl FnMut(usize, u64));
}

impl<const N: usize> ZeroPivots for [u64; N] {
    #[inline(always)]
    fn any(&self) -> bool {
        self.iter().fold(0, |any, matrices| any | matrices) != 0
    }

    fn visit(&self, mut visit: impl FnMut(usize, u64)) {
        self.iter().enumerate().for_each(|(column, &matrices)| visit(column, matrices));
    }
}

impl ZeroPivots for Option<usize> {
    #[inline(always)]
    fn any(&self) -> bool {
        self.is_some()
    }

    fn visit(&self, mut visit: impl FnMut(usize, u64)) {
        if let Some(column) = *self {
            visit(column, 1);
        }
    }
}

/// Inverts whole groups. Without an input, the matrices stand in `output`, which only kernels of single matrices can
/// take.
#[inline(never)]
pub fn run<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    simd: S,
    settings: &Settings,
    balance: &mut Balance<A::Work>,
    kept: &mut K::Kept,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let order = K::order(settings);
            let size = K::MATRICES * order * order;
            let mut kernel = K::open(simd, settings, kept);
            let far = (K::PREFETCH_BYTES / (size * size_of::<A::Element>())).max(1);
            let mut rest = output;
            let mut done = 0;
            for statuses in statuses.chunks_exact_mut(K::MATRICES) {
                let (own, later) = rest.split_at_mut(size);
                let given = input.map(|input| &input[done..][..size]);
                done += size;
                let mut next = &[][..];
                if let Some(input) = input {
                    let soon = (far - 1) * size..far * size;
                    next = input[done..].get(soon.clone()).unwrap_or_default();
                    if K::PREFETCH_BYTES > 0 {
                        Prefetch::new(next, later.get(soon).unwrap_or_default()).touch();
                    }
                }
                rest = later;

                statuses.fill(Status::INVERTED);
                balance.clear();
                if !kernel.load(simd, given.unwrap_or(own)) {
                    // Rare enough to look again: zeros are no reason to scale.
                    kernel.rarely(
                        #[inline(always)]
                        |kernel| scale::<S, A, K>(simd, kernel, order, balance, given, own, statuses),
                    );
                    if !K::MATRIX_PER_LANE && !statuses[0].is_inverted() {
                        own.fill(A::Element::NAN);
                        continue;
                    }
                }
                let zero_pivots = kernel.eliminate(simd, &Prefetch::new(next, own));
                let any_zero = zero_pivots.any();
                if any_zero {
                    report::<A>(&zero_pivots, order, balance, given, own, statuses);
                    if !K::MATRIX_PER_LANE {
                        own.fill(A::Element::NAN);
                        continue;
                    }
                }
                if let Some(factors) = balance.factors() {
                    multiply::<S, A, K>(simd, &mut kernel, factors);
                }
                let finite = kernel.store(simd, own);
                if !finite || any_zero || balance.needs_finishing() {
                    finish::<A>(order, balance, own, statuses);
                }
            }
            kernel.close(kept);
        },
    );
}

/// Scales the matrices whose magnitudes need it, and marks those that are not finite.
#[inline(always)]
fn scale<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    simd: S,
    kernel: &mut K,
    order: usize,
    balance: &mut Balance<A::Work>,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    let lanes = Vectors::<S, A>::LANES;
    let (low, high) = scaling::window::<A::Work>();
    let zero = <A::Work as Scalar>::Real::ZERO;
    let (mut outside, mut poisoned) = (0, 0);
    let (mut smallest, mut largest): (PerMatrix<A::Work>, PerMatrix<A::Work>);
    (smallest, largest) = ([zero; MAX_MATRICES], [zero; MAX_MATRICES]);
    for group in 0..K::GROUPS {
        let vectors = kernel.vectors(group);
        let (least, most) = balance::extremes::<S, A::Work>(simd, vectors);
        let poison = balance::poisoned_lanes::<S, A::Work>(simd, vectors);
        if K::MATRIX_PER_LANE {
            let inside =
                least.simd_ge(Reals::<S, A>::splat(simd, low)) & most.simd_le(Reals::<S, A>::splat(simd, high));
            outside |= (!inside.to_bitmask() & (u64::MAX >> (64 - lanes))) << (group * lanes);
            poisoned |= poison << (group * lanes);
            smallest[group * lanes..][..lanes].copy_from_slice(least.as_slice());
            largest[group * lanes..][..lanes].copy_from_slice(most.as_slice());
        } else {
            (smallest[0], largest[0]) = (least.reduce_min(), most.reduce_max());
            outside = u64::from(smallest[0] < low || largest[0] > high);
            poisoned = u64::from(poison != 0);
        }
    }
    if outside | poisoned != 0 {
        scale_matrices::<S, A, K>(
            kernel,
            order,
            balance,
            (outside, poisoned),
            (&smallest, &largest),
            input,
            output,
            statuses,
        );
        if let Some(factors) = balance.factors() {
            multiply::<S, A, K>(simd, kernel, factors);
        }
    }
}

/// Multiplies every matrix by its factor.
#[inline(always)]
fn multiply<S: Simd, A: Arithmetic, K: Kernel<S, A>>(simd: S, kernel: &mut K, factors: &[PerMatrix<A::Work>; 2]) {
    let lanes = Vectors::<S, A>::LANES;
    for group in 0..K::GROUPS {
        let factors = factors.each_ref().map(
            #[inline(always)]
            |factors| {
                if K::MATRIX_PER_LANE {
                    Reals::<S, A>::from_slice(simd, &factors[group * lanes..][..lanes])
                } else {
                    Reals::<S, A>::splat(simd, factors[0])
                }
            },
        );
        balance::multiply::<S, A::Work>(kernel.vectors(group), factors);
    }
}

/// Finds the factors of the matrices outside the window, scales those that need more than one, where their inverses
/// will be, and marks those that are not finite.
#[inline(never)]
#[allow(clippy::too_many_arguments, reason = "called from one place, with what it has at hand")]
fn scale_matrices<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    kernel: &mut K,
    order: usize,
    balance: &mut Balance<A::Work>,
    (outside, poisoned): (u64, u64),
    (smallest, largest): (&PerMatrix<A::Work>, &PerMatrix<A::Work>),
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    let size = order * order;
    for (matrix, (status, place)) in statuses.iter_mut().zip(output.chunks_exact_mut(size)).enumerate() {
        if poisoned >> matrix & 1 == 1 {
            *status = Status::NOT_FINITE;
            balance.poison();
        } else if outside >> matrix & 1 == 1 && !balance.take_factor(matrix, smallest[matrix], largest[matrix]) {
            if let Some(input) = input {
                place.copy_from_slice(&input[matrix * size..][..size]);
            }
            // Converted elements have the exponents of float64 and never leave its window.
            if let Some(place) = A::as_work_mut(place)
                && balance.scale(matrix, order, place)
            {
                kernel.replace(matrix, place);
            }
        }
    }
}

/// Gives the matrices with a zero pivot their status. The place of an inverse serves as working memory.
#[inline(never)]
#[cold]
fn report<A: Arithmetic>(
    zero_pivots: &impl ZeroPivots,
    order: usize,
    balance: &mut Balance<A::Work>,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    let size = order * order;
    zero_pivots.visit(|column, matrices| {
        for (matrix, (status, place)) in statuses.iter_mut().zip(output.chunks_exact_mut(size)).enumerate() {
            if matrices >> matrix & 1 == 1 && status.is_inverted() {
                if let Some(input) = input {
                    place.copy_from_slice(&input[matrix * size..][..size]);
                }
                *status = if place.iter().all(|element| element.finite()) {
                    balance.zero_pivot(matrix, order, A::as_work_mut(place), column)
                } else {
                    // Its zero pivot proves nothing.
                    Status::NOT_FINITE
                };
            }
        }
    });
}

/// Undoes the scaling by rows and columns, finds inverses that are not finite, and fills matrices without an inverse.
#[inline(never)]
fn finish<A: Arithmetic>(order: usize, balance: &Balance<A::Work>, output: &mut [A::Element], statuses: &mut [Status]) {
    for (matrix, (status, output)) in statuses.iter_mut().zip(output.chunks_exact_mut(order * order)).enumerate() {
        if status.is_inverted() {
            if let (Some(scaling), Some(output)) = (balance.scaling(matrix), A::as_work_mut(output)) {
                scaling.undo_all(output);
            }
            if !output.iter().all(|element| element.finite()) {
                *status = Status::NOT_FINITE;
            }
        }
        if !status.is_inverted() {
            output.fill(A::Element::NAN);
        }
    }
}
