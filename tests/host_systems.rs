//! Systems and determinants of glam's, nalgebra's and ndarray's types have the bits, statuses and shapes of row-major
//! stacks, by NumPy's rules.
#![cfg(all(feature = "glam", feature = "nalgebra", feature = "ndarray"))]

mod common;

use allocation_counter::measure;
use batchinv::host::{SquareMatrix, Vector, determinants_array, solve_array, solve_matrices};
use batchinv::{
    Columns, Determinant, Error, Inverter, OnFailure, Precision, Reason, Scalar, ShapeError, Stack, Status,
};
use common::cases::Random;
use common::{Element, bits};
use ndarray::{Array, Array2, Array3, ArrayD, ArrayView1, ArrayViewD, Axis, Dimension, IxDyn, s};

/// Elements that are all different.
fn elements<T: Element>(len: usize, seed: usize) -> Vec<T> {
    let mut random = Random::new(seed as u64);
    (0..len).map(|_| T::new(random.uniform(), random.uniform())).collect()
}

/// Row-major matrices, some of which are singular or not finite.
fn matrices<T: Element>(n: usize, len: usize) -> Vec<T> {
    let mut all = elements(len * n * n, n);
    for (m, matrix) in all.chunks_mut(n * n).enumerate() {
        match m % 11 {
            3 => matrix[n - 1..].iter_mut().step_by(n).for_each(|last| *last = T::ZERO),
            5 => matrix.iter_mut().step_by(n).for_each(|first| *first = T::ZERO),
            7 => matrix[0] = T::NAN,
            _ => {}
        }
    }
    all
}

fn determinant_bits<T: Element>(determinants: &[Determinant<T>]) -> Vec<([u64; 2], i32)> {
    determinants.iter().map(|determinant| (determinant.mantissa().bits(), determinant.exponent())).collect()
}

/// Compares matrices and vectors of one type with row-major stacks of the same, also with one of either for all.
fn as_by_rows<M: SquareMatrix, V: Vector<Scalar = M::Scalar>>(len: usize)
where
    M::Scalar: Element,
{
    let n = M::ORDER;
    let (all_a, mut all_b) = (matrices::<M::Scalar>(n, len), elements::<M::Scalar>(n * len, 7));
    all_b[n * (len / 2)..].iter_mut().step_by(13 * n).for_each(|element| *element = M::Scalar::NAN);
    for (a_len, b_len) in [(len, len), (1, len), (len, 1)] {
        let (a, b) = (&all_a[..a_len * n * n], &all_b[..b_len * n]);
        let matrices: Vec<M> = a.chunks(n * n).map(M::from_rows).collect();
        let vectors: Vec<V> = b.chunks(n).map(V::from_elements).collect();
        let (stack, columns) = (Stack::new(a, n).unwrap(), Columns::new(b, n, 1).unwrap());
        for inverter in [Inverter::cpu(), Inverter::cpu().threads(1).unwrap().precision(Precision::Double)] {
            for on_failure in [OnFailure::Nan, OnFailure::Input] {
                let inverter = inverter.clone().det(true).on_failure(on_failure);
                let wanted = inverter.solve(stack, columns).unwrap();
                let got = inverter.solve_matrices(&matrices, &vectors).unwrap();
                let mut x = vec![M::Scalar::ZERO; len * n];
                x.chunks_mut(n).zip(&*got.values).for_each(|(elements, vector)| vector.write(elements));
                let what = format!("order {n}, {a_len} matrices, {b_len} vectors, {on_failure:?}");
                assert!(bits(&x) == bits(wanted.columns().elements()), "{what}");
                assert_eq!(got.statuses, wanted.statuses(), "{what}");
                let determinants = got.determinants.unwrap();
                assert_eq!(determinant_bits(&determinants), determinant_bits(wanted.determinants().unwrap()), "{what}");
                assert_eq!(inverter.det(false).solve_matrices(&matrices, &vectors).unwrap().determinants, None);
            }
            let (wanted, got) = (inverter.determinants(stack), inverter.determinants_matrices(&matrices));
            assert_eq!(determinant_bits(&got.unwrap().values), determinant_bits(&wanted.unwrap().values));
        }
    }
}

