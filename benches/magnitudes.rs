//! The time for unusual stacks, in multiples of a plain one's, by order and scalar. Unusual are elements that need
//! scaling, and matrices without an inverse.
//!
//!     cargo run --release -p batchinv-benches --bin magnitudes [ORDER,ORDER... [TURNS]]
//!
//! One thread, whole calls of stacks that the cache holds, taken in turns; the best of each counts.
#![allow(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::time::Instant;

use batchinv::{Complex, InversesMut, Inverter, Scalar, StackBuf, Status};
use batchinv_benches::{len_for, random};

/// An unusual element in place of a plain one. The exponents of the scalar reach to `most`.
type Element = fn(Place) -> f64;

struct Place {
    plain: f64,
    row: usize,
    random: u32,
    most: i32,
}

impl Place {
    /// A random number from `from` up to `to`.
    fn between(&self, from: i32, to: i32) -> i32 {
        from + (self.random % (to - from) as u32) as i32
    }
}

const FAMILIES: [(&str, Element); 9] = [
    // One exponent for the whole matrix.
    ("units", |at| at.plain * power(-at.most * 3 / 4)),
    // Exponents for rows and columns.
    ("rows", |at| at.plain * power(if at.row % 2 == 0 { at.most } else { -at.most } * 3 / 4)),
    // Any exponent of a normal number. Most inverses overflow.
    ("any", |at| at.plain * power(at.between(-at.most, at.most))),
    // Subnormal numbers too.
    ("subnormal", |at| at.plain * power(at.between(-at.most - 20, at.most))),
    // Any exponent that needs no scaling.
    ("window", |at| at.plain * power(at.between(-at.most / 3 + 9, at.most / 3))),
    ("zero", |_| 0.0),
    ("rank 1", |_| 1.0),
    ("rank 1, units", |at| power(-at.most * 3 / 4)),
    ("NaN", |at| if at.random % 16 == 0 { f64::NAN } else { at.plain }),
];

/// 2^exponent, by two factors: `powi` goes by the reciprocal, and loses subnormal numbers.
fn power(exponent: i32) -> f64 {
    2.0_f64.powi(exponent / 2) * 2.0_f64.powi(exponent - exponent / 2)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let orders = args.next().unwrap_or_else(|| "1,2,3,4,6,8,16,32,48".to_owned());
    let turns: usize = args.next().map_or(Ok(100), |turns| turns.parse())?;
    println!("| scalar | order | plain, ns | {} |", FAMILIES.map(|(name, _)| name).join(" | "));
    println!("|---|---|---|{}", "---|".repeat(FAMILIES.len()));
    for order in orders.split(',') {
        let order = order.parse()?;
        row::<f32>("float32", order, turns, |x| x as f32)?;
        row::<f64>("float64", order, turns, |x| x)?;
        row::<Complex<f32>>("complex64", order, turns, |x| Complex::new(x as f32, -0.7 * x as f32))?;
        row::<Complex<f64>>("complex128", order, turns, |x| Complex::new(x, -0.7 * x))?;
    }
    Ok(())
}

/// Measures one order of one scalar and prints its row of the table.
fn row<T: Scalar>(name: &str, order: usize, turns: usize, element: fn(f64) -> T) -> Result<(), batchinv::Error> {
    let len = len_for(order, size_of::<T>(), 80_000);
    let most = if name == "float32" || name == "complex64" { f32::MAX_EXP } else { f64::MAX_EXP } - 4;
    let plain = random(order, len, |x| x);
    let stack = |unusual: Element| {
        let mut state = 1_u32;
        let elements = plain.elements().iter().enumerate().map(|(index, &plain)| {
            // Numerical Recipes' linear congruential generator.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            element(unusual(Place { plain, row: index / order % order, random: state >> 8, most }))
        });
        StackBuf::with_len(elements.collect(), order, len)
    };
    let mut stacks = vec![stack(|at| at.plain)?];
    for (_, unusual) in FAMILIES {
        stacks.push(stack(unusual)?);
    }
    let inverter = Inverter::cpu().threads(1)?;
    let mut out = vec![T::ONE; order * order * len];
    let mut statuses = vec![Status::INVERTED; len];
    let mut best = vec![f64::INFINITY; stacks.len()];
    for _ in 0..turns {
        for (stack, best) in stacks.iter().zip(&mut best) {
            let start = Instant::now();
            inverter.invert_into(stack.view(), InversesMut::new(&mut out, &mut statuses))?;
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    let times: Vec<_> = best[1..].iter().map(|time| format!("{:.1}", time / best[0])).collect();
    println!("| {name} | {order} | {:.2} | {} |", best[0] / len as f64 * 1e9, times.join(" | "));
    Ok(())
}
