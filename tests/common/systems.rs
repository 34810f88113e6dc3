//! Solvers under test, and the ratios that their solutions are held to.

use batchinv::{Columns, Inverter, Precision, SimdLevel, Stack, Status};
use num_complex::Complex;

use super::Element;

/// An inverter, or the textbook.
pub struct Solver {
    pub name: String,
    inverter: Option<Inverter>,
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
        inverter: Some(Inverter::cpu().simd_level(level)),
    };
    let reference = Solver { name: "reference".to_owned(), inverter: None };
    std::iter::once(reference).chain(SimdLevel::all().into_iter().map(cpu)).collect()
}

/// The CPU engine at every level, computing in double precision.
pub fn solvers_in_double() -> Vec<Solver> {
    let double = |solver: Solver| Solver {
        name: format!("{}, double", solver.name),
        inverter: solver.inverter.map(|inverter| inverter.precision(Precision::Double)),
    };
    solvers().into_iter().skip(1).map(double).collect()
}

impl Solver {
    /// Solves for as many right-hand sides as matrices.
    pub fn solve<T: Element>(&self, n: usize, width: usize, a: &[T], b: &[T]) -> Solved<T> {
        let (size, rhs_size) = (n * n, n * width);
        let Some(inverter) = &self.inverter else {
            let mut elements = vec![T::ZERO; b.len()];
            let statuses = a.chunks(size).zip(b.chunks(rhs_size)).zip(elements.chunks_mut(rhs_size));
            let statuses = statuses.map(|((a, b), x)| batchinv::solve_reference(a, n, b, x).word()).collect();
            return Solved { elements, statuses };
        };
        let solutions = inverter.solve(Stack::new(a, n).unwrap(), Columns::new(b, n, width).unwrap()).unwrap();
        let statuses = solutions.statuses().iter().copied().map(Status::word).collect();
        Solved { elements: solutions.into_columns().into_elements(), statuses }
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
