//! Colours and glyphs, by what the terminal can show.
//!
//! A theme file names colours by their role (`assets/themes/`, and the listener's own files). `Theme` turns roles into styles for the depth at hand: true
//! colour, 256, 16, or none, where weight alone has to do. The accent follows the cover of what plays
//! (`set_accent`), kept readable. Glyphs come in two sets, one of them plain ASCII.

use ratatui::style::{Color, Modifier, Style};

use super::cover::Rgb;

/// The theme that Segue opens with, and what stands in for colours that others do not name.
const SEGUE: &str = include_str!("../../assets/themes/segue.toml");

/// The themes that come with the program.
const PRESETS: [&str; 10] = [
    SEGUE,
    include_str!("../../assets/themes/segue-light.toml"),
    include_str!("../../assets/themes/vinyl.toml"),
    include_str!("../../assets/themes/late-show.toml"),
    include_str!("../../assets/themes/harbour.toml"),
    include_str!("../../assets/themes/moss.toml"),
    include_str!("../../assets/themes/rosewood.toml"),
    include_str!("../../assets/themes/signal.toml"),
    include_str!("../../assets/themes/tape.toml"),
    include_str!("../../assets/themes/chalk.toml"),
];

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorDepth {
    /// 24 bits.
    #[default]
    True,
    /// The 256 of xterm.
    Ansi256,
    /// The 16 of old.
    Ansi16,
    /// None, as `NO_COLOR` asks.
    Mono,
}

impl ColorDepth {
    /// The depth that a listener named (`truecolor`, `256`, `16`, `none`); with any other word, what
    /// [`ColorDepth::detect`] finds. `NO_COLOR` outweighs both.
    pub fn choose(word: &str, var: impl Fn(&str) -> Option<String>) -> Self {
        match (Self::detect(var), word) {
            (Self::Mono, _) | (_, "none") => Self::Mono,
            (_, "truecolor") => Self::True,
            (_, "256") => Self::Ansi256,
            (_, "16") => Self::Ansi16,
            (found, _) => found,
        }
    }

    /// What the environment says: `NO_COLOR`, `COLORTERM` and `TERM`, read by `var`.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str| var(name).unwrap_or_default();
        let term = is("TERM");
        if !is("NO_COLOR").is_empty() || term == "dumb" {
            Self::Mono
        } else if matches!(is("COLORTERM").as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color")
            || matches!(term.as_str(), "alacritty" | "xterm-kitty" | "xterm-ghostty" | "foot")
        {
            Self::Ansi256
        } else {
            Self::Ansi16
        }
    }
}

/// A colour for each depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tone {
    rgb: Rgb,
    basic: Color,
}

/// What a colour is for.
#[derive(Debug, Clone)]
struct Palette {
    name: String,
    about: String,
    light: bool,
    ground: Option<Tone>,
    text: Option<Tone>,
    dim: Tone,
    faint: Tone,
    accent: Tone,
    love: Tone,
    good: Tone,
    busy: Tone,
    trouble: Tone,
}

/// Characters that draw things.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glyphs {
    pub(crate) ellipsis: &'static str,
    /// Edge of the cursor's row; of a cursor in a column that has not the focus.
    pub(crate) edge: &'static str,
    pub(crate) edge_off: &'static str,
    /// A row that is selected together with others.
    pub(crate) pick: &'static str,
    pub(crate) rule: &'static str,
    /// The bar: played, its head, on this machine, not yet.
    pub(crate) played: &'static str,
    pub(crate) head: &'static str,
    pub(crate) buffered: &'static str,
    pub(crate) ahead: &'static str,
    pub(crate) volume_on: &'static str,
    pub(crate) volume_off: &'static str,
    pub(crate) love: &'static str,
    /// Kept on this device.
    pub(crate) pin: &'static str,
    /// A playlist whose tracks follow rules.
    pub(crate) smart: &'static str,
    pub(crate) cached: &'static str,
    pub(crate) streaming: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) playing: &'static str,
    pub(crate) paused: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) buffering: &'static str,
    pub(crate) shuffle: &'static str,
    pub(crate) repeat: &'static str,
    pub(crate) repeat_one: &'static str,
    pub(crate) search: &'static str,
    /// Between what was typed and how it was read.
    pub(crate) becomes: &'static str,
    pub(crate) star: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) enter: &'static str,
    pub(crate) trouble: &'static str,
    /// Heights of a cell, from nothing to full.
    pub(crate) bars: &'static [&'static str],
}

