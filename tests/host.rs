//! Matrices of glam, nalgebra, and ndarray give the same bits, statuses, and condition numbers as row-major stacks.
//! Statuses count the user's own columns in any memory order.
#![cfg(all(feature = "glam", feature = "nalgebra", feature = "ndarray"))]

mod common;

use batchinv::host::{MatrixInverses, SquareMatrix, inv_array, inv_matrices, invert_array, invert_matrices};
use batchinv::{Error, Inverter, Precision, Real, Scalar, ShapeError, Stack, Status};
use common::cases::{self, Random};
use common::{Element, bits};
use ndarray::{Array, Array2, Array3, ArrayD, Axis, IxDyn, ShapeBuilder, s};

/// Row-major matrices on which confusing rows with columns shows. Most are regular and not symmetric, some are
/// singular at another column than their transpose, and some are not finite.
fn rows<T: Element>(n: usize, len: usize) -> Vec<T> {
    let mut random = Random::new(n as u64);
    let mut elements = Vec::with_capacity(len * n * n);
    for m in 0..len {
        let mut matrix: Vec<T> = (0..n * n).map(|_| T::new(random.uniform(), random.uniform())).collect();
        match m % 11 {
            3 => matrix[n - 1..].iter_mut().step_by(n).for_each(|last| *last = T::ZERO),
            5 => matrix.iter_mut().step_by(n).for_each(|first| *first = T::ZERO),
            7 => matrix[0] = T::NAN,
            9 => matrix.copy_from_slice(&cases::identity::<T>(n)),
            _ => {}
        }
        elements.extend(matrix);
    }
    elements
}

/// Compares matrices of one type with a row-major stack of the same matrices.
fn as_by_rows<M: SquareMatrix + std::fmt::Debug>(len: usize)
where
    M::Scalar: Element,
{
    let n = M::ORDER;
    let elements = rows::<M::Scalar>(n, len);
    let matrices: Vec<M> = elements.chunks(n * n).map(M::from_rows).collect();
    let of = |matrices: &[M]| {
        let mut elements = vec![M::Scalar::ZERO; matrices.len() * n * n];
        elements.chunks_mut(n * n).zip(matrices).for_each(|(rows, matrix)| matrix.write_rows(rows));
        elements
    };
    assert_eq!(bits(&of(&matrices)), bits(&elements), "the round trip");

    for precision in [Precision::Native, Precision::Double] {
        let inverter = Inverter::cpu().precision(precision).rcond(true);
        let wanted = inverter.invert(Stack::new(&elements, n).unwrap()).unwrap();
        let MatrixInverses { values: inverses, statuses, rconds, report, .. } =
            inverter.invert_matrices(&matrices).unwrap();
        assert_eq!(bits(&of(&inverses)), bits(wanted.stack().elements()), "order {n}, {len} matrices");
        assert_eq!(statuses, wanted.statuses());
        let to_bits = |rcond: &<M::Scalar as Scalar>::Real| rcond.to_f64().to_bits();
        assert!(rconds.unwrap().iter().map(to_bits).eq(wanted.rconds().unwrap().iter().map(to_bits)));
        assert_eq!(report.engine, batchinv::Engine::Cpu);

        let (mut in_place, mut statuses) = (matrices.clone(), vec![Status::NOT_FINITE; len]);
        inverter.invert_matrices_in_place(&mut in_place, &mut statuses).unwrap();
        assert_eq!(bits(&of(&in_place)), bits(wanted.stack().elements()));
        assert_eq!(statuses, wanted.statuses());
    }
}

#[test]
fn matrices_as_by_rows() {
    use glam::{DMat2, DMat3, DMat4, Mat2, Mat3, Mat3A};
    use nalgebra::{Complex, SMatrix};
    as_by_rows::<Mat2>(1000);
    as_by_rows::<Mat3>(1000);
    as_by_rows::<Mat3A>(1000);
    as_by_rows::<DMat2>(1000);
    as_by_rows::<DMat3>(1000);
    as_by_rows::<DMat4>(1000);
    as_by_rows::<[[f32; 5]; 5]>(1000);
    as_by_rows::<SMatrix<f64, 1, 1>>(100);
    as_by_rows::<SMatrix<f32, 6, 6>>(1000);
    as_by_rows::<SMatrix<Complex<f32>, 3, 3>>(100);
    as_by_rows::<SMatrix<Complex<f64>, 20, 20>>(30);
}

