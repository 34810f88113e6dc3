//! Conjugate gradients with batched inverse blocks: one implicit time step of chemistry in a packed bed.
//!
//! Twelve isomers turn into each other on catalyst grains and diffuse through the voids between the grains.
//! Reaction rates differ by a factor of a million, between reactions and between places, so the time step must
//! be implicit: it solves, for all cells and species at once,
//!
//!     (1 / dt + reactions - diffusion) c = c_before / dt
//!
//! Reactions couple the species within a cell, and diffusion couples each species of neighboring cells. This
//! gives a sparse system with a dense diagonal block of order 12 per cell. In terms of u = c / sqrt(share at
//! equilibrium) it is symmetric and positive definite, and conjugate gradients can solve it. All the
//! stiffness is within the blocks. Dividing by the diagonal (point Jacobi) hardly helps. Multiplying by the
//! inverse of each block (block Jacobi) removes the chemistry and leaves only the diffusion to iterate on.
//! An explicit inverse is the right choice here: it is used once per iteration, and a matrix-vector product
//! is faster than two triangular solves.
//!
//!     cargo run --release --example block_jacobi [FOLDER [CELLS]]
//!
//! CELLS is the number of cells along an edge, by default 24, which gives 165,888 unknowns. The example writes
//! FOLDER/block_jacobi.svg.
#![allow(clippy::print_stdout, reason = "an example prints its measurements")]

use std::fmt::Write;
use std::time::Instant;
use std::{env, error, fs};

use batchinv::{Inverter, Stack};
use rayon::prelude::*;

/// The order of a block.
const SPECIES: usize = 12;
/// The edge of a cell, in meters.
const EDGE: f64 = 1e-3;
/// The time step, in seconds.
const STEP: f64 = 2.0;
/// The final residual, relative to the initial one.
const TOLERANCE: f64 = 1e-8;
const MAX_ITERATIONS: usize = 20_000;

fn main() -> Result<(), Box<dyn error::Error>> {
    let mut args = env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| "target/examples-out".to_owned());
    let cells = args.next().map_or(Ok(24), |text| text.parse::<usize>())?.max(1);
    let bed = Bed::new(cells);
    let before = bed.feed();
    let right: Vec<f64> = before.iter().map(|u| u / STEP).collect();
    println!("{} unknowns in {} blocks of order {SPECIES}", right.len(), right.len() / SPECIES);

    let start = Instant::now();
    let inverses = Inverter::auto().invert(Stack::new(&bed.blocks, SPECIES)?)?;
    let engine = inverses.report().engine;
    let inverses = inverses.strict()?;
    let inverting = start.elapsed().as_secs_f64();
    println!("all blocks inverted in {:.1} ms on the {engine} engine", inverting * 1e3);

    let diagonal: Vec<f64> = (0..right.len()).map(|i| bed.blocks[i * SPECIES + i % SPECIES]).collect();
    let mut solutions = [
        Solution::of("no preconditioner", &bed, &right, |r, z| z.copy_from_slice(r)),
        Solution::of("point Jacobi", &bed, &right, |r, z| {
            z.iter_mut().zip(r).zip(&diagonal).for_each(|((z, r), d)| *z = r / d);
        }),
        Solution::of("block Jacobi", &bed, &right, |r, z| {
            let work = z
                .par_chunks_mut(SPECIES)
                .zip(r.par_chunks(SPECIES))
                .zip(inverses.elements().par_chunks(SPECIES * SPECIES));
            work.with_min_len(256).for_each(|((z, r), inverse)| multiply(inverse, r, z));
        }),
    ];
    solutions[2].seconds += inverting;
    let block = &solutions[2];
    for solution in &solutions {
        let Solution { name, seconds, .. } = solution;
        let (iterations, times) = (solution.iterations(), seconds / block.seconds);
        let residual = bed.residual(&right, &solution.u);
        println!(
            "{name:18} {iterations:6} iterations {seconds:8.3} s ({times:6.1} times block Jacobi's), \
             residual {residual:.1e}"
        );
    }
    let drift = (bed.amount(&block.u) - bed.amount(&before)).abs() / bed.amount(&before);
    println!("relative change in the total amount of substance, which should be zero: {drift:.1e}");

    fs::create_dir_all(&folder)?;
    let path = format!("{folder}/block_jacobi.svg");
    fs::write(&path, plot(&solutions, right.len()))?;
    println!("wrote {path}");
    let solved = drift < 1e-6 && bed.residual(&right, &block.u) < 10.0 * TOLERANCE;
    if !solved {
        return Err("the solution is wrong".into());
    }
    Ok(())
}

