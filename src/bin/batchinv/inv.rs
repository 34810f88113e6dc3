//! `batchinv inv`: read, invert, check, write, report; piece by piece, several pieces at once.

mod check;
mod pieces;
mod pipeline;
mod progress;

use std::time::Instant;

use batchinv::gpu::GpuInverter;
use batchinv::plan::Work;
use batchinv::{Complex, Error, InversesMut, Inverter, Precision, Scalar, ScalarKind, Stack, Status};

use self::pieces::{Parts, Pieces, Slot};
use self::progress::Progress;
use crate::args::{self, Engine};
use crate::exit::Failure;
use crate::files::Outputs;
use crate::input;
use crate::npy::{self, Reader};
use crate::report::{Account, Ran, Seconds, Tally};
use crate::shape::Shape;

pub fn run(args: &args::Inv) -> Result<(), Failure> {
    let start = Instant::now();
    let outputs = Outputs::open(args.outputs())?;
    outputs.refuse_input(&args.input)?;
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

/// The engine that was asked for.
fn inverter(args: &args::Inv) -> Result<Inverter, Failure> {
    let adapter = args.adapter.as_deref();
    let inverter = match (args.engine, adapter) {
        (Engine::Gpu, Some(_)) => Inverter::with_gpu(GpuInverter::open(adapter)?),
        (Engine::Auto, Some(name)) => Inverter::auto().adapter(name),
        (engine, _) => Inverter::new(engine.into())?,
    };
    let inverter = inverter.precision(args.working_precision.into());
    // On this thread, which inverts.
    #[cfg(feature = "testing")]
    if let Ok(fault) = std::env::var("BATCHINV_TEST_FAULT") {
        batchinv::gpu::faults::arm_by_name(&fault).map_err(Failure::input)?;
    }
    // So that the automatic path runs end to end where there is only a software adapter.
    #[cfg(feature = "testing")]
    if std::env::var_os("BATCHINV_TEST_AUTO").is_some_and(|value| value == "software") {
        return Ok(inverter.auto_policy(batchinv::plan::AutoPolicy::SoftwareCounts));
    }
    Ok(inverter)
}

/// Everything about the call that does not depend on the scalar.
struct Job<'a> {
    args: &'a args::Inv,
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
        let work =
            Work { scalar: T::KIND, precision: args.working_precision.into(), order: shape.order, len: shape.len };
        // Once for the whole file, whatever the pieces.
        let inverter = inverter.decided(work)?;
        let rcond = args.rcond.is_some();
        let pieces = Pieces::new(&shape, size_of::<T>(), reader.is_fortran(), args.verify || rcond);
        let slots = (0..pieces.slots).map(|_| pieces.slot::<T>(shape.order, rcond)).collect::<Result<_, _>>()?;
        pieces.try_copy::<T>(shape.order, work.precision == Precision::Double)?;

        let progress = Progress::new(shape.len, args);
        let mut inverting = Inverting { args, shape: &shape, inverter, ran: None, tally: Tally::default(), ratio: 0.0 };
        let headers = Headers::of::<T>(&shape);
        let mut begun = false;
        let times = pipeline::run(
            slots,
            pieces.ranges(),
            |slot| {
                let len = slot.range.len();
                reader.fill(slot.parts().matrices, len).map_err(|error| error.about(input::name(&args.input)))
            },
            |slot| inverting.piece(slot, &mut seconds),
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
        seconds.read += times.read;
        seconds.write = times.write + finishing.elapsed().as_secs_f64();
        seconds.total = start.elapsed().as_secs_f64();

        let Inverting { ran, tally, ratio, .. } = inverting;
        let ratio = args.verify.then_some(ratio);
        let Some(ran) = ran else { unreachable!("there is at least one piece") };
        Account::new(&ran, T::KIND, args.working_precision, &shape, tally, ratio, seconds).tell(args)
    }
}

/// The step that computes, with what it has seen so far.
struct Inverting<'a> {
    args: &'a args::Inv,
    shape: &'a Shape,
    inverter: Inverter,
    ran: Option<Ran>,
    tally: Tally,
    /// The largest one.
    ratio: f64,
}

impl Inverting<'_> {
    fn piece<T: Scalar>(&mut self, slot: &mut Slot<T>, seconds: &mut Seconds) -> Result<(), Failure> {
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
        let report = report.map_err(|error| error.of_piece(first, self.shape.len))?;
        seconds.of_engine(&report.seconds);
        if report.gpu_failure.is_some() {
            // Bits depend on the engine: it does not change back.
            self.inverter = Inverter::cpu().precision(self.args.working_precision.into());
        }
        match &mut self.ran {
            Some(ran) => ran.add(report, first, self.shape.len),
            None => self.ran = Some(Ran::new(report, self.shape.len)),
        }

        self.tally.add(statuses, first, self.shape);
        if self.args.strict {
            check::strict(statuses, first, self.shape)?;
        }
        if self.args.verify {
            let start = Instant::now();
            let stack = Stack::with_len(matrices, order, len).map_err(Error::from)?;
            self.ratio = self.ratio.max(check::verify(stack, inverses, statuses, first, self.shape)?);
            *seconds.verify.get_or_insert_default() += start.elapsed().as_secs_f64();
        }
        Ok(())
    }
}

/// The headers of STATUS, RCOND and OUTPUT.
struct Headers([Vec<u8>; 3]);

impl Headers {
    fn of<T: Scalar>(shape: &Shape) -> Self {
        Self([
            npy::write_header("<i4", shape.leading()),
            npy::write_header(npy::descr(<T::Real as Scalar>::KIND), shape.leading()),
            npy::write_header(npy::descr(T::KIND), &shape.axes),
        ])
    }

    fn begin(&self, outputs: &mut Outputs, args: &args::Inv) -> Result<(), Failure> {
        // A refused matrix must leave nothing behind, on stdout neither.
        outputs.begin(args.strict || args.verify)?;
        let [status, rcond, output] = &self.0;
        append(outputs, args, [status, rcond, output])
    }
}

fn write<T: Scalar>(outputs: &mut Outputs, args: &args::Inv, slot: &mut Slot<T>) -> Result<(), Failure> {
    let Parts { matrices, inverses, statuses, rconds } = slot.parts();
    let inverses = if inverses.is_empty() { matrices } else { inverses };
    let part = size_of::<T::Real>();
    let bytes = [
        npy::to_little_endian::<Status>(statuses, 4),
        npy::to_little_endian(rconds, part),
        npy::to_little_endian(inverses, part),
    ];
    append(outputs, args, bytes)
}

/// STATUS, RCOND and OUTPUT, as far as they are given, in the order of `Inv::outputs`.
fn append(outputs: &mut Outputs, args: &args::Inv, bytes: [&[u8]; 3]) -> Result<(), Failure> {
    let given = [args.status.is_some(), args.rcond.is_some(), true];
    let given = bytes.into_iter().zip(given).filter(|&(_, given)| given);
    given.enumerate().try_for_each(|(index, (bytes, _))| outputs.append(index, bytes))
}
