//! What the terminal says of itself, asked once before the first key is read: the colour of its ground, the size of
//! its cells, and which pictures it draws.
//!
//! All questions go out at once; the last one is one that every terminal answers, so that a silent one costs no more
//! than `LIMIT`. What comes in between and is no answer was typed, and is kept. An answer that comes too late would
//! look like keys; `Stray` takes those out.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::cover::Rgb;
use super::graphics::{Graphics, Kind};

/// Longest wait for a terminal that says nothing.
const LIMIT: Duration = Duration::from_millis(600);
/// Behind a multiplexer the outer terminal answers after the inner one.
const OUTER: Duration = Duration::from_millis(120);

/// What a terminal answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// The colour of its ground.
    pub(super) ground: Option<Rgb>,
    /// Pixels of a cell: width, height.
    cell: Option<(u16, u16)>,
    kitty: bool,
    sixel: bool,
    /// Whether the last question was answered.
    pub(super) complete: bool,
    /// Bytes that were typed meanwhile.
    pub(super) typed: Vec<u8>,
}

impl Answers {
    /// Whether the ground is light, if the terminal told.
    pub(super) fn light(&self) -> Option<bool> {
        self.ground.map(|ground| ground.luminance() > 0.36)
    }
}

/// Asks the terminal. It has to be in raw mode, and nobody else may read from it.
#[cfg(unix)]
pub(super) fn ask(tmux: bool) -> io::Result<Answers> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut out = io::stdout().lock();
    out.write_all(questions(tmux).as_bytes())?;
    out.flush()?;
    let stdin = io::stdin();
    let mut bytes = Vec::new();
    let mut end = Instant::now() + LIMIT;
    let mut late = false;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut fds, Some(&wait)) {
            Ok(0) => break,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 1024];
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if !late && read(&bytes).complete {
            if !tmux {
                break;
            }
            (late, end) = (true, Instant::now() + OUTER);
        }
    }
    Ok(read(&bytes))
}

/// Elsewhere nothing is asked.
#[cfg(not(unix))]
pub(super) fn ask(_tmux: bool) -> io::Result<Answers> {
    Ok(Answers { complete: true, ..Answers::default() })
}

/// OSC 11 asks for the ground, `_G…a=q` for kitty's pictures, `16t` for a cell's pixels, `c` for the rest.
fn questions(tmux: bool) -> String {
    // One black pixel.
    let asked = "\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\".to_owned();
    let picture = if tmux { super::graphics::through_tmux(&asked) } else { asked };
    format!("\u{1b}]11;?\u{1b}\\{picture}\u{1b}[16t\u{1b}[c")
}

/// Takes answers and keys apart.
fn read(bytes: &[u8]) -> Answers {
    let mut answers = Answers::default();
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let sequence = match (byte, after.first()) {
            (0x1b, Some(b'[')) => {
                let body = after.get(1..).unwrap_or_default();
                let end = body.iter().position(|b| (0x40..=0x7e).contains(b));
                end.map(|end| {
                    (body.get(..=end).unwrap_or_default(), body.get(end + 1..).unwrap_or_default(), b'[')
                })
            }
            (0x1b, Some(&kind @ (b']' | b'_' | b'P'))) => {
                let body = after.get(1..).unwrap_or_default();
                let bell = body.iter().position(|b| *b == 7).map(|at| (at, 1));
                let string = body.windows(2).position(|pair| pair == b"\x1b\\").map(|at| (at, 2));
                let end = bell.into_iter().chain(string).min();
                end.map(|(at, n)| {
                    (body.get(..at).unwrap_or_default(), body.get(at + n..).unwrap_or_default(), kind)
                })
            }
            _ => None,
        };
        match sequence {
            Some((body, next, kind)) if answers.take(kind, &String::from_utf8_lossy(body)) => rest = next,
            _ => {
                answers.typed.push(byte);
                rest = after;
            }
        }
    }
    answers
}

