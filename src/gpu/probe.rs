//! The probe: does a device keep the rounding errors that pairs of float32 are made of? A compiler may reassociate, and
//! then takes them for zero; a device may round in another direction than to nearest, and then they are wrong.

use super::device::{GpuInverter, Shared};
use super::error::DeviceError;
use super::error_scopes::Errors;
#[cfg(feature = "testing")]
use super::faults;
use super::filled::filled;
use super::pipeline::Bound;
use super::shader;
use crate::data::arithmetic::Arithmetic;
use crate::data::engine::Precision;
use crate::data::error::Error;
use crate::data::refusal::Refusal;
use crate::data::scalar::ScalarKind;
use crate::plan::gpu::variant::Variant;
use crate::plan::work::Work;

/// The most workgroups of the shader, each with 64 invocations that take two numbers.
const WORKGROUPS: u32 = 64;

/// The shader's results for two numbers, each as a first and a second part.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Results {
    difference: [f32; 2],
    product: [f32; 2],
    rest: [f32; 2],
}

impl GpuInverter {
    /// Finds out what calls and jobs in this precision need to know of the device, unless it is known already. Calls do
    /// that on their way. Jobs do not wait for a device, so one in [`Precision::Double`] needs this before, once per
    /// device, on devices without float64: they compute in [pairs of float32](Arithmetic::Pairs), and a small program
    /// tests whether the device's compiler leaves these exact.
    ///
    /// ```no_run
    /// # async fn prepare(gpu: batchinv::gpu::GpuInverter) -> Result<(), batchinv::Error> {
    /// gpu.prepare_async(batchinv::Precision::Double).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] with [`Refusal::InexactPairs`] if the device cannot compute in this precision;
    /// [`Error::OutOfMemory`] and [`Error::DeviceLost`] from the device.
    pub async fn prepare_async(&self, precision: Precision) -> Result<(), Error> {
        let work = Work::inverse(ScalarKind::Float32, 1, 1).with_precision(precision);
        self.check_arithmetic(work.arithmetic(&self.0.facts.limits)).await
    }

    /// Refuses arithmetic that the device does not do right.
    pub(crate) async fn check_arithmetic(&self, arithmetic: Arithmetic) -> Result<(), Error> {
        if arithmetic != Arithmetic::Pairs {
            return Ok(());
        }
        let known = &self.0.pairs;
        let exact = match known.get() {
            Some(&exact) => exact,
            None => {
                let exact = self.0.probe(shader::probe()).await.map_err(|error| error.at(0, 0))?;
                *known.get_or_init(|| exact)
            }
        };
        if exact { Ok(()) } else { Err(Error::refused(Refusal::InexactPairs)) }
    }

    /// The same without waiting, for a job: it is refused if nothing is known yet.
    pub(super) fn check_known(&self, variant: Variant) -> Result<(), Error> {
        match (variant.arithmetic, self.0.pairs.get()) {
            (Arithmetic::Pairs, None) => Err(Error::refused(Refusal::Unprepared)),
            (Arithmetic::Pairs, Some(false)) => Err(Error::refused(Refusal::InexactPairs)),
            _ => Ok(()),
        }
    }

    /// Probes pairs whose rounding errors no guard protects from the compiler. For tests.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] and [`Error::DeviceLost`] from the device.
    #[cfg(feature = "testing")]
    pub async fn probe_unguarded_async(&self) -> Result<bool, Error> {
        let unguarded = shader::probe().replace(" ^ params.zero", " ^ (params.zero * 0u)");
        self.0.probe(unguarded).await.map_err(|error| error.at(0, 0))
    }
}

