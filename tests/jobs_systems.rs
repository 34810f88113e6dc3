//! Jobs that solve systems or compute determinants, in the caller's buffers: the bits of the path through host memory,
//! in every place, and nothing else touched.
#![cfg(all(feature = "gpu", feature = "testing"))]

mod common;

use batchinv::gpu::JobDescriptor;
use batchinv::plan::Layout;
use batchinv::{Columns, Determinant, Error, Inverter, JobError, OnFailure, ScalarKind, Solutions, Stack, Status};
use common::Element;
use common::cases::Random;
use common::own::{ALL, Own, devices, stack};

/// Right-hand sides, one of them not finite.
fn columns<T: Element>(n: usize, width: usize, len: usize) -> Vec<T> {
    let mut random = Random::new((n * width) as u64);
    let mut b: Vec<T> = (0..n * width * len)
        .map(|_| {
            let z = random.element::<T>();
            T::new(z.re, z.im)
        })
        .collect();
    b[6 * n * width] = T::NAN;
    b
}

/// What the path through host memory gives.
fn wanted<T: Element>(own: &Own, n: usize, width: usize, a: &[T], b: &[T]) -> Solutions<T> {
    let (a, b) = (Stack::new(a, n).unwrap(), Columns::new(b, n, width).unwrap());
    Inverter::with_gpu(own.gpu.clone()).det(true).solve(a, b).unwrap()
}

fn bits_of<T: Element>(determinants: &[Determinant<T>]) -> Vec<[u64; 2]> {
    common::bits(bytemuck::cast_slice::<_, T>(determinants))
}

fn run(own: &Own, descriptor: &JobDescriptor<'_>, len: u32, indirect: bool) {
    let job = own.gpu.job(descriptor).unwrap();
    let mut encoder = own.encoder();
    match indirect {
        false => job.encode(&mut encoder, len).unwrap(),
        true => job.encode_indirect(&mut encoder).unwrap(),
    }
    own.queue.submit([encoder.finish()]);
}

