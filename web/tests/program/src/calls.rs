//! Whole stacks, on an engine that the crate opens itself.

use batchinv::gpu::GpuInverter;
use batchinv::{Engine, Inverter, Stack};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

const ORDER: usize = 16;
const LEN: usize = 50;

/// Inverts a stack on the GPU and on the CPU. Returns the largest difference of two elements.
///
/// # Errors
/// If there is no GPU, or an engine is not the one that was asked for.
#[wasm_bindgen]
pub async fn largest_difference() -> Result<f32, JsError> {
    let elements: Vec<f32> = (0..LEN * ORDER * ORDER)
        .map(|index| {
            let (matrix, row, column) = (index / (ORDER * ORDER), index / ORDER % ORDER, index % ORDER);
            if row == column { 20.0 } else { ((7 * matrix + 5 * row + 3 * column) % 11) as f32 / 11.0 }
        })
        .collect();
    let stack = Stack::new(&elements, ORDER)?;
    let gpu = GpuInverter::open_async(None).await?;
    let [on_gpu, on_cpu] =
        [Inverter::with_gpu(gpu).invert_async(stack).await?, Inverter::cpu().invert_async(stack).await?];
    if (on_gpu.report().engine, on_cpu.report().engine) != (Engine::Gpu, Engine::Cpu) {
        return Err(JsError::new("another engine"));
    }
    if on_gpu.first_failure().is_some() || on_cpu.first_failure().is_some() {
        return Err(JsError::new("a matrix counts as singular"));
    }
    let pairs = on_gpu.stack().elements().iter().zip(on_cpu.stack().elements());
    let differences = pairs.map(|(a, b)| (a - b).abs());
    // `f32::max` would ignore NaN.
    Ok(differences.fold(0.0, |most, x| if most.is_nan() || x.is_nan() { f32::NAN } else { most.max(x) }))
}
