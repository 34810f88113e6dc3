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

    /// self / |self|; 0 for 0, NaN for NaN.
    #[doc(hidden)]
    fn sign(self) -> Self;

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

    /// The same as [`Scalar::to_double`], also on a thread that takes subnormal numbers for 0.
    #[doc(hidden)]
    fn to_double_by_bits(self) -> Self::Double;

    /// The same as [`Scalar::from_double`], also on a thread that makes zeros of subnormal numbers.
    #[doc(hidden)]
    fn from_double_by_bits(double: Self::Double) -> Self;

    /// floor(log2) of the magnitudes of its smallest and its largest nonzero part; `None` if there is none.
    #[doc(hidden)]
    fn exponents(self) -> Option<[i32; 2]>;
}

/// A real scalar: `f32` or `f64`.
pub trait Real: Scalar<Real = Self, Double = f64> + PartialOrd + std::fmt::Display {
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

    /// Returns whether it is 0, also on a thread that takes subnormal numbers for 0.
    #[doc(hidden)]
    fn is_zero(self) -> bool;

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

            fn sign(self) -> Self {
                if self == 0.0 { self } else { self.signum() }
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
                let magnitude = self.abs().to_bits();
                let biased = (magnitude >> digits) as i32;
                let (most, scaled) = (2 * Self::MAX_EXP - 1, biased.saturating_add(exponent));
                if (1..most).contains(&biased) && (1..most).contains(&scaled) {
                    return Self::from_bits(self.to_bits().wrapping_add((exponent as $bits) << digits));
                }
                if biased == most || self.is_zero() {
                    return self;
                }
                // Integers alone, since a thread may flush subnormal numbers to zero.
                let sign = self.to_bits() ^ magnitude;
                let significand = if biased > 0 {
                    magnitude & ((1 << digits) - 1) | 1 << digits
                } else {
                    magnitude << (magnitude.leading_zeros() - ($bits::BITS - 1 - digits))
                };
                let exponent = self.exponent().saturating_add(exponent);
                if exponent > -Self::MIN_EXPONENT + 1 {
                    return Self::from_bits(sign | Self::INFINITY.to_bits());
                }
                if exponent >= Self::MIN_EXPONENT {
                    let biased = (exponent - Self::MIN_EXPONENT) as $bits;
                    return Self::from_bits(sign | ((biased << digits) + significand));
                }
                let dropped = Self::MIN_EXPONENT.saturating_sub(exponent) as u32;
                if dropped > digits + 1 {
                    return Self::from_bits(sign);
                }
                let (kept, rest, half) =
                    (significand >> dropped, significand & ((1 << dropped) - 1), 1 << (dropped - 1));
                let up = rest > half || (rest == half && kept & 1 == 1);
                Self::from_bits(sign | (kept + $bits::from(up)))
            }

            #[inline]
            fn flushed(self, exponent: i32) -> Self {
                let below = self.exponent() + exponent < Self::MIN_EXPONENT;
                if below && !self.is_zero() { 0.0 } else { self.scaled(exponent) }
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

            fn to_double_by_bits(self) -> f64 {
                const SMALLEST: f64 = <$real>::from_bits(1) as f64;
                if self.is_zero() || self.exponent() >= Self::MIN_EXPONENT || size_of::<Self>() == size_of::<f64>() {
                    return f64::from(self);
                }
                let fraction = self.abs().to_bits() as f64;
                (fraction * SMALLEST).copysign(if self.is_sign_negative() { -1.0 } else { 1.0 })
            }

            fn from_double_by_bits(double: f64) -> Self {
                const LAST_PLACE: f64 = (<$real>::from_bits(1) as f64) / f64::EPSILON;
                let subnormal = double.abs() < f64::from(Self::MIN_POSITIVE);
                if !subnormal || size_of::<Self>() == size_of::<f64>() {
                    return double as Self;
                }
                // The sum rounds to a multiple of the smallest subnormal number.
                let fraction = (double.abs() + LAST_PLACE).to_bits() - LAST_PLACE.to_bits();
                Self::from_bits(fraction as $bits).copysign(if double.is_sign_negative() { -1.0 } else { 1.0 })
            }

            #[inline]
            fn exponents(self) -> Option<[i32; 2]> {
                let normal = self.abs() >= Self::MIN_POSITIVE;
                (normal || !self.is_zero()).then(|| [self.exponent(); 2])
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
            fn is_zero(self) -> bool {
                // LLVM takes the question whether all bits are zero for a comparison with 0.
                std::hint::black_box(self.to_bits()) << 1 == 0
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

            fn sign(self) -> Self {
                if self == Self::ZERO {
                    return self;
                }
                let modulus = self.modulus();
                Self::from_double(Complex::new(f64::from(self.re) / modulus, f64::from(self.im) / modulus))
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

            fn to_double_by_bits(self) -> Complex<f64> {
                Complex::new(self.re.to_double_by_bits(), self.im.to_double_by_bits())
            }

            fn from_double_by_bits(double: Complex<f64>) -> Self {
                Complex::new(<$real>::from_double_by_bits(double.re), <$real>::from_double_by_bits(double.im))
            }

            #[inline]
            fn exponents(self) -> Option<[i32; 2]> {
                match (self.re.exponents(), self.im.exponents()) {
                    (Some([re, _]), Some([im, _])) => Some([re.min(im), re.max(im)]),
                    (one, other) => one.or(other),
                }
            }
        }
    };
}

complex!(f32, Complex64);
complex!(f64, Complex128);
