//! Arbitrary bits as matrices. The results of every SIMD level, and of the GPU engine if there is an adapter,
//! are compared with the reference's and must have the properties that hold for any numbers.

use std::sync::OnceLock;

use batchinv::gpu::GpuInverter;
use batchinv::{
    Complex, Error, Inverter, Precision, Real as _, Scalar, SimdLevel, Stack, Status, invert_reference,
    reciprocal_condition, residual_ratio,
};

use super::Bytes;

/// The bound on LAPACK's ratio for well-conditioned matrices.
const BOUND: f64 = 3.0;

/// The rcond above which a matrix counts as well conditioned.
const WELL: f64 = 1e-2;

pub fn engines(data: &[u8]) {
    let mut bytes = Bytes(data);
    match bytes.byte() % 4 {
        0 => invert::<f32>(bytes),
        1 => invert::<f64>(bytes),
        2 => invert::<Complex<f32>>(bytes),
        _ => invert::<Complex<f64>>(bytes),
    }
}

fn invert<T: Element>(mut bytes: Bytes<'_>) {
    let n = match bytes.below(8) {
        0 => 9 + bytes.below(80),
        _ => 1 + bytes.below(8),
    };
    let len = if n > 8 { 1 + bytes.below(3) } else { 1 + bytes.below(40) };
    // Elements of arbitrary bits, or of simpler kinds, so that not every matrix holds a NaN.
    let kind = bytes.below(4);
    let elements: Vec<T> = (0..n * n * len).map(|_| element(&mut bytes, kind)).collect();
    let stack = Stack::new(&elements, n).unwrap();

    let engine = engine(&mut bytes);
    for precision in [Precision::Native, Precision::Double] {
        let inverter = engine.clone().precision(precision).rcond(true);
        let all = match inverter.invert(stack) {
            // The adapter has no float64.
            Err(Error::Unsupported { .. }) => continue,
            all => all.unwrap(),
        };
        for (m, matrix) in stack.iter().enumerate() {
            let (status, x) = (all.statuses()[m], all.stack().matrix(m));
            let rcond = all.rconds().unwrap()[m].to_f64();
            sane(n, matrix, x, status, rcond);
        }
        // A matrix alone gives the same bits as among others.
        let m = bytes.below(len);
        let alone = inverter.invert(stack.slice(m..m + 1)).unwrap();
        assert_eq!(alone.statuses()[0], all.statuses()[m], "order {n}, {inverter:?}: alone");
        let bits = |x: &[T]| bytemuck::cast_slice::<T, u8>(x).to_vec();
        assert!(bits(alone.stack().matrix(0)) == bits(all.stack().matrix(m)), "order {n}, {inverter:?}: alone");
    }
}

/// One of this machine's SIMD levels, or its GPU.
fn engine(bytes: &mut Bytes<'_>) -> Inverter {
    static GPU: OnceLock<Option<GpuInverter>> = OnceLock::new();
    let levels = SimdLevel::all();
    match levels.get(bytes.below(levels.len() + 1)) {
        Some(&level) => Inverter::cpu().simd_level(level),
        None => GPU.get_or_init(|| GpuInverter::open(None).ok()).clone().map_or_else(Inverter::cpu, Inverter::with_gpu),
    }
}

fn element<T: Element>(bytes: &mut Bytes<'_>, kind: usize) -> T {
    let mut element = T::ZERO;
    let mut small = || bytes.below(9) as f64 - 4.0;
    match kind {
        // Arbitrary bits.
        0 => bytemuck::bytes_of_mut(&mut element).iter_mut().for_each(|byte| *byte = bytes.byte()),
        // Small whole numbers.
        1 => element = T::of(small(), small()),
        // Powers of two of any magnitude, and zeros.
        2 => {
            let small = small();
            element = T::of(small * (f64::from(bytes.byte()) - 128.0).exp2(), 0.0);
        }
        // Between -1 and 1.
        _ => {
            let mut part = || f64::from(i16::from_le_bytes(bytes.take())) / 32768.0;
            element = T::of(part(), part());
        }
    }
    element
}

/// Makes a scalar from its parts, and splits it into its parts.
trait Element: Scalar + bytemuck::Pod {
    /// The smallest normal number.
    const SMALLEST: f64;
    fn of(re: f64, im: f64) -> Self;
    fn re_im(self) -> [f64; 2];
}

macro_rules! element {
    ($real:ident) => {
        impl Element for $real {
            const SMALLEST: f64 = $real::MIN_POSITIVE as f64;
            fn of(re: f64, _: f64) -> Self {
                re as Self
            }
            fn re_im(self) -> [f64; 2] {
                [self.into(), 0.0]
            }
        }

        impl Element for Complex<$real> {
            const SMALLEST: f64 = $real::MIN_POSITIVE as f64;
            fn of(re: f64, im: f64) -> Self {
                Self { re: re as $real, im: im as $real }
            }
            fn re_im(self) -> [f64; 2] {
                [self.re.into(), self.im.into()]
            }
        }
    };
}

element!(f32);
element!(f64);

fn sane<T: Element>(n: usize, matrix: &[T], x: &[T], status: Status, rcond: f64) {
    let word = status.word();
    assert!((-1..=n as i32).contains(&word), "status {word}");
    let is_finite = |matrix: &[T]| parts(matrix).iter().all(|part| part.is_finite());
    if !is_finite(matrix) {
        assert_eq!(word, -1, "{matrix:?}");
    }
    let mut reference = vec![T::ZERO; n * n];
    let wanted = invert_reference(matrix, n, &mut reference);
    match word {
        0 => {
            assert!(is_finite(x), "{x:?} from {matrix:?}");
            assert!(rcond >= 0.0, "rcond {rcond}");
            if rcond > WELL && n < 9 && !has_subnormals(x) {
                let ratio = residual_ratio(matrix, x, n);
                assert!(ratio < BOUND, "ratio {ratio}, rcond {rcond} of {matrix:?}");
            }
        }
        -1 => assert!(rcond.is_nan()),
        _ => assert_eq!(rcond, 0.0),
    }
    if word != 0 {
        let nan = bytemuck::bytes_of(&T::NAN).to_vec();
        assert!(x.iter().all(|x| bytemuck::bytes_of(x) == nan), "{word}: {x:?}");
    }
    // If the reference finds a good inverse, so must every engine.
    if wanted.is_inverted() {
        let rcond = reciprocal_condition(matrix, &reference, n).to_f64();
        if rcond > WELL && residual_ratio(matrix, &reference, n) < BOUND {
            assert_eq!(word, 0, "the reference inverts {matrix:?}, rcond {rcond}");
        }
    }
    // A matrix with a zero first column is singular at column 1 in any arithmetic.
    if is_finite(matrix) && matrix.iter().step_by(n).all(|&x| x == T::ZERO) {
        assert_eq!(word, 1, "{matrix:?}");
    }
}

/// The parts of all elements.
fn parts<T: Element>(elements: &[T]) -> Vec<f64> {
    elements.iter().flat_map(|x| x.re_im()).collect()
}

fn has_subnormals<T: Element>(elements: &[T]) -> bool {
    parts(elements).iter().any(|&part| part != 0.0 && part.abs() < 16.0 * T::SMALLEST)
}
