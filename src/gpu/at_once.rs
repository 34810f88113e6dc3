//! The adapters, without waiting. Browsers must be waited for.
#![cfg(not(target_family = "wasm"))]

use super::adapter::adapters_with_async;
use super::drivers::Drivers;
use super::platform::at_once;
use crate::plan::facts::AdapterFacts;

/// The facts of every adapter that can run compute shaders, the best first, on native platforms: there they are
/// known at once. See [`adapters_async`](crate::gpu::adapters_async) for what drivers may print.
pub fn adapters() -> Vec<AdapterFacts> {
    adapters_with(Drivers::Conformant)
}

/// The same with the drivers that may be used.
pub fn adapters_with(drivers: Drivers) -> Vec<AdapterFacts> {
    at_once(adapters_with_async(drivers))
}