/// A closed cube of cells, with grains of two catalysts.
struct Bed {
    cells: usize,
    /// Row-major blocks of the diagonal, one for each cell.
    blocks: Vec<f64>,
    /// Diffusivity / EDGE^2 of each species, in 1/s; minus the coupling to each neighboring cell.
    diffusion: [f64; SPECIES],
    /// Square roots of each species' share at equilibrium.
    weights: [f64; SPECIES],
}

impl Bed {
    fn new(cells: usize) -> Self {
        let mut random = Random(1);
        let shares: [f64; SPECIES] = std::array::from_fn(|_| random.log_uniform(0.05, 1.0));
        let weights = shares.map(|share| (share / shares.iter().sum::<f64>()).sqrt());
        let diffusion = std::array::from_fn(|_| random.log_uniform(3e-6, 1e-5) / (EDGE * EDGE));
        // The two species of each reaction, its catalyst, and its rate at full activity, in 1/s.
        let reactions: Vec<(usize, usize, usize, f64)> = (0..SPECIES)
            .flat_map(|i| [(i, (i + 1) % SPECIES, 0), (i, (i + 5) % SPECIES, 1)])
            .map(|(i, j, catalyst)| (i, j, catalyst, random.log_uniform(1e1, 1e4)))
            .collect();

        let mut bed = Self { cells, blocks: vec![0.0; cells.pow(3) * SPECIES * SPECIES], diffusion, weights };
        for cell in 0..cells.pow(3) {
            // The amount of each catalyst in this cell.
            let activity = [random.log_uniform(1e-3, 1.0), random.log_uniform(1e-3, 1.0)];
            let neighbors = bed.neighbors(cell).count() as f64;
            let block = &mut bed.blocks[cell * SPECIES * SPECIES..][..SPECIES * SPECIES];
            for (s, diffusion) in diffusion.iter().enumerate() {
                block[s * SPECIES + s] = 1.0 / STEP + neighbors * diffusion;
            }
            // A reaction runs at rate * (c_i / share_i - c_j / share_j), which is zero at equilibrium.
            for &(i, j, catalyst, rate) in &reactions {
                let rate = rate * activity[catalyst] * weights[i] * weights[j];
                for (row, column, sign) in [(i, i, 1.0), (j, j, 1.0), (i, j, -1.0), (j, i, -1.0)] {
                    block[row * SPECIES + column] += sign * rate / (weights[row] * weights[column]);
                }
            }
        }
        bed
    }

    /// The cells that share a face with this one.
    fn neighbors(&self, cell: usize) -> impl Iterator<Item = usize> {
        let n = self.cells;
        [1, n, n * n].into_iter().flat_map(move |stride| {
            let place = cell / stride % n;
            [(place > 0).then(|| cell - stride), (place + 1 < n).then(|| cell + stride)].into_iter().flatten()
        })
    }

    /// The initial state: the first species alone, in a quarter of the bed.
    fn feed(&self) -> Vec<f64> {
        let mut u = vec![0.0; self.cells.pow(3) * SPECIES];
        let quarter = self.cells.div_ceil(4) * self.cells.pow(2);
        u.iter_mut().step_by(SPECIES).take(quarter).for_each(|u| *u = 1.0 / self.weights[0]);
        u
    }

    /// The system's matrix times u.
    fn apply(&self, u: &[f64], product: &mut [f64]) {
        product.par_chunks_mut(SPECIES).enumerate().with_min_len(256).for_each(|(cell, product)| {
            multiply(
                &self.blocks[cell * SPECIES * SPECIES..][..SPECIES * SPECIES],
                &u[cell * SPECIES..][..SPECIES],
                product,
            );
            for neighbor in self.neighbors(cell) {
                let theirs = &u[neighbor * SPECIES..][..SPECIES];
                product.iter_mut().zip(theirs).zip(&self.diffusion).for_each(|((p, u), d)| *p -= d * u);
            }
        });
    }

    /// ||b - A u|| / ||b||, computed from scratch.
    fn residual(&self, right: &[f64], u: &[f64]) -> f64 {
        let mut product = vec![0.0; u.len()];
        self.apply(u, &mut product);
        product.iter_mut().zip(right).for_each(|(p, b)| *p -= b);
        (dot(&product, &product) / dot(right, right)).sqrt()
    }

    /// The total amount of all species in all cells.
    fn amount(&self, u: &[f64]) -> f64 {
        u.iter().enumerate().map(|(i, u)| u * self.weights[i % SPECIES]).sum()
    }
}

struct Solution {
    name: &'static str,
    u: Vec<f64>,
    seconds: f64,
    /// ||r|| / ||b||, before each iteration and at the end.
    residuals: Vec<f64>,
}

impl Solution {
    fn iterations(&self) -> usize {
        self.residuals.len() - 1
    }

