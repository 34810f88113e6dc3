//! A SIMD vector of scalars, real or complex: the type that all CPU kernels compute with.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat};
use num_complex::Complex;

use super::exponent::Format;
use crate::data::scalar::{Real, Scalar};
use crate::plan::cpu::CpuTuning;

/// A real that SIMD lanes hold.
pub trait RealLane: Real + Format {
    /// 0, 1, 2 and so on, as far as `lanes` numbers rows.
    const NUMBERS: &'static [Self; CpuTuning::LANES_MAX_ORDER + 1];

    /// A real whose bytes are the indexes of the bytes of the real at `place` in a row of reals.
    fn byte_indexes(place: usize) -> Self;
}

/// The result of a comparison, lane by lane.
pub type Mask<V, S> = <V as SimdBase<S>>::Mask;

/// A SIMD vector of `T`: one native vector for reals, one each for real and imaginary parts for complex numbers.
///
/// Every method is `inline(always)`: only then is its body compiled with the instructions of the caller's level.
pub trait Vector<S: Simd, T: Scalar<Real: RealLane>>: Copy + Send + Sync {
    /// The vector of reals that holds magnitudes.
    type Magnitude: SimdFloat<S, Element = T::Real>;

    /// Scalars per vector.
    const LANES: usize;

    /// Vectors of reals per vector: 1, or 2 for complex numbers.
    const PARTS: usize;

    /// The real (0) or imaginary (1) parts.
    fn part(&self, part: usize) -> Self::Magnitude;

    /// Replaces the real (0) or imaginary (1) parts.
    fn set_part(&mut self, part: usize, reals: Self::Magnitude);

    /// The same scalar in every lane.
    fn splat(simd: S, scalar: T) -> Self;

    /// The scalar in a lane.
    fn lane(&self, lane: usize) -> T;

    /// Puts a scalar into a lane.
    fn set_lane(&mut self, lane: usize, scalar: T);

    /// self * factor
    fn mul(self, factor: Self) -> Self;

    /// self - factor * row, fused if the level has fused multiply-adds.
    fn sub_mul(self, factor: Self, row: Self) -> Self;

    /// self + factor * row, fused if the level has fused multiply-adds.
    fn add_mul(self, factor: Self, row: Self) -> Self;

    /// 1 / self; NaN if self is infinite.
    fn reciprocal(self, simd: S) -> Self;

    /// p s - q r of a matrix [[p, q], [r, s]], and the lanes where it shows that the matrix is not singular: see
    /// `cpu::kernel::order2`. Exchanging the rows changes its sign and nothing else.
    fn determinant(simd: S, matrix: [[Self; 2]; 2]) -> (Self, Mask<Self::Magnitude, S>);

    /// |re| + |im|
    fn magnitude(self) -> Self::Magnitude;

    /// The larger of |re| and |im|.
    fn largest_part(self) -> Self::Magnitude;

    /// `sum` in lanes where self is finite, NaN elsewhere.
    fn poison(self, sum: Self::Magnitude, zero: Self::Magnitude) -> Self::Magnitude;

    /// The same by a difference, for numbers that may be subnormal: on Intel, a product with one takes about 150
    /// cycles.
    fn poison_any(self, sum: Self::Magnitude) -> Self::Magnitude;

    /// `yes` in lanes where the mask is set, `no` elsewhere.
    fn select(mask: Mask<Self::Magnitude, S>, yes: Self, no: Self) -> Self;
}

macro_rules! real_vector {
    ($real:ident) => {
        impl<S: Simd, V: SimdFloat<S, Element = $real>> Vector<S, $real> for V {
            type Magnitude = V;
            const LANES: usize = V::LEN;
            const PARTS: usize = 1;

            #[inline(always)]
            fn part(&self, _: usize) -> V {
                *self
            }

            #[inline(always)]
            fn set_part(&mut self, _: usize, reals: V) {
                *self = reals;
            }

            #[inline(always)]
            fn splat(simd: S, scalar: $real) -> Self {
                <V as SimdBase<S>>::splat(simd, scalar)
            }

            #[inline(always)]
            fn lane(&self, lane: usize) -> $real {
                self.as_slice()[lane]
            }

            #[inline(always)]
            fn set_lane(&mut self, lane: usize, scalar: $real) {
                self.as_mut_slice()[lane] = scalar;
            }

            #[inline(always)]
            fn mul(self, factor: Self) -> Self {
                self * factor
            }

            #[inline(always)]
            fn sub_mul(self, factor: Self, row: Self) -> Self {
                (-factor).mul_add(row, self)
            }

            #[inline(always)]
            fn add_mul(self, factor: Self, row: Self) -> Self {
                factor.mul_add(row, self)
            }

            #[inline(always)]
            fn reciprocal(self, simd: S) -> Self {
                <V as SimdBase<S>>::splat(simd, 1.0) / self + (self - self)
            }

            #[inline(always)]
            fn determinant(_: S, [[p, q], [r, s]]: [[Self; 2]; 2]) -> (Self, Mask<V, S>) {
                let (minuend, subtrahend) = (p * s, r * q);
                let errors = p.mul_add(s, -minuend) - r.mul_add(q, -subtrahend);
                ((minuend - subtrahend) + errors, !minuend.simd_eq(subtrahend))
            }

            #[inline(always)]
            fn magnitude(self) -> V {
                self.abs()
            }

            #[inline(always)]
            fn largest_part(self) -> V {
                self.abs()
            }

            #[inline(always)]
            fn poison(self, sum: V, zero: V) -> V {
                self.mul_add(zero, sum)
            }

            #[inline(always)]
            fn poison_any(self, sum: V) -> V {
                sum + (self - self)
            }

            #[inline(always)]
            fn select(mask: Mask<V, S>, yes: Self, no: Self) -> Self {
                mask.select(yes, no)
            }
        }
    };
}

