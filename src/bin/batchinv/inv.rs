//! `batchinv inv`: read, invert, check, write, report.

use std::time::Instant;

use batchinv::gpu::GpuInverter;
use batchinv::{InversesMut, Inverter, Scalar, Stack, Status, Verdict, residual_ratio};
use rayon::prelude::*;

use crate::args::{self, Engine};
use crate::exit::Failure;
use crate::files::{Content, Outputs};
use crate::npy::{self, Array, Elements};
use crate::report::{Account, Seconds};
use crate::shape::Shape;

/// The ratio from which on an inverse is wrong.
const MAX_RATIO: f64 = 3.0;

pub fn run(args: &args::Inv) -> Result<(), Failure> {
    let start = Instant::now();
    let outputs = Outputs::open(args.outputs())?;
    let inverter = inverter(args)?;
    let reading = Instant::now();
    let Array { elements, shape } = npy::read(&args.input)?;
    let mut seconds = Seconds::default();
    seconds.read = reading.elapsed().as_secs_f64();

    let job = Job { args, start, seconds, outputs, inverter, shape };
    match elements {
        Elements::Float32(elements) => job.run(&elements),
        Elements::Float64(elements) => job.run(&elements),
        Elements::Complex64(elements) => job.run(&elements),
        Elements::Complex128(elements) => job.run(&elements),
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
    shape: Shape,
}

impl Job<'_> {
    fn run<T: Scalar>(mut self, elements: &[T]) -> Result<(), Failure> {
        let stack = Stack::with_len(elements, self.shape.order, self.shape.len).map_err(batchinv::Error::from)?;
        let mut inverses = npy::zeroed::<T>(elements.len())?;
        let mut statuses = npy::zeroed::<Status>(stack.len())?;
        let mut rconds = npy::zeroed::<T::Real>(if self.args.rcond.is_some() { stack.len() } else { 0 })?;

        let room = InversesMut::new(&mut inverses, &mut statuses);
        let room = if self.args.rcond.is_some() { room.with_rconds(&mut rconds) } else { room };
        let report = self.inverter.invert_into(stack, room)?;
        self.seconds.of_engine(&report.seconds);

        if self.args.strict {
            strict(&statuses, &self.shape)?;
        }
        let verifying = Instant::now();
        let ratio = self.args.verify.then(|| verify(stack, &inverses, &statuses, &self.shape)).transpose()?;
        self.seconds.verify = ratio.map(|_| verifying.elapsed().as_secs_f64());

        let writing = Instant::now();
        write(self.outputs, self.args, &self.shape, &mut inverses, &mut statuses, &mut rconds)?;
        self.seconds.write = writing.elapsed().as_secs_f64();
        self.seconds.total = self.start.elapsed().as_secs_f64();

        let precision = self.args.working_precision;
        Account::new(&report, T::KIND, precision, &self.shape, &statuses, ratio, self.seconds).tell(self.args)
    }
}

/// The first matrix without an inverse is a failure, in NumPy's words.
fn strict(statuses: &[Status], shape: &Shape) -> Result<(), Failure> {
    let Some(position) = statuses.iter().position(|status| !status.is_inverted()) else { return Ok(()) };
    let matrix = matrix(shape, position);
    Err(Failure::refused(match statuses[position].verdict() {
        Verdict::Singular { column } => {
            format!("Singular matrix: in {matrix}, the pivot of column {column} is exactly zero")
        }
        _ => format!("not finite: {matrix} holds NaN or infinity, or its inverse overflows"),
    }))
}

/// The largest ratio of all inverses; a failure where one is too large, with the first of those.
fn verify<T: Scalar>(stack: Stack<'_, T>, inverses: &[T], statuses: &[Status], shape: &Shape) -> Result<f64, Failure> {
    let n = stack.order();
    let check = |position: usize| {
        if !statuses[position].is_inverted() {
            return Ok(0.0);
        }
        let ratio = residual_ratio(stack.matrix(position), &inverses[position * n * n..][..n * n], n);
        // NaN is wrong, too.
        if ratio < MAX_RATIO { Ok(ratio) } else { Err((position, ratio)) }
    };
    let worst = (0..stack.len()).into_par_iter().map(check).reduce(
        || Ok(0.0),
        |left, right| match (left, right) {
            (Ok(left), Ok(right)) => Ok(f64::max(left, right)),
            (Err(left), Err(right)) => Err(if left.0 < right.0 { left } else { right }),
            (Err(first), _) | (_, Err(first)) => Err(first),
        },
    );
    worst.map_err(|(position, ratio)| {
        let matrix = matrix(shape, position);
        Failure::refused(format!("wrong inverse: {matrix} has the ratio {ratio:.3}, below {MAX_RATIO} was promised"))
    })
}

fn matrix(shape: &Shape, position: usize) -> String {
    match shape.place(position) {
        place if place.is_empty() => "the matrix".to_owned(),
        place => format!("matrix {place}"),
    }
}

fn write<T: Scalar>(
    outputs: Outputs,
    args: &args::Inv,
    shape: &Shape,
    inverses: &mut [T],
    statuses: &mut [Status],
    rconds: &mut [T::Real],
) -> Result<(), Failure> {
    let [status_header, rcond_header, header] = [
        npy::write_header("<i4", shape.leading()),
        npy::write_header(npy::descr(<T::Real as Scalar>::KIND), shape.leading()),
        npy::write_header(npy::descr(T::KIND), &shape.axes),
    ];
    let status = Content { header: &status_header, elements: npy::to_little_endian(statuses, 4) };
    let rcond = Content { header: &rcond_header, elements: npy::to_little_endian(rconds, size_of::<T::Real>()) };
    let output = Content { header: &header, elements: npy::to_little_endian(inverses, size_of::<T::Real>()) };
    // In the order of `Inv::outputs`.
    let given = [args.status.as_ref().map(|_| status), args.rcond.as_ref().map(|_| rcond), Some(output)];
    outputs.write(&given.into_iter().flatten().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No engine gives a wrong inverse to order, so the check is shown some here.
    #[test]
    fn verify_names_the_first_wrong_inverse() {
        let shape = Shape::new(vec![2, 2, 1, 1]).unwrap();
        let elements = [2.0_f64, 4.0, 0.0, 8.0];
        let stack = Stack::new(&elements, 1).unwrap();
        let mut statuses = [Status::INVERTED; 4];
        statuses[2] = Status::NOT_FINITE; // never looked at

        let right = verify(stack, &[0.5, 0.25, f64::NAN, 0.125], &statuses, &shape);
        assert!(matches!(right, Ok(ratio) if ratio < 1.0));
        for wrong in [0.25 + 1e-14, f64::NAN, f64::INFINITY, 0.0] {
            let failure = verify(stack, &[0.5, wrong, f64::NAN, 0.126], &statuses, &shape).unwrap_err();
            assert!(format!("{failure:?}").contains("Refused"), "{failure:?}");
            assert!(format!("{failure:?}").contains("matrix (0, 1) has the ratio"), "{failure:?}");
        }
    }
}
