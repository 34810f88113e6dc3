//! What a device says about the commands between two points.

/// Error scopes of every kind, opened together. Dropped unasked, they forget what they caught.
pub struct Errors([wgpu::ErrorScopeGuard; 3]);

impl Errors {
    /// From here on, errors on this thread are caught.
    pub fn watch(device: &wgpu::Device) -> Self {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        Self([OutOfMemory, Internal, Validation].map(|filter| device.push_error_scope(filter)))
    }

    /// The first error since, if there was one: out of memory before others, since they may follow from it.
    pub fn seen(self) -> Option<wgpu::Error> {
        let [memory, internal, validation] = self.0;
        // The scopes end innermost first. On native devices their answers are there at once.
        let mut answers = [validation, internal, memory].map(|scope| pollster::block_on(scope.pop()));
        answers.reverse();
        answers.into_iter().flatten().next()
    }
}
