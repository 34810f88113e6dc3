//! The scalar of the elements, and the scalar that the elimination runs in.

use crate::cpu::simd::lane::Lane;

/// A scalar of input and output with a scalar to work in.
pub trait Arithmetic {
    /// The scalar of input and output.
    type Element: Lane;
    /// The scalar of the elimination.
    type Work: Lane;
    /// True if `narrow` rounds.
    const NARROWS: bool;
    /// Converts exactly.
    fn widen(element: Self::Element) -> Self::Work;
    /// Rounds to nearest.
    fn narrow(work: Self::Work) -> Self::Element;
    /// The elements themselves, if both scalars are the same.
    fn as_work(elements: &[Self::Element]) -> Option<&[Self::Work]>;
    /// The elements themselves, if both scalars are the same.
    fn as_work_mut(elements: &mut [Self::Element]) -> Option<&mut [Self::Work]>;
}

/// `Precision::Native`.
pub struct Native<T>(T);

impl<T: Lane> Arithmetic for Native<T> {
    type Element = T;
    type Work = T;
    const NARROWS: bool = false;

    #[inline(always)]
    fn widen(element: T) -> T {
        element
    }

    #[inline(always)]
    fn narrow(work: T) -> T {
        work
    }

    #[inline(always)]
    fn as_work(elements: &[T]) -> Option<&[T]> {
        Some(elements)
    }

    #[inline(always)]
    fn as_work_mut(elements: &mut [T]) -> Option<&mut [T]> {
        Some(elements)
    }
}

/// `Precision::Double` for float32 and complex64.
pub struct Double<T>(T);

impl<T: Lane<Double: Lane>> Arithmetic for Double<T> {
    type Element = T;
    type Work = T::Double;
    const NARROWS: bool = true;

    #[inline(always)]
    fn widen(element: T) -> T::Double {
        element.to_double()
    }

    #[inline(always)]
    fn narrow(work: T::Double) -> T {
        T::from_double(work)
    }

    fn as_work(_: &[T]) -> Option<&[T::Double]> {
        None
    }

    fn as_work_mut(_: &mut [T]) -> Option<&mut [T::Double]> {
        None
    }
}