real_vector!(f32);
real_vector!(f64);

/// The bits of a vector of reals, as integers.
type Bits<S, V> = <V as SimdFloat<S>>::Bits;

/// A vector of complex numbers: real parts in one native vector, imaginary parts in another.
#[derive(Clone, Copy)]
pub struct Planar<V> {
    re: V,
    im: V,
}

macro_rules! complex_vector {
    ($real:ident, $exponent:literal, $twice_bias:literal) => {
        impl<S: Simd, V: SimdFloat<S, Element = $real>> Vector<S, Complex<$real>> for Planar<V> {
            type Magnitude = V;
            const LANES: usize = V::LEN;
            const PARTS: usize = 2;

            #[inline(always)]
            fn part(&self, part: usize) -> V {
                if part == 0 { self.re } else { self.im }
            }

            #[inline(always)]
            fn set_part(&mut self, part: usize, reals: V) {
                *(if part == 0 { &mut self.re } else { &mut self.im }) = reals;
            }

            #[inline(always)]
            fn splat(simd: S, scalar: Complex<$real>) -> Self {
                Self { re: <V as SimdBase<S>>::splat(simd, scalar.re), im: <V as SimdBase<S>>::splat(simd, scalar.im) }
            }

            #[inline(always)]
            fn lane(&self, lane: usize) -> Complex<$real> {
                Complex::new(self.re.as_slice()[lane], self.im.as_slice()[lane])
            }

            #[inline(always)]
            fn set_lane(&mut self, lane: usize, scalar: Complex<$real>) {
                self.re.as_mut_slice()[lane] = scalar.re;
                self.im.as_mut_slice()[lane] = scalar.im;
            }

            #[inline(always)]
            fn mul(self, factor: Self) -> Self {
                Self {
                    re: (-self.im).mul_add(factor.im, self.re * factor.re),
                    im: self.im.mul_add(factor.re, self.re * factor.im),
                }
            }

            #[inline(always)]
            fn sub_mul(self, factor: Self, row: Self) -> Self {
                Self {
                    re: factor.im.mul_add(row.im, (-factor.re).mul_add(row.re, self.re)),
                    im: (-factor.im).mul_add(row.re, (-factor.re).mul_add(row.im, self.im)),
                }
            }

            #[inline(always)]
            fn add_mul(self, factor: Self, row: Self) -> Self {
                Self {
                    re: (-factor.im).mul_add(row.im, factor.re.mul_add(row.re, self.re)),
                    im: factor.im.mul_add(row.re, factor.re.mul_add(row.im, self.im)),
                }
            }

            #[inline(always)]
            fn reciprocal(self, simd: S) -> Self {
                // Scaled by a power of two to have its larger part in [1, 2), so that the squares neither overflow
                // nor underflow. The exponent of 1 / 2^e is twice the bias less that of 2^e.
                let largest = self.largest_part();
                let bits = largest.to_bits();
                let exponent = bits & Bits::<S, V>::splat(simd, $exponent);
                let scale = V::from_bits(Bits::<S, V>::splat(simd, $twice_bias) - exponent);
                let (re, im) = (self.re * scale, self.im * scale);
                let square = im.mul_add(im, re * re);
                let nan_if_infinite = largest - largest;
                let inverse = <V as SimdBase<S>>::splat(simd, 1.0) / square * scale;
                Self { re: re.mul_add(inverse, nan_if_infinite), im: (-im).mul_add(inverse, nan_if_infinite) }
            }

            #[inline(always)]
            fn determinant(simd: S, [[p, q], [r, s]]: [[Self; 2]; 2]) -> (Self, Mask<V, S>) {
                let (minuend, subtrahend) = (p.mul(s), r.mul(q));
                let difference = Self { re: minuend.re - subtrahend.re, im: minuend.im - subtrahend.im };
                // If the computed second pivot is zero, the determinant is at most a few units in the last place of a
                // product.
                let least = (minuend.magnitude() + subtrahend.magnitude()).mul_add(
                    <V as SimdBase<S>>::splat(simd, 8.0 * $real::EPSILON),
                    <V as SimdBase<S>>::splat(simd, 2.0 * $real::MIN_POSITIVE / $real::EPSILON),
                );
                (difference, difference.magnitude().simd_gt(least))
            }

            #[inline(always)]
            fn magnitude(self) -> V {
                self.re.abs() + self.im.abs()
            }

            #[inline(always)]
            fn largest_part(self) -> V {
                self.re.abs().max(self.im.abs())
            }

            #[inline(always)]
            fn poison(self, sum: V, zero: V) -> V {
                self.re.mul_add(zero, self.im.mul_add(zero, sum))
            }

            #[inline(always)]
            fn poison_any(self, sum: V) -> V {
                sum + ((self.re - self.re) + (self.im - self.im))
            }

            #[inline(always)]
            fn select(mask: Mask<V, S>, yes: Self, no: Self) -> Self {
                Self { re: mask.select(yes.re, no.re), im: mask.select(yes.im, no.im) }
            }
        }
    };
}

complex_vector!(f32, 0x7f80_0000, 0x7f00_0000);
complex_vector!(f64, 0x7ff0_0000_0000_0000, 0x7fe0_0000_0000_0000);
