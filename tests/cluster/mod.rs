//! Processes of the real binary beside one PostgreSQL and one store, behind nginx.

#![allow(dead_code, unreachable_pub, reason = "a part of one test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

pub mod swarm;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::{Home, PATIENCE, Process};

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// One process that serves, which can be killed and started again at its port.
pub struct Server {
    home: Home,
    pub port: u16,
    address: String,
    music: String,
    environment: Vec<(&'static str, String)>,
    process: Option<Process>,
    pub log: Arc<Mutex<String>>,
}

impl Server {
    pub fn new(address: &str, music: &str, environment: Vec<(&'static str, String)>) -> Self {
        let (home, port) = (Home::new(), free_port());
        let (address, music) = (address.to_owned(), music.to_owned());
        Self { home, port, address, music, environment, process: None, log: Arc::default() }
    }

    /// Starts it, and waits until it is ready.
    pub fn start(&mut self) {
        let data = self.home.path().join("server");
        let mut child = self
            .home
            .command(&["serve", "--music", &self.music, "--data", data.to_str().unwrap()])
            .args(["--listen", &format!("127.0.0.1:{}", self.port), "--trusted-proxy", "127.0.0.1"])
            .args(["--drain", "2", "--grace", "30"])
            .envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())))
            .env("SEGUE_DATABASE", &self.address)
            .env("SEGUE_LOG", "info,segue=debug")
            .env("SEGUE_ADMIN_PASSWORD", "pass")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for lines in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let log = Arc::clone(&self.log);
            std::thread::spawn(move || {
                for line in BufReader::new(lines).lines().map_while(Result::ok) {
                    let _ = writeln!(log.lock().unwrap(), "{line}");
                }
            });
        }
        self.process = Some(Process(child));
        let end = Instant::now() + PATIENCE;
        while self.ready().is_none_or(|status| status != 200) {
            let ended = self.process.as_mut().unwrap().0.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "{ended:?}: {}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What `/readyz` says; none where nobody answers.
    pub fn ready(&self) -> Option<u16> {
        get(self.port, "/readyz").map(|(status, _)| status)
    }

    /// The value of a line of the figures.
    pub fn figure(&self, line: &str) -> Option<f64> {
        let (_, text) = get(self.port, "/metrics")?;
        text.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok())
    }

    pub fn kill(&mut self) {
        drop(self.process.take());
    }

    /// Tells it to end.
    pub fn terminate(&self) {
        let id = self.process.as_ref().unwrap().0.id();
        let id = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    }

    /// Whether it ended well; waits for that.
    pub fn ended(&mut self) -> bool {
        let mut process = self.process.take().unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = process.0.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < end, "it does not end: {}", self.log.lock().unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A plain request with nothing but the standard library.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    use std::io::{Read as _, Write as _};
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut socket = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: segue\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    socket.read_to_string(&mut text).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some((status, text.split_once("\r\n\r\n")?.1.to_owned()))
}

/// nginx before some ports, as its own package has it.
pub struct Balancer {
    process: Process,
    _folder: tempfile::TempDir,
    pub address: SocketAddr,
}

impl Balancer {
    pub fn before(nginx: &Path, ports: &[u16]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let servers = ports.iter().fold(String::new(), |mut all, port| {
            let _ = writeln!(all, "    server 127.0.0.1:{port} max_fails=3 fail_timeout=2s;");
            all
        });
        let root =
            std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
        let user = if root { "user root;" } else { "" };
        let at = folder.path().display();
        let text = format!(
            "{user}\ndaemon off;\nworker_processes 1;\nworker_rlimit_nofile 8192;\npid {at}/pid;\nerror_log {at}/error.log warn;\n\
             events {{ worker_connections 4096; }}\nhttp {{\n  access_log off;\n  client_body_temp_path {at}/body;\n  \
             proxy_temp_path {at}/proxy;\n  fastcgi_temp_path {at}/fastcgi;\n  uwsgi_temp_path {at}/uwsgi;\n  scgi_temp_path {at}/scgi;\n  \
             upstream segue {{\n{servers}    keepalive 64;\n  }}\n  server {{\n    listen 127.0.0.1:{port} sndbuf=64k;\n    location / {{\n      \
             proxy_pass http://segue;\n      proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n      \
             proxy_set_header Host $host;\n      proxy_set_header X-Forwarded-For $remote_addr;\n      proxy_buffering off;\n      \
             proxy_connect_timeout 2s;\n      proxy_next_upstream error timeout;\n      proxy_next_upstream_tries 3;\n    }}\n  }}\n}}\n"
        );
        let config = folder.path().join("nginx.conf");
        std::fs::write(&config, text).unwrap();
        let child = Command::new(nginx)
            .arg("-c")
            .arg(&config)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process(child);
        let end = Instant::now() + PATIENCE;
        while get(port, "/healthz").is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < end, "nginx does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { process, _folder: folder, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.process.end();
    }
}
