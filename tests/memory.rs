//! The CPU engine allocates nothing per matrix, and for one large matrix little more than a copy of it.

mod common;

use allocation_counter::{AllocationInfo, measure};
use batchinv::plan::CpuTuning;
use batchinv::{InversesMut, Inverter, Precision, Stack, Status};
use common::Element;
use common::cases::{self, Random};

/// The allocations of a call on the calling thread alone, for `len` matrices of order n with elements of magnitude
/// `factor`. No working memory is kept between calls.
fn taken<T: Element>(inverter: &Inverter, n: usize, len: usize, factor: f64) -> AllocationInfo {
    let mut random = Random::new(n as u64);
    let mut elements: Vec<T> = Vec::new();
    for _ in 0..len {
        elements.extend(cases::uniform::<T>(n, &mut random).into_iter().map(|x| x * T::real(factor)));
    }
    let (mut inverses, mut statuses) = (vec![T::ZERO; elements.len()], vec![Status::NOT_FINITE; len]);
    let stack = Stack::new(&elements, n).unwrap();
    let info = measure(|| {
        inverter.invert_into(stack, InversesMut::new(&mut inverses, &mut statuses)).unwrap();
    });
    assert!(statuses.iter().all(|status| status.is_inverted()), "order {n}");
    info
}

/// A whole task takes as many allocations as a few groups of lanes, even if every matrix needs scaling.
fn nothing_for_each_matrix<T: Element>() {
    let scaled = 2.0_f64.powi(-T::MIN_EXPONENT * 7 / 8);
    for precision in [Precision::Native, Precision::Double] {
        let inverter = Inverter::cpu().threads(1).unwrap().precision(precision);
        for n in [1, 2, 3, 4, 8, 20, 24, 33, 40, 65] {
            // At most 16 lanes per group and three interleaved groups; above order 32, one matrix at a time.
            let many = CpuTuning::MEASURED.task_len(n);
            let few = if n <= 32 { many.min(48) } else { 1 };
            for factor in [1.0, scaled] {
                let [few, many] = [few, many].map(|len| taken::<T>(&inverter, n, len, factor).count_total);
                assert_eq!(few, many, "order {n}, {precision:?}, times {factor:e}");
            }
        }
    }
}

/// Inverting a large matrix in place takes its columns, in the precision of the elimination, and less than a
/// tenth more, mostly for the 64 columns of an outer block.
fn columns_alone<T: Element>() {
    let n = 900;
    let mut elements = cases::uniform::<T>(n, &mut Random::new(5));
    for (precision, size) in [(Precision::Native, size_of::<T>()), (Precision::Double, size_of::<T::Double>())] {
        let inverter = Inverter::cpu().threads(1).unwrap().precision(precision);
        let mut statuses = [Status::NOT_FINITE];
        let info = measure(|| {
            inverter.invert_in_place(n, InversesMut::new(&mut elements, &mut statuses)).unwrap();
        });
        assert!(statuses[0].is_inverted());
        let columns = (n * n * size) as u64;
        assert!((columns..columns * 11 / 10).contains(&info.bytes_max), "{precision:?}: {info:?}");
    }
}

for_each_scalar!(nothing_for_each_matrix, columns_alone);
