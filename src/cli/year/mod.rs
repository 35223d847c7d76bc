//! `segue year`: a year as a story, printed, as one page for a browser, and as a picture. Everything is read from this machine
//! and nothing is sent anywhere.

mod draw;
mod html;
mod svg;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::config::Settings;
use super::paths::Paths;
use super::{CliError, rig};
use crate::music::printable;
use crate::tui::story::{self, Show};

/// What is to come of it.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Which year; none for the last one in which something was heard.
    pub(super) year: Option<i64>,
    /// The page.
    pub(super) html: Option<PathBuf>,
    /// The picture.
    pub(super) svg: Option<PathBuf>,
}

/// Tells the year, or writes it into files.
pub(super) async fn run(settings: &Settings, paths: &Paths, wanted: Wanted) -> Result<ExitCode, CliError> {
    let nothing = || CliError::Wrong("nothing was heard on this machine yet: play something first".into());
    let listener = rig::listener_of(settings, paths).await?.ok_or_else(nothing)?;
    let now = Timestamp::now();
    let minutes = i64::from(TimeZone::system().to_offset(now).seconds() / 60);
    let now = now.as_millisecond();
    let year = match wanted.year {
        Some(year) => year,
        None => listener.last_year_heard(minutes).await?.ok_or_else(nothing)?,
    };
    let told = listener.year(year, now, minutes).await?;
    let chapters = story::chapters(&told);
    if chapters.is_empty() {
        return Err(CliError::Wrong(format!("nothing was heard in {year}")));
    }
    if let Some(file) = &wanted.html {
        write(file, &html::page(&told, &chapters))?;
    }
    if let Some(file) = &wanted.svg {
        write(file, &svg::picture(&told, &chapters))?;
    }
    if wanted.html.is_none() && wanted.svg.is_none() {
        print!("{}", text(&told, &chapters));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(file, text)
        .map_err(|error| CliError::Wrong(format!("{} cannot be written: {error}", file.display())))?;
    println!("{}", file.display());
    Ok(())
}

/// The story in plain lines.
fn text(year: &crate::catalog::Year, chapters: &[story::Chapter]) -> String {
    let mut out = format!("Your {}\n", story::name(year));
    for chapter in chapters {
        let big = chapter.big.as_ref().map_or_else(String::new, |big| format!("{big} "));
        let _ = write!(out, "\n{}\n  {big}{}\n", chapter.kicker, printable(&chapter.headline));
        for words in &chapter.words {
            let _ = writeln!(out, "  {}", printable(words));
        }
        match &chapter.show {
            Show::Rank(rows) => {
                for (i, row) in rows.iter().enumerate() {
                    let by = if row.by.is_empty() { String::new() } else { format!(" — {}", row.by) };
                    let _ = writeln!(
                        out,
                        "  {}. {}{}  {}",
                        i + 1,
                        printable(&row.name),
                        printable(&by),
                        row.measure
                    );
                }
            }
            Show::Card(rows) => {
                for (name, value) in rows {
                    let _ = writeln!(out, "  {name:<10} {}", printable(value));
                }
            }
            Show::Nothing | Show::Months(_) | Show::Week(_) | Show::Moods(_) => {}
        }
    }
    out
}
