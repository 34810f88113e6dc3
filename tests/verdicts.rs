//! What a caller can choose about matrices that fail: what they become, and from which rcond on they count as
//! ill-conditioned. Neither choice changes another matrix.

mod common;
#[cfg(feature = "cli")]
#[path = "verdicts/program.rs"]
mod of_the_program;
#[cfg(feature = "cli")]
mod program;

use batchinv::{
    Error, InversesMut, Inverter, OnFailure, RcondOf, Real, Scalar, Stack, Status, Verdict, equilibrated_rcond,
};
use common::cases::{Random, dominant, identity};
use common::{Element, bits};

const CHOICES: [OnFailure; 4] = [OnFailure::Nan, OnFailure::Zero, OnFailure::Identity, OnFailure::Input];

/// Singular, infinite, good and nearly singular matrices.
fn mixed<T: Element>(n: usize, len: usize) -> Vec<T> {
    let mut random = Random::new(n as u64);
    let mut elements = Vec::new();
    for m in 0..len {
        let mut matrix = dominant::<T>(n, &mut random);
        match m % 5 {
            0 => matrix[..n].fill(T::ZERO),
            1 => matrix[n - 1] = T::new(f64::INFINITY, 0.0),
            // The last row is small beside the others; at order 1 there are none, and its rcond is 1.
            3 => matrix[n * (n - 1)..].iter_mut().for_each(|x| *x = T::new(x.re_im().0 / 4096.0, x.re_im().1 / 4096.0)),
            _ => {}
        }
        elements.extend(matrix);
    }
    elements
}

/// What stands in the place of the inverses, by the choice.
fn filled<T: Element>(choice: OnFailure, n: usize, given: &[T], inverses: &[T], statuses: &[Status]) -> Vec<T> {
    let mut filled = inverses.to_vec();
    for (m, place) in filled.chunks_exact_mut(n * n).enumerate().filter(|(m, _)| !statuses[*m].has_inverse()) {
        match choice {
            OnFailure::Zero => place.fill(T::ZERO),
            OnFailure::Identity => place.copy_from_slice(&identity::<T>(n)),
            OnFailure::Input => place.copy_from_slice(&given[m * n * n..][..n * n]),
            _ => assert!(bits(place) == bits(&vec![T::NAN; n * n])),
        }
    }
    filled
}

/// Every engine that a caller can name.
fn inverters() -> Vec<Inverter> {
    let on_cpu = [Inverter::cpu(), Inverter::cpu().threads(1).unwrap()];
    #[cfg(all(feature = "gpu", feature = "testing"))]
    let on_gpu = common::engines::adapters("verdicts").iter().map(|it| Inverter::with_gpu(it.gpu.clone()));
    #[cfg(not(all(feature = "gpu", feature = "testing")))]
    let on_gpu = [];
    on_cpu.into_iter().chain(on_gpu).collect()
}

/// Into memory apart and in place, with and without rconds, on every kernel of the CPU engine and the planned ones of
/// the GPU engine.
fn fillings<T: Element>() {
    for inverter in inverters() {
        for n in [1, 2, 3, 8, 20, 33, 70, 130] {
            let len = if n > 64 { 11 } else { 41 };
            let elements = mixed::<T>(n, len);
            let stack = Stack::new(&elements, n).unwrap();
            let Ok(plain) = inverter.invert(stack) else { continue }; // no float64 on this adapter
            for choice in CHOICES {
                let what = format!("{choice:?}, order {n}, {}", plain.report().kernel.name());
                let choosing = inverter.clone().on_failure(choice);
                let wanted = filled(choice, n, &elements, plain.stack().elements(), plain.statuses());
                let found = choosing.clone().rcond(true).invert(stack).unwrap();
                assert!(bits(found.stack().elements()) == bits(&wanted), "{what}");
                assert_eq!(found.statuses(), plain.statuses(), "{what}");

                let (mut place, mut statuses) = (elements.clone(), vec![Status::INVERTED; len]);
                let output = InversesMut::new(&mut place, &mut statuses);
                choosing.invert_in_place(n, output).unwrap();
                assert!(bits(&place) == bits(&wanted), "{what}, in place");
                assert_eq!(statuses, plain.statuses(), "{what}, in place");

                let future = choosing.invert_async(stack);
                assert!(bits(pollster::block_on(future).unwrap().stack().elements()) == bits(&wanted), "{what}, async");
            }
        }
    }
}

