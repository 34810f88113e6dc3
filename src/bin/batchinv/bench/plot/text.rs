//! Text in the picture: its font, and names that come from files and drivers.

use plotters::style::{FontDesc, FontFamily, FontStyle, RGBColor, TextStyle};

pub const INK: RGBColor = RGBColor(0x21, 0x25, 0x29);
pub const GRAY: RGBColor = RGBColor(0x5c, 0x63, 0x6a);

/// The reader's own font, by the names that systems give it.
const FAMILY: FontFamily<'static> = FontFamily::Name(
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif",
);

/// Text with its top left corner at the coordinate; `size` is CSS's, in pixels.
pub fn text(size: f64, color: &RGBColor) -> TextStyle<'static> {
    style(size, FontStyle::Normal, color)
}

pub fn bold(size: f64, color: &RGBColor) -> TextStyle<'static> {
    style(size, FontStyle::Bold, color)
}

fn style(size: f64, weight: FontStyle, color: &RGBColor) -> TextStyle<'static> {
    // The SVG backend divides by 1.24 again.
    FontDesc::new(FAMILY, size * 1.24, weight).color(color)
}

/// The start of a text that is too long for `width` pixels. Without the font, that is an estimate.
pub fn shortened(text: &str, width: u32, size: f64) -> String {
    // A letter of a wide font takes 0.58 of the font's size on average.
    let letters = (f64::from(width) / (0.58 * size)) as usize;
    let mut text = allowed(text);
    if let Some((end, _)) = text.char_indices().nth(letters) {
        let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        text.truncate(last);
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    text
}

/// Spaces for the characters that XML forbids in any spelling.
fn allowed(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_names_are_cut() {
        assert_eq!(shortened("numpy", 60, 10.0), "numpy");
        assert_eq!(shortened("0123456789", 58, 10.0), "0123456789");
        assert_eq!(shortened("0123456789a", 58, 10.0), "012345678…");
        assert_eq!(shortened("01234567 9a", 58, 10.0), "01234567…");
        assert_eq!(shortened("a\u{1}b\u{ffff}", 58, 10.0), "a b ");
    }
}
