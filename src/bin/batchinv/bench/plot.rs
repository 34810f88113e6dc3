//! The picture: time per matrix against order, on log axes, a panel for each scalar and each clock.
//!
//! Written by hand rather than by a plotting crate: the file stays small and sharp, its text stays text in the
//! reader's own font, and labels stand beside the lines' ends without touching, for which such crates have no means.

mod panel;
mod series;
mod svg;

use std::collections::BTreeSet;

use self::panel::Panel;
use self::svg::{Anchor, Svg, Text};
use super::row::Row;

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 32.0;
const HEAD: f64 = 88.0;
const FOOT: f64 = 34.0;

pub fn svg(rows: &[Row], peers: &[Row]) -> String {
    let panels = panels(rows, peers);
    let height = HEAD + FOOT + panel::HEIGHT * panels.len() as f64;
    let mut svg = Svg::new(WIDTH, height, "Time to invert one matrix, by order");
    head(&mut svg, rows);
    for (i, panel) in panels.iter().enumerate() {
        panel.draw(&mut svg, MARGIN, HEAD + panel::HEIGHT * i as f64, WIDTH - 2.0 * MARGIN);
    }
    foot(&mut svg, rows, peers, height - 18.0);
    svg.end()
}

/// One for each scalar that was timed, and where a device's own clock ran, one more for its passes alone. A software
/// adapter's passes are the whole call but for a copy, and need no panel.
fn panels(rows: &[Row], peers: &[Row]) -> Vec<Panel> {
    let mut scalars: Vec<&str> = Vec::new();
    for row in rows {
        if !scalars.contains(&&row.scalar[..]) {
            scalars.push(&row.scalar);
        }
    }
    let mut panels = Vec::new();
    for scalar in scalars {
        let is_scalar = |row: &Row| row.scalar == scalar;
        let all = || rows.iter().chain(peers).filter(|row| is_scalar(row));
        panels.push(Panel {
            heading: format!("{scalar}, whole call: from host memory to host memory"),
            series: series::gather(rows, peers, |row| row.each(row.total_seconds).filter(|_| is_scalar(row))),
            limit: limit(rows.iter().filter(|row| is_scalar(row)), |row| row.each(row.copy_seconds)),
            limit_name: "a plain copy of the same bytes (memcpy)",
        });
        if all().any(|row| row.device_seconds.is_some() && !row.is_software()) {
            panels.push(Panel {
                heading: format!("{scalar}, passes alone: on data that is on the device, by its own clock"),
                series: series::gather(rows, peers, |row| row.each(row.device_seconds).filter(|_| is_scalar(row))),
                limit: limit(all(), |row| row.each(row.device_copy_seconds)),
                limit_name: "a plain copy of the same bytes on the device",
            });
        }
    }
    panels
}

/// The fastest copy of each order.
fn limit<'a>(rows: impl Iterator<Item = &'a Row>, seconds: impl Fn(&Row) -> Option<f64>) -> Vec<(usize, f64)> {
    let mut points = Vec::new();
    for row in rows {
        if let Some(seconds) = seconds(row) {
            series::keep_best(&mut points, row.order, seconds);
        }
    }
    points
}

fn head(svg: &mut Svg, rows: &[Row]) {
    let title = Text { size: 22.0, weight: 650, ..Text::default() };
    svg.text(MARGIN, 42.0, title, "Time to invert one matrix, by order");
    let machine = rows.iter().find_map(|row| row.machine.as_deref());
    let adapter = rows.iter().find_map(|row| row.adapter.as_deref()).map(series::short);
    let facts: Vec<&str> =
        machine.into_iter().chain(adapter).chain(["best of the repeats", "lower is better"]).collect();
    let line = facts.join(" · ");
    let gray = Text { size: 13.0, color: svg::GRAY, ..Text::default() };
    svg.text(MARGIN, 65.0, gray, &svg::shortened(&line, WIDTH - 2.0 * MARGIN, gray.size));
}

/// What was run, and on the left where the peers ran, where that is elsewhere.
fn foot(svg: &mut Svg, rows: &[Row], peers: &[Row], y: f64) {
    let Some(row) = rows.first() else { return };
    let elsewhere: BTreeSet<&str> =
        peers.iter().filter(|peer| peer.machine != row.machine).filter_map(|peer| peer.machine.as_deref()).collect();
    if !elsewhere.is_empty() {
        let line = format!("elsewhere: {}", elsewhere.into_iter().collect::<Vec<_>>().join("; "));
        let small = Text { size: 11.0, color: svg::GRAY, ..Text::default() };
        svg.text(MARGIN, y, small, &svg::shortened(&line, 560.0, small.size));
    }
    let known = [Some(&row.program), row.commit.as_ref(), row.date.as_ref()].into_iter().flatten();
    let line = known.map(String::as_str).collect::<Vec<_>>().join(" · ");
    let small = Text { size: 11.0, color: svg::GRAY, anchor: Anchor::End, ..Text::default() };
    svg.text(WIDTH - MARGIN, y, small, &line);
}
