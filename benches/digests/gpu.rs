//! Digests of the GPU engine on every adapter: the planned program, and the others that take the order.

use std::collections::BTreeSet;

use batchinv::gpu::{self, GpuInverter};
use batchinv::{Complex, Error, InversesMut, Inverter, Precision, Report, Stack};

use crate::families::{self, Element, FAMILIES, Family, MIXED};
use crate::record::{self, Record};
use crate::testing;

const LARGE: [usize; 14] = [24, 31, 32, 33, 47, 48, 64, 65, 96, 128, 129, 160, 200, 260];
/// Orders at which `device` runs without being planned.
const DEVICE: [usize; 9] = [1, 8, 16, 17, 33, 65, 129, 160, 200];
/// Orders in double precision, whose programs differ from the wider scalar's only in how they load and store.
const DOUBLE: [usize; 13] = [0, 1, 2, 3, 4, 8, 9, 13, 17, 33, 48, 65, 129];
/// Orders that are also computed without reciprocal condition numbers, which takes a program of its own.
const NO_RCOND: [usize; 9] = [0, 1, 2, 3, 8, 17, 33, 65, 160];
const QUICK: [usize; 5] = [1, 3, 8, 17, 33];

pub fn run(record: &mut Record, quick: bool) {
    for name in adapters() {
        let gpu = GpuInverter::open(Some(&name)).expect("an adapter that was found");
        let mut run = Run { record, adapter: word(&name), gpu, quick };
        run.scalar::<f32>();
        run.scalar::<Complex<f32>>();
        run.scalar::<f64>();
        run.scalar::<Complex<f64>>();
    }
}

/// The names of the adapters, each once.
pub fn adapters() -> BTreeSet<String> {
    gpu::adapters().into_iter().map(|facts| facts.name.to_string()).collect()
}

/// An adapter's name as one word.
pub fn word(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join("_")
}

/// True if the device computes this scalar in this precision, and the precision changes the result.
pub fn computes<T: Element>(gpu: &GpuInverter, precision: Precision) -> bool {
    let single = T::EPSILON > 1e-10;
    match precision {
        Precision::Native => single || gpu.facts().limits.float64,
        _ => single && gpu.facts().limits.float64,
    }
}

/// Matrices in a stack of one family.
fn len(order: usize) -> usize {
    match order {
        0..=17 => 37,
        18..=64 => 11,
        65..=160 => 7,
        _ => 4,
    }
}

struct Run<'a> {
    record: &'a mut Record,
    adapter: String,
    gpu: GpuInverter,
    quick: bool,
}

impl Run<'_> {
    fn scalar<T: Element>(&mut self) {
        for (precision, name) in [(Precision::Native, "native"), (Precision::Double, "double")] {
            if !computes::<T>(&self.gpu, precision) {
                continue;
            }
            let orders: Vec<usize> = match precision {
                _ if self.quick => QUICK.to_vec(),
                Precision::Native => (0..=17).chain(LARGE).collect(),
                _ => DOUBLE.to_vec(),
            };
            for order in orders {
                self.planned::<T>(precision, name, order);
                self.forced::<T>(precision, name, order);
            }
            eprintln!("{}: {} in {name} precision is done", self.adapter, T::KIND);
        }
    }

    fn planned<T: Element>(&mut self, precision: Precision, name: &str, order: usize) {
        let inverter = Inverter::with_gpu(self.gpu.clone()).precision(precision);
        let len = len(order);
        for family in FAMILIES.into_iter().chain([MIXED]) {
            self.call::<T>(("planned", name), order, family, (len, true), |stack, output| {
                inverter.invert_into(stack, output)
            });
        }
        if NO_RCOND.contains(&order) {
            self.call::<T>(("planned", name), order, MIXED, (len, false), |stack, output| {
                inverter.invert_into(stack, output)
            });
        }
    }

    fn forced<T: Element>(&mut self, precision: Precision, name: &str, order: usize) {
        let gpu = self.gpu.clone();
        for forced in testing::forced::<T>(&gpu, precision, order) {
            // It takes longest to compile.
            if forced.kernel == "device" && !DEVICE.contains(&order) {
                continue;
            }
            let program = format!("{}-{}", forced.kernel, forced.sizes);
            for family in FAMILIES.into_iter().chain([MIXED]) {
                self.call::<T>((&program, name), order, family, (len(order), true), |stack, output| {
                    testing::invert_forced(&gpu, &forced, 1 << 10, stack, output)
                });
            }
            // In small chunks, the last one partial.
            if NO_RCOND.contains(&order) {
                self.call::<T>((&program, name), order, MIXED, (len(order) - 1, false), |stack, output| {
                    testing::invert_forced(&gpu, &forced, 7, stack, output)
                });
            }
        }
    }

    fn call<T: Element>(
        &mut self,
        (program, precision): (&str, &str),
        order: usize,
        family: Family,
        (len, rcond): (usize, bool),
        invert: impl FnOnce(Stack<'_, T>, InversesMut<'_, T>) -> Result<Report, Error>,
    ) {
        let elements = families::stack::<T>(family, order, len);
        let stack = Stack::with_len(&elements, order, len).expect("elements of whole matrices");
        let value = record::call(vec![record::guard(); elements.len()], len, rcond, |output| invert(stack, output));
        let call = format!("apart{},len={len}", if rcond { ",rcond" } else { "" });
        self.record.add(record::key::<T>(&self.adapter, program, precision, order, family.name, &call), value);
    }
}
