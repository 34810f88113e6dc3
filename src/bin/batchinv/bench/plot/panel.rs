//! One panel: axes, the floor that a plain copy sets, lines, and a label for each beside its end.

use super::series::Series;
use super::svg::{Anchor, GRAY, Stroke, Svg, Text, shortened};

pub struct Panel {
    pub heading: String,
    pub series: Vec<Series>,
    /// Seconds for one matrix, by order, below which no time can be.
    pub limit: Vec<(usize, f64)>,
    pub limit_name: &'static str,
}

/// Of a panel with everything that belongs to it.
pub const HEIGHT: f64 = 478.0;

const HEADING: f64 = 30.0;
const PLOT: f64 = 396.0;
/// Left of the plot, for the numbers of the axis.
const NUMBERS: f64 = 50.0;
/// Right of the plot, for the labels.
const LABELS: f64 = 224.0;
/// From a label's line to the plot.
const LEADER: f64 = 18.0;
const SWATCH: f64 = 22.0;
/// Between the labels' lines of text, where there is room.
const LABEL_HEIGHT: f64 = 33.0;
/// Between the numbers of the order's axis, at the least.
const TICK: f64 = 19.0;

const GRID: Stroke = Stroke { color: "#e9ecef", width: 1.0, dashes: "" };
const AXIS: Stroke = Stroke { color: "#adb5bd", width: 1.0, dashes: "" };
const LIMIT: Stroke = Stroke { color: "#868e96", width: 1.3, dashes: "5 4" };
const FLOOR: &str = "#f4f5f7";

/// Where things are.
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// log2 of the first and the last order.
    orders: (f64, f64),
    /// log10 of the least and the greatest time.
    seconds: (f64, f64),
}

impl Panel {
    pub fn draw(&self, svg: &mut Svg, x: f64, y: f64, width: f64) {
        let heading = Text { size: 14.0, weight: 600, ..Text::default() };
        svg.text(x, y + 14.0, heading, &self.heading);
        let (left, top) = (x + NUMBERS, y + HEADING);
        let Some(frame) = self.frame(left, x + width - LABELS, top, top + PLOT) else { return };
        draw_grid(svg, &frame);
        // The floor hides the grid: there is nothing to read off below it.
        self.draw_limit(svg, &frame);
        self.draw_orders(svg, &frame);
        // Ours last, on top.
        for series in self.series.iter().filter(|series| !series.ours).chain(self.series.iter().filter(|s| s.ours)) {
            draw_line(svg, &frame, series);
        }
        self.draw_labels(svg, &frame);
    }