/// More than one piece, more than one round of pieces, and a remainder.
#[test]
fn many_matrices_as_by_rows() {
    for len in [1, 1024, 1025, 16_384, 16_385, 40_000] {
        as_by_rows::<glam::Mat4>(len);
    }
    // Each matrix is larger than a piece.
    as_by_rows::<nalgebra::SMatrix<f64, 40, 40>>(200);
}

/// On a GPU, pieces give the bits of the whole stack.
#[cfg(all(feature = "gpu", feature = "testing"))]
#[test]
fn on_a_gpu() {
    for adapter in common::engines::adapters("host/on_a_gpu") {
        let inverter = Inverter::with_gpu(adapter.gpu.clone()).rcond(true);
        let elements = rows::<f32>(4, 3000);
        let matrices: Vec<glam::Mat4> = elements.chunks(16).map(SquareMatrix::from_rows).collect();
        let wanted = inverter.invert(Stack::new(&elements, 4).unwrap()).unwrap();
        let got = inverter.invert_matrices(&matrices).unwrap();
        let wanted_matrices: Vec<glam::Mat4> = wanted.stack().iter().map(SquareMatrix::from_rows).collect();
        let bits = |matrices: &[glam::Mat4]| -> Vec<[u32; 16]> {
            matrices.iter().map(|matrix| matrix.to_cols_array().map(f32::to_bits)).collect()
        };
        assert_eq!(bits(&got.values), bits(&wanted_matrices));
        assert_eq!(got.statuses, wanted.statuses());
        assert_eq!(got.rconds.unwrap().len(), 3000);
        assert_eq!((got.report.engine, got.report.chunks), (batchinv::Engine::Gpu, 1));
    }
}

/// The automatic choice considers the whole slice: every piece runs on the same engine, even a short last one.
#[cfg(all(feature = "gpu", feature = "testing"))]
#[test]
fn auto_chooses_once() {
    type M = nalgebra::SMatrix<f32, 20, 20>;
    use batchinv::gpu::faults::{Fault, arm, disarm};
    let some = rows::<f32>(20, 100);
    let piece = batchinv::plan::HOST_GPU_PIECE / 400;
    for adapter in common::engines::adapters("host/auto_chooses_once") {
        let auto = Inverter::auto().auto_policy(batchinv::plan::AutoPolicy::SoftwareCounts);
        let auto = auto.adapter(&adapter.gpu.facts().name);
        for len in [400, piece + 3] {
            let matrices: Vec<M> = some.chunks(400).cycle().take(len).map(SquareMatrix::from_rows).collect();
            let on_gpu = Inverter::with_gpu(adapter.gpu.clone()).invert_matrices(&matrices[..100]).unwrap();
            let on_cpu = Inverter::cpu().invert_matrices(&matrices[..100]).unwrap();
            let got = auto.invert_matrices(&matrices).unwrap();
            assert_eq!(got.report.engine, batchinv::Engine::Gpu);
            let same = |m: usize, wanted: &MatrixInverses<M>| {
                let bits = |matrix: &M| matrix.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                bits(&got.values[m]) == bits(&wanted.values[m % 100]) && got.statuses[m] == wanted.statuses[m % 100]
            };
            assert_eq!((0..len).find(|&m| !same(m, &on_gpu)), None, "{len} matrices");

            // A failure in the last piece is reported with its position in the whole slice.
            arm(Fault::Mapping, if len > piece { 2 } else { 0 }, usize::MAX);
            let got = auto.invert_matrices(&matrices).unwrap();
            disarm();
            let Some(Error::DeviceLost { done, len: told, .. }) = got.report.gpu_failure else {
                panic!("{:?}", got.report)
            };
            assert_eq!((told, got.report.engine), (len, batchinv::Engine::Cpu));
            assert!(got.report.reason.unwrap().to_string().starts_with("the GPU failed: "));
            let bits = |matrix: &M| matrix.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            for m in 0..len {
                let wanted = if m < done { &on_gpu } else { &on_cpu };
                assert!(bits(&got.values[m]) == bits(&wanted.values[m % 100]), "matrix {m} of {done}");
            }
        }
    }
}

