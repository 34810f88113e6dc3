//! Systems, cut into tasks and shared among threads as their plan says.

use rayon::prelude::*;

use super::solver::Results;
use super::task::{Systems, Task, run_complex64, run_complex128, run_float32, run_float64};
use crate::cpu::simd::level::SimdLevel;
use crate::cpu::tasks::Host;
use crate::data::arithmetic::Arithmetic;
use crate::data::clock::Instant;
use crate::data::determinant::Determinant;
use crate::data::operand::Given;
use crate::data::output::SolutionsMut;
use crate::data::reason::Reason;
use crate::data::report::Report;
use crate::data::scalar::{Scalar, ScalarKind};
use crate::data::stack::Stack;
use crate::data::status::Status;
use crate::plan::cpu::{CpuPlan, Sharing};

/// Solves systems into outputs that fit them. `reason` is why the CPU was chosen.
pub fn solve<T: Scalar>(
    plan: &CpuPlan,
    host: &Host,
    given: Given<'_, T>,
    output: SolutionsMut<'_, T>,
    reason: Option<Reason>,
) -> Report {
    let Given { order, width, len, a, b } = given;
    let SolutionsMut { elements, statuses, determinants } = output;
    if order == 0 {
        statuses.fill(Status::INVERTED);
    }
    let systems = Systems { b, results: Results { elements, statuses } };
    run(plan, host, Task { order, width, a, systems: Some(systems), determinants, len }, reason)
}

/// Writes the determinant of every matrix of a stack.
pub fn determinants<T: Scalar>(
    plan: &CpuPlan,
    host: &Host,
    stack: Stack<'_, T>,
    determinants: &mut [Determinant<T>],
    reason: Option<Reason>,
) -> Report {
    let Given { order, width, len, a, .. } = Given::matrices(stack);
    run(plan, host, Task { order, width, a, systems: None, determinants: Some(determinants), len }, reason)
}

fn run<T: Scalar>(plan: &CpuPlan, host: &Host, task: Task<'_, T>, reason: Option<Reason>) -> Report {
    let start = plan.timed.then(Instant::now);
    if task.order == 0 {
        // Matrices without elements.
        if let Some(determinants) = task.determinants {
            determinants.fill(Determinant::ONE);
        }
    } else if task.len > 0 {
        host.threads.run(plan.sharing, || match plan.sharing {
            Sharing::Tasks => {
                // A matrix that is for all systems is factored in every task.
                let fair = task.len.div_ceil(rayon::current_num_threads());
                let task_len = if task.a.is_repeated() { fair } else { plan.task_len };
                task.cut(task_len).into_par_iter().for_each(|task| task.run(plan, host.level));
            }
            // From a thread of the pool, which shares its work out without delay.
            Sharing::Columns => rayon::scope(|_| task.run(plan, host.level)),
            Sharing::None => task.run(plan, host.level),
        });
    }
    let arithmetic = Arithmetic::of(T::KIND, plan.precision);
    Report::of_cpu(plan.kernel, arithmetic, start.map_or(0.0, |start| start.elapsed().as_secs_f64()), reason)
}

impl<T: Scalar> Task<'_, T> {
    /// Tasks of `len` systems each; the last may hold fewer.
    fn cut(mut self, len: usize) -> Vec<Self> {
        let (order, width, a) = (self.order, self.width, self.a);
        let mut tasks = Vec::new();
        for first in (0..self.len).step_by(len) {
            let here = first..self.len.min(first + len);
            let determinants = self.determinants.take().map(|rest| {
                let (own, rest) = rest.split_at_mut(here.len());
                self.determinants = Some(rest);
                own
            });
            let systems = self.systems.take().map(|Systems { b, results: Results { elements, statuses } }| {
                let (elements, rest) = elements.split_at_mut(here.len() * order * width);
                let (statuses, rest_statuses) = statuses.split_at_mut(here.len());
                self.systems = Some(Systems { b, results: Results { elements: rest, statuses: rest_statuses } });
                Systems { b: b.slice(here.clone()), results: Results { elements, statuses } }
            });
            tasks.push(Self { order, width, a: a.slice(here.clone()), systems, determinants, len: here.len() });
        }
        tasks
    }

    /// Runs it on this thread.
    fn run(self, plan: &CpuPlan, level: SimdLevel) {
        match T::KIND {
            ScalarKind::Float32 => run_float32(plan, level, self.of()),
            ScalarKind::Float64 => run_float64(plan, level, self.of()),
            ScalarKind::Complex64 => run_complex64(plan, level, self.of()),
            ScalarKind::Complex128 => run_complex128(plan, level, self.of()),
        }
    }
}
