//! What works on this machine and what does not, as rows that fit the page.

use super::Scroll;
use crate::tui::effects::{Finding, Health};
use crate::tui::text;

/// A row: the first one of a finding has its sign and area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoctorRow {
    /// How it is, in the first row of a finding.
    pub(crate) health: Option<Health>,
    pub(crate) area: String,
    pub(crate) words: String,
    /// Whether it says what to do.
    pub(crate) advice: bool,
}

/// State of the page.
#[derive(Debug, Default)]
pub(crate) struct DoctorPage {
    /// None until everything was looked at.
    pub(crate) findings: Option<Vec<Finding>>,
    pub(crate) rows: Vec<DoctorRow>,
    pub(crate) scroll: Scroll,
    pub(crate) awaiting: Option<u64>,
    pub(crate) error: Option<String>,
    /// Whether it was looked since the page was opened.
    pub(crate) looked: bool,
}

impl DoctorPage {
    /// Cells of sign and area, with the gaps after them.
    pub(crate) const AREA: usize = 18;

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Findings of this kind.
    pub(crate) fn count(&self, health: Health) -> usize {
        self.findings.iter().flatten().filter(|finding| finding.health == health).count()
    }

    /// Makes the rows for a page of this width, what is wrong first, and brings the cursor into sight.
    pub(crate) fn settle(&mut self, width: usize, height: usize) {
        let room = width.saturating_sub(Self::AREA).clamp(10, 100);
        let mut findings: Vec<&Finding> = self.findings.iter().flatten().collect();
        findings.sort_by_key(|finding| match finding.health {
            Health::Wrong => 0,
            Health::Note => 1,
            Health::Good => 2,
        });
        let mut rows = Vec::new();
        for finding in findings {
            let what = text::lines(&text::clean(&finding.what), room);
            let advice = text::lines(&text::clean(&finding.advice), room);
            let parts = what.into_iter().map(|words| (words, false));
            let parts = parts.chain(advice.into_iter().filter(|a| !a.is_empty()).map(|words| (words, true)));
            rows.extend(parts.enumerate().map(|(i, (words, advice))| DoctorRow {
                health: (i == 0).then_some(finding.health),
                area: if i == 0 { text::clean(&finding.area) } else { String::new() },
                words,
                advice,
            }));
        }
        self.rows = rows;
        self.scroll.settle(self.rows.len(), height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_first_and_long_sentences_are_broken() {
        let finding = |health, area: &str, what: &str, advice: &str| Finding {
            health,
            area: area.to_owned(),
            what: what.to_owned(),
            advice: advice.to_owned(),
        };
        let mut page = DoctorPage {
            findings: Some(vec![
                finding(Health::Good, "clock", "It is right.", ""),
                finding(Health::Wrong, "sound", &"words ".repeat(20), "Do this."),
            ]),
            ..DoctorPage::default()
        };
        page.settle(60, 5);
        assert_eq!((page.rows[0].area.as_str(), page.rows[0].health), ("sound", Some(Health::Wrong)));
        assert!(page.rows.iter().all(|row| text::width(&row.words) <= 60 - DoctorPage::AREA));
        assert!(page.rows.iter().any(|row| row.advice && row.words == "Do this."));
        assert_eq!(page.rows.last().map(|row| row.area.as_str()), Some("clock"));
        assert_eq!((page.count(Health::Wrong), page.count(Health::Note)), (1, 0));
    }
}
