//! The source of the GPU engine's device.

use std::sync::Arc;
use std::time::Duration;

#[cfg(not(feature = "gpu"))]
use super::without_gpu::GpuInverter;
use crate::data::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::device::GpuInverter;
#[cfg(feature = "gpu")]
use crate::gpu::drivers::Drivers;

/// The source of the device, and the longest wait for it.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "no device is ever opened"))]
pub struct GpuSource {
    pub device: DeviceSource,
    /// The drivers whose adapters may be opened.
    #[cfg(feature = "gpu")]
    pub drivers: Drivers,
    /// The longest wait for a piece of work, if it is not the device's own.
    pub time_limit: Option<Duration>,
}

#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "no device is ever opened"))]
pub enum DeviceSource {
    /// The best adapter, opened by the first call that wants it and kept for the process.
    #[default]
    Best,
    /// The adapter that this names or numbers, opened and kept likewise.
    Named(String),
    /// A device that the caller opened.
    Own(GpuInverter),
}

impl GpuSource {
    /// The device, opened if necessary.
    #[cfg(feature = "gpu")]
    pub async fn open(&self) -> Result<GpuInverter, Arc<Error>> {
        match &self.device {
            DeviceSource::Best => GpuInverter::shared_async(None, self.drivers).await,
            DeviceSource::Named(name) => GpuInverter::shared_async(Some(name), self.drivers).await,
            DeviceSource::Own(gpu) => Ok(gpu.clone()),
        }
    }

    /// An error: there is no GPU engine in this build.
    #[cfg(not(feature = "gpu"))]
    pub async fn open(&self) -> Result<GpuInverter, Arc<Error>> {
        Err(Arc::new(Error::NoAdapter { reason: "built without the feature \"gpu\"".to_owned() }))
    }
}
