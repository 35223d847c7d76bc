//! The floors of the house: a room imports only from lower floors, so no two rooms form a circle.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms by floor, as `docs/ARCHITECTURE.md` draws them.
const FLOORS: [&[&str]; 5] = [
    &["music"],
    &["audio", "cache", "catalog", "subsonic", "taste"],
    &["analysis", "mixing"],
    &["client", "player", "scrobble", "server"],
    &["cli", "tui"],
];

/// `cli` is the front door: it may open `tui`, which may not call back.
const WITHIN_A_FLOOR: [(&str, &str); 1] = [("cli", "tui")];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Rooms named behind `crate::` in a source text, `use crate::{a, b}` included, comments left out.
fn imports(text: &str) -> Vec<String> {
    let code: String =
        text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue; // some_crate::
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut at_start = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => at_start = true,
                    c if depth == 0 && at_start && (c.is_alphanumeric() || c == '_') => word.push(c),
                    c if c.is_whitespace() => {}
                    _ => {
                        at_start = false;
                    }
                }
                if !(word.is_empty() || c.is_alphanumeric() || c == '_') {
                    rooms.push(std::mem::take(&mut word));
                    at_start = c == ',';
                }
            }
            rooms.extend((!word.is_empty()).then_some(word));
        } else {
            rooms.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    rooms
}

/// Every arrow that points up or sideways: (importing room, imported room, file).
fn wrong_arrows(src: &Path) -> Vec<(String, String, PathBuf)> {
    let mut wrong = Vec::new();
    for path in sources(src) {
        let inner = path.strip_prefix(src).unwrap();
        let Some(room) = inner.components().next().and_then(|c| c.as_os_str().to_str()) else { continue };
        let Some(here) = floor(room) else { continue };
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let Some(there) = floor(&import) else { continue };
            let allowed = import == room || there < here || WITHIN_A_FLOOR.contains(&(room, import.as_str()));
            if !allowed {
                wrong.push((room.to_owned(), import, inner.to_owned()));
            }
        }
    }
    wrong
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let wrong = wrong_arrows(&src);
    assert!(wrong.is_empty(), "a room may import only from lower floors: {wrong:#?}");
}

#[test]
fn every_room_stands_on_a_floor() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let room = entry.file_name().into_string().unwrap();
            assert!(floor(&room).is_some(), "room {room} is on no floor");
            let shell = fs::read_to_string(entry.path().join("mod.rs")).unwrap();
            let holds = shell.lines().any(|l| l.contains("mod ") || l.starts_with("pub struct "));
            assert!(holds, "room {room} is an empty shell");
        }
    }
}

#[test]
fn the_check_sees_wrong_arrows() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("cache/deep")).unwrap();
    fs::create_dir_all(dir.path().join("audio")).unwrap();
    let text = "use crate::{\n  music::{Track, crate_of},\n  player::Queue,\n};\n// use crate::tui::App;\nfn f() { crate::audio::go() }";
    fs::write(dir.path().join("cache/deep/x.rs"), text).unwrap();
    fs::write(dir.path().join("audio/mod.rs"), "use crate::cache::Store;").unwrap();
    let mut found: Vec<(String, String)> =
        wrong_arrows(dir.path()).into_iter().map(|(a, b, _)| (a, b)).collect();
    found.sort();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(found, [pair("audio", "cache"), pair("cache", "audio"), pair("cache", "player")]);
}

#[test]
fn files_stay_small() {
    for dir in ["src", "tests", "examples", "benches"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        for path in if dir.is_dir() { sources(&dir) } else { Vec::new() } {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 800, "{} has {lines} lines: split it", path.display());
        }
    }
}
