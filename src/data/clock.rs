//! The clock. That of the standard library panics in browsers.

/// A point in time.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub type Instant = std::time::Instant;
/// A point in time.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub type Instant = web_time::Instant;