const UNICODE: Glyphs = Glyphs {
    ellipsis: "…",
    edge: "▌",
    edge_off: "▏",
    pick: "▪",
    rule: "─",
    played: "━",
    head: "╸",
    buffered: "─",
    ahead: "┈",
    volume_on: "▮",
    volume_off: "▯",
    love: "♥",
    pin: "↓",
    smart: "ƒ",
    cached: "●",
    streaming: "◐",
    offline: "○",
    playing: "▶",
    paused: "‖",
    stopped: "■",
    buffering: "◌",
    shuffle: "⤮",
    repeat: "↻",
    repeat_one: "↻1",
    search: "⌕",
    becomes: "→",
    star: "★",
    dot: "·",
    enter: "⏎",
    trouble: "▲",
    bars: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
};

const ASCII: Glyphs = Glyphs {
    ellipsis: "~",
    edge: "|",
    edge_off: ":",
    pick: "+",
    rule: "-",
    played: "=",
    head: ">",
    buffered: "-",
    ahead: ".",
    volume_on: "#",
    volume_off: ".",
    love: "*",
    pin: "v",
    smart: "=",
    cached: "o",
    streaming: "%",
    offline: "x",
    playing: ">",
    paused: "=",
    stopped: "-",
    buffering: "~",
    shuffle: "z",
    repeat: "r",
    repeat_one: "r1",
    search: "/",
    becomes: "->",
    star: "+",
    dot: "-",
    enter: "Enter",
    trouble: "!",
    bars: &[" ", ".", ":", "|"],
};

/// Styles and glyphs for this terminal.
#[derive(Debug, Clone)]
pub struct Theme {
    depth: ColorDepth,
    pub(crate) ascii: bool,
    pub(crate) glyphs: &'static Glyphs,
    palette: Palette,
    /// Taken from the cover of what plays.
    accent: Option<Rgb>,
}

impl Theme {
    /// Segue's own theme for a terminal of this depth.
    pub fn new(depth: ColorDepth, ascii: bool) -> Self {
        Self::named("segue", &[], depth, ascii)
    }

    /// The theme with this name: one of the listener's `own` (name and text of a file), else a preset, else Segue's.
    pub fn named(name: &str, own: &[(String, String)], depth: ColorDepth, ascii: bool) -> Self {
        let mine = own.iter().find(|(known, _)| known == name);
        let palette = match mine {
            Some((name, text)) => Palette { name: name.clone(), ..Palette::from_toml(text) },
            None => PRESETS
                .iter()
                .map(|text| Palette::from_toml(text))
                .find(|palette| palette.name == name)
                .unwrap_or_else(|| Palette::from_toml(SEGUE)),
        };
        Self { depth, ascii, glyphs: if ascii { &ASCII } else { &UNICODE }, palette, accent: None }
    }

    /// Every theme, with what it says of itself; the listener's own first.
    pub fn all(own: &[(String, String)]) -> Vec<(String, String)> {
        let mine = own.iter().map(|(name, text)| (name.clone(), Palette::from_toml(text).about));
        let preset = PRESETS.iter().map(|text| Palette::from_toml(text)).map(|p| (p.name, p.about));
        let mut all: Vec<(String, String)> = mine.collect();
        for (name, about) in preset {
            if all.iter().all(|(known, _)| *known != name) {
                all.push((name, about));
            }
        }
        all
    }

