//! The one frame around every kernel.
//!
//! ```text
//! for each group:   load -> window test -> scale | eliminate | unscale -> store -> verdicts
//!                   memory  balance                balance     memory   frame
//! ```
//!
//! A kernel is an elimination of matrices in vectors. Two steps are fused into its neighbors for speed: `load` tests
//! the window on its way, and `store` looks for numbers that are not finite. Numbers and real 2x2 matrices that fail
//! the window test are inverted without scaling, by `balance::small` (`lanes` and `rows`).

use fearless_simd::{Simd, SimdMask};

use crate::cpu::arithmetic::Arithmetic;
use crate::cpu::balance::Balance;
use crate::cpu::balance::alone::Kind;
use crate::cpu::simd::lane::{Lane, Magnitude, finite_lanes};
use crate::cpu::simd::prefetch::Prefetch;
use crate::cpu::simd::vector::{Mask, Vector};
use crate::data::scalar::Scalar;
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
    /// True if the thread flushes subnormal numbers to zero, so that nothing may compute with them or compare them.
    pub flushes: bool,
}

/// Matrices in vectors, and how to eliminate them. A kernel knows no scaling, and statuses only in `invert_unusual`.
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

    /// The vectors of all groups, one group after another.
    fn vectors(&mut self) -> &mut [Vectors<S, A>];

    /// Inverts matrices that may be unusual, and sets their statuses, if there is a faster way than to scale and
    /// eliminate them. Returns whether there is.
    #[inline(always)]
    fn invert_unusual(&mut self, _: S, _: &Settings, _: &mut [Status]) -> bool {
        false
    }

    /// Replaces the matrix that all lanes hold.
    fn replace(&mut self, _: &[A::Work]) {}

    /// Inverts in place, up to the order of columns (or of rows, if all lanes hold one matrix), which `store` knows.
    /// `prefetch` holds the next matrices and the place of the inverses.
    fn eliminate(&mut self, simd: S, prefetch: &Prefetch<'_>) -> Self::ZeroPivots;

    /// Brings a row, of which every lane has an element, into the order of columns in which `eliminate` leaves them.
    #[inline(always)]
    fn permute(&self, _: S, _group: usize, _row: &mut [Reals<S, A>]) {}

    /// Writes the inverses. Returns whether all elements are finite.
    fn store(&mut self, simd: S, output: &mut [A::Element]) -> bool;

    /// Runs something rare. A kernel that lives in registers lends a copy of itself, to stay there otherwise.
    #[inline(always)]
    fn rarely<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        run(self)
    }
}

/// The columns with zero pivots.
pub trait ZeroPivots {
    /// Returns whether there is any.
    fn any(&self) -> bool;

    /// For every column, the matrices whose pivot is zero there, as a bit mask. Empty if all lanes hold one matrix.
    fn by_lane(&self) -> &[u64] {
        &[]
    }

    /// The first column with a zero pivot of the matrix that all lanes hold, from 0.
    fn alone(&self) -> Option<usize> {
        None
    }
}

impl<const N: usize> ZeroPivots for [u64; N] {
    #[inline(always)]
    fn any(&self) -> bool {
        self.iter().fold(0, |any, matrices| any | matrices) != 0
    }

    fn by_lane(&self) -> &[u64] {
        self
    }
}

impl ZeroPivots for Option<usize> {
    #[inline(always)]
    fn any(&self) -> bool {
        self.is_some()
    }

    fn alone(&self) -> Option<usize> {
        *self
    }
}

/// Inverts whole groups. Without an input, the matrices stand in `output`, which only kernels of single matrices can
/// take.
#[inline(never)]
pub fn run<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    simd: S,
    settings: &Settings,
    balance: &mut Balance<S, A::Work>,
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
                let mut inverted = false;
                if !kernel.load(simd, given.unwrap_or(own)) || settings.flushes {
                    inverted = kernel.rarely(
                        #[inline(always)]
                        |kernel| {
                            let inverted = kernel.invert_unusual(simd, settings, statuses);
                            if !inverted {
                                // Rare enough to look again: zeros are no reason to scale.
                                scale::<S, A, K>(simd, kernel, settings, balance, given, own, statuses);
                            }
                            inverted
                        },
                    );
                    if !K::MATRIX_PER_LANE && !statuses[0].is_inverted() {
                        own.fill(A::Element::NAN);
                        continue;
                    }
                }
                let mut any_zero = false;
                if !inverted {
                    let zero_pivots = kernel.eliminate(simd, &Prefetch::new(next, own));
                    any_zero = zero_pivots.any();
                    if any_zero {
                        report::<S, A, K>(simd, &zero_pivots, order, balance, given, own, statuses);
                        if !K::MATRIX_PER_LANE {
                            own.fill(A::Element::NAN);
                            continue;
                        }
                    }
                }
                if balance.scaled {
                    kernel.rarely(
                        #[inline(always)]
                        |kernel| undo::<S, A, K>(simd, kernel, order, balance),
                    );
                }
                if !K::MATRIX_PER_LANE {
                    let finite = kernel.store(simd, own);
                    if !finite || balance.scaled {
                        finish::<S, A>(balance, own, &mut statuses[0]);
                    }
                    continue;
                }
                // At most twice: a store that finds numbers that are not finite is repeated with NaN in their place.
                let mut settles = any_zero || balance.poisoned;
                loop {
                    if settles {
                        kernel.rarely(
                            #[inline(always)]
                            |kernel| settle::<S, A::Work>(simd, order, kernel.vectors(), statuses),
                        );
                    }
                    if kernel.store(simd, own) || settles || inverted {
                        break;
                    }
                    settles = true;
                }
            }
            kernel.close(kept);
        },
    );
}

