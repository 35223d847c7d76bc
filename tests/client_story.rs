//! A listener's session with our own server as people run it: the binary, `segue serve`, with an account and a password.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]

mod client_house;
mod program;
mod story;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use client_house::media;
use program::{Home, PATIENCE, Process};
use segue::subsonic::{Client, Credentials};

struct Own {
    home: Home,
    music: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Own {
    fn start() -> Self {
        let home = Home::new();
        let music = home.path().join("music");
        for (n, title) in (0..).zip(story::TITLES) {
            media::song(&music.join(format!("{n}.flac")), title, "Guido d’Arezzo", "Micrologus", n + 1);
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut own = Self { home, music, port, process: None };
        story::Real::back(&mut own);
        let args = ["users", "--data", &own.data(), "add", "guido", "--password-stdin"];
        let mut adding = own.home.command(&args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        adding.stdin.take().unwrap().write_all(b"hexachord and solmisation\n").unwrap();
        assert!(adding.wait().unwrap().success());
        own
    }

    fn data(&self) -> String {
        self.home.path().join("server").display().to_string()
    }
}

impl story::Real for Own {
    fn client(&self) -> Client {
        let credentials =
            Credentials::Password { user: "guido".into(), password: "hexachord and solmisation".into() };
        Client::new(&format!("http://127.0.0.1:{}", self.port), credentials).unwrap()
    }

    fn gone(&mut self) {
        self.process = None;
    }

    fn back(&mut self) {
        let (music, listen) = (self.music.display().to_string(), format!("127.0.0.1:{}", self.port));
        let args = ["serve", "--data", &self.data(), "--music", &music, "--listen", &listen];
        let child = self.home.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.process = Some(Process(child));
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "it did not start");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn music(&self) -> &Path {
        &self.music
    }

    fn keeps_plays(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_lives_without_the_server_and_all_of_it_arrives_when_it_is_back() {
    Box::pin(story::is_lived(Own::start())).await;
}
