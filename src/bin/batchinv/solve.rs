//! `batchinv solve`: reads, solves, checks, writes and reports, piece by piece, with several pieces in flight.

pub mod args;
mod operand;
mod slot;
mod systems;

use std::time::Instant;

use batchinv::plan::Work;
use batchinv::{
    Columns, Complex, Error, Inverter, Precision, Scalar, ScalarKind, SolutionsMut, Stack, Status, solve_ratio,
};

use crate::check::{self, Piece};
use crate::determinants::Arrays;
use crate::exit::Failure;
use crate::input;
use crate::npy::Reader;
use crate::npy::elements::{Array, to_little_endian};
use crate::pieces::Pieces;
use crate::pipeline;
use crate::progress::Progress;
use crate::ratio::solve_bound;
use crate::report::tally::{Kind, Line, NOT_FINITE, SINGULAR, Tally};
use crate::report::{self, Account, Facts, Found, Seconds};
use crate::results::Results;
use crate::shape::Shape;
use crate::solve::args::Args;
use crate::solve::operand::Operand;
use crate::solve::slot::{Sizes, Slot};
use crate::solve::systems::Systems;

const THINGS: [&str; 2] = ["system", "systems"];

pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    // A refused solution must leave nothing behind.
    let keep = args.strict || args.verify;
    let results = Results::open(args.outputs(), &[&args.a, &args.b], keep, args.messages.json)?;
    let inverter = args.engine.inverter()?.on_failure(args.failed.into());
    let reading = Instant::now();
    let folder = results.folder();
    let a = operand::open(&args.a, Shape::matrices, &folder)?;
    let b = operand::open(&args.b, Shape::columns, &folder)?;
    let scalar = promoted(a.scalar(), b.scalar());
    let systems =
        Systems::new(a.shape(), b.shape()).map_err(|reason| Failure::input(reason).about(input::name(&args.b)))?;
    let job = Job { args, systems: &systems, results, inverter, readers: (a, b), start, reading };
    match scalar {
        ScalarKind::Float32 => job.run::<f32>(),
        ScalarKind::Float64 => job.run::<f64>(),
        ScalarKind::Complex64 => job.run::<Complex<f32>>(),
        ScalarKind::Complex128 => job.run::<Complex<f64>>(),
    }
}

/// The scalar that holds the values of both.
fn promoted(one: ScalarKind, two: ScalarKind) -> ScalarKind {
    let is_complex = |scalar| matches!(scalar, ScalarKind::Complex64 | ScalarKind::Complex128);
    match (is_complex(one) || is_complex(two), one.real_size().max(two.real_size())) {
        (false, 4) => ScalarKind::Float32,
        (false, _) => ScalarKind::Float64,
        (true, 4) => ScalarKind::Complex64,
        (true, _) => ScalarKind::Complex128,
    }
}

fn tally() -> Tally {
    let kinds = vec![Kind::new(SINGULAR, "singular"), Kind::new(NOT_FINITE, "not finite")];
    Tally::new("solved", vec![Line { things: THINGS, say: ["was not solved", "were not solved"], kinds }])
}

/// The parts of a run that do not depend on the scalar.
struct Job<'a> {
    args: &'a Args,
    systems: &'a Systems,
    results: Results,
    inverter: Inverter,
    /// Those of A and B.
    readers: (Reader, Reader),
    start: Instant,
    /// The time from which on headers were read.
    reading: Instant,
}

impl Job<'_> {
    fn run<T: Scalar>(self) -> Result<(), Failure> {
        let Self { args, systems, mut results, inverter, readers, start, reading } = self;
        let (precision, folder) = (args.engine.precision(), results.folder());
        // The engine is chosen once for all systems, so the result does not depend on the pieces.
        let work = Work::solve(T::KIND, systems.order, systems.width, systems.len).with_matrices(readers.0.shape().len);
        let work = work.with_precision(precision);
        let inverter = inverter.decided(work)?;
        let Operand { one: one_a, many: mut many_a } = Operand::<T>::new(&args.a, readers.0, systems, &folder)?;
        let Operand { one: one_b, many: mut many_b } = Operand::<T>::new(&args.b, readers.1, systems, &folder)?;
        let seconds = Seconds::reading(reading.elapsed().as_secs_f64());

        let many =
            [&many_a, &many_b].map(|many| many.as_ref().map_or((0, false), |many| (many.size(), many.is_fortran())));
        let [(a, a_fortran), (b, b_fortran)] = many;
        let sizes = Sizes { a, b, x: systems.order * systems.width };
        let bytes = |elements: usize| elements.saturating_mul(size_of::<T>());
        // Few bytes of input may broadcast to many of output.
        let most = bytes(sizes.x.max(a + b));
        let pieces = Pieces::new(systems.len, most, bytes(a + b + sizes.x), a_fortran || b_fortran);
        let log = args.det.as_ref().map(|_| args.log.log.is_some());
        let slots =
            (0..pieces.slots).map(|_| Slot::<T>::new(pieces.per_slot(), sizes, log)).collect::<Result<_, _>>()?;
        pieces.try_copy::<T>(systems.order * (systems.order + systems.width), precision == Precision::Double)?;

        let progress = Progress::new(systems.len, THINGS[1], args.channels().lines);
        let mut solving = Solving { args, systems, inverter, one_a, one_b, found: Found::new(tally()) };
        let times = pipeline::run(
            slots,
            pieces.ranges(),
            |slot, range| {
                slot.range = range.clone();
                if let Some(many) = &mut many_a {
                    many.fill(&mut slot.a[..range.len() * sizes.a], range.clone())?;
                }
                if let Some(many) = &mut many_b {
                    many.fill(&mut slot.b[..range.len() * sizes.b], range)?;
                }
                Ok(())
            },
            |slot| solving.piece(slot, sizes),
            |slot| {
                begin::<T>(args, systems, &mut results)?;
                write(args, slot, sizes.x, &mut results)?;
                progress.written(slot.range.len());
                Ok(())
            },
        )?;
        let finishing = Instant::now();
        progress.clear();
        results.finish()?;
        let places = systems.places.clone();
        let facts = Facts { name: None, things: THINGS, work, axes: &systems.axes, places };
        let mut account = Account::new(facts, solving.found, seconds, times);
        account.seconds.end(start, finishing);
        report::tell(&account, args.channels())
    }
}

