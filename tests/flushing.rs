//! The calling thread may flush subnormal numbers to zero, as programs built with -ffast-math do. Where no number
//! becomes subnormal within an elimination, results are the same on such a thread, bit for bit.
#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "sets the control register of floating point, as C programs do")]

mod common;

use std::arch::asm;

use batchinv::{
    Columns, Complex, InversesMut, Inverter, Precision, Real, Scalar, SimdLevel, Stack, Status, reciprocal_condition,
};
use common::cases::{self, Random};
use common::{Element, bits};

/// The control register of floating point as it was; restored at the end, also of a panic.
struct Restore(u32);

impl Drop for Restore {
    fn drop(&mut self) {
        // SAFETY: restores the register.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const self.0) };
    }
}

/// Runs something on this thread with subnormal operands and results taken for zero.
#[inline(never)]
fn flushing<R>(run: impl FnOnce() -> R) -> R {
    let mut before = 0_u32;
    // SAFETY: stores the register.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut before) };
    let _restore = Restore(before);
    let during = before | 1 << 15 | 1 << 6;
    // SAFETY: none that Rust gives: it expects these two bits to be clear. A host program sets them nevertheless, and
    // this is to show what then happens. They say how subnormal numbers are treated, and nothing else.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const during) };
    std::hint::black_box(run)()
}

/// Inverses, statuses and rconds, as bits.
type Found = (Vec<[u64; 2]>, Vec<i32>, Vec<u64>);

fn invert<T: Element>(inverter: &Inverter, stack: Stack<'_, T>, on_such_a_thread: bool) -> Found {
    let mut elements = vec![T::ZERO; stack.elements().len()];
    let mut statuses = vec![Status::INVERTED; stack.len()];
    let mut rconds = vec![T::Real::ZERO; stack.len()];
    let output = InversesMut::new(&mut elements, &mut statuses).with_rconds(&mut rconds);
    let call = || inverter.invert_into(stack, output).unwrap();
    if on_such_a_thread {
        flushing(call)
    } else {
        call()
    };
    let words = statuses.iter().map(|status| status.word()).collect();
    (bits(&elements), words, rconds.iter().map(|rcond| rcond.to_f64().to_bits()).collect())
}

/// Solutions, statuses, and determinants.
fn solve<T: Element>(inverter: &Inverter, a: Stack<'_, T>, b: Columns<'_, T>) -> Found {
    let solutions = inverter.clone().det(true).solve(a, b).unwrap();
    let determinants = solutions.determinants().unwrap().iter();
    let words = determinants.flat_map(|d| [d.mantissa().bits()[0], d.mantissa().bits()[1], d.exponent() as u64]);
    let statuses = solutions.statuses().iter().map(|status| status.word()).collect();
    (bits(solutions.columns().elements()), statuses, words.collect())
}

fn same<T: Element>(name: &str, exponents: [i32; 3]) {
    let (mut random, mut random_rhs) = (Random::new(29), Random::new(31));
    for n in [1, 2, 3, 4, 5, 8, 9, 24, 33, 100] {
        let matrix = |m: usize| {
            let mut matrix = cases::dominant::<T>(n, &mut random);
            for (at, element) in matrix.iter_mut().enumerate() {
                let exponent = match m % 5 {
                    3 => exponents[at / n % 2],
                    4 => exponents[at % n % 2],
                    all => exponents[all],
                };
                let (re, im) = element.re_im();
                let (re, im) = if m % 11 == 7 && at % n == n - 1 { (0.0, 0.0) } else { (re, im) };
                *element = T::new(re * cases::power(exponent), im * cases::power(exponent));
            }
            if m % 13 == 9 {
                matrix[n - 1] = T::new(f64::NAN, f64::INFINITY);
            }
            matrix
        };
        let elements: Vec<T> = (0..120 / n + 13).flat_map(matrix).collect();
        let stack = Stack::new(&elements, n).unwrap();
        // Right-hand sides of the same magnitudes, some of them mixed within a column.
        let rhs: Vec<T> = (0..stack.len() * n)
            .map(|at| {
                let (z, exponent) = (random_rhs.element::<T>(), exponents[(at / n + at % n * (at / n % 2)) % 3]);
                T::new(z.re * cases::power(exponent), z.im * cases::power(exponent))
            })
            .collect();
        for precision in [Precision::Native, Precision::Double] {
            let inverter = Inverter::cpu().precision(precision).threads(1).unwrap();
            for len in [1, 2, stack.len()] {
                let stack = stack.slice(0..len);
                let wanted = invert(&inverter, stack, false);
                assert!(len < 13 || [-1, 0, n as i32].iter().all(|word| wanted.1.contains(word)), "{name} {n}");
                let found = invert(&inverter, stack, true);
                assert!(found == wanted, "{name}, {len} of order {n}, {precision:?}");
                let columns = Columns::new(&rhs[..len * n], n, 1).unwrap();
                let (wanted, found) = (solve(&inverter, stack, columns), flushing(|| solve(&inverter, stack, columns)));
                assert!(found == wanted, "solve: {name}, {len} of order {n}, {precision:?}");
            }
        }
    }
}

#[test]
fn every_scalar() {
    // Matrices that are subnormal, that have subnormal inverses, that are neither, and mixtures of rows or columns.
    let (float32, float64) = ([-127, 120, 0], [-1023, 1015, 0]);
    same::<f32>("float32", float32);
    same::<f64>("float64", float64);
    same::<Complex<f32>>("complex64", float32);
    same::<Complex<f64>>("complex128", float64);
}

/// Determinants of elements just above 2^-42, which a fused multiply-add finds exactly: 2^-129, whose reciprocal would
/// overflow, and 5 times 2^-130, which the flush mode would take for zero.
#[test]
fn determinants_near_underflow() {
    let by_last_places =
        [[10_642_865, 8_912_896, 11_388_328, 9_537_186], [10_642_865, 9_999_360, 9_752_576, 9_162_901]];
    for matrix in by_last_places {
        let matrix = matrix.map(|places| places as f32 * cases::power(-65) as f32);
        assert!(matrix.iter().all(|&x| f64::from(x) > cases::power(-42)), "in the window of `data::scaling`");
        for level in SimdLevel::all() {
            let inverter = Inverter::cpu().simd_level(level).threads(1).unwrap();
            for len in [1, 40] {
                let elements = matrix.repeat(len);
                let stack = Stack::new(&elements, 2).unwrap();
                let wanted = invert(&inverter, stack, false);
                assert_eq!(wanted.1, vec![0; len], "{}: {matrix:?}", level.name());
                assert!(invert(&inverter, stack, true) == wanted, "{}: {matrix:?}", level.name());
            }
        }
    }
}

#[test]
fn rconds_at_the_ends() {
    let power = cases::power;
    for (a, x) in [([power(800), power(-223)], [power(-800), power(223)]), ([power(-1074), 1.0], [power(1023), 1.0])] {
        let (a, x) = (cases::diagonal(&a), cases::diagonal(&x));
        let rcond = || reciprocal_condition(&a, &x, 2).to_bits();
        assert_eq!(flushing(rcond), rcond());
    }
}
