//! What ran and what came of it: lines for people on stderr, or one JSON object.

use std::fmt::Write as _;
use std::io;

use batchinv::{Engine, Kernel, Report, ScalarKind, Stages, Status, Verdict};
use serde::Serialize;

use crate::args::{Inv, WorkingPrecision};
use crate::exit::{Failure, say};
use crate::shape::Shape;

/// Grows when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// Matrices without an inverse that are named, of each kind.
const NAMED: usize = 4;

/// The account of one `inv`, which is also its JSON object.
#[derive(Debug, Serialize)]
pub struct Account<'a> {
    schema: u32,
    version: &'static str,
    engine: &'static str,
    adapter: Option<&'a str>,
    kernel: &'static str,
    chunks: usize,
    /// Why the automatic choice fell on this engine; null where it was named.
    reason: Option<&'a str>,
    scalar: &'static str,
    precision: &'static str,
    order: usize,
    len: usize,
    shape: &'a [usize],
    counts: Counts,
    /// The first matrices without an inverse, singular ones before the others.
    first: Vec<First>,
    verify: Option<Verification>,
    seconds: Seconds,
    #[serde(skip)]
    places: &'a Shape,
}

#[derive(Debug, Default, Serialize)]
struct Counts {
    inverted: usize,
    singular: usize,
    not_finite: usize,
}

#[derive(Debug, Serialize)]
struct First {
    index: Vec<usize>,
    status: i32,
    #[serde(skip)]
    position: usize,
}

#[derive(Debug, Serialize)]
struct Verification {
    largest_ratio: f64,
}

/// Wall time, stage by stage. Where there are several pieces, stages overlap.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Seconds {
    pub read: f64,
    prepare: f64,
    upload: f64,
    dispatch: f64,
    readback: f64,
    pub verify: Option<f64>,
    pub write: f64,
    pub total: f64,
}

impl Seconds {
    /// Adds a piece's.
    pub fn of_engine(&mut self, stages: &Stages) {
        self.prepare += stages.prepare;
        self.upload += stages.upload;
        self.dispatch += stages.dispatch;
        self.readback += stages.readback;
    }
}

/// What ran, over all pieces.
#[derive(Debug)]
pub struct Ran {
    engine: Engine,
    adapter: Option<String>,
    kernel: Kernel,
    chunks: usize,
    reason: Option<String>,
}

impl Ran {
    /// The first piece's report; `len` matrices in all.
    pub fn new(report: Report, len: usize) -> Self {
        let mut ran = Self { engine: report.engine, adapter: None, kernel: report.kernel, chunks: 0, reason: None };
        ran.reason.clone_from(&report.reason);
        ran.adapter.clone_from(&report.adapter);
        ran.add(report, 0, len);
        ran
    }

    /// That of the piece from matrix `first` on. A last piece may be too small for the kernel of the others.
    pub fn add(&mut self, report: Report, first: usize, len: usize) {
        self.chunks += report.chunks;
        if let Some(failure) = report.gpu_failure {
            (self.engine, self.kernel, self.adapter) = (report.engine, report.kernel, None);
            self.reason = Some(format!("the CPU took over: {}", failure.of_piece(first, len)));
        }
    }
}

/// The matrices without an inverse, counted, and the first of them.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Counts,
    singular: Vec<First>,
    not_finite: Vec<First>,
}

impl Tally {
    /// Those of the piece from matrix `first` on.
    pub fn add(&mut self, statuses: &[Status], first: usize, shape: &Shape) {
        for (position, status) in (first..).zip(statuses) {
            let (count, named) = match status.verdict() {
                Verdict::Inverted => {
                    self.counts.inverted += 1;
                    continue;
                }
                Verdict::Singular { .. } => (&mut self.counts.singular, &mut self.singular),
                Verdict::NotFinite => (&mut self.counts.not_finite, &mut self.not_finite),
            };
            *count += 1;
            if named.len() < NAMED {
                named.push(First { index: shape.index(position), status: status.word(), position });
            }
        }
    }
}

