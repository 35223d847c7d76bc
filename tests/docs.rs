//! The book in `docs/`: its links lead somewhere, its generated pages are what the program says of itself, every command in
//! it is run, and every name of a command that stands in its sentences is one.
//!
//! Commands stand in blocks. Each page is one story: they are run in their order in one home folder, with what the page takes for
//! granted (a folder with music, a server, an export) put there first. Those that stay are seen to begin and are ended.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;
#[path = "docs/stage.rs"]
mod stage;

use std::path::{Path, PathBuf};

use stage::Stage;

/// Commands that ask somebody, or need another machine, and the tests that have both.
const ELSEWHERE: &[(&str, &str)] = &[
    ("segue login --server", "a_password_is_kept_used_and_forgotten"),
    ("segue scrobble listenbrainz login", "a_token_is_tried_before_it_is_kept"),
    (
        "segue scrobble lastfm login",
        "lastfm_is_allowed_on_a_page_and_told_of_tracks_longer_than_half_a_minute",
    ),
    ("segue play --device", "a_queue_goes_to_a_speaker_is_driven_there_and_comes_back"),
    ("segue ctl device", "a_queue_goes_to_a_speaker_is_driven_there_and_comes_back"),
    ("segue serve --jukebox", "the_jukebox_plays_what_clients_of_others_ask_for"),
    ("segue serve --music az:", "a_library_in_a_store_is_browsed_and_heard"),
    ("segue serve --music s3:", "a_library_in_a_store_is_browsed_and_heard"),
    ("segue serve --listen 10.0.0.11", "a_night_of_three_processes_and_five_hundred_listeners"),
    // No stand-in for Google's store could be had; its addresses are read like the others.
    ("segue serve --music gs:", "addresses_are_told_from_folders"),
    ("segue migrate", "a_home_moves_up_survives_a_kill_and_every_row_is_the_same"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every page for people: its place below the root, and its text.
fn pages() -> Vec<(String, String)> {
    let mut files = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "md") {
            files.push(path);
        }
    }
    files.sort();
    let name = |file: &Path| file.strip_prefix(root()).unwrap().display().to_string();
    files.iter().map(|file| (name(file), std::fs::read_to_string(file).unwrap())).collect()
}

/// A line of a page, and whether it stands in a block of code.
fn lines(page: &str) -> Vec<(bool, &str)> {
    let mut fenced = false;
    let mut before = "";
    let mut block = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        // Four spaces after an empty line, and until the next that has fewer.
        block = line.starts_with("    ") && (block || before.is_empty()) || block && line.is_empty();
        if !fence {
            lines.push((fenced || block, line));
        }
        fenced ^= fence;
        before = line.trim();
    }
    lines
}

/// The commands of a page's blocks, without what is said about them beside.
fn commands(page: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (_, line) in lines(page).into_iter().filter(|(code, _)| *code) {
        let line = line.trim();
        let starts = line.starts_with("segue") || line.starts_with("SEGUE_") && line.contains(" segue");
        if !goes_on && !starts {
            continue;
        }
        let said = line.find("  ").into_iter().chain(line.find(" #")).min().unwrap_or(line.len());
        let words = line[..said].trim();
        let part = words.trim_end_matches('\\');
        if goes_on {
            commands.last_mut().unwrap().extend([" ", part.trim()]);
        } else {
            commands.push(part.trim().to_owned());
        }
        goes_on = words.ends_with('\\');
    }
    commands
}

/// What stands between single backticks in the sentences of a page.
fn spans(page: &str) -> Vec<String> {
    let prose: Vec<&str> = lines(page).into_iter().filter(|(code, _)| !code).map(|(_, line)| line).collect();
    prose.join("\n").split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect()
}

fn run(name: &str) {
    let page = std::fs::read_to_string(root().join(name)).unwrap();
    let commands = commands(&page);
    assert!(!commands.is_empty(), "{name} has no commands any more");
    let mut stage = Stage::new(&page, &commands);
    for command in &commands {
        if let Some((_, test)) = ELSEWHERE.iter().find(|(begin, _)| command.starts_with(begin)) {
            let asked = test_names().any(|known| known == *test);
            assert!(asked, "{command} was to be run by {test}, which is gone");
            continue;
        }
        stage.run(command);
    }
}