    fn frame(&self, left: f64, right: f64, top: f64, bottom: f64) -> Option<Frame> {
        let points = || self.series.iter().flat_map(|series| &series.points).chain(&self.limit);
        let range = |numbers: &mut dyn Iterator<Item = f64>| {
            numbers
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), number| (least.min(number), most.max(number)))
        };
        let orders = range(&mut points().map(|(order, _)| (*order as f64).log2()));
        let (least, most) = range(&mut points().map(|(_, seconds)| seconds.log10()));
        // Room above and below, and enough in all for two numbers on the axis.
        let seconds = ((least - 0.35).min(most - 1.7), (most + 0.2).max(least + 0.6));
        orders.0.is_finite().then_some(Frame { left, right, top, bottom, orders, seconds })
    }

    fn draw_limit(&self, svg: &mut Svg, frame: &Frame) {
        let points = frame.points(&self.limit);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        // The first and the last piece go on, out to the sides of the plot.
        let (from, to) = (first.0 - Frame::PADDING, last.0 + Frame::PADDING);
        let on = |one: (f64, f64), two: (f64, f64), x| (x, one.1 + (two.1 - one.1) / (two.0 - one.0) * (x - one.0));
        let before = points.get(1).map_or((from, first.1), |second| on(*first, *second, from));
        let after = points.iter().rev().nth(1).map_or((to, last.1), |second| on(*second, *last, to));
        let edge: Vec<_> = [before].into_iter().chain(points.iter().copied()).chain([after]).collect();
        let corners = [(to, frame.bottom), (from, frame.bottom)];
        svg.area(&edge.iter().copied().chain(corners).collect::<Vec<_>>(), FLOOR);
        svg.line(&edge, LIMIT);
        let name = Text { size: 11.5, color: GRAY, anchor: Anchor::End, ..Text::default() };
        svg.text(frame.right - 10.0, frame.bottom - 12.0, name, self.limit_name);
    }

    fn draw_orders(&self, svg: &mut Svg, frame: &Frame) {
        let number = Text { size: 11.5, color: GRAY, anchor: Anchor::Middle, ..Text::default() };
        svg.line(&[(frame.left, frame.bottom), (frame.right, frame.bottom)], AXIS);

        let mut orders: Vec<usize> =
            self.series.iter().flat_map(|series| &series.points).map(|(order, _)| *order).collect();
        orders.sort_unstable();
        orders.dedup();
        for order in with_room(&orders, |order| frame.x(order)) {
            let x = frame.x(order);
            svg.line(&[(x, frame.bottom), (x, frame.bottom + 5.0)], AXIS);
            svg.text(x, frame.bottom + 19.0, number, &order.to_string());
        }
        svg.text(f64::midpoint(frame.left, frame.right), frame.bottom + 36.0, number, "order n of the n × n matrices");
    }

    fn draw_labels(&self, svg: &mut Svg, frame: &Frame) {
        // By the height of their ends, so that leaders do not cross.
        let mut ends: Vec<(&Series, (f64, f64))> = Vec::new();
        for series in &self.series {
            ends.extend(frame.points(&series.points).last().map(|end| (series, *end)));
        }
        ends.sort_by(|(_, one), (_, two)| one.1.total_cmp(&two.1));
        let wanted: Vec<f64> = ends.iter().map(|(_, end)| end.1).collect();
        let ys = spread(&wanted, LABEL_HEIGHT, frame.top + 8.0, frame.bottom - 14.0);
        for ((series, end), y) in ends.into_iter().zip(ys) {
            let Series { color, shape, ours, .. } = *series;
            let x = frame.right + LEADER;
            // A line that ends before the others has no way to its label but across them; color and mark must do.
            if end.0 > frame.right - Frame::PADDING - 1.0 {
                let leader = Stroke { color, width: 0.8, dashes: "1 3" };
                svg.line(&[(end.0 + 7.0, end.1), (x - 2.0, y)], leader);
            }
            svg.line(&[(x, y), (x + SWATCH, y)], stroke(series));
            svg.mark((x + SWATCH / 2.0, y), shape, radius(ours), color);
            let name = Text { size: 13.0, weight: if ours { 650 } else { 500 }, ..Text::default() };
            let details = Text { size: 10.5, color: GRAY, ..Text::default() };
            let (x, room) = (x + SWATCH + 8.0, LABELS - LEADER - SWATCH - 8.0);
            svg.text(x, y + 4.5, name, &shortened(&series.name, room, name.size));
            if !series.details.is_empty() {
                svg.text(x, y + 18.0, details, &shortened(&series.details, room, details.size));
            }
        }
    }
}

fn draw_grid(svg: &mut Svg, frame: &Frame) {
    let number = Text { size: 11.5, color: GRAY, anchor: Anchor::End, ..Text::default() };
    for power in frame.seconds.0.ceil() as i32..=frame.seconds.1.floor() as i32 {
        let y = frame.y(10.0_f64.powi(power));
        svg.line(&[(frame.left, y), (frame.right, y)], GRID);
        svg.text(frame.left - 8.0, y + 4.0, number, &in_words(power));
    }
}

fn draw_line(svg: &mut Svg, frame: &Frame, series: &Series) {
    let points = frame.points(&series.points);
    svg.line(&points, stroke(series));
    for point in points {
        svg.mark(point, series.shape, radius(series.ours), series.color);
    }
}

fn stroke(series: &Series) -> Stroke {
    Stroke { color: series.color, width: if series.ours { 2.6 } else { 1.5 }, dashes: "" }
}

fn radius(ours: bool) -> f64 {
    if ours { 4.6 } else { 3.8 }
}

impl Frame {
    /// Between the sides of the plot and the first and last order.
    const PADDING: f64 = 18.0;

    fn x(&self, order: usize) -> f64 {
        let (first, last) = self.orders;
        let share = if last > first { ((order as f64).log2() - first) / (last - first) } else { 0.5 };
        self.left + Self::PADDING + share * (self.right - self.left - 2.0 * Self::PADDING)
    }

    fn y(&self, seconds: f64) -> f64 {
        let (least, most) = self.seconds;
        self.bottom - (seconds.log10() - least) / (most - least) * (self.bottom - self.top)
    }

