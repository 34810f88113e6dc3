//! What a device says about the commands between two points.

use crate::Error;

/// Error scopes of every kind, opened together, the innermost first: so they must end, and are dropped. Dropped unasked,
/// they forget what they caught.
pub struct Errors([wgpu::ErrorScopeGuard; 3]);

impl Errors {
    /// From here on, errors on this thread are caught.
    pub fn watch(device: &wgpu::Device) -> Self {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let mut scopes = [OutOfMemory, Internal, Validation].map(|filter| device.push_error_scope(filter));
        scopes.reverse();
        Self(scopes)
    }

    /// An error where there was one since: `OutOfMemory` before others, which may follow from it and are what
    /// `otherwise` makes of their words.
    pub fn check(self, otherwise: impl FnOnce(String) -> Error) -> Result<(), Error> {
        // On native devices their answers are there at once.
        let mut answers = self.0.map(|scope| pollster::block_on(scope.pop()));
        answers.reverse();
        let said = answers.into_iter().flatten().next();
        let said = said.map(|error| (matches!(error, wgpu::Error::OutOfMemory { .. }), error.to_string()));
        #[cfg(feature = "testing")]
        let said = said.or_else(super::faults::check);
        match said {
            None => Ok(()),
            Some((true, detail)) => Err(Error::OutOfMemory { done: 0, len: 0, detail }),
            Some((false, detail)) => Err(otherwise(detail)),
        }
    }
}

/// Whether a device still makes buffers. One that is lost says so through its callback alone, not to error scopes, and what
/// it makes cannot be used.
pub fn is_alive(device: &wgpu::Device) -> bool {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("batchinv probe"),
        size: 4,
        usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    });
    buffer.get_mapped_range(..).is_ok()
}
