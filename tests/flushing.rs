//! The calling thread may flush subnormal numbers to zero, as programs built with -ffast-math do. Results are the same
//! on such a thread, bit for bit.
#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "sets the control register of floating point, as C programs do")]

mod common;

use std::arch::asm;

use batchinv::{Complex, InversesMut, Inverter, Precision, Real, Scalar, Stack, Status};
use common::cases::{self, Random};
use common::{Element, bits};

/// Runs something on this thread with subnormal operands and results taken for zero.
fn flushing<R>(run: impl FnOnce() -> R) -> R {
    let mut before = 0_u32;
    // SAFETY: stores the register.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut before) };
    let during = before | 1 << 15 | 1 << 6;
    // SAFETY: the two bits change how subnormal numbers are treated, and are reset below.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const during) };
    let result = run();
    // SAFETY: restores the register.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const before) };
    result
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

fn same<T: Element>(name: &str, factors: [f64; 3]) {
    let mut random = Random::new(29);
    for n in [1, 2, 3, 4, 5, 8, 9, 24, 33, 100] {
        let elements: Vec<T> = (0..120 / n + 3)
            .flat_map(|m| {
                let matrix = cases::dominant::<T>(n, &mut random);
                matrix.into_iter().map(move |element| {
                    let (re, im) = element.re_im();
                    T::new(re * factors[m % 3], im * factors[m % 3])
                })
            })
            .collect();
        let stack = Stack::new(&elements, n).unwrap();
        for precision in [Precision::Native, Precision::Double] {
            let inverter = Inverter::cpu().precision(precision).threads(1).unwrap();
            for len in [1, 2, stack.len()] {
                let stack = stack.slice(0..len);
                let wanted = invert(&inverter, stack, false);
                assert!(wanted.1.contains(&0), "{name} {n}: no matrix has an inverse");
                let found = invert(&inverter, stack, true);
                assert!(found == wanted, "{name}, {len} of order {n}, {precision:?}");
            }
        }
    }
}

#[test]
fn every_scalar() {
    // Matrices that are subnormal, that have subnormal inverses, and that are neither.
    let float32 = [-127, 120, 0].map(cases::power);
    let float64 = [-1023, 1015, 0].map(cases::power);
    same::<f32>("float32", float32);
    same::<f64>("float64", float64);
    same::<Complex<f32>>("complex64", float32);
    same::<Complex<f64>>("complex128", float64);
}
