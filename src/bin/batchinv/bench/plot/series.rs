//! The lines of a panel: the rows of one program on one machine, with a name that distinguishes them from the others.

use plotters::style::{Color, RGBColor, ShapeStyle};

use crate::bench::row::Row;

/// One line.
pub struct Series {
    pub name: String,
    /// Further facts, in smaller letters.
    pub details: String,
    /// True if timed in this run, and drawn bolder.
    pub ours: bool,
    pub color: RGBColor,
    pub mark: Mark,
    /// The largest number of threads of any row.
    threads: usize,
    /// Seconds per matrix by order.
    pub points: Vec<(usize, f64)>,
}

/// The shape of a line's points, so that color is not all that tells lines apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
}

/// Colors that the color-blind can tell apart (Okabe and Ito), and three darker ones for long lists.
const CPU: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const GPU: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const PEERS: [RGBColor; 8] = [
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x7f, 0x7f, 0x7f),
    RGBColor(0x7a, 0x4f, 0xb5),
    RGBColor(0x8c, 0x51, 0x0a),
    RGBColor(0x33, 0x33, 0x33),
];
const MARKS: [Mark; 4] = [Mark::Square, Mark::Up, Mark::Diamond, Mark::Down];

impl Series {
    /// How its line is drawn.
    pub fn style(&self) -> ShapeStyle {
        self.color.stroke_width(if self.ours { 3 } else { 1 })
    }
}

/// Lines in the order of their rows, ours first. Rows without `seconds` add no point, but they count, so that a program
/// has the same color in every panel.
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

/// Adds a point, or keeps the faster one if the order was timed with several lengths.
pub fn keep_best(points: &mut Vec<(usize, f64)>, order: usize, seconds: f64) {
    match points.binary_search_by_key(&order, |(order, _)| *order) {
        Ok(at) => points[at].1 = points[at].1.min(seconds),
        Err(at) => points.insert(at, (order, seconds)),
    }
}

/// An adapter's name without the driver's remarks in parentheses.
pub fn short(adapter: &str) -> &str {
    adapter.split(" (").next().unwrap_or(adapter)
}

/// The facts that rows of one line have in common.
#[derive(Clone, PartialEq, Eq)]
struct Key<'a> {
    own: bool,
    engine: &'a str,
    program: &'a str,
    adapter: Option<&'a str>,
    /// Set for peers only; ours vary with the work.
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
            // The words of the peers' scripts.
            pivots: !row.note.as_ref().is_some_and(|note| note.contains("does not pivot")),
        }
    }

    fn is_batchinv(&self) -> bool {
        self.program.starts_with("batchinv ")
    }

    fn series(&self, peers: usize) -> Series {
        let name = if self.is_batchinv() { format!("batchinv {}", self.engine) } else { self.engine.to_owned() };
        let (color, mark) = match (self.own, self.engine) {
            (true, "cpu") => (CPU, Mark::Circle),
            (true, _) => (GPU, Mark::Circle),
            _ => (PEERS[peers % PEERS.len()], MARKS[peers % MARKS.len()]),
        };
        Series { name, details: String::new(), ours: self.own, color, mark, threads: 0, points: Vec::new() }
    }

    /// `2.4.6, no pivoting`, and any facts that differ from other lines of the same name and from this run, which used
    /// `ours` threads on `machine`.
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
        // The foot of the picture names the machine. The name of an adapter says more than that of its host.
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
