//! One task: some systems, on one thread, with the instructions of one level.

use std::ops::Range;

use super::blocked::Way;
use super::group::Group;
use super::single::Single;
use super::solver::{Groups, Results, Solver};
use crate::cpu::arithmetic::{Arithmetic, Double, Native};
use crate::cpu::simd::exponent::flushes;
use crate::cpu::simd::level::{SimdLevel, at_level};
use crate::cpu::simd::transpose::MAX_LANES;
use crate::data::determinant::Determinant;
use crate::data::engine::{CpuKernel, Precision};
use crate::data::operand::Operand;
use crate::data::scalar::Scalar;
use crate::data::status::Status;
use crate::plan::cpu::{CpuPlan, Sharing, fills_lanes};

/// Some systems, and where their results go.
pub struct Task<'a, T: Scalar> {
    /// The n of n x n, at least 1.
    pub order: usize,
    /// The columns of a right-hand side.
    pub width: usize,
    /// The matrices.
    pub a: Operand<'a, T>,
    /// The right-hand sides, and where solutions and statuses go, if systems are solved.
    pub systems: Option<Systems<'a, T>>,
    /// One determinant per system, if they are wanted.
    pub determinants: Option<&'a mut [Determinant<T>]>,
    /// The number of systems.
    pub len: usize,
}

impl<'a, T: Scalar> Task<'a, T> {
    /// The same task for a scalar that is known to be `U`.
    pub fn of<U: Scalar>(self) -> Task<'a, U> {
        let Self { order, width, a, systems, determinants, len } = self;
        let systems = systems.map(|Systems { b, results: Results { elements, statuses } }| Systems {
            b: b.of(),
            results: Results { elements: bytemuck::cast_slice_mut(elements), statuses },
        });
        Task { order, width, a: a.of(), systems, determinants: determinants.map(bytemuck::cast_slice_mut), len }
    }
}

/// Right-hand sides, and the place of the solutions.
pub struct Systems<'a, T> {
    pub b: Operand<'a, T>,
    pub results: Results<'a, T>,
}

macro_rules! run_scalar {
    ($run:ident, $scalar:ty, $double:ident) => {
        /// Runs a task. It is not generic, so that the kernels are compiled once, in this crate, and not again in every
        /// crate that calls them.
        pub fn $run(plan: &CpuPlan, level: SimdLevel, task: Task<'_, $scalar>) {
            match plan.precision {
                Precision::Native => run::<Native<$scalar>>(plan, level, task),
                Precision::Double => run::<$double<$scalar>>(plan, level, task),
            }
        }
    };
}

run_scalar!(run_float32, f32, Double);
run_scalar!(run_float64, f64, Native);
run_scalar!(run_complex64, num_complex::Complex<f32>, Double);
run_scalar!(run_complex128, num_complex::Complex<f64>, Native);

/// Runs the kernel of the plan: `lanes` on groups that are at least half full, `blocked` on all else.
fn run<A: Arithmetic>(plan: &CpuPlan, level: SimdLevel, task: Task<'_, A::Element>) {
    let (order, len, flushes) = (task.order, task.len, flushes());
    let group = level.vector_bytes() / size_of::<<A::Work as Scalar>::Real>();
    let in_lanes = match plan.kernel {
        CpuKernel::Lanes if fills_lanes(len % group, group) => len,
        CpuKernel::Lanes => len - len % group,
        CpuKernel::Rows | CpuKernel::Blocked => 0,
    };
    let mut run = Run { task, flushes };
    if in_lanes > 0 {
        let mut solver: Box<dyn Solver<A::Work>> =
            at_level!(level, simd => Box::new(Group::<_, A::Work>::new(simd, order, flushes)));
        let whole = in_lanes - in_lanes % group;
        let done = if run.groups::<A>(&mut *solver, whole) { whole } else { 0 };
        run.systems::<A>(&mut *solver, done..in_lanes);
    }
    if in_lanes < len {
        let way = Way { tuning: plan.tuning, shared: plan.sharing == Sharing::Columns, floor: false };
        let mut solver: Box<dyn Solver<A::Work>> =
            at_level!(level, simd => Box::new(Single::<_, A::Work>::new(simd, order, way, flushes)));
        run.systems::<A>(&mut *solver, in_lanes..len);
    }
}

/// A task that is under way.
struct Run<'a, T: Scalar> {
    task: Task<'a, T>,
    /// True if the thread flushes subnormal numbers to zero.
    flushes: bool,
}

