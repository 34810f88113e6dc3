//! The account of a run: lines for people on stderr, or one JSON object.

use std::fmt::Write as _;
use std::io;

use batchinv::{Report, ScalarKind, Stages, Status, Verdict};
use serde::Serialize;

use crate::exit::{Failure, say};
use crate::inv::args::{Args, WorkingPrecision};
use crate::json;
use crate::shape::Shape;
use crate::stdio::stdout_for_text;

/// Increases when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;

/// The number of matrices of each kind that are named.
const NAMED: usize = 4;

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
    order: usize,
    len: usize,
    shape: Vec<usize>,
    counts: Counts,
    /// The first matrices with a status other than 0: singular ones, then those that are not finite, then those
    /// that are ill-conditioned.
    first: Vec<First>,
    verify: Option<Verification>,
    pub seconds: Seconds,
    #[serde(skip)]
    places: Shape,
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

#[derive(Debug, Default, Serialize)]
struct Counts {
    inverted: usize,
    singular: usize,
    not_finite: usize,
    /// Below `--min-rcond`, which keep their inverses.
    ill_conditioned: usize,
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

/// Wall time, stage by stage. With several pieces, stages overlap.
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
    /// Adds the engine's stages.
    pub fn add_stages(&mut self, stages: &Stages) {
        self.prepare += stages.prepare;
        self.upload += stages.upload;
        self.dispatch += stages.dispatch;
        self.readback += stages.readback;
    }
}

/// Adds the report of the next piece to the report of all pieces before it. The sum names the engine of the first
/// piece, or, once the GPU has failed, the engine that took over and the failure.
pub fn merge(whole: &mut Option<Report>, piece: Report) {
    let Some(whole) = whole else {
        *whole = Some(piece);
        return;
    };
    *whole += piece;
}

/// Counts of the verdicts, and the first matrices with each of them.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Counts,
    singular: Vec<First>,
    not_finite: Vec<First>,
    ill_conditioned: Vec<First>,
}

impl Tally {
    /// Adds the statuses of the piece that begins at matrix `first`.
    pub fn add(&mut self, statuses: &[Status], first: usize, shape: &Shape) {
        for (position, status) in (first..).zip(statuses) {
            let (count, named) = match status.verdict() {
                Verdict::Inverted => {
                    self.counts.inverted += 1;
                    continue;
                }
                Verdict::Singular { .. } => (&mut self.counts.singular, &mut self.singular),
                Verdict::IllConditioned => (&mut self.counts.ill_conditioned, &mut self.ill_conditioned),
                _ => (&mut self.counts.not_finite, &mut self.not_finite),
            };
            *count += 1;
            if named.len() < NAMED {
                named.push(First { index: shape.index(position), status: status.word(), position });
            }
        }
    }
}

/// Prints the lines for people, the JSON object, or both, for a file of one array.
pub fn tell(account: &Account, args: &Args) -> Result<(), Failure> {
    print(std::slice::from_ref(account), account, args)
}

/// The same for an archive.
pub fn tell_all(accounts: &[Account], total_seconds: f64, args: &Args) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    print(accounts, &Accounts { schema: SCHEMA, version, arrays: accounts, total_seconds }, args)
}

fn print(accounts: &[Account], object: &impl Serialize, args: &Args) -> Result<(), Failure> {
    // An object on stderr must stand there alone.
    let alone = args.json && args.uses_stdout();
    if !args.quiet && !alone {
        accounts.iter().for_each(Account::say);
        if accounts.is_empty() {
            say("the archive holds no array");
        }
    }
    match args.json {
        true if alone => json::print(object, &mut io::stderr().lock(), "standard error"),
        true => json::print(object, &mut stdout_for_text()?, "standard output"),
        false => Ok(()),
    }
}

impl Account {
    #[allow(clippy::too_many_arguments, reason = "called once, with everything that a run has to say")]
    pub fn new(
        name: Option<&str>,
        report: &Report,
        scalar: ScalarKind,
        precision: WorkingPrecision,
        shape: Shape,
        tally: Tally,
        ratio: Option<f64>,
        seconds: Seconds,
    ) -> Self {
        let reason = match &report.gpu_failure {
            Some(failure) => Some(format!("the CPU took over: {failure}")),
            None => report.reason.as_ref().map(ToString::to_string),
        };
        let Tally { counts, singular, not_finite, ill_conditioned } = tally;
        let first = singular.into_iter().chain(not_finite).chain(ill_conditioned).collect();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            name: name.map(str::to_owned),
            engine: report.engine.name(),
            adapter: report.adapter.as_deref().map(str::to_owned),
            kernel: report.kernel.name(),
            chunks: report.chunks,
            reason,
            scalar: scalar.name(),
            precision: precision.name(),
            order: shape.order,
            len: shape.len,
            shape: shape.axes.clone(),
            counts,
            first,
            verify: ratio.map(|largest_ratio| Verification { largest_ratio }),
            seconds,
            places: shape,
        }
    }

    /// The lines for people, with the name of the array in an archive.
    fn say(&self) {
        let name = self.name.as_ref().map_or(String::new(), |name| format!("{name}: "));
        for line in [Some(self.summary()), self.missing(), self.ill_conditioned()].into_iter().flatten() {
            say(&format!("{name}{line}"));
        }
    }

    /// `128 matrices of order 32, float32, on the cpu engine (lanes): no GPU adapter: wgpu found none`
    fn summary(&self) -> String {
        let matrices = if self.len == 1 { "matrix" } else { "matrices" };
        let Self { len, order, scalar, engine, kernel, .. } = self;
        let mut line = format!("{len} {matrices} of order {order}, {scalar}, on the {engine} engine ({kernel}");
        let _ = match &self.adapter {
            Some(adapter) => write!(line, ", {adapter})"),
            None => write!(line, ")"),
        };
        if let Some(reason) = &self.reason {
            let _ = write!(line, ": {reason}");
        }
        if let Some(Verification { largest_ratio }) = self.verify {
            let _ = write!(line, "; verified, the largest residual ratio is {largest_ratio:.3}");
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
        for (kind, count) in [("singular", self.counts.singular), ("not finite", self.counts.not_finite)] {
            if count > 0 {
                line += if line.ends_with(':') { " " } else { "; " };
                line += kind;
                line += &self.named(count, |status| (status > 0) == (kind == "singular") && status >= -1);
            }
        }
        Some(line)
    }

    /// `2 of 1000 matrices are ill-conditioned: at 5, 23`
    fn ill_conditioned(&self) -> Option<String> {
        let line = match (self.counts.ill_conditioned, self.len) {
            (0, _) => return None,
            _ if self.places.leading().is_empty() => return Some("the matrix is ill-conditioned".to_owned()),
            (1, len) => format!("1 of {len} matrices is ill-conditioned:"),
            (count, len) => format!("{count} of {len} matrices are ill-conditioned:"),
        };
        Some(line + &self.named(self.counts.ill_conditioned, |status| status == -2))
    }

    /// Where the first matrices of a kind are, of which there are `count`.
    fn named(&self, count: usize, kind: impl Fn(i32) -> bool) -> String {
        let mut line = String::new();
        for (i, first) in self.first.iter().filter(|first| kind(first.status)).enumerate() {
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
        line
    }
}