fn test_names() -> impl Iterator<Item = String> {
    let folders = ["tests", "src"].map(|folder| walkdir::WalkDir::new(root().join(folder)));
    let sources = folders.into_iter().flatten().filter_map(Result::ok);
    let rust = sources.filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"));
    rust.flat_map(|entry| {
        let code = std::fs::read_to_string(entry.path()).unwrap();
        let names = code.lines().filter_map(|line| {
            let (_, rest) = line.split_once("fn ")?;
            Some(rest.split('(').next()?.to_owned())
        });
        names.collect::<Vec<_>>()
    })
}

macro_rules! stories {
    ($($name:ident: $page:literal,)+) => {
        /// Pages whose commands are run.
        const STORIES: &[&str] = &[$($page),+];
        $(
            #[test]
            fn $name() {
                run($page);
            }
        )+
    };
}

stories! {
    the_commands_of_the_readme: "README.md",
    the_commands_of_getting_started: "docs/getting-started.md",
    the_commands_of_installing: "docs/installing.md",
    the_commands_of_servers: "docs/servers.md",
    the_commands_of_control: "docs/control.md",
    the_commands_of_history: "docs/history.md",
    the_commands_of_scrobbling: "docs/scrobbling.md",
    the_commands_of_insights: "docs/insights.md",
    the_commands_of_plans: "docs/plans.md",
    the_commands_of_running_a_server: "docs/running-a-server.md",
    the_commands_of_scaling: "docs/scaling.md",
    the_commands_of_troubleshooting: "docs/troubleshooting.md",
}

#[test]
fn no_page_has_commands_that_nobody_runs() {
    for (name, page) in pages() {
        let commands = commands(&page);
        // The page of commands is made from the program.
        let known = STORIES.contains(&name.as_str()) || name == "docs/commands.md";
        assert!(known || commands.is_empty(), "{name} has commands: {commands:?}");
    }
}

#[test]
fn names_of_commands_are_names_of_commands() {
    let stage = Stage::new("", &[]);
    // The page of commands is made from the program.
    let written = pages().into_iter().filter(|(name, _)| name != "docs/commands.md");
    let mut names: Vec<String> = written.flat_map(|(_, page)| spans(&page)).collect();
    names.retain(|span| span.starts_with("segue ") && !span.contains("://"));
    names.sort();
    names.dedup();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        stage.knows(&name);
    }
}

#[test]
fn make_and_cargo_lines_name_what_there_is() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    for (name, page) in pages() {
        let code: Vec<String> = lines(&page)
            .into_iter()
            .filter(|(code, _)| *code)
            .map(|(_, line)| line.trim().to_owned())
            .chain(spans(&page))
            .collect();
        for line in code {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["make", target, ..] => {
                    assert!(makefile.contains(&format!("\n{target}:")), "{name}: {line}");
                }
                ["cargo", "test" | "bench", ..] => {
                    for pair in words.windows(2).filter(|pair| matches!(pair[0], "--test" | "--bench")) {
                        let folder = if pair[0] == "--test" { "tests" } else { "benches" };
                        let file = root().join(folder).join(pair[1]);
                        let there = file.with_extension("rs").exists() || file.join("main.rs").exists();
                        assert!(there, "{name}: {line}");
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn links_lead_somewhere() {
    for (name, page) in pages() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        let prose: Vec<&str> =
            lines(&page).into_iter().filter(|(code, _)| !code).map(|(_, line)| line).collect();
        let prose = prose.join("\n");
        for link in prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            if !link.contains("://") && !file.is_empty() {
                assert!(folder.join(file).exists(), "{name} leads to {link}");
            }
        }
    }
}

#[test]
fn the_book_names_every_page() {
    let contents = std::fs::read_to_string(root().join("docs/README.md")).unwrap();
    for (name, _) in pages() {
        let Some(file) = name.strip_prefix("docs/").filter(|file| *file != "README.md") else { continue };
        assert!(contents.contains(&format!("]({file})")), "docs/README.md does not name {file}");
    }
}

/// `SEGUE_WRITE_DOCS=1 cargo test --test docs` writes the pages anew.
#[test]
fn generated_pages_are_current() {
    for (file, page) in [
        ("docs/commands.md", segue::cli::manual::commands()),
        ("docs/configuration.md", segue::cli::manual::configuration()),
        ("docs/keys.md", segue::tui::manual::keys()),
    ] {
        let path = root().join(file);
        if std::env::var_os("SEGUE_WRITE_DOCS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == page, "{file} is old: SEGUE_WRITE_DOCS=1 cargo test --test docs");
    }
}