/// Solutions over right-hand sides, elsewhere, and in structs that hold both operands; with counts that the GPU reads.
fn in_every_place<T: Element>() {
    for own in devices("jobs_systems/in_every_place") {
        for (n, width) in [(3_usize, 1_usize), (4, 9), (13, 2)] {
            if batchinv::plan::gpu(batchinv::plan::Work::solve(T::KIND, n, width, 1), &own.gpu.facts().limits).is_err()
            {
                continue;
            }
            let (len, capacity) = (20_u32, 23_u32);
            let (a, b) = (stack::<T>(n, len as usize), columns::<T>(n, width, len as usize));
            let solutions = wanted(&own, n, width, &a, &b);
            assert_eq!(solutions.statuses()[6].word(), -1);
            let (size, rhs_size) = (n * n, n * width);
            let guard = T::real(7.5);
            for form in 0..3 {
                // A struct of the matrix, a word, and the right-hand side; or a buffer for each.
                let (pitch, at) = (size + 1 + rhs_size, size + 1);
                let both = Layout { offset: 0, matrix: pitch as u32, row: n as u32, column: 1 };
                let beside = Layout { offset: at as u32, matrix: pitch as u32, row: width as u32, column: 1 };
                let (matrices, rhs) = match form {
                    0 | 1 => (Layout::contiguous(n as u32), Layout::columns(n as u32, width as u32)),
                    _ => (both, beside),
                };
                let mut first = vec![guard; pitch * capacity as usize];
                let mut second = vec![guard; pitch * capacity as usize];
                for m in 0..len as usize {
                    let (a, b) = (&a[m * size..][..size], &b[m * rhs_size..][..rhs_size]);
                    first[m * matrices.matrix as usize..][..size].copy_from_slice(a);
                    let place = if form == 2 { &mut first } else { &mut second };
                    place[rhs.offset as usize + m * rhs.matrix as usize..][..rhs_size].copy_from_slice(b);
                }
                let from = own.buffer(bytemuck::cast_slice(&first), ALL);
                let other = own.buffer(bytemuck::cast_slice(&second), ALL);
                let to = own.buffer(bytemuck::cast_slice(&vec![guard; second.len()]), ALL);
                let words = own.buffer(&[0xab; 4 * 23], ALL);
                let dets = own.buffer(bytemuck::cast_slice(&[guard; 2 * 23]), ALL);
                let count = own.buffer(bytemuck::bytes_of(&len), ALL);
                let given = if form == 2 { &from } else { &other };
                let mut descriptor = JobDescriptor::new(T::KIND, n as u32, capacity, &from)
                    .input_layout(matrices)
                    .solve(given, rhs, width as u32)
                    .determinants(&dets)
                    .statuses(&words)
                    .count(&count, 0);
                if form == 1 {
                    descriptor = descriptor.output(&to, rhs);
                }
                run(&own, &descriptor, len, form == 1);

                let what = format!("order {n}, width {width}, form {form}");
                let (target, mut result) = match form {
                    0 => (&other, second.clone()),
                    1 => (&to, vec![guard; second.len()]),
                    _ => (&from, first.clone()),
                };
                for m in 0..len as usize {
                    let place = rhs.offset as usize + m * rhs.matrix as usize;
                    result[place..][..rhs_size].copy_from_slice(solutions.columns().matrix(m));
                }
                assert!(common::bits(&own.read::<T>(target)) == common::bits(&result), "{what}");
                let statuses: Vec<Status> = own.read(&words);
                assert_eq!(statuses[..len as usize], *solutions.statuses(), "{what}");
                assert!(statuses[len as usize..].iter().all(|status| status.word() == 0xabab_abab_u32 as i32));
                let determinants: Vec<T> = own.read(&dets);
                let (found, rest) = determinants.split_at(2 * len as usize);
                assert_eq!(common::bits(found), bits_of(solutions.determinants().unwrap()), "{what}");
                assert!(common::bits(rest) == common::bits(&[guard; 6]), "{what}");
            }
        }
    }
}

/// Determinants alone leave the matrices as they are.
fn determinants_alone<T: Element>() {
    for own in devices("jobs_systems/determinants_alone") {
        for n in [1_usize, 2, 5, 13] {
            let work = batchinv::plan::Work::det(T::KIND, n, 1);
            if batchinv::plan::gpu(work, &own.gpu.facts().limits).is_err() {
                continue;
            }
            let a = stack::<T>(n, 20);
            let inverter = Inverter::with_gpu(own.gpu.clone());
            let wanted = inverter.determinants(Stack::new(&a, n).unwrap()).unwrap().values;
            let from = own.buffer(bytemuck::cast_slice(&a), ALL);
            let dets = own.buffer(&vec![0xab; 2 * 20 * size_of::<T>()], ALL);
            run(&own, &JobDescriptor::new(T::KIND, n as u32, 20, &from).determinants(&dets), 20, false);
            assert_eq!(common::bits(&own.read::<T>(&dets)), bits_of(&wanted), "order {n}");
            assert!(common::bits(&own.read::<T>(&from)) == common::bits(&a), "order {n}");
        }
    }
}

for_each_scalar!(in_every_place, determinants_alone);

