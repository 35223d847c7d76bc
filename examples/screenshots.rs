//! Draws the pictures of the README: runs the real binary in a pseudo-terminal with a fresh home, types keys, and
//! writes what stands on the screen as SVG.
//!
//! ```text
//! SEGUE_BIN=target/release/segue cargo run --example screenshots -- docs/pictures
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a tool for developers fails by panicking")]

#[path = "../tests/program/mod.rs"]
mod program;

use std::fmt::Write;
use std::path::Path;

use program::pulse::Pulse;
use program::{Home, Terminal, position};

/// Size of a cell in SVG units; the proportions of most terminal fonts.
const CELL: (f32, f32) = (9.0, 20.0);
/// Space around the screen.
const MARGIN: f32 = 14.0;
const GROUND: &str = "#101216";
const TEXT: &str = "#d8dae0";
const SIZE: (u16, u16) = (110, 32);

fn main() {
    let out = std::env::args().nth(1).unwrap_or_else(|| "docs/pictures".to_owned());
    std::fs::create_dir_all(&out).unwrap();
    let home = Home::new();
    // A sound server of its own, so that the bar shows what a listener sees.
    let pulse = Pulse::start(48_000);
    let mut terminal = Terminal::start(&home, &[], &[("PULSE_SERVER", &pulse.address())], SIZE);
    terminal.wait_for("First Light");
    terminal.keys("\r");
    terminal.wait("some music", |s| position(s).is_some_and(|p| p >= 12));
    let shots: [(&str, &str, &str); 7] = [
        ("home", ":home\r", ""),
        ("library", ":library\r", ""),
        ("queue", ":queue\r", ""),
        ("search", ":search\r", "l"),
        ("player", ":player\r", ":spectrum on\r"),
        ("help", ":home\r", "?"),
        ("palette", ":home\r", "\u{10}play"),
    ];
    for (name, keys, more) in shots {
        terminal.keys(keys);
        std::thread::sleep(std::time::Duration::from_millis(600));
        terminal.keys(more);
        std::thread::sleep(std::time::Duration::from_millis(900));
        std::fs::write(Path::new(&out).join(name).with_extension("svg"), svg(&terminal.cells())).unwrap();
        terminal.keys("\u{1b}");
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    terminal.keys(":quit\r");
    terminal.ended();
}

/// The sixteen colours of a quiet dark terminal.
const SIXTEEN: [&str; 16] = [
    "#1c1f26", "#d9626c", "#7fb685", "#d8b26e", "#6f9fd8", "#b58bd1", "#6db8b8", "#c9ccd3", "#5a6070",
    "#e9828b", "#9fd3a3", "#efcd8f", "#93bbec", "#cfa9e6", "#8fd3d3", "#f2f3f5",
];

fn colour(colour: vt100::Color, default: &str) -> String {
    match colour {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        vt100::Color::Idx(i) if i < 16 => SIXTEEN[usize::from(i)].to_owned(),
        vt100::Color::Idx(i) if i < 232 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let i = i - 16;
            format!("#{:02x}{:02x}{:02x}", level(i / 36), level(i / 6 % 6), level(i % 6))
        }
        vt100::Color::Idx(i) => {
            let grey = 8 + 10 * (i - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}

/// Blocks and rules as parts of a cell (x, y, width, height), so that neighbours touch whatever the font.
fn block(c: &str) -> Option<(f32, f32, f32, f32)> {
    Some(match c.chars().next()? {
        '█' => (0.0, 0.0, 1.0, 1.0),
        '▁' => (0.0, 0.875, 1.0, 0.125),
        '▂' => (0.0, 0.75, 1.0, 0.25),
        '▃' => (0.0, 0.625, 1.0, 0.375),
        '▅' => (0.0, 0.375, 1.0, 0.625),
        '▆' => (0.0, 0.25, 1.0, 0.75),
        '▇' => (0.0, 0.125, 1.0, 0.875),
        '▀' => (0.0, 0.0, 1.0, 0.5),
        '▄' => (0.0, 0.5, 1.0, 0.5),
        '▌' => (0.0, 0.0, 0.5, 1.0),
        '▐' => (0.5, 0.0, 0.5, 1.0),
        '▎' => (0.0, 0.0, 0.25, 1.0),
        '▏' => (0.0, 0.0, 0.125, 1.0),
        '▍' => (0.0, 0.0, 0.375, 1.0),
        '▊' => (0.0, 0.0, 0.75, 1.0),
        '─' => (0.0, 0.475, 1.0, 0.05),
        '━' => (0.0, 0.44, 1.0, 0.12),
        '╸' => (0.0, 0.44, 0.5, 0.12),
        '│' => (0.45, 0.0, 0.1, 1.0),
        '▮' => (0.12, 0.2, 0.66, 0.6),
        _ => return None,
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) =
        (f32::from(columns) * CELL.0 + 2.0 * MARGIN, f32::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"'DejaVu Sans Mono','Menlo','Consolas',monospace\" font-size=\"15\" shape-rendering=\"crispEdges\">\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"{GROUND}\"/>"
    )
    .unwrap();
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { continue };
            if cell.is_wide_continuation() {
                continue;
            }
            let (x, y) = (MARGIN + f32::from(column) * CELL.0, MARGIN + f32::from(row) * CELL.1);
            let (mut front, mut back) = (colour(cell.fgcolor(), TEXT), colour(cell.bgcolor(), GROUND));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            let wide = if cell.is_wide() { 2.0 } else { 1.0 };
            if back != GROUND {
                let width = CELL.0 * wide + 0.3;
                writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{back}\"/>",
                    CELL.1 + 0.3
                )
                .unwrap();
            }
            let text = cell.contents();
            let opacity = if cell.dim() { " opacity=\"0.6\"" } else { "" };
            if text.trim().is_empty() {
                continue;
            }
            if let Some((left, top, w, h)) = block(text) {
                let (x, y, w, h) = (x + left * CELL.0, y + top * CELL.1, w * CELL.0 + 0.2, h * CELL.1 + 0.2);
                writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y:.2}\" width=\"{w:.2}\" height=\"{h:.2}\" fill=\"{front}\"{opacity}/>"
                )
                .unwrap();
                continue;
            }
            let bold = if cell.bold() { " font-weight=\"bold\"" } else { "" };
            let style = if cell.italic() { " font-style=\"italic\"" } else { "" };
            let base = y + CELL.1 * 0.74;
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{base:.2}\" fill=\"{front}\"{bold}{style}{opacity}>{}</text>",
                escape(text)
            )
            .unwrap();
        }
    }
    out.push_str("</svg>\n");
    out
}
