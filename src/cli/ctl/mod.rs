//! `segue ctl`: the running player driven from a shell, a status bar or a key of the desktop.
//!
//! ```text
//! words ─▶ Ask ─▶ socket ─▶ door of the running player ─▶ Answer ─▶ a line, JSON, or `--format`
//! ```

mod door;
mod format;
mod protocol;
mod socket;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::tokio::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::CliError;
use super::paths::Paths;
use crate::music::{clock, printable};

pub(super) use door::{Door, Inside};
pub(super) use protocol::Handed;
use protocol::{Answer, Ask, DeviceRow, How, Row, Rows, Snapshot};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How answers are printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Print {
    /// As JSON, one object a line.
    pub(super) json: bool,
    /// The status by this template.
    pub(super) format: Option<String>,
}

/// Asks the running player for what the words say.
pub(super) async fn run(paths: &Paths, words: &[String], print: &Print) -> Result<ExitCode, CliError> {
    let ask = read(words).map_err(CliError::Wrong)?;
    let stream = connect(&paths.socket()).await?;
    let mut lines = BufReader::new(&stream).lines();
    protocol::send(&stream, &ask).await?;
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line());
        let line = match (&ask, line.await) {
            (_, Ok(line)) => line?,
            (Ask::Follow, Err(_)) => continue,
            (_, Err(_)) => return Err(CliError::Wrong("the player does not answer".into())),
        };
        let Some(line) = line else {
            return match ask {
                Ask::Follow => Ok(ExitCode::SUCCESS),
                _ => Err(CliError::Wrong("the player ended before it answered".into())),
            };
        };
        let answer: Answer = serde_json::from_str(&line)
            .map_err(|e| CliError::Wrong(format!("the player is of another version: {e}")))?;
        if !answer.ok {
            return Err(CliError::Wrong(answer.said));
        }
        let told = if print.json { line } else { text(&answer, print).map_err(CliError::Wrong)? };
        let mut out = io::stdout().lock();
        let written = if told.is_empty() && ask != Ask::Follow {
            Ok(())
        } else {
            writeln!(out, "{told}").and_then(|()| out.flush())
        };
        match written {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other?,
        }
        if ask != Ask::Follow {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Takes over from a player that runs, if one does: it stops and tells where it was.
pub(super) async fn take_over(path: &Path, profile: &str) -> Option<Handed> {
    let stream = Stream::connect(socket::name(path).ok()?).await.ok()?;
    protocol::send(&stream, &Ask::HandOver { profile: profile.to_owned() }).await.ok()?;
    let mut lines = BufReader::new(&stream).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.ok()?.ok()??;
    serde_json::from_str::<Answer>(&line).ok()?.handed
}

async fn connect(path: &Path) -> Result<Stream, CliError> {
    let name = socket::name(path)?;
    match tokio::time::timeout(PATIENCE, Stream::connect(name)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) if e.kind() == io::ErrorKind::PermissionDenied => Err(CliError::Wrong(format!(
            "the player belongs to somebody else: {} may not be opened",
            path.display()
        ))),
        Ok(Err(_)) => Err(CliError::Wrong("no player is running; start one with `segue`".into())),
        Err(_) => Err(CliError::Wrong("the player does not answer".into())),
    }
}

fn read(words: &[String]) -> Result<Ask, String> {
    let (verb, rest) =
        words.split_first().map(|(verb, rest)| (verb.as_str(), rest.join(" "))).unwrap_or_default();
    let wanted = |rest: String| {
        if rest.trim().is_empty() {
            Err(format!("say what to {verb}: segue ctl {verb} WORDS"))
        } else {
            Ok(rest)
        }
    };
    Ok(match verb {
        "" | "status" => Ask::Status,
        "follow" => Ask::Follow,
        "queue" if rest.is_empty() => Ask::Queue,
        "devices" if rest.is_empty() => Ask::Devices,
        "search" => Ask::Search { words: wanted(rest)? },
        "play" if !rest.is_empty() => Ask::Play { words: rest, how: How::Now },
        "add" => Ask::Play { words: wanted(rest)?, how: How::Add },
        "add-next" => Ask::Play { words: wanted(rest)?, how: How::Next },
        "star" => Ask::Do { line: "love-playing".to_owned() },
        _ => Ask::Do { line: words.join(" ") },
    })
}

