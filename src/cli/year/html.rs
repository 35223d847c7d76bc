//! The page: one file with everything in it. It has no script, loads nothing, and says so to the browser: the policy in its
//! head allows its own style sheet, by its hash, and nothing else. It follows light and dark, and can be printed.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::draw::{MOODS, curve, escape, ring};
use crate::catalog::{MoodPart, Year};
use crate::music::calendar::{MONTHS, WEEKDAYS};
use crate::music::long_duration;
use crate::tui::story::{self, Chapter, Rank, Show};

/// How it looks.
const STYLE: &str = include_str!("year.css");

/// The whole document.
pub(super) fn page(year: &Year, chapters: &[Chapter]) -> String {
    let name = escape(&story::name(year));
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{name} in music</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    for (at, chapter) in chapters.iter().enumerate() {
        if at == 0 {
            opening(&mut out, year, chapter, &name);
        } else {
            section(&mut out, at, chapter);
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The first chapter: the number in the ring of the year, then its months.
fn opening(out: &mut String, year: &Year, chapter: &Chapter, name: &str) {
    let big = escape(chapter.big.as_deref().unwrap_or_default());
    let _ = write!(
        out,
        "<section class=\"c0 opening\">\n<p class=\"kicker\">Your {name} in music</p>\n<figure>\n\
         <svg viewBox=\"0 0 800 800\" role=\"img\" aria-label=\"Every day of the year as a ray, as long as music was heard\">{}</svg>\n\
         <div class=\"inside\"><div class=\"big\">{big}</div><span>{}</span></div>\n</figure>\n",
        ring(year, (400.0, 400.0), (215.0, 395.0)),
        escape(&chapter.headline),
    );
    words(out, chapter);
    out.push_str("</section>\n");
    // The months have a page of their own, in the colours of the first.
    out.push_str("<section class=\"c0\">\n<p class=\"kicker\">Month by month</p>\n");
    show(out, &chapter.show);
    out.push_str("</section>\n");
}

fn section(out: &mut String, at: usize, chapter: &Chapter) {
    let _ = write!(out, "<section class=\"c{at}\">\n<p class=\"kicker\">{}</p>\n", escape(chapter.kicker));
    if let Some(big) = &chapter.big {
        let _ = writeln!(out, "<div class=\"big\">{}</div>", escape(big));
    }
    let _ = writeln!(out, "<h2><bdi>{}</bdi></h2>", escape(&chapter.headline));
    words(out, chapter);
    show(out, &chapter.show);
    if matches!(chapter.show, Show::Card(_)) {
        out.push_str("<footer>Made on this machine by Segue; nothing of it was sent anywhere.</footer>\n");
    }
    out.push_str("</section>\n");
}

fn words(out: &mut String, chapter: &Chapter) {
    for words in &chapter.words {
        let _ = writeln!(out, "<p><bdi>{}</bdi></p>", escape(words));
    }
}

fn show(out: &mut String, show: &Show) {
    match show {
        Show::Nothing => {}
        Show::Months(months) => bars(out, months),
        Show::Rank(rows) => rank(out, rows),
        Show::Week(week) => heat(out, week),
        Show::Moods(moods) => curves(out, moods),
        Show::Card(rows) => {
            out.push_str("<dl>\n");
            for (name, value) in rows {
                let _ = writeln!(out, "<dt>{}</dt><dd><bdi>{}</bdi></dd>", escape(name), escape(value));
            }
            out.push_str("</dl>\n");
        }
    }
}

fn bars(out: &mut String, months: &[(String, u64)]) {
    const HIGH: f64 = 320.0;
    let most = months.iter().map(|(_, ms)| *ms).max().unwrap_or(0).max(1);
    out.push_str("<figure><svg viewBox=\"0 0 900 380\" role=\"img\" aria-label=\"How long music was heard in each month\">\n");
    for (i, (name, ms)) in months.iter().enumerate() {
        let x = i as f64 * 75.0 + 8.0;
        let tall = (*ms as f64 / most as f64 * HIGH).max(4.0);
        let top = if *ms == most { " top" } else { "" };
        let _ = write!(
            out,
            "<rect class=\"bar{top}\" x=\"{x:.0}\" y=\"{:.1}\" width=\"58\" height=\"{tall:.1}\" rx=\"8\">\
             <title>{}: {}</title></rect><text x=\"{:.0}\" y=\"365\" text-anchor=\"middle\">{}</text>",
            HIGH + 20.0 - tall,
            escape(name),
            escape(&long_duration(*ms)),
            x + 29.0,
            escape(name),
        );
    }
    out.push_str("</svg></figure>\n");
}

fn rank(out: &mut String, rows: &[Rank]) {
    out.push_str("<ol>\n");
    for row in rows {
        let by = if row.by.is_empty() { String::new() } else { format!(" <i>{}</i>", escape(&row.by)) };
        let _ = writeln!(
            out,
            "<li><b><bdi>{}</bdi>{by}</b><span>{}</span>\
             <svg viewBox=\"0 0 1000 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"rail\" width=\"1000\" height=\"8\" rx=\"4\"/><rect class=\"bar\" width=\"{:.0}\" height=\"8\" rx=\"4\"/></svg></li>",
            escape(&row.name),
            escape(&row.measure),
            (row.share * 1000.0).max(12.0),
        );
    }
    out.push_str("</ol>\n");
}

fn heat(out: &mut String, week: &[[u64; 24]; 7]) {
    let most = week.iter().flatten().copied().max().unwrap_or(0).max(1);
    out.push_str("<figure><svg viewBox=\"0 0 900 300\" role=\"img\" aria-label=\"How long music was heard at each hour of the week\">\n");
    for (day, hours) in week.iter().enumerate() {
        let y = day * 36;
        let name = WEEKDAYS.get(day).map_or("", |name| &name[..3]);
        let _ = write!(out, "<text x=\"0\" y=\"{}\">{name}</text>", y + 21);
        for (hour, ms) in hours.iter().enumerate() {
            let x = 48 + hour * 35;
            let strength = (*ms as f64 / most as f64).sqrt();
            if *ms == 0 {
                let _ = write!(
                    out,
                    "<rect class=\"rail\" x=\"{x}\" y=\"{y}\" width=\"31\" height=\"31\" rx=\"7\"/>"
                );
            } else {
                let _ = write!(
                    out,
                    "<rect class=\"cell\" x=\"{x}\" y=\"{y}\" width=\"31\" height=\"31\" rx=\"7\" fill-opacity=\"{:.2}\">\
                     <title>{name} {hour:02}:00, {}</title></rect>",
                    0.14 + 0.86 * strength,
                    escape(&long_duration(*ms)),
                );
            }
        }
    }
    for hour in (0..24).step_by(3) {
        let _ = write!(out, "<text x=\"{}\" y=\"278\">{hour:02}</text>", 48 + hour * 35);
    }
    out.push_str("</svg></figure>\n");
}

fn curves(out: &mut String, moods: &[Option<MoodPart>]) {
    out.push_str(
        "<figure><svg viewBox=\"-10 -10 920 350\" role=\"img\" aria-label=\"The mood of each month\">\n",
    );
    for (i, (_, of)) in MOODS.iter().enumerate() {
        let values: Vec<Option<f64>> = moods.iter().map(|part| part.as_ref().map(of)).collect();
        let _ = writeln!(out, "<path class=\"curve k{i}\" d=\"{}\"/>", curve(&values, 900.0, 290.0));
    }
    for (i, name) in MONTHS.iter().enumerate() {
        let x = i as f64 * 900.0 / 11.0;
        let _ = write!(out, "<text x=\"{x:.0}\" y=\"328\" text-anchor=\"middle\">{}</text>", &name[..3]);
    }
    out.push_str("</svg></figure>\n<div class=\"key\">");
    for (i, (name, _)) in MOODS.iter().enumerate() {
        let _ = write!(
            out,
            "<span><svg viewBox=\"0 0 32 12\" aria-hidden=\"true\"><path class=\"curve k{i}\" d=\"M3 6h26\"/></svg>{name}</span>"
        );
    }
    out.push_str("</div>\n");
}
