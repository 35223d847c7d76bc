//! The player against a real Supysonic 0.7.9: a Subsonic server that is not OpenSubsonic, does not know token
//! authentication, and writes numbers where strings should be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{Home, Process, Terminal, installed, position, skip};

struct Supysonic {
    process: Option<Process>,
    bin: PathBuf,
    dir: tempfile::TempDir,
    port: u16,
}

impl Supysonic {
    /// Starts one over three tagged tones of ten seconds; none where it is not installed.
    fn start() -> Option<Self> {
        let bin = PathBuf::from(std::env::var_os("SEGUE_TEST_SUPYSONIC")?);
        let dir = tempfile::tempdir().unwrap();
        let music = dir.path().join("music");
        std::fs::create_dir_all(&music).unwrap();
        for (i, title) in ["Ut queant", "Resonare", "Mira gestorum"].iter().enumerate() {
            let tone = format!("sine=frequency={}:duration=10", 220 * (i + 1));
            let done = Command::new("ffmpeg")
                .args(["-loglevel", "error", "-f", "lavfi", "-i", &tone])
                .args(["-metadata", &format!("title={title}"), "-metadata", "artist=Guido d’Arezzo"])
                .args(["-metadata", "album=Micrologus", "-metadata", &format!("track={}", i + 1)])
                .arg(music.join(format!("{i}.flac")))
                .status()
                .unwrap();
            assert!(done.success());
        }
        let config = format!(
            "[base]\ndatabase_uri = sqlite:///{0}/s.db\n[webapp]\ncache_dir = {0}/cache\n[daemon]\nsocket = {0}/d.sock\nrun_watcher = no\nrun_scheduler = no\n",
            dir.path().display()
        );
        std::fs::write(dir.path().join("supysonic.conf"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { process: None, bin, dir, port };
        server.cli(&["user", "add", "guido", "-p", "hexachord"]);
        server.cli(&["folder", "add", "Music", music.to_str().unwrap()]);
        server.cli(&["folder", "scan", "-f", "Music"]);
        server.resume();
        Some(server)
    }

    fn cli(&self, args: &[&str]) {
        let output = self.at(&self.bin.join("supysonic-cli")).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn at(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    fn resume(&mut self) {
        let port = self.port.to_string();
        let child = self
            .at(&self.bin.join("supysonic-server"))
            .args(["-S", "waitress", "-h", "127.0.0.1", "-p", &port])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(Process(child));
        let end = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "Supysonic did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn stop(&mut self) {
        self.process = None;
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn supysonic() -> Option<Supysonic> {
    if installed("ffmpeg").is_none() {
        skip("ffmpeg");
        return None;
    }
    let server = Supysonic::start();
    if server.is_none() {
        skip("Supysonic (SEGUE_TEST_SUPYSONIC names its folder of programs)");
    }
    server
}

#[test]
fn syncs_and_searches() {
    let Some(server) = supysonic() else { return };
    let home = Home::new();
    let output = home
        .command(&["search", "resonare", "--json", "--server", &server.url(), "--user", "guido"])
        .env("SEGUE_PASSWORD", "hexachord")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let hits: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(hits["tracks"][0]["title"], "Resonare");
    assert_eq!(hits["tracks"][0]["album"], "Micrologus");
    assert_eq!(hits["tracks"][0]["number"], 2);
}

#[test]
fn a_wrong_password_is_said_in_one_sentence() {
    let Some(server) = supysonic() else { return };
    let home = Home::new();
    let output = home
        .command(&["search", "resonare", "--server", &server.url(), "--user", "guido"])
        .env("SEGUE_PASSWORD", "not it")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("password"), "{error}");
    assert!(!error.contains("not it"), "the password stands in the output: {error}");
}

#[test]
fn browses_plays_stars_and_lives_on_without_it() {
    let Some(mut server) = supysonic() else { return };
    let home = Home::new();
    let url = server.url();
    let args = ["--server", &url, "--user", "guido", "--output", "silent"];
    let mut terminal = Terminal::start(&home, &args, &[("SEGUE_PASSWORD", "hexachord")], (100, 30));
    terminal.wait_for("Micrologus");
    terminal.keys("/");
    terminal.keys("\u{1b}");
    terminal.keys(":search\r");
    terminal.keys("mira");
    terminal.wait_for("Mira gestorum");
    terminal.keys("\r");
    let playing = terminal.wait("the position to advance", |s| position(s).is_some_and(|p| p >= 2));
    assert!(playing.contains("Mira gestorum"), "{playing}");
    // Ten seconds of FLAC are here by now; the server may go.
    server.stop();
    let first = position(&playing).unwrap();
    terminal.wait("playing on", |s| position(s).is_some_and(|p| p >= first + 2));
    terminal.wait_for("offline");
    terminal.keys("\u{1b}");
    drop(terminal);
    // A start without the server: the catalog and the track are here.
    let mut terminal = Terminal::start(&home, &args, &[("SEGUE_PASSWORD", "hexachord")], (100, 30));
    terminal.wait_for("offline");
    terminal.keys(":search\r");
    terminal.keys("mira");
    terminal.wait_for("Mira gestorum");
    terminal.keys("\r");
    terminal.wait("sound from the store", |s| position(s).is_some_and(|p| p >= 1));
}