    /// What is wrong in a theme file, in one sentence.
    pub fn mistake(text: &str) -> Option<String> {
        let file: toml::Table = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => return Some(format!("{}.", error.message().trim_end_matches('.'))),
        };
        file.iter().find_map(|(role, value)| match role.as_str() {
            "name" | "about" => None,
            "kind" => (!matches!(value.as_str(), Some("dark" | "light")))
                .then(|| "kind is \"dark\" or \"light\".".to_owned()),
            "ground" | "text" | "dim" | "faint" | "accent" | "love" | "good" | "busy" | "trouble" => {
                value.as_str().and_then(parse_tone).is_none().then(|| {
                    format!("{role} is no colour; write it as \"#rrggbb / name\" with one of the 16 names.")
                })
            }
            _ => Some(format!("{role} is no role of a theme.")),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.palette.name
    }

    /// Takes the accent from a cover, or goes back to the theme's own.
    pub(crate) fn set_accent(&mut self, accent: Option<Rgb>) {
        let ground = self.ground_rgb();
        self.accent = accent.map(|accent| readable(accent, ground));
    }

    /// The ground, or what it is likely to be where the terminal's own is left alone.
    fn ground_rgb(&self) -> Rgb {
        let likely = if self.palette.light { Rgb(0xff, 0xff, 0xff) } else { Rgb(0x16, 0x16, 0x1a) };
        self.palette.ground.map_or(likely, |tone| tone.rgb)
    }

    /// The ground and what is written on it, where the theme has its own; with 16 colours or fewer the terminal's
    /// own is left alone.
    pub(crate) fn ground(&self) -> Option<Style> {
        let ground = self.palette.ground.and_then(|tone| self.color(tone.rgb))?;
        let text = self.palette.text.and_then(|tone| self.color(tone.rgb));
        Some(text.map_or(Style::new(), |text| Style::new().fg(text)).bg(ground))
    }

    /// Whether covers can be drawn; tiles with letters stand in where not.
    pub(crate) fn draws_pictures(&self) -> bool {
        !self.ascii && matches!(self.depth, ColorDepth::True | ColorDepth::Ansi256)
    }

    /// What can be acted on.
    #[expect(clippy::unused_self, reason = "a role like the others; a theme may give it a colour")]
    pub(crate) fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Names.
    #[expect(clippy::unused_self, reason = "a role like the others; a theme may give it a colour")]
    pub(crate) fn text(&self) -> Style {
        Style::new()
    }

    /// What is secondary.
    pub(crate) fn dim(&self) -> Style {
        self.tone(self.palette.dim, Modifier::DIM)
    }

    /// Letters that were typed, over whatever style they have.
    #[expect(clippy::unused_self, reason = "a role like the others; a theme may give it a colour")]
    pub(crate) fn matched(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// Lines, and what is not there.
    pub(crate) fn faint(&self) -> Style {
        self.tone(self.palette.faint, Modifier::DIM)
    }

    /// The one accent.
    pub(crate) fn accent(&self) -> Style {
        let tone = self.accent.map_or(self.palette.accent, |rgb| Tone { rgb, ..self.palette.accent });
        self.tone(tone, Modifier::BOLD)
    }

    /// The heart.
    pub(crate) fn love(&self) -> Style {
        self.tone(self.palette.love, Modifier::empty())
    }

    /// Everything is here.
    pub(crate) fn good(&self) -> Style {
        self.tone(self.palette.good, Modifier::empty())
    }

    /// On the way.
    pub(crate) fn busy(&self) -> Style {
        self.tone(self.palette.busy, Modifier::empty())
    }

    /// Not as it should be.
    pub(crate) fn trouble(&self) -> Style {
        self.tone(self.palette.trouble, Modifier::BOLD)
    }

    /// A colour of this hue (degrees) that can be read on the ground; with few colours the accent.
    pub(crate) fn hue(&self, hue: f32) -> Style {
        let light = if self.palette.light { 0.42 } else { 0.66 };
        let rgb = readable(Rgb::from_hsl(hue.rem_euclid(360.0), 0.62, light), self.ground_rgb());
        self.tone(Tone { rgb, ..self.palette.accent }, Modifier::BOLD)
    }

    fn tone(&self, tone: Tone, without_color: Modifier) -> Style {
        match self.depth {
            ColorDepth::Mono => Style::new().add_modifier(without_color),
            _ => Style::new().fg(self.color(tone.rgb).unwrap_or(tone.basic)),
        }
    }

    /// The nearest colour to this one; `None` with 16 colours or fewer.
    pub(crate) fn color(&self, Rgb(r, g, b): Rgb) -> Option<Color> {
        match self.depth {
            ColorDepth::True => Some(Color::Rgb(r, g, b)),
            ColorDepth::Ansi256 => Some(Color::Indexed(nearest_256(r, g, b))),
            ColorDepth::Ansi16 | ColorDepth::Mono => None,
        }
    }
}

impl Palette {
    fn from_toml(text: &str) -> Self {
        let file: toml::Table = toml::from_str(text).unwrap_or_default();
        let own: toml::Table = toml::from_str(SEGUE).unwrap_or_default();
        let word = |role: &str| file.get(role).and_then(toml::Value::as_str);
        let some = |role: &str| word(role).and_then(parse_tone);
        let tone = |role: &str| {
            let stand_in = || own.get(role).and_then(toml::Value::as_str).and_then(parse_tone);
            some(role).or_else(stand_in).unwrap_or(PLAIN)
        };
        Self {
            name: word("name").unwrap_or_default().to_owned(),
            about: word("about").unwrap_or_default().to_owned(),
            light: word("kind") == Some("light"),
            ground: some("ground"),
            text: some("text"),
            dim: tone("dim"),
            faint: tone("faint"),
            accent: tone("accent"),
            love: tone("love"),
            good: tone("good"),
            busy: tone("busy"),
            trouble: tone("trouble"),
        }
    }
}

/// Stands in for a colour that a file does not have.
const PLAIN: Tone = Tone { rgb: Rgb(0x9a, 0x9a, 0x9a), basic: Color::Gray };

/// `#rrggbb / name`.
fn parse_tone(text: &str) -> Option<Tone> {
    let (hex, name) = text.split_once('/')?;
    let hex = hex.trim().strip_prefix('#').filter(|hex| hex.len() == 6)?;
    let value = u32::from_str_radix(hex, 16).ok()?;
    let [_, r, g, b] = value.to_be_bytes();
    Some(Tone { rgb: Rgb(r, g, b), basic: name.trim().parse().ok()? })
}

/// The cell of the 6×6×6 cube or of the grey ramp that is nearest.
fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let step = |v: u8| {
        let nearest = STEPS.iter().enumerate().min_by_key(|(_, s)| (**s - i32::from(v)).abs());
        nearest.map_or((0, 0), |(i, s)| (i as u8, *s))
    };
    let distance = |r2: i32, g2: i32, b2: i32| {
        let d = |a: u8, b: i32| (i32::from(a) - b).pow(2);
        d(r, r2) + d(g, g2) + d(b, b2)
    };
    let ((ri, rv), (gi, gv), (bi, bv)) = (step(r), step(g), step(b));
    let mean = (i32::from(r) + i32::from(g) + i32::from(b)) / 3;
    let grey = ((mean - 3) / 10).clamp(0, 23);
    let grey_value = 8 + grey * 10;
    if distance(grey_value, grey_value, grey_value) < distance(rv, gv, bv) {
        232 + grey as u8
    } else {
        16 + 36 * ri + 6 * gi + bi
    }
}

/// Contrast of two colours, 1..=21 (WCAG 2.2, 1.4.3).
fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (a.luminance() + 0.05, b.luminance() + 0.05);
    a.max(b) / a.min(b)
}

