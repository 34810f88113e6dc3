//! Digests of the CPU engine at every SIMD level, and of the reference.

use batchinv::{Complex, Inverter, Precision, SimdLevel, Stack, Status, invert_reference, reciprocal_condition};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::families::{self, Element, FAMILIES, Family, MIXED};
use crate::record::{self, Record};

/// Both sides of every order at which kernels or their blocks change.
const LARGE: [usize; 15] = [47, 48, 49, 63, 64, 65, 95, 96, 97, 128, 129, 160, 193, 256, 257];
/// Orders of which threads share single matrices, and the one below them.
const SHARED: [usize; 4] = [319, 320, 384, 400];
/// Orders at which longer stacks are shared among threads.
const THREADED: [usize; 8] = [1, 4, 5, 16, 17, 32, 33, 64];
const QUICK: [usize; 12] = [0, 1, 2, 3, 4, 7, 8, 16, 17, 32, 33, 65];

pub fn run(record: &mut Record, quick: bool) {
    let threads = |count| ThreadPoolBuilder::new().num_threads(count).build().expect("a few threads");
    let mut run = Run { record, orders: orders(quick), one: threads(1), three: threads(3) };
    run.scalar::<f32>();
    run.scalar::<f64>();
    run.scalar::<Complex<f32>>();
    run.scalar::<Complex<f64>>();
}

fn orders(quick: bool) -> Vec<usize> {
    if quick { QUICK.to_vec() } else { (0..=40).chain(LARGE).chain(SHARED).collect() }
}

struct Run<'a> {
    record: &'a mut Record,
    orders: Vec<usize>,
    one: ThreadPool,
    three: ThreadPool,
}

/// One way to call the engine.
#[derive(Clone, Copy)]
struct Call {
    len: usize,
    rcond: bool,
    in_place: bool,
    three_threads: bool,
}

/// Into other memory, with reciprocal condition numbers, on one thread.
const fn apart(len: usize) -> Call {
    Call { len, rcond: true, in_place: false, three_threads: false }
}

impl Run<'_> {
    fn scalar<T: Element>(&mut self) {
        for order in self.orders.clone() {
            if order <= 40 {
                self.reference::<T>(order);
            }
            for level in SimdLevel::all() {
                for (precision, name) in [(Precision::Native, "native"), (Precision::Double, "double")] {
                    // The precisions are one and the same for float64 and complex128; a few orders show it.
                    if precision == Precision::Native || T::EPSILON > 1e-10 || QUICK.contains(&order) {
                        let inverter = Inverter::cpu().simd_level(level).precision(precision);
                        self.order::<T>(&inverter, (level.name(), name), order);
                    }
                }
            }
        }
        eprintln!("cpu: {} is done", T::KIND);
    }

    /// Every family at the lengths that lead to other kernels or to partial groups of lanes, and one family with the
    /// other kinds of call.
    fn order<T: Element>(&mut self, inverter: &Inverter, names: (&str, &str), order: usize) {
        let lens: &[usize] = match order {
            // Three groups of 16 lanes are interleaved here, and some matrices remain.
            0..=4 => &[1, 3, 37, 3 * 16 + 5],
            5..=40 => &[1, 3, 2 * 16 + 5],
            41..=65 => &[1, 11],
            66..=130 => &[7],
            131..=200 => &[4],
            _ => &[2],
        };
        for family in FAMILIES {
            for &len in lens {
                self.call::<T>(inverter, names, order, family, apart(len));
            }
        }
        let len = match order {
            0..=40 => 37,
            41..=130 => 11,
            131..=200 => 6,
            _ => 5,
        };
        for in_place in [false, true] {
            for rcond in [false, true] {
                self.call::<T>(inverter, names, order, MIXED, Call { rcond, in_place, ..apart(len) });
            }
        }
        if THREADED.contains(&order) {
            let long = apart((1 << 16) / (order * order) + 3);
            for in_place in [false, true] {
                self.call::<T>(inverter, names, order, MIXED, Call { three_threads: true, in_place, ..long });
            }
        }
        if SHARED.contains(&order) {
            for (len, in_place) in [(1, false), (2, true)] {
                self.call::<T>(inverter, names, order, MIXED, Call { three_threads: true, in_place, ..apart(len) });
            }
        }
    }

    fn call<T: Element>(
        &mut self,
        inverter: &Inverter,
        (level, precision): (&str, &str),
        order: usize,
        family: Family,
        call: Call,
    ) {
        let Call { len, rcond, in_place, three_threads } = call;
        // A matrix alone is a different case of its family from one order to the next.
        let first = if len == 1 { order % 6 } else { 0 };
        let elements = families::stack::<T>(family, order, first + len).split_off(first * order * order);
        let stack = Stack::with_len(&elements, order, len).expect("elements of whole matrices");
        let threads = if three_threads { &self.three } else { &self.one };
        let value = threads.install(|| match in_place {
            false => record::call(vec![record::guard(); elements.len()], len, rcond, |output| {
                inverter.invert_into(stack, output)
            }),
            true => record::call(elements.clone(), len, rcond, |output| inverter.invert_in_place(order, output)),
        });
        let name = [
            if in_place { "in-place" } else { "apart" },
            if rcond { ",rcond" } else { "" },
            if three_threads { ",threads" } else { "" },
        ];
        let name = format!("{},len={len}", name.concat());
        self.record.add(record::key::<T>("cpu", level, precision, order, family.name, &name), value);
    }

    /// The reference, with the reciprocal condition numbers of its inverses.
    fn reference<T: Element>(&mut self, order: usize) {
        for family in FAMILIES {
            let len = 11;
            let elements = families::stack::<T>(family, order, len);
            let stack = Stack::with_len(&elements, order, len).expect("elements of whole matrices");
            let (mut inverses, mut statuses, mut rconds) = (vec![], vec![Status::NOT_FINITE; len], vec![]);
            for (number, status) in statuses.iter_mut().enumerate() {
                let mut inverse = vec![record::guard::<T>(); order * order];
                *status = invert_reference(stack.matrix(number), order, &mut inverse);
                rconds.push(reciprocal_condition(stack.matrix(number), &inverse, order));
                inverses.extend(inverse);
            }
            let [inverses, rconds] = [record::bytes(&inverses), record::bytes(&rconds)];
            let value = record::digests(&inverses, &record::status_bytes(&statuses), &rconds);
            let key = record::key::<T>("cpu", "reference", "native", order, family.name, &format!("len={len}"));
            self.record.add(key, format!("reference {value}"));
        }
    }
}
