//! One matrix at a time: loading it into SIMD vectors, scaling it where it must be, and storing its inverse.
//! The elimination between is that of `rows` or of `blocked`.

use fearless_simd::{Simd, SimdBase};

use super::scaling::{self, Scaling};
use super::vector::{Magnitude, Vector};
use super::{Arithmetic, blocked, rows, window};
use crate::inverses::Status;
use crate::plan::{Kernel, LANES_MAX_ORDER, ROWS_ON_STACK};
use crate::scalar::Scalar;

/// A matrix in vectors.
pub struct Matrix<'a, V> {
    /// Row i in `width` vectors, from i * width on; lanes beyond column n - 1 are zero.
    pub a: &'a mut [V],
    /// Room for one more row.
    pub pivots: &'a mut [V],
    pub width: usize,
    pub n: usize,
    /// The row of the input that stands in row k.
    pub origins: &'a mut [u32],
}

/// Exchanges two rows of `width` vectors.
#[inline(always)]
pub fn swap_rows<V>(a: &mut [V], width: usize, i: usize, j: usize) {
    if i != j {
        let (above, below) = a.split_at_mut(i.max(j) * width);
        above[i.min(j) * width..][..width].swap_with_slice(&mut below[..width]);
    }
}

type Vectors<S, A> = <<A as Arithmetic>::Work as Scalar>::Vector<S>;
type Reals<S, A> = Magnitude<<A as Arithmetic>::Work, S>;

/// Working memory for one matrix after the other.
pub struct Single<S: Simd, A: Arithmetic> {
    /// The matrix of `rows`, where it is not small.
    vectors: Vec<Vectors<S, A>>,
    scaling: Scaling,
    scaled: Vec<A::Work>,
    blocked: blocked::Of<S, A>,
}

impl<S: Simd, A: Arithmetic> Single<S, A> {
    pub fn new() -> Self {
        Self { vectors: Vec::new(), scaling: Scaling::default(), scaled: Vec::new(), blocked: blocked::Blocked::new() }
    }
}

/// Inverts one matrix of order n >= 1 by `rows` or `blocked`, which may be `shared` among threads. It stands in `output` where
/// there is no `input`.
#[inline(always)]
pub fn invert_matrix<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Single<S, A>,
    (kernel, shared): (Kernel, bool),
    n: usize,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
) -> Status {
    let status = if kernel == Kernel::Rows {
        run_rows(simd, work, n, input, output)
    } else {
        run_blocked(simd, work, shared, n, input, output)
    };
    if !status.is_inverted() {
        output.fill(A::Element::NAN);
    }
    status
}

#[inline(always)]
fn run_blocked<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Single<S, A>,
    shared: bool,
    n: usize,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
) -> Status {
    let Single { blocked, scaling, .. } = work;
    let window = scaling::window::<A::Work>();
    let (mut factors, mut scaled) = (None, None);
    if !blocked::load::<S, A>(simd, blocked, n, input.unwrap_or(output), window) {
        // Zeros are no reason to scale.
        if window::poisoned_lanes::<S, A::Work>(simd, &blocked.columns) != 0 {
            return Status::NOT_FINITE;
        }
        let (smallest, largest) = window::extremes::<S, A::Work>(simd, &blocked.columns);
        let (smallest, largest) = (smallest.reduce_min(), largest.reduce_max());
        if smallest < window.0 || largest > window.1 {
            factors = scaling::one_factor::<A::Work>(smallest, largest)
                .map(|factors| factors.map(|factor| Reals::<S, A>::splat(simd, factor)));
            if let Some(factors) = factors {
                window::multiply::<S, A::Work>(&mut blocked.columns, factors);
            } else {
                scaled = scale_in_place::<A>(scaling, n, input, output);
                blocked::load::<S, A>(simd, blocked, n, output, window);
            }
        }
    }
    if let Some(k) = blocked::eliminate::<S, A::Work>(simd, blocked, shared) {
        // What one factor leaves small is looked for now.
        let scaled = if factors.is_some() { scale_in_place::<A>(scaling, n, input, output) } else { scaled };
        return scaled.map_or(Status::singular(k + 1), |scaling| scaling.zero_pivot(k));
    }

    if let Some(factors) = factors {
        window::multiply::<S, A::Work>(&mut blocked.columns, factors);
    }
    let mut finite = blocked::store::<S, A>(simd, blocked, output);
    if let (Some(scaling), Some(output)) = (scaled, A::as_work_mut(output)) {
        scaling.undo_all(output);
        finite = output.iter().all(|element| element.finite());
    }
    if finite { Status::INVERTED } else { Status::NOT_FINITE }
}

