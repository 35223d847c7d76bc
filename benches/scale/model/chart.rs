//! Small pictures of lines: panels one below the other over one axis, as SVG that is readable on a light and on a dark page.

use std::fmt::Write as _;

use super::chance::log10;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 28.0;
const PANEL: f64 = 112.0;
/// Above a panel: its legend.
const HEAD: f64 = 34.0;
const TOP: f64 = 34.0;
const FOOT: f64 = 44.0;
/// About how wide a letter is.
const LETTER: f64 = 6.3;

/// One picture.
#[derive(Debug, Clone)]
pub struct Picture {
    pub title: String,
    /// What stands below, and up to where it goes.
    pub x: Axis,
    pub panels: Vec<Panel>,
}

/// The axis below all panels.
#[derive(Debug, Clone)]
pub struct Axis {
    pub label: String,
    pub from: f64,
    pub to: f64,
    pub step: f64,
    /// How a value is written.
    pub unit: &'static str,
}

/// Lines over one axis.
#[derive(Debug, Clone)]
pub struct Panel {
    pub label: String,
    pub unit: &'static str,
    /// By powers of ten.
    pub powers: bool,
    /// Where the axis ends at least.
    pub least: f64,
    pub lines: Vec<Line>,
    /// Moments, with what happens then.
    pub marks: Vec<(f64, String)>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub area: bool,
}

/// The colours of lines, on light and on dark.
const COLOURS: [(&str, &str); 4] =
    [("#1f6fb2", "#6cb4ee"), ("#c2410c", "#fb923c"), ("#15803d", "#4ade80"), ("#7c3aed", "#c4b5fd")];

fn style() -> String {
    let mut style = String::from(
        ".t{font:12px system-ui,sans-serif;fill:#334155}.h{font-weight:600;font-size:13px}\
         .g{stroke:#cbd5e1;stroke-width:1}.m{stroke:#64748b;stroke-dasharray:3 3}",
    );
    let mut dark = String::from(".t{fill:#cbd5e1}.g{stroke:#334155}.m{stroke:#94a3b8}");
    for (n, (light, on_dark)) in COLOURS.iter().enumerate() {
        let line = "fill:none;stroke-width:2;stroke-linejoin:round";
        write!(style, ".l{n}{{{line};stroke:{light}}}.a{n}{{fill:{light};opacity:.18}}").unwrap_or_default();
        write!(dark, ".l{n}{{stroke:{on_dark}}}.a{n}{{fill:{on_dark}}}").unwrap_or_default();
    }
    format!("{style}@media(prefers-color-scheme:dark){{{dark}}}")
}

/// A number without needless digits.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1e6 {
        format!("{:.1}M", value / 1e6).replace(".0M", "M")
    } else if size >= 100.0 || value.fract().abs() < 1e-9 {
        grouped(value)
    } else if size >= 1.0 {
        format!("{value:.1}")
    } else if size >= 0.1 {
        format!("{value:.2}").trim_end_matches('0').to_owned()
    } else {
        format!("{value:.3}")
    }
}

