//! The programs that a driver is asked about.

use std::collections::BTreeSet;
use std::str::FromStr;

use batchinv::gpu::program_source;
use batchinv::plan::{self, GpuLimits, KernelConfig, Program, Variant, Work, max_order};
use batchinv::{Arithmetic, GpuKernel, Op, Precision, ScalarKind};

/// A program and its name.
#[derive(Clone, Debug)]
pub struct Question {
    /// The kernel, the scalar, the order, and what else tells it from other programs, in words.
    pub name: String,
    /// How its invocations share matrices.
    pub shape: String,
    pub source: String,
    pub entry: String,
    /// Its size, if it is a plan's.
    pub size: Option<Size>,
}

/// What executed instructions are counted with.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rounds of a loop over rows or columns.
    pub rounds: u32,
    /// Invocations that share a matrix.
    pub invocations: u32,
}

/// Which orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Orders {
    /// Those between which the plan changes its kernel or its numbers, and those of [`KNOWN`] and [`DEVICE`].
    Boundary,
    /// Every order up to `device`'s first, and those of [`DEVICE`].
    All,
    These(Vec<u32>),
}

/// Orders at which `subgroup` has crashed RADV on GPUs of RDNA 1 and 2 (Mesa 22.3.6 to 25.0.7).
const KNOWN: [u32; 8] = [32, 38, 40, 42, 48, 49, 56, 64];

/// Orders of `device` with outer blocks, and with 2, 3, 5 and 16 rows of a panel to an invocation.
const DEVICE: [u32; 5] = [129, 257, 513, 1025, 4096];

impl FromStr for Orders {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| word.parse::<u32>().map_err(|error| format!("{word}: {error}"));
        match text {
            "boundary" => Ok(Self::Boundary),
            "all" => Ok(Self::All),
            _ => {
                let mut orders = Vec::new();
                for piece in text.split(',') {
                    match piece.split_once('-') {
                        Some((first, last)) => orders.extend(number(first)?..=number(last)?),
                        None => orders.push(number(piece)?),
                    }
                }
                Ok(Self::These(orders))
            }
        }
    }
}

impl Orders {
    /// The orders for some numbers on a device with these limits.
    fn of(&self, limits: &GpuLimits, numbers: Numbers, task: Task) -> BTreeSet<u32> {
        let most = numbers.most(GpuKernel::Workgroup) + 1;
        match self {
            Self::These(orders) => orders.iter().copied().collect(),
            Self::All => (1..=most).chain(DEVICE).collect(),
            Self::Boundary => {
                let shape = |order| numbers.planned(limits, order, task).map(shape_of);
                let ends = (1..=most).filter(|&order| {
                    let own = shape(order);
                    order == 1 || own != shape(order - 1) || own != shape(order + 1)
                });
                match task.0 {
                    Op::Inverse => ends.chain(KNOWN).chain(DEVICE).collect(),
                    _ => ends.collect(),
                }
            }
        }
    }
}

/// An operation, and the columns of its right-hand sides.
pub type Task = (Op, usize);

/// The tasks whose programs are asked about: systems with one column, and with more than ride at once.
pub const TASKS: [Task; 5] = [(Op::Inverse, 0), (Op::Solve, 1), (Op::Solve, 9), (Op::Det, 0), (Op::Cofactors, 0)];

/// What changes at a boundary: all numbers of a kernel but those that change with every order.
fn shape_of(variant: Variant) -> (GpuKernel, [u32; 3]) {
    let numbers = match variant.config {
        KernelConfig::Thread(config) => [config.matrices, 0, 0],
        KernelConfig::Subgroup(config) => [config.lanes, config.rows(variant.order), 0],
        KernelConfig::Workgroup(config) => [config.rows, config.columns, config.matrices],
        KernelConfig::Device(config) => [config.block, config.outer_block, config.invocations],
        _ => [0; 3],
    };
    (variant.kernel(), numbers)
}

/// The numbers of a program: in memory, and in its arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    scalar: ScalarKind,
    arithmetic: Arithmetic,
}

impl Numbers {
    /// Every scalar that is given with every arithmetic that is given and suits it. Without scalars, all of them;
    /// without arithmetics, the scalar's own and pairs.
    pub fn of(scalars: &[ScalarKind], arithmetics: &[Arithmetic]) -> Vec<Self> {
        let of = |scalar: ScalarKind| {
            let own = Arithmetic::of(scalar, Precision::Native);
            let all = match own {
                Arithmetic::Float32 => &[Arithmetic::Float32, Arithmetic::Pairs, Arithmetic::Float64][..],
                _ => &[Arithmetic::Float64],
            };
            all.iter().map(move |&arithmetic| (own, Self { scalar, arithmetic }))
        };
        let asked = |&(own, Self { scalar, arithmetic }): &(Arithmetic, Self)| {
            let by_default = arithmetics.is_empty() && (arithmetic == own || arithmetic == Arithmetic::Pairs);
            (scalars.is_empty() || scalars.contains(&scalar)) && (by_default || arithmetics.contains(&arithmetic))
        };
        ScalarKind::ALL.into_iter().flat_map(of).filter(asked).map(|(_, numbers)| numbers).collect()
    }

    /// The largest order of a kernel.
    fn most(self, kernel: GpuKernel) -> u32 {
        max_order(kernel, self.variant(kernel, 1).working_scalar()) as u32
    }

    fn variant(self, kernel: GpuKernel, order: u32) -> Variant {
        Variant::new(kernel, self.scalar, Precision::Native, order).with_arithmetic(self.arithmetic)
    }

