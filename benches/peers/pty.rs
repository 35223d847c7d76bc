//! A program in a pseudo-terminal, with the time of everything that it writes.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came, and when.
#[derive(Default)]
struct Heard {
    chunks: Vec<(Instant, Vec<u8>)>,
    ended: bool,
}

/// A program in a terminal of its own.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    /// The screen as far as `read` chunks of it were looked at.
    screen: vt100::Parser,
    read: usize,
    #[allow(dead_code, reason = "not every family measures starts")]
    pub began: Instant,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Pty {
    /// Starts a program with nothing but these variables.
    pub fn start(program: &Path, args: &[&str], home: &Path, variables: &[(String, String)]) -> Self {
        let (columns, rows) = (120, 40);
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.cwd(home);
        for (key, value) in variables {
            command.env(key, value);
        }
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let heard: Arc<(Mutex<Heard>, Condvar)> = Arc::default();
        let sink = Arc::clone(&heard);
        let began = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                let at = Instant::now();
                sink.0.lock().unwrap().chunks.push((at, buffer[..n].to_vec()));
                sink.1.notify_all();
            }
            sink.0.lock().unwrap().ended = true;
            sink.1.notify_all();
        });
        let screen = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        Self { child, writer, heard, screen, read: 0, began, _master: pair.master }
    }

    pub fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Looks at everything that has come; gives when the last of it came and how many bytes there were.
    pub fn take_in(&mut self) -> (Option<Instant>, usize) {
        let heard = self.heard.0.lock().unwrap();
        let new = &heard.chunks[self.read..];
        let (mut last, mut bytes) = (None, 0);
        for (at, chunk) in new {
            self.screen.process(chunk);
            last = Some(*at);
            bytes += chunk.len();
        }
        self.read = heard.chunks.len();
        (last, bytes)
    }

    pub fn screen(&self) -> &vt100::Screen {
        self.screen.screen()
    }

    /// Waits until the screen satisfies `test`; gives when the chunk came that made it so.
    pub fn wait(&mut self, what: &str, test: impl Fn(&str) -> bool) -> Instant {
        let end = Instant::now() + PATIENCE;
        loop {
            let heard = Arc::clone(&self.heard);
            let mut heard = heard.0.lock().unwrap();
            while self.read < heard.chunks.len() {
                let (at, chunk) = &heard.chunks[self.read];
                self.screen.process(chunk);
                self.read += 1;
                if test(&self.screen.screen().contents()) {
                    return *at;
                }
            }
            assert!(
                !heard.ended && Instant::now() < end,
                "waited in vain for {what}:\n{}",
                self.screen.screen().contents()
            );
            heard = self.heard.1.wait_timeout(heard, Duration::from_millis(100)).unwrap().0;
            drop(heard);
        }
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the end of the program.
    #[allow(dead_code, reason = "not every family needs it")]
    pub fn wait_for_end(&mut self) {
        let end = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "the program did not end:\n{}", self.screen().contents());
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

/// Memory that a process has in RAM, and the most that it had, in MB.
pub fn memory(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0 / 1e6
    };
    (of("VmRSS:"), of("VmHWM:"))
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
