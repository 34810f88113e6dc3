//! Times faer, nalgebra, and glam on this machine's CPU, as rows that `peers/table.py` and `batchinv bench --with`
//! read:
//!
//! ```sh
//! cargo run --release -p batchinv-benches --bin rust-peers -- --order 4,8 --scalar float64 >rust.json
//! cargo run --release -p batchinv-benches --bin rust-peers -- --op solve --width 3 >rust.json
//! ```
//!
//! Each library takes one matrix at a time, as its authors intend, and every thread gets one piece of the
//! stack. The libraries store matrices by columns and read a row-major matrix as its transpose. The inverse of
//! the transpose is the transpose of the inverse, and its determinant is the same; systems are checked as those
//! of the transpose. So nothing is transposed. Check, rotation, and clock are as in `peers/measure.py`, and so
//! is the input, except that complex matrices have 0.5i in every element.

use std::time::Instant;

use batchinv::{Complex, Real, Scalar, ScalarKind, determinant_reference, residual_ratio, solve_ratio};
use batchinv_benches::{random, well_conditioned};
use clap::{Parser, ValueEnum};
use faer::linalg::solvers::{DenseSolveCore, Solve};
use rayon::prelude::*;
use serde_json::{Value, json};

/// The memory that the calls rotate through.
const ROTATED_BYTES: usize = 256 << 20;
const MOST_SETS: usize = 64;
/// Calls shorter than this are timed in groups.
const SHORTEST: f64 = 20e-6;
/// After three repeats, no call is repeated beyond this time in seconds.
const PATIENCE: f64 = 10.0;
const NOTE: &str = "one matrix at a time, column-major, by the library's usual call, which allocates its result; \
                    nalgebra and glam are compiled for the target's baseline unless RUSTFLAGS say otherwise";
/// The most elements that are checked, in whole matrices spread evenly over the stack.
const CHECKED_ELEMENTS: usize = 1 << 21;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Op {
    Inverse,
    Solve,
    Det,
}

#[derive(Parser)]
struct Args {
    #[arg(long, value_enum, default_value = "inverse")]
    op: Op,
    /// Columns of each right-hand side, for `--op solve`.
    #[arg(long, default_value_t = 1)]
    width: usize,
    #[arg(long, value_delimiter = ',', default_value = "2,3,4,6,8,12,16,24,32,48,64,96,128")]
    order: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_value = "float32,float64")]
    scalar: Vec<ScalarKind>,
    /// Matrices in a stack; by default 8 MiB of input, and at least 16.
    #[arg(long)]
    len: Option<usize>,
    #[arg(long, default_value_t = 10)]
    repeats: usize,
    /// Threads; by default as many as cores.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() {
    let args = Args::parse();
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("the first pool");
    let mut rows = Vec::new();
    for &scalar in &args.scalar {
        for &order in &args.order {
            let rows_of = match scalar {
                ScalarKind::Float32 => measure(&args, threads, order, |x| x as f32),
                ScalarKind::Float64 => measure(&args, threads, order, |x| x),
                ScalarKind::Complex64 => measure(&args, threads, order, |x| Complex::new(x as f32, 0.5)),
                ScalarKind::Complex128 => measure(&args, threads, order, |x| Complex::new(x, 0.5)),
            };
            rows.extend(rows_of.iter().map(Value::to_string));
        }
    }
    println!("[\n{}\n]", rows.join(",\n"));
}

/// The elements that one matrix brings to the call and takes from it.
#[derive(Clone, Copy)]
struct Shape {
    op: Op,
    order: usize,
    /// The columns of a right-hand side; 0 without one.
    width: usize,
}

impl Shape {
    fn new(args: &Args, order: usize) -> Self {
        Self { op: args.op, order, width: if args.op == Op::Solve { args.width } else { 0 } }
    }

    fn matrix(self) -> usize {
        self.order * self.order
    }

    fn columns(self) -> usize {
        self.order * self.width
    }

    /// The elements of an answer.
    fn answer(self) -> usize {
        match self.op {
            Op::Inverse => self.matrix(),
            Op::Solve => self.columns(),
            Op::Det => 1,
        }
    }

    fn multiply_adds(self) -> usize {
        match self.op {
            Op::Inverse => self.order.pow(3),
            Op::Solve | Op::Det => self.order.pow(3) / 3 + self.order * self.columns(),
        }
    }

    /// The bound that batchinv itself meets.
    fn largest_ratio(self) -> f64 {
        match self.op {
            Op::Inverse => 3.0,
            Op::Solve => (self.order as f64).sqrt().max(8.0),
            Op::Det => 1.0,
        }
    }

