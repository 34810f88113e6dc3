//! `batchinv inv`: reads, inverts, checks, writes and reports, piece by piece, with several pieces in flight.

pub mod args;
mod check;
mod pieces;
mod pipeline;
mod progress;
mod report;
mod results;

use std::time::Instant;

use batchinv::gpu::GpuInverter;
use batchinv::plan::Work;
use batchinv::{Complex, Error, InversesMut, Inverter, Precision, Report, Scalar, ScalarKind, Stack};

use crate::exit::Failure;
use crate::input::{self, Opened};
use crate::inv::args::{Args, Engine, Failed};
use crate::inv::pieces::{Parts, Pieces, Slot};
use crate::inv::progress::Progress;
use crate::inv::report::{Account, Seconds, Tally, merge};
use crate::inv::results::Results;
use crate::npy::Reader;
use crate::npz::directory::shown;
use crate::shape::Shape;

pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let mut results = Results::open(args)?;
    let inverter = inverter(args)?;
    let reading = Instant::now();
    let folder = results.folder();
    match input::open(&args.input, &folder)? {
        Opened::Array(reader) => {
            let mut account = array(args, None, &inverter, &mut results, reader, reading)?;
            let finishing = Instant::now();
            results.finish()?;
            account.seconds.write += finishing.elapsed().as_secs_f64();
            account.seconds.total = start.elapsed().as_secs_f64();
            report::tell(&account, args)
        }
        Opened::Archive(archive) => {
            results.be_archives()?;
            let mut accounts = Vec::with_capacity(archive.entries.len());
            for entry in &archive.entries {
                let reading = Instant::now();
                let reader = archive.reader(entry, &folder);
                let done = reader.and_then(|it| array(args, Some(&entry.name), &inverter, &mut results, it, reading));
                let subject = || format!("{}, array {}", input::name(&args.input), shown(&entry.name));
                accounts.push(done.map_err(|error| error.about(subject()))?);
            }
            results.finish()?;
            report::tell_all(&accounts, start.elapsed().as_secs_f64(), args)
        }
    }
}

/// Inverts one array, which has a name in an archive and whose header was read from `start` on.
fn array(
    args: &Args,
    name: Option<&str>,
    inverter: &Inverter,
    results: &mut Results<'_>,
    reader: Reader,
    start: Instant,
) -> Result<Account, Failure> {
    let mut seconds = Seconds::default();
    seconds.read = start.elapsed().as_secs_f64();
    let scalar = reader.scalar();
    let job = Job { args, name, start, seconds, results, inverter, reader };
    match scalar {
        ScalarKind::Float32 => job.run::<f32>(),
        ScalarKind::Float64 => job.run::<f64>(),
        ScalarKind::Complex64 => job.run::<Complex<f32>>(),
        ScalarKind::Complex128 => job.run::<Complex<f64>>(),
    }
}

/// The engine of `--engine`, `--adapter` and `--precision`.
fn inverter(args: &Args) -> Result<Inverter, Failure> {
    let (adapter, drivers) = (args.adapter.as_deref(), args.drivers.allowed());
    let inverter = match (args.engine, adapter) {
        (Engine::Cpu, _) => Inverter::cpu(),
        (Engine::Gpu, _) => Inverter::with_gpu(GpuInverter::open_with(adapter, drivers)?),
        (Engine::Auto, Some(name)) => Inverter::auto().adapter(name).drivers(drivers),
        (Engine::Auto, None) => Inverter::auto().drivers(drivers),
    };
    let inverter = with_options(inverter, args);
    // Faults belong to a thread; this is the one that inverts.
    #[cfg(feature = "testing")]
    if let Ok(fault) = std::env::var("BATCHINV_TEST_FAULT") {
        batchinv::gpu::faults::arm_by_name(&fault).map_err(Failure::input)?;
    }
    // Lets the automatic path run end to end on machines that have only a software adapter.
    #[cfg(feature = "testing")]
    if std::env::var_os("BATCHINV_TEST_AUTO").is_some_and(|value| value == "software") {
        return Ok(inverter.auto_policy(batchinv::plan::AutoPolicy::SoftwareCounts));
    }
    Ok(inverter)
}

