//! The lines of a panel: rows of one program on one machine, with a name that tells them from the others.

use super::super::row::Row;
use super::svg::Shape;

/// One line.
pub struct Series {
    pub name: String,
    /// What else is known, in smaller letters.
    pub details: String,
    /// Timed in this run, and drawn bolder.
    pub ours: bool,
    pub color: &'static str,
    pub shape: Shape,
    /// The most that a row had.
    threads: usize,
    /// Seconds for one matrix, by order.
    pub points: Vec<(usize, f64)>,
}

/// Colors that the color-blind can tell apart (Okabe and Ito), and three darker ones for long lists.
const CPU: &str = "#0072b2";
const GPU: &str = "#d55e00";
const PEERS: [&str; 8] = ["#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#7a4fb5", "#8c510a", "#333333"];
const SHAPES: [Shape; 4] = [Shape::Square, Shape::Up, Shape::Diamond, Shape::Down];

/// Lines in the order in which their rows come, ours first. All rows take part, so that a program has the same color in
/// every panel; those without `seconds` give no point.
pub fn gather(ours: &[Row], theirs: &[Row], seconds: impl Fn(&Row) -> Option<f64>) -> Vec<Series> {
    let mut lines: Vec<(Key<'_>, Series)> = Vec::new();
    for (own, row) in ours.iter().map(|row| (true, row)).chain(theirs.iter().map(|row| (false, row))) {
        let key = Key::of(own, row);
        let line = match lines.iter_mut().find(|(other, _)| *other == key) {
            Some(line) => line,
            None => {
                let peers = lines.iter().filter(|(key, _)| !key.own).count();
                lines.push((key.clone(), key.series(peers)));
                lines.last_mut().expect("just pushed")
            }
        };
        line.1.threads = line.1.threads.max(row.threads.unwrap_or(0));
        if let Some(seconds) = seconds(row) {
            keep_best(&mut line.1.points, row.order, seconds);
        }
    }
    let threads = lines.iter().filter(|(key, _)| key.own && key.adapter.is_none()).map(|(_, line)| line.threads).max();
    let machine = lines.iter().find(|(key, _)| key.own).and_then(|(key, _)| key.machine);
    for i in 0..lines.len() {
        let others = lines.iter().enumerate().filter(|(j, (key, _))| *j != i && key.engine == lines[i].0.engine);
        let others: Vec<Key> = others.map(|(_, (key, _))| key.clone()).collect();
        lines[i].1.details = lines[i].0.details(lines[i].1.threads, &others, threads, machine);
    }
    lines.into_iter().map(|(_, series)| series).filter(|series| !series.points.is_empty()).collect()
}

/// Of several lengths of one order, the one that suits a program best.
pub fn keep_best(points: &mut Vec<(usize, f64)>, order: usize, seconds: f64) {
    match points.binary_search_by_key(&order, |(order, _)| *order) {
        Ok(at) => points[at].1 = points[at].1.min(seconds),
        Err(at) => points.insert(at, (order, seconds)),
    }
}

/// An adapter's name without what drivers put into parentheses.
pub fn short(adapter: &str) -> &str {
    adapter.split(" (").next().unwrap_or(adapter)
}

/// What makes rows one line.
#[derive(Clone, PartialEq, Eq)]
struct Key<'a> {
    own: bool,
    engine: &'a str,
    program: &'a str,
    adapter: Option<&'a str>,
    /// Of peers; ours vary with the work.
    threads: Option<usize>,
    machine: Option<&'a str>,
    commit: Option<&'a str>,
    date: Option<&'a str>,
    pivots: bool,
}

impl<'a> Key<'a> {
    fn of(own: bool, row: &'a Row) -> Self {
        let batchinv = row.program.starts_with("batchinv ");
        Self {
            own,
            engine: &row.engine,
            program: &row.program,
            adapter: row.adapter.as_deref(),
            threads: row.threads.filter(|_| !batchinv),
            machine: row.machine.as_deref(),
            commit: row.commit.as_deref(),
            date: row.date.as_deref(),
            // In the words of the peers' scripts.
            pivots: !row.note.as_ref().is_some_and(|note| note.contains("does not pivot")),
        }
    }

    fn is_batchinv(&self) -> bool {
        self.program.starts_with("batchinv ")
    }

    fn series(&self, peers: usize) -> Series {
        let name = if self.is_batchinv() { format!("batchinv {}", self.engine) } else { self.engine.to_owned() };
        let (color, shape) = match (self.own, self.engine) {
            (true, "cpu") => (CPU, Shape::Circle),
            (true, _) => (GPU, Shape::Circle),
            _ => (PEERS[peers % PEERS.len()], SHAPES[peers % SHAPES.len()]),
        };
        Series { name, details: String::new(), ours: self.own, color, shape, threads: 0, points: Vec::new() }
    }

    /// `2.4.6, no pivoting`, and whatever else tells it from others of its name and from this run, which has `ours`
    /// threads on `machine`.
    fn details(&self, threads: usize, others: &[Self], ours: Option<usize>, machine: Option<&str>) -> String {
        let mut details: Vec<String> = Vec::new();
        let version = self.program.rsplit_once(' ').map_or(self.program, |(_, version)| version);
        if !self.is_batchinv() {
            details.push(version.to_owned());
        }
        if !self.pivots {
            details.push("no pivoting".to_owned());
        }
        let elsewhere = machine.zip(self.machine).is_some_and(|(ours, its)| ours != its);
        if self.is_batchinv() || elsewhere || others.iter().any(|other| other.adapter != self.adapter) {
            details.extend(self.adapter.map(|name| short(name).to_owned()));
        }
        if self.adapter.is_none() && threads > 0 && (self.own || Some(threads) != ours) {
            details.push(format!("{threads} thread{}", if threads > 1 { "s" } else { "" }));
        }
        // Which one is said at the foot; an adapter's name says more than its host's.
        if elsewhere && self.adapter.is_none() {
            details.push("elsewhere".to_owned());
        }
        if others.iter().any(|other| other.commit != self.commit) {
            details.extend(self.commit.map(|commit| commit.chars().take(7).collect()));
        }
        if others.iter().any(|other| other.date != self.date) {
            details.extend(self.date.map(str::to_owned));
        }
        details.join(", ")
    }
}