/// An rcond just below, at, and just above the least.
fn least_rcond<T: Element>() {
    for inverter in inverters() {
        for n in [1, 2, 7, 40] {
            let elements = mixed::<T>(n, 23);
            let stack = Stack::new(&elements, n).unwrap();
            let Ok(plain) = inverter.clone().rcond(true).invert(stack) else { continue };
            let rconds: Vec<f64> = plain.rconds().unwrap().iter().map(|rcond| rcond.to_f64()).collect();
            let middle = rconds[3];
            assert!(plain.statuses()[3].is_inverted() && middle > 0.0);
            for least in [0.0, middle, middle.next_up(), 1.0, f64::NAN] {
                let what = format!("{least:e}, order {n}, {}", plain.report().kernel.name());
                let found = inverter.clone().min_rcond(least).invert(stack).unwrap();
                assert!(bits(found.stack().elements()) == bits(plain.stack().elements()), "{what}");
                assert!(found.rconds().is_none(), "{what}: nobody asked");
                for (m, &before) in plain.statuses().iter().enumerate() {
                    let below = before.is_inverted() && rconds[m] < least;
                    let wanted = if below { Status::ILL_CONDITIONED } else { before };
                    assert_eq!(found.statuses()[m], wanted, "{what}, matrix {m} with rcond {:e}", rconds[m]);
                    assert_eq!(found.get(m).is_some(), before.is_inverted(), "{what}");
                }
                let (mut place, mut statuses) = (elements.clone(), vec![Status::INVERTED; 23]);
                inverter
                    .clone()
                    .min_rcond(least)
                    .invert_in_place(n, InversesMut::new(&mut place, &mut statuses))
                    .unwrap();
                assert!(statuses == found.statuses() && bits(&place) == bits(found.stack().elements()), "{what}");
            }
        }
    }
}

/// Rows in other units change no rcond of the equilibrated matrix and no verdict that goes by it, on any engine, in
/// place or not, however many threads there are.
fn units<T: Element>() {
    for inverter in inverters() {
        for n in [2, 5, 17, 40] {
            let len = 5 + 30_000 / (n * n);
            let mut elements = mixed::<T>(n, len);
            elements.iter_mut().filter(|x| !x.re_im().0.is_finite()).for_each(|x| *x = T::ONE);
            let in_units: Vec<T> = (0..elements.len())
                .map(|k| {
                    let (re, im) = elements[k].re_im();
                    let unit = common::cases::power([-9, 0, 11][k / n % n % 3]);
                    T::new(re * unit, im * unit)
                })
                .collect();
            let measured = inverter.clone().rcond(true).rcond_of(RcondOf::Equilibrated);
            let Ok(plain) = measured.invert(Stack::new(&elements, n).unwrap()) else { continue };
            let what = format!("order {n}, {}", plain.report().kernel.name());
            for (m, rcond) in plain.rconds().unwrap().iter().enumerate() {
                let [a, x] = [&elements[..], plain.stack().elements()].map(|all| &all[m * n * n..][..n * n]);
                let wanted =
                    if plain.statuses()[m].is_inverted() { equilibrated_rcond(a, x, n) } else { T::Real::ZERO };
                assert_eq!(rcond.to_f64(), wanted.to_f64(), "{what}, matrix {m}");
            }
            let least = plain.rconds().unwrap()[3].to_f64() * 1.2;
            let verdicts = measured.rcond(false).min_rcond(least);
            let found = verdicts.invert(Stack::new(&in_units, n).unwrap()).unwrap();
            assert_eq!(found.statuses()[3], Status::ILL_CONDITIONED, "{what}");
            for (m, status) in found.statuses().iter().enumerate() {
                // Other pivots may be taken in other units, and the power method begins elsewhere.
                let rcond = plain.rconds().unwrap()[m].to_f64();
                if plain.statuses()[m].is_inverted() && (rcond / least - 1.0).abs() > 0.1 {
                    assert_eq!(status.is_inverted(), rcond > least, "{what}, matrix {m} with rcond {rcond:e}");
                }
            }
            let (mut place, mut statuses) = (in_units, vec![Status::INVERTED; len]);
            verdicts.invert_in_place(n, InversesMut::new(&mut place, &mut statuses)).unwrap();
            assert!(statuses == found.statuses() && bits(&place) == bits(found.stack().elements()), "{what}");
        }
    }
}

for_each_scalar!(fillings, least_rcond, units);

#[test]
fn the_word_and_its_meaning() {
    assert_eq!((Status::ILL_CONDITIONED.word(), Status::ILL_CONDITIONED.verdict()), (-2, Verdict::IllConditioned));
    assert!(Status::ILL_CONDITIONED.has_inverse() && !Status::ILL_CONDITIONED.is_inverted());
    assert!(!Status::NOT_FINITE.has_inverse() && Status::INVERTED.has_inverse());
    let ill = [[[1.0, 0.0], [0.0, 0.5_f64.powi(30)]]];
    let found = Inverter::cpu().min_rcond(1e-6).invert_matrices(&ill).unwrap();
    assert_eq!(found.values, [[[1.0, 0.0], [0.0, 2.0_f64.powi(30)]]]);
    let error = found.strict().unwrap_err();
    assert_eq!(error, Error::IllConditioned { index: 0 });
    assert_eq!(error.of_piece(10, 20), Error::IllConditioned { index: 10 });
    let singular = [[[0.0, 0.0], [0.0, 1.0]]];
    let found = Inverter::cpu().on_failure(OnFailure::Input).invert_matrices(&singular).unwrap();
    assert_eq!((found.values[0], found.statuses[0].word()), (singular[0], 1));
}

