//! Pages about the program: settings, the log.

use super::Scroll;

/// One setting, as the page shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the file.
    pub name: String,
    /// Its value now.
    pub value: String,
    /// Where it comes from: `config.toml`, a variable, `default`.
    pub from: String,
    /// What it does.
    pub about: String,
    /// The variable.
    pub env: String,
}

/// What is set.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) scroll: Scroll,
}

impl Settings {
    /// The command that changes a setting while the program runs, where there is one.
    pub(crate) fn command(name: &str) -> Option<&'static str> {
        Some(match name {
            "theme" => "theme",
            "volume" => "command volume",
            "replaygain" => "command replaygain",
            "crossfade" => "command crossfade",
            "speed" => "command speed",
            "equalizer" => "command equalizer",
            "bit_perfect" => "bit-perfect",
            "output" => "command output",
            "server" | "user" | "profiles" => "command server",
            _ => return None,
        })
    }
}

/// The end of the log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<String>,
    pub(crate) scroll: Scroll,
    /// Only lines with these words.
    pub(crate) filter: Option<String>,
    pub(crate) shown: Vec<usize>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// Whether it was read since the page was opened.
    pub(crate) read: bool,
}

impl Log {
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&str> {
        self.shown.get(at).and_then(|at| self.lines.get(*at)).map(String::as_str)
    }

    /// Takes lines; whoever stood at the end stays there.
    pub(crate) fn take(&mut self, lines: Vec<String>) {
        let at_end = self.scroll.cursor + 1 >= self.len();
        self.lines = lines;
        self.narrow();
        if at_end {
            self.scroll.cursor = self.len().saturating_sub(1);
        }
    }

    /// Finds the lines that are shown.
    pub(crate) fn narrow(&mut self) {
        let words = self.filter.as_deref().map(str::to_lowercase).unwrap_or_default();
        let words: Vec<&str> = words.split_whitespace().collect();
        let fits = |line: &String| {
            let line = line.to_lowercase();
            words.iter().all(|word| line.contains(word))
        };
        let lines = self.lines.iter().enumerate();
        self.shown = lines.filter(|(_, line)| words.is_empty() || fits(line)).map(|(at, _)| at).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_stays_at_its_end_and_narrows() {
        let mut log = Log::default();
        log.take(vec!["INFO one".into(), "WARN two".into()]);
        assert_eq!(log.scroll.cursor, 1);
        log.take(vec!["INFO one".into(), "WARN two".into(), "INFO three".into()]);
        assert_eq!(log.scroll.cursor, 2);
        log.scroll.cursor = 0;
        log.take(vec!["INFO one".into(); 9]);
        assert_eq!(log.scroll.cursor, 0);
        log.filter = Some("warn".into());
        log.take(vec!["INFO one".into(), "WARN two".into()]);
        assert_eq!((log.len(), log.get(0)), (1, Some("WARN two")));
    }
}
