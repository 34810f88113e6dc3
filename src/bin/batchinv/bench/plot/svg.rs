//! The few elements of SVG that the picture is made of.

use std::fmt::Write;

pub const INK: &str = "#212529";
pub const GRAY: &str = "#5c636a";

pub struct Svg(String);

#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub struct Text {
    pub size: f64,
    pub weight: u32,
    pub color: &'static str,
    pub anchor: Anchor,
}

impl Default for Text {
    fn default() -> Self {
        Self { size: 12.0, weight: 400, color: INK, anchor: Anchor::Start }
    }
}

/// How a line looks.
#[derive(Clone, Copy)]
pub struct Stroke {
    pub color: &'static str,
    pub width: f64,
    pub dashes: &'static str,
}

impl Svg {
    /// An empty card: white, so that it reads on a dark page too.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"system-ui, -apple-system, 'Segoe UI', \
             Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif\">\n"
        ));
        let _ = writeln!(svg.0, "<title>{}</title>", escaped(title));
        let _ = writeln!(
            svg.0,
            "<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"#ffffff\" stroke=\"#dee2e6\"/>",
            width - 1.0,
            height - 1.0
        );
        svg
    }

    pub fn end(mut self) -> String {
        self.0 += "</svg>\n";
        self.0
    }

    pub fn text(&mut self, x: f64, y: f64, text: Text, content: &str) {
        let Text { size, weight, color, anchor } = text;
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.0,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{color}\" \
             text-anchor=\"{anchor}\">{}</text>",
            escaped(content)
        );
    }

    pub fn line(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let Stroke { color, width, dashes } = stroke;
        let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        let _ = writeln!(
            self.0,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\" stroke-linecap=\"round\"{dashes}/>",
            pairs(points)
        );
    }

    pub fn area(&mut self, points: &[(f64, f64)], color: &str) {
        let _ = writeln!(self.0, "<polygon points=\"{}\" fill=\"{color}\"/>", pairs(points));
    }

    /// A mark on a line, with a white rim that parts it from lines below it.
    pub fn mark(&mut self, (x, y): (f64, f64), shape: Shape, radius: f64, color: &str) {
        let rim = "stroke=\"#ffffff\" stroke-width=\"1.2\"";
        let corners: &[(f64, f64)] = match shape {
            Shape::Circle => {
                let _ =
                    writeln!(self.0, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{color}\" {rim}/>");
                return;
            }
            Shape::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Shape::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Shape::Up => &[(0.0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
            Shape::Down => &[(0.0, 1.2), (1.15, -0.9), (-1.15, -0.9)],
        };
        let corners: Vec<_> = corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect();
        let _ = writeln!(self.0, "<polygon points=\"{}\" fill=\"{color}\" {rim}/>", pairs(&corners));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
}

/// A text that is no wider than this, as far as that can be known without the font.
pub fn shortened(text: &str, width: f64, size: f64) -> String {
    // Wide fonts take this much of their size for a letter, on average.
    let letters = (width / (0.58 * size)) as usize;
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

fn pairs(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

/// Names come from files and drivers: whatever is in them, the XML stays well-formed.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            // Not allowed in XML, in any spelling.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
