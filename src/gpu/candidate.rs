//! An adapter that wgpu shows.

/// An adapter and what is known of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub adapter: wgpu::Adapter,
    pub info: wgpu::AdapterInfo,
    /// The features that a device on it can be granted.
    pub features: wgpu::Features,
}
