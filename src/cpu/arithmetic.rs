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
    /// Converts exactly, by the bits if the thread flushes subnormal numbers to zero.
    fn widen(element: Self::Element, flushes: bool) -> Self::Work;
    /// Rounds to nearest, by the bits if the thread flushes subnormal numbers to zero.
    fn narrow(work: Self::Work, flushes: bool) -> Self::Element;
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
    fn widen(element: T, _: bool) -> T {
        element
    }

    #[inline(always)]
    fn narrow(work: T, _: bool) -> T {
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
    fn widen(element: T, flushes: bool) -> T::Double {
        if flushes { element.to_double_by_bits() } else { element.to_double() }
    }

    #[inline(always)]
    fn narrow(work: T::Double, flushes: bool) -> T {
        if flushes { T::from_double_by_bits(work) } else { T::from_double(work) }
    }

    fn as_work(_: &[T]) -> Option<&[T::Double]> {
        None
    }

    fn as_work_mut(_: &mut [T]) -> Option<&mut [T::Double]> {
        None
    }
}
