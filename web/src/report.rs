//! Accounts of what ran, as objects.

use batchinv::plan::AdapterFacts;
use batchinv::{Report, SimdLevel};
use js_sys::Array;
use wasm_bindgen::prelude::JsValue;

use crate::object::object;

/// `Report` of the types.
pub fn report(report: &Report) -> JsValue {
    let text = |text: Option<String>| text.map_or(JsValue::NULL, JsValue::from);
    let seconds = report.seconds;
    object([
        ("engine", report.engine.name().into()),
        ("adapter", text(report.adapter.as_ref().map(ToString::to_string))),
        ("kernel", report.kernel.name().into()),
        ("arithmetic", report.arithmetic.name().into()),
        ("chunks", (report.chunks as f64).into()),
        ("reason", text(report.reason.as_ref().map(ToString::to_string))),
        ("gpuFailure", text(report.gpu_failure.as_ref().map(ToString::to_string))),
        (
            "seconds",
            object([
                ("prepare", seconds.prepare.into()),
                ("upload", seconds.upload.into()),
                ("dispatch", seconds.dispatch.into()),
                ("readback", seconds.readback.into()),
            ]),
        ),
        ("deviceSeconds", report.device_seconds.map_or(JsValue::NULL, JsValue::from)),
    ])
}

/// `Adapter` of the types.
pub fn adapter(facts: &AdapterFacts) -> JsValue {
    let subgroups = facts
        .limits
        .subgroups
        .map_or(JsValue::NULL, |(smallest, largest)| Array::of2(&smallest.into(), &largest.into()).into());
    object([
        ("name", (&*facts.name).into()),
        ("software", facts.limits.software.into()),
        ("subgroups", subgroups),
        ("timestamps", facts.timestamps.into()),
    ])
}

/// `Cpu` of the types.
pub fn cpu() -> JsValue {
    object([("level", SimdLevel::best().name().into())])
}