/// An answer for people; empty where there is nothing to say.
fn text(answer: &Answer, print: &Print) -> Result<String, String> {
    if let Some(status) = &answer.status {
        return match &print.format {
            Some(template) => format::line(template, status),
            None => Ok(status_text(status)),
        };
    }
    if let Some(rows) = &answer.queue {
        return Ok(queue_text(rows));
    }
    if let Some(tracks) = &answer.tracks {
        let lines: Vec<String> = tracks.iter().map(row_text).collect();
        return Ok(lines.join("\n"));
    }
    if let Some(devices) = &answer.devices {
        let line = |row: &DeviceRow| {
            printable(&format!("{} {}  {}", if row.chosen { "▶" } else { " " }, row.name, row.about))
        };
        return Ok(devices.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
    Ok(printable(&answer.said))
}

fn row_text(row: &Row) -> String {
    printable(&format!("{} — {} · {}  {}", row.artist, row.title, row.album, clock(row.duration_ms)))
}

fn status_text(status: &Snapshot) -> String {
    let Some(track) = &status.track else { return "Nothing plays.".to_owned() };
    let mut text = row_text(&Row { duration_ms: 0, ..track.clone() });
    text.truncate(text.rfind("  ").unwrap_or(text.len()));
    if status.loved {
        text.push_str(" ♥");
    }
    let mut facts = vec![
        format!("{} {} of {}", status.state, clock(status.position_ms), clock(track.duration_ms)),
        format!("volume {}{}", status.volume, if status.muted { ", muted" } else { "" }),
    ];
    if status.shuffle {
        facts.push("shuffled".to_owned());
    }
    if status.repeat != "off" {
        facts.push(format!("repeats {}", status.repeat));
    }
    facts.extend([status.format.clone(), status.source.clone()].into_iter().filter(|fact| !fact.is_empty()));
    facts.extend(status.device.as_ref().map(|name| format!("on {}", printable(name))));
    let mut lines = vec![text, facts.join(" · ")];
    lines.extend(status.next.as_ref().map(|next| format!("next: {}", printable(&next.title))));
    lines.extend(status.trouble.clone());
    lines.join("\n")
}

fn queue_text(rows: &Rows) -> String {
    let mut lines: Vec<String> = rows.now.iter().map(|row| format!("▶ {}", row_text(row))).collect();
    lines.extend(rows.up_next.iter().map(|row| format!("+ {}", row_text(row))));
    lines.extend(rows.context.iter().map(|row| format!("  {}", row_text(row))));
    if lines.is_empty() { "The queue is empty.".to_owned() } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Ask, String> {
        read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn words_become_questions() {
        assert_eq!(asked(""), Ok(Ask::Status));
        assert_eq!(asked("queue"), Ok(Ask::Queue));
        assert_eq!(asked("play"), Ok(Ask::Do { line: "play".into() }));
        assert_eq!(asked("play first light"), Ok(Ask::Play { words: "first light".into(), how: How::Now }));
        assert_eq!(asked("add dew"), Ok(Ask::Play { words: "dew".into(), how: How::Add }));
        assert_eq!(asked("volume 40"), Ok(Ask::Do { line: "volume 40".into() }));
        assert!(asked("search").is_err());
    }

    #[test]
    fn questions_and_answers_survive_the_wire() {
        let asks = [
            Ask::Follow,
            Ask::HandOver { profile: "home".into() },
            Ask::Play { words: "a \"b\"".into(), how: How::Next },
        ];
        for ask in asks {
            let line = serde_json::to_string(&ask).unwrap();
            assert_eq!(serde_json::from_str::<Ask>(&line).unwrap(), ask, "{line}");
        }
        assert_eq!(serde_json::to_string(&Ask::Status).unwrap(), r#"{"ask":"status"}"#);
        assert_eq!(
            serde_json::to_string(&Answer::done("Loves it.")).unwrap(),
            r#"{"ok":true,"said":"Loves it."}"#
        );
    }
}
