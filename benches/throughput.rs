//! Matrices per second, by order and engine, beside nalgebra, faer, and glam in the same process.
//!
//! Whole calls from host memory to a warm output, on stacks of about 4 MB and on single matrices that stay in
//! the cache. The engines have all cores. The peers invert one matrix after another on one thread, as they are
//! meant to be used. RAYON_NUM_THREADS=1 gives the CPU engine one thread, too.

use std::hint::black_box;

use batchinv::{InversesMut, Inverter, StackBuf, Status};
use batchinv_benches::{gpu, len_for, random};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faer::linalg::solvers::DenseSolveCore;

const ORDERS: [usize; 12] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128];

fn throughput(criterion: &mut Criterion) {
    let gpu = gpu();
    let mut group = criterion.benchmark_group("throughput/float32");
    for order in ORDERS {
        let len = len_for(order, 4, 4 << 20);
        let stack = random(order, len, |x| x as f32);
        let mut out = stack.elements().to_vec();
        let mut statuses = vec![Status::INVERTED; len];
        group.throughput(Throughput::Elements(len as u64)).sample_size(10);
        let mut whole_call = |name: &str, inverter: &Inverter| {
            group.bench_function(BenchmarkId::new(name, order), |bencher| {
                bencher.iter(|| {
                    let output = InversesMut::new(&mut out, &mut statuses);
                    inverter.invert_into(stack.view(), output).expect("an engine that takes the stack")
                });
            });
        };
        whole_call("cpu", &Inverter::cpu());
        if let Some((_, inverter)) = &gpu {
            whole_call("gpu", inverter);
        }
        group.bench_function(BenchmarkId::new("faer", order), |bencher| {
            bencher.iter(|| {
                for matrix in stack.view().iter() {
                    let matrix = faer::MatRef::from_row_major_slice(matrix, order, order);
                    black_box(matrix.partial_piv_lu().inverse());
                }
            });
        });
        group.bench_function(BenchmarkId::new("nalgebra", order), |bencher| {
            bencher.iter(|| {
                for matrix in stack.view().iter() {
                    black_box(nalgebra::DMatrix::from_row_slice(order, order, matrix).try_inverse());
                }
            });
        });
        fixed_size(&mut group, order, &stack);
    }
}

/// The cost of a call for a single matrix.
fn one(criterion: &mut Criterion) {
    let inverter = Inverter::cpu();
    let mut group = criterion.benchmark_group("one/float32");
    for order in [2, 3, 4, 8, 16] {
        let stack = random(order, 1, |x| x as f32);
        let (mut out, mut statuses) = (stack.elements().to_vec(), [Status::INVERTED]);
        group.bench_function(BenchmarkId::new("invert_into", order), |bencher| {
            bencher.iter(|| {
                let output = InversesMut::new(&mut out, &mut statuses);
                inverter.invert_into(black_box(stack.view()), output).expect("the CPU engine takes any stack")
            });
        });
        group.bench_function(BenchmarkId::new("invert", order), |bencher| {
            bencher.iter(|| inverter.invert(black_box(stack.view())).expect("the CPU engine takes any stack"));
        });
    }
}

/// The normal matrices of transforms: cofactor matrices beside inverses, and glam's inverse transposes, which singular
/// transforms do not have. One thread, stacks that the cache holds.
fn normals(criterion: &mut Criterion) {
    let inverter = Inverter::cpu().threads(1).expect("one thread");
    let mut group = criterion.benchmark_group("normals/float32/3");
    let stack = random(3, 1000, |x| x as f32);
    let (mut out, mut statuses) = (stack.elements().to_vec(), vec![Status::INVERTED; 1000]);
    group.throughput(Throughput::Elements(1000));
    group.bench_function("cofactors", |bencher| {
        bencher.iter(|| {
            let output = InversesMut::new(&mut out, &mut statuses);
            inverter.cofactors_into(black_box(stack.view()), output).expect("order 3")
        });
    });
    group.bench_function("inverses", |bencher| {
        bencher.iter(|| {
            let output = InversesMut::new(&mut out, &mut statuses);
            inverter.invert_into(black_box(stack.view()), output).expect("the CPU engine takes any stack")
        });
    });
    let transforms: Vec<_> = stack.view().iter().map(glam::Mat3::from_cols_slice).collect();
    let mut normals = transforms.clone();
    group.bench_function("glam: inverse transposes", |bencher| {
        bencher.iter(|| {
            for (normal, transform) in normals.iter_mut().zip(black_box(&transforms)) {
                *normal = transform.inverse().transpose();
            }
        });
    });
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// glam's and nalgebra's matrices of fixed size, for the orders that they have.
fn fixed_size(group: &mut Group<'_>, order: usize, stack: &StackBuf<f32>) {
    macro_rules! fixed {
        ($name:literal, $matrix:ty, $size:literal, $from:path, $invert:expr) => {{
            let matrices: Vec<$matrix> = stack
                .elements()
                .chunks_exact($size)
                .map(|elements| $from(elements.try_into().expect("a whole matrix")))
                .collect();
            group.bench_function(BenchmarkId::new($name, order), |bencher| {
                bencher.iter(|| {
                    for matrix in &matrices {
                        black_box($invert(black_box(matrix)));
                    }
                });
            });
        }};
    }
    match order {
        2 => {
            fixed!("glam", glam::Mat2, 4, glam::Mat2::from_cols_array, glam::Mat2::inverse);
            fixed!("nalgebra-fixed", nalgebra::Matrix2<f32>, 4, from_slice::<2, 4>, |m: &_| {
                nalgebra::Matrix2::try_inverse(*m)
            });
        }
        3 => {
            fixed!("glam", glam::Mat3, 9, glam::Mat3::from_cols_array, glam::Mat3::inverse);
            fixed!("nalgebra-fixed", nalgebra::Matrix3<f32>, 9, from_slice::<3, 9>, |m: &_| {
                nalgebra::Matrix3::try_inverse(*m)
            });
        }
        4 => {
            fixed!("glam", glam::Mat4, 16, glam::Mat4::from_cols_array, glam::Mat4::inverse);
            fixed!("nalgebra-fixed", nalgebra::Matrix4<f32>, 16, from_slice::<4, 16>, |m: &_| {
                nalgebra::Matrix4::try_inverse(*m)
            });
        }
        _ => {}
    }
}

fn from_slice<const N: usize, const SIZE: usize>(elements: &[f32; SIZE]) -> nalgebra::SMatrix<f32, N, N> {
    nalgebra::SMatrix::from_row_slice(elements)
}

criterion_group!(benches, one, normals, throughput);
criterion_main!(benches);