#[test]
fn statuses_speak_of_the_users_columns() {
    // Its first column is zero; its second row is not.
    let matrix = glam::DMat2::from_cols_array_2d(&[[0.0, 0.0], [1.0, 2.0]]);
    assert_eq!(inv_matrices(&[glam::DMat2::IDENTITY, matrix]).unwrap_err(), Error::Singular { index: 1, column: 1 });
    let matrix = nalgebra::Matrix2::new(0.0, 1.0, 0.0, 2.0_f32);
    assert_eq!(inv_matrices(&[matrix]).unwrap_err(), Error::Singular { index: 0, column: 1 });
    let transposed = invert_matrices(&[matrix.transpose()]).unwrap();
    assert_eq!(transposed.first_failure().map(|(index, status)| (index, status.word())), Some((0, 2)));
    assert!(transposed.values[0].iter().all(|x| x.to_bits() == f32::NAN.to_bits()));
    let matrix = glam::Mat3A::from_cols_array(&[f32::NAN; 9]);
    assert_eq!(inv_matrices(&[matrix]).unwrap_err(), Error::NotFinite { index: 0 });
}

#[test]
fn no_matrices_and_matrices_of_nothing() {
    let none = invert_matrices::<glam::Mat4>(&[]).unwrap();
    assert!(none.values.is_empty() && none.statuses.is_empty());
    let nothing = Inverter::cpu().rcond(true).invert_matrices(&[nalgebra::SMatrix::<f64, 0, 0>::zeros(); 3]).unwrap();
    assert_eq!(nothing.statuses, [Status::INVERTED; 3]);
    assert_eq!(nothing.rconds, Some(vec![f64::INFINITY; 3]));
    let error = Inverter::cpu().invert_matrices_in_place(&mut [[[1.0_f64]]], &mut []).unwrap_err();
    assert_eq!(error, Error::Shape(ShapeError::Output { what: "statuses", got: 0, needed: 1 }));
}

/// No matrix as a whole is a local variable of any thread: each of these is larger than a thread's stack. Runs `invert`
/// on two matrices, on such threads, and checks the inverses in the vector that it returns.
fn larger_than_a_stack<M: SquareMatrix<Scalar = f64>>(invert: impl Fn(&Inverter, Vec<M>) -> Vec<M> + Sync) {
    let (n, small, large) = (M::ORDER, 256 << 10, 64 << 20);
    assert!(size_of::<M>() > small);
    let pool = |stack_size| rayon::ThreadPoolBuilder::new().num_threads(2).stack_size(stack_size).build().unwrap();
    let mut random = Random::new(n as u64);
    let elements: Vec<f64> = (0..2).flat_map(|_| cases::dominant::<f64>(n, &mut random)).collect();
    let wanted = Inverter::cpu().invert(Stack::new(&elements, n).unwrap()).unwrap();
    for threads in [0, 1] {
        let inverter = Inverter::cpu().threads(threads).unwrap();
        // One piece, and several.
        for len in [1, 2] {
            let matrices = pool(large).install(|| elements.chunks(n * n).take(len).map(M::from_rows).collect());
            let inverses = pool(small).install(|| invert(&inverter, matrices));
            assert_eq!(inverses.len(), len);
            let mut rows = vec![0.0; n * n];
            for (inverse, wanted) in inverses.iter().zip(wanted.stack().iter()) {
                inverse.write_rows(&mut rows);
                assert!(bits(&rows) == bits(wanted), "{threads} threads, {len} matrices");
            }
        }
    }
}

fn in_place<M: SquareMatrix>(inverter: &Inverter, mut matrices: Vec<M>) -> Vec<M> {
    let mut statuses = vec![Status::NOT_FINITE; matrices.len()];
    inverter.invert_matrices_in_place(&mut matrices, &mut statuses).unwrap();
    assert!(statuses.iter().all(|status| status.is_inverted()));
    matrices
}

#[test]
fn arrays_larger_than_a_stack() {
    type M = [[f64; 520]; 520];
    larger_than_a_stack::<M>(in_place);
    larger_than_a_stack::<M>(|inverter, matrices| inverter.invert_matrices(&matrices).unwrap().values);
}

/// In place only: unoptimized, copying a slice of nalgebra's matrices into fresh memory clones one after another.
#[test]
fn matrices_larger_than_a_stack() {
    larger_than_a_stack::<nalgebra::SMatrix<f64, 520, 520>>(in_place);
}

