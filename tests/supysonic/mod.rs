//! A real Supysonic 0.7.9, which can be stopped and started again. `.ci/run` installs it and names its folder of
//! programs in `SEGUE_TEST_SUPYSONIC`. Files that use this have the module `program` beside it.

#![allow(dead_code, unreachable_pub, reason = "every test file uses its part")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use segue::subsonic::{Client, Credentials};

use crate::program::{Process, installed, skip};

/// The account that every one of them has.
pub const USER: &str = "guido";
pub const PASSWORD: &str = "hexachord";

pub struct Supysonic {
    bin: PathBuf,
    dir: tempfile::TempDir,
    music: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Supysonic {
    /// One over tagged tones of so many seconds, an album of Guido's; none where it or ffmpeg is not installed.
    pub fn over_tones(titles: &[&str], seconds: u32) -> Option<Self> {
        if installed("ffmpeg").is_none() {
            skip("ffmpeg");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let music = dir.path().join("music");
        std::fs::create_dir_all(&music).unwrap();
        for (i, title) in titles.iter().enumerate() {
            let tone = format!("sine=frequency={}:duration={seconds}", 220 * (i + 1));
            let done = Command::new("ffmpeg")
                .args(["-loglevel", "error", "-f", "lavfi", "-i", &tone])
                .args(["-metadata", &format!("title={title}"), "-metadata", "artist=Guido d’Arezzo"])
                .args(["-metadata", "album=Micrologus", "-metadata", &format!("track={}", i + 1)])
                .arg(music.join(format!("{i}.flac")))
                .status()
                .unwrap();
            assert!(done.success());
        }
        Self::start(dir, &music)
    }

    /// One over a folder of music; none where it is not installed.
    pub fn over(music: &Path) -> Option<Self> {
        Self::start(tempfile::tempdir().unwrap(), music)
    }

    fn start(dir: tempfile::TempDir, music: &Path) -> Option<Self> {
        let Some(bin) = std::env::var_os("SEGUE_TEST_SUPYSONIC") else {
            skip("Supysonic (SEGUE_TEST_SUPYSONIC names its folder of programs)");
            return None;
        };
        let home = dir.path().display();
        let config = format!(
            "[base]\ndatabase_uri = sqlite:///{home}/s.db\n[webapp]\ncache_dir = {home}/cache\n[daemon]\nsocket = {home}/d.sock\nrun_watcher = no\nrun_scheduler = no\n"
        );
        std::fs::write(dir.path().join("supysonic.conf"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { bin: bin.into(), music: music.to_owned(), dir, port, process: None };
        let music = music.to_str().unwrap();
        for args in [
            &["user", "add", USER, "-p", PASSWORD][..],
            &["folder", "add", "Music", music],
            &["folder", "scan", "-f", "Music"],
        ] {
            let output = server.at("supysonic-cli").args(args).output().unwrap();
            assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        server.back();
        Some(server)
    }

    fn at(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    /// Starts it (again) and waits until it listens.
    pub fn back(&mut self) {
        let port = self.port.to_string();
        let child = self
            .at("supysonic-server")
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

    /// Ends it.
    pub fn gone(&mut self) {
        self.process = None;
    }

    /// The folder with its music.
    pub fn music(&self) -> &Path {
        &self.music
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn client(&self) -> Client {
        let credentials = Credentials::Password { user: USER.into(), password: PASSWORD.into() };
        Client::new(&self.url(), credentials).unwrap()
    }
}
