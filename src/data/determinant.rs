//! Determinants, whose range is far wider than that of any scalar.

use super::scalar::{Real, Scalar};

/// A determinant: mantissa * 2^exponent.
///
/// That of 0.1 I leaves the range of float32 at order 46, so a determinant keeps its exponent apart.
///
/// ```
/// use batchinv::{Inverter, Stack};
/// let elements = [1e30_f32, 0.0, 0.0, -1e30];
/// let determinant = Inverter::cpu().determinants(Stack::new(&elements, 2)?)?.values[0];
/// assert_eq!(determinant.value(), f32::NEG_INFINITY); // -1e60 is no float32
/// assert_eq!(determinant.sign(), -1.0);
/// assert!((determinant.ln_abs() - 60.0 * 10.0_f64.ln()).abs() < 1e-5);
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Determinant<T>([T; 2]);

// The second element holds the exponent, as a whole number: without padding, slices can be cast. A float32 holds it
// exactly to order 100,000.

impl<T: Scalar> Determinant<T> {
    /// 1, the determinant of a matrix of order 0.
    pub const ONE: Self = Self([T::ONE, T::ZERO]);

    /// 0, the determinant of a singular matrix.
    pub const ZERO: Self = Self([T::ZERO; 2]);

    /// NaN, the determinant of a matrix that is not finite.
    pub const NAN: Self = Self([T::NAN, T::ZERO]);

    /// mantissa * 2^exponent, with the larger part of the mantissa brought into [1, 2). NaN if the mantissa is not
    /// finite. An exponent beyond the range of i32 becomes the end of that range.
    #[inline]
    pub fn new(mantissa: T, exponent: i32) -> Self {
        match mantissa.exponents() {
            _ if !mantissa.finite() => Self::NAN,
            None => Self::ZERO,
            Some([_, 0]) => {
                let mut determinant = Self([mantissa, T::ZERO]);
                bytemuck::cast_slice_mut(&mut determinant.0[1..])[0] = T::Real::from_f64(exponent.into());
                determinant
            }
            Some([_, own]) => Self::new(mantissa.scaled(-own), exponent.saturating_add(own)),
        }
    }

    /// The mantissa: its part of larger magnitude lies in [1, 2), or all of it is 0 or NaN.
    pub fn mantissa(self) -> T {
        self.0[0]
    }

    /// The exponent of 2; 0 if the mantissa is 0 or NaN.
    pub fn exponent(self) -> i32 {
        let [exponent, ..] = bytemuck::cast_slice::<T, T::Real>(&self.0[1..]) else { unreachable!("it has one") };
        exponent.to_f64() as i32
    }

    /// The determinant as a scalar, rounded once: infinite where it overflows, 0 where it underflows.
    pub fn value(self) -> T {
        self.mantissa().scaled(self.exponent())
    }

    /// 1, -1, 0 or NaN for a real matrix; of modulus 1, 0 or NaN for a complex one. The first result of
    /// `np.linalg.slogdet`.
    pub fn sign(self) -> T {
        self.mantissa().sign()
    }

    /// The natural logarithm of the magnitude: negative infinity for 0. The second result of `np.linalg.slogdet`.
    pub fn ln_abs(self) -> f64 {
        self.mantissa().modulus().ln() + f64::from(self.exponent()) * std::f64::consts::LN_2
    }
}