impl<T: Scalar> Run<'_, T> {
    /// Lets a solver run the first systems as they stand in memory, if it has a way for them. Returns whether it has.
    fn groups<A: Arithmetic<Element = T>>(&mut self, solver: &mut dyn Solver<A::Work>, systems: usize) -> bool {
        let Task { order, width, a, systems: solved, determinants, .. } = &mut self.task;
        let repeated = a.is_repeated() || solved.as_ref().is_some_and(|systems| systems.b.is_repeated());
        // Only the status remains of a solution without columns.
        if repeated || self.flushes || systems == 0 || (*width == 0) == solved.is_some() {
            return false;
        }
        let Some(a) = A::as_work(&a.elements()[..systems * *order * *order]) else { return false };
        let (b, results) = match solved {
            Some(Systems { b, results }) => {
                let size = systems * *order * *width;
                let (b, x) = (A::as_work(&b.elements()[..size]), A::as_work_mut(&mut results.elements[..size]));
                let (Some(b), Some(elements)) = (b, x) else { return false };
                (b, Results { elements, statuses: &mut results.statuses[..systems] })
            }
            None => (&[][..], Results { elements: &mut [], statuses: &mut [] }),
        };
        let determinants = determinants.as_deref_mut().map_or(&mut [][..], |determinants| &mut determinants[..systems]);
        solver.run_groups(Groups { a, b, width: *width, results, determinants: bytemuck::cast_slice_mut(determinants) })
    }

    /// Runs a solver on some systems. They go through working memory if they must be converted, do not fill a group, or
    /// are one for all.
    fn systems<A: Arithmetic<Element = T>>(&mut self, solver: &mut dyn Solver<A::Work>, systems: Range<usize>) {
        let (flushes, order, width, matrices) = (self.flushes, self.task.order, self.task.width, solver.matrices());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let mut staged = Staged::<A::Work>::new();
        for first in systems.clone().step_by(matrices) {
            let here = first..systems.end.min(first + matrices);
            let identity = |index: usize| if index.is_multiple_of(order + 1) { A::Work::ONE } else { A::Work::ZERO };
            if first == systems.start || !self.task.a.is_repeated() {
                solver.factor(stage::<A>(self.task.a, here.clone(), matrices, &mut a, flushes, identity));
            }
            if let Some(determinants) = &mut self.task.determinants {
                let found = &mut staged.determinants[..here.len()];
                solver.determinants(found);
                for (place, found) in determinants[here.clone()].iter_mut().zip(found) {
                    *place = Determinant::new(A::narrow(found.mantissa(), flushes), found.exponent());
                }
            }
            if let Some(Systems { b: given, results }) = &mut self.task.systems {
                let rhs = stage::<A>(*given, here.clone(), matrices, &mut b, flushes, |_| A::Work::ZERO);
                let size = order * width;
                let elements = &mut results.elements[here.start * size..here.end * size];
                let statuses = &mut results.statuses[here.clone()];
                match A::as_work_mut(elements).filter(|_| here.len() == matrices) {
                    Some(elements) => solver.solve(width, rhs, Results { elements, statuses }),
                    None => {
                        staged.elements.resize(size * matrices, A::Work::ZERO);
                        let results = Results { elements: &mut staged.elements, statuses: &mut *statuses };
                        solver.solve(width, rhs, results);
                        staged.empty::<A>(elements, statuses, size, flushes);
                    }
                }
            }
        }
    }
}

/// The elements of some systems in the scalar of the elimination, as many as `matrices`; the missing ones are filled
/// up.
#[inline(always)]
fn stage<'s, A: Arithmetic>(
    operand: Operand<'s, A::Element>,
    systems: Range<usize>,
    matrices: usize,
    staged: &'s mut Vec<A::Work>,
    flushes: bool,
    filling: impl Fn(usize) -> A::Work,
) -> &'s [A::Work] {
    if systems.len() == matrices && !operand.is_repeated() || matrices == 1 {
        let own = if operand.is_repeated() { operand } else { operand.slice(systems.clone()) };
        if let Some(elements) = A::as_work(own.elements()) {
            return elements;
        }
    }
    if operand.is_repeated() && !staged.is_empty() {
        return staged;
    }
    staged.clear();
    for lane in 0..matrices {
        if operand.is_repeated() || lane < systems.len() {
            let elements = operand.at(systems.start + lane);
            staged.extend(elements.iter().map(|&element| A::widen(element, flushes)));
        } else {
            staged.extend((0..operand.size()).map(&filling));
        }
    }
    staged
}

/// Results in working memory, from which they are converted.
struct Staged<T> {
    elements: Vec<T>,
    determinants: [Determinant<T>; MAX_LANES],
}

impl<T: Scalar> Staged<T> {
    fn new() -> Self {
        Self { elements: Vec::new(), determinants: [Determinant::ZERO; MAX_LANES] }
    }

    /// Converts the solutions.
    #[inline(always)]
    fn empty<A: Arithmetic<Work = T>>(
        &self,
        output: &mut [A::Element],
        statuses: &mut [Status],
        size: usize,
        flushes: bool,
    ) {
        if size == 0 {
            return;
        }
        let systems = output.chunks_exact_mut(size).zip(self.elements.chunks_exact(size));
        for ((output, solution), status) in systems.zip(statuses) {
            let mut finite = true;
            for (element, &x) in output.iter_mut().zip(solution) {
                *element = A::narrow(x, flushes);
                finite &= element.finite();
            }
            if status.is_inverted() && !finite {
                *status = Status::NOT_FINITE;
            }
            if !status.is_inverted() {
                output.fill(A::Element::NAN);
            }
        }
    }
}
