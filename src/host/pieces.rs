//! Slices, cut into pieces whose elements fit a cache.

use rayon::prelude::*;

use crate::data::clock::Instant;
use crate::data::determinant::Determinant;
use crate::data::engine::Engine;
use crate::data::error::Error;
use crate::data::report::Report;
use crate::data::scalar::Scalar;
use crate::inverter::options::Inverter;
use crate::plan::host::{HOST_CPU_PIECE, HOST_GPU_PIECE};
use crate::plan::work::Work;

/// The slices that a call reads and writes, with one item for each matrix.
pub trait Slices: Sized + Send {
    /// The type of all elements.
    type Scalar: Scalar;
    /// Memory for the elements of a piece.
    type Memory;

    /// Memory for no elements yet.
    fn memory() -> Self::Memory;

    /// The number of items.
    fn len(&self) -> usize;

    /// The number of elements that are copied for one item.
    fn size(&self) -> usize;

    /// The items before `at`, and those from there on.
    fn split_at(self, at: usize) -> (Self, Self);

    /// Does the work on all items at once.
    fn run(self, memory: &mut Self::Memory, inverter: &Inverter) -> Result<Done<Self::Scalar>, Error>;
}

/// The values beside the results, and the account of what ran.
pub type Done<T> = (Beside<T>, Report);

/// The values beside the results, if the call asked for them.
pub struct Beside<T: Scalar> {
    pub rconds: Option<Vec<T::Real>>,
    pub determinants: Option<Vec<Determinant<T>>>,
}

impl<T: Scalar> Beside<T> {
    /// Appends what stands beside the results of the next piece.
    fn extend(&mut self, next: Self) {
        if let Some((rconds, next)) = self.rconds.as_mut().zip(next.rconds) {
            rconds.extend(next);
        }
        if let Some((determinants, next)) = self.determinants.as_mut().zip(next.determinants) {
            determinants.extend(next);
        }
    }
}

/// Does `work` in pieces. An empty slice is one empty piece: its report says what would have run.
pub fn by_pieces<S: Slices>(inverter: &Inverter, work: Work, slices: S) -> Result<Done<S::Scalar>, Error> {
    // Decided once for all pieces: neither the engine nor the bits depend on where they end.
    let inverter = inverter.decided(work)?;
    let on_gpu = inverter.decided_engine() == Some(Engine::Gpu);
    let elements = if on_gpu { HOST_GPU_PIECE } else { HOST_CPU_PIECE };
    let piece = (elements / slices.size().max(1)).max(1);
    if slices.len() <= piece {
        return slices.run(&mut S::memory(), &inverter);
    }
    if on_gpu {
        return one_by_one(inverter, piece, slices);
    }
    let start = Instant::now();
    let pieces = cut(slices, piece);
    let run = |memory: &mut S::Memory, piece: S| piece.run(memory, &inverter);
    let done = if inverter.is_parallel() {
        inverter.share(|| pieces.into_par_iter().map_init(S::memory, run).collect::<Result<Vec<_>, Error>>())?
    } else {
        let mut memory = S::memory();
        pieces.into_iter().map(|piece| run(&mut memory, piece)).collect::<Result<Vec<_>, Error>>()?
    };
    let (beside, mut report) = merge(done);
    // The pieces ran side by side, and none went to a device.
    (report.chunks, report.seconds.dispatch) = (1, start.elapsed().as_secs_f64());
    Ok((beside, report))
}

/// Does pieces on a GPU one after another: each overlaps within itself. Once the GPU has failed, the CPU takes the
/// rest.
fn one_by_one<S: Slices>(mut inverter: Inverter, piece: usize, slices: S) -> Result<Done<S::Scalar>, Error> {
    let total = slices.len();
    let mut memory = S::memory();
    let mut done = Vec::new();
    for (i, slices) in cut(slices, piece).into_iter().enumerate() {
        let rebased = |error: Error| error.of_piece(i * piece, total);
        let (beside, mut report) = slices.run(&mut memory, &inverter).map_err(rebased)?;
        report.gpu_failure = report.gpu_failure.map(rebased);
        if report.gpu_failure.is_some() {
            inverter = inverter.on_cpu();
        }
        done.push((beside, report));
    }
    Ok(merge(done))
}

/// Pieces of this many items; the last one may have fewer.
fn cut<S: Slices>(mut rest: S, piece: usize) -> Vec<S> {
    let mut pieces = Vec::with_capacity(rest.len().div_ceil(piece));
    while rest.len() > piece {
        let (first, others) = rest.split_at(piece);
        pieces.push(first);
        rest = others;
    }
    pieces.push(rest);
    pieces
}

/// The results of successive pieces as one.
fn merge<T: Scalar>(pieces: Vec<Done<T>>) -> Done<T> {
    let merged = pieces.into_iter().reduce(|(mut beside, mut report), (next_beside, next)| {
        beside.extend(next_beside);
        report += next;
        (beside, report)
    });
    merged.unwrap_or_else(|| unreachable!("there is at least one piece"))
}