/// One matrix for all right-hand sides, one right-hand side for all matrices, and what stands where there is no
/// solution.
#[test]
fn one_for_all() {
    let (n, len) = (3_usize, 20_usize);
    for own in devices("jobs_systems/one_for_all") {
        let (a, b) = (stack::<f32>(n, len), columns::<f32>(n, 1, len));
        let inverter = Inverter::with_gpu(own.gpu.clone()).on_failure(OnFailure::Input);
        let repeated = |layout: Layout| Layout { matrix: 0, ..layout };
        let (each, column) = (Layout::contiguous(3), Layout::columns(3, 1));
        for (matrices, rhs) in [(repeated(each), column), (each, repeated(column))] {
            let a = if matrices.matrix == 0 { &a[..9] } else { &a };
            let b = if rhs.matrix == 0 { &b[..3] } else { &b };
            let given = (Stack::new(a, n).unwrap(), Columns::new(b, n, 1).unwrap());
            let solutions = inverter.solve(given.0, given.1).unwrap();
            let (from, other) = (own.buffer(bytemuck::cast_slice(a), ALL), own.buffer(bytemuck::cast_slice(b), ALL));
            let descriptor = JobDescriptor::new(ScalarKind::Float32, 3, len as u32, &from)
                .input_layout(matrices)
                .solve(&other, rhs, 1)
                .own_output(column)
                .on_failure(OnFailure::Input);
            let job = own.gpu.job(&descriptor).unwrap();
            let mut encoder = own.encoder();
            job.encode(&mut encoder, len as u32).unwrap();
            own.queue.submit([encoder.finish()]);
            let found: Vec<f32> = own.read(job.output());
            assert!(common::bits(&found) == common::bits(solutions.columns().elements()), "{matrices:?}, {rhs:?}");
        }
    }
}

/// What cannot be is refused by name.
#[test]
fn refusals() {
    for own in devices("jobs_systems/refusals") {
        let (a, b) = (own.buffer(&[0; 4096], ALL), own.buffer(&[0; 4096], ALL));
        let dets = own.buffer(&[0; 4096], ALL);
        let new = JobDescriptor::new(ScalarKind::Float32, 4, 10, &a);
        let solve = new.solve(&b, Layout::columns(4, 1), 1);
        let error = |descriptor: &JobDescriptor<'_>| own.gpu.job(descriptor).unwrap_err();
        assert_eq!(error(&new.solve(&b, Layout::columns(4, 0), 0)), JobError::Empty.into());
        let small = JobError::TooSmall { what: "right-hand sides", needed: 10 * 4 * 40 * 4, size: 4096 };
        assert_eq!(error(&new.solve(&b, Layout::columns(4, 40), 40)), small.into());
        // One right-hand side for all has no room for its solutions.
        assert_eq!(error(&new.solve(&b, Layout { matrix: 0, ..Layout::columns(4, 1) }, 1)), JobError::Overlap.into());
        // Solutions over matrices, and over other right-hand sides.
        assert_eq!(error(&new.solve(&a, Layout::columns(4, 1), 1)), JobError::Overlap.into());
        let shifted = Layout { offset: 4, ..Layout::columns(4, 1) };
        assert_eq!(error(&solve.output(&b, shifted)), JobError::Overlap.into());
        assert_eq!(error(&solve.on_failure(OnFailure::Input)), JobError::Replaced.into());
        assert_eq!(error(&new.determinants(&dets).own_output(Layout::contiguous(4))), JobError::NoOutput.into());
        let shared = JobError::Shared { what: "determinants", with: "right-hand sides" };
        assert_eq!(error(&solve.determinants(&b)), shared.into());
        let few = own.buffer(&[0; 4], ALL);
        let small = JobError::TooSmall { what: "determinants", needed: 80, size: 4 };
        assert_eq!(error(&solve.determinants(&few)), small.into());
        for descriptor in [solve.rconds(&dets), solve.min_rcond(0.1), new.determinants(&dets).min_rcond(0.1)] {
            assert!(error(&descriptor).to_string().ends_with("gives no rconds"));
        }
        assert!(error(&solve.on_failure(OnFailure::Identity)).to_string().ends_with("gives no identity on failure"));
        let matrix = own.buffer(&[0; 4 * 129 * 129], ALL);
        let large = JobDescriptor::new(ScalarKind::Float32, 129, 1, &matrix).determinants(&dets);
        assert!(matches!(error(&large), Error::Unsupported { .. }), "above the largest order");
    }
}