impl Answers {
    /// Takes one answer; `false` for what is none.
    fn take(&mut self, kind: u8, body: &str) -> bool {
        match kind {
            b']' => {
                let Some(color) = body.strip_prefix("11;") else { return false };
                self.ground = parse_color(color);
            }
            b'_' => match body.split_once(';') {
                Some((head, "OK")) if head.contains("i=31") => self.kitty = true,
                _ => return body.starts_with('G'),
            },
            b'[' => {
                if let Some(attributes) = body.strip_prefix('?').and_then(|b| b.strip_suffix('c')) {
                    self.sixel = attributes.split(';').skip(1).any(|n| n == "4");
                    self.complete = true;
                } else if let Some(size) = body.strip_prefix("6;").and_then(|b| b.strip_suffix('t')) {
                    let mut numbers = size.split(';').map(str::parse);
                    if let (Some(Ok(height)), Some(Ok(width))) = (numbers.next(), numbers.next()) {
                        self.cell = Some((width, height));
                    }
                } else {
                    return false;
                }
            }
            _ => {}
        }
        true
    }

    /// The pictures that can be drawn: what the listener chose, else the best that the terminal has. On a line that may
    /// be slow a picture of a megabyte would hold everything up, so there it has to be chosen.
    pub(super) fn graphics(&self, wish: &str, tmux: bool, var: impl Fn(&str) -> Option<String>) -> Graphics {
        let is = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let has = |name: &str, words: &[&str]| {
            var(name).is_some_and(|value| words.iter().any(|word| value.contains(word)))
        };
        // What these say of kitty's or sixel's pictures is more than they draw.
        let wezterm = is("WEZTERM_EXECUTABLE") || has("TERM_PROGRAM", &["WezTerm"]);
        let konsole = is("KONSOLE_VERSION");
        let iterm = wezterm
            || has("TERM_PROGRAM", &["iTerm", "mintty", "vscode", "rio", "WarpTerminal"])
            || has("LC_TERMINAL", &["iTerm"]);
        let far = is("SSH_CONNECTION") || is("SSH_TTY");
        let kind = match wish {
            "kitty" => Kind::Kitty,
            "iterm2" => Kind::Iterm2,
            "sixel" => Kind::Sixel,
            "blocks" => Kind::Blocks,
            _ if far => Kind::Blocks,
            _ if self.kitty && !wezterm && !konsole => Kind::Kitty,
            _ if iterm => Kind::Iterm2,
            _ if self.sixel && !konsole => Kind::Sixel,
            _ => Kind::Blocks,
        };
        let window = || {
            let size = crossterm::terminal::window_size().ok()?;
            let cell = (size.width.checked_div(size.columns)?, size.height.checked_div(size.rows)?);
            (cell.0 > 0 && cell.1 > 0).then_some(cell)
        };
        match (kind, self.cell.filter(|cell| cell.0 > 0 && cell.1 > 0).or_else(window)) {
            // Without a size in pixels no picture fits its cells.
            (Kind::Blocks, _) | (_, None) => Graphics::default(),
            // A tmux that draws sixel itself needs no way through.
            (kind, Some(cell)) => Graphics { kind, cell, tmux: tmux && !(kind == Kind::Sixel && self.sixel) },
        }
    }
}

/// `rgb:ffff/ffff/ffff` with one to four digits for each.
fn parse_color(text: &str) -> Option<Rgb> {
    let body = text.strip_prefix("rgba:").or_else(|| text.strip_prefix("rgb:"))?;
    let mut parts = body.split('/').map(|digits| {
        let value = u32::from_str_radix(digits, 16).ok().filter(|_| (1..=4).contains(&digits.len()))?;
        u8::try_from(value * 255 / ((1 << (4 * digits.len())) - 1)).ok()
    });
    Some(Rgb(parts.next()??, parts.next()??, parts.next()??))
}

/// Takes answers that come too late out of what is typed: they begin like Alt and a bracket, and end like Alt and a
/// backslash or with a bell.
#[derive(Debug)]
pub(super) struct Stray {
    until: Option<Instant>,
    inside: usize,
}

impl Stray {
    /// Keys of the longest answer that is taken out.
    const LONGEST: usize = 80;

    /// Nothing is taken out where the terminal has answered everything.
    pub(super) fn new(complete: bool) -> Self {
        Self { until: (!complete).then(|| Instant::now() + Duration::from_secs(5)), inside: 0 }
    }

