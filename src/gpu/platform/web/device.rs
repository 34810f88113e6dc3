//! The facts of a browser's adapters and devices, of which wgpu leaves out subgroups, names, and the loss of a device.
//!
//! wgpu asks no browser for the feature `subgroups`. So the engine asks the browser for the adapter itself, hands it to
//! wgpu, and adds the feature when wgpu requests a device on it.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::gpu::candidate::Candidate;
use crate::gpu::drivers::Drivers;

/// The feature's name in WebGPU.
const SUBGROUPS: &str = "subgroups";

/// The sizes of subgroups that a browser may leave unsaid (WebGPU, "GPUAdapterInfo").
const SUBGROUP_SIZES: (u32, u32) = (4, 128);

/// Why there is no adapter.
pub const NONE_FOUND: &str =
    "this browser offers none through WebGPU, which needs a secure context (https, or localhost)";

/// The adapter that the browser offers for much work, if it offers one.
pub async fn candidates(drivers: Drivers) -> Vec<Candidate> {
    find(drivers).await.into_iter().collect()
}

async fn find(drivers: Drivers) -> Option<Candidate> {
    let gpu = browser_gpu()?;
    let options = Object::new();
    Reflect::set(&options, &"powerPreference".into(), &"high-performance".into()).ok()?;
    let asked = method(&gpu, "requestAdapter")?.call1(&gpu, &options).ok()?;
    let found = JsFuture::from(asked.dyn_into::<Promise>().ok()?).await.ok()?;
    let found: Object = found.dyn_into().ok()?;
    let subgroups = has_subgroups(&found);
    if subgroups {
        request_subgroups(&found)?;
    }
    let adapter = {
        let answer = found.clone();
        let promise = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |_| Promise::resolve(&answer).into());
        let _shadow = Shadow::new(&gpu, "requestAdapter", promise.as_ref())?;
        drivers.instance().request_adapter(&wgpu::RequestAdapterOptions::default())
    };
    let adapter = adapter.await.ok()?;
    let mut features = adapter.features();
    features.set(wgpu::Features::SUBGROUP, subgroups);
    let info = info(adapter.get_info(), &found, "info");
    Some(Candidate { adapter, info, features })
}

/// The adapter of a device, and the features that the device was granted.
pub fn facts_of(device: &wgpu::Device) -> (wgpu::AdapterInfo, wgpu::Features) {
    let (mut told, mut features) = (device.adapter_info(), device.features());
    if let Some(handle) = handle(device) {
        features.set(wgpu::Features::SUBGROUP, has_subgroups(&handle));
        told = info(told, &handle, "adapterInfo");
    }
    (told, features)
}

/// The text of a shader as browsers take it. It keeps its lines.
///
/// Browsers cannot see that control flow is uniform over a subgroup where it depends on what the subgroup agreed on, by
/// `subgroupAny` or as a shuffled maximum: they know the uniformity of workgroups alone.
pub fn in_dialect(text: String, subgroups: bool) -> String {
    if subgroups { format!("enable subgroups; diagnostic(off, subgroup_uniformity); {text}") } else { text }
}

/// Returns whether a device is not lost. A lost one makes buffers all the same, and reports nothing to error scopes.
pub async fn is_alive(device: &wgpu::Device) -> bool {
    let Some(lost) = handle(device).and_then(|handle| Reflect::get(&handle, &"lost".into()).ok()) else { return true };
    // The first of two promises that are settled wins.
    let race = Promise::race(&Array::of2(&lost, &Promise::resolve(&JsValue::NULL)));
    JsFuture::from(race).await.is_ok_and(|first| first.is_null())
}

/// The browser's own handle of a device.
fn handle(device: &wgpu::Device) -> Option<Object> {
    #[cfg(feature = "webgpu")]
    return device.as_webgpu().and_then(|handle| AsRef::<JsValue>::as_ref(handle).clone().dyn_into().ok());
    #[cfg(not(feature = "webgpu"))]
    {
        let _ = device;
        None
    }
}

/// `navigator.gpu`, in a window or a worker that has it. wgpu panics elsewhere.
fn browser_gpu() -> Option<Object> {
    let global = js_sys::global();
    let has = |name: &str| Reflect::has(&global, &name.into()).unwrap_or(false);
    if !has("Window") && !has("WorkerGlobalScope") {
        return None;
    }
    let navigator = Reflect::get(&global, &"navigator".into()).ok()?;
    Reflect::get(&navigator, &"gpu".into()).ok()?.dyn_into().ok()
}

/// Returns whether an adapter or a device has subgroups.
fn has_subgroups(object: &Object) -> bool {
    let features = Reflect::get(object, &"features".into()).unwrap_or(JsValue::UNDEFINED);
    let has = method(&features, "has").and_then(|has| has.call1(&features, &SUBGROUPS.into()).ok());
    has.is_some_and(|has| has.is_truthy())
}

/// Lets devices that are requested on this adapter have subgroups.
fn request_subgroups(adapter: &Object) -> Option<()> {
    let (request, owner) = (method(adapter, "requestDevice")?, adapter.clone());
    let with_subgroups = move |descriptor: JsValue| -> JsValue {
        let name = "requiredFeatures".into();
        let asked =
            Reflect::get(&descriptor, &name).ok().filter(Array::is_array).unwrap_or_else(|| Array::new().into());
        let features = Array::from(&asked);
        features.push(&SUBGROUPS.into());
        let _ = Reflect::set(&descriptor, &name, &features);
        request.call1(&owner, &descriptor).unwrap_or_else(|error| Promise::reject(&error).into())
    };
    let request = Closure::<dyn FnMut(JsValue) -> JsValue>::new(with_subgroups).into_js_value();
    Reflect::set(adapter, &"requestDevice".into(), &request).ok().map(|_| ())
}

/// The facts that wgpu has of an adapter, with a name and the sizes of its subgroups added.
fn info(known: wgpu::AdapterInfo, object: &Object, property: &str) -> wgpu::AdapterInfo {
    let told = Reflect::get(object, &property.into()).unwrap_or(JsValue::UNDEFINED);
    let text = |name: &str| Reflect::get(&told, &name.into()).ok().and_then(|value| value.as_string());
    let parts = ["vendor", "architecture", "device"].map(|name| text(name).filter(|part| !part.is_empty()));
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let name = match (known.name.is_empty(), parts.is_empty()) {
        (false, _) => known.name,
        (true, false) => parts.join(" "),
        (true, true) => "an adapter that this browser does not name".to_owned(),
    };
    let (smallest, largest) = match (known.subgroup_min_size, known.subgroup_max_size) {
        (0, _) | (_, 0) => SUBGROUP_SIZES,
        sizes => sizes,
    };
    wgpu::AdapterInfo { name, subgroup_min_size: smallest, subgroup_max_size: largest, ..known }
}

fn method(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}

/// A property of an object that hides the one of its class until it is dropped.
struct Shadow<'a> {
    object: &'a Object,
    name: &'a str,
}

impl<'a> Shadow<'a> {
    fn new(object: &'a Object, name: &'a str, value: &JsValue) -> Option<Self> {
        Reflect::set(object, &name.into(), value).ok().map(|_| Self { object, name })
    }
}

impl Drop for Shadow<'_> {
    fn drop(&mut self) {
        let _ = Reflect::delete_property(self.object, &self.name.into());
    }
}
