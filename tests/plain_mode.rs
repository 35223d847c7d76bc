//! Plain mode: the real binary on pipes, as a screen reader or a script has it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use program::{Home, PATIENCE, Process};

struct Plain {
    process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Plain {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&["--plain", "--output", "silent"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let input = child.stdin.take();
        Self { process: Process(child), input, lines, heard: Vec::new() }
    }

    fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    /// Waits for a line with these words.
    fn hear(&mut self, words: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    assert!(!line.contains('\u{1b}') && !line.contains('│'), "{line:?}");
                    self.heard.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(error) => panic!("{error}: “{words}” was not said; this was:\n{}", self.heard.join("\n")),
            }
        }
    }
}

#[test]
fn it_is_heard_and_spoken_to_in_lines() {
    let home = Home::new();
    let mut plain = Plain::start(&home);
    plain.hear("Type help");
    plain.hear("Home.");
    plain.hear("1 of ");
    // The words of the `:` line.
    plain.type_line("help volume");
    plain.hear("volume 0–100: this loud.");
    plain.type_line("dance");
    plain.hear("Error: There is no command \"dance\".");
    // Music is found, selected, played.
    plain.type_line("go library");
    plain.hear("Library.");
    plain.hear("1 of 1: ");
    plain.type_line("play");
    let playing = plain.hear("Playing: ");
    assert!(playing.contains("from "), "{playing}");
    plain.type_line("volume 40");
    plain.hear("Volume 40.");
    plain.type_line("toggle");
    plain.hear("Paused.");
    plain.type_line("status");
    plain.hear(" of ");
    plain.hear("Volume 40.");
    // What is on the page, and another row of it.
    plain.type_line("go queue");
    plain.hear("Queue.");
    plain.type_line("down 2");
    let row = plain.hear("3 of ");
    plain.type_line("list");
    let listed = plain.hear("3: selected,");
    assert_eq!(row.split_once(": ").unwrap().1, listed.split_once("selected, ").unwrap().1);
    plain.type_line("search xyzzyx");
    plain.hear("Search.");
    plain.type_line("quit");
    let status = plain.process.0.wait().unwrap();
    assert!(status.success());
}

#[test]
fn the_end_of_its_input_is_the_end() {
    let home = Home::new();
    let mut plain = Plain::start(&home);
    plain.hear("Home.");
    plain.input = None;
    assert!(plain.process.0.wait().unwrap().success());
}
