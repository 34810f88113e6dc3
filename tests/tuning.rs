//! The CPU tuning is a value: shrunk, it reaches every path of `blocked` at small orders, and the results stay right.
#![cfg(feature = "testing")]

mod common;

use batchinv::plan::CpuTuning;
use batchinv::{Columns, CpuKernel, Inverter, Kernel, SimdLevel, Stack};
use common::cases::{self, Random};
use common::{Element, oracle, with};

/// `blocked` from order 1 on, with panels of two columns.
fn small() -> CpuTuning {
    with(CpuTuning::MEASURED, |tuning| {
        tuning.lanes_max_order = 0;
        tuning.block = 2;
    })
}

/// Panels of two columns at order 3 and around it: two panels, the last one of a single column.
fn blocks_of_two<T: Element>() {
    for n in 1..=9 {
        inverts::<T>(n, small(), &[1]);
    }
}

/// Outer blocks of 16 columns from order 17 on, and of 32 from order 40 on, on one thread and shared by three.
fn outer_blocks_of_sixteen<T: Element>() {
    for n in ORDERS {
        inverts::<T>(n, small_outer_blocks(), &[1, 3]);
    }
}

/// The orders at which outer blocks end with the matrix, within a vector, or after a few columns of the next.
const ORDERS: [usize; 7] = [16, 17, 31, 33, 40, 49, 70];

fn small_outer_blocks() -> CpuTuning {
    with(small(), |tuning| {
        (tuning.outer_block_order, tuning.outer_block, tuning.wide_outer_block_order) = (17, 16, 40);
        (tuning.shared_min_order, tuning.parallel_multiply_adds) = (17, 0);
    })
}

/// Solutions and determinants have the bits that they have in one block, or in lanes, whatever the panels, the outer
/// blocks, and the threads that share them.
fn systems_in_outer_blocks<T: Element>() {
    for n in ORDERS {
        let mut random = Random::new(n as u64);
        let matrix = cases::uniform::<T>(n, &mut random);
        for (width, level) in SimdLevel::all().into_iter().flat_map(|level| [(1, level), (7, level)]) {
            let b: Vec<T> = (0..n * width).map(|_| T::real(random.uniform())).collect();
            let solve = |inverter: Inverter| {
                let (a, b) = (Stack::new(&matrix, n).unwrap(), Columns::new(&b, n, width).unwrap());
                let solutions = inverter.simd_level(level).det(true).solve(a, b).unwrap();
                assert_eq!(solutions.statuses()[0].word(), 0, "order {n}");
                (common::bits(solutions.columns().elements()), solutions.determinants().unwrap()[0])
            };
            let wanted = solve(Inverter::cpu());
            for tuning in [small(), small_outer_blocks()] {
                for threads in [1, 3] {
                    let found = solve(Inverter::cpu().tuning(tuning).threads(threads).unwrap());
                    assert_eq!(found, wanted, "order {n}, {width} columns, {threads} threads, {}", level.name());
                }
            }
        }
    }
}

/// Inverts well-conditioned matrices, some singular in one column, at every level.
fn inverts<T: Element>(n: usize, tuning: CpuTuning, threads: &[usize]) {
    let mut random = Random::new(n as u64);
    for column in [None, Some(0), Some(n / 2), Some(n - 1)] {
        let mut matrix = cases::dominant::<T>(n, &mut random);
        if let Some(column) = column {
            matrix.chunks_exact_mut(n).for_each(|row| row[column] = T::ZERO);
        }
        for level in SimdLevel::all() {
            let mut bits = Vec::new();
            for &threads in threads {
                let inverter = Inverter::cpu().simd_level(level).threads(threads).unwrap().tuning(tuning);
                let inverses = inverter.invert(Stack::new(&matrix, n).unwrap()).unwrap();
                assert_eq!(inverses.report().kernel, Kernel::Cpu(CpuKernel::Blocked));
                let wanted = column.map_or(0, |column| column as i32 + 1);
                assert_eq!(inverses.statuses()[0].word(), wanted, "order {n}, {}", level.name());
                if column.is_none() {
                    let ratio = oracle::ratio(&matrix, inverses.stack().elements(), n);
                    assert!(ratio < oracle::BOUND, "order {n}, {}: {ratio}", level.name());
                }
                bits.push(common::bits(inverses.stack().elements()));
            }
            assert!(bits.iter().all(|other| *other == bits[0]), "order {n}: the bits depend on the threads");
        }
    }
}

for_each_scalar!(blocks_of_two, outer_blocks_of_sixteen, systems_in_outer_blocks);
