//! The fate of matrices: how many of each kind there are, and where the first ones lie.

use std::fmt::Write;

use batchinv::{Status, Verdict};
use serde::{Serialize, Serializer};

use crate::shape::Places;

/// The number of matrices of each kind that are named.
const NAMED: usize = 4;

/// The keys of the kinds in JSON.
pub const SINGULAR: &str = "singular";
pub const NOT_FINITE: &str = "not_finite";
pub const ILL_CONDITIONED: &str = "ill_conditioned";

/// The counts of one array.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The key of those of which there is nothing to tell, and their number.
    good: (&'static str, usize),
    lines: Vec<Line>,
}

/// Kinds that people find on one line.
#[derive(Clone, Debug)]
pub struct Line {
    /// `matrix` and `matrices`.
    pub things: [&'static str; 2],
    /// `has no inverse` and `have no inverse`.
    pub say: [&'static str; 2],
    pub kinds: Vec<Kind>,
}

#[derive(Clone, Debug)]
pub struct Kind {
    key: &'static str,
    /// Its name on the line; empty if the line is about nothing else.
    label: &'static str,
    count: usize,
    first: Vec<First>,
}

/// One of the first matrices of a kind.
#[derive(Clone, Debug, Serialize)]
pub struct First {
    index: Vec<usize>,
    /// If there are statuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i32>,
    /// If there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip)]
    position: usize,
}

impl Kind {
    pub fn new(key: &'static str, label: &'static str) -> Self {
        Self { key, label, count: 0, first: Vec::new() }
    }
}

impl Tally {
    pub fn new(good: &'static str, lines: Vec<Line>) -> Self {
        Self { good: (good, 0), lines }
    }

    /// Adds the statuses of the piece that begins at position `first`.
    pub fn add_statuses(&mut self, statuses: &[Status], first: usize, places: &Places) {
        for (position, status) in (first..).zip(statuses) {
            match status.verdict() {
                Verdict::Inverted => self.good.1 += 1,
                Verdict::Singular { .. } => self.add(SINGULAR, position, Some(*status), places),
                Verdict::IllConditioned => self.add(ILL_CONDITIONED, position, Some(*status), places),
                _ => self.add(NOT_FINITE, position, Some(*status), places),
            }
        }
    }

    /// Adds one of which there is nothing to tell.
    pub fn add_good(&mut self) {
        self.good.1 += 1;
    }

    /// Adds one of the kind with this key.
    pub fn add(&mut self, key: &'static str, position: usize, status: Option<Status>, places: &Places) {
        let Some(kind) = self.lines.iter_mut().flat_map(|line| &mut line.kinds).find(|kind| kind.key == key) else {
            unreachable!("{key} is not counted");
        };
        kind.count += 1;
        if kind.first.len() < NAMED {
            let status = status.map(Status::word);
            let index = places.index(position);
            kind.first.push(First { index, status, kind: status.is_none().then_some(key), position });
        }
    }

    /// The first of every kind, kind after kind.
    pub fn first(&self) -> Vec<First> {
        self.kinds().flat_map(|kind| kind.first.iter().cloned()).collect()
    }

    /// The lines for people, about `len` things.
    pub fn lines(&self, len: usize, places: &Places) -> impl Iterator<Item = String> {
        self.lines.iter().filter_map(move |line| line.text(len, places))
    }

    fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.lines.iter().flat_map(|line| &line.kinds)
    }
}

/// The counts as an object, those of which there is nothing to tell first.
impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([self.good].into_iter().chain(self.kinds().map(|kind| (kind.key, kind.count))))
    }
}

impl Line {
    /// `3 of 1000 matrices have no inverse: singular at 4 (column 1), 17 (column 2); not finite at 9`
    fn text(&self, len: usize, places: &Places) -> Option<String> {
        let ([thing, things], [says, say]) = (self.things, self.say);
        let count: usize = self.kinds.iter().map(|kind| kind.count).sum();
        let start = match count {
            0 => return None,
            _ if places.is_one() => format!("the {thing} {says}"),
            1 => format!("1 of {len} {things} {says}"),
            _ => format!("{count} of {len} {things} {say}"),
        };
        let kinds: Vec<String> =
            self.kinds.iter().filter(|kind| kind.count > 0).map(|kind| kind.text(places)).collect();
        let kinds = kinds.join("; ");
        Some(if kinds.is_empty() { start } else { format!("{start}: {kinds}") })
    }
}

impl Kind {
    /// `singular at 4 (column 1), 17 (column 2), ...`
    fn text(&self, places: &Places) -> String {
        let mut text = self.label.to_owned();
        for (i, first) in self.first.iter().enumerate() {
            let place = places.name(first.position);
            if !place.is_empty() {
                text += if i > 0 {
                    ", "
                } else if text.is_empty() {
                    "at "
                } else {
                    " at "
                };
                text += &place;
            }
            if let Some(column @ 1..) = first.status {
                let _ = write!(text, " (column {column})");
            }
        }
        if self.count > NAMED {
            text += ", ...";
        }
        text
    }
}