/// Begins the arrays of STATUS, LOG, DET and X, as far as they were given, with the first piece.
fn begin<T: Scalar>(args: &Args, systems: &Systems, results: &mut Results) -> Result<(), Failure> {
    let leading = &systems.places.0;
    let status = args.status.as_ref().map(|_| Array::statuses(leading));
    let determinants = args.det.as_ref().map(|_| Arrays::<T>::headers(args.log.log.is_some(), leading));
    let solutions = Array::scalars::<T>(&systems.axes);
    results.begin(None, status.into_iter().chain(determinants.into_iter().flatten()).chain([solutions]))
}

/// Writes a piece to them.
fn write<T: Scalar>(args: &Args, slot: &mut Slot<T>, size: usize, results: &mut Results) -> Result<(), Failure> {
    let len = slot.range.len();
    let status = args.status.as_ref().map(|_| to_little_endian(&mut slot.statuses[..len], 4));
    let determinants = slot.determinants.as_mut().map(|(_, arrays)| arrays.bytes(len));
    let solutions = to_little_endian(&mut slot.x[..len * size], size_of::<T::Real>());
    results.append(status.into_iter().chain(determinants.into_iter().flatten()).chain([solutions]))
}

/// The step that computes, with its results so far.
struct Solving<'a, T> {
    args: &'a Args,
    systems: &'a Systems,
    inverter: Inverter,
    /// The matrix and the right-hand side that go with all systems, if there are such.
    one_a: Option<Vec<T>>,
    one_b: Option<Vec<T>>,
    found: Found,
}

impl<T: Scalar> Solving<'_, T> {
    fn piece(&mut self, slot: &mut Slot<T>, sizes: Sizes) -> Result<(), Failure> {
        let (first, len) = (slot.range.start, slot.range.len());
        let Systems { order, width, ref places, .. } = *self.systems;
        let a = match &self.one_a {
            Some(one) => Stack::with_len(one, order, 1),
            None => Stack::with_len(&slot.a[..len * sizes.a], order, len),
        };
        let b = match &self.one_b {
            Some(one) => Columns::with_len(one, order, width, 1),
            None => Columns::with_len(&slot.b[..len * sizes.b], order, width, len),
        };
        let (a, b) = (a.map_err(Error::from)?, b.map_err(Error::from)?);
        let (x, statuses) = (&mut slot.x[..len * sizes.x], &mut slot.statuses[..len]);
        let mut output = SolutionsMut::new(x, statuses);
        if let Some((determinants, _)) = &mut slot.determinants {
            output = output.with_determinants(&mut determinants[..len]);
        }
        let report = self.inverter.solve_into(a, b, output).map_err(|error| error.of_piece(first, self.systems.len))?;
        self.found.add(report);
        if let Some((determinants, arrays)) = &mut slot.determinants {
            arrays.fill(&determinants[..len]);
        }

        self.found.tally.add_statuses(statuses, first, places);
        let piece = Piece { thing: THINGS[0], result: "solution", first, places };
        if self.args.strict {
            check::strict(statuses, None, piece)?;
        }
        if self.args.verify {
            self.found.verified(|| verify(a, b, x, statuses, piece))?;
        }
        Ok(())
    }
}

/// Returns the largest ratio of all solutions, or fails on the first one whose ratio is too large.
fn verify<T: Scalar>(
    a: Stack<'_, T>,
    b: Columns<'_, T>,
    x: &[T],
    statuses: &[Status],
    piece: Piece<'_>,
) -> Result<f64, Failure> {
    let (order, size) = (b.order(), b.order() * b.width());
    check::verify(statuses.len(), solve_bound(order), piece, |position| {
        let of = |len| if len == 1 { 0 } else { position };
        let (a, b, x) = (a.matrix(of(a.len())), b.matrix(of(b.len())), &x[position * size..][..size]);
        statuses[position].is_inverted().then(|| solve_ratio(a, x, b, order))
    })
}
