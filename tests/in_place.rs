//! Inverting in place, and on any number of threads, gives the bits of a call with a separate output.

mod common;

use batchinv::{Error, InversesMut, Inverter, Precision, ShapeError, Stack, Status};
use common::Element;
use common::cases::{self, Random};

/// Random matrices. Every seventh is singular, every eleventh not finite, and every thirteenth from the second
/// on needs scaling; half of the latter need scaling by rows and columns.
fn mixture<T: Element>(n: usize, len: usize) -> Vec<T> {
    let mut random = Random::new(n as u64);
    let mut elements = Vec::new();
    for m in 0..len {
        let mut matrix: Vec<T> = cases::uniform(n, &mut random);
        match m {
            _ if m % 7 == 3 => matrix.chunks_exact_mut(n).for_each(|row| row[n - 1] = T::ZERO),
            _ if m % 11 == 5 => matrix[n * n / 2] = T::real(f64::INFINITY),
            _ if m % 13 == 1 => {
                matrix[n * n / 2] = T::real(2.0_f64.powi(-T::MIN_EXPONENT / 2));
                if m % 2 == 1 {
                    matrix[0] = T::real(2.0_f64.powi(T::MIN_EXPONENT / 2));
                }
            }
            _ => {}
        }
        elements.extend(matrix);
    }
    elements
}

/// Orders and lengths: below and above a group, below and above a task, and shared by threads or not.
fn works() -> impl Iterator<Item = (usize, usize)> {
    // At order 33 a task is longer than one copied block. From order 320 on, threads share matrices if
    // there are fewer matrices than threads.
    [(1, 3), (2, 5_001), (4, 1), (4, 3_000), (7, 700), (16, 150), (33, 1_300), (130, 3), (330, 2), (385, 2)].into_iter()
}

fn in_place<T: Element>() {
    for (n, len) in works() {
        let elements = mixture::<T>(n, len);
        for precision in [Precision::Native, Precision::Double] {
            let inverter = Inverter::cpu().precision(precision).rcond(true);
            let apart = inverter.invert(Stack::new(&elements, n).unwrap()).unwrap();
            for threads in [1, 3] {
                let (mut stack, mut statuses) = (elements.clone(), vec![Status::NOT_FINITE; len]);
                let mut rconds = vec![T::real(7.0).pivot_magnitude(); len];
                let output = InversesMut::new(&mut stack, &mut statuses).with_rconds(&mut rconds);
                let report = inverter.clone().threads(threads).unwrap().invert_in_place(n, output).unwrap();
                let same = common::bits(&stack) == common::bits(apart.stack().elements());
                assert!(same, "order {n}, {threads} threads");
                assert_eq!(statuses, apart.statuses(), "order {n}, {threads} threads");
                assert_eq!(report.kernel, apart.report().kernel);
                let (mut alone, mut verdicts) = (elements.clone(), vec![Status::NOT_FINITE; len]);
                let output = InversesMut::new(&mut alone, &mut verdicts);
                inverter.clone().threads(threads).unwrap().invert_in_place(n, output).unwrap();
                assert!(common::bits(&alone) == common::bits(&stack) && verdicts == statuses, "order {n}, no rcond");
                let bits = |rconds: &[T::Real]| bytemuck::cast_slice::<_, u8>(rconds).to_vec();
                assert_eq!(bits(&rconds), bits(apart.rconds().unwrap()), "order {n}, {threads} threads");
            }
        }
    }
}

fn threads<T: Element>() {
    for (n, len) in works() {
        let elements = mixture::<T>(n, len);
        let stack = Stack::new(&elements, n).unwrap();
        let unset = Inverter::cpu().invert(stack).unwrap();
        for count in [0, 1, 2, 5] {
            let counted = Inverter::cpu().threads(count).unwrap().invert(stack).unwrap();
            let same = common::bits(counted.stack().elements()) == common::bits(unset.stack().elements());
            assert!(same, "order {n}, {count} threads");
            assert_eq!(counted.statuses(), unset.statuses());
        }
    }
}

for_each_scalar!(in_place, threads);

/// An inverter's threads serve its clones, called from several threads at once.
#[test]
fn threads_are_shared() {
    let elements = mixture::<f64>(8, 2_000);
    let inverter = Inverter::cpu().threads(2).unwrap();
    let right = inverter.invert(Stack::new(&elements, 8).unwrap()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (inverter, elements, right) = (inverter.clone(), &elements, &right);
            scope.spawn(move || {
                let inverses = inverter.invert(Stack::new(elements, 8).unwrap()).unwrap();
                assert_eq!(common::bits(inverses.stack().elements()), common::bits(right.stack().elements()));
            });
        }
    });
}

#[test]
fn wrong_lengths_are_refused_untouched() {
    let (mut elements, mut statuses, mut rconds) = ([2.0_f32; 9], [Status::INVERTED; 2], [0.0; 3]);
    let inverter = Inverter::cpu();
    let refused = inverter.invert_in_place(2, InversesMut::new(&mut elements, &mut statuses)).unwrap_err();
    assert!(matches!(refused, Error::Shape(_)), "{refused}");
    let output = InversesMut::new(&mut elements[..8], &mut statuses).with_rconds(&mut rconds);
    let refused = inverter.invert_in_place(2, output).unwrap_err();
    assert_eq!(refused, ShapeError::Output { what: "rconds", got: 3, needed: 2 }.into());
    assert_eq!(elements, [2.0; 9]);
}

#[test]
fn empty_stacks_are_no_error() {
    let inverter = Inverter::cpu().threads(2).unwrap();
    inverter.invert_in_place::<f64>(3, InversesMut::new(&mut [], &mut [])).unwrap();
    let (mut statuses, mut rconds) = ([Status::NOT_FINITE; 2], [0.0_f64; 2]);
    inverter.invert_in_place::<f64>(0, InversesMut::new(&mut [], &mut statuses).with_rconds(&mut rconds)).unwrap();
    assert_eq!((statuses, rconds), ([Status::INVERTED; 2], [f64::INFINITY; 2]));
}
