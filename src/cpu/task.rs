//! One task: some matrices, on one thread, with the instructions of one level.

use fearless_simd::Simd;

use crate::cpu::arithmetic::{Arithmetic, Double, Native};
use crate::cpu::balance::Balance;
use crate::cpu::frame::{self, Settings, Vectors};
use crate::cpu::kernel::blocked::Blocked;
use crate::cpu::kernel::lanes::{self, Lanes};
use crate::cpu::kernel::registers::{Registers, crowded};
use crate::cpu::kernel::rows::Rows;
use crate::cpu::simd::exponent::flushes;
use crate::cpu::simd::level::SimdLevel;
use crate::cpu::simd::transpose::MAX_LANES;
use crate::cpu::simd::vector::Vector;
use crate::data::engine::CpuKernel;
use crate::data::scalar::Scalar;
use crate::data::status::Status;
use crate::plan::cpu::{CpuPlan, INTERLEAVED, Sharing, fills_lanes};

/// Some matrices, and where their results and statuses go.
pub struct Task<'a, T> {
    /// The n of n x n, at least 1.
    pub order: usize,
    /// The matrices. If `None`, they are in `elements` and are replaced there; `lanes` cannot do that.
    pub input: Option<&'a [T]>,
    /// The results, one matrix for each.
    pub elements: &'a mut [T],
    /// A status per matrix.
    pub statuses: &'a mut [Status],
}

impl<'a, T: Scalar> Task<'a, T> {
    /// The same task for a scalar that is known to be `U`.
    pub fn of<U: Scalar>(self) -> Task<'a, U> {
        let Self { order, input, elements, statuses } = self;
        let (input, elements) = (input.map(bytemuck::cast_slice), bytemuck::cast_slice_mut(elements));
        Task { order, input, elements, statuses }
    }
}

