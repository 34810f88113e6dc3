//! Stiff chemistry in many cells at once: an implicit step in each cell is a system of its own.
//!
//! Robertson's reactions (1966), the usual test of stiff integrators, run in thousands of cells of a reactor that is
//! hotter at one end than at the other. One reaction is slow, one takes microseconds, and an explicit method would need
//! steps as short as the latter. A linearly implicit Euler step of length h solves instead
//!
//!     (I - h J) d = h f
//!
//! in every cell, with its own concentrations, its own Jacobian J and its own h: stacks of different matrices of order
//! 3, each used once, which is what `solve` is for. Two steps of h / 2 beside one of h tell the error, choose the next
//! h, and give a result of second order (Deuflhard, "Recent progress in extrapolation methods for ODEs", 1985).
//!
//!     cargo run --release --example stiff_chemistry [CELLS]
//!
//! CELLS is 10,000 by default. The example prints the concentrations along the reactor after 40 seconds. It fails if a
//! system has no solution, if mass is lost, or if the cell at Robertson's own temperature is off the known solution.
#![allow(clippy::print_stdout, reason = "an example prints its measurements")]

use std::time::Instant;
use std::{env, error};

use batchinv::host::solve_matrices;

type Vector = [f64; 3];
type Matrix = [[f64; 3]; 3];

/// Seconds.
const END: f64 = 40.0;
/// Robertson's solution at that time, as the documentation of CVODE has it.
const KNOWN: Vector = [7.158_270_687e-1, 9.185_534_765e-6, 2.841_637_457e-1];
/// The error of a step, relative to each concentration and, for those near zero, as it is.
const TOLERANCE: f64 = 1e-5;
const NEAR_ZERO: Vector = [1e-7, 1e-11, 1e-7];
/// The temperature that Robertson's rates are taken for, and those at the ends of the reactor, in kelvins.
const TEMPERATURES: [f64; 3] = [300.0, 280.0, 320.0];
/// Activation energies over the gas constant, in kelvins. Robertson has none: they are made up.
const ACTIVATION: Vector = [6000.0, 2000.0, 4000.0];

struct Cell {
    temperature: f64,
    rates: Vector,
    /// The shares of the three species.
    y: Vector,
    t: f64,
    h: f64,
}

fn main() -> Result<(), Box<dyn error::Error>> {
    let count = env::args().nth(1).map_or(Ok(10_000), |text| text.parse::<usize>())?.max(2);
    let [own, cold, hot] = TEMPERATURES;
    let along = |i: usize| cold + (hot - cold) * i as f64 / (count - 1) as f64;
    // The last cell is the one whose solution is known.
    let mut cells: Vec<Cell> = (0..count).map(along).chain([own]).map(Cell::new).collect();

    let (start, mut systems, mut rounds) = (Instant::now(), 0, 0);
    while cells.iter().any(|cell| cell.t < END) {
        systems += round(&mut cells)?;
        rounds += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} cells: {systems} systems in {rounds} rounds and {seconds:.2} s, {:.1} million per second\n",
        systems as f64 / seconds / 1e6
    );

    println!("temperature   share of A   of B        of C");
    for cell in cells[..count].iter().step_by((count / 8).max(1)) {
        let [a, b, c] = cell.y;
        println!("{:9.1} K   {a:10.6}   {b:.3e}   {c:.6}", cell.temperature);
    }
    let lost = cells.iter().map(|cell| (cell.y.iter().sum::<f64>() - 1.0).abs()).fold(0.0, f64::max);
    let last = &cells[count].y;
    let error = last.iter().zip(KNOWN).map(|(y, known)| (y / known - 1.0).abs()).fold(0.0, f64::max);
    println!("\nmass lost: {lost:.1e}; relative error where the solution is known: {error:.1e}");
    assert!(lost < 1e-12 && error < 1e-5, "the result is wrong");
    Ok(())
}

/// A step in every cell that is not done. Returns the number of systems. Fails at the first without a solution.
fn round(cells: &mut [Cell]) -> Result<usize, batchinv::Error> {
    let mut active: Vec<&mut Cell> = cells.iter_mut().filter(|cell| cell.t < END).collect();
    // In each cell a step of h, and the first of two of h / 2.
    let first = active.iter().flat_map(|cell| [cell.system(cell.y, cell.h), cell.system(cell.y, cell.h / 2.0)]);
    let (a, b): (Vec<Matrix>, Vec<Vector>) = first.unzip();
    let first = solve_matrices(&a, &b)?;
    let (whole, half) = (first.iter().step_by(2), first.iter().skip(1).step_by(2));
    let middle: Vec<Vector> = active.iter().zip(half).map(|(cell, d)| sum(cell.y, *d)).collect();

    let second = active.iter().zip(&middle).map(|(cell, &y)| cell.system(y, cell.h / 2.0));
    let (a, b): (Vec<Matrix>, Vec<Vector>) = second.unzip();
    let second = solve_matrices(&a, &b)?;

    for (((cell, d), middle), half) in active.iter_mut().zip(whole).zip(middle).zip(&second) {
        cell.advance(sum(cell.y, *d), sum(middle, *half));
    }
    Ok(first.len() + second.len())
}

impl Cell {
    fn new(temperature: f64) -> Self {
        let slower = |energy: f64| (energy * (1.0 / TEMPERATURES[0] - 1.0 / temperature)).exp();
        let [ab, bb, bc] = ACTIVATION.map(slower);
        Self { temperature, rates: [0.04 * ab, 3e7 * bb, 1e4 * bc], y: [1.0, 0.0, 0.0], t: 0.0, h: 1e-5 }
    }

    /// I - h J and h f at these concentrations: A -> B, 2 B -> B + C, B + C -> A + C.
    fn system(&self, [a, b, c]: Vector, h: f64) -> (Matrix, Vector) {
        let [ab, bb, bc] = self.rates.map(|rate| h * rate);
        let (to_b, to_c, to_a) = (ab * a, bb * b * b, bc * b * c);
        let matrix =
            [[1.0 + ab, -bc * c, -bc * b], [-ab, 1.0 + 2.0 * bb * b + bc * c, bc * b], [0.0, -2.0 * bb * b, 1.0]];
        (matrix, [to_a - to_b, to_b - to_c - to_a, to_c])
    }

    /// Goes on from the results of one step and of two half as long, if they agree, and chooses the next step.
    fn advance(&mut self, one: Vector, two: Vector) {
        let relative = |i: usize| (two[i] - one[i]).abs() / (NEAR_ZERO[i] + TOLERANCE * two[i].abs());
        let error = relative(0).max(relative(1)).max(relative(2));
        if error <= 1.0 {
            self.y = std::array::from_fn(|i| 2.0 * two[i] - one[i]);
            self.t += self.h;
        }
        // The error of a step grows with its square. Close to the end, no crumb of a step may be left.
        let wanted = self.h * (0.9 / error.sqrt()).clamp(0.2, 5.0);
        let left = END - self.t;
        self.h = if wanted >= left { left } else { wanted.min(left / 2.0) };
    }
}

fn sum(x: Vector, y: Vector) -> Vector {
    std::array::from_fn(|i| x[i] + y[i])
}
