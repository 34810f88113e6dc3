//! Bringing memory into the caches while there is something to compute.
//!
//! A group's matrices are read and written a row here and a row there, which the hardware does not foresee. Reading one byte
//! of each cache line beforehand, in order, it does.

use bytemuck::Pod;

use crate::trusted::prefetch;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Memory that is wanted soon.
pub struct Ahead<'a> {
    /// To be read.
    input: &'a [u8],
    /// To be written.
    output: &'a [u8],
}

impl<'a> Ahead<'a> {
    #[inline(always)]
    pub fn new<T: Pod>(input: &'a [T], output: &'a [T]) -> Self {
        Self { input: bytemuck::cast_slice(input), output: bytemuck::cast_slice(output) }
    }

    /// Asks for one of `parts` parts.
    #[inline(always)]
    pub fn touch(&self, part: usize, parts: usize) {
        for memory in [self.input, self.output] {
            let lines = memory.len() / LINE;
            for line in part * lines / parts..(part + 1) * lines / parts {
                prefetch(&memory[line * LINE]);
            }
        }
    }
}