/// The options that hold for either engine.
fn with_options(inverter: Inverter, args: &Args) -> Inverter {
    inverter
        .precision(args.working_precision.into())
        .rcond_of(args.rcond_of.into())
        .min_rcond(args.min_rcond.unwrap_or(0.0))
        .on_failure(args.failed.into())
}

/// The parts of a run that do not depend on the scalar.
struct Job<'a, 'b> {
    args: &'a Args,
    name: Option<&'a str>,
    start: Instant,
    seconds: Seconds,
    results: &'a mut Results<'b>,
    inverter: &'a Inverter,
    reader: Reader,
}

impl Job<'_, '_> {
    fn run<T: Scalar>(self) -> Result<Account, Failure> {
        let Self { args, name, start, mut seconds, results, inverter, mut reader } = self;
        let shape = reader.shape().clone();
        let work = Work::inverse(T::KIND, shape.order, shape.len).with_precision(args.working_precision.into());
        // The engine is chosen once for the whole array, so the result does not depend on the pieces.
        let inverter = inverter.decided(work)?;
        let rcond = args.rcond.is_some();
        let kept = args.verify || rcond || args.min_rcond.is_some() || args.failed == Failed::Input;
        let pieces = Pieces::new(&shape, size_of::<T>(), reader.is_fortran(), kept);
        let slots = (0..pieces.slots).map(|_| pieces.slot::<T>(shape.order, rcond)).collect::<Result<_, _>>()?;
        pieces.try_copy::<T>(shape.order, work.precision == Precision::Double)?;

        let progress = Progress::new(shape.len, args);
        let mut inverting =
            Inverting { args, shape: &shape, inverter, report: None, tally: Tally::default(), verify: None };
        let mut begun = false;
        let times = pipeline::run(
            slots,
            pieces.ranges(),
            |slot| {
                let len = slot.range.len();
                // In an archive, the name of the array comes with that of the file.
                let about = |error: Failure| if name.is_none() { error.about(input::name(&args.input)) } else { error };
                reader.fill(slot.parts().matrices, len).map_err(about)
            },
            |slot| inverting.piece(slot),
            |slot| {
                if !std::mem::replace(&mut begun, true) {
                    results.begin::<T>(name, &shape)?;
                }
                results.write(slot)?;
                progress.written(slot.range.len());
                Ok(())
            },
        )?;
        let finishing = Instant::now();
        progress.clear();
        results.end()?;
        let Inverting { report, tally, verify, .. } = inverting;
        let Some(report) = report else { unreachable!("there is at least one piece") };
        seconds.add_stages(&report.seconds);
        seconds.verify = verify.map(|verify| verify.seconds);
        seconds.read += times.read;
        seconds.write = times.write + finishing.elapsed().as_secs_f64();
        seconds.total = start.elapsed().as_secs_f64();

        let ratio = verify.map(|verify| verify.largest_ratio);
        Ok(Account::new(name, &report, T::KIND, args.working_precision, shape, tally, ratio, seconds))
    }
}

/// The step that computes, with its results so far.
struct Inverting<'a> {
    args: &'a Args,
    shape: &'a Shape,
    inverter: Inverter,
    report: Option<Report>,
    tally: Tally,
    verify: Option<Verify>,
}

/// The results of `--verify` so far.
#[derive(Clone, Copy, Default)]
struct Verify {
    largest_ratio: f64,
    seconds: f64,
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
            self.inverter = with_options(Inverter::cpu(), self.args);
        }
        merge(&mut self.report, report);

        self.tally.add(statuses, first, self.shape);
        if self.args.strict {
            check::strict(statuses, self.args.min_rcond, first, self.shape)?;
        }
        if self.args.verify {
            let start = Instant::now();
            let stack = Stack::with_len(matrices, order, len).map_err(Error::from)?;
            let ratio = check::verify(stack, inverses, statuses, first, self.shape)?;
            let verify = self.verify.get_or_insert_default();
            verify.largest_ratio = verify.largest_ratio.max(ratio);
            verify.seconds += start.elapsed().as_secs_f64();
        }
        Ok(())
    }
}
