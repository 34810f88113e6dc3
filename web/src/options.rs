//! The options of a call.

use std::cell::RefCell;
use std::time::Duration;

use batchinv::gpu::GpuInverter;
use batchinv::{EngineChoice, Inverter, OnFailure, Precision};
use wasm_bindgen::prelude::{JsError, JsValue};

use crate::object::{flag, number, one_of, only};

/// The options that every call knows.
const COMMON: [&str; 5] = ["engine", "precision", "complex", "onFailure", "timeLimit"];

/// The words for [`OnFailure`].
pub const ON_FAILURE: [(&str, OnFailure); 4] = [
    ("nan", OnFailure::Nan),
    ("zero", OnFailure::Zero),
    ("identity", OnFailure::Identity),
    ("input", OnFailure::Input),
];

/// The words for [`Precision`].
pub const PRECISION: [(&str, Precision); 2] = [("native", Precision::Native), ("double", Precision::Double)];

thread_local! {
    /// The device of calls that ask for the GPU engine, from the first one on.
    static OPENED: RefCell<Option<GpuInverter>> = const { RefCell::new(None) };
}

/// An inverter for a call that knows these options beside the common ones.
pub async fn inverter(options: &JsValue, more: &[&str]) -> Result<Inverter, JsError> {
    only(options, "options", &[&COMMON, more].concat())?;
    let engines = [("auto", EngineChoice::Auto), ("cpu", EngineChoice::Cpu), ("gpu", EngineChoice::Gpu)];
    let inverter = match one_of(options, "engine", &engines)? {
        EngineChoice::Auto => Inverter::auto(),
        EngineChoice::Cpu => Inverter::cpu(),
        EngineChoice::Gpu => Inverter::with_gpu(device().await?),
    };
    let inverter = match number(options, "timeLimit")? {
        Some(seconds) => inverter.time_limit(
            Duration::try_from_secs_f64(seconds)
                .map_err(|_| JsError::new("timeLimit must be a number of seconds, not below 0"))?,
        ),
        None => inverter,
    };
    Ok(inverter
        .precision(one_of(options, "precision", &PRECISION)?)
        .on_failure(one_of(options, "onFailure", &ON_FAILURE)?)
        .rcond(flag(options, "rcond")?)
        .min_rcond(number(options, "minRcond")?.unwrap_or(0.0)))
}

/// Returns whether elements are pairs of real and imaginary parts.
pub fn is_complex(options: &JsValue) -> Result<bool, JsError> {
    flag(options, "complex")
}

async fn device() -> Result<GpuInverter, JsError> {
    if let Some(opened) = OPENED.with_borrow(Clone::clone) {
        return Ok(opened);
    }
    let opened = GpuInverter::open_async(None).await?;
    OPENED.set(Some(opened.clone()));
    Ok(opened)
}

/// The error of a call. After the loss of the device, the next call opens another.
pub fn failed(error: batchinv::Error) -> JsError {
    if matches!(error, batchinv::Error::DeviceLost { .. }) {
        OPENED.set(None);
    }
    error.into()
}