    /// Whether this key is part of a late answer.
    pub(super) fn takes(&mut self, key: &KeyEvent) -> bool {
        if self.until.is_none_or(|until| until < Instant::now()) {
            return false;
        }
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        if self.inside > 0 {
            let bell = key.code == KeyCode::Char('g') && key.modifiers.contains(KeyModifiers::CONTROL);
            let over = bell || (alt && key.code == KeyCode::Char('\\'));
            self.inside = if over || self.inside > Self::LONGEST { 0 } else { self.inside + 1 };
            return true;
        }
        let begins = alt && matches!(key.code, KeyCode::Char(']' | '_' | 'P'));
        self.inside = usize::from(begins);
        begins
    }
}

/// What was typed before keys were read, as keys; sequences are left out.
pub(super) fn keys(typed: &[u8]) -> Vec<KeyEvent> {
    let text = String::from_utf8_lossy(typed.split(|b| *b == 0x1b).next().unwrap_or_default()).into_owned();
    let key = |c: char| {
        let code = match c {
            '\r' | '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\u{7f}' => KeyCode::Backspace,
            c => KeyCode::Char(c),
        };
        KeyEvent::new(code, KeyModifiers::NONE)
    };
    text.chars().filter(|c| !c.is_control() || matches!(c, '\r' | '\n' | '\t' | '\u{7f}')).map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KITTY: &[u8] = b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[6;18;9t\x1b[?62;c";

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_kitty_says_all_of_it() {
        let answers = read(KITTY);
        assert_eq!(answers.ground, Some(Rgb(0x1e, 0x1e, 0x2e)));
        assert_eq!(answers.light(), Some(false));
        assert!(answers.complete && answers.typed.is_empty());
        let graphics = answers.graphics("auto", false, none);
        assert_eq!(graphics, Graphics { kind: Kind::Kitty, cell: (9, 18), tmux: false });
        assert!(answers.graphics("auto", true, none).tmux);
        assert_eq!(answers.graphics("blocks", false, none).kind, Kind::Blocks);
        let ssh = |name: &str| (name == "SSH_CONNECTION").then(|| "10.0.0.1".to_owned());
        assert_eq!(answers.graphics("auto", false, ssh).kind, Kind::Blocks);
        assert_eq!(answers.graphics("kitty", false, ssh).kind, Kind::Kitty);
        let konsole = |name: &str| (name == "KONSOLE_VERSION").then(|| "1".to_owned());
        assert_eq!(answers.graphics("auto", false, konsole).kind, Kind::Blocks);
    }

    #[test]
    fn sixel_light_grounds_and_refusals() {
        let answers =
            read(b"\x1b]11;rgb:ff/ff/f0\x07\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1b[6;20;10t\x1b[?64;1;4;22c");
        assert_eq!(answers.light(), Some(true));
        assert_eq!(answers.graphics("auto", false, none).kind, Kind::Sixel);
        let inner = answers.graphics("auto", true, none);
        assert!(!inner.tmux, "a tmux that says so draws it itself");
        assert!(answers.typed.is_empty());
    }

    #[test]
    fn keys_typed_meanwhile_are_kept() {
        let answers = read(b"j\x1b]11;rgb:0/0/0\x1b\\:q\r\x1b[?1;2c");
        assert_eq!(answers.typed, b"j:q\r");
        let codes: Vec<KeyCode> = keys(&answers.typed).into_iter().map(|key| key.code).collect();
        assert_eq!(codes.last(), Some(&KeyCode::Enter));
        assert_eq!(codes.len(), 4);
        assert!(answers.complete);
        // A terminal that says nothing.
        assert_eq!(read(b""), Answers::default());
        assert_eq!(read(b"").graphics("auto", false, none), Graphics::default());
        assert!(!read(b"\x1b]11;rgb:0/0").complete);
    }

    #[test]
    fn late_answers_are_no_keys() {
        let key = |c: char, held: KeyModifiers| KeyEvent::new(KeyCode::Char(c), held);
        let mut stray = Stray::new(false);
        assert!(!stray.takes(&key('j', KeyModifiers::NONE)));
        assert!(stray.takes(&key(']', KeyModifiers::ALT)));
        for c in "11;rgb:1e1e/1e1e/2e2e".chars() {
            assert!(stray.takes(&key(c, KeyModifiers::NONE)));
        }
        assert!(stray.takes(&key('\\', KeyModifiers::ALT)));
        assert!(!stray.takes(&key('j', KeyModifiers::NONE)));
        assert!(!Stray::new(true).takes(&key(']', KeyModifiers::ALT)));
    }
}
