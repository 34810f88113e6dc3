//! One panel: axes, the floor that a plain copy sets, one line per series, and a label beside the end of each.

use std::iter;
use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::bench::plot::area::{Area, Drawn};
use crate::bench::plot::series::{Mark, Series};
use crate::bench::plot::text::{GRAY, INK, bold, shortened, text};

pub struct Panel {
    pub heading: String,
    pub series: Vec<Series>,
    /// Seconds per matrix by order: no time can be below these.
    pub limit: Vec<(usize, f64)>,
    pub limit_name: &'static str,
}

/// Height of a panel with its heading and axes.
pub const HEIGHT: u32 = 478;

const HEADING: u32 = 28;
/// Right of the plot, for the labels.
const LABELS: u32 = 224;
/// From the plot to the labels.
const LEADER: i32 = 18;
/// The piece of line in a label.
const SWATCH: i32 = 22;
/// A label's two lines of text.
const LABEL_HEIGHT: i32 = 33;

const GRID: RGBColor = RGBColor(0xe9, 0xec, 0xef);
const AXIS: RGBColor = RGBColor(0xad, 0xb5, 0xbd);
const LIMIT: RGBColor = RGBColor(0x86, 0x8e, 0x96);
const FLOOR: RGBColor = RGBColor(0xf4, 0xf5, 0xf7);

/// The axes of a panel.
struct Axes {
    orders: Range<f64>,
    /// The room at the sides: the first and last order, divided and multiplied by it, are the ends of the axis.
    side: f64,
    seconds: Range<f64>,
}

impl Panel {
    pub fn draw(&self, area: &Area<'_>) -> Drawn<()> {
        area.draw_text(&self.heading, &bold(14.0, &INK), (0, 0))?;
        let Some(Axes { orders, side, seconds }) = self.axes() else { return Ok(()) };
        let floor = seconds.start;
        let number = text(11.5, &GRAY);
        let mut chart = ChartBuilder::on(area)
            .margin_top(HEADING)
            .margin_right(LABELS)
            .margin_bottom(16)
            .x_label_area_size(42)
            .y_label_area_size(54)
            .build_cartesian_2d(
                orders.clone().log_scale().with_key_points(self.order_ticks(&orders)),
                seconds.clone().log_scale().with_key_points(decades(&seconds)),
            )?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(AXIS)
            .label_style(number.clone())
            .x_label_formatter(&|order| format!("{order:.0}"))
            .y_label_formatter(&|seconds| in_words(*seconds))
            .x_desc("order n of the n × n matrices")
            .axis_desc_style(number.clone())
            .draw()?;

        if let Some(limit) = self.limit_line(side) {
            // The floor hides the grid: there is nothing to read off below it.
            chart.draw_series(AreaSeries::new(limit.clone(), floor, FLOOR))?;
            chart.draw_series(DashedLineSeries::new(limit, 5, 4, LIMIT.stroke_width(1)))?;
        }

        // Ours last, on top.
        let (ours, peers): (Vec<&Series>, Vec<&Series>) = self.series.iter().partition(|series| series.ours);
        let base = area.get_base_pixel();
        let pixel = |chart: &ChartContext<'_, _, _>, point: &(f64, f64)| {
            let (x, y) = chart.backend_coord(point);
            (x - base.0, y - base.1)
        };
        let mut ends = Vec::new();
        for series in peers.into_iter().chain(ours) {
            chart.draw_series(LineSeries::new(points(&series.points), series.style()))?;
            for point in points(&series.points) {
                draw_mark(area, pixel(&chart, &point), series)?;
            }
            ends.extend(points(&series.points).last().map(|point| (series, pixel(&chart, &point))));
        }

        let (x, y) = chart.plotting_area().get_pixel_range();
        let (right, bottom) = (x.end - base.0, y.end - base.1);
        if !self.limit.is_empty() {
            let name = number.pos(Pos::new(HPos::Right, VPos::Bottom));
            area.draw_text(self.limit_name, &name, (right - 24, bottom - 8))?;
        }
        draw_labels(area, ends, right, y.start - base.1 + 8..bottom - 14)
    }

    /// The ranges of the axes, with room around the points; `None` without points.
    fn axes(&self) -> Option<Axes> {
        let all = || self.series.iter().flat_map(|series| points(&series.points)).chain(points(&self.limit));
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(f64::INFINITY..0.0, |range, value| range.start.min(value)..range.end.max(value))
        };
        let (orders, seconds) = (range(&mut all().map(|point| point.0)), range(&mut all().map(|point| point.1)));
        let side = (orders.end / orders.start).powf(0.03).max(1.05);
        // Two decades have at least two numbers on the axis.
        let (least, most) = (seconds.start / 2.2, seconds.end * 1.6);
        let seconds = least.min(most / 100.0)..most;
        orders.start.is_finite().then_some(Axes { orders: orders.start / side..orders.end * side, side, seconds })
    }

    /// The line of the limit, continued into the room at the sides by n^2, as the bytes of a matrix grow.
    fn limit_line(&self, side: f64) -> Option<impl Iterator<Item = (f64, f64)> + Clone> {
        let (first, last) = (points(&self.limit).next()?, points(&self.limit).last()?);
        let before = (first.0 / side, first.1 / side.powi(2));
        let after = (last.0 * side, last.1 * side.powi(2));
        Some(iter::once(before).chain(points(&self.limit)).chain(iter::once(after)))
    }

    /// The orders that can be written without touching; powers of two before others.
    fn order_ticks(&self, range: &Range<f64>) -> Vec<f64> {
        let mut orders: Vec<usize> =
            self.series.iter().flat_map(|series| &series.points).map(|(order, _)| *order).collect();
        orders.sort_unstable();
        orders.dedup();
        let (powers, others): (Vec<usize>, Vec<usize>) = orders.iter().partition(|order| order.is_power_of_two());
        let apart = (range.end / range.start).ln() / 32.0;
        let mut ticks: Vec<f64> = Vec::new();
        for order in powers.into_iter().chain(others).map(|order| order as f64) {
            if ticks.iter().all(|other| (other / order).ln().abs() >= apart) {
                ticks.push(order);
            }
        }
        ticks
    }
}