/// Every view of the same matrices has the same inverses.
fn any_stride<T: Element>() {
    let array = Array::from_shape_vec((5, 4, 3, 3), rows::<T>(3, 20)).unwrap();
    let inverter = Inverter::cpu().rcond(true);
    let check = |view: &ndarray::ArrayRef<T, ndarray::Ix4>| {
        let standard: Vec<T> = view.iter().copied().collect();
        let wanted = inverter.invert(Stack::new(&standard, 3).unwrap()).unwrap();
        let got = inverter.invert_array(view).unwrap();
        assert_eq!(got.values.shape(), view.shape());
        assert_eq!(got.statuses.shape(), &view.shape()[..2]);
        assert_eq!(bits(got.values.as_slice().unwrap()), bits(wanted.stack().elements()));
        assert_eq!(got.statuses.as_slice().unwrap(), wanted.statuses());
        assert_eq!(got.rconds.unwrap().shape(), &view.shape()[..2]);
        let dynamic = inverter.invert_array(&view.view().into_dyn()).unwrap();
        assert_eq!(bits(dynamic.values.as_slice().unwrap()), bits(wanted.stack().elements()));
    };
    check(&array);
    check(&array.slice(s![1..;2, ..;-1, .., ..]));
    check(&array.slice(s![.., .., ..;-1, ..;-1]));
    check(&array.view().permuted_axes([1, 0, 3, 2]));
    check(&array.slice(s![.., ..1, .., ..]).broadcast((5, 7, 3, 3)).unwrap());
    let mut fortran = Array::zeros((5, 4, 3, 3).f());
    fortran.assign(&array.mapv(|x| x.re_im().0));
    let part = Array::from_shape_fn((5, 4, 6, 5), |(i, j, k, l)| array[[i, j, k % 3, l % 3]]);
    check(&part.slice(s![.., .., ..;2, 1..4]));
    check(&fortran.mapv(T::real));
}

for_each_scalar!(any_stride);

#[test]
fn numpys_rules_of_shape() {
    let few = |axes| Error::Shape(ShapeError::TooFewAxes { axes });
    assert_eq!(inv_array(&ArrayD::<f64>::zeros(IxDyn(&[]))).unwrap_err(), few(0));
    assert_eq!(inv_array(&ArrayD::<f32>::zeros(IxDyn(&[9]))).unwrap_err(), few(1));
    let error = inv_array(&Array3::<f32>::zeros((4, 2, 3))).unwrap_err();
    assert_eq!(error, Error::Shape(ShapeError::NotSquare { rows: 2, columns: 3 }));
    // Arrays without elements.
    assert_eq!(inv_array(&Array3::<f64>::zeros((0, 4, 4))).unwrap().shape(), [0, 4, 4]);
    assert_eq!(inv_array(&Array3::<f64>::zeros((7, 0, 0))).unwrap().shape(), [7, 0, 0]);
    assert_eq!(invert_array(&ArrayD::<f64>::zeros(IxDyn(&[2, 0, 5, 0, 0]))).unwrap().statuses.shape(), [2, 0, 5]);
    // A single matrix has a single status, in an array without axes.
    let one = invert_array(&Array2::<f64>::eye(3)).unwrap();
    assert_eq!((one.statuses.ndim(), one.statuses.len()), (0, 1));
    let singular = Array3::<f64>::zeros((2, 2, 2));
    assert_eq!(inv_array(&singular.index_axis(Axis(0), 1)).unwrap_err(), Error::Singular { index: 0, column: 1 });
}

/// A strict check looks at every status, even if their array was rearranged and has no slice.
#[test]
fn strict_after_the_statuses_were_rearranged() {
    let mut grid = ndarray::Array4::<f64>::zeros((2, 3, 1, 1));
    grid.fill(4.0);
    grid[[1, 0, 0, 0]] = 0.0;
    let mut result = invert_array(&grid).unwrap();
    result.statuses = result.statuses.reversed_axes();
    assert!(result.statuses.as_slice().is_none(), "the statuses must have no slice for this test");
    assert_eq!(result.first_failure().map(|(index, _)| index), Some(1), "in the order of the rearranged axes");
    assert_eq!(result.strict().unwrap_err(), Error::Singular { index: 1, column: 1 });
}
