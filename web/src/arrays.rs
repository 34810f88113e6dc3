//! Stacks in typed arrays: real elements, or complex ones as real and imaginary parts side by side.

use batchinv::{Complex, Scalar};
use js_sys::{Float32Array, Float64Array, Int32Array};
use wasm_bindgen::prelude::{JsCast, JsError, JsValue};

/// A real type that JavaScript has typed arrays of.
pub trait Element: bytemuck::Pod {
    /// The elements of an array, or `None` if it is of another type.
    fn from_array(array: &JsValue) -> Option<Result<Vec<Self>, JsError>>;
    /// A new array.
    fn to_array(elements: &[Self]) -> JsValue;
}

/// The name of JavaScript's array, for messages.
const ARRAYS: &str = "a Float32Array or a Float64Array";

macro_rules! element {
    ($real:ty, $array:ty) => {
        impl Element for $real {
            fn from_array(array: &JsValue) -> Option<Result<Vec<Self>, JsError>> {
                let array = array.dyn_ref::<$array>()?;
                // `to_vec` ends the program if there is no memory. There is one thread, so the room stays free.
                let room = Vec::<Self>::new().try_reserve_exact(array.length() as usize);
                Some(room.map(|()| array.to_vec()).map_err(|_| JsError::new("there is no memory for the elements")))
            }

            fn to_array(elements: &[Self]) -> JsValue {
                <$array>::from(elements).into()
            }
        }
    };
}
element!(f32, Float32Array);
element!(f64, Float64Array);

/// A scalar whose elements JavaScript holds as reals.
pub trait Held: Scalar<Real: Element> {}
impl Held for f32 {}
impl Held for f64 {}
impl Held for Complex<f32> {}
impl Held for Complex<f64> {}

/// The elements of a typed array. `bytemuck` shows them as the scalar.
pub fn elements<T: Held>(array: &JsValue, name: &str) -> Result<Vec<T::Real>, JsError> {
    let elements = T::Real::from_array(array);
    let elements = elements.ok_or_else(|| JsError::new(&format!("{name} is of another type than the elements")))??;
    if elements.len() * size_of::<T::Real>() % size_of::<T>() != 0 {
        return Err(JsError::new(&format!(
            "{name} holds {} numbers: complex elements take two each, real part and imaginary part",
            elements.len()
        )));
    }
    Ok(elements)
}

/// A typed array of scalars.
pub fn array<T: Held>(scalars: &[T]) -> JsValue {
    T::Real::to_array(bytemuck::cast_slice(scalars))
}

/// A typed array of words.
pub fn words(words: &[i32]) -> JsValue {
    Int32Array::from(words).into()
}

/// Returns whether the elements are of 4 bytes, or of 8.
pub fn is_single(elements: &JsValue) -> Result<bool, JsError> {
    if elements.is_instance_of::<Float32Array>() {
        Ok(true)
    } else if elements.is_instance_of::<Float64Array>() {
        Ok(false)
    } else {
        Err(JsError::new(&format!("the elements must be {ARRAYS}")))
    }
}

/// Evaluates an expression with `$scalar` standing for the scalar of the elements.
macro_rules! with_scalar {
    ($elements:expr, $complex:expr, $scalar:ident => $call:expr) => {
        match ($crate::arrays::is_single($elements)?, $complex) {
            (true, false) => {
                type $scalar = f32;
                $call
            }
            (false, false) => {
                type $scalar = f64;
                $call
            }
            (true, true) => {
                type $scalar = batchinv::Complex<f32>;
                $call
            }
            (false, true) => {
                type $scalar = batchinv::Complex<f64>;
                $call
            }
        }
    };
}
pub(crate) use with_scalar;