fn points(points: &[(usize, f64)]) -> impl Iterator<Item = (f64, f64)> + Clone {
    points.iter().map(|(order, seconds)| (*order as f64, *seconds))
}

fn draw_labels(area: &Area<'_>, mut ends: Vec<(&Series, (i32, i32))>, right: i32, heights: Range<i32>) -> Drawn<()> {
    // In the order of the lines' ends, so that leaders do not cross.
    ends.sort_by_key(|(_, end)| end.1);
    let last = ends.iter().map(|(_, end)| end.0).max().unwrap_or(right);
    let wanted: Vec<i32> = ends.iter().map(|(_, end)| end.1).collect();
    for ((series, end), y) in ends.into_iter().zip(spread(&wanted, LABEL_HEIGHT, heights)) {
        let x = right + LEADER;
        // A leader from a line that ends before the others would cross them; color and mark must do.
        if end.0 == last {
            area.draw(&PathElement::new(vec![(end.0 + 7, end.1), (x - 2, y)], series.color.mix(0.4)))?;
        }
        area.draw(&PathElement::new(vec![(x, y), (x + SWATCH, y)], series.style()))?;
        draw_mark(area, (x + SWATCH / 2, y), series)?;
        let left = Pos::new(HPos::Left, VPos::Center);
        let name = if series.ours { bold(13.0, &INK) } else { text(13.0, &INK) }.pos(left);
        let (x, room) = (x + SWATCH + 8, LABELS - (LEADER + SWATCH + 8) as u32);
        area.draw_text(&shortened(&series.name, room, 13.0), &name, (x, y))?;
        if !series.details.is_empty() {
            area.draw_text(&shortened(&series.details, room, 10.5), &text(10.5, &GRAY).pos(left), (x, y + 14))?;
        }
    }
    Ok(())
}

/// A mark with a white rim that sets it off from the lines below it.
fn draw_mark(area: &Area<'_>, (x, y): (i32, i32), series: &Series) -> Drawn<()> {
    let size = if series.ours { 5 } else { 4 };
    for (size, color) in [(size + 1, WHITE), (size, series.color)] {
        let corners = match series.mark {
            Mark::Circle => {
                area.draw(&Circle::new((x, y), size, color.filled()))?;
                continue;
            }
            // A smaller square looks as large as the other marks.
            Mark::Square => [(-1, -1), (1, -1), (1, 1), (-1, 1)].map(|(dx, dy)| (dx * (size - 1), dy * (size - 1))),
            Mark::Diamond => [(0, -size), (size, 0), (0, size), (-size, 0)],
            Mark::Up => [(0, -size), (size, size), (-size, size), (0, -size)],
            Mark::Down => [(0, size), (size, -size), (-size, -size), (0, size)],
        };
        area.draw(&Polygon::new(corners.map(|(dx, dy)| (x + dx, y + dy)), color.filled()))?;
    }
    Ok(())
}

/// The powers of ten in a range.
fn decades(range: &Range<f64>) -> Vec<f64> {
    let powers = range.start.log10().ceil() as i32..=range.end.log10().floor() as i32;
    powers.map(|power| 10.0_f64.powi(power)).collect()
}

/// `100 ns`
fn in_words(seconds: f64) -> String {
    let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];
    // Powers of ten are not exact.
    let (unit, name) = units.into_iter().find(|(unit, _)| seconds > unit * 0.9).unwrap_or((1e-12, "ps"));
    format!("{:.0} {name}", seconds / unit)
}

/// Heights near those wanted, which ascend, at least `apart` from each other if there is room.
fn spread(wanted: &[i32], apart: i32, range: Range<i32>) -> Vec<i32> {
    let apart = apart.min((range.end - range.start) / wanted.len().max(2).saturating_sub(1) as i32);
    let mut heights = wanted.to_vec();
    // Down from the top until nothing touches, then back up from the bottom as far as needed.
    let mut least = range.start;
    for height in &mut heights {
        *height = least.max(*height);
        least = *height + apart;
    }
    let mut most = range.end;
    for height in heights.iter_mut().rev() {
        *height = most.min(*height);
        most = *height - apart;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::{decades, in_words, spread};

    #[test]
    fn labels_keep_their_distance_and_stay_inside() {
        for wanted in [vec![], vec![50], vec![50, 51, 52], vec![1, 2, 300, 399], vec![200; 12]] {
            let heights = spread(&wanted, 30, 0..400);
            assert_eq!(heights.len(), wanted.len());
            assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= 30), "{heights:?}");
            assert!(heights.iter().all(|height| (0..=400).contains(height)), "{heights:?}");
        }
        // With enough room, labels stay where they are wanted.
        assert_eq!(spread(&[50, 100], 30, 0..400), [50, 100]);
        // Many share the room that there is.
        assert!(spread(&[200; 40], 30, 0..400).windows(2).all(|pair| pair[1] > pair[0]));
    }

    #[test]
    fn the_axis_is_in_words() {
        let shown: Vec<String> = decades(&(0.9e-11..2e1)).into_iter().map(in_words).collect();
        let units = ["10 ps", "100 ps", "1 ns", "10 ns", "100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"];
        assert_eq!(shown, [&units[..], &["100 ms", "1 s", "10 s"]].concat());
    }
}
