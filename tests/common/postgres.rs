//! A PostgreSQL server of one's own, from the package of the system, on a free loopback port; gone with the value.

#![allow(dead_code, reason = "not every test needs all of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Who must be in the tests that are for real.
fn wanted() -> bool {
    std::env::var_os("SEGUE_TEST_REAL").is_some()
}

/// A running server.
pub(crate) struct Postgres {
    dir: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
}

/// Where the package put its programs.
fn programs() -> Option<PathBuf> {
    if std::env::var_os("SEGUE_TEST_BARE").is_some() {
        return None;
    }
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|e| e.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().find(|bin| bin.join("initdb").is_file())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// A program as somebody whom PostgreSQL lets run it: it refuses root.
fn command(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn done(command: &mut Command) {
    let out = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        out.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

impl Postgres {
    /// Starts one; says so and gives none where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = programs() else {
            assert!(!wanted(), "PostgreSQL is not installed: apt-get install postgresql");
            println!("skipped: PostgreSQL is not installed (apt-get install postgresql)");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(dir.path()));
        }
        let data = dir.path().join("data");
        let args = ["-U", "segue", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"];
        done(command(&bin.join("initdb")).args(args).arg(&data));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let new = Self { dir, bin, port };
        new.up();
        Some(new)
    }

    /// Starts a replica of it, which follows its log.
    pub(crate) fn replica(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(dir.path()));
        }
        let mut copy = command(&self.bin.join("pg_basebackup"));
        copy.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "segue",
            "-R",
            "--checkpoint=fast",
        ]);
        done(copy.arg("--no-sync").arg("-D").arg(dir.path().join("data")));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let new = Self { dir, bin: self.bin.clone(), port };
        new.up();
        new
    }

    /// Starts it (again).
    pub(crate) fn up(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=200",
            self.port,
            self.dir.path().display()
        );
        self.control(&["-w", "-t", "30", "-o", &options, "start"]);
    }

    /// Stops it; whoever is connected is cut off.
    pub(crate) fn down(&self) {
        self.control(&["-w", "-m", "fast", "stop"]);
    }

    fn control(&self, args: &[&str]) {
        let log = self.dir.path().join("log");
        let mut control = command(&self.bin.join("pg_ctl"));
        control.arg("-D").arg(self.dir.path().join("data")).arg("-l").arg(log).args(args);
        // The server keeps what it inherits; a pipe would never end.
        let status = control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.unwrap().success(), "{args:?}");
    }

    /// The address of a database of it.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("postgres://segue:hush-hush@127.0.0.1:{}/{name}", self.port)
    }

    /// Makes an empty database and gives its address.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        self.address(name)
    }

    /// Runs a text in a database and gives what it printed.
    pub(crate) fn sql(&self, name: &str, text: &str) -> String {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.address(name), "-c", text]);
        let out = psql.stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{text}\n{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut control = command(&self.bin.join("pg_ctl"));
        control.arg("-D").arg(self.dir.path().join("data")).args(["-m", "immediate", "stop"]);
        let _ = control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
