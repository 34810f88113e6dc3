//! The SIMD half of a scalar: the vector that holds it.

use fearless_simd::{Simd, SimdBase};
use num_complex::Complex;

use super::vector::{Mask, Planar, RealLane, Vector};
use crate::data::scalar::Scalar;
use crate::plan::cpu::CpuTuning;

/// A scalar that SIMD lanes hold.
pub trait Lane: Scalar<Real: RealLane> {
    /// The vector that holds this scalar.
    type Vector<S: Simd>: Vector<S, Self>;
}

/// The vector of reals that holds the magnitudes of a scalar.
pub type Magnitude<T, S> = <<T as Lane>::Vector<S> as Vector<S, T>>::Magnitude;

/// The lanes in which all elements are finite; they may be subnormal.
#[inline(always)]
pub fn finite_lanes<S: Simd, T: Lane>(simd: S, vectors: &[T::Vector<S>]) -> Mask<Magnitude<T, S>, S> {
    let zero = Magnitude::<T, S>::splat(simd, T::Real::ZERO);
    let mut poison = zero;
    for x in vectors {
        poison = x.poison_any(poison);
    }
    poison.simd_eq(zero)
}

macro_rules! lane {
    ($real:ident, $vector:ident) => {
        impl Lane for $real {
            type Vector<S: Simd> = S::$vector;
        }

        impl Lane for Complex<$real> {
            type Vector<S: Simd> = Planar<S::$vector>;
        }

        impl RealLane for $real {
            const NUMBERS: &'static [Self; CpuTuning::LANES_MAX_ORDER + 1] = &{
                let (mut numbers, mut i) = ([0.0; _], 1);
                while i < numbers.len() {
                    numbers[i] = numbers[i - 1] + 1.0;
                    i += 1;
                }
                numbers
            };

            #[inline(always)]
            fn byte_indexes(place: usize) -> Self {
                let mut bytes = [0; size_of::<Self>()];
                for (byte, index) in bytes.iter_mut().enumerate() {
                    *index = (place * size_of::<Self>() + byte) as u8;
                }
                Self::from_le_bytes(bytes)
            }
        }
    };
}

lane!(f32, f32s);
lane!(f64, f64s);
