//! What right means: the crate's own test ratio.

use batchinv::residual_ratio;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

use crate::arrays::{Held, array, elements, with_scalar};
use crate::object::{only, to_whole};
use crate::options::is_complex;

/// LAPACK's test ratio of every inverse of a stack, ||I - X A||_1 / (n ||A||_1 ||X||_1 eps).
///
/// # Errors
/// If arguments do not fit together.
#[wasm_bindgen]
pub fn ratios(stack: JsValue, inverses: JsValue, order: f64, options: JsValue) -> Result<JsValue, JsError> {
    only(&options, "options", &["complex"])?;
    let order = to_whole(order, "order")? as usize;
    with_scalar!(&stack, is_complex(&options)?, T => of::<T>(&stack, &inverses, order))
}

fn of<T: Held>(stack: &JsValue, inverses: &JsValue, order: usize) -> Result<JsValue, JsError> {
    let given = [elements::<T>(stack, "the stack")?, elements::<T>(inverses, "the inverses")?];
    let [a, x] = given.each_ref().map(|elements| batchinv::Stack::<T>::new(bytemuck::cast_slice(elements), order));
    let (a, x) = (a?, x?);
    if a.len() != x.len() {
        return Err(JsError::new(&format!("{} matrices and {} inverses do not go together", a.len(), x.len())));
    }
    let ratios: Vec<f64> = a.iter().zip(x.iter()).map(|(a, x)| residual_ratio(a, x, order)).collect();
    Ok(array(&ratios))
}
