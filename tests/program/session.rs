//! A session bus of the test's own, which can be ended and begun again, and `playerctl` on it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Home, PATIENCE, Process, installed, skip};

/// A session bus at a place in a home folder.
pub struct Session {
    address: String,
    daemon: Option<Process>,
}

impl Session {
    /// Starts one; `None` where what is needed is not installed.
    pub fn start(home: &Home) -> Option<Self> {
        for (program, package) in [("dbus-daemon", "dbus-daemon"), ("playerctl", "playerctl")] {
            if installed(program).is_none() {
                skip(package);
                return None;
            }
        }
        let mut session =
            Self { address: format!("unix:path={}", home.path().join("bus").display()), daemon: None };
        session.begin();
        Some(session)
    }

    /// The variable by which programs find it.
    pub fn variable(&self) -> (&'static str, &str) {
        ("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Begins, at the same place as before.
    pub fn begin(&mut self) {
        let path = self.address.trim_start_matches("unix:path=");
        let _ = std::fs::remove_file(path);
        let mut daemon = Command::new("dbus-daemon");
        daemon.args(["--session", "--nofork", "--nopidfile", &format!("--address={}", self.address)]);
        daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.daemon = Some(Process(daemon.spawn().unwrap()));
        until("a bus", || std::os::unix::net::UnixStream::connect(path).ok());
    }

    /// Ends without a word to anybody.
    pub fn end(&mut self) {
        self.daemon = None;
    }

    /// A `playerctl` on this bus.
    pub fn playerctl(&self, args: &[&str]) -> Command {
        let mut command = Command::new("playerctl");
        command.args(["--player", "segue"]).args(args);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("LANG", "C.UTF-8").env(self.variable().0, self.variable().1).stdin(Stdio::null());
        command
    }

    /// What `playerctl` says, and whether it is content.
    pub fn ask(&self, args: &[&str]) -> (bool, String) {
        let output = self.playerctl(args).output().unwrap();
        let Output { status, stdout, stderr } = output;
        let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        (status.success(), text.trim().to_owned())
    }

    /// Waits until `playerctl` says something.
    pub fn says(&self, args: &[&str], what: &str, test: impl Fn(&str) -> bool) -> String {
        until(&format!("{what} of {args:?}"), || {
            let (done, said) = self.ask(args);
            (done && test(&said)).then_some(said)
        })
    }
}

/// Waits until `look` finds something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