#[test]
fn matrices_and_vectors_as_by_rows() {
    use glam::{DMat2, DMat3, DMat4, DVec2, DVec3, DVec4, Mat2, Mat3, Mat3A, Mat4, Vec2, Vec3, Vec3A, Vec4};
    use nalgebra::{Complex, SMatrix, SVector};
    as_by_rows::<Mat2, Vec2>(500);
    as_by_rows::<Mat3, Vec3>(500);
    as_by_rows::<Mat3A, Vec3A>(500);
    as_by_rows::<Mat4, Vec4>(500);
    as_by_rows::<DMat2, DVec2>(500);
    as_by_rows::<DMat3, DVec3>(500);
    as_by_rows::<DMat4, DVec4>(500);
    as_by_rows::<[[f32; 5]; 5], [f32; 5]>(500);
    as_by_rows::<SMatrix<f64, 1, 1>, SVector<f64, 1>>(100);
    as_by_rows::<SMatrix<Complex<f32>, 3, 3>, [Complex<f32>; 3]>(100);
    as_by_rows::<[[Complex<f64>; 20]; 20], SVector<Complex<f64>, 20>>(30);
}

/// More than one piece, more than one round of pieces, and a remainder.
#[test]
fn many_matrices_and_vectors_as_by_rows() {
    for len in [1, 2047, 2048, 2049, 8193, 20_000] {
        as_by_rows::<glam::Mat4, glam::Vec4>(len);
    }
    // Each matrix is larger than a piece.
    as_by_rows::<[[f64; 190]; 190], [f64; 190]>(3);
}

#[test]
fn slices_that_do_not_go_together_are_refused() {
    let (a, b) = ([[[2.0_f32]]; 3], [[4.0_f32]; 2]);
    let error = solve_matrices(&a, &b).unwrap_err();
    assert_eq!(error, ShapeError::Rhs { len: 3, order: 1, rhs_len: 2, rhs_order: 1 }.into());
    assert!(solve_matrices(&a, &b[..0]).is_err());
    assert!(matches!(Inverter::cpu().rcond(true).solve_matrices(&a, &b[..1]), Err(Error::Unsupported { .. })));
    assert_eq!(solve_matrices(&a, &b[..1]).unwrap(), [[2.0]; 3]);
    assert_eq!(solve_matrices(&[[[2.0]], [[0.0]]], &b).unwrap_err(), Error::Singular { index: 1, column: 1 });
}

/// The engine is chosen with all that is known of the whole, before it is cut into pieces.
#[test]
fn one_matrix_for_all_stays_on_the_cpu() {
    let len = 1 << 13;
    let a: [[f32; 16]; 16] = std::array::from_fn(|i| std::array::from_fn(|j| f32::from(u8::from(i == j))));
    let b = vec![[1.0_f32; 16]; len];
    let reason = |a: &[[[f32; 16]; 16]]| Inverter::auto().solve_matrices(a, &b).unwrap().report.reason;
    assert_eq!(reason(&[a]), Some(Reason::OneMatrix { len }));
    assert_ne!(reason(&vec![a; len]), Some(Reason::OneMatrix { len }));
}

#[test]
fn no_systems_and_systems_of_nothing() {
    for (a_len, b_len) in [(0, 0), (1, 0), (0, 1)] {
        let none = Inverter::cpu().det(true).solve_matrices(&[[[1.0]]; 1][..a_len], &[[1.0]; 1][..b_len]).unwrap();
        assert!(none.values.is_empty() && none.statuses.is_empty() && none.determinants.unwrap().is_empty());
    }
    let (a, b) = (nalgebra::SMatrix::<f64, 0, 0>::zeros(), nalgebra::SVector::<f64, 0>::zeros());
    let nothing = Inverter::cpu().solve_matrices(&[a], &[b; 3]).unwrap();
    assert_eq!((nothing.values.len(), &nothing.statuses[..]), (3, &[Status::INVERTED; 3][..]));
    assert_eq!(Inverter::cpu().determinants_matrices(&[a; 3]).unwrap().values, [Determinant::ONE; 3]);
}

