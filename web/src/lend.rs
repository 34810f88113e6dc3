//! Objects of the caller's WebGPU, lent to wgpu, which makes its own and takes no others.
//!
//! For one call, a property of the object that makes such things hides the method of its class, and gives wgpu the
//! caller's thing instead of a new one. The call returns before other code can run.

use batchinv::wgpu;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::{Closure, JsCast, JsError, JsValue};

use crate::object::{get, whole};

/// wgpu's handles of the caller's device.
pub async fn device(device: &Object) -> Result<(wgpu::Device, wgpu::Queue), JsError> {
    let gpu = get(&js_sys::global(), "navigator").and_then(|navigator| get(&navigator, "gpu"));
    let gpu: Object = gpu.ok_or_else(|| JsError::new("there is no navigator.gpu here"))?.unchecked_into();
    // All that wgpu asks of an adapter is a device.
    let adapter = Object::new();
    let own = giving(Promise::resolve(device).into());
    set(&adapter, "requestDevice", own.as_ref())?;
    let found = giving(Promise::resolve(&adapter).into());
    let asked = instead(&gpu, "requestAdapter", &found, || {
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        wgpu::Instance::new(descriptor).request_adapter(&wgpu::RequestAdapterOptions::default())
    })?;
    let adapter = asked.await.map_err(|error| JsError::new(&error.to_string()))?;
    let opened = adapter.request_device(&wgpu::DeviceDescriptor::default()).await;
    opened.map_err(|error| JsError::new(&error.to_string()))
}

/// wgpu's handle of the caller's buffer.
pub fn buffer(device: &wgpu::Device, handle: &Object, buffer: &JsValue, name: &str) -> Result<wgpu::Buffer, JsError> {
    let size = get(buffer, "size").and_then(|size| size.as_f64());
    let (Some(size), Some(usage)) = (size, whole(buffer, "usage")?) else {
        return Err(JsError::new(&format!("{name} must be a GPUBuffer")));
    };
    let descriptor = wgpu::BufferDescriptor {
        label: None,
        size: size as u64,
        usage: wgpu::BufferUsages::from_bits_truncate(usage),
        mapped_at_creation: false,
    };
    instead(handle, "createBuffer", &giving(buffer.clone()), || device.create_buffer(&descriptor))
}

/// wgpu's handle of the caller's encoder, which must not be finished.
pub fn encoder(device: &wgpu::Device, handle: &Object, encoder: &JsValue) -> Result<wgpu::CommandEncoder, JsError> {
    if get(encoder, "beginComputePass").is_none() {
        return Err(JsError::new("encoder must be a GPUCommandEncoder"));
    }
    instead(handle, "createCommandEncoder", &giving(encoder.clone()), || {
        device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    })
}

type Giving = Closure<dyn FnMut(JsValue) -> JsValue>;

/// A function that returns a value, whatever it is called with.
fn giving(value: JsValue) -> Giving {
    Closure::new(move |_| value.clone())
}

/// Makes a call while an object's own method hides that of its class.
fn instead<R>(object: &Object, name: &str, method: &Giving, call: impl FnOnce() -> R) -> Result<R, JsError> {
    set(object, name, method.as_ref())?;
    let result = call();
    let _ = Reflect::delete_property(object, &name.into());
    Ok(result)
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsError> {
    let set = Reflect::set(object, &name.into(), value);
    set.map(|_| ()).map_err(|_| JsError::new(&format!("{name} cannot be lent")))
}
