//! `--strict` and `--verify`, for one piece.

use batchinv::{Status, Verdict};
use rayon::prelude::*;

use crate::exit::Failure;
use crate::shape::Places;

/// A piece: the words for its parts, and where it lies among all of them.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    /// `matrix` or `system`.
    pub thing: &'static str,
    /// `inverse` or `solution`.
    pub result: &'static str,
    /// The position of the first.
    pub first: usize,
    pub places: &'a Places,
}

impl Piece<'_> {
    fn name(&self, position: usize) -> String {
        self.places.of(self.thing, self.first + position)
    }
}

/// Fails on the first status other than 0, in NumPy's words, or for an rcond below the least that is allowed.
pub fn strict(statuses: &[Status], least: Option<f64>, piece: Piece<'_>) -> Result<(), Failure> {
    let Some(position) = statuses.iter().position(|status| !status.is_inverted()) else { return Ok(()) };
    let (name, result) = (piece.name(position), piece.result);
    Err(Failure::refused(match statuses[position].verdict() {
        Verdict::Singular { column } => {
            format!("Singular matrix: in {name}, the pivot of column {column} is exactly zero")
        }
        Verdict::IllConditioned => {
            format!("ill-conditioned: the rcond of {name} is below {:e}", least.unwrap_or(0.0))
        }
        _ => format!("not finite: {name} holds NaN or infinity, or its {result} overflows"),
    }))
}

/// Returns the largest ratio of all results, or fails on the first one whose ratio is not below `bound`. `ratio` of a
/// position is `None` where there is no result.
pub fn verify(
    len: usize,
    bound: f64,
    piece: Piece<'_>,
    ratio: impl Fn(usize) -> Option<f64> + Sync,
) -> Result<f64, Failure> {
    let check = |position: usize| match ratio(position) {
        None => Ok(0.0),
        Some(ratio) if ratio < bound => Ok(ratio),
        // A ratio of NaN is wrong, too.
        Some(ratio) => Err((position, ratio)),
    };
    let worst = (0..len).into_par_iter().map(check).reduce(
        || Ok(0.0),
        |left, right| match (left, right) {
            (Ok(left), Ok(right)) => Ok(f64::max(left, right)),
            (Err(left), Err(right)) => Err(if left.0 < right.0 { left } else { right }),
            (Err(first), _) | (_, Err(first)) => Err(first),
        },
    );
    worst.map_err(|(position, ratio)| {
        let (name, result) = (piece.name(position), piece.result);
        Failure::refused(format!("wrong {result}: {name} has residual ratio {ratio:.3}, not below {bound}"))
    })
}
