//! Prefetching memory into the caches during computation.
//!
//! A kernel reads and writes the matrices of a group in an order that the hardware does not foresee. Touching one byte
//! of each cache line beforehand, in order, brings them near.

use bytemuck::Pod;

use crate::trusted::prefetch;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Memory that is used soon.
pub struct Prefetch<'a> {
    /// Memory to read.
    input: &'a [u8],
    /// Memory to write.
    output: &'a [u8],
}

impl<'a> Prefetch<'a> {
    #[inline(always)]
    pub fn new<T: Pod>(input: &'a [T], output: &'a [T]) -> Self {
        Self { input: bytemuck::cast_slice(input), output: bytemuck::cast_slice(output) }
    }

    /// Touches slice `index` of `count` equal slices.
    #[inline(always)]
    pub fn touch(&self, index: usize, count: usize) {
        for memory in [self.input, self.output] {
            let lines = memory.len() / LINE;
            for line in index * lines / count..(index + 1) * lines / count {
                prefetch(&memory[line * LINE]);
            }
        }
    }
}
