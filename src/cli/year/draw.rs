//! What the page and the picture of a year draw alike, as pieces of SVG. Texts are made harmless here and nowhere else.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use crate::catalog::{MoodPart, Year};
use crate::music::calendar::date;
use crate::music::printable;

/// Hues of the chapters, in degrees.
pub(super) const HUES: [u16; 9] = [265, 330, 18, 160, 215, 36, 290, 350, 190];

/// Text as HTML and SVG show it: nothing in it is markup, and no control character is left.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not a character that a document may have.
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

/// The year as a ring: a ray for each day, as long as the day was heard, beginning at the top. Each month has its hue.
pub(super) fn ring(year: &Year, (cx, cy): (f64, f64), (inner, outer): (f64, f64)) -> String {
    let period = year.insights.period;
    let days = (period.to - period.from).max(1) as f64;
    let most = year.insights.days.iter().map(|(_, ms)| *ms).max().unwrap_or(0).max(1) as f64;
    let mut months = vec![String::new(); 12];
    let mut silent = String::new();
    let at = |day: i64, radius: f64| {
        let angle = (day - period.from) as f64 / days * TAU - TAU / 4.0;
        (cx + radius * angle.cos(), cy + radius * angle.sin())
    };
    let ray = |path: &mut String, day: i64, length: f64| {
        let ((x1, y1), (x2, y2)) = (at(day, inner), at(day, inner + length));
        let _ = write!(path, "M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}");
    };
    for day in period.from..period.to {
        ray(&mut silent, day, (outer - inner) * 0.015 + 1.5);
    }
    for (day, ms) in &year.insights.days {
        // By the root, so that one long day does not flatten the others.
        let length = (*ms as f64 / most).sqrt() * (outer - inner);
        if let Some(path) = months.get_mut(usize::from(date(*day).1) - 1) {
            ray(path, *day, length.max(3.0));
        }
    }
    let mut out = format!("<path class=\"silent\" d=\"{silent}\"/>");
    for (month, path) in months.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let _ = write!(out, "<path class=\"m{month}\" d=\"{path}\"/>");
    }
    out
}

/// A curve through values between 0 and 1 of a field of `width` × `height`; months without one are passed over.
pub(super) fn curve(values: &[Option<f64>], width: f64, height: f64) -> String {
    let step = width / (values.len().max(2) - 1) as f64;
    let points: Vec<(f64, f64)> = values
        .iter()
        .enumerate()
        .filter_map(|(i, value)| Some((i as f64 * step, height - (*value)?.clamp(0.0, 1.0) * height)))
        .collect();
    let Some((x, y)) = points.first() else { return String::new() };
    let mut path = format!("M{x:.1} {y:.1}");
    if points.len() == 1 {
        let _ = write!(path, "h1");
    }
    for pair in points.windows(2) {
        let [(x1, y1), (x2, y2)] = pair else { continue };
        let middle = f64::midpoint(*x1, *x2);
        let _ = write!(path, "C{middle:.1} {y1:.1} {middle:.1} {y2:.1} {x2:.1} {y2:.1}");
    }
    path
}

/// A mood's name, and how to read it.
type Mood = (&'static str, fn(&MoodPart) -> f64);

/// The moods that are drawn, with their names.
pub(super) const MOODS: [Mood; 4] = [
    ("energy", |part| part.energy),
    ("calm", |part| part.calm),
    ("brightness", |part| part.brightness),
    ("danceable", |part| part.danceability),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let evil = "\u{1b}[31m<script>alert('x')</script>&\"\u{202e}\u{0}";
        assert_eq!(escape(evil), "[31m&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;");
    }

    #[test]
    fn curves_pass_over_what_is_not_known() {
        assert_eq!(curve(&[], 100.0, 10.0), "");
        assert_eq!(curve(&[None, Some(1.0), None], 100.0, 10.0), "M50.0 0.0h1");
        assert_eq!(
            curve(&[Some(0.0), None, Some(1.0)], 100.0, 10.0),
            "M0.0 10.0C50.0 10.0 50.0 0.0 100.0 0.0"
        );
    }
}