    /// Solves by preconditioned conjugate gradients, starting from zero. `precondition` applies the
    /// preconditioner to its first argument and writes the result to the second.
    fn of(name: &'static str, bed: &Bed, right: &[f64], precondition: impl Fn(&[f64], &mut [f64])) -> Self {
        let start = Instant::now();
        let mut u = vec![0.0; right.len()];
        let mut r = right.to_vec();
        let (mut z, mut product) = (vec![0.0; r.len()], vec![0.0; r.len()]);
        precondition(&r, &mut z);
        let mut direction = z.clone();
        let mut rz = dot(&r, &z);
        let norm = dot(right, right).sqrt();
        let mut residuals = vec![1.0];
        while residuals.last().is_some_and(|&last| last > TOLERANCE) && residuals.len() <= MAX_ITERATIONS {
            bed.apply(&direction, &mut product);
            let step = rz / dot(&direction, &product);
            u.iter_mut().zip(&direction).for_each(|(u, d)| *u += step * d);
            r.iter_mut().zip(&product).for_each(|(r, p)| *r -= step * p);
            precondition(&r, &mut z);
            let next = dot(&r, &z);
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + next / rz * *d);
            rz = next;
            residuals.push(dot(&r, &r).sqrt() / norm);
        }
        Self { name, u, seconds: start.elapsed().as_secs_f64(), residuals }
    }
}

/// A block times a vector.
fn multiply(block: &[f64], vector: &[f64], product: &mut [f64]) {
    for (row, product) in block.chunks_exact(SPECIES).zip(product) {
        *product = row.iter().zip(vector).map(|(a, x)| a * x).sum();
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// xorshift64*, which gives the same bed on every machine.
struct Random(u64);

impl Random {
    fn log_uniform(&mut self, from: f64, to: f64) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let unit = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64;
        from * (to / from).powf(unit)
    }
}

/// Residual by iteration, both axes logarithmic.
fn plot(solutions: &[Solution], unknowns: usize) -> String {
    let most = solutions.iter().map(Solution::iterations).max().unwrap_or(0).max(2) as f64;
    let x = |iteration: f64| 80.0 + 620.0 * iteration.max(1.0).log10() / most.log10();
    let y = |residual: f64| 60.0 + 300.0 * residual.log10() / TOLERANCE.log10();
    let mut svg = String::from(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 430"
     font-family="sans-serif" font-size="13" fill="#333">
<rect width="900" height="430" fill="#fff"/>
"##,
    );
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(svg, "{text}").expect("a string takes any text");
    line(format_args!(
        r#"<text x="80" y="34" font-size="16">Conjugate gradients on {unknowns} unknowns: residual by iteration</text>"#
    ));
    for power in 0..=-TOLERANCE.log10() as i32 {
        let at = y(10_f64.powi(-power));
        line(format_args!(r##"<path d="M80 {at:.1}H700" stroke="#e4e4e4"/>"##));
        line(format_args!(
            r#"<text x="72" y="{:.1}" text-anchor="end">10<tspan dy="-5" font-size="9">{}</tspan></text>"#,
            at + 4.0,
            -power
        ));
    }
    for power in 0..=most.log10() as i32 {
        let at = x(10_f64.powi(power));
        line(format_args!(r##"<path d="M{at:.1} 60V360" stroke="#e4e4e4"/>"##));
        line(format_args!(r#"<text x="{at:.1}" y="380" text-anchor="middle">{}</text>"#, 10_u32.pow(power as u32)));
    }
    line(format_args!(r#"<text x="390" y="408" text-anchor="middle">iterations</text>"#));
    for (solution, color) in solutions.iter().zip(["#8a8a8a", "#d1872c", "#1f6fb2"]) {
        let points = solution.residuals.iter().enumerate().skip(1);
        let points: Vec<String> = points
            .map(|(i, &residual)| format!("{:.1},{:.1}", x(i as f64), y(residual.clamp(TOLERANCE, 1.0))))
            .collect();
        line(format_args!(
            r#"<polyline fill="none" stroke="{color}" stroke-width="2" points="{}"/>"#,
            points.join(" ")
        ));
    }
    for (index, (solution, color)) in solutions.iter().zip(["#8a8a8a", "#d1872c", "#1f6fb2"]).enumerate() {
        let at = 84 + 44 * index;
        line(format_args!(r#"<text x="712" y="{at}" fill="{color}" font-weight="bold">{}</text>"#, solution.name));
        let (iterations, seconds) = (solution.iterations(), solution.seconds);
        line(format_args!(r#"<text x="712" y="{}">{iterations} iterations, {seconds:.2} s</text>"#, at + 17));
    }
    svg + "</svg>\n"
}
