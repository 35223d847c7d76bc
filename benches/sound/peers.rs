//! The players that we measure beside us, each on the same sound server.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use crate::program::Process;
use crate::program::pulse::Pulse;

/// CPU time and memory of a process, from /proc.
pub struct Usage {
    /// Share of one core.
    pub cpu: f64,
    /// Resident now, MB.
    pub resident: f64,
}

/// Watches a process for a while.
pub fn usage(pid: u32, over: Duration) -> Usage {
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
    };
    let (before, begun) = (ticks(), Instant::now());
    std::thread::sleep(over);
    let cpu = (ticks() - before) / 100.0 / begun.elapsed().as_secs_f64();
    Usage { cpu, resident: resident(pid) }
}

/// Resident memory of a process, MB.
pub fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1000.0
}

/// mpv, idle until it is told what to play.
pub struct Mpv {
    process: Process,
    socket: PathBuf,
}

impl Mpv {
    /// Starts it.
    pub fn start(pulse: &Pulse) -> Self {
        let socket = pulse.dir().join("mpv");
        let _ = std::fs::remove_file(&socket);
        let child = Command::new("mpv")
            .args([
                "--no-config",
                "--no-video",
                "--no-terminal",
                "--ao=pulse",
                "--idle",
                "--audio-display=no",
            ])
            .arg(format!("--input-ipc-server={}", socket.display()))
            .env("PULSE_SERVER", pulse.address())
            .env("XDG_RUNTIME_DIR", pulse.dir())
            .env("HOME", pulse.dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process(child);
        let end = Instant::now() + Duration::from_secs(10);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < end, "mpv did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, socket }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Sends a command and waits until it is taken.
    pub fn tell(&self, words: &[&str]) {
        let mut socket = UnixStream::connect(&self.socket).unwrap();
        let line = serde_json::json!({ "command": words }).to_string();
        writeln!(socket, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).unwrap();
    }
}

/// cmus in a terminal.
pub struct Cmus {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    socket: PathBuf,
}

impl Cmus {
    /// Starts it and plays a file.
    pub fn play(pulse: &Pulse, file: &Path) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let socket = pulse.dir().join("cmus");
        let home = pulse.dir().join("cmus-home");
        std::fs::create_dir_all(&home).unwrap();
        // Without a desktop bus it would complain, and wait for a key before it answers anybody.
        std::fs::write(home.join("rc"), "set mpris=false\nset output_plugin=pulse\n").unwrap();
        let mut command = CommandBuilder::new("cmus");
        command.args(["--listen", socket.to_str().unwrap()]);
        for (key, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")] {
            command.env(key, value);
        }
        command.env("HOME", pulse.dir());
        command.env("CMUS_HOME", &home);
        command.env("JACK_NO_START_SERVER", "1");
        command.env("XDG_RUNTIME_DIR", pulse.dir());
        command.env("PULSE_SERVER", pulse.address());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        std::thread::sleep(Duration::from_secs(2));
        let cmus = Self { child, _master: pair.master, socket };
        assert!(cmus.remote(&["-f", file.to_str().unwrap()]), "cmus does not play");
        cmus
    }

    fn remote(&self, args: &[&str]) -> bool {
        let socket = self.socket.to_str().unwrap();
        let status =
            Command::new("cmus-remote").args(["--server", socket]).args(args).stderr(Stdio::null()).status();
        status.is_ok_and(|s| s.success())
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Cmus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
