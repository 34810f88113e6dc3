//! Memory that may be missing: a lack of it is an error, where the allocator would abort the program.

use std::hint::black_box;

use bytemuck::Zeroable;

use crate::exit::Failure;

/// Allocates `len` elements of zero bytes, or fails if there is not enough memory.
pub fn zeroed<T: Zeroable>(len: usize) -> Result<Vec<T>, Failure> {
    bytemuck::allocation::try_zeroed_vec(len).map_err(|()| {
        let bytes = len.saturating_mul(size_of::<T>());
        Failure::io(format!("not enough memory: {bytes} bytes are needed at once"))
    })
}

/// Fails if blocks of these many bytes cannot be allocated now, one beside the other.
pub fn check<const N: usize>(blocks: [usize; N]) -> Result<(), Failure> {
    let mut held = Vec::with_capacity(N);
    for bytes in blocks {
        held.push(zeroed::<u8>(bytes)?);
    }
    // The compiler may drop an allocation that nothing looks at.
    black_box(held);
    Ok(())
}