/// Scales the matrices whose magnitudes need it, and marks those that are not finite. A matrix that all lanes hold and
/// that is scaled by rows and columns takes the place of its inverse.
#[inline(always)]
fn scale<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    simd: S,
    kernel: &mut K,
    settings: &Settings,
    balance: &mut Balance<S, A::Work>,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    let order = K::order(settings);
    if K::MATRIX_PER_LANE {
        let mut poisoned = balance.scale(simd, (order, settings.flushes), kernel.vectors());
        while poisoned != 0 {
            statuses[poisoned.trailing_zeros() as usize] = Status::NOT_FINITE;
            poisoned &= poisoned - 1;
        }
        return;
    }
    let kind = balance.alone.scale::<S, A::Work>(simd, kernel.vectors());
    balance.scaled = matches!(kind, Kind::ByOne(_) | Kind::ByRowsAndColumns);
    if kind == Kind::NotFinite {
        statuses[0] = Status::NOT_FINITE;
    } else if kind == Kind::ByRowsAndColumns {
        if let Some(input) = input {
            output.copy_from_slice(input);
        }
        // Converted elements never leave the window of float64.
        if let Some(elements) = A::as_work_mut(output) {
            balance.alone.scale_rows_and_columns(order, elements);
            kernel.replace(elements);
        }
    }
}

/// Turns the inverses of scaled matrices into those of the matrices themselves, but for one that was scaled by rows and
/// columns alone.
#[inline(always)]
fn undo<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    simd: S,
    kernel: &mut K,
    order: usize,
    balance: &mut Balance<S, A::Work>,
) {
    if !K::MATRIX_PER_LANE {
        return balance.alone.undo::<S, A::Work>(simd, kernel.vectors());
    }
    for group in 0..K::GROUPS {
        if let Some(rows) = balance.rows_of(group) {
            kernel.permute(simd, group, rows);
        }
    }
    balance.undo(simd, order, kernel.vectors());
}

/// Gives the matrices with a zero pivot their status. The place of an inverse serves as working memory.
#[inline(never)]
fn report<S: Simd, A: Arithmetic, K: Kernel<S, A>>(
    simd: S,
    zero_pivots: &K::ZeroPivots,
    order: usize,
    balance: &mut Balance<S, A::Work>,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
    statuses: &mut [Status],
) {
    if K::MATRIX_PER_LANE {
        let matrices = input.and_then(A::as_work).expect("lanes hold matrices as they are given");
        return balance.judge(simd, order, matrices, zero_pivots.by_lane(), statuses);
    }
    if let Some(input) = input {
        output.copy_from_slice(input);
    }
    if let Some(column) = zero_pivots.alone() {
        statuses[0] = if output.iter().all(|element| element.finite()) {
            balance.zero_pivot(order, A::as_work_mut(output), column)
        } else {
            // Its zero pivot proves nothing.
            Status::NOT_FINITE
        };
    }
}

/// Finds inverses that are not finite, in the lanes of all groups, and puts NaN in the place of what is no inverse.
#[inline(never)]
pub fn settle<S: Simd, T: Lane>(simd: S, order: usize, vectors: &mut [T::Vector<S>], statuses: &mut [Status]) {
    simd.vectorize(
        #[inline(always)]
        || {
            let nan = T::Vector::<S>::splat(simd, T::NAN);
            let groups = vectors.chunks_exact_mut(order * order);
            for (group, statuses) in groups.zip(statuses.chunks_exact_mut(T::Vector::<S>::LANES)) {
                // In 32 bits, the loop over the statuses becomes a few instructions on vectors.
                let finite = finite_lanes::<S, T>(simd, group).to_bitmask() as u32;
                let mut inverted = 0_u32;
                for (lane, status) in statuses[..T::Vector::<S>::LANES].iter_mut().enumerate() {
                    let overflows = status.is_inverted() & (finite >> lane & 1 == 0);
                    *status = if overflows { Status::NOT_FINITE } else { *status };
                    inverted |= u32::from(status.is_inverted()) << lane;
                }
                let inverted = Mask::<Magnitude<T, S>, S>::from_bitmask(simd, inverted.into());
                for x in group {
                    *x = Vector::select(inverted, *x, nan);
                }
            }
        },
    );
}

/// Undoes the scaling of a matrix by rows and columns, looks if the inverse is finite, and fills its place if not.
#[inline(never)]
fn finish<S: Simd, A: Arithmetic>(balance: &Balance<S, A::Work>, output: &mut [A::Element], status: &mut Status) {
    if balance.scaled
        && let Some(elements) = A::as_work_mut(output)
    {
        balance.alone.undo_rows_and_columns(elements);
    }
    if !output.iter().all(|element| element.finite()) {
        *status = Status::NOT_FINITE;
        output.fill(A::Element::NAN);
    }
}
