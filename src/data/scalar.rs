//! The four scalars, and the small set of operations the engines need from them.

use std::fmt::Debug;
use std::ops::{Add, Mul, Neg, Sub};

use bytemuck::Pod;
use num_complex::Complex;

use super::engine::Precision;

/// Which of the four scalars, by the names NumPy gives them.
///
/// ```
/// use batchinv::ScalarKind;
/// let kind: ScalarKind = "complex64".parse()?;
/// assert_eq!((kind, kind.size(), kind.to_string().as_str()), (ScalarKind::Complex64, 8, "complex64"));
/// # Ok::<(), batchinv::UnknownScalar>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalarKind {
    /// `f32`
    Float32,
    /// `f64`
    Float64,
    /// `Complex<f32>`
    Complex64,
    /// `Complex<f64>`
    Complex128,
}

impl ScalarKind {
    /// All four, in NumPy's order.
    pub const ALL: [Self; 4] = [Self::Float32, Self::Float64, Self::Complex64, Self::Complex128];

    /// NumPy's name: `float32`, `float64`, `complex64` or `complex128`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex64 => "complex64",
            Self::Complex128 => "complex128",
        }
    }

    /// The scalar that the elimination runs in.
    pub const fn working(self, precision: Precision) -> Self {
        match (precision, self) {
            (Precision::Native, scalar) => scalar,
            (Precision::Double, Self::Float32 | Self::Float64) => Self::Float64,
            (Precision::Double, Self::Complex64 | Self::Complex128) => Self::Complex128,
        }
    }

    /// Bytes of a real number of its precision.
    pub const fn real_size(self) -> usize {
        match self {
            Self::Float32 | Self::Complex64 => 4,
            Self::Float64 | Self::Complex128 => 8,
        }
    }

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::Float32 => 4,
            Self::Float64 | Self::Complex64 => 8,
            Self::Complex128 => 16,
        }
    }
}

impl std::fmt::Display for ScalarKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for ScalarKind {
    type Err = UnknownScalar;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| UnknownScalar(name.to_owned()))
    }
}

/// A name that is none of the four scalars.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scalar \"{0}\": one of float32, float64, complex64, complex128")]
pub struct UnknownScalar(String);

/// An element of a matrix: `f32`, `f64`, `Complex<f32>` or `Complex<f64>`.
///
/// The trait is sealed: kernels, scaling and tests exist for these four.
pub trait Scalar:
    Pod
    + Send
    + Sync
    + Debug
    + PartialEq
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + sealed::Sealed
{
    /// The type of a magnitude: `f32` or `f64`.
    type Real: Real;

    /// The scalar that [`Precision::Double`] computes in.
    type Double: Scalar<Real = f64, Double = Self::Double>;

    /// Which of the four this is.
    const KIND: ScalarKind;

    /// 0.
    const ZERO: Self;

    /// 1.
    const ONE: Self;

    /// The filling of a matrix that could not be inverted: the quiet NaN with the sign bit and the payload clear
    /// (`0x7fc00000`, `0x7ff8000000000000`), in both parts of a complex number.
    const NAN: Self;

    /// `|re| + |im|`, by which pivots are compared, as LAPACK's `icamax` and `izamax` do.
    #[doc(hidden)]
    fn pivot_magnitude(self) -> Self::Real;

    /// The modulus in float64, by which norms are taken.
    #[doc(hidden)]
    fn modulus(self) -> f64;

    /// The larger of `|re|` and `|im|`; its exponent is what scaling looks at.
    #[doc(hidden)]
    fn largest_part(self) -> Self::Real;

    /// The smaller nonzero one of `|re|` and `|im|`, or 0 if both are 0.
    #[doc(hidden)]
    fn smallest_part(self) -> Self::Real;

    /// 1 / self. It neither overflows nor underflows if the result is a normal number. NaN for an infinite pivot, so
    /// that a number that overflowed on the way does not end as a row of zeros.
    #[doc(hidden)]
    fn reciprocal(self) -> Self;

    /// self * 2^exponent, rounded once if the result is subnormal.
    #[doc(hidden)]
    fn scaled(self, exponent: i32) -> Self;

    /// self * 2^exponent, with 0 for a part whose result is subnormal.
    #[doc(hidden)]
    fn flushed(self, exponent: i32) -> Self;

    /// Neither part is NaN or infinite.
    #[doc(hidden)]
    fn finite(self) -> bool;

    /// The same value in float64 or complex128.
    #[doc(hidden)]
    fn to_double(self) -> Self::Double;

    /// The value of a float64 or complex128, rounded to nearest.
    #[doc(hidden)]
    fn from_double(double: Self::Double) -> Self;
}

