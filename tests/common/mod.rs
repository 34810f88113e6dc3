//! Shared by all test files: the test matrices, the oracle that checks results, and the engines under test.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod cases;
pub mod engines;
pub mod oracle;
#[cfg(all(feature = "gpu", feature = "testing"))]
pub mod own;
pub mod systems;

use batchinv::{Arithmetic, Scalar, ScalarKind};
use num_complex::Complex;

/// Each scalar with each kind of numbers that an elimination may compute with.
pub fn arithmetics() -> impl Iterator<Item = (ScalarKind, Arithmetic)> {
    use Arithmetic::{Float32, Float64, Pairs};
    let of = |scalar: ScalarKind| match scalar.real_size() {
        4 => &[Float32, Float64, Pairs][..],
        _ => &[Float64],
    };
    ScalarKind::ALL.into_iter().flat_map(move |scalar| of(scalar).iter().map(move |&arithmetic| (scalar, arithmetic)))
}

/// A scalar that tests can build from its parts and take apart again, without the crate's own conversions.
pub trait Element: Scalar {
    /// True if the scalar has an imaginary part.
    const COMPLEX: bool;
    /// The exponent of the smallest normal number.
    const MIN_EXPONENT: i32;
    /// The number of binary digits in the significand.
    const DIGITS: i32;

    /// Makes a scalar from its parts, rounded to nearest. A real scalar ignores `im`.
    fn new(re: f64, im: f64) -> Self;
    /// The parts as float64, exactly.
    fn re_im(self) -> (f64, f64);
    /// The bits of both parts.
    fn bits(self) -> [u64; 2];
    /// The scalar with this bit pattern.
    fn from_random(random: [u64; 2]) -> Self;

    fn real(re: f64) -> Self {
        Self::new(re, 0.0)
    }

    /// Unit roundoff.
    fn eps() -> f64 {
        (0.5_f64).powi(Self::DIGITS)
    }
}

impl Element for f32 {
    const COMPLEX: bool = false;
    const MIN_EXPONENT: i32 = -126;
    const DIGITS: i32 = 24;
    fn new(re: f64, _: f64) -> Self {
        re as Self
    }
    fn re_im(self) -> (f64, f64) {
        (f64::from(self), 0.0)
    }
    fn bits(self) -> [u64; 2] {
        [u64::from(self.to_bits()), 0]
    }
    fn from_random(random: [u64; 2]) -> Self {
        Self::from_bits(random[0] as u32)
    }
}

impl Element for f64 {
    const COMPLEX: bool = false;
    const MIN_EXPONENT: i32 = -1022;
    const DIGITS: i32 = 53;
    fn new(re: f64, _: f64) -> Self {
        re
    }
    fn re_im(self) -> (f64, f64) {
        (self, 0.0)
    }
    fn bits(self) -> [u64; 2] {
        [self.to_bits(), 0]
    }
    fn from_random(random: [u64; 2]) -> Self {
        Self::from_bits(random[0])
    }
}

impl Element for Complex<f32> {
    const COMPLEX: bool = true;
    const MIN_EXPONENT: i32 = <f32 as Element>::MIN_EXPONENT;
    const DIGITS: i32 = <f32 as Element>::DIGITS;
    fn new(re: f64, im: f64) -> Self {
        Self { re: re as f32, im: im as f32 }
    }
    fn re_im(self) -> (f64, f64) {
        (f64::from(self.re), f64::from(self.im))
    }
    fn bits(self) -> [u64; 2] {
        [u64::from(self.re.to_bits()), u64::from(self.im.to_bits())]
    }
    fn from_random(random: [u64; 2]) -> Self {
        Self { re: f32::from_bits(random[0] as u32), im: f32::from_bits(random[1] as u32) }
    }
}

impl Element for Complex<f64> {
    const COMPLEX: bool = true;
    const MIN_EXPONENT: i32 = <f64 as Element>::MIN_EXPONENT;
    const DIGITS: i32 = <f64 as Element>::DIGITS;
    fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }
    fn re_im(self) -> (f64, f64) {
        (self.re, self.im)
    }
    fn bits(self) -> [u64; 2] {
        [self.re.to_bits(), self.im.to_bits()]
    }
    fn from_random(random: [u64; 2]) -> Self {
        Self { re: f64::from_bits(random[0]), im: f64::from_bits(random[1]) }
    }
}

/// Makes a test for each scalar from each generic function.
#[macro_export]
macro_rules! for_each_scalar {
    ($($test:ident),+ $(,)?) => {
        $(mod $test {
            #[test]
            fn float32() {
                super::$test::<f32>();
            }
            #[test]
            fn float64() {
                super::$test::<f64>();
            }
            #[test]
            fn complex64() {
                super::$test::<num_complex::Complex<f32>>();
            }
            #[test]
            fn complex128() {
                super::$test::<num_complex::Complex<f64>>();
            }
        })+
    };
}

/// Returns whether the full sweep is requested.
pub fn full_sweep() -> bool {
    std::env::var_os("BATCHINV_ALL").is_some_and(|value| value == "1")
}

/// A changed copy of a value, for types that only the crate itself can construct.
pub fn with<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}

/// The bits of the elements, to compare stacks to the bit.
pub fn bits<T: Element>(elements: &[T]) -> Vec<[u64; 2]> {
    elements.iter().map(|&element| element.bits()).collect()
}