#[cfg(all(feature = "gpu", feature = "testing"))]
mod jobs {
    use batchinv::gpu::JobDescriptor;
    use batchinv::plan::Layout;
    use batchinv::{Error, JobError};
    use common::own::{ALL, devices};

    use super::*;

    /// On both sides of every boundary between kernels, in place and apart, strided, with a count from a buffer.
    fn jobs<T: Element>() {
        for own in devices("verdicts/jobs") {
            if T::eps() < 1e-10 && !own.gpu.facts().limits.float64 {
                continue;
            }
            for n in [2_u32, 15, 16, 33, 70, 131] {
                let (order, len) = (n as usize, if n > 64 { 6 } else { 29 });
                let elements = mixed::<T>(order, len);
                let (inverses, statuses, rconds) = own.wanted(Stack::new(&elements, order).unwrap());
                let least = rconds[3].to_f64();
                // Every variant is compiled anew: all choices on the smallest matrices, two on each of the others.
                let choices = CHOICES.into_iter().enumerate().filter(|(index, _)| n == 2 || index % 2 == order % 2);
                for (index, choice) in choices {
                    let what = format!("{choice:?}, order {n}");
                    let from = own.buffer(bytemuck::cast_slice(&elements), ALL);
                    let to = own.buffer(bytemuck::cast_slice(&elements), ALL);
                    let words = own.buffer(&vec![0; 4 * len], ALL);
                    let count = own.buffer(bytemuck::bytes_of(&(len as u32)), ALL);
                    let in_place = choice != OnFailure::Input && index % 2 == 0;
                    // Nothing is below its own rcond, but everything else that is smaller.
                    let mut descriptor = JobDescriptor::new(T::KIND, n, len as u32, &from)
                        .statuses(&words)
                        .on_failure(choice)
                        .min_rcond(if index % 2 == 0 { least } else { least.next_up() });
                    if !in_place {
                        descriptor = descriptor.output(&to, Layout::contiguous(n));
                    }
                    let job = own.gpu.job(&descriptor.count(&count, 0)).unwrap();
                    let mut encoder = own.encoder();
                    match index < 2 {
                        true => job.encode(&mut encoder, len as u32).unwrap(),
                        false => job.encode_indirect(&mut encoder).unwrap(),
                    }
                    own.queue.submit([encoder.finish()]);
                    let found: Vec<T> = own.read(if in_place { &from } else { &to });
                    let wanted = filled(choice, order, &elements, &inverses, &statuses);
                    assert!(bits(&found) == bits(&wanted), "{what}");
                    let least = if index % 2 == 0 { least } else { least.next_up() };
                    let wanted: Vec<Status> = statuses
                        .iter()
                        .zip(&rconds)
                        .map(|(&status, rcond)| match status.is_inverted() && rcond.to_f64() < least {
                            true => Status::ILL_CONDITIONED,
                            false => status,
                        })
                        .collect();
                    assert_eq!(own.read::<Status>(&words), wanted, "{what}");
                }
            }
        }
    }

    for_each_scalar!(jobs);

    /// A matrix that its inverse replaces is gone when the failure is known; one that stays where it is can be copied.
    #[test]
    fn a_replaced_matrix_cannot_be_kept() {
        for own in devices("verdicts/jobs") {
            let elements = mixed::<f32>(3, 8);
            let both: Vec<f32> = [&elements[..], &vec![1.0; elements.len()]].concat();
            let buffer = own.buffer(bytemuck::cast_slice(&both), ALL);
            let descriptor = JobDescriptor::new(f32::KIND, 3, 8, &buffer).on_failure(OnFailure::Input);
            assert_eq!(own.gpu.job(&descriptor).unwrap_err(), Error::Job(JobError::Replaced));
            let transposed = descriptor.output(&buffer, Layout::contiguous(3).transposed());
            assert_eq!(own.gpu.job(&transposed).unwrap_err(), Error::Job(JobError::Replaced));

            let behind = Layout { offset: 72, ..Layout::contiguous(3) };
            let job = own.gpu.job(&descriptor.output(&buffer, behind)).unwrap();
            let mut encoder = own.encoder();
            job.encode(&mut encoder, 8).unwrap();
            own.queue.submit([encoder.finish()]);
            let found: Vec<f32> = own.read(&buffer);
            assert!(bits(&found[..72]) == bits(&elements), "the matrices");
            assert!(bits(&found[72..][..9]) == bits(&elements[..9]), "a singular one");
        }
    }
}