/// An operation on the matrices of a task. It is a type, so that a program links only the operations that it calls.
pub trait Operation {
    /// Runs a task.
    fn run<T: Scalar>(plan: &CpuPlan, level: SimdLevel, task: Task<'_, T>);
}

/// Their inverses.
pub struct Inversion;

/// An operation that runs by a function of SIMD level and arithmetic. For each scalar there is a function that is not
/// generic, so that the kernels are compiled once, in this crate, and not again in every crate that calls them.
macro_rules! operation {
    ($operation:ident, $run:ident) => {
        impl Operation for $operation {
            fn run<T: Scalar>(plan: &CpuPlan, level: SimdLevel, task: Task<'_, T>) {
                use num_complex::Complex;

                use crate::cpu::simd::level::at_level;
                use crate::data::engine::Precision;
                use crate::data::scalar::ScalarKind;

                macro_rules! run_scalar {
                            ($name:ident, $scalar:ty, $double:ident) => {
                                fn $name(plan: &CpuPlan, level: SimdLevel, task: Task<'_, $scalar>) {
                                    match plan.precision {
                                        Precision::Native => {
                                            at_level!(level, simd => $run::<_, Native<$scalar>>(simd, plan, task))
                                        }
                                        Precision::Double => {
                                            at_level!(level, simd => $run::<_, $double<$scalar>>(simd, plan, task))
                                        }
                                    }
                                }
                            };
                        }
                run_scalar!(float32, f32, Double);
                run_scalar!(float64, f64, Native);
                run_scalar!(complex64, Complex<f32>, Double);
                run_scalar!(complex128, Complex<f64>, Native);
                match T::KIND {
                    ScalarKind::Float32 => float32(plan, level, task.of()),
                    ScalarKind::Float64 => float64(plan, level, task.of()),
                    ScalarKind::Complex64 => complex64(plan, level, task.of()),
                    ScalarKind::Complex128 => complex128(plan, level, task.of()),
                }
            }
        }
    };
}
pub(crate) use operation;

operation!(Inversion, run);

/// Runs the kernel of the plan: `lanes` in place on whole groups; then, group by group in working memory, on matrices
/// that must be converted or do not fill a group; and `rows` on what would fill less than half of one.
#[inline(always)]
fn run<S: Simd, A: Arithmetic>(simd: S, plan: &CpuPlan, task: Task<'_, A::Element>) {
    let Task { order, input, elements, statuses } = task;
    let (len, size, group) = (statuses.len(), order * order, Vectors::<S, A>::LANES);
    let (shared, flushes) = (plan.sharing == Sharing::Columns, flushes());
    let settings = &Settings { order, tuning: plan.tuning, shared, flushes };
    let balance = &mut Balance::new();
    let in_lanes = match plan.kernel {
        CpuKernel::Lanes if fills_lanes(len % group, group) => len,
        CpuKernel::Lanes => len - len % group,
        CpuKernel::Rows | CpuKernel::Blocked => 0,
    };
    if in_lanes > 0 {
        let (mut staged, mut kept, mut done) = (Staged::new(), Default::default(), 0);
        while done < in_lanes {
            let direct = if A::NARROWS { 0 } else { (in_lanes - done) / group * group };
            let here = if direct > 0 { direct } else { group.min(in_lanes - done) };
            let input = input.map_or(&[][..], |input| &input[done * size..][..here * size]);
            let elements = &mut elements[done * size..][..here * size];
            let own_statuses = &mut statuses[done..][..here];
            done += here;
            let (input, output, statuses) = match (A::as_work(input).filter(|_| direct > 0), A::as_work_mut(elements)) {
                (Some(input), Some(output)) => (input, output, &mut *own_statuses),
                _ => staged.fill::<A>(input, order, group, flushes),
            };

            macro_rules! run_kernel {
                ($arithmetic:ty, $kernel:ty, $kept:expr, $input:expr, $output:expr, $statuses:expr) => {
                    frame::run::<S, $arithmetic, $kernel>(
                        simd,
                        settings,
                        balance,
                        &mut $kept,
                        Some($input),
                        $output,
                        $statuses,
                    )
                };
            }
            /// An order that registers hold: some groups interleaved, then the rest.
            macro_rules! registers {
                ($order:literal) => {{
                    const GROUPS: usize = INTERLEAVED[$order - 1];
                    let interleaved = const { GROUPS > 1 && !crowded::<S, A::Work>($order, GROUPS) };
                    let together = if interleaved { statuses.len() / (GROUPS * group) * (GROUPS * group) } else { 0 };
                    let (input, rest_input) = input.split_at(together * size);
                    let (output, rest_output) = output.split_at_mut(together * size);
                    let (statuses, rest_statuses) = statuses.split_at_mut(together);
                    if interleaved {
                        run_kernel!(
                            Native<A::Work>, Registers<S, A::Work, $order, GROUPS>, (), input, output, statuses
                        );
                    }
                    run_kernel!(
                        Native<A::Work>, Registers<S, A::Work, $order, 1>, (), rest_input, rest_output, rest_statuses
                    );
                }};
            }
            macro_rules! lanes {
                ($order:literal) => {
                    run_kernel!(Native<A::Work>, Lanes<S, A::Work, $order>, kept, input, output, statuses)
                };
            }
            match order {
                1 => registers!(1),
                2 => registers!(2),
                3 => registers!(3),
                4 => registers!(4),
                5 if const { lanes::compiles_orders::<S, A::Work>() } => lanes!(5),
                6 if const { lanes::compiles_orders::<S, A::Work>() } => lanes!(6),
                7 if const { lanes::compiles_orders::<S, A::Work>() } => lanes!(7),
                8 if const { lanes::compiles_orders::<S, A::Work>() } => lanes!(8),
                _ => lanes!(0),
            }

            if direct == 0 {
                staged.empty::<A>(elements, own_statuses, size, flushes);
            }
        }
    }
    if in_lanes < len {
        let input = input.map(|input| &input[in_lanes * size..]);
        let (elements, statuses) = (&mut elements[in_lanes * size..], &mut statuses[in_lanes..]);
        if plan.kernel == CpuKernel::Blocked {
            let kept = &mut Default::default();
            frame::run::<S, A, Blocked<S, A>>(simd, settings, balance, kept, input, elements, statuses);
        } else {
            let kept = &mut Default::default();
            frame::run::<S, A, Rows<S, A>>(simd, settings, balance, kept, input, elements, statuses);
        }
    }
}

/// A group in working memory, where it is converted or filled up, and its results.
pub struct Staged<T> {
    elements: Vec<T>,
    inverses: Vec<T>,
    statuses: [Status; MAX_LANES],
}

impl<T: Scalar> Staged<T> {
    pub fn new() -> Self {
        Self { elements: Vec::new(), inverses: Vec::new(), statuses: [Status::INVERTED; MAX_LANES] }
    }

    /// Converts matrices and fills the group up. Returns its elements, inverses and statuses.
    pub fn fill<A: Arithmetic<Work = T>>(
        &mut self,
        input: &[A::Element],
        order: usize,
        group: usize,
        flushes: bool,
    ) -> (&[T], &mut [T], &mut [Status]) {
        let size = order * order;
        self.elements.clear();
        if flushes {
            self.elements.extend(input.iter().map(|&element| A::widen(element, true)));
        } else {
            self.elements.extend(input.iter().map(|&element| A::widen(element, false)));
        }
        // Lanes without a matrix take the identity.
        for index in input.len()..group * size {
            self.elements.push(if (index % size).is_multiple_of(order + 1) { T::ONE } else { T::ZERO });
        }
        self.inverses.resize(group * size, T::ZERO);
        (&self.elements, &mut self.inverses, &mut self.statuses[..group])
    }

    /// Converts the inverses back, and gives each matrix its status.
    pub fn empty<A: Arithmetic<Work = T>>(
        &self,
        output: &mut [A::Element],
        statuses: &mut [Status],
        size: usize,
        flushes: bool,
    ) {
        let matrices = output.chunks_exact_mut(size).zip(self.inverses.chunks_exact(size));
        for ((output, inverse), (status, &found)) in matrices.zip(statuses.iter_mut().zip(&self.statuses)) {
            let mut finite = true;
            for (element, &inverse) in output.iter_mut().zip(inverse) {
                *element = A::narrow(inverse, flushes);
                finite &= element.finite();
            }
            *status = if found.is_inverted() && !finite { Status::NOT_FINITE } else { found };
            if !status.is_inverted() {
                output.fill(A::Element::NAN);
            }
        }
    }
}
