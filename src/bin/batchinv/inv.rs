//! `batchinv inv`: reads, inverts, checks, writes and reports, piece by piece, with several pieces in flight.

pub mod args;
mod check;
mod pieces;
mod pipeline;
mod progress;
mod report;

use std::time::Instant;

use batchinv::gpu::GpuInverter;
use batchinv::plan::Work;
use batchinv::{Complex, Error, InversesMut, Inverter, Precision, Report, Scalar, ScalarKind, Stack, Status};

use crate::exit::Failure;
use crate::files::Outputs;
use crate::input;
use crate::inv::args::{Args, Engine};
use crate::inv::pieces::{Parts, Pieces, Slot};
use crate::inv::progress::Progress;
use crate::inv::report::{Account, Seconds, Tally, merge};
use crate::npy::Reader;
use crate::npy::elements::{descr, to_little_endian};
use crate::npy::header;
use crate::shape::Shape;

pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let outputs = Outputs::open(args.outputs())?;
    outputs.refuse_input(&args.input)?;
    if args.json {
        outputs.refuse_stdout("the object of --json")?;
    }
    let inverter = inverter(args)?;
    let reading = Instant::now();
    let reader = input::open(&args.input, &outputs.folder())?;
    let mut seconds = Seconds::default();
    seconds.read = reading.elapsed().as_secs_f64();

    let scalar = reader.scalar();
    let job = Job { args, start, seconds, outputs, inverter, reader };
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
    let inverter = inverter.precision(args.working_precision.into());
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

/// The parts of a run that do not depend on the scalar.
struct Job<'a> {
    args: &'a Args,
    start: Instant,
    seconds: Seconds,
    outputs: Outputs,
    inverter: Inverter,
    reader: Reader,
}

impl Job<'_> {
    fn run<T: Scalar>(self) -> Result<(), Failure> {
        let Self { args, start, mut seconds, mut outputs, inverter, mut reader } = self;
        let shape = reader.shape().clone();
        let work = Work::inverse(T::KIND, shape.order, shape.len).with_precision(args.working_precision.into());
        // The engine is chosen once for the whole file, so the result does not depend on the pieces.
        let inverter = inverter.decided(work)?;
        let rcond = args.rcond.is_some();
        let pieces = Pieces::new(&shape, size_of::<T>(), reader.is_fortran(), args.verify || rcond);
        let slots = (0..pieces.slots).map(|_| pieces.slot::<T>(shape.order, rcond)).collect::<Result<_, _>>()?;
        pieces.try_copy::<T>(shape.order, work.precision == Precision::Double)?;

        let progress = Progress::new(shape.len, args);
        let mut inverting =
            Inverting { args, shape: &shape, inverter, report: None, tally: Tally::default(), verify: None };
        let headers = Headers::of::<T>(&shape);
        let mut begun = false;
        let times = pipeline::run(
            slots,
            pieces.ranges(),
            |slot| {
                let len = slot.range.len();
                reader.fill(slot.parts().matrices, len).map_err(|error| error.about(input::name(&args.input)))
            },
            |slot| inverting.piece(slot),
            |slot| {
                if !std::mem::replace(&mut begun, true) {
                    headers.begin(&mut outputs, args)?;
                }
                write(&mut outputs, args, slot)?;
                progress.written(slot.range.len());
                Ok(())
            },
        )?;
        let finishing = Instant::now();
        progress.clear();
        outputs.finish()?;
        let Inverting { report, tally, verify, .. } = inverting;
        let Some(report) = report else { unreachable!("there is at least one piece") };
        seconds.add_stages(&report.seconds);
        seconds.verify = verify.map(|verify| verify.seconds);
        seconds.read += times.read;
        seconds.write = times.write + finishing.elapsed().as_secs_f64();
        seconds.total = start.elapsed().as_secs_f64();

        let ratio = verify.map(|verify| verify.largest_ratio);
        Account::new(&report, T::KIND, args.working_precision, &shape, tally, ratio, seconds).tell(args)
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
            self.inverter = Inverter::cpu().precision(self.args.working_precision.into());
        }
        merge(&mut self.report, report);

        self.tally.add(statuses, first, self.shape);
        if self.args.strict {
            check::strict(statuses, first, self.shape)?;
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

/// The headers of STATUS, RCOND and OUTPUT.
struct Headers([Vec<u8>; 3]);

impl Headers {
    fn of<T: Scalar>(shape: &Shape) -> Self {
        Self([
            header::write("<i4", shape.leading()),
            header::write(descr(<T::Real as Scalar>::KIND), shape.leading()),
            header::write(descr(T::KIND), &shape.axes),
        ])
    }

    fn begin(&self, outputs: &mut Outputs, args: &Args) -> Result<(), Failure> {
        // A refused matrix must leave nothing behind, not even on stdout.
        outputs.begin(args.strict || args.verify)?;
        let [status, rcond, output] = &self.0;
        append(outputs, args, [status, rcond, output])
    }
}

fn write<T: Scalar>(outputs: &mut Outputs, args: &Args, slot: &mut Slot<T>) -> Result<(), Failure> {
    let Parts { matrices, inverses, statuses, rconds } = slot.parts();
    let inverses = if inverses.is_empty() { matrices } else { inverses };
    let part = size_of::<T::Real>();
    let bytes =
        [to_little_endian::<Status>(statuses, 4), to_little_endian(rconds, part), to_little_endian(inverses, part)];
    append(outputs, args, bytes)
}

/// Appends to those of STATUS, RCOND and OUTPUT that were given, in the order of `Args::outputs`.
fn append(outputs: &mut Outputs, args: &Args, bytes: [&[u8]; 3]) -> Result<(), Failure> {
    let given = [args.status.is_some(), args.rcond.is_some(), true];
    let given = bytes.into_iter().zip(given).filter(|&(_, given)| given);
    given.enumerate().try_for_each(|(index, (bytes, _))| outputs.append(index, bytes))
}