    /// The test ratio of the answer for the transpose of a row-major matrix; a determinant's is that of stacks.py,
    /// with 4 for the condition numbers, which are small.
    fn ratio<T: Scalar>(self, a: &[T], b: &[T], answer: &[T]) -> f64 {
        let by_rows = |columns: &[T], width: usize| -> Vec<T> {
            (0..columns.len()).map(|at| columns[at % width * self.order + at / width]).collect()
        };
        match self.op {
            Op::Inverse => residual_ratio(a, answer, self.order),
            Op::Solve => {
                let (a, x, b) = (by_rows(a, self.order), by_rows(answer, self.width), by_rows(b, self.width));
                solve_ratio(&a, &x, &b, self.order)
            }
            Op::Det => {
                let wide: Vec<T::Double> = a.iter().map(|element| element.to_double()).collect();
                let exact = determinant_reference(&wide, self.order);
                let found = answer[0].to_double().scaled(-exact.exponent());
                let error = (found - exact.mantissa()).modulus() / exact.mantissa().modulus();
                error / (4.0 * self.order as f64 * T::Real::EPS)
            }
        }
    }
}

/// Inverts a matrix into the last slice, or solves with the right-hand side in the second, or writes the determinant.
type Compute<T> = fn(Shape, &[T], &[T], &mut [T]);

/// A library, with its function for the order at hand.
struct Peer<T> {
    name: &'static str,
    program: &'static str,
    compute: Compute<T>,
    /// The threads that work on one matrix.
    inside: usize,
}

/// Measures each peer that supports the order, and returns a row for each.
fn measure<T: Element>(args: &Args, threads: usize, order: usize, real: impl Fn(f64) -> T) -> Vec<Value> {
    let shape = Shape::new(args, order);
    let (size, columns, answer) = (shape.matrix(), shape.columns(), shape.answer());
    let bytes = (size + columns) * size_of::<T>();
    let len = args.len.unwrap_or_else(|| ((8 << 20) / bytes).max(16));
    let stack = well_conditioned(order, len, &real);
    // One random number for each element of the right-hand sides.
    let rhs = random(1, len * columns, real);
    let sets = ROTATED_BYTES.div_ceil(len * (bytes + answer * size_of::<T>())).clamp(2, MOST_SETS);
    let inputs = vec![(stack.elements().to_vec(), rhs.elements().to_vec()); sets];
    let mut outputs = vec![vec![T::ONE; len * answer]; sets];
    let row = |peer: Peer<T>| {
        faer::set_global_parallelism(if peer.inside > 1 { faer::Par::rayon(peer.inside) } else { faer::Par::Seq });
        let compute = |first: usize, (a, b): &(Vec<T>, Vec<T>), output: &mut [T]| {
            for (at, output) in (first..).zip(output.chunks_exact_mut(answer)) {
                (peer.compute)(shape, &a[at * size..][..size], &b[at * columns..][..columns], output);
            }
        };
        let piece = len.div_ceil(threads);
        let shared =
            threads > 1 && len * shape.multiply_adds() >= batchinv::plan::CpuTuning::MEASURED.parallel_multiply_adds;
        let mut times = times(args.repeats, |call| {
            let (input, output) = (&inputs[call % sets], &mut outputs[call % sets]);
            // A few microseconds of work are not worth waking another thread, as in batchinv.
            if len < threads || !shared {
                compute(0, input, output);
            } else {
                let pieces = output.par_chunks_mut(piece * answer).enumerate();
                pieces.for_each(|(index, output)| compute(index * piece, input, output));
            }
        });
        let step = (len * size).div_ceil(CHECKED_ELEMENTS);
        let (_, b) = &inputs[0];
        let answers = stack.view().iter().zip(outputs[0].chunks_exact(answer)).enumerate().step_by(step);
        let ratios = answers.map(|(at, (a, answer))| shape.ratio(a, &b[at * columns..][..columns], answer));
        // NaN is wrong, too.
        let worst = ratios.map(|ratio| if ratio.is_nan() { f64::INFINITY } else { ratio }).fold(0.0, f64::max);
        times.sort_by(f64::total_cmp);
        let right = worst < shape.largest_ratio();
        let op = args.op.to_possible_value().expect("each has a name");
        let kernel = op.get_name();
        json!({
            "schema": 1, "program": peer.program, "engine": peer.name, "kernel": kernel, "op": kernel,
            "scalar": T::KIND.name(), "order": order, "width": (shape.width > 0).then_some(shape.width), "len": len,
            "threads": threads, "repeats": times.len(), "max_ratio": worst.is_finite().then_some(worst),
            "total_seconds": right.then(|| times[0]), "total_median_seconds": right.then(|| times[times.len() / 2]),
            "note": if right { NOTE } else { "wrong answer, not timed" },
        })
    };
    peers(shape, if len < threads { threads } else { 1 }).into_iter().map(row).collect()
}

/// The seconds of `call(i)` for each repeat, after warm-ups, which are discarded and touch every set of memory.
fn times(repeats: usize, mut call: impl FnMut(usize)) -> Vec<f64> {
    let mut next = 0;
    let mut seconds = |calls: usize| {
        let start = Instant::now();
        for _ in 0..calls {
            call(next);
            next += 1;
        }
        start.elapsed().as_secs_f64() / calls as f64
    };
    seconds(1);
    let calls = (SHORTEST / seconds(1).max(1e-9)).ceil().clamp(1.0, 1000.0) as usize;
    seconds(calls);
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < repeats && (times.len() < 3 || start.elapsed().as_secs_f64() < PATIENCE) {
        times.push(seconds(calls));
    }
    times
}

