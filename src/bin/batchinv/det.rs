//! `batchinv det`: reads, computes determinants, writes and reports, piece by piece, with several pieces in flight.

pub mod args;

use std::ops::Range;
use std::time::Instant;

use batchinv::plan::Work;
use batchinv::{Complex, Determinant, Error, Inverter, Precision, Scalar, ScalarKind, Stack};

use crate::arrays::{self, Array};
use crate::det::args::Args;
use crate::determinants::Arrays;
use crate::exit::Failure;
use crate::input;
use crate::memory::zeroed;
use crate::pieces::Pieces;
use crate::pipeline;
use crate::progress::Progress;
use crate::report::tally::{Kind, Line, NOT_FINITE, SINGULAR, Tally};
use crate::report::{Account, Facts, Found, Seconds};
use crate::results::Results;
use crate::shape::Places;

const THINGS: [&str; 2] = ["determinant", "determinants"];

/// The key of determinants that overflow or underflow.
const OUT_OF_RANGE: &str = "out_of_range";

pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let results = Results::open(args.outputs(), &[&args.input], false, args.messages.json)?;
    let inverter = args.engine.inverter()?;
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

/// One piece, with room for its results.
struct Slot<T: Scalar> {
    range: Range<usize>,
    matrices: Vec<T>,
    determinants: Arrays<T>,
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
        let (precision, log, size) = (args.engine.precision(), args.log.log.is_some(), shape.size());
        // The engine is chosen once for the whole array, so the result does not depend on the pieces.
        let work = Work::det(T::KIND, shape.order, shape.len).with_precision(precision);
        let inverter = inverter.decided(work)?;
        let matrix = size * size_of::<T>();
        let pieces = Pieces::new(shape.len, matrix, matrix, reader.is_fortran());
        let slot = |_| {
            let len = pieces.per_slot();
            Ok(Slot { range: 0..0, matrices: zeroed::<T>(len * size)?, determinants: Arrays::new(len, log)? })
        };
        let slots = (0..pieces.slots).map(slot).collect::<Result<_, Failure>>()?;
        pieces.try_copy::<T>(size, precision == Precision::Double)?;

        let progress = Progress::new(shape.len, THINGS[1], args.channels().lines);
        let mut found = Found::new(tally());
        let times = pipeline::run(
            slots,
            pieces.ranges(),
            |slot, range| {
                let len = range.len();
                slot.range = range;
                reader.fill(&mut slot.matrices[..len * size], len).map_err(input::about(name, &args.input))
            },
            |slot| {
                let len = slot.range.len();
                let stack = Stack::with_len(&slot.matrices[..len * size], shape.order, len).map_err(Error::from)?;
                let done = inverter.determinants(stack).map_err(|error| error.of_piece(slot.range.start, shape.len))?;
                found.add(done.report);
                count(&mut found.tally, &done.values, log, slot.range.start, &places);
                slot.determinants.fill(&done.values);
                Ok(())
            },
            |slot| {
                results.begin(name, Arrays::<T>::headers(log, shape.leading()))?;
                results.append(slot.determinants.bytes(slot.range.len()))?;
                progress.written(slot.range.len());
                Ok(())
            },
        )?;
        let finishing = Instant::now();
        progress.clear();
        results.end()?;
        let facts = Facts { name, things: THINGS, work, axes: &shape.axes, places };
        let mut account = Account::new(facts, found, seconds, times);
        account.seconds.end(start, finishing);
        Ok(account)
    }
}

fn tally() -> Tally {
    let none = vec![Kind::new(SINGULAR, "singular"), Kind::new(NOT_FINITE, "not finite")];
    let beyond = vec![Kind::new(OUT_OF_RANGE, "")];
    let lines = vec![
        Line { things: THINGS, say: ["is 0 or NaN", "are 0 or NaN"], kinds: none },
        Line { things: THINGS, say: ["overflows or underflows", "overflow or underflow"], kinds: beyond },
    ];
    Tally::new("nonzero", lines)
}

/// Counts the determinants of the piece that begins at position `first`. Logarithms neither overflow nor underflow.
fn count<T: Scalar>(tally: &mut Tally, determinants: &[Determinant<T>], log: bool, first: usize, places: &Places) {
    for (position, determinant) in (first..).zip(determinants) {
        let (mantissa, value) = (determinant.mantissa(), determinant.value());
        if mantissa == T::ZERO {
            tally.add(SINGULAR, position, None, places);
        } else if !mantissa.finite() {
            tally.add(NOT_FINITE, position, None, places);
        } else if !log && (value == T::ZERO || !value.finite()) {
            tally.add(OUT_OF_RANGE, position, None, places);
        } else {
            tally.add_good();
        }
    }
}
