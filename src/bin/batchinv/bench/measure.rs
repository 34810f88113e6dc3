//! Measures one configuration on one engine: the first call, the check, then the times.

use std::time::Instant;

use batchinv::{Error, Report, Scalar, Status};

use crate::bench::args::Configuration;
use crate::bench::call::{Fresh, Input, Room};
use crate::bench::engines::Engine;
use crate::bench::machine::Machine;
use crate::bench::memory::Memory;
use crate::bench::operation::Operation;
use crate::bench::peak;
use crate::bench::row::{Row, SCHEMA, SOFTWARE};
use crate::bench::validate::{Validation, planted};
use crate::exit::Failure;
use crate::memory::zeroed;

/// Fewest timed calls of each kind.
const MIN_REPEATS: usize = 5;

/// Seconds of whole calls after which repeats stop.
const ENOUGH: f64 = 0.5;

/// Calls shorter than this many seconds are timed several at once: reading the clock takes tens of nanoseconds.
const SHORTEST: f64 = 20e-6;

pub fn row<T: Scalar>(
    configuration: Configuration,
    engine: &Engine,
    repeats: usize,
    machine: &Machine,
) -> Result<Row, Failure> {
    let Configuration { op, scalar, order, width, len } = configuration;
    let work = configuration.work();
    let mut memory = Memory::<T>::new(configuration)?;
    let validation = Validation::new(configuration, engine);

    // The first call with this order and scalar builds shader, pipeline and buffers.
    let start = Instant::now();
    let fresh = memory.input(0).fresh(&engine.inverter)?;
    let first_call_seconds = start.elapsed().as_secs_f64();
    let kernel = fresh.report().kernel;
    let random = validation.check(kernel, memory.input(0), fresh.answer())?;
    drop(fresh);
    let mixed = check_planted(configuration, &memory, &validation, engine)?;

    let threads = engine.threads(work);
    let times = Times::take(&mut memory, engine, threads, repeats)?;
    // The answer of the last timed call is still there, and must be right, too.
    let (input, room) = memory.set(times.last_set);
    let timed = validation.check(kernel, input, room.answer(op))?;

    let device = times.device.as_ref();
    let (device_copy_seconds, scaled) = device_copy_seconds(engine, configuration, times.total.seconds.len())?;
    let mut notes = Vec::new();
    if engine.is_software() {
        notes.push(SOFTWARE.to_owned());
    }
    if engine.gpu.is_some() && device.is_none() {
        notes.push("no device time: the adapter has no timestamps".to_owned());
    }
    if scaled {
        notes.push("device_copy_seconds is the time for a part, times the number of parts".to_owned());
    }
    if times.calls > 1 {
        notes.push(format!("calls are short: each repeat is the mean of {}", times.calls));
    }
    if memory.short {
        notes.push("memory is short: caches may have made calls faster".to_owned());
    }
    Ok(Row {
        schema: SCHEMA,
        program: concat!("batchinv ", env!("CARGO_PKG_VERSION")).to_owned(),
        engine: engine.name().to_owned(),
        adapter: engine.facts().map(|facts| facts.name.to_string()),
        driver: engine.facts().map(|facts| facts.driver.clone()),
        kernel: Some(kernel.name().to_owned()),
        op,
        scalar: scalar.name().to_owned(),
        order,
        width: (op == Operation::Solve).then_some(width),
        len,
        threads: Some(threads),
        repeats: Some(times.total.seconds.len()),
        total_seconds: Some(times.total.best()),
        total_median_seconds: Some(times.total.median()),
        fresh_seconds: Some(times.fresh.best()),
        fresh_median_seconds: Some(times.fresh.median()),
        device_seconds: device.map(Series::best),
        device_median_seconds: device.map(Series::median),
        work_seconds: None,
        copy_seconds: Some(times.copy.best()),
        device_copy_seconds,
        host_seconds: times.host.as_ref().map(Series::best),
        peak_gflops: engine.gpu.is_none().then(|| peak::gflops(scalar, threads)),
        open_seconds: engine.gpu.as_ref().map(|gpu| gpu.open_seconds),
        first_call_seconds: Some(first_call_seconds),
        max_ratio: Some(random.max(mixed).max(timed)),
        machine: Some(machine.name.clone()),
        commit: machine.commit.clone(),
        date: Some(machine.date.clone()),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    })
}

/// Checks the same stack with some matrices that have no inverse, with an existing output.
fn check_planted<T: Scalar>(
    configuration: Configuration,
    memory: &Memory<T>,
    validation: &Validation,
    engine: &Engine,
) -> Result<f64, Failure> {
    let given = memory.input(0);
    let matrices = planted(given.a, validation);
    let input = Input { a: matrices.view(), ..given };
    let (mut elements, mut statuses) =
        (zeroed::<T>(configuration.elements().output)?, zeroed::<Status>(input.a.len())?);
    let mut determinants = zeroed(configuration.determinants())?;
    let mut room = Room { elements: &mut elements, statuses: &mut statuses, determinants: &mut determinants };
    let report = input.into(&engine.inverter, &mut room)?;
    validation.check(report.kernel, input, room.answer(given.op))
}

