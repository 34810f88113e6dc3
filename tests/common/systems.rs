//! Solvers under test, and the ratios that their solutions are held to.

use batchinv::{Columns, Inverter, Precision, SimdLevel, Stack, Status};
use num_complex::Complex;

use super::Element;

/// An inverter, a kernel of a device that its plan might not choose, or the textbook.
pub struct Solver {
    pub name: String,
    way: Way,
}

enum Way {
    Textbook,
    Inverter(Box<Inverter>),
    #[cfg(all(feature = "gpu", feature = "testing"))]
    Forced(Forced),
}

/// The solutions of a stack, and their status words.
#[derive(Clone, Debug)]
pub struct Solved<T> {
    pub elements: Vec<T>,
    pub statuses: Vec<i32>,
}

/// The textbook, and the CPU engine at every level of the machine.
pub fn solvers() -> Vec<Solver> {
    let cpu = |level: SimdLevel| Solver {
        name: format!("cpu, {}", level.name()),
        way: Way::Inverter(Box::new(Inverter::cpu().simd_level(level))),
    };
    let reference = Solver { name: "reference".to_owned(), way: Way::Textbook };
    std::iter::once(reference).chain(SimdLevel::all().into_iter().map(cpu)).collect()
}

/// The same, and the GPU engine for systems of this order: on each adapter the kernel of its plan, and at some orders
/// every other kernel.
pub fn all_solvers<T: Element>(n: usize, promise: &'static str) -> Vec<Solver> {
    let mut solvers = solvers();
    solvers.extend(gpu_solvers::<T>(n, promise));
    solvers
}

/// The CPU engine at every level, computing in double precision.
pub fn solvers_in_double() -> Vec<Solver> {
    let double = |solver: Solver| match solver.way {
        Way::Inverter(inverter) => {
            let way = Way::Inverter(Box::new(inverter.precision(Precision::Double)));
            Some(Solver { name: format!("{}, double", solver.name), way })
        }
        _ => None,
    };
    solvers().into_iter().filter_map(double).collect()
}

impl Solver {
    /// Solves for as many right-hand sides as matrices.
    pub fn solve<T: Element>(&self, n: usize, width: usize, a: &[T], b: &[T]) -> Solved<T> {
        let (size, rhs_size) = (n * n, n * width);
        let inverter = match &self.way {
            Way::Inverter(inverter) => inverter,
            #[cfg(all(feature = "gpu", feature = "testing"))]
            Way::Forced(forced) => return forced.solve(n, width, a, b),
            Way::Textbook => {
                let mut elements = vec![T::ZERO; b.len()];
                let statuses = a.chunks(size).zip(b.chunks(rhs_size)).zip(elements.chunks_mut(rhs_size));
                let statuses = statuses.map(|((a, b), x)| batchinv::solve_reference(a, n, b, x).word()).collect();
                return Solved { elements, statuses };
            }
        };
        let solutions = inverter.solve(Stack::new(a, n).unwrap(), Columns::new(b, n, width).unwrap()).unwrap();
        let statuses = solutions.statuses().iter().copied().map(Status::word).collect();
        Solved { elements: solutions.into_columns().into_elements(), statuses }
    }
}

#[cfg(not(all(feature = "gpu", feature = "testing")))]
pub fn gpu_solvers<T: Element>(_: usize, _: &'static str) -> Vec<Solver> {
    Vec::new()
}

#[cfg(all(feature = "gpu", feature = "testing"))]
use with_gpu::Forced;
#[cfg(all(feature = "gpu", feature = "testing"))]
pub use with_gpu::gpu_solvers;

#[cfg(all(feature = "gpu", feature = "testing"))]
mod with_gpu {
    use batchinv::plan::{self, Variant, Work};
    use batchinv::{GpuKernel, Op, SolutionsMut};

    use super::*;
    use crate::common::engines::{Adapter, adapters, forms, record};

    /// A kernel of a device, in the form that suits hardware or in that of the device.
    pub struct Forced {
        adapter: &'static Adapter,
        kernel: GpuKernel,
        form: usize,
    }

