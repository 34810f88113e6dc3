//! The verbs.

use batchinv::{Columns, InversesMut, Inverter, Stack, Status};
use bytemuck::Zeroable;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

use crate::arrays::{Element, Held, array, elements, with_scalar, words};
use crate::object::{flag, object, to_whole, whole};
use crate::options::{failed, inverter, is_complex};
use crate::report;

/// Inverts every matrix of a stack.
///
/// # Errors
/// If arguments do not fit together, or the engine cannot do it or fails.
#[wasm_bindgen]
pub async fn invert(stack: JsValue, order: f64, options: JsValue) -> Result<JsValue, JsError> {
    let order = to_whole(order, "order")? as usize;
    let inverter = inverter(&options, &["rcond", "minRcond"]).await?;
    let rcond = flag(&options, "rcond")?;
    with_scalar!(&stack, is_complex(&options)?, T => inverses::<T>(&inverter, &stack, order, rcond).await)
}

/// The inverses replace the copy of the matrices that the engine needs anyway.
async fn inverses<T: Held>(
    inverter: &Inverter,
    stack: &JsValue,
    order: usize,
    rcond: bool,
) -> Result<JsValue, JsError> {
    let mut elements = elements::<T>(stack, "the stack")?;
    let len = Stack::<T>::new(bytemuck::cast_slice(&elements), order)?.len();
    let mut statuses = vec![Status::INVERTED; len];
    let mut rconds = vec![<T::Real as Zeroable>::zeroed(); if rcond { len } else { 0 }];
    let output = InversesMut::new(bytemuck::cast_slice_mut::<_, T>(&mut elements), &mut statuses);
    let output = if rcond { output.with_rconds(&mut rconds) } else { output };
    let report = inverter.invert_in_place_async(order, output).await.map_err(failed)?;
    Ok(object([
        ("inverses", <T::Real as Element>::to_array(&elements)),
        ("statuses", status_words(&statuses)),
        ("rcond", if rcond { <T::Real as Element>::to_array(&rconds) } else { JsValue::NULL }),
        ("report", report::report(&report)),
    ]))
}

/// Solves every system of a stack.
///
/// # Errors
/// If arguments do not fit together, or the engine cannot do it or fails.
#[wasm_bindgen]
pub async fn solve(a: JsValue, order: f64, b: JsValue, options: JsValue) -> Result<JsValue, JsError> {
    let order = to_whole(order, "order")? as usize;
    let inverter = inverter(&options, &["columns"]).await?;
    let width = whole(&options, "columns")?.unwrap_or(1) as usize;
    with_scalar!(&a, is_complex(&options)?, T => solutions::<T>(&inverter, [&a, &b], order, width).await)
}

async fn solutions<T: Held>(
    inverter: &Inverter,
    [a, b]: [&JsValue; 2],
    order: usize,
    width: usize,
) -> Result<JsValue, JsError> {
    let (matrices, rhs) = (elements::<T>(a, "the stack")?, elements::<T>(b, "the right-hand sides")?);
    let a = Stack::<T>::new(bytemuck::cast_slice(&matrices), order)?;
    let b = Columns::<T>::new(bytemuck::cast_slice(&rhs), order, width)?;
    let solutions = inverter.solve_async(a, b).await.map_err(failed)?;
    Ok(object([
        ("solutions", array(solutions.columns().elements())),
        ("statuses", status_words(solutions.statuses())),
        ("report", report::report(solutions.report())),
    ]))
}

/// Computes the determinant of every matrix of a stack.
///
/// # Errors
/// If arguments do not fit together, or the engine cannot do it or fails.
#[wasm_bindgen]
pub async fn det(stack: JsValue, order: f64, options: JsValue) -> Result<JsValue, JsError> {
    let order = to_whole(order, "order")? as usize;
    let inverter = inverter(&options, &[]).await?;
    with_scalar!(&stack, is_complex(&options)?, T => determinants::<T>(&inverter, &stack, order).await)
}

async fn determinants<T: Held>(inverter: &Inverter, stack: &JsValue, order: usize) -> Result<JsValue, JsError> {
    let given = elements::<T>(stack, "the stack")?;
    let stack = Stack::<T>::new(bytemuck::cast_slice(&given), order)?;
    let determinants = inverter.determinants_async(stack).await.map_err(failed)?;
    let all = |part: fn(batchinv::Determinant<T>) -> T| -> Vec<T> {
        determinants.values.iter().map(|&determinant| part(determinant)).collect()
    };
    let logs: Vec<f64> = determinants.values.iter().map(|determinant| determinant.ln_abs()).collect();
    Ok(object([
        ("determinants", array(&all(|determinant| determinant.value()))),
        ("signs", array(&all(|determinant| determinant.sign()))),
        ("logs", array(&logs)),
        ("report", report::report(&determinants.report)),
    ]))
}

fn status_words(statuses: &[Status]) -> JsValue {
    words(bytemuck::cast_slice(statuses))
}

/// The adapter that the GPU engine takes, or null.
#[wasm_bindgen]
pub async fn adapter() -> JsValue {
    let adapters = batchinv::gpu::adapters_async().await;
    adapters.first().map_or(JsValue::NULL, report::adapter)
}

/// What the CPU engine runs on.
#[wasm_bindgen]
pub fn cpu() -> JsValue {
    report::cpu()
}