/// Lightens a colour on a dark ground, or darkens it on a light one, until it has a contrast of 4.5:1.
fn readable(color: Rgb, ground: Rgb) -> Rgb {
    let away = if ground.luminance() < 0.18 { Rgb(255, 255, 255) } else { Rgb(0, 0, 0) };
    let mut color = color;
    for _ in 0..64 {
        if contrast(color, ground) >= 4.5 {
            break;
        }
        color = color.mix(away, 0.06);
    }
    color
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        let with = |pairs: &'static [(&str, &str)]| {
            ColorDepth::detect(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(with(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), ColorDepth::True);
        assert_eq!(with(&[("TERM", "tmux-256color")]), ColorDepth::Ansi256);
        assert_eq!(with(&[("TERM", "linux")]), ColorDepth::Ansi16);
        assert_eq!(with(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), ColorDepth::Mono);
        assert_eq!(with(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), ColorDepth::Ansi256);
    }

    #[test]
    fn the_file_names_every_role() {
        let file: toml::Table = toml::from_str(SEGUE).unwrap();
        for role in ["dim", "faint", "accent", "love", "good", "busy", "trouble"] {
            assert!(file.get(role).and_then(toml::Value::as_str).and_then(parse_tone).is_some(), "{role}");
        }
    }

    #[test]
    fn near_colours() {
        assert_eq!(nearest_256(255, 0, 0), 196);
        assert_eq!(nearest_256(128, 128, 128), 244);
        assert_eq!(nearest_256(0, 0, 0), 16);
    }

    #[test]
    fn an_accent_from_any_cover_can_be_read_on_any_theme() {
        for (name, _) in Theme::all(&[]) {
            let mut theme = Theme::named(&name, &[], ColorDepth::True, false);
            let light = if theme.palette.light { Rgb(255, 255, 255) } else { Rgb(0x16, 0x16, 0x1a) };
            let ground = theme.palette.ground.map_or(light, |tone| tone.rgb);
            for n in 0..512u32 {
                let part = |shift: u32| ((n >> shift & 7) * 36) as u8;
                theme.set_accent(Some(Rgb(part(0), part(3), part(6))));
                let accent = theme.accent.unwrap();
                assert!(contrast(accent, ground) >= 4.5, "{name}: {accent:?}");
            }
        }
        let dark = Rgb(0x16, 0x16, 0x1a);
        assert_eq!(readable(Rgb(240, 200, 90), dark), Rgb(240, 200, 90));
    }

    #[test]
    fn words_can_be_read_in_every_theme() {
        let all = Theme::all(&[]);
        assert!(all.len() >= 8);
        for (text, (name, about)) in PRESETS.iter().zip(all) {
            assert_eq!(Theme::mistake(text), None, "{name}");
            assert!(!about.is_empty());
            let palette = Palette::from_toml(text);
            let plain = if palette.light { Rgb(255, 255, 255) } else { Rgb(0x16, 0x16, 0x1a) };
            let ground = palette.ground.map_or(plain, |tone| tone.rgb);
            if let Some(text) = palette.text {
                assert!(contrast(text.rgb, ground) >= 7.0, "{name}: text");
            }
            for (role, tone) in [
                ("dim", palette.dim),
                ("accent", palette.accent),
                ("love", palette.love),
                ("good", palette.good),
                ("busy", palette.busy),
                ("trouble", palette.trouble),
            ] {
                let found = contrast(tone.rgb, ground);
                assert!(found >= 4.5, "{name}: {role} has {found}");
            }
        }
    }

    #[test]
    fn a_listeners_theme_names_what_it_wants_and_hears_of_mistakes() {
        let own = [("mine".to_owned(), "accent = \"#00ff00 / green\"\n".to_owned())];
        let theme = Theme::named("mine", &own, ColorDepth::True, false);
        assert_eq!(theme.accent().fg, Some(Color::Rgb(0, 255, 0)));
        assert_eq!(theme.dim(), Theme::new(ColorDepth::True, false).dim());
        assert!(Theme::mistake("accent = \"green\"").unwrap().contains("accent is no colour"));
        assert!(Theme::mistake("acent = \"#00ff00 / green\"").unwrap().contains("acent"));
        assert!(Theme::mistake("kind = 3").unwrap().contains("dark"));
        assert!(Theme::mistake("[[").is_some());
    }

    #[test]
    fn ascii_is_ascii() {
        let text = format!("{ASCII:?}");
        assert!(text.is_ascii());
    }

    #[test]
    fn no_color_means_no_color() {
        let theme = Theme::new(ColorDepth::Mono, false);
        for style in [theme.dim(), theme.accent(), theme.love(), theme.trouble(), theme.good()] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