    fn points(&self, points: &[(usize, f64)]) -> Vec<(f64, f64)> {
        points.iter().map(|(order, seconds)| (self.x(*order), self.y(*seconds))).collect()
    }
}

/// `100 ns` for -7
fn in_words(power: i32) -> String {
    let units = [(0, "s"), (-3, "ms"), (-6, "µs"), (-9, "ns")];
    let (unit, name) = units.into_iter().find(|(unit, _)| power >= *unit).unwrap_or((-12, "ps"));
    match power - unit {
        digits @ 0..=5 => format!("{} {name}", 10_u32.pow(digits as u32)),
        _ => format!("1e{power} s"),
    }
}

/// The orders that can be written without touching; powers of two before others.
fn with_room(orders: &[usize], x: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut shown: Vec<usize> = Vec::new();
    let (powers, others): (Vec<usize>, Vec<usize>) = orders.iter().partition(|order| order.is_power_of_two());
    for order in powers.into_iter().chain(others) {
        if shown.iter().all(|other| (x(*other) - x(order)).abs() >= TICK) {
            shown.push(order);
        }
    }
    shown
}

/// Heights as near to those wanted, which ascend, as they can be with this much between them.
fn spread(wanted: &[f64], between: f64, top: f64, bottom: f64) -> Vec<f64> {
    let between = between.min((bottom - top) / wanted.len().max(2).saturating_sub(1) as f64);
    // Neighbors that touch join a group, whose middle stands where its members wish on average.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &height in wanted {
        groups.push((height, 1));
        while let [.., (above, many), (below, few)] = groups[..] {
            let touch = above + between * (many - 1) as f64 / 2.0 + between > below - between * (few - 1) as f64 / 2.0;
            if !touch {
                break;
            }
            let all = many + few;
            // Each member wishes the first one to stand its own number of steps above it.
            let first = |middle: f64, count: usize| middle - between * (count - 1) as f64 / 2.0;
            let start = (first(above, many) * many as f64 + (first(below, few) - between * many as f64) * few as f64)
                / all as f64;
            groups.truncate(groups.len() - 2);
            groups.push((start + between * (all - 1) as f64 / 2.0, all));
        }
    }
    let mut heights: Vec<f64> = Vec::new();
    for (middle, count) in groups {
        let half = between * (count - 1) as f64 / 2.0;
        heights.extend((0..count).map(|i| middle - half + between * i as f64));
    }
    // Back into the plot, pushing neighbors along.
    let mut least = top;
    for height in &mut heights {
        *height = height.max(least);
        least = *height + between;
    }
    let mut most = bottom;
    for height in heights.iter_mut().rev() {
        *height = height.min(most);
        most = *height - between;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::{in_words, spread, with_room};

    #[test]
    fn labels_keep_their_distance_and_stay_inside() {
        for wanted in [vec![], vec![50.0], vec![50.0, 51.0, 52.0], vec![1.0, 2.0, 300.0, 399.0], vec![200.0; 12]] {
            let heights = spread(&wanted, 30.0, 0.0, 400.0);
            assert_eq!(heights.len(), wanted.len());
            assert!(heights.windows(2).all(|pair| pair[1] - pair[0] > 29.999), "{heights:?}");
            assert!(heights.iter().all(|height| (-0.001..400.001).contains(height)), "{heights:?}");
        }
        // Where there is room, they stand where they should; in a crowd, around its middle.
        assert_eq!(spread(&[50.0, 100.0], 30.0, 0.0, 400.0), [50.0, 100.0]);
        assert_eq!(spread(&[50.0, 60.0], 30.0, 0.0, 400.0), [40.0, 70.0]);
        // Many share what room there is.
        assert!(spread(&[200.0; 40], 30.0, 0.0, 400.0).windows(2).all(|pair| pair[1] > pair[0]));
    }

    #[test]
    fn the_axis_is_in_words() {
        let shown = [-9, -8, -7, -6, -4, -3, 0, 1].map(in_words);
        assert_eq!(shown, ["1 ns", "10 ns", "100 ns", "1 µs", "100 µs", "1 ms", "1 s", "10 s"]);
        assert_eq!(in_words(-11), "10 ps");
        let orders: Vec<usize> = (1..=64).collect();
        let shown = with_room(&orders, |order| (order as f64).log2() * 60.0);
        assert!([1, 2, 4, 8, 16, 32, 64].iter().all(|order| shown.contains(order)) && !shown.contains(&63));
    }
}
