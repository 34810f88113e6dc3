//! The memory that successive calls cycle through, so that they do not find their data in a cache.

use batchinv::{Columns, Determinant, Real, Scalar, Stack, Status};
use rayon::prelude::*;

use crate::bench::args::{Configuration, Elements};
use crate::bench::call::{Input, Room};
use crate::bench::machine;
use crate::exit::Failure;
use crate::memory::zeroed;

/// Size of the memory in last-level caches: after calls on that much other memory, no cache holds a stack any more.
const CACHES: usize = 4;

/// Bytes of memory if the size of the cache is unknown.
const UNKNOWN_CACHE: usize = 128 << 20;

/// Stacks of one shape, each with room for its answer, one after another in memory.
pub struct Memory<T> {
    configuration: Configuration,
    elements: Elements,
    pub sets: usize,
    /// In each set, first the matrices, then the right-hand sides.
    inputs: Vec<T>,
    /// In each set, as many as the copy writes. The answer takes the first of them.
    outputs: Vec<T>,
    statuses: Vec<Status>,
    /// None, unless they are what is computed.
    determinants: Vec<Determinant<T>>,
    /// True if there was less free memory than wanted.
    pub short: bool,
}

impl<T: Scalar> Memory<T> {
    /// Fills all memory, so that no call pays for the first use of a page.
    pub fn new(configuration: Configuration) -> Result<Self, Failure> {
        let Configuration { order, len, .. } = configuration;
        let elements = configuration.elements();
        let set_bytes = (elements.input + elements.copied) * size_of::<T>();
        let available = machine::available_memory().unwrap_or(usize::MAX);
        // At least one set, one more for the check, and a fresh output must fit.
        if set_bytes.saturating_mul(2) > available {
            return Err(Failure::input(format!(
                "{len} matrices of order {order} need {} MB to be timed, and {} MB are free; give a smaller --len",
                set_bytes.saturating_mul(2) / 1_000_000,
                available / 1_000_000
            )));
        }
        let wanted = machine::last_level_cache().map_or(UNKNOWN_CACHE, |cache| CACHES * cache).div_ceil(set_bytes);
        let sets = wanted.min(available / 2 / set_bytes).max(1);

        let (mut inputs, mut outputs) = (zeroed::<T>(sets * elements.input)?, zeroed::<T>(sets * elements.copied)?);
        let mut statuses = zeroed::<Status>(sets * len)?;
        fill(&mut inputs);
        outputs.par_chunks_mut(PIECE).for_each(|piece| piece.fill(T::ONE));
        statuses.fill(Status::NOT_FINITE);
        let mut determinants = zeroed(sets * configuration.determinants())?;
        determinants.fill(Determinant::ONE);
        let short = sets < wanted;
        Ok(Self { configuration, elements, sets, inputs, outputs, statuses, determinants, short })
    }

    pub fn input(&self, set: usize) -> Input<'_, T> {
        input(self.configuration, &self.inputs[set * self.elements.input..][..self.elements.input])
    }

    /// A stack, and room for its answer, where that of the last call is.
    pub fn set(&mut self, set: usize) -> (Input<'_, T>, Room<'_, T>) {
        let Elements { input: size, output, copied } = self.elements;
        let (len, determinants) = (self.configuration.len, self.configuration.determinants());
        let room = Room {
            elements: &mut self.outputs[set * copied..][..output],
            statuses: &mut self.statuses[set * len..][..len],
            determinants: &mut self.determinants[set * determinants..][..determinants],
        };
        (input(self.configuration, &self.inputs[set * size..][..size]), room)
    }

    /// Copies within the memory of `set`, reading and writing as many bytes as a call does.
    pub fn copy(&mut self, set: usize, threads: usize) {
        let Elements { input, copied, .. } = self.elements;
        let (from, to) = (&self.inputs[set * input..][..copied], &mut self.outputs[set * copied..][..copied]);
        if threads == 1 {
            to.copy_from_slice(from);
        } else {
            let part = copied.div_ceil(threads);
            to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        }
        std::hint::black_box(to);
    }
}

/// The matrices and right-hand sides among the elements of a set.
fn input<T: Scalar>(configuration: Configuration, elements: &[T]) -> Input<'_, T> {
    let Configuration { op, order, width, len, .. } = configuration;
    let (a, b) = elements.split_at(len * order * order);
    let a = Stack::with_len(a, order, len).expect("sets are whole stacks");
    Input { op, a, b: Columns::with_len(b, order, width, len).expect("sets are whole stacks") }
}

/// Elements per task.
const PIECE: usize = 1 << 16;

/// Fills with numbers uniform between -1 and 1, in both parts of complex elements; never 0, and the same in each run.
fn fill<T: Scalar>(elements: &mut [T]) {
    elements.par_chunks_mut(PIECE).enumerate().for_each(|(index, piece)| {
        let mut state = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let parts: &mut [T::Real] = bytemuck::cast_slice_mut(piece);
        for part in parts {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // An odd number of 24 bits divided by 2^23 is exact in float32, and minus 1 it is never 0.
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
        // Neighboring pieces hold different numbers.
        assert_ne!(elements[..100], elements[super::PIECE..][..100]);
    }
}