/// The best copy of as many bytes on the device, and whether it was scaled from the part that fits into one buffer.
fn device_copy_seconds(
    engine: &Engine,
    configuration: Configuration,
    repeats: usize,
) -> Result<(Option<f64>, bool), Error> {
    let Some(gpu) = &engine.gpu else { return Ok((None, false)) };
    let bytes = (configuration.elements().copied * configuration.scalar.size()) as u64;
    let limit = gpu.device.facts().limits.binding_bytes;
    let part = bytes.min(limit);
    let seconds = gpu.device.copy_seconds(part, repeats)?;
    // A coarse clock may measure 0 for a small copy.
    let seconds = seconds.filter(|seconds| *seconds > 0.0);
    Ok((seconds.map(|seconds| seconds * bytes as f64 / part as f64), part < bytes))
}

/// Seconds per call, for all repeats of one kind.
#[derive(Default)]
struct Series {
    seconds: Vec<f64>,
}

impl Series {
    fn best(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
    }
}

struct Times {
    total: Series,
    fresh: Series,
    copy: Series,
    device: Option<Series>,
    /// The copies within a GPU's calls.
    host: Option<Series>,
    /// Calls per repeat.
    calls: usize,
    /// The set of memory that the last whole call used.
    last_set: usize,
}

impl Times {
    /// Alternates between the three kinds, so that other work on the machine affects all alike.
    fn take<T: Scalar>(
        memory: &mut Memory<T>,
        engine: &Engine,
        threads: usize,
        repeats: usize,
    ) -> Result<Self, Failure> {
        let mut round = Round { memory, engine, threads, next: 0, calls: 1 };
        // Two warm-ups: the first faults in pages and starts thread pools, the second measures the length of a call.
        round.total()?;
        let estimate = round.total()?.seconds;
        round.calls = (SHORTEST / estimate.max(1e-9)).ceil().clamp(1.0, 1000.0) as usize;
        round.copy();
        round.fresh()?;
        round.total()?;

        let (mut total, mut fresh, mut copy) = (Series::default(), Series::default(), Series::default());
        let (mut device, mut host) = (Some(Series::default()), engine.gpu.as_ref().map(|_| Series::default()));
        let mut spent = 0.0;
        while total.seconds.len() < repeats && (total.seconds.len() < MIN_REPEATS || spent < ENOUGH) {
            copy.seconds.push(round.copy());
            fresh.seconds.push(round.fresh()?);
            // Comes last, so that the answer checked at the end is one that was timed.
            let call = round.total()?;
            total.seconds.push(call.seconds);
            spent += call.seconds * round.calls as f64;
            if let Some(host) = &mut host {
                host.seconds.push(call.on_host);
            }
            match (&mut device, call.on_device) {
                (Some(device), Some(seconds)) => device.seconds.push(seconds),
                _ => device = None,
            }
        }
        let last_set = (round.next + round.memory.sets - 1) % round.memory.sets;
        Ok(Self { total, fresh, copy, device, host, calls: round.calls, last_set })
    }
}

/// Seconds of a whole call and of its copies by the host's clock, and of its passes by the device's.
struct Call {
    seconds: f64,
    on_host: f64,
    on_device: Option<f64>,
}

/// Timed calls, each on the next set of the memory.
struct Round<'a, T> {
    memory: &'a mut Memory<T>,
    engine: &'a Engine,
    threads: usize,
    next: usize,
    calls: usize,
}

impl<T: Scalar> Round<'_, T> {
    fn set(&mut self) -> usize {
        let set = self.next;
        self.next = (set + 1) % self.memory.sets;
        set
    }

    /// Times calls into existing memory.
    fn total(&mut self) -> Result<Call, Error> {
        let (mut host, mut device) = (0.0, Some(0.0));
        let start = Instant::now();
        for _ in 0..self.calls {
            let set = self.set();
            let (input, mut room) = self.memory.set(set);
            let report: Report = input.into(&self.engine.inverter, &mut room)?;
            host += report.seconds.upload + report.seconds.readback;
            device = device.zip(report.device_seconds).map(|(sum, seconds)| sum + seconds);
        }
        let calls = self.calls as f64;
        let seconds = start.elapsed().as_secs_f64() / calls;
        Ok(Call { seconds, on_host: host / calls, on_device: device.map(|device| device / calls) })
    }

    /// Times calls into memory that they allocate. Freeing it is not counted.
    fn fresh(&mut self) -> Result<f64, Error> {
        let mut answers: Vec<Fresh<T>> = Vec::with_capacity(self.calls);
        let start = Instant::now();
        for _ in 0..self.calls {
            let set = self.set();
            answers.push(self.memory.input(set).fresh(&self.engine.inverter)?);
        }
        Ok(start.elapsed().as_secs_f64() / self.calls as f64)
    }

    fn copy(&mut self) -> f64 {
        let start = Instant::now();
        for _ in 0..self.calls {
            let set = self.set();
            self.memory.copy(set, self.threads);
        }
        start.elapsed().as_secs_f64() / self.calls as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    #[test]
    fn best_and_median() {
        let odd = Series { seconds: vec![3.0, 1.0, 10.0] };
        assert_eq!((odd.best(), odd.median()), (1.0, 3.0));
        let even = Series { seconds: vec![3.0, 1.0, 10.0, 4.0] };
        assert_eq!((even.best(), even.median()), (1.0, 3.5));
    }
}