impl Shared {
    /// Runs the probe with this text. Returns whether all results are exact.
    async fn probe(&self, source: String) -> Result<bool, DeviceError> {
        use wgpu::BufferUsages as Usage;
        let workgroups = WORKGROUPS.min(self.facts.limits.workgroups);
        let (device, numbers) = (&self.device, numbers(64 * workgroups as usize));
        let pipeline = self.pipelines.alone(device, "batchinv probe", source).await?;
        let mut results: Vec<Results> = bytemuck::zeroed_vec(numbers.len());
        let errors = Errors::watch(device);
        let bytes: &[u8] = bytemuck::cast_slice(&numbers);
        let input = filled(device, "batchinv probe", bytes.len() as u64, Usage::STORAGE, |view| {
            view.slice(..).copy_from_slice(bytes);
        });
        let output = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv probe"),
            size: size_of_val(&results[..]) as u64,
            usage: Usage::STORAGE | Usage::COPY_SRC,
            mapped_at_creation: false,
        });
        let statuses = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("batchinv probe"),
            size: 4,
            usage: Usage::STORAGE,
            mapped_at_creation: false,
        });
        let group = self.pipelines.bind(
            device,
            Bound {
                input: Some(input.as_entire_buffer_binding()),
                output: Some(output.as_entire_buffer_binding()),
                ..Bound::new(statuses.as_entire_buffer_binding(), self.counts.binding())
            },
        );
        let mut encoder = self.encoder();
        {
            let mut pass = encoder
                .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("batchinv"), timestamp_writes: None });
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[0]);
            pass.dispatch_workgroups(workgroups, 1, 1);
        }
        errors.check().await?;
        self.read_after(encoder, [(&output, bytemuck::cast_slice_mut(&mut results))]).await?;
        #[cfg(feature = "testing")]
        if faults::loses_pairs() {
            return Ok(false);
        }
        Ok(numbers.iter().zip(&results).all(|(&numbers, results)| is_exact(numbers, results)))
    }
}

/// Numbers with all their bits in use, of either sign and within 2^12 of each other, so that float64 holds their
/// differences and products. They come from a linear congruential generator (Knuth's MMIX).
fn numbers(count: usize) -> Vec<[f32; 2]> {
    let mut state = 1_u64;
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = (state >> 32) as u32;
        // The sign, an exponent from -6 to 5, and the fraction.
        f32::from_bits((bits & 0x8000_0000) | ((121 + (bits >> 23 & 0xff) % 12) << 23) | (bits & 0x7f_ffff))
    };
    (0..count).map(|_| [number(), number()]).collect()
}

/// Returns whether the results for a and b are as they must be: no digit of the difference and of the product is lost,
/// the second part of each is below a unit in the last place of the first, and the rest is no more than rounding.
fn is_exact([a, b]: [f32; 2], results: &Results) -> bool {
    const PLACE: f64 = f32::EPSILON as f64;
    let [a, b] = [a, b].map(f64::from);
    let exact = |[first, second]: [f32; 2], value: f64| {
        let [first, second] = [first, second].map(f64::from);
        first + second == value && second.abs() <= first.abs() * PLACE
    };
    let rest: f64 = results.rest.into_iter().map(f64::from).sum();
    exact(results.difference, a - b) && exact(results.product, a * b) && rest.abs() <= b.abs() * PLACE * PLACE * 8.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The host computes the same with float64.
    fn right([a, b]: [f32; 2]) -> Results {
        let split = |value: f64| [value as f32, (value - f64::from(value as f32)) as f32];
        let [a, b] = [a, b].map(f64::from);
        Results { difference: split(a - b), product: split(a * b), rest: [0.0; 2] }
    }

    #[test]
    fn each_lost_digit_is_noticed() {
        let numbers = numbers(64);
        assert!(numbers.iter().all(|&numbers| is_exact(numbers, &right(numbers))));
        let caught = |spoil: fn(&mut Results)| {
            numbers.iter().any(|&numbers| {
                let mut results = right(numbers);
                spoil(&mut results);
                !is_exact(numbers, &results)
            })
        };
        assert!(caught(|results| results.difference[1] = 0.0));
        assert!(caught(|results| results.product[1] = 0.0));
        assert!(caught(|results| results.product[1] = results.product[1].next_up()));
        assert!(caught(|results| results.rest[0] = f32::EPSILON * f32::EPSILON));
        assert!(caught(|results| results.rest[1] = f32::NAN));
    }
}
