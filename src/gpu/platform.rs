//! The differences between native platforms and browsers: who waits and submits, the clock, statics, and the facts of
//! adapters that wgpu leaves out in browsers. Both modules define the same names.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub use self::native::clock::Alarm;
#[cfg(not(target_family = "wasm"))]
pub use self::native::device::{NONE_FOUND, candidates, facts_of, in_dialect, is_alive};
#[cfg(not(target_family = "wasm"))]
pub(in crate::gpu) use self::native::global::global;
#[cfg(not(target_family = "wasm"))]
pub use self::native::ready::at_once;
#[cfg(not(target_family = "wasm"))]
pub use self::native::submit::Submitter;
#[cfg(not(target_family = "wasm"))]
pub use self::native::waiter::Waiter;
#[cfg(not(target_family = "wasm"))]
pub use self::native::worker::{blocking, is_blocking};
#[cfg(target_family = "wasm")]
pub use self::web::alarm::Alarm;
#[cfg(target_family = "wasm")]
pub use self::web::device::{NONE_FOUND, candidates, facts_of, in_dialect, is_alive};
#[cfg(target_family = "wasm")]
pub(in crate::gpu) use self::web::global::global;
#[cfg(target_family = "wasm")]
pub use self::web::work::{Submitter, Waiter, is_blocking};
