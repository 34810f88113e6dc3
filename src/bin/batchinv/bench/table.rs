//! The table for people, printed row by row as the measurements finish.

use std::io::Write;

use crate::bench::engines::Engines;
use crate::bench::machine::Machine;
use crate::bench::operation::Operation;
use crate::bench::row::Row;
use crate::exit::Failure;

pub struct Table {
    stream: Box<dyn Write>,
    /// The section of the last row; a row of another one starts a new section.
    section: Option<String>,
}

/// The two lines of each column's head, and its width. The kernel is aligned left, all other columns right.
const COLUMNS: [(&str, &str, usize); 15] = [
    ("", "order", 5),
    ("", "len", 8),
    ("", KERNEL, 11),
    ("total", "ns", 10),
    ("median", "over", 7),
    ("fresh", "ns", 10),
    ("", "matrices/s", 11),
    ("", "GB/s", 7),
    ("of", "copy", 7),
    ("device", "ns", 10),
    ("", "GB/s", 7),
    ("of", "copy", 6),
    ("", "GFLOP/s", 8),
    (OF_PEAK.0, OF_PEAK.1, 6),
    ("first", "ms", 7),
];
const KERNEL: &str = "kernel";
const OF_PEAK: (&str, &str) = ("of", "peak");
const OVER_LARGER: (&str, &str) = ("over", "larger");

const LEGEND: &str = "\
Times are per matrix, the best of the repeats. total: the whole call, from host memory into warm memory that \
the caller owns. median over: how far the median of total exceeds the best. fresh: the same call into memory \
that it allocates. matrices/s and GFLOP/s are those of total; an inverse counts as 2 n^3 operations, a determinant \
as 2/3 n^3, a solution of R columns as 2/3 n^3 + 2 n^2 R, and four times as many if numbers are complex. of peak: GFLOP/s as a share of vector multiply-adds by as many threads, with nothing loaded or stored. over \
larger: total divided by the larger of the host's copies and the device's passes; 1 if they overlap perfectly. \
Transfers over a bus are in neither. GB/s: bytes of input and output. of copy: the time of a plain copy of the \
same bytes as a share of the call's, on the host by memcpy with as many threads as the engine uses there, on \
the device from buffer to buffer. device: the passes alone, by the GPU's own clock. first ms: how much longer \
the first call took than a later one (shader, pipeline, buffers).";

impl Table {
    pub fn new(stream: Box<dyn Write>) -> Self {
        Self { stream, section: None }
    }

    /// Prints the program, its commit, the date, and the machine.
    pub fn head(&mut self, machine: &Machine, engines: &Engines) -> Result<(), Failure> {
        let commit = machine.commit.as_ref().map_or(String::new(), |commit| format!(", commit {commit}"));
        self.line(&format!("batchinv {}{commit}, {}", env!("CARGO_PKG_VERSION"), machine.date))?;
        let load = machine.load.map_or(String::new(), |load| format!("; load {load:.1} before the run"));
        self.line(&format!("machine  {}; {}{load}", machine.name, machine.system))?;
        for gpu in engines.iter().filter_map(|engine| engine.gpu.as_ref()) {
            let facts = gpu.device.facts();
            self.line(&format!("adapter  {}, {}, {}", facts.name, facts.kind.name(), facts.backend))?;
            self.line(&format!("driver   {}; opened in {} ms", facts.driver, figures(gpu.open_seconds * 1e3)))?;
        }
        Ok(())
    }

    pub fn add(&mut self, row: &Row) -> Result<(), Failure> {
        let section = format!("{}, {}{}", row.engine, row.scalar, operation(row));
        self.row(row, section, row.kernel.as_deref().unwrap_or("-"))
    }

    /// Prints the peers' figures for the orders and scalars that were timed, the notes, and the legend.
    pub fn foot(&mut self, rows: &[Row], peers: &[Row]) -> Result<(), Failure> {
        let timed = |peer: &&Row| rows.iter().any(|row| (row.order, &row.scalar) == (peer.order, &peer.scalar));
        let mut shown: Vec<&Row> = peers.iter().filter(timed).collect();
        // The scripts' lists alternate between peers; the table has a section for each.
        let mut sections: Vec<String> = Vec::new();
        for row in &shown {
            let section = peer_section(row, rows);
            if !sections.contains(&section) {
                sections.push(section);
            }
        }
        shown.sort_by_key(|row| sections.iter().position(|section| *section == peer_section(row, rows)));
        for row in &shown {
            self.row(row, peer_section(row, rows), "")?;
        }
        self.notes(rows.iter().chain(shown))?;
        self.line(&format!("\n{}", wrapped(LEGEND)))
    }

