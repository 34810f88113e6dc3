//! The memory that calls go around, so that a cache does not flatter, and what is in it.

use batchinv::{InversesMut, Real, Scalar, Stack, Status};
use rayon::prelude::*;

use super::args::Configuration;
use super::machine;
use crate::exit::Failure;
use crate::npy;

/// Bytes to go around, in last-level caches: after that much other memory, a stack is in no cache any more.
const CACHES: usize = 4;

/// Bytes to go around where the cache is not known.
const UNKNOWN_CACHE: usize = 128 << 20;

/// Stacks of one shape, each with room for its inverses, one after another in memory.
pub struct Memory<T> {
    order: usize,
    len: usize,
    pub sets: usize,
    inputs: Vec<T>,
    outputs: Vec<T>,
    statuses: Vec<Status>,
    /// Less memory than there should be.
    pub short: bool,
}

impl<T: Scalar> Memory<T> {
    /// Fills and touches everything, so that no call pays for a page's first use.
    pub fn new(configuration: Configuration) -> Result<Self, Failure> {
        let Configuration { order, len, .. } = configuration;
        let set_bytes = 2 * configuration.stack_bytes();
        let available = machine::available_memory().unwrap_or(usize::MAX);
        // One set to go around, one to check and a fresh output need room.
        if set_bytes.saturating_mul(2) > available {
            return Err(Failure::input(format!(
                "{len} matrices of order {order} need {} MB to be timed, and {} MB are free; give a smaller --len",
                set_bytes.saturating_mul(2) / 1_000_000,
                available / 1_000_000
            )));
        }
        let wanted = machine::last_level_cache().map_or(UNKNOWN_CACHE, |cache| CACHES * cache).div_ceil(set_bytes);
        let sets = wanted.min(available / 2 / set_bytes).max(1);

        let elements = sets * len * order * order;
        let (mut inputs, mut outputs) = (npy::zeroed::<T>(elements)?, npy::zeroed::<T>(elements)?);
        let mut statuses = npy::zeroed::<Status>(sets * len)?;
        fill(&mut inputs);
        outputs.par_chunks_mut(PIECE).for_each(|piece| piece.fill(T::ONE));
        statuses.fill(Status::NOT_FINITE);
        Ok(Self { order, len, sets, inputs, outputs, statuses, short: sets < wanted })
    }

    pub fn input(&self, set: usize) -> Stack<'_, T> {
        let size = self.len * self.order * self.order;
        Stack::new(&self.inputs[set * size..][..size], self.order).expect("sets are whole stacks")
    }

    /// The inverses and statuses that the last call left in a set.
    pub fn answer(&self, set: usize) -> (&[T], &[Status]) {
        let size = self.len * self.order * self.order;
        (&self.outputs[set * size..][..size], &self.statuses[set * self.len..][..self.len])
    }

    /// A stack, and where its inverses go.
    pub fn set(&mut self, set: usize) -> (Stack<'_, T>, InversesMut<'_, T>) {
        let size = self.len * self.order * self.order;
        let input = Stack::new(&self.inputs[set * size..][..size], self.order).expect("sets are whole stacks");
        let statuses = &mut self.statuses[set * self.len..][..self.len];
        (input, InversesMut::new(&mut self.outputs[set * size..][..size], statuses))
    }

    /// The same memory as `set` for a plain copy.
    pub fn copy(&mut self, set: usize, threads: usize) {
        let size = self.len * self.order * self.order;
        let (from, to) = (&self.inputs[set * size..][..size], &mut self.outputs[set * size..][..size]);
        if threads == 1 {
            to.copy_from_slice(from);
        } else {
            let part = size.div_ceil(threads);
            to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        }
        std::hint::black_box(to);
    }
}

/// Elements that one task fills.
const PIECE: usize = 1 << 16;

/// Fills with numbers uniform between -1 and 1, both parts of complex ones; never 0, and the same in each run.
fn fill<T: Scalar>(elements: &mut [T]) {
    elements.par_chunks_mut(PIECE).enumerate().for_each(|(index, piece)| {
        let mut state = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let parts: &mut [T::Real] = bytemuck::cast_slice_mut(piece);
        for part in parts {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // An odd number of 24 bits, over 2^23: exact in float32, and 0 is none of them.
            let odd = (state >> 40) | 1;
            *part = T::Real::from_f64(odd as f64 / f64::from(1 << 23) - 1.0);
        }
    });
}

#[cfg(test)]
mod tests {
    use batchinv::Complex;

    use super::fill;

    #[test]
    fn random_numbers_are_never_zero_and_fill_the_interval() {
        let mut elements = vec![Complex::new(0.0_f32, 0.0); 200_000];
        fill(&mut elements);
        let parts: &[f32] = bytemuck::cast_slice(&elements);
        assert!(parts.iter().all(|part| *part != 0.0 && part.abs() < 1.0));
        let mean = parts.iter().map(|part| f64::from(*part)).sum::<f64>() / parts.len() as f64;
        let square = parts.iter().map(|part| f64::from(*part).powi(2)).sum::<f64>() / parts.len() as f64;
        assert!(mean.abs() < 0.01 && (square - 1.0 / 3.0).abs() < 0.01, "{mean} {square}");
        // Neighboring pieces are not the same numbers again.
        assert_ne!(elements[..100], elements[super::PIECE..][..100]);
    }
}
