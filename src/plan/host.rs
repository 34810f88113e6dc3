//! Pieces of work on the host beside that of an engine: matrices of other crates, which are copied row by row, and
//! rconds.

/// Elements per piece on the CPU: few enough to stay in a core's cache. Pieces of 2^16 to 2^20 took up to twice as
/// long.
pub const HOST_CPU_PIECE: usize = 1 << 15;

/// Elements per piece on a GPU, where each piece is a trip to the device: enough for its chunks to overlap.
pub const HOST_GPU_PIECE: usize = 1 << 22;

/// Elements that one thread transposes: fewer are done before another thread wakes.
pub const HOST_TRANSPOSE: usize = 1 << 15;

/// Elements of matrices whose rconds one thread computes after an engine has returned.
pub const RCOND_PIECE: usize = 1 << 13;