impl<'a> Account<'a> {
    pub fn new(
        ran: &'a Ran,
        scalar: ScalarKind,
        precision: WorkingPrecision,
        shape: &'a Shape,
        tally: Tally,
        ratio: Option<f64>,
        seconds: Seconds,
    ) -> Self {
        let Tally { counts, mut singular, mut not_finite } = tally;
        singular.append(&mut not_finite);
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            engine: ran.engine.name(),
            adapter: ran.adapter.as_deref(),
            kernel: ran.kernel.name(),
            chunks: ran.chunks,
            reason: ran.reason.as_deref(),
            scalar: scalar.name(),
            precision: precision.name(),
            order: shape.order,
            len: shape.len,
            shape: &shape.axes,
            counts,
            first: singular,
            verify: ratio.map(|largest_ratio| Verification { largest_ratio }),
            seconds,
            places: shape,
        }
    }

    pub fn tell(&self, args: &Inv) -> Result<(), Failure> {
        // Where the object goes to stderr, it is all that goes there.
        let alone = args.json && args.stdout_taken();
        if !args.quiet && !alone {
            say(&self.summary());
            if let Some(line) = self.missing() {
                say(&line);
            }
        }
        match args.json {
            true if alone => print(self, &mut io::stderr().lock(), "standard error"),
            true => print(self, &mut io::stdout().lock(), "standard output"),
            false => Ok(()),
        }
    }

    /// `128 matrices of order 32, float32, on the cpu engine (lanes): no GPU adapter: wgpu found none`
    fn summary(&self) -> String {
        let matrices = if self.len == 1 { "matrix" } else { "matrices" };
        let Self { len, order, scalar, engine, kernel, .. } = self;
        let mut line = format!("{len} {matrices} of order {order}, {scalar}, on the {engine} engine ({kernel}");
        let _ = match self.adapter {
            Some(adapter) => write!(line, ", {adapter})"),
            None => write!(line, ")"),
        };
        if let Some(reason) = self.reason {
            let _ = write!(line, ": {reason}");
        }
        if let Some(Verification { largest_ratio }) = self.verify {
            let _ = write!(line, "; verified, the largest ratio is {largest_ratio:.3}");
        }
        line
    }

    /// `3 of 1000 matrices have no inverse: singular at 4 (column 1), 17 (column 2); not finite at 9`
    fn missing(&self) -> Option<String> {
        let missing = self.counts.singular + self.counts.not_finite;
        if missing == 0 {
            return None;
        }
        let mut line = match (missing, self.len) {
            _ if self.places.leading().is_empty() => "the matrix has no inverse:".to_owned(),
            (1, len) => format!("1 of {len} matrices has no inverse:"),
            (_, len) => format!("{missing} of {len} matrices have no inverse:"),
        };
        let kinds = [("singular", self.counts.singular), ("not finite", self.counts.not_finite)];
        for (kind, count) in kinds.into_iter().filter(|(_, count)| *count > 0) {
            line += if line.ends_with(':') { " " } else { "; " };
            line += kind;
            let named = self.first.iter().filter(|first| (first.status > 0) == (kind == "singular"));
            for (i, first) in named.enumerate() {
                let place = self.places.place(first.position);
                if !place.is_empty() {
                    let _ = write!(line, "{} {place}", if i == 0 { " at" } else { "," });
                }
                if first.status > 0 {
                    let _ = write!(line, " (column {})", first.status);
                }
            }
            if count > NAMED {
                line += ", ...";
            }
        }
        Some(line)
    }
}

/// One JSON object and the end of a line.
pub fn print(object: &impl Serialize, to: &mut dyn io::Write, name: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io(format!("cannot write {name}: {error}"));
    let text = serde_json::to_string(object).map_err(|error| failed(error.into()))?;
    writeln!(to, "{text}").and_then(|()| to.flush()).map_err(failed)
}
