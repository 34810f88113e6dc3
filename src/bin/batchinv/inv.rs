//! `batchinv inv`: reads, inverts, checks, writes and reports, piece by piece, with several pieces in flight.

pub mod args;
mod slot;

use std::time::Instant;

use batchinv::plan::Work;
use batchinv::{Complex, Error, InversesMut, Inverter, Precision, Scalar, ScalarKind, Stack, Status, residual_ratio};

use crate::arrays::{self, Array};
use crate::check::{self, Piece};
use crate::exit::Failure;
use crate::input;
use crate::inv::args::{Args, Failed};
use crate::inv::slot::{Parts, Slot};
use crate::npy::elements::{self, to_little_endian};
use crate::pieces::Pieces;
use crate::pipeline;
use crate::progress::Progress;
use crate::ratio::bound;
use crate::report::tally::{ILL_CONDITIONED, Kind, Line, NOT_FINITE, SINGULAR, Tally};
use crate::report::{Account, Facts, Found, Seconds};
use crate::results::Results;
use crate::shape::{Places, Shape};

const THINGS: [&str; 2] = ["matrix", "matrices"];

pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    // A refused matrix must leave nothing behind.
    let keep = args.strict || args.verify;
    let results = Results::open(args.outputs(), &[&args.input], keep, args.messages.json)?;
    let inverter = with_options(args.engine.inverter()?, args);
    arrays::each(&args.input, results, args.channels(), start, |array, results| {
        let scalar = array.reader.scalar();
        let job = Job { args, array, results, inverter: &inverter };
        match scalar {
            ScalarKind::Float32 => job.run::<f32>(),
            ScalarKind::Float64 => job.run::<f64>(),
            ScalarKind::Complex64 => job.run::<Complex<f32>>(),
            ScalarKind::Complex128 => job.run::<Complex<f64>>(),
        }
    })
}

/// The options of inverses, which hold for either engine.
fn with_options(inverter: Inverter, args: &Args) -> Inverter {
    inverter.rcond_of(args.rcond_of.into()).min_rcond(args.min_rcond.unwrap_or(0.0)).on_failure(args.failed.into())
}

fn tally() -> Tally {
    let missing = vec![Kind::new(SINGULAR, "singular"), Kind::new(NOT_FINITE, "not finite")];
    let ill_conditioned = vec![Kind::new(ILL_CONDITIONED, "")];
    let lines = vec![
        Line { things: THINGS, say: ["has no inverse", "have no inverse"], kinds: missing },
        Line { things: THINGS, say: ["is ill-conditioned", "are ill-conditioned"], kinds: ill_conditioned },
    ];
    Tally::new("inverted", lines)
}

/// The parts of a run that do not depend on the scalar.
struct Job<'a> {
    args: &'a Args,
    array: Array<'a>,
    results: &'a mut Results,
    inverter: &'a Inverter,
}

impl Job<'_> {
    fn run<T: Scalar>(self) -> Result<Account, Failure> {
        let Self { args, array: Array { name, mut reader, start }, results, inverter } = self;
        let seconds = Seconds::reading(start.elapsed().as_secs_f64());
        let shape = reader.shape().clone();
        let places = shape.places();
        let precision = args.engine.precision();
        let work = Work::inverse(T::KIND, shape.order, shape.len).with_precision(precision);
        // The engine is chosen once for the whole array, so the result does not depend on the pieces.
        let inverter = inverter.decided(work)?;
        let rcond = args.rcond.is_some();
        let matrix = shape.size() * size_of::<T>();
        let pieces = Pieces::new(shape.len, matrix, 2 * matrix, reader.is_fortran());
        // A matrix that is needed later stays; two others that are larger than a piece might not fit into memory.
        let kept = args.verify || rcond || args.min_rcond.is_some() || args.failed == Failed::Input;
        let slot = |_| Slot::<T>::new(pieces.per_slot(), shape.order, pieces.large && !kept, rcond);
        let slots = (0..pieces.slots).map(slot).collect::<Result<_, _>>()?;
        pieces.try_copy::<T>(shape.size(), precision == Precision::Double)?;

        let progress = Progress::new(shape.len, THINGS[1], args.channels().lines);
        let found = Found::new(tally());
        let mut inverting = Inverting { args, shape: &shape, places: &places, inverter, found };
        let times = pipeline::run(
            slots,
            pieces.ranges(),
            |slot, range| {
                slot.range = range;
                let len = slot.range.len();
                reader.fill(slot.parts().matrices, len).map_err(input::about(name, &args.input))
            },
            |slot| inverting.piece(slot),
            |slot| {
                begin::<T>(args, name, &shape, results)?;
                write(args, slot, results)?;
                progress.written(slot.range.len());
                Ok(())
            },
        )?;
        let finishing = Instant::now();
        progress.clear();
        results.end()?;
        let found = inverting.found;
        let facts = Facts { name, things: THINGS, work, axes: &shape.axes, places };
        let mut account = Account::new(facts, found, seconds, times);
        account.seconds.end(start, finishing);
        Ok(account)
    }
}

