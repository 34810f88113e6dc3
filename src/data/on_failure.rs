//! The stand-ins for inverses that do not exist.

use super::scalar::Scalar;

/// What a matrix without an inverse becomes: one that is singular or not finite, but not one that is merely
/// ill-conditioned.
///
/// ```
/// use batchinv::{Inverter, OnFailure, Stack};
/// let elements = [1.0_f32, 2.0, 2.0, 4.0];
/// let inverses = Inverter::cpu().on_failure(OnFailure::Identity).invert(Stack::new(&elements, 2)?)?;
/// assert_eq!(inverses.stack().elements(), [1.0, 0.0, 0.0, 1.0]);
/// assert_eq!(inverses.statuses()[0].word(), 2); // whatever stands there
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFailure {
    /// [`Scalar::NAN`] in every element, which no later computation can overlook.
    #[default]
    Nan,
    /// Zero in every element, so that products with it vanish.
    Zero,
    /// The identity matrix, a transform that does nothing. `solve` refuses it.
    Identity,
    /// The elements of the matrix itself; those of the right-hand side, if a system is solved.
    Input,
}

impl OnFailure {
    /// Fills the place of an inverse of `order`, which holds NaN so far. `given` is its matrix.
    pub(crate) fn fill<T: Scalar>(self, order: usize, given: &[T], place: &mut [T]) {
        match self {
            Self::Nan => {}
            Self::Zero => place.fill(T::ZERO),
            Self::Identity => {
                place.fill(T::ZERO);
                place.iter_mut().step_by(order + 1).for_each(|diagonal| *diagonal = T::ONE);
            }
            Self::Input => place.copy_from_slice(given),
        }
    }
}
