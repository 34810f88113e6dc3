//! Prefetching memory into the caches during computation.
//!
//! A kernel reads and writes the matrices of a group in an order that the hardware does not foresee. Touching one byte
//! of each cache line beforehand, in order, brings them near.

use std::slice::Chunks;

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

/// The same memory in slices.
pub struct Slices<'a> {
    input: Chunks<'a, u8>,
    output: Chunks<'a, u8>,
}

impl<'a> Prefetch<'a> {
    #[inline(always)]
    pub fn new<T: Pod>(input: &'a [T], output: &'a [T]) -> Self {
        Self { input: bytemuck::cast_slice(input), output: bytemuck::cast_slice(output) }
    }

    /// Touches all of it.
    #[inline(always)]
    pub fn touch(&self) {
        touch(self.input);
        touch(self.output);
    }

    /// Cuts the memory into at most `count` slices.
    #[inline(always)]
    pub fn slices(&self, count: usize) -> Slices<'a> {
        let cut = |memory: &'a [u8]| memory.chunks((memory.len() / count + 1).next_multiple_of(LINE));
        Slices { input: cut(self.input), output: cut(self.output) }
    }
}

impl Slices<'_> {
    /// Touches the next slice.
    #[inline(always)]
    pub fn touch(&mut self) {
        touch(self.input.next().unwrap_or_default());
        touch(self.output.next().unwrap_or_default());
    }
}

#[inline(always)]
fn touch(memory: &[u8]) {
    for line in memory.chunks_exact(LINE) {
        prefetch(&line[0]);
    }
}
