//! The picture: time per matrix against order, on log axes, with one panel per scalar and clock.

mod area;
mod panel;
mod series;
mod text;

use std::collections::BTreeSet;

use plotters::prelude::{IntoDrawingArea, SVGBackend, WHITE};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::bench::operation::Operation;
use crate::bench::plot::area::{Area, Drawn};
use crate::bench::plot::panel::Panel;
use crate::bench::plot::text::{GRAY, INK, bold, shortened, text};
use crate::bench::row::Row;
use crate::exit::Failure;

const WIDTH: u32 = 960;
const MARGIN: u32 = 32;
const HEAD: u32 = 86;
const FOOT: u32 = 36;

/// The picture of all rows, as SVG.
pub fn svg(rows: &[Row], peers: &[Row]) -> Result<String, Failure> {
    let mut svg = String::new();
    draw(&mut svg, rows, peers).map_err(|error| Failure::io(format!("cannot draw the plot: {error}")))?;
    Ok(svg)
}

fn draw(svg: &mut String, rows: &[Row], peers: &[Row]) -> Drawn<()> {
    let panels = panels(rows, peers);
    let height = HEAD + FOOT + panel::HEIGHT * panels.len() as u32;
    let picture = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    // An opaque background, so that the picture can be read on a dark page too.
    picture.fill(&WHITE)?;
    let inner = picture.margin(0, 0, MARGIN, MARGIN);
    let (head, below) = inner.split_vertically(HEAD);
    let (middle, foot) = below.split_vertically(height - HEAD - FOOT);
    draw_head(&head, rows)?;
    for (panel, area) in panels.iter().zip(middle.split_evenly((panels.len().max(1), 1))) {
        panel.draw(&area)?;
    }
    draw_foot(&foot, rows, peers)?;
    picture.present()
}

/// One panel per scalar for whole calls, and one more for the passes alone if a device's clock timed any. A software
/// adapter gets no such panel: its passes are the whole call except for a copy.
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

/// The title, and the machine that was timed.
fn draw_head(area: &Area<'_>, rows: &[Row]) -> Drawn<()> {
    area.draw_text(&title(rows), &bold(22.0, &INK), (0, 25))?;
    let machine = rows.iter().find_map(|row| row.machine.as_deref());
    let adapter = rows.iter().find_map(|row| row.adapter.as_deref()).map(series::short);
    let facts: Vec<&str> =
        machine.into_iter().chain(adapter).chain(["best of the repeats", "lower is better"]).collect();
    let line = shortened(&facts.join(" · "), WIDTH - 2 * MARGIN, 13.0);
    area.draw_text(&line, &text(13.0, &GRAY), (0, 55))
}

/// All rows are about one operation.
fn title(rows: &[Row]) -> String {
    let Some(row) = rows.first() else { return String::new() };
    match row.op {
        Operation::Inverse => "Time to invert one matrix, by order".to_owned(),
        Operation::Solve if row.columns() == 1 => "Time to solve one system, by order".to_owned(),
        Operation::Solve => format!("Time to solve one system with {} right-hand sides, by order", row.columns()),
        Operation::Det => "Time to compute one determinant, by order".to_owned(),
    }
}

/// On the right, the program that ran; on the left, the peers' machines, if they are others.
fn draw_foot(area: &Area<'_>, rows: &[Row], peers: &[Row]) -> Drawn<()> {
    let Some(row) = rows.first() else { return Ok(()) };
    let small = text(11.0, &GRAY);
    let elsewhere: BTreeSet<&str> =
        peers.iter().filter(|peer| peer.machine != row.machine).filter_map(|peer| peer.machine.as_deref()).collect();
    if !elsewhere.is_empty() {
        let line = format!("elsewhere: {}", elsewhere.into_iter().collect::<Vec<_>>().join("; "));
        area.draw_text(&shortened(&line, 560, 11.0), &small, (0, 10))?;
    }
    let known = [Some(&row.program), row.commit.as_ref(), row.date.as_ref()].into_iter().flatten();
    let line = known.map(String::as_str).collect::<Vec<_>>().join(" · ");
    let right = small.pos(Pos::new(HPos::Right, VPos::Top));
    area.draw_text(&shortened(&line, WIDTH - 2 * MARGIN, 11.0), &right, ((WIDTH - 2 * MARGIN) as i32, 10))
}
