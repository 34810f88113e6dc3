//! The only unsafe code of this crate: where wgpu has to take our word, and where the processor has no safe form of an
//! instruction yet.

/// Has the cache line of a byte brought near, to be there when it is wanted.
#[inline(always)]
pub fn prefetch(byte: &u8) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "there is no safe form yet")]
    // SAFETY: a prefetch changes nothing that a program can see, at whatever address; this one is valid besides.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(std::ptr::from_ref(byte).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = byte;
}

/// Compiles one of our own shaders without the run-time checks that wgpu adds for strangers' ones.
///
/// Clamped indices and bounded loops keep lavapipe from unrolling the loops of `thread`, and so from holding the matrix
/// in registers: without the checks, order 8 ran 1.4 to 2 times as fast (Mesa 22.3.6, 2 cores).
#[cfg(feature = "gpu")]
#[allow(unsafe_code, reason = "the one way to have the checks left out")]
pub fn unchecked_module(device: &wgpu::Device, label: &str, source: String) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(label), source: wgpu::ShaderSource::Wgsl(source.into()) };
    // SAFETY: the source is put together from the files of `shaders/` and integers of a `Variant`, of a `Program` and of
    // `CountConstants` alone. In them, every loop ends, counting up to a constant made of these; every index into an array is
    // such a counter or a row number, kept below the array's length: in `thread`, `origin` is a permutation of 0..N at every
    // step; in `subgroup`, a winner is the place of a row below N, since every step finds one open; in `workgroup`, rows
    // of the extension are not chosen before step N, so that positions and origins of the others stay below N; in
    // `device` likewise; its working memory has REGION scalars and STATE words for each matrix of a dispatch, there are as many
    // panels as fill PADDED columns, and SPAN is whole panels, so that rows set aside end at PADDED + SPAN. Buffers
    // are indexed through the layout with i, j < N and m below the number of matrices of the dispatch, for which
    // `job` and `transfer` have seen that the buffers hold them, their statuses and rconds; every divisor is a positive constant.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}

/// A cache that begins with what an earlier one gave out, for a device with the feature `PIPELINE_CACHE`.
#[cfg(feature = "gpu")]
#[allow(unsafe_code, reason = "the one way to make a cache")]
pub fn pipeline_cache(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("batchinv"), data, fallback: true };
    // SAFETY: the data is what `get_data` gave, to the bit: `cache` keeps it with a checksum and drops what does not match.
    // wgpu drops what another adapter or driver made.
    unsafe { device.create_pipeline_cache(&descriptor) }
}