    fn row(&mut self, row: &Row, section: String, kernel: &str) -> Result<(), Failure> {
        if self.section.as_ref() != Some(&section) {
            self.line(&format!("\n{section}"))?;
            // The bound is the processor's peak on the CPU, and the larger of copies and passes on a GPU.
            let bound = if row.host_seconds.is_some() { OVER_LARGER } else { OF_PEAK };
            let heads = COLUMNS.map(|(one, two, _)| if (one, two) == OF_PEAK { bound } else { (one, two) });
            self.cells(&heads.map(|(head, _)| head))?;
            self.cells(&heads.map(|(_, head)| head))?;
            self.section = Some(section);
        }
        let Row { total_seconds: total, fresh_seconds: fresh, device_seconds: device, .. } = *row;
        let nanoseconds = |seconds| cell(row.each(seconds).map(|seconds| seconds * 1e9), figures);
        let gigabytes = |seconds: Option<f64>| cell(seconds.map(|seconds| row.bytes() / seconds / 1e9), figures);
        let share = |copy: Option<f64>, seconds| {
            cell(copy.zip(seconds).map(|(copy, seconds)| copy / seconds * 100.0), |percent| format!("{percent:.1}%"))
        };
        let gigaflops = total.map(|total| row.flops() / total / 1e9);
        let first = row.first_call_seconds.zip(fresh).map(|(first, fresh)| (first - fresh).max(0.0) * 1e3);
        self.cells(&[
            &row.order.to_string(),
            &row.len.to_string(),
            kernel,
            &nanoseconds(total),
            &cell(row.total_median_seconds.zip(total), |(median, best)| {
                format!("+{:.0}%", (median / best - 1.0) * 100.0)
            }),
            &nanoseconds(fresh),
            &cell(total.map(|total| row.len as f64 / total), prefixed),
            &gigabytes(total),
            &share(row.copy_seconds, total),
            &nanoseconds(device),
            &gigabytes(device),
            &share(row.device_copy_seconds, device),
            &cell(gigaflops, figures),
            &match row.over_larger() {
                Some(times) => format!("{times:.2}"),
                None => cell(gigaflops.zip(row.peak_gflops), |(own, peak)| format!("{:.1}%", own / peak * 100.0)),
            },
            &cell(first, figures),
        ])
    }

    /// Prints each note once per engine.
    fn notes<'a>(&mut self, rows: impl Iterator<Item = &'a Row>) -> Result<(), Failure> {
        let mut said: Vec<String> = Vec::new();
        for row in rows {
            let Some(note) = &row.note else { continue };
            let line = format!("{}: {note}", row.engine);
            if !said.contains(&line) {
                let before = if said.is_empty() { "\n" } else { "" };
                self.line(&format!("{before}{}", wrapped(&line)))?;
                said.push(line);
            }
        }
        Ok(())
    }

    fn cells(&mut self, cells: &[&str; COLUMNS.len()]) -> Result<(), Failure> {
        let mut line = String::new();
        for (cell, (_, head, width)) in cells.iter().zip(COLUMNS) {
            line += &if head == KERNEL { format!("  {cell:<w$}", w = width - 2) } else { format!("{cell:>width$}") };
        }
        self.line(line.trim_end())
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.stream, "{line}")
            .and_then(|()| self.stream.flush())
            .map_err(|error| Failure::io(format!("cannot write the table: {error}")))
    }
}

/// Wraps text into lines of at most 120 columns, and indents all but the first.
fn wrapped(text: &str) -> String {
    let (mut lines, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > 120 {
            lines += "\n  ";
            column = 2;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += width;
    }
    lines
}

/// `numpy, float32: numpy 2.4.6, linalg.inv, 2 threads`, with the machine if it is not ours.
fn peer_section(row: &Row, rows: &[Row]) -> String {
    let mut section = format!("{}, {}{}: {}", row.engine, row.scalar, operation(row), row.program);
    let threads = row.threads.map(|threads| format!("{threads} thread{}", if threads > 1 { "s" } else { "" }));
    for fact in [&row.kernel, &row.adapter, &threads].into_iter().flatten() {
        section = section + ", " + fact;
    }
    match &row.machine {
        Some(machine) if rows.iter().all(|ours| ours.machine.as_ref() != Some(machine)) => {
            format!("{section}, on {machine}")
        }
        _ => section,
    }
}

/// `, solve of 3 columns`; nothing for inverses.
fn operation(row: &Row) -> String {
    if row.op == Operation::Inverse { String::new() } else { format!(", {}", row.op.title(row.columns())) }
}

fn cell<V>(value: Option<V>, show: impl Fn(V) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

/// Three or four significant figures, and all digits before the point.
fn figures(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// `8.15 M`
fn prefixed(value: f64) -> String {
    match value {
        1e9.. => format!("{} G", figures(value / 1e9)),
        1e6.. => format!("{} M", figures(value / 1e6)),
        1e3.. => format!("{} k", figures(value / 1e3)),
        _ => figures(value),
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, figures, prefixed};

    #[test]
    fn a_line_fits_120_columns_and_its_heads_their_columns() {
        assert!(COLUMNS.iter().map(|(_, _, width)| width).sum::<usize>() <= 120);
        assert!(super::wrapped(super::LEGEND).lines().all(|line| line.len() <= 120));
        assert!(COLUMNS.iter().all(|(one, two, width)| one.len().max(two.len()) <= *width));
    }

    #[test]
    fn numbers_for_people() {
        let shown = [0.0123, 1.234, 56.78, 123.4, 1_234_567.0].map(figures);
        assert_eq!(shown, ["0.012", "1.23", "56.8", "123", "1234567"]);
        let shown = [812.0, 81_234.0, 76.9e6, 2.5e9].map(prefixed);
        assert_eq!(shown, ["812", "81.2 k", "76.9 M", "2.50 G"]);
    }
}
