//! Matrices in the caller's own buffers, inverted or solved with in the caller's own encoder.

use batchinv::gpu::{GpuInverter, JobDescriptor};
use batchinv::plan::Layout;
use batchinv::{ScalarKind, wgpu};
use js_sys::Object;
use wasm_bindgen::prelude::{JsCast, JsError, JsValue, wasm_bindgen};

use crate::arrays::words;
use crate::lend;
use crate::object::{get, number, one_of, only, whole};
use crate::options::{ON_FAILURE, PRECISION};

/// The engine on the caller's device.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Device {
    gpu: GpuInverter,
    device: wgpu::Device,
    handle: Object,
}

/// A job, made once and encoded any number of times.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Job {
    job: batchinv::gpu::Job,
    device: Device,
}

/// What a description of a job may hold.
const NAMES: [&str; 17] = [
    "scalar",
    "precision",
    "order",
    "capacity",
    "input",
    "inputLayout",
    "output",
    "outputLayout",
    "rhs",
    "rhsLayout",
    "columns",
    "statuses",
    "rconds",
    "determinants",
    "minRcond",
    "onFailure",
    "count",
];

#[wasm_bindgen]
impl Device {
    /// The engine on a `GPUDevice`.
    ///
    /// # Errors
    /// If it is none, or there is no WebGPU.
    pub async fn from(device: JsValue) -> Result<Self, JsError> {
        if get(&device, "createComputePipeline").is_none() {
            return Err(JsError::new("device must be a GPUDevice"));
        }
        let handle: Object = device.unchecked_into();
        let (device, queue) = lend::device(&handle).await?;
        Ok(Self { gpu: GpuInverter::from_device(&device, &queue), device, handle })
    }

    /// Makes a job.
    ///
    /// # Errors
    /// If the description does not fit the buffers, or the device cannot do it or is lost.
    pub async fn job(&self, descriptor: JsValue) -> Result<Job, JsError> {
        only(&descriptor, "the job", &NAMES)?;
        let needed = |name: &str| JsError::new(&format!("the job has no {name}"));
        let buffer = |name: &str| -> Result<Option<wgpu::Buffer>, JsError> {
            let given = get(&descriptor, name);
            given.map(|given| lend::buffer(&self.device, &self.handle, &given, name)).transpose()
        };
        let scalars = [
            ("float32", ScalarKind::Float32),
            ("float64", ScalarKind::Float64),
            ("complex64", ScalarKind::Complex64),
            ("complex128", ScalarKind::Complex128),
        ];
        let order = whole(&descriptor, "order")?.ok_or_else(|| needed("order"))?;
        let capacity = whole(&descriptor, "capacity")?.ok_or_else(|| needed("capacity"))?;
        let columns = whole(&descriptor, "columns")?.unwrap_or(1);
        let [input, output, rhs] = [buffer("input")?, buffer("output")?, buffer("rhs")?];
        let [statuses, rconds, determinants] = [buffer("statuses")?, buffer("rconds")?, buffer("determinants")?];
        let count = buffer("count")?;
        let input = input.ok_or_else(|| needed("input"))?;
        let result = if rhs.is_some() { Layout::columns(order, columns) } else { Layout::contiguous(order) };

        let precision = one_of(&descriptor, "precision", &PRECISION)?;
        let mut described = JobDescriptor::new(one_of(&descriptor, "scalar", &scalars)?, order, capacity, &input)
            .precision(precision)
            .on_failure(one_of(&descriptor, "onFailure", &ON_FAILURE)?)
            .min_rcond(number(&descriptor, "minRcond")?.unwrap_or(0.0))
            .input_layout(layout(&descriptor, "inputLayout", Layout::contiguous(order))?);
        if let Some(rhs) = &rhs {
            described = described.solve(rhs, layout(&descriptor, "rhsLayout", result)?, columns);
        }
        if let Some(output) = &output {
            described = described.output(output, layout(&descriptor, "outputLayout", result)?);
        }
        if let Some(statuses) = &statuses {
            described = described.statuses(statuses);
        }
        if let Some(rconds) = &rconds {
            described = described.rconds(rconds);
        }
        if let Some(determinants) = &determinants {
            described = described.determinants(determinants);
        }
        if let Some(count) = &count {
            described = described.count(count, 0);
        }
        self.gpu.prepare_async(precision).await?;
        let job = self.gpu.job_async(&described).await?;
        Ok(Job { job, device: self.clone() })
    }
}

#[wasm_bindgen]
impl Job {
    /// Encodes the work on the first `len` matrices in the caller's encoder.
    ///
    /// # Errors
    /// If `len` is above the capacity, or the encoder is none.
    pub fn encode(&self, encoder: JsValue, len: u32) -> Result<(), JsError> {
        let Device { device, handle, .. } = &self.device;
        Ok(self.job.encode(&mut lend::encoder(device, handle, &encoder)?, len)?)
    }

    /// Encodes the work on as many matrices as the buffer `count` says when the commands run.
    ///
    /// # Errors
    /// If the job has no such buffer, or the encoder is none.
    #[wasm_bindgen(js_name = encodeIndirect)]
    pub fn encode_indirect(&self, encoder: JsValue) -> Result<(), JsError> {
        let Device { device, handle, .. } = &self.device;
        Ok(self.job.encode_indirect(&mut lend::encoder(device, handle, &encoder)?)?)
    }

    /// The statuses of the first `len` matrices, after everything submitted so far.
    ///
    /// # Errors
    /// If `len` is above the capacity, the buffer cannot be copied, or the device fails.
    #[wasm_bindgen(js_name = readStatuses)]
    pub async fn read_statuses(&self, len: u32) -> Result<JsValue, JsError> {
        Ok(words(bytemuck::cast_slice(&self.job.read_statuses(len).await?)))
    }

    /// The `GPUBuffer` of the status words.
    #[wasm_bindgen(getter)]
    pub fn statuses(&self) -> JsValue {
        handle_of(self.job.statuses())
    }

    /// The largest number of matrices.
    #[wasm_bindgen(getter)]
    pub fn capacity(&self) -> u32 {
        self.job.capacity()
    }
}

fn handle_of(buffer: &wgpu::Buffer) -> JsValue {
    buffer.as_webgpu().map_or(JsValue::NULL, |handle| AsRef::<JsValue>::as_ref(handle).clone())
}

/// The layout in a property, with the strides that it leaves out from another.
fn layout(object: &JsValue, name: &str, default: Layout) -> Result<Layout, JsError> {
    let Some(given) = get(object, name) else { return Ok(default) };
    only(&given, name, &["offset", "matrix", "row", "column"])?;
    let or = |name: &str, default: u32| Ok::<_, JsError>(whole(&given, name)?.unwrap_or(default));
    Ok(Layout {
        offset: or("offset", default.offset)?,
        matrix: or("matrix", default.matrix)?,
        row: or("row", default.row)?,
        column: or("column", default.column)?,
    })
}