/// The GPU engine solves them too, and refuses in the words of [`Inverter::solve`].
#[cfg(all(feature = "gpu", feature = "testing"))]
#[test]
fn on_a_gpu() {
    for adapter in common::engines::adapters("host_systems/on_a_gpu") {
        let gpu = Inverter::with_gpu(adapter.gpu.clone());
        let (a, b) = ([[[4.0_f32, 1.0], [1.0, 3.0]], [[1.0, 2.0], [2.0, 4.0]]], [[5.0_f32, 4.0], [1.0, 1.0]]);
        let solved = gpu.solve_matrices(&a, &b).unwrap();
        assert_eq!((solved.values[0], solved.statuses[1].word()), ([1.0, 1.0], 2));
        assert_eq!(gpu.determinants_matrices(&a).unwrap().values[1], Determinant::ZERO);
        let solved = gpu.solve_array(&Array2::<f32>::eye(2), &ndarray::array![1.0, 2.0]).unwrap();
        assert_eq!(solved.values, ndarray::array![1.0, 2.0].into_dyn());
        let (large, column) = (Array2::<f32>::eye(129), ndarray::Array1::<f32>::ones(129));
        let stack = Stack::new(large.as_slice().unwrap(), 129).unwrap();
        let wanted = gpu.solve(stack, Columns::new(column.as_slice().unwrap(), 129, 1).unwrap()).unwrap_err();
        assert_eq!(gpu.solve_array(&large, &column).unwrap_err(), wanted);
    }
}

/// Each system of an array, solved alone.
fn one_by_one<T: Element>(a: &ArrayViewD<T>, b: &ArrayViewD<T>, shape: &[usize]) -> (Vec<T>, Vec<Status>) {
    let trailing = if b.ndim() == 1 { 1 } else { 2 };
    let leading = &shape[..shape.len() - trailing];
    let (n, width) = (a.shape()[a.ndim() - 1], if trailing == 1 { 1 } else { b.shape()[b.ndim() - 1] });
    let rhs = if trailing == 1 { b.view().insert_axis(Axis(1)) } else { b.view() };
    let a = a.broadcast([leading, &[n, n]].concat()).unwrap();
    let b = rhs.broadcast([leading, &[n, width]].concat()).unwrap();
    let all = |array: &ArrayViewD<T>| array.iter().copied().collect::<Vec<T>>();
    let (a, b) = (all(&a), all(&b));
    let (mut x, mut statuses) = (Vec::new(), Vec::new());
    for (a, b) in a.chunks(n * n).zip(b.chunks(n * width)) {
        let solutions = Inverter::cpu().solve(Stack::new(a, n).unwrap(), Columns::new(b, n, width).unwrap()).unwrap();
        x.extend(solutions.columns().elements());
        statuses.extend(solutions.statuses());
    }
    (x, statuses)
}