    fn planned(self, limits: &GpuLimits, order: u32, (op, width): Task) -> Option<Variant> {
        let precision = if self.arithmetic == Arithmetic::of(self.scalar, Precision::Native) {
            Precision::Native
        } else {
            Precision::Double
        };
        let mut limits = *limits;
        limits.float64 &= self.arithmetic != Arithmetic::Pairs;
        let work = Work { op, width, ..Work::inverse(self.scalar, order as usize, 1 << 20) };
        plan::gpu(work.with_precision(precision), &limits).ok().map(|plan| plan.variant)
    }
}

/// Every program of the variants that the plan takes on a device with these limits, or of one kernel. A `plain` program
/// leaves rcond out and does not work in place.
pub fn questions(
    limits: &GpuLimits,
    numbers: &[Numbers],
    tasks: &[Task],
    orders: &Orders,
    kernel: Option<GpuKernel>,
    plain: bool,
) -> Vec<Question> {
    let mut questions = Vec::new();
    for &numbers in numbers.iter().filter(|numbers| limits.float64 || numbers.arithmetic != Arithmetic::Float64) {
        for &task in tasks {
            for order in orders.of(limits, numbers, task) {
                let variant = match kernel {
                    None => numbers.planned(limits, order, task),
                    Some(kernel) => (order <= numbers.most(kernel))
                        .then(|| numbers.variant(kernel, order).with_op(task.0, task.1 as u32).suited(limits)),
                };
                // Only inverses in the scalar's own arithmetic are asked about in place and with rcond: those parts of
                // the text are the same.
                let own = numbers.arithmetic == Arithmetic::of(numbers.scalar, Precision::Native);
                let plain = plain || task.0 != Op::Inverse || !own;
                for variant in variant.into_iter().flat_map(|variant| kinds(variant, plain)) {
                    let programs = variant.schedule(limits).programs().into_iter().map(|step| step.program);
                    let own = programs.filter(|program| program.knows_rcond || !variant.rcond);
                    questions.extend(own.map(|program| question(variant, program)));
                }
            }
        }
    }
    questions
}

/// A variant with and without rcond, in place and apart.
fn kinds(variant: Variant, plain: bool) -> Vec<Variant> {
    let kinds = [(false, false), (false, true), (true, false), (true, true)];
    let with = |(rcond, in_place)| {
        let mut variant = variant;
        (variant.rcond, variant.in_place) = (rcond, in_place);
        variant
    };
    kinds.into_iter().take(if plain { 1 } else { kinds.len() }).map(with).collect()
}

fn question(variant: Variant, program: Program) -> Question {
    let Variant { scalar, arithmetic, order, rcond, in_place, .. } = variant;
    let mut name = format!("{} {scalar} {order}", variant.kernel());
    if variant.kernel() == GpuKernel::Device {
        name += &format!(" {}", program.name);
    }
    match variant.op {
        Op::Solve => name += &format!(" solve {}", variant.width),
        op if op != Op::Inverse => name += &format!(" {op}", op = op.name()),
        _ => {}
    }
    if arithmetic != Arithmetic::of(scalar, Precision::Native) {
        name += &format!(" in {}", arithmetic.name());
    }
    name += if rcond { " rcond" } else { "" };
    name += if in_place { " in place" } else { "" };
    let shape = match variant.config {
        KernelConfig::Subgroup(config) => format!("{} lanes, {} rows", config.lanes, config.rows(order)),
        KernelConfig::Workgroup(config) => {
            format!("{} tiles of {} x {}", config.team(order), config.rows, config.columns)
        }
        _ => format!("{} invocations", variant.workgroup()),
    };
    let steps = match variant.config {
        KernelConfig::Subgroup(config) => config.steps,
        KernelConfig::Workgroup(config) => config.columns,
        _ => 1,
    };
    let size = Some(Size { rounds: order.div_ceil(steps), invocations: variant.workgroup() / variant.matrices() });
    Question { name, shape, source: program_source(program, variant), entry: program.entry.to_owned(), size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hardware() -> GpuLimits {
        let mut limits = GpuLimits::WEBGPU_DEFAULT;
        (limits.subgroups, limits.float64) = (Some((32, 64)), true);
        limits
    }

    #[test]
    fn orders_are_read() {
        assert_eq!("1,8,30-32".parse(), Ok(Orders::These(vec![1, 8, 30, 31, 32])));
        assert!("1,x".parse::<Orders>().is_err() && "".parse::<Orders>().is_err());
    }

    /// Both sides of every change of the kernel are boundaries.
    #[test]
    fn boundaries_are_the_plans() {
        let limits = hardware();
        for numbers in Numbers::of(&[], &[]) {
            let task = (Op::Inverse, 0);
            let boundaries = Orders::Boundary.of(&limits, numbers, task);
            let kernel = |order| numbers.planned(&limits, order, task).unwrap().kernel();
            for order in (2..200).filter(|&order| kernel(order) != kernel(order - 1)) {
                assert!(boundaries.contains(&order) && boundaries.contains(&(order - 1)), "{numbers:?} {order}");
            }
        }
    }

    #[test]
    fn programs_have_names_of_their_own() {
        let numbers = [Numbers::of(&[], &[]), Numbers::of(&[ScalarKind::Float32], &[Arithmetic::Float64])].concat();
        let all = questions(&hardware(), &numbers, &TASKS, &Orders::These(vec![3, 4, 20, 70, 200]), None, false);
        let names: BTreeSet<_> = all.iter().map(|question| &question.name).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.contains(&"device float32 200 within".to_owned()), "{names:?}");
        for name in [
            "thread float32 4 rcond in place",
            "thread float32 4 solve 9",
            "workgroup float32 70 det",
            "thread float32 3 cofactors",
            "thread float32 4 in pairs",
            "thread float32 4 solve 9 in float64",
        ] {
            assert!(names.contains(&name.to_owned()), "{names:?}");
        }
    }
}
