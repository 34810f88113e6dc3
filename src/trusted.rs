//! All unsafe code of this crate: two calls in which wgpu must trust us, and one instruction that has no safe form yet.

/// Prefetches the cache line of a byte.
#[inline(always)]
pub fn prefetch(byte: &u8) {
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "there is no safe form yet")]
    // SAFETY: a prefetch changes nothing that a program can see, at any address; this one is valid besides.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(std::ptr::from_ref(byte).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = byte;
}

/// Compiles one of our own shaders without the run-time checks that wgpu adds to foreign ones.
///
/// Clamped indices and bounded loops keep lavapipe from unrolling the loops of `thread`, and so from holding the matrix
/// in registers: without the checks, order 8 ran 1.4 to 2 times as fast (Mesa 22.3.6, 2 cores).
#[cfg(feature = "gpu")]
#[allow(unsafe_code, reason = "the only way to omit the checks")]
pub fn unchecked_module(device: &wgpu::Device, label: &str, source: String) -> wgpu::ShaderModule {
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(label), source: wgpu::ShaderSource::Wgsl(source.into()) };
    // SAFETY: the source consists of the files of `shaders/` and of integers that come from a `Variant`, a
    // `Program` and `CountConstants` alone. Every loop in it ends, since it counts up to a constant made of these.
    // Every index into an array is such a counter, or a row number kept below the array's length: in `thread`,
    // `permutation` is a permutation of 0..N at every step, and the identity where order 2 goes by its determinant;
    // in `subgroup` and `workgroup`, the row of a winner and its place are clamped to N - 1, rows beyond N are
    // never open, and in `subgroup` 8 bits of a word hold each row of the permutation. A workgroup has MATRICES
    // slots; `subgroup` keeps two pivot rows for each, and in `workgroup` its TEAM tiles cover ALL_ROWS x
    // ALL_COLUMNS. RIDING columns follow those of the matrix in `thread` and `subgroup`, and lie row by row in
    // `workgroup`, where each place counts up to N * RIDING. In `device`, rows of the extension are not chosen
    // before step N, so positions and the permutation of the others stay below N. The working memory of `device`
    // has REGION scalars and STATE words for each matrix of a dispatch, its panels fill PADDED columns, and
    // OUTER is a whole number of panels, so rows set aside end at PADDED + OUTER, and NORM_ROWS rows behind them
    // hold two norms for each strip; a strip in the extension stores nothing beyond row N. Cofactor matrices take
    // their indices modulo N. Buffers are indexed
    // through the layout with i, j < N, or j < WIDTH for right-hand sides and solutions, and m below the number
    // of matrices of the dispatch, and `job` and `run` have checked that the buffers hold these matrices,
    // right-hand sides and results, four at a time where `stores_vec4` says so, their statuses, rconds, and two
    // scalars for each determinant. Every divisor is positive. An invocation of the probe has one place in each
    // of two buffers, which are made for as many invocations as are dispatched.
    // Where invocations meet at a location and one of them writes, a barrier of its address space lies between them;
    // `subgroup` in place has none, and its shader says why it needs none.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}

/// A pipeline cache that begins with the data of an earlier one, for a device with the feature `PIPELINE_CACHE`.
#[cfg(feature = "gpu")]
#[allow(unsafe_code, reason = "the only way to make a cache")]
pub fn pipeline_cache(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("batchinv"), data, fallback: true };
    // SAFETY: the data is exactly what `get_data` returned: `cache` stores it with a checksum and drops data that
    // does not match. wgpu drops data of another adapter or driver.
    unsafe { device.create_pipeline_cache(&descriptor) }
}
