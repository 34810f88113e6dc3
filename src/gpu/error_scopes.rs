//! The errors that a device reports about the commands between two points.

use std::future::Future;

use super::error::DeviceError;

/// One error scope of each kind, innermost first, because they must close in that order. Dropping them without a
/// check discards the errors that they caught.
pub struct Errors([wgpu::ErrorScopeGuard; 3]);

impl Errors {
    /// Catches errors on this thread from now on. Scopes belong to their thread, so nothing may be awaited before
    /// [`Errors::check`].
    pub fn watch(device: &wgpu::Device) -> Self {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let mut scopes = [OutOfMemory, Internal, Validation].map(|filter| device.push_error_scope(filter));
        scopes.reverse();
        Self(scopes)
    }

    /// Closes the scopes at once, and resolves to an error if they caught one. `OutOfMemory` comes before any
    /// other, which may be its consequence.
    pub fn check(self) -> impl Future<Output = Result<(), DeviceError>> {
        let [validation, internal, memory] = self.0.map(wgpu::ErrorScopeGuard::pop);
        async {
            let answers = [validation.await, internal.await, memory.await];
            let said = answers.into_iter().rev().flatten().next();
            let said = said.map(|error| match error {
                wgpu::Error::OutOfMemory { .. } => DeviceError::OutOfMemory(error.to_string()),
                _ => DeviceError::Lost(error.to_string()),
            });
            #[cfg(feature = "testing")]
            let said = said.or_else(super::faults::check);
            said.map_or(Ok(()), Err)
        }
    }
}
