//! The GPU engine: devices, jobs in the caller's own buffers, and the shaders that run.

mod adapter;
mod at_once;
mod cache;
mod candidate;
mod copy_speed;
mod counts;
mod deadline;
pub(crate) mod device;
pub(crate) mod drivers;
mod encode;
mod error;
mod error_scopes;
#[cfg(feature = "testing")]
pub mod faults;
mod filled;
mod indirect;
pub(crate) mod job;
mod pipeline;
pub(crate) mod platform;
mod probe;
mod readback;
mod run;
mod shader;
mod transfer;
mod wait;
mod written_out;

pub use self::adapter::{adapters_async, adapters_with_async, wanted_features, wanted_limits};
#[cfg(not(target_family = "wasm"))]
pub use self::at_once::{adapters, adapters_with};
pub use self::device::GpuInverter;
pub use self::drivers::Drivers;
pub use self::job::Job;
pub use self::job::descriptor::JobDescriptor;
#[cfg(feature = "testing")]
pub use self::shader::program_source;
pub use self::shader::shader_source;