/// A count with a comma between thousands.
pub fn grouped(count: f64) -> String {
    let digits = format!("{count:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value beside an axis; long waits in seconds.
fn label(value: f64, unit: &str) -> String {
    if unit == " ms" && value >= 1000.0 {
        return format!("{} s", short(value / 1000.0));
    }
    format!("{}{unit}", short(value))
}

/// A step of 1, 2 or 5 by which an axis up to `most` has about four.
fn step_of(most: f64) -> f64 {
    let rough = most / 4.0;
    let mut power = 1e-6;
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    let fits = |step: &&f64| **step * power >= rough;
    [1.0, 2.0, 5.0].iter().find(fits).map_or(10.0 * power, |step| step * power)
}

impl Panel {
    fn most(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| line.points.iter().map(|(_, y)| *y));
        values.fold(self.least, f64::max)
    }

    /// Where its axis begins and ends, and the values that are written beside it.
    fn scale(&self) -> (f64, f64, Vec<f64>) {
        if self.powers {
            let (mut low, mut high) = (1.0, 10.0);
            let values = self.lines.iter().flat_map(|line| line.points.iter().map(|(_, y)| *y));
            let least = values.filter(|y| *y > 0.0).fold(self.most(), f64::min);
            while low > least {
                low /= 10.0;
            }
            while high < self.most() {
                high *= 10.0;
            }
            let mut ticks = vec![low];
            while ticks.last().is_some_and(|last| *last < high * 0.99) {
                ticks.push(ticks[ticks.len() - 1] * 10.0);
            }
            return (low, high, ticks);
        }
        let step = step_of(self.most());
        let count = (self.most() / step - 0.05).ceil().max(1.0);
        (0.0, step * count, (0..=count as u32).map(|n| step * f64::from(n)).collect())
    }

    fn place(&self, value: f64, (low, high): (f64, f64)) -> f64 {
        if self.powers {
            (log10(value.max(low)) - log10(low)) / (log10(high) - log10(low))
        } else {
            (value - low) / (high - low)
        }
    }
}

impl Picture {
    /// The whole file.
    pub fn svg(&self) -> String {
        let height = TOP + self.panels.len() as f64 * (PANEL + HEAD) + FOOT;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>{}</style>\n",
            self.title,
            style()
        );
        text(&mut svg, (LEFT, 20.0), "t h", "start", &self.title);
        for (n, panel) in self.panels.iter().enumerate() {
            let top = TOP + n as f64 * (PANEL + HEAD) + HEAD;
            self.panel(&mut svg, panel, top);
        }
        let bottom = height - FOOT;
        let mut value = self.x.from;
        while value <= self.x.to + self.x.step / 100.0 {
            let at = (self.x(value), bottom + 16.0);
            text(&mut svg, at, "t", "middle", &label(value, self.x.unit));
            value += self.x.step;
        }
        text(&mut svg, (LEFT + (WIDTH - LEFT - RIGHT) / 2.0, bottom + 34.0), "t", "middle", &self.x.label);
        svg.push_str("</svg>\n");
        svg
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.x.from) / (self.x.to - self.x.from) * (WIDTH - LEFT - RIGHT)
    }

    fn panel(&self, svg: &mut String, panel: &Panel, top: f64) {
        let (low, high, ticks) = panel.scale();
        let y = |value: f64| top + PANEL * (1.0 - panel.place(value, (low, high)));
        for tick in ticks {
            let at = y(tick);
            line(svg, (LEFT, at), (WIDTH - RIGHT, at), "g");
            text(svg, (LEFT - 6.0, at + 4.0), "t", "end", &label(tick, panel.unit));
        }
        let mut right = LEFT;
        text(svg, (right, top - 10.0), "t", "start", &panel.label);
        right += LETTER * panel.label.chars().count() as f64 + 18.0;
        for (n, one) in panel.lines.iter().enumerate() {
            if panel.lines.len() > 1 {
                line(svg, (right, top - 14.0), (right + 18.0, top - 14.0), &format!("l{n}"));
                text(svg, (right + 23.0, top - 10.0), "t", "start", &one.name);
                right += 23.0 + LETTER * one.name.chars().count() as f64 + 18.0;
            }
            let points: Vec<String> = one
                .points
                .iter()
                .map(|(x, value)| format!("{:.1},{:.1}", self.x(*x), y(value.clamp(low, high))))
                .collect();
            if one.area
                && let (Some(first), Some(last)) = (one.points.first(), one.points.last())
            {
                let (from, to, base) = (self.x(first.0), self.x(last.0), top + PANEL);
                let all = points.join(" ");
                writeln!(
                    svg,
                    "<polygon class=\"a{n}\" points=\"{from:.1},{base:.1} {all} {to:.1},{base:.1}\"/>"
                )
                .unwrap_or_default();
            }
            writeln!(svg, "<polyline class=\"l{n}\" points=\"{}\"/>", points.join(" ")).unwrap_or_default();
        }
        for (n, (at, what)) in panel.marks.iter().enumerate() {
            let x = self.x(*at);
            line(svg, (x, top), (x, top + PANEL), "m");
            // Before the moment where there is no room behind it.
            let next = panel.marks.get(n + 1).map_or(WIDTH - RIGHT, |(at, _)| self.x(*at));
            let fits = x + LETTER * what.chars().count() as f64 + 5.0 < next;
            let (shift, anchor) = if fits { (5.0, "start") } else { (-5.0, "end") };
            text(svg, (x + shift, top + PANEL - 8.0), "t", anchor, what);
        }
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, what: &str) {
    writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>")
        .unwrap_or_default();
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
    writeln!(svg, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>")
        .unwrap_or_default();
}
