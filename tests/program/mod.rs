//! The real binary from outside: in a pseudo-terminal of a known size, with a home folder of its own.

#![allow(dead_code, unreachable_pub, reason = "every test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[cfg(target_os = "linux")]
pub mod pulse;
#[cfg(target_os = "linux")]
pub mod session;

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

/// Longest wait for anything on a busy machine with two cores.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The binary under test; where cargo names none (examples), the variable `SEGUE_BIN` does.
fn binary() -> PathBuf {
    let built = option_env!("CARGO_BIN_EXE_segue").map(PathBuf::from);
    let binary =
        built.or_else(|| Some(std::env::var_os("SEGUE_BIN")?.into())).expect("SEGUE_BIN names the binary");
    binary.canonicalize().expect("the binary is built")
}

/// A home folder with nothing in it, and variables that keep a program inside.
pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("state/segue/segue.log")).unwrap_or_default()
    }

    /// The whole environment of a program in this home.
    pub fn variables(&self) -> Vec<(String, String)> {
        let at = |name: &str| self.dir.path().join(name).display().to_string();
        let own = [
            ("HOME", at("")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("TERM", "xterm-256color".to_owned()),
            ("COLORTERM", "truecolor".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
        ];
        own.map(|(k, v)| (k.to_owned(), v)).into()
    }

    /// A command of the binary in this home, without a terminal.
    pub fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(binary());
        command.args(args).env_clear().envs(self.variables()).stdin(std::process::Stdio::null());
        command
    }
}

/// A terminal has at least one cell.
fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}

/// A program in a terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn portable_pty::MasterPty + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts the binary in a terminal of `columns` × `rows`.
    pub fn start(home: &Home, args: &[&str], extra: &[(&str, &str)], (columns, rows): (u16, u16)) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(binary());
        command.args(args);
        command.env_clear();
        command.cwd(home.path());
        for (key, value) in home.variables() {
            command.env(key, value);
        }
        for (key, value) in extra {
            command.env(key, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sink, copy) = (Arc::clone(&screen), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                sink.lock().unwrap().process(&buffer[..n]);
                copy.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { child, writer, master: pair.master, screen, raw }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// The screen with its colours.
    pub fn cells(&self) -> vt100::Screen {
        self.screen.lock().unwrap().screen().clone()
    }

    /// Everything that was sent to the terminal so far.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().unwrap().clone()
    }

    /// Whether the program has left the terminal as it found it.
    pub fn restored(&self) -> bool {
        let parser = self.screen.lock().unwrap();
        !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
    }

    /// Changes the size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Waits until the screen satisfies `test`, and gives it.
    pub fn wait(&mut self, what: &str, test: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if test(&screen) {
                return screen;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("waiting for {what}, but the program ended with {status:?}:\n{screen}");
            }
            assert!(Instant::now() < end, "waited in vain for {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until a text stands on the screen.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Waits for the end of the program; true when it ended well.
    pub fn ended(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // The reader may still have the last bytes in hand.
                std::thread::sleep(Duration::from_millis(100));
                return status.success();
            }
            assert!(Instant::now() < end, "the program did not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of the position in the now-playing bar: the first `m:ss` of the last line that has two of them.
pub fn position(screen: &str) -> Option<u64> {
    let clocks = |line: &str| -> Vec<u64> {
        line.split_whitespace()
            .filter_map(|word| {
                let (m, s) = word.split_once(':')?;
                (s.len() == 2).then_some(())?;
                Some(m.parse::<u64>().ok()? * 60 + s.parse::<u64>().ok()?)
            })
            .collect()
    };
    screen.lines().rev().map(clocks).find(|c| c.len() >= 2).map(|c| c[0])
}

/// What a real-server test does where something is not installed: says so and passes, or fails where all must be.
pub fn skip(what: &str) {
    assert!(
        std::env::var_os("SEGUE_TEST_REAL").is_none(),
        "{what} is not installed, and SEGUE_TEST_REAL is set"
    );
    println!("skipped: {what} is not installed");
}

/// A program on the PATH, if it is there. With `SEGUE_TEST_BARE` none is, as on a machine where nothing was installed yet.
pub fn installed(name: &str) -> Option<PathBuf> {
    if std::env::var_os("SEGUE_TEST_BARE").is_some() {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// A process that ends with the test.
pub struct Process(pub std::process::Child);

impl Process {
    /// Asks it to end and waits until it has. Killed outright, it would leave behind what it started itself.
    pub fn end(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let end = Instant::now() + PATIENCE;
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
