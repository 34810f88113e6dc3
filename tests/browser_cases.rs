//! Writes what the tests in the browser read (`web/tests/`): results of the CPU engine in its portable form, and the
//! text of shaders. The files go to `browser/` in Cargo's folder for the files of tests.

#![cfg(all(feature = "gpu", feature = "testing"))]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use batchinv::gpu::shader_source;
use batchinv::plan::{self, GpuLimits, Work};
use batchinv::{Columns, Complex, Inverter, Precision, Scalar, ScalarKind, SimdLevel, Stack};
use serde_json::{Value, json};

/// Orders around the boundaries of kernels, and of the forms that they take.
const ORDERS: [usize; 27] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17, 24, 25, 31, 32, 33, 45, 46, 48, 49, 64, 65, 100];

/// Orders of shaders beside these.
const LARGE_ORDERS: [usize; 9] = [11, 40, 96, 97, 128, 129, 200, 512, 1024];

/// Matrices of a case.
const LEN: usize = 7;

/// Columns of right-hand sides.
const WIDTH: usize = 3;

#[test]
fn cases_and_shaders_for_the_browser() {
    let mut cases = Cases::default();
    for order in ORDERS {
        cases.add::<f32>(order);
        cases.add::<f64>(order);
        cases.add::<Complex<f32>>(order);
        cases.add::<Complex<f64>>(order);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("cases.json"), Value::from(cases.list).to_string()).expect("cases");
    fs::write(folder.join("cases.bin"), &cases.bytes).expect("arrays");
    fs::write(folder.join("shaders.json"), Value::from(shaders()).to_string()).expect("shaders");
}

#[derive(Default)]
struct Cases {
    list: Vec<Value>,
    bytes: Vec<u8>,
}

impl Cases {
    /// Adds inverses, solutions and determinants of one order, with what the portable CPU engine says of them.
    fn add<T: Scalar>(&mut self, order: usize) {
        let portable = SimdLevel::all()[0];
        assert_eq!(portable.name(), "portable");
        let inverter = Inverter::cpu().simd_level(portable).rcond(true);
        let matrices = matrices::<T>(order);
        let rhs = random::<T>(LEN * order * WIDTH, order as u64 + 77);
        let (stack, columns) = (Stack::new(&matrices, order).unwrap(), Columns::new(&rhs, order, WIDTH).unwrap());
        let inverses = inverter.invert(stack).unwrap();
        let solutions = inverter.clone().rcond(false).solve(stack, columns).unwrap();
        let determinants = inverter.determinants(stack).unwrap();
        let values: Vec<T> = determinants.values.iter().map(|determinant| determinant.value()).collect();
        let case = json!({
            "scalar": T::KIND.name(),
            "order": order,
            "len": LEN,
            "columns": WIDTH,
            "matrices": self.put(&matrices),
            "rhs": self.put(&rhs),
            "inverses": self.put(inverses.stack().elements()),
            "rconds": self.put(inverses.rconds().unwrap_or_default()),
            "statuses": self.put(inverses.statuses()),
            "solutions": self.put(solutions.columns().elements()),
            "solvedStatuses": self.put(solutions.statuses()),
            "determinants": self.put(&values),
        });
        self.list.push(case);
    }

    /// Appends elements, and says where they lie: the first byte and the number of bytes.
    fn put<T: bytemuck::Pod>(&mut self, elements: &[T]) -> Value {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let (start, bytes) = (self.bytes.len(), bytemuck::cast_slice::<T, u8>(elements));
        self.bytes.extend_from_slice(bytes);
        json!([start, bytes.len()])
    }
}

/// Random matrices, and between them one that is singular, one that holds NaN, one that is small, and one whose rows
/// differ widely.
fn matrices<T: Scalar>(order: usize) -> Vec<T> {
    let mut elements = random::<T>(LEN * order * order, order as u64);
    let size = order * order;
    let [_, singular, _, nan, small, graded, _] = elements.chunks_mut(size).collect::<Vec<_>>().try_into().expect("7");
    // The last column is zero.
    singular.iter_mut().skip(order - 1).step_by(order).for_each(|element| *element = T::ZERO);
    nan[size / 2] = T::NAN;
    let least = if T::KIND.real_size() == 4 { -110 } else { -980 };
    small.iter_mut().for_each(|element| *element = element.scaled(least));
    for (row, elements) in graded.chunks_mut(order).enumerate() {
        let exponent = if row % 2 == 0 { 40 } else { -40 };
        elements.iter_mut().for_each(|element| *element = element.scaled(exponent));
    }
    elements
}

/// Uniform in [-1, 1), with 23 bits, by a linear congruential generator (Knuth's MMIX).
fn random<T: Scalar>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1_u32 << 23) - 1.0
    };
    let mut elements = vec![T::ZERO; len];
    for element in &mut elements {
        let parts: &mut [T::Real] = bytemuck::cast_slice_mut(std::slice::from_mut(element));
        parts.iter_mut().for_each(|part| *part = batchinv::Real::from_f64(next()));
    }
    elements
}

/// The text of every kernel at these orders, as devices of several kinds get it: without subgroups, with small and
/// large ones, and in software.
fn shaders() -> Vec<Value> {
    let mut seen = HashSet::new();
    let mut list = Vec::new();
    let plain = GpuLimits::WEBGPU_DEFAULT;
    let mut limits = vec![plain];
    for subgroups in [(4, 4), (8, 16), (32, 32), (64, 64)] {
        let mut with = plain;
        with.subgroups = Some(subgroups);
        limits.push(with);
        if subgroups == (4, 4) {
            with.software = true;
            limits.push(with);
        }
    }
    for limits in &limits {
        for &order in ORDERS.iter().chain(&LARGE_ORDERS) {
            for scalar in [ScalarKind::Float32, ScalarKind::Complex64] {
                let inverse = Work::inverse(scalar, order, 1000);
                let works = [inverse, Work::solve(scalar, order, 1, 1000), Work::det(scalar, order, 1000)];
                for work in works.into_iter().flat_map(|work| [work, work.with_precision(Precision::Double)]) {
                    let Ok(plan) = plan::gpu(work, limits) else { continue };
                    for rcond in [false, true] {
                        let mut variant = plan.variant;
                        variant.rcond = rcond && work == inverse;
                        let (text, kernel) = (shader_source(variant), variant.kernel());
                        if seen.insert(text.clone()) {
                            let label = format!("{} {kernel} {scalar} {order}", work.op.name());
                            list.push(json!({ "label": label, "kernel": kernel.name(), "text": text }));
                        }
                    }
                }
            }
        }
    }
    list
}
