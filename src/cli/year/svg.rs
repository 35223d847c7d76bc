//! The picture: a poster of the year, 1080 × 1350, as SVG. Its colours stand in it, since it is shown where there is no style
//! sheet; its letters are those of the machine that shows it.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;

use super::draw::{HUES, escape, ring};
use crate::catalog::Year;
use crate::tui::story::{self, Chapter, Show};

/// Characters of a value before it is cut.
const LONGEST: usize = 30;

/// The picture.
pub(super) fn picture(year: &Year, chapters: &[Chapter]) -> String {
    let hue = HUES[0];
    let mut style = String::from(
        ".silent{stroke:#ffffff1c;stroke-width:1.8;fill:none}[class^=m]{stroke-width:3.4;stroke-linecap:round;fill:none}",
    );
    for month in 0..12 {
        let _ = write!(style, ".m{month}{{stroke:hsl({},82%,68%)}}", (215 + month * 30) % 360);
    }
    let minutes = escape(&crate::music::number(story::whole_minutes(year)));
    let size = if minutes.len() > 7 { 104 } else { 132 };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1080 1350\" width=\"1080\" height=\"1350\" \
         font-family=\"Inter,'Segoe UI',system-ui,'Helvetica Neue',sans-serif\" fill=\"#f6f3ff\">\n\
         <title>{name} in music</title>\n<style>{style}</style>\n\
         <defs><linearGradient id=\"g\" x1=\"0\" y1=\"0\" x2=\"1\" y2=\"1\"><stop offset=\"0\" stop-color=\"hsl({hue},45%,16%)\"/>\
         <stop offset=\"1\" stop-color=\"hsl({next},55%,8%)\"/></linearGradient>\
         <linearGradient id=\"n\" x1=\"0\" y1=\"0\" x2=\"1\" y2=\"1\"><stop offset=\"0\" stop-color=\"hsl({hue},90%,76%)\"/>\
         <stop offset=\"1\" stop-color=\"hsl({next},90%,72%)\"/></linearGradient></defs>\n\
         <rect width=\"1080\" height=\"1350\" fill=\"url(#g)\"/>\n\
         <text x=\"540\" y=\"96\" text-anchor=\"middle\" font-size=\"34\" letter-spacing=\"8\" fill=\"#c9c1dd\">YOUR {upper} IN MUSIC</text>\n\
         {ring}\n\
         <text x=\"540\" y=\"560\" text-anchor=\"middle\" font-size=\"{size}\" font-weight=\"800\" letter-spacing=\"-4\" fill=\"url(#n)\">{minutes}</text>\n\
         <text x=\"540\" y=\"612\" text-anchor=\"middle\" font-size=\"30\" fill=\"#c9c1dd\">minutes of music</text>\n",
        name = escape(&story::name(year)),
        upper = escape(&story::name(year).to_uppercase()),
        next = hue + 70,
        ring = ring(year, (540.0, 545.0), (248.0, 405.0)),
    );
    let card = chapters.iter().find_map(|chapter| match &chapter.show {
        Show::Card(rows) => Some(rows),
        _ => None,
    });
    let rows = card.into_iter().flatten().filter(|(name, _)| *name != "Minutes").take(6);
    for (i, (name, value)) in rows.enumerate() {
        let (x, y) = (if i % 2 == 0 { 110 } else { 570 }, 1055 + (i / 2) * 92);
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"24\" fill=\"#a9a0c2\">{}</text>\
             <text x=\"{x}\" y=\"{}\" font-size=\"{}\" font-weight=\"700\">{}</text>",
            escape(name),
            y + 38,
            if value.graphemes(true).count() > 20 { 26 } else { 32 },
            escape(&cut(value)),
        );
    }
    out.push_str("<text x=\"540\" y=\"1322\" text-anchor=\"middle\" font-size=\"20\" fill=\"#8d84a8\">Segue</text>\n</svg>\n");
    out
}

/// A value that fits its place.
fn cut(text: &str) -> String {
    let clusters: Vec<&str> = text.graphemes(true).collect();
    if clusters.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{}…", clusters.get(..LONGEST - 1).unwrap_or_default().concat().trim_end())
}