/// Scales a matrix where its inverse will be: a large one leaves no room for copies. What is converted has float64's exponents,
/// and never leaves the window.
fn scale_in_place<'a, A: Arithmetic>(
    scaling: &'a mut Scaling,
    n: usize,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
) -> Option<&'a Scaling> {
    if let Some(input) = input {
        output.copy_from_slice(input);
    }
    A::as_work_mut(output).and_then(|output| scaling.scale(output, n).then_some(&*scaling))
}

#[inline(always)]
fn run_rows<S: Simd, A: Arithmetic>(
    simd: S,
    work: &mut Single<S, A>,
    n: usize,
    input: Option<&[A::Element]>,
    output: &mut [A::Element],
) -> Status {
    let input = input.unwrap_or(output);
    let lanes = <A::Work as Scalar>::Vector::<S>::LANES;
    let zero = <A::Work as Scalar>::Vector::<S>::splat(simd, A::Work::ZERO);
    let width = n.div_ceil(lanes);
    let mut small = [zero; ROWS_ON_STACK];
    let vectors = if (n + 1) * width <= ROWS_ON_STACK {
        &mut small[..(n + 1) * width]
    } else {
        work.vectors.clear();
        work.vectors.resize((n + 1) * width, zero);
        &mut work.vectors[..]
    };
    let (a, pivots) = vectors.split_at_mut(n * width);
    let mut origins: [u32; LANES_MAX_ORDER] = std::array::from_fn(|i| i as u32);
    let mut matrix = Matrix { a, pivots, width, n, origins: &mut origins[..n] };

    let (low, high) = scaling::window::<A::Work>();
    let (mut finite, mut usual) = (true, true);
    for (row, elements) in matrix.a.chunks_exact_mut(matrix.width).zip(input.chunks_exact(n)) {
        for (vector, elements) in row.iter_mut().zip(elements.chunks(lanes)) {
            for (lane, &element) in elements.iter().enumerate() {
                let element = A::widen(element);
                let largest = element.largest_part();
                finite &= element.finite();
                usual &=
                    largest == <A::Work as Scalar>::Real::ZERO || (largest <= high && element.smallest_part() >= low);
                vector.set_lane(lane, element);
            }
        }
    }
    if !finite {
        return Status::NOT_FINITE;
    }
    let mut scaling = None;
    if !usual {
        work.scaled.clear();
        work.scaled.extend(input.iter().map(|&element| A::widen(element)));
        scaling = work.scaling.scale(&mut work.scaled, n).then_some(&work.scaling);
        for (row, elements) in matrix.a.chunks_exact_mut(matrix.width).zip(work.scaled.chunks_exact(n)) {
            for (j, &element) in elements.iter().enumerate() {
                row[j / lanes].set_lane(j % lanes, element);
            }
        }
    }

    if let Some(k) = rows::eliminate::<S, A::Work>(simd, &mut matrix) {
        return scaling.map_or(Status::singular(k + 1), |scaling| scaling.zero_pivot(k));
    }

    let mut finite = true;
    for (i, (row, vectors)) in output.chunks_exact_mut(n).zip(matrix.a.chunks_exact(matrix.width)).enumerate() {
        for (j, &origin) in matrix.origins.iter().enumerate() {
            let element = vectors[j / lanes].lane(j % lanes);
            let element = match scaling {
                None => element,
                Some(scaling) => scaling.undo(i, origin as usize, element),
            };
            let element = A::narrow(element);
            finite &= element.finite();
            row[origin as usize] = element;
        }
    }
    if finite { Status::INVERTED } else { Status::NOT_FINITE }
}
