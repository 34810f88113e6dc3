//! The GPU engine: devices, jobs in the caller's own buffers, and the shaders that run.

mod adapter;
mod cache;
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
mod probe;
mod readback;
mod ready;
mod run;
mod shader;
mod submit;
mod transfer;
mod wait;
pub(crate) mod worker;
mod written_out;

pub use self::adapter::{adapters, adapters_async, adapters_with, adapters_with_async, wanted_features, wanted_limits};
pub use self::device::GpuInverter;
pub use self::drivers::Drivers;
pub use self::job::Job;
pub use self::job::descriptor::JobDescriptor;
#[cfg(feature = "testing")]
pub use self::shader::program_source;
pub use self::shader::shader_source;