/// Begins the arrays of STATUS, RCOND and OUTPUT, as far as they were given, with the first piece.
fn begin<T: Scalar>(args: &Args, name: Option<&str>, shape: &Shape, results: &mut Results) -> Result<(), Failure> {
    let (status, rcond) = (args.status.as_ref(), args.rcond.as_ref());
    let arrays = [
        status.map(|_| elements::Array::statuses(shape.leading())),
        rcond.map(|_| elements::Array::scalars::<T::Real>(shape.leading())),
        Some(elements::Array::scalars::<T>(&shape.axes)),
    ];
    results.begin(name, arrays.into_iter().flatten())
}

/// Writes a piece to them.
fn write<T: Scalar>(args: &Args, slot: &mut Slot<T>, results: &mut Results) -> Result<(), Failure> {
    let Parts { matrices, inverses, statuses, rconds } = slot.parts();
    let inverses = if inverses.is_empty() { matrices } else { inverses };
    let part = size_of::<T::Real>();
    let parts = [
        args.status.as_ref().map(|_| to_little_endian::<Status>(statuses, 4)),
        args.rcond.as_ref().map(|_| to_little_endian(rconds, part)),
        Some(to_little_endian(inverses, part)),
    ];
    results.append(parts.into_iter().flatten())
}

/// The step that computes, with its results so far.
struct Inverting<'a> {
    args: &'a Args,
    shape: &'a Shape,
    places: &'a Places,
    inverter: Inverter,
    found: Found,
}

impl Inverting<'_> {
    fn piece<T: Scalar>(&mut self, slot: &mut Slot<T>) -> Result<(), Failure> {
        let first = slot.range.start;
        let len = slot.range.len();
        let Parts { matrices, inverses, statuses, rconds } = slot.parts();
        let order = self.shape.order;
        let rconds = self.args.rcond.is_some().then_some(rconds);
        let room = |elements, statuses| match rconds {
            None => InversesMut::new(elements, statuses),
            Some(rconds) => InversesMut::new(elements, statuses).with_rconds(rconds),
        };
        let report = if inverses.is_empty() {
            self.inverter.invert_in_place(order, room(&mut *matrices, &mut *statuses))
        } else {
            let stack = Stack::with_len(matrices, order, len).map_err(Error::from)?;
            self.inverter.invert_into(stack, room(&mut *inverses, &mut *statuses))
        };
        let mut report = report.map_err(|error| error.of_piece(first, self.shape.len))?;
        report.gpu_failure = report.gpu_failure.map(|failure| failure.of_piece(first, self.shape.len));
        if report.gpu_failure.is_some() {
            // The bits depend on the engine, so the CPU keeps the rest.
            self.inverter = with_options(Inverter::cpu().precision(self.args.engine.precision()), self.args);
        }
        self.found.add(report);
        self.found.tally.add_statuses(statuses, first, self.places);
        let piece = Piece { thing: THINGS[0], result: "inverse", first, places: self.places };
        if self.args.strict {
            check::strict(statuses, self.args.min_rcond, piece)?;
        }
        if self.args.verify {
            let stack = Stack::with_len(matrices, order, len).map_err(Error::from)?;
            self.found.verified(|| verify(stack, inverses, statuses, piece))?;
        }
        Ok(())
    }
}

/// Returns the largest ratio of all inverses, or fails on the first inverse whose ratio is too large.
fn verify<T: Scalar>(
    stack: Stack<'_, T>,
    inverses: &[T],
    statuses: &[Status],
    piece: Piece<'_>,
) -> Result<f64, Failure> {
    let n = stack.order();
    check::verify(stack.len(), bound::<T>(n), piece, |position| {
        let inverse = &inverses[position * n * n..][..n * n];
        statuses[position].has_inverse().then(|| residual_ratio(stack.matrix(position), inverse, n))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(places: &Places) -> Piece<'_> {
        Piece { thing: "matrix", result: "inverse", first: 0, places }
    }

    /// The reciprocal of a complex number rounds more often than the inverse of a larger matrix.
    #[test]
    fn reciprocals_are_right() {
        let elements = [Complex::new(-0.5842573774506101_f64, 0.43664484693769134)];
        let stack = Stack::new(&elements, 1).unwrap();
        let inverses = Inverter::cpu().invert(stack).unwrap();
        let ratio = verify(stack, inverses.stack().elements(), inverses.statuses(), piece(&Places(vec![1]))).unwrap();
        assert!(ratio < 4.1, "{ratio}");
    }

    /// No engine returns a wrong inverse on demand, so the test makes some up.
    #[test]
    fn verify_names_the_first_wrong_inverse() {
        let places = Places(vec![2, 2]);
        let elements = [2.0_f64, 4.0, 0.0, 8.0];
        let stack = Stack::new(&elements, 1).unwrap();
        let mut statuses = [Status::INVERTED; 4];
        statuses[2] = Status::NOT_FINITE; // never looked at

        let right = verify(stack, &[0.5, 0.25, f64::NAN, 0.125], &statuses, piece(&places));
        assert!(matches!(right, Ok(ratio) if ratio < 1.0));
        for wrong in [0.25 + 1e-14, f64::NAN, f64::INFINITY, 0.0] {
            let failure = verify(stack, &[0.5, wrong, f64::NAN, 0.126], &statuses, piece(&places)).unwrap_err();
            assert!(format!("{failure:?}").contains("Refused"), "{failure:?}");
            assert!(format!("{failure:?}").contains("matrix (0, 1) has residual ratio"), "{failure:?}");
        }
    }
}
