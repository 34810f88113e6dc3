//! The account of a run: lines for people on stderr, or one JSON object.

pub mod messages;
pub mod tally;

use std::fmt::Write as _;
use std::time::Instant;

use batchinv::plan::Work;
use batchinv::{Arithmetic, Op, Precision, Report};
use serde::Serialize;

use crate::exit::{Failure, say};
use crate::pipeline::Times;
use crate::report::messages::Channels;
use crate::report::tally::{First, Tally};
use crate::shape::Places;

/// Increases when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// The facts of an array that a command knows before its pieces pass.
pub struct Facts<'a> {
    /// In an archive.
    pub name: Option<&'a str>,
    /// `matrix` and `matrices`.
    pub things: [&'static str; 2],
    pub work: Work,
    /// The axes of the results.
    pub axes: &'a [usize],
    pub places: Places,
}

/// The reports, counts and ratios of the pieces that have passed.
pub struct Found {
    report: Option<Report>,
    pub tally: Tally,
    /// The largest residual ratio, and the seconds that all of them took, with `--verify`.
    verify: Option<(f64, f64)>,
}

impl Found {
    pub fn new(tally: Tally) -> Self {
        Self { report: None, tally, verify: None }
    }

    /// Adds the report of the next piece. The sum names the engine of the first piece, or, once the GPU has failed, the
    /// engine that took over and the failure.
    pub fn add(&mut self, piece: Report) {
        match &mut self.report {
            Some(whole) => *whole += piece,
            None => self.report = Some(piece),
        }
    }

    /// Adds the largest ratio of a piece, which `verify` finds or fails.
    pub fn verified(&mut self, verify: impl FnOnce() -> Result<f64, Failure>) -> Result<(), Failure> {
        let start = Instant::now();
        let ratio = verify()?;
        let (largest, seconds) = self.verify.get_or_insert_default();
        *largest = largest.max(ratio);
        *seconds += start.elapsed().as_secs_f64();
        Ok(())
    }
}

/// The account of one array, which is also its JSON object.
#[derive(Debug, Serialize)]
pub struct Account {
    schema: u32,
    version: &'static str,
    /// In an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    engine: &'static str,
    adapter: Option<String>,
    kernel: &'static str,
    chunks: usize,
    /// Why the automatic choice fell on this engine; null if the engine was named.
    reason: Option<String>,
    scalar: &'static str,
    precision: &'static str,
    /// The numbers that were computed with.
    arithmetic: &'static str,
    order: usize,
    /// The columns of right-hand sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<usize>,
    len: usize,
    shape: Vec<usize>,
    counts: Tally,
    /// The first matrices of each kind but the good one, kind after kind.
    first: Vec<First>,
    verify: Option<Verification>,
    pub seconds: Seconds,
    #[serde(skip)]
    things: [&'static str; 2],
    #[serde(skip)]
    places: Places,
}

/// The account of an archive.
#[derive(Debug, Serialize)]
struct Accounts<'a> {
    schema: u32,
    version: &'static str,
    arrays: &'a [Account],
    /// Wall time of the whole run.
    total_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Verification {
    largest_ratio: f64,
}

/// Wall time, stage by stage. With several pieces, stages overlap.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Seconds {
    read: f64,
    prepare: f64,
    upload: f64,
    dispatch: f64,
    readback: f64,
    verify: Option<f64>,
    write: f64,
    total: f64,
}

impl Seconds {
    /// Those of the start, in which a header was read.
    pub fn reading(read: f64) -> Self {
        Self { read, ..Self::default() }
    }

    /// Adds the time since `finishing`, when the last piece was written, for outputs that are finished now. The whole
    /// began at `start`.
    pub fn end(&mut self, start: Instant, finishing: Instant) {
        self.write += finishing.elapsed().as_secs_f64();
        self.total = start.elapsed().as_secs_f64();
    }
}

/// Prints the lines for people, the JSON object, or both, for a file of one array.
pub fn tell(account: &Account, channels: Channels) -> Result<(), Failure> {
    print(std::slice::from_ref(account), account, channels)
}

/// The same for an archive.
pub fn tell_all(accounts: &[Account], total_seconds: f64, channels: Channels) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    print(accounts, &Accounts { schema: SCHEMA, version, arrays: accounts, total_seconds }, channels)
}

fn print(accounts: &[Account], object: &impl Serialize, channels: Channels) -> Result<(), Failure> {
    if channels.lines {
        accounts.iter().for_each(Account::say);
        if accounts.is_empty() {
            say("the archive holds no array");
        }
    }
    channels.print(object)
}

impl Account {
    /// The account of an array whose pieces have passed. Reading began with `seconds`, the pieces took `times`.
    pub fn new(facts: Facts<'_>, found: Found, seconds: Seconds, times: Times) -> Self {
        let Facts { name, things, work, axes, places } = facts;
        let Found { report, tally, verify } = found;
        let Some(report) = report else { unreachable!("there is at least one piece") };
        let reason = match &report.gpu_failure {
            Some(failure) => Some(format!("the CPU took over: {failure}")),
            None => report.reason.as_ref().map(ToString::to_string),
        };
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            name: name.map(str::to_owned),
            engine: report.engine.name(),
            adapter: report.adapter.as_deref().map(str::to_owned),
            kernel: report.kernel.name(),
            chunks: report.chunks,
            reason,
            scalar: work.scalar.name(),
            precision: if work.precision == Precision::Double { "double" } else { "native" },
            arithmetic: report.arithmetic.name(),
            order: work.order,
            width: (work.op == Op::Solve).then_some(work.width),
            len: work.len,
            shape: axes.to_vec(),
            first: tally.first(),
            counts: tally,
            verify: verify.map(|(largest_ratio, _)| Verification { largest_ratio }),
            seconds: Seconds {
                read: seconds.read + times.read,
                prepare: report.seconds.prepare,
                upload: report.seconds.upload,
                dispatch: report.seconds.dispatch,
                readback: report.seconds.readback,
                verify: verify.map(|(_, seconds)| seconds),
                write: times.write,
                total: 0.0,
            },
            things,
            places,
        }
    }

    /// The lines for people, with the name of the array in an archive.
    fn say(&self) {
        let name = self.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        for line in [self.summary()].into_iter().chain(self.counts.lines(self.len, &self.places)) {
            say(&format!("{name}{line}"));
        }
    }

    /// `128 matrices of order 32, float32, on the cpu engine (lanes): no GPU adapter: wgpu found none`
    fn summary(&self) -> String {
        let Self { len, order, scalar, engine, kernel, .. } = self;
        let mut line = format!("{len} {} of order {order}, {scalar}", self.things[usize::from(*len != 1)]);
        if let Some(width) = self.width
            && width != 1
        {
            let _ = write!(line, ", {width} right-hand sides each");
        }
        let _ = write!(line, ", on the {engine} engine ({kernel}");
        let _ = match &self.adapter {
            Some(adapter) => write!(line, ", {adapter})"),
            None => write!(line, ")"),
        };
        if self.arithmetic == Arithmetic::Pairs.name() {
            line += " in pairs of float32";
        }
        if let Some(reason) = &self.reason {
            let _ = write!(line, ": {reason}");
        }
        if let Some(Verification { largest_ratio }) = self.verify {
            let _ = write!(line, "; verified, the largest residual ratio is {largest_ratio:.3}");
        }
        line
    }
}
