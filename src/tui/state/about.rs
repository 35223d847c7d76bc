//! Pages about the program and its listener: statistics, settings, the log.

use super::Scroll;
use crate::catalog::Insights;

/// Of which time the statistics are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Span {
    /// Today.
    Day,
    /// Seven days.
    #[default]
    Week,
    /// Thirty days.
    Month,
    /// Twelve months.
    Year,
    /// Since the beginning.
    All,
}

impl Span {
    /// From the shortest to the longest.
    pub(crate) const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Year, Self::All];

    /// Its name on the page.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Day => "Today",
            Self::Week => "7 days",
            Self::Month => "30 days",
            Self::Year => "12 months",
            Self::All => "All time",
        }
    }

    /// Its word in commands.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
            Self::All => "all",
        }
    }

    /// Days that it has, today among them; none without a beginning.
    pub(crate) const fn days(self) -> Option<i64> {
        match self {
            Self::Day => Some(1),
            Self::Week => Some(7),
            Self::Month => Some(30),
            Self::Year => Some(365),
            Self::All => None,
        }
    }

    /// The next one to the right or left.
    pub(crate) fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|span| *span == self).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(Self::ALL.len() - 1);
        Self::ALL.get(to).copied().unwrap_or(self)
    }
}

/// What was heard.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) span: Span,
    /// With the span that they are of.
    pub(crate) data: Option<(Span, Insights)>,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// The span and the day that were asked for.
    pub(crate) fresh: Option<(Span, i64)>,
}

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

    #[test]
    fn spans_end_at_both_ends() {
        assert_eq!(Span::Day.step(-1), Span::Day);
        assert_eq!(Span::Week.step(1), Span::Month);
        assert_eq!(Span::Week.step(99), Span::All);
    }
}