/// A real scalar: `f32` or `f64`.
pub trait Real: Scalar<Real = Self> + PartialOrd + std::fmt::Display {
    /// Unit roundoff: 2^-24 or 2^-53.
    const EPS: f64;

    /// The window without scaling: a matrix whose nonzero parts all have magnitudes from 2^-WINDOW to 2^WINDOW is
    /// worked on as it is. A third of the exponent range, so that the first products of three such
    /// numbers and quotients cannot leave the normal range.
    #[doc(hidden)]
    const WINDOW: i32;

    /// The exponent of the smallest normal number.
    #[doc(hidden)]
    const MIN_EXPONENT: i32;

    /// floor(log2(|self|)), for a nonzero finite number, subnormal or not.
    #[doc(hidden)]
    fn exponent(self) -> i32;

    /// The nearest real of this type.
    #[doc(hidden)]
    fn from_f64(value: f64) -> Self;

    /// The same value as f64.
    #[doc(hidden)]
    fn to_f64(self) -> f64;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for super::Complex<f32> {}
    impl Sealed for super::Complex<f64> {}
}

macro_rules! real {
    ($real:ident, $bits:ident, $kind:ident, $nan:literal, $window:literal) => {
        impl Scalar for $real {
            type Real = Self;
            type Double = f64;
            const KIND: ScalarKind = ScalarKind::$kind;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAN: Self = Self::from_bits($nan);

            #[inline(always)]
            fn pivot_magnitude(self) -> Self {
                self.abs()
            }

            fn modulus(self) -> f64 {
                f64::from(self.abs())
            }

            #[inline(always)]
            fn largest_part(self) -> Self {
                self.abs()
            }

            #[inline(always)]
            fn smallest_part(self) -> Self {
                self.abs()
            }

            #[inline(always)]
            fn reciprocal(self) -> Self {
                self.recip() + (self - self)
            }

            #[inline]
            fn scaled(self, exponent: i32) -> Self {
                // From a normal number to a normal number: the exponent's bits alone change.
                let digits = $real::MANTISSA_DIGITS - 1;
                let biased = (self.abs().to_bits() >> digits) as i32;
                let (most, scaled) = (2 * Self::MAX_EXP - 1, biased.saturating_add(exponent));
                if (1..most).contains(&biased) && (1..most).contains(&scaled) {
                    return Self::from_bits(self.to_bits().wrapping_add((exponent as $bits) << digits));
                }
                if self == 0.0 || !self.is_finite() {
                    return self;
                }
                // self = significand * 2^e with 1 <= |significand| < 2, exactly; then one rounding at most.
                let own = self.exponent();
                let significand =
                    self * power_of_two!($real, $bits, -own / 2) * power_of_two!($real, $bits, -own - -own / 2);
                let exponent = own.saturating_add(exponent);
                let tiniest = Self::MIN_EXPONENT - (Self::MANTISSA_DIGITS as i32 - 1);
                if exponent > -Self::MIN_EXPONENT + 1 {
                    significand * Self::INFINITY
                } else if exponent >= tiniest {
                    significand * power_of_two!($real, $bits, exponent)
                } else if exponent == tiniest - 1 {
                    significand * 0.5 * power_of_two!($real, $bits, tiniest)
                } else {
                    significand * 0.0
                }
            }

            #[inline]
            fn flushed(self, exponent: i32) -> Self {
                if self != 0.0 && self.exponent() + exponent < Self::MIN_EXPONENT { 0.0 } else { self.scaled(exponent) }
            }

            #[inline(always)]
            fn finite(self) -> bool {
                self.is_finite()
            }

            #[inline(always)]
            fn to_double(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn from_double(double: f64) -> Self {
                double as Self
            }
        }

        impl Real for $real {
            const EPS: f64 = $real::EPSILON as f64 / 2.0;
            const WINDOW: i32 = $window;
            const MIN_EXPONENT: i32 = $real::MIN_EXP - 1;

            #[inline]
            fn exponent(self) -> i32 {
                let digits = $real::MANTISSA_DIGITS as i32 - 1;
                let magnitude = self.abs().to_bits();
                let biased = (magnitude >> digits) as i32;
                if biased > 0 {
                    biased + Self::MIN_EXPONENT - 1
                } else {
                    // Subnormal: the highest set bit of the fraction.
                    $bits::BITS as i32 - 1 - magnitude.leading_zeros() as i32 + Self::MIN_EXPONENT - digits
                }
            }

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    };
}

/// 2^exponent, for an exponent that the type can represent, subnormal results included.
macro_rules! power_of_two {
    ($real:ident, $bits:ident, $exponent:expr) => {{
        let exponent: i32 = $exponent;
        let digits = $real::MANTISSA_DIGITS as i32 - 1;
        let min = $real::MIN_EXP - 1;
        if exponent >= min {
            $real::from_bits(((exponent - min + 1) as $bits) << digits)
        } else {
            $real::from_bits(1 << (exponent - min + digits))
        }
    }};
}

real!(f32, u32, Float32, 0x7fc0_0000, 42);
real!(f64, u64, Float64, 0x7ff8_0000_0000_0000, 340);

macro_rules! complex {
    ($real:ident, $kind:ident) => {
        impl Scalar for Complex<$real> {
            type Real = $real;
            type Double = Complex<f64>;
            const KIND: ScalarKind = ScalarKind::$kind;
            const ZERO: Self = Complex::new(0.0, 0.0);
            const ONE: Self = Complex::new(1.0, 0.0);
            const NAN: Self = Complex::new(<$real as Scalar>::NAN, <$real as Scalar>::NAN);

            #[inline(always)]
            fn pivot_magnitude(self) -> $real {
                self.re.abs() + self.im.abs()
            }

            fn modulus(self) -> f64 {
                f64::from(self.re).hypot(f64::from(self.im))
            }

            #[inline(always)]
            fn largest_part(self) -> $real {
                self.re.abs().max(self.im.abs())
            }

            #[inline(always)]
            fn smallest_part(self) -> $real {
                let (low, high) = (self.re.abs().min(self.im.abs()), self.largest_part());
                if low == 0.0 { high } else { low }
            }

            fn reciprocal(self) -> Self {
                let largest = self.largest_part();
                if largest == 0.0 || !self.finite() {
                    return Self::NAN;
                }
                // Scaled to have its larger part in [1, 2), so that the squares neither overflow nor underflow.
                let shift = -largest.exponent();
                let unit = self.scaled(shift);
                let square = unit.re * unit.re + unit.im * unit.im;
                Complex::new(unit.re / square, -unit.im / square).scaled(shift)
            }

            fn scaled(self, exponent: i32) -> Self {
                Complex::new(self.re.scaled(exponent), self.im.scaled(exponent))
            }

            fn flushed(self, exponent: i32) -> Self {
                Complex::new(self.re.flushed(exponent), self.im.flushed(exponent))
            }

            #[inline(always)]
            fn finite(self) -> bool {
                self.re.is_finite() && self.im.is_finite()
            }

            #[inline(always)]
            fn to_double(self) -> Complex<f64> {
                Complex::new(f64::from(self.re), f64::from(self.im))
            }

            #[inline(always)]
            fn from_double(double: Complex<f64>) -> Self {
                Complex::new(double.re as $real, double.im as $real)
            }
        }
    };
}

complex!(f32, Complex64);
complex!(f64, Complex128);