/// Every view, and all that broadcasts.
fn arrays<T: Element>() {
    let a = Array::from_shape_vec(IxDyn(&[4, 3, 3, 3]), matrices::<T>(3, 12)).unwrap();
    let b = Array::from_shape_vec(IxDyn(&[4, 3, 3, 2]), elements::<T>(72, 5)).unwrap();
    let check = |a: ArrayViewD<T>, b: ArrayViewD<T>, shape: &[usize]| {
        let got = Inverter::cpu().det(true).solve_array(&a, &b).unwrap();
        let what = format!("{:?} {:?}", a.shape(), b.shape());
        assert_eq!(got.values.shape(), shape, "{what}");
        let (x, statuses) = one_by_one(&a, &b, shape);
        assert!(bits(got.values.as_slice().unwrap()) == bits(&x), "{what}");
        assert_eq!(got.statuses.as_slice().unwrap(), statuses, "{what}");
        let leading = got.statuses.shape().to_vec();
        assert_eq!(leading, shape[..shape.len() - if b.ndim() == 1 { 1 } else { 2 }], "{what}");
        assert_eq!(got.determinants.unwrap().shape(), leading, "{what}");
    };
    let slice = |array: &ArrayD<T>, of: [usize; 2]| {
        let sliced = array.slice(s![..of[0], ..of[1], .., ..]).into_dyn();
        sliced.to_owned()
    };
    check(a.view(), b.view(), &[4, 3, 3, 2]);
    // One of either for all, in every way.
    check(a.view(), b.slice(s![0, 0, .., ..]).into_dyn(), &[4, 3, 3, 2]);
    check(a.view(), b.slice(s![0, 0, .., 0]).into_dyn(), &[4, 3, 3]);
    check(a.slice(s![1, 1, .., ..]).into_dyn(), b.view(), &[4, 3, 3, 2]);
    check(slice(&a, [1, 1]).view(), b.view(), &[4, 3, 3, 2]);
    check(a.slice(s![1, 1, .., ..]).into_dyn(), b.slice(s![0, 0, .., 0]).into_dyn(), &[3]);
    check(a.slice(s![1, .., .., ..]).into_dyn(), b.slice(s![0, 0, .., 0]).into_dyn(), &[3, 3]);
    // Others broadcast along some axes, or one along each.
    check(slice(&a, [4, 1]).view(), b.view(), &[4, 3, 3, 2]);
    check(a.view(), slice(&b, [1, 3]).view(), &[4, 3, 3, 2]);
    check(slice(&a, [4, 1]).view(), slice(&b, [1, 3]).view(), &[4, 3, 3, 2]);
    check(a.slice(s![0, .., .., ..]).into_dyn(), b.view(), &[4, 3, 3, 2]);
    check(a.view(), b.slice(s![0, .., .., ..1]).into_dyn(), &[4, 3, 3, 1]);
    // Any stride, and views that repeat one matrix, one right-hand side, or both.
    check(a.slice(s![..;-1, .., .., ..;-1]).into_dyn(), b.slice(s![.., ..;-1, .., ..1]).into_dyn(), &[4, 3, 3, 1]);
    check(a.view().permuted_axes(IxDyn(&[1, 0, 3, 2])), b.view().permuted_axes(IxDyn(&[1, 0, 2, 3])), &[3, 4, 3, 2]);
    let one = a.slice(s![1, 1, .., ..]);
    let repeated = one.broadcast((4, 3, 3, 3)).unwrap().into_dyn();
    check(repeated.view(), b.view(), &[4, 3, 3, 2]);
    let vector = b.slice(s![0, 0, .., ..]);
    check(repeated.view(), vector.broadcast((4, 3, 3, 2)).unwrap().into_dyn(), &[4, 3, 3, 2]);
    check(repeated, vector.broadcast((1, 3, 3, 2)).unwrap().into_dyn(), &[4, 3, 3, 2]);
    check(a.view(), vector.slice(s![.., 0]).into_dyn(), &[4, 3, 3]);
}

for_each_scalar!(arrays);

