//! A stack, cut into tasks and shared among threads as its plan says.

use rayon::prelude::*;

use super::simd::level::SimdLevel;
use super::task::{Operation, Task};
use super::threads::Threads;
use crate::data::arithmetic::Arithmetic;
use crate::data::clock::Instant;
use crate::data::condition::{fill_rconds, reciprocal_condition};
use crate::data::engine::CpuKernel;
use crate::data::output::InversesMut;
use crate::data::reason::Reason;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::data::stack::Stack;
use crate::data::status::Status;
use crate::plan::cpu::{CpuPlan, Sharing};

/// The host of the CPU engine.
#[derive(Clone, Debug)]
pub struct Host {
    /// The instructions.
    pub level: SimdLevel,
    /// The threads.
    pub threads: Threads,
}

/// Runs a stack of matrices of `order`, whose results are matrices of that order, into outputs that fit it; without a
/// stack, the matrices that stand in the output. `reason` is why the CPU was chosen.
pub fn run<O: Operation, T: Scalar>(
    plan: &CpuPlan,
    host: &Host,
    order: usize,
    stack: Option<Stack<'_, T>>,
    output: InversesMut<'_, T>,
    reason: Option<Reason>,
) -> Report {
    let start = plan.timed.then(Instant::now);
    let work = || {
        if output.elements.is_empty() {
            // Matrices of order 0, or no matrices of any order.
            return output.fill_empty();
        }
        let InversesMut { elements, statuses, rconds, .. } = output;
        let (size, task_len) = (order * order, plan.task_len);
        let invert = |given: Option<Stack<'_, T>>, output: Output<'_, T>| {
            let Output { elements, statuses, rconds } = output;
            let input = given.as_ref().map(Stack::elements);
            let task = Task { order, input, elements: &mut *elements, statuses: &mut *statuses };
            O::run(plan, host.level, task);
            if let (Some(given), Some(rconds)) = (given, rconds) {
                fill_rconds(given, elements, statuses, rconds, reciprocal_condition);
            }
        };
        let task = |copy: &mut Vec<T>, index: usize, output: Output<'_, T>| {
            let first = index * task_len;
            match stack {
                Some(stack) => invert(Some(stack.slice(first..first + output.statuses.len())), output),
                // A kernel of single matrices reads each to its end before it writes the inverse.
                None if plan.kernel != CpuKernel::Lanes && output.rconds.is_none() => invert(None, output),
                None => {
                    // Tasks of `blocked` are long: in parts, the copy stays in the cache.
                    for output in output.chunks(plan.tuning.task_len(order), size) {
                        copy.clear();
                        copy.extend_from_slice(output.elements);
                        let given = Stack::with_len(copy, order, output.statuses.len());
                        invert(Some(given.expect("a copy is as long as its original")), output);
                    }
                }
            }
        };
        match plan.sharing {
            Sharing::Tasks => {
                let outputs = elements.par_chunks_mut(task_len * size).zip(statuses.par_chunks_mut(task_len));
                let task = |copy: &mut Vec<T>, (index, ((elements, statuses), rconds))| {
                    task(copy, index, Output { elements, statuses, rconds });
                };
                match rconds {
                    None => outputs.map(|output| (output, None)).enumerate().for_each_init(Vec::new, task),
                    Some(rconds) => {
                        outputs
                            .zip(rconds.par_chunks_mut(task_len).map(Some))
                            .enumerate()
                            .for_each_init(Vec::new, task);
                    }
                }
            }
            Sharing::None | Sharing::Columns => {
                let one_after_another = || {
                    let (mut copy, output) = (Vec::new(), Output { elements, statuses, rconds });
                    if output.statuses.len() <= task_len {
                        // Cutting a stack takes a noticeable share of the time of a 4x4.
                        return task(&mut copy, 0, output);
                    }
                    let outputs = output.chunks(task_len, size);
                    outputs.enumerate().for_each(|(index, output)| task(&mut copy, index, output));
                };
                if plan.sharing == Sharing::Columns {
                    // From a thread of the pool, which shares its work out without delay.
                    rayon::scope(|_| one_after_another());
                } else {
                    one_after_another();
                }
            }
        }
    };
    host.threads.run(plan.sharing, work);
    let arithmetic = Arithmetic::of(T::KIND, plan.precision);
    Report::of_cpu(plan.kernel, arithmetic, start.map_or(0.0, |start| start.elapsed().as_secs_f64()), reason)
}

/// The outputs of a task.
struct Output<'a, T: Scalar> {
    elements: &'a mut [T],
    statuses: &'a mut [Status],
    rconds: Option<&'a mut [T::Real]>,
}

impl<'a, T: Scalar> Output<'a, T> {
    /// The outputs of `len` matrices of `size` elements after another.
    fn chunks(self, len: usize, size: usize) -> impl Iterator<Item = Self> {
        let Self { elements, statuses, rconds } = self;
        let mut rconds = rconds.map(|rconds| rconds.chunks_mut(len));
        elements.chunks_mut(len * size).zip(statuses.chunks_mut(len)).map(move |(elements, statuses)| Self {
            elements,
            statuses,
            rconds: rconds.as_mut().and_then(Iterator::next),
        })
    }
}