    impl Forced {
        fn variant<T: Element>(&self, n: usize, width: usize) -> Option<Variant> {
            let plain = Variant::new(self.kernel, T::KIND, Precision::Native, n as u32);
            forms(plain.with_op(Op::Solve, width as u32), &self.adapter.gpu.facts().limits)[self.form]
        }

        /// Solves in chunks of 16 systems.
        pub fn solve<T: Element>(&self, n: usize, width: usize, a: &[T], b: &[T]) -> Solved<T> {
            let variant = self.variant::<T>(n, width).expect("the device runs it");
            let (mut elements, mut statuses) = (vec![T::ONE; b.len()], vec![Status::NOT_FINITE; a.len() / (n * n)]);
            let output = SolutionsMut::new(&mut elements, &mut statuses);
            let (a, b) = (Stack::new(a, n).unwrap(), Columns::new(b, n, width).unwrap());
            self.adapter.gpu.solve_with(variant, 16, a, b, output).expect("a kernel that runs");
            Solved { elements, statuses: statuses.into_iter().map(Status::word).collect() }
        }
    }

    /// The GPU engine on each adapter that takes systems of this order, with the kernel of its plan, and at some orders
    /// with every other. Since compiling takes time, not every order has them.
    pub fn gpu_solvers<T: Element>(n: usize, promise: &'static str) -> Vec<Solver> {
        let mut solvers = Vec::new();
        if ![1, 2, 3, 4, 5, 8, 9, 13, 16, 17, 33, 64].contains(&n) {
            return solvers;
        }
        for adapter in adapters(promise) {
            let Ok(planned) = plan::gpu(Work::solve(T::KIND, n, 1, 1), &adapter.gpu.facts().limits) else { continue };
            record(&adapter.word, planned.variant.kernel().name(), T::KIND.name(), promise, "ran");
            let inverter = Inverter::with_gpu(adapter.gpu.clone());
            solvers.push(Solver { name: adapter.word.clone(), way: Way::Inverter(Box::new(inverter)) });
            for kernel in GpuKernel::ALL {
                let takes = [1, 3, 5, 9, 13, 17].contains(&n) && n <= plan::max_order(kernel, T::KIND);
                for form in (0..2).filter(|_| takes && planned.variant.kernel() != kernel) {
                    let forced = Forced { adapter, kernel, form };
                    if forced.variant::<T>(n, 1).is_some() {
                        record(&adapter.word, kernel.name(), T::KIND.name(), promise, "ran");
                        let name = format!("{}, {kernel} in form {form}", adapter.word);
                        solvers.push(Solver { name, way: Way::Forced(forced) });
                    }
                }
            }
        }
        solvers
    }
}

fn wide<T: Element>(x: T) -> Complex<f64> {
    let (re, im) = x.re_im();
    Complex::new(re, im)
}

/// The largest column sum of moduli.
pub fn norm<T: Element>(a: &[T], n: usize) -> f64 {
    let column = |j: usize| (0..n).map(|i| wide(a[i * n + j]).norm()).sum();
    (0..n).map(column).fold(0.0, f64::max)
}

/// LAPACK's xGET02: the largest ||b - A x||_1 / (||A||_1 ||x||_1 eps) of the columns.
pub fn residual<T: Element>(n: usize, width: usize, a: &[T], x: &[T], b: &[T]) -> f64 {
    let of_column = |c: usize| {
        let entry = |i: usize| {
            let sum: Complex<f64> = (0..n).map(|j| wide(a[i * n + j]) * wide(x[j * width + c])).sum();
            (wide(b[i * width + c]) - sum).norm()
        };
        let residual: f64 = (0..n).map(entry).sum();
        let solution: f64 = (0..n).map(|j| wide(x[j * width + c]).norm()).sum();
        if residual == 0.0 { 0.0 } else { residual / (norm(a, n) * solution * T::eps()) }
    };
    (0..width).map(of_column).fold(0.0, |worst, ratio| if ratio > worst || ratio.is_nan() { ratio } else { worst })
}