/// What NumPy says for arrays of these shapes: the shape of the solutions, or that there are none.
#[test]
fn numpys_rules_of_shape() {
    let solve = |a: &[usize], b: &[usize]| {
        let identity = |i: IxDyn| f64::from(i.ndim() < 2 || i[i.ndim() - 2] == i[i.ndim() - 1]);
        let (a, b) = (ArrayD::from_shape_fn(a, identity), ArrayD::<f64>::zeros(b));
        solve_array(&a, &b).map(|x| x.shape().to_vec())
    };
    for (a, b, wanted) in [
        (&[3, 3][..], &[3][..], &[3][..]),
        (&[3, 3], &[3, 1], &[3, 1]),
        (&[3, 3], &[3, 0], &[3, 0]),
        (&[2, 3, 3], &[3], &[2, 3]),
        (&[2, 3, 3], &[3, 3], &[2, 3, 3]),
        (&[2, 1, 3, 3], &[4, 3, 2], &[2, 4, 3, 2]),
        (&[0, 3, 3], &[3], &[0, 3]),
        (&[0, 3, 3], &[1, 3, 2], &[0, 3, 2]),
        (&[0, 1, 3, 3], &[5, 3, 2], &[0, 5, 3, 2]),
        (&[3, 0, 0], &[0], &[3, 0]),
        (&[3, 0, 0], &[3, 0, 2], &[3, 0, 2]),
        (&[2, 1, 0, 0], &[3, 0, 2], &[2, 3, 0, 2]),
    ] {
        assert_eq!(solve(a, b).as_deref(), Ok(wanted), "{a:?} {b:?}");
    }
    let error = |a: &[usize], b: &[usize]| solve(a, b).unwrap_err();
    assert_eq!(error(&[3], &[3]), ShapeError::TooFewAxes { axes: 1 }.into());
    assert_eq!(error(&[3, 2], &[3]), ShapeError::NotSquare { rows: 3, columns: 2 }.into());
    assert_eq!(error(&[3, 3], &[]), ShapeError::RhsWithoutAxes.into());
    assert_eq!(error(&[2, 3, 3], &[2, 3]), ShapeError::RhsRows { axes: vec![2, 3], rows: 2, order: 3 }.into());
    let broadcast = ShapeError::Broadcast { leading: vec![2], rhs_leading: vec![4] };
    assert_eq!(error(&[2, 3, 3], &[4, 3, 1]), broadcast.into());
}

/// An array's statuses and determinants have its leading axes, and its first failure counts in their order.
#[test]
fn leading_axes_of_results() {
    let mut a = ArrayD::<f64>::zeros(IxDyn(&[2, 3, 1, 1]));
    a.fill(4.0);
    a[[1, 0, 0, 0]] = 0.0;
    assert_eq!(solve_array(&a, &ndarray::array![1.0]).unwrap_err(), Error::Singular { index: 3, column: 1 });
    let determinants = determinants_array(&a.slice(s![.., ..;-1, .., ..])).unwrap();
    assert_eq!(determinants.map(|d| d.value()), ndarray::array![[4.0, 4.0, 4.0], [4.0, 4.0, 0.0]].into_dyn());
    assert_eq!(determinants_array(&Array2::<f32>::eye(3)).unwrap().ndim(), 0);
    let error = determinants_array(&Array2::<f32>::zeros((2, 3))).unwrap_err();
    assert_eq!(error, ShapeError::NotSquare { rows: 2, columns: 3 }.into());
    assert_eq!(determinants_array(&Array3::<f32>::zeros((5, 0, 0))).unwrap().shape(), [5]);
}

/// One matrix for many right-hand sides, and the reverse, take memory for the solutions and little more.
#[test]
fn one_for_all_is_not_repeated() {
    let (n, len) = (16, 4000);
    let inverter = Inverter::cpu().threads(1).unwrap();
    let a = Array2::<f64>::eye(n);
    let b = Array3::<f64>::ones((len, n, 1));
    let taken = |a: ArrayViewD<f64>, b: ArrayViewD<f64>| {
        // The solutions and the statuses.
        let needed = (len * n * size_of::<f64>() + len * size_of::<Status>()) as u64;
        let info = measure(|| drop(inverter.solve_array(&a, &b).unwrap()));
        (info.bytes_total, needed + (256 << 10))
    };
    let vector = ArrayView1::from(&[1.0; 16]);
    let many_a = Array3::<f64>::from_shape_fn((len, n, n), |(_, i, j)| f64::from(i == j));
    for (a, b) in [
        (a.view().into_dyn(), b.view().into_dyn()),
        (a.broadcast((len, n, n)).unwrap().into_dyn(), b.view().into_dyn()),
        (many_a.view().into_dyn(), vector.into_dyn()),
    ] {
        let what = format!("{:?} {:?}", a.shape(), b.shape());
        let (taken, needed) = taken(a, b);
        assert!(taken <= needed, "{what}: {taken} bytes, needed {needed}");
    }
}
