//! Times faer, nalgebra, and glam on this machine's CPU, as rows that `peers/table.py` and `batchinv bench --with`
//! read:
//!
//! ```sh
//! cargo run --release -p batchinv-benches --bin rust-peers -- --order 4,8 --scalar float64 >rust.json
//! ```
//!
//! Each library inverts one matrix at a time, as its authors intend, and every thread gets one piece of the
//! stack. The libraries store matrices by columns and read a row-major matrix as its transpose. The inverse of
//! the transpose is the transpose of the inverse, so nothing is transposed. Check, rotation, and clock are as in
//! `peers/measure.py`, and so is the input, except that complex matrices have 0.5i in every element.

use std::time::Instant;

use batchinv::{Complex, Scalar, ScalarKind, residual_ratio};
use batchinv_benches::{len_for, well_conditioned};
use clap::Parser;
use faer::linalg::solvers::DenseSolveCore;
use rayon::prelude::*;
use serde_json::{Value, json};

/// The memory that the calls rotate through.
const ROTATED_BYTES: usize = 256 << 20;
const MOST_SETS: usize = 64;
/// Calls shorter than this are timed in groups.
const SHORTEST: f64 = 20e-6;
/// After three repeats, no call is repeated beyond this time in seconds.
const PATIENCE: f64 = 10.0;
const LARGEST_RATIO: f64 = 3.0;
const NOTE: &str = "one matrix at a time, column-major, by the library's usual call, which allocates its result; \
                    nalgebra and glam are compiled for the target's baseline unless RUSTFLAGS say otherwise";
/// The most elements that are checked, in whole matrices spread evenly over the stack.
const CHECKED_ELEMENTS: usize = 1 << 21;

#[derive(Parser)]
struct Args {
    #[arg(long, value_delimiter = ',', default_value = "2,3,4,6,8,12,16,24,32,48,64,96,128")]
    order: Vec<usize>,
    #[arg(long, value_delimiter = ',', default_value = "float32,float64")]
    scalar: Vec<ScalarKind>,
    /// Matrices in a stack; by default 8 MiB of them, and at least 16.
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

/// Inverts one matrix of the given order, from the first slice into the second.
type Invert<T> = fn(usize, &[T], &mut [T]);

/// A library, with its function for the order at hand.
struct Peer<T> {
    name: &'static str,
    program: &'static str,
    invert: Invert<T>,
    /// The threads that work on one matrix.
    inside: usize,
}

/// Measures each peer that supports the order, and returns a row for each.
fn measure<T: Element>(args: &Args, threads: usize, order: usize, real: impl Fn(f64) -> T) -> Vec<Value> {
    let (size, len) = (order * order, args.len.unwrap_or_else(|| len_for(order, size_of::<T>(), 8 << 20)));
    let stack = well_conditioned(order, len, real);
    let sets = ROTATED_BYTES.div_ceil(2 * size_of_val(stack.elements())).clamp(2, MOST_SETS);
    let inputs = vec![stack.elements().to_vec(); sets];
    let mut outputs = inputs.clone();
    let row = |peer: Peer<T>| {
        faer::set_global_parallelism(if peer.inside > 1 { faer::Par::rayon(peer.inside) } else { faer::Par::Seq });
        let invert = |(input, output): (&[T], &mut [T])| {
            let pairs = input.chunks_exact(size).zip(output.chunks_exact_mut(size));
            pairs.for_each(|(input, output)| (peer.invert)(order, input, output));
        };
        let piece = len.div_ceil(threads) * size;
        let shared =
            threads > 1 && len * order * order * order >= batchinv::plan::CpuTuning::MEASURED.parallel_multiply_adds;
        let mut times = times(args.repeats, |call| {
            let (input, output) = (&inputs[call % sets], &mut outputs[call % sets]);
            // A few microseconds of work are not worth waking another thread, as in batchinv.
            if len < threads || !shared {
                invert((input, output));
            } else {
                input.par_chunks(piece).zip(output.par_chunks_mut(piece)).for_each(invert);
            }
        });
        let step = (len * size).div_ceil(CHECKED_ELEMENTS);
        let pairs = stack.view().iter().zip(outputs[0].chunks_exact(size)).step_by(step);
        let worst = pairs.map(|(a, x)| residual_ratio(a, x, order)).fold(0.0, f64::max);
        times.sort_by(f64::total_cmp);
        let right = worst < LARGEST_RATIO;
        json!({
            "schema": 1, "program": peer.program, "engine": peer.name, "kernel": "inverse", "scalar": T::KIND.name(),
            "order": order, "len": len, "threads": threads, "repeats": times.len(), "max_ratio": worst,
            "total_seconds": right.then(|| times[0]), "total_median_seconds": right.then(|| times[times.len() / 2]),
            "note": if right { NOTE } else { "wrong answer, not timed" },
        })
    };
    peers(order, if len < threads { threads } else { 1 }).into_iter().map(row).collect()
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
    /// glam's function for this order, if glam has such a matrix type.
    fn glam(_order: usize) -> Option<Invert<Self>> {
        None
    }
}

macro_rules! glam {
    ($scalar:ty, $two:ident, $three:ident, $four:ident) => {
        impl Element for $scalar {
            fn glam(order: usize) -> Option<Invert<Self>> {
                match order {
                    2 => Some(|_, a, x| glam::$two::from_cols_slice(a).inverse().write_cols_to_slice(x)),
                    3 => Some(|_, a, x| glam::$three::from_cols_slice(a).inverse().write_cols_to_slice(x)),
                    4 => Some(|_, a, x| glam::$four::from_cols_slice(a).inverse().write_cols_to_slice(x)),
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

fn peers<T: Element>(order: usize, inside: usize) -> Vec<Peer<T>> {
    let (faer, nalgebra, glam) = ("faer 0.24", "nalgebra 0.35", "glam 0.34");
    let mut peers = vec![
        Peer { name: "faer", program: faer, invert: by_faer, inside: 1 },
        Peer { name: "nalgebra", program: nalgebra, invert: fixed(order).unwrap_or(by_nalgebra), inside: 1 },
    ];
    if inside > 1 {
        peers.push(Peer { name: "faer-parallel", program: faer, invert: by_faer, inside });
    }
    peers.extend(T::glam(order).map(|invert| Peer { name: "glam", program: glam, invert, inside: 1 }));
    peers
}

fn by_faer<T: Element>(order: usize, a: &[T], x: &mut [T]) {
    let inverse = faer::MatRef::from_column_major_slice(a, order, order).partial_piv_lu().inverse();
    faer::MatMut::from_column_major_slice_mut(x, order, order).copy_from(inverse);
}

fn by_nalgebra<T: Element>(order: usize, a: &[T], x: &mut [T]) {
    match nalgebra::DMatrix::from_column_slice(order, order, a).try_inverse() {
        Some(inverse) => x.copy_from_slice(inverse.as_slice()),
        None => x.fill(T::NAN),
    }
}

/// nalgebra's function for matrices of a compile-time size.
fn fixed<T: Element>(order: usize) -> Option<Invert<T>> {
    macro_rules! sizes {
        ($($size:literal)*) => {
            match order {
                $($size => Some(|_, a, x| match nalgebra::SMatrix::<T, $size, $size>::from_column_slice(a)
                    .try_inverse()
                {
                    Some(inverse) => x.copy_from_slice(inverse.as_slice()),
                    None => x.fill(T::NAN),
                }),)*
                _ => None,
            }
        };
    }
    sizes!(2 3 4 6 8 12 16)
}