/// Scalars that all the libraries support.
trait Element: Scalar + faer::traits::ComplexField + nalgebra::ComplexField {
    /// glam's function, if glam has one for this order.
    fn glam(_shape: Shape) -> Option<Compute<Self>> {
        None
    }
}

macro_rules! glam {
    ($scalar:ty, $two:ident, $three:ident, $four:ident) => {
        impl Element for $scalar {
            fn glam(shape: Shape) -> Option<Compute<Self>> {
                match (shape.op, shape.order) {
                    (Op::Inverse, 2) => {
                        Some(|_, a, _, x| glam::$two::from_cols_slice(a).inverse().write_cols_to_slice(x))
                    }
                    (Op::Inverse, 3) => {
                        Some(|_, a, _, x| glam::$three::from_cols_slice(a).inverse().write_cols_to_slice(x))
                    }
                    (Op::Inverse, 4) => {
                        Some(|_, a, _, x| glam::$four::from_cols_slice(a).inverse().write_cols_to_slice(x))
                    }
                    (Op::Det, 2) => Some(|_, a, _, x| x[0] = glam::$two::from_cols_slice(a).determinant()),
                    (Op::Det, 3) => Some(|_, a, _, x| x[0] = glam::$three::from_cols_slice(a).determinant()),
                    (Op::Det, 4) => Some(|_, a, _, x| x[0] = glam::$four::from_cols_slice(a).determinant()),
                    _ => None,
                }
            }
        }
    };
}

glam!(f32, Mat2, Mat3, Mat4);
glam!(f64, DMat2, DMat3, DMat4);
impl Element for Complex<f32> {}
impl Element for Complex<f64> {}

fn peers<T: Element>(shape: Shape, inside: usize) -> Vec<Peer<T>> {
    let (faer, nalgebra, glam) = ("faer 0.24", "nalgebra 0.35", "glam 0.34");
    let by_nalgebra = fixed(shape.order).unwrap_or(by_nalgebra);
    let mut peers = vec![
        Peer { name: "faer", program: faer, compute: by_faer, inside: 1 },
        Peer { name: "nalgebra", program: nalgebra, compute: by_nalgebra, inside: 1 },
    ];
    if inside > 1 {
        peers.push(Peer { name: "faer-parallel", program: faer, compute: by_faer, inside });
    }
    peers.extend(T::glam(shape).map(|compute| Peer { name: "glam", program: glam, compute, inside: 1 }));
    peers
}

fn by_faer<T: Element>(Shape { op, order, width }: Shape, a: &[T], b: &[T], output: &mut [T]) {
    let a = faer::MatRef::from_column_major_slice(a, order, order);
    match op {
        Op::Inverse => {
            let inverse = a.partial_piv_lu().inverse();
            faer::MatMut::from_column_major_slice_mut(output, order, order).copy_from(inverse);
        }
        Op::Solve => {
            output.copy_from_slice(b);
            a.partial_piv_lu().solve_in_place(faer::MatMut::from_column_major_slice_mut(output, order, width));
        }
        Op::Det => output[0] = a.determinant(),
    }
}

/// Calls nalgebra on a matrix of any type.
macro_rules! by_nalgebra {
    ($a:expr, $b:expr, $op:expr, $output:expr) => {{
        let (a, output) = ($a, $output);
        match $op {
            Op::Inverse => match a.try_inverse() {
                Some(inverse) => output.copy_from_slice(inverse.as_slice()),
                None => output.fill(T::NAN),
            },
            Op::Solve => match a.lu().solve(&$b) {
                Some(x) => output.copy_from_slice(x.as_slice()),
                None => output.fill(T::NAN),
            },
            Op::Det => output[0] = a.determinant(),
        }
    }};
}

fn by_nalgebra<T: Element>(Shape { op, order, width }: Shape, a: &[T], b: &[T], output: &mut [T]) {
    let a = nalgebra::DMatrix::from_column_slice(order, order, a);
    by_nalgebra!(a, nalgebra::DMatrix::from_column_slice(order, width, b), op, output);
}

/// nalgebra's function for matrices of a compile-time size.
fn fixed<T: Element>(order: usize) -> Option<Compute<T>> {
    macro_rules! sizes {
        ($($size:literal)*) => {
            match order {
                $($size => Some(|Shape { op, width, .. }, a, b, output| {
                    let a = nalgebra::SMatrix::<T, $size, $size>::from_column_slice(a);
                    if width == 1 {
                        by_nalgebra!(a, nalgebra::SVector::<T, $size>::from_column_slice(b), op, output);
                    } else {
                        type Columns<T> = nalgebra::OMatrix<T, nalgebra::Const<$size>, nalgebra::Dyn>;
                        by_nalgebra!(a, Columns::<T>::from_column_slice(b), op, output);
                    }
                }),)*
                _ => None,
            }
        };
    }
    sizes!(2 3 4 6 8 12 16)
}
