//! The three servers, each a process of its own that ends with the bench.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::library::{LONG, LONG_ALBUM};
use crate::program::{Home, Process};

const PASSWORD: &str = "bench";
const PATIENCE: Duration = Duration::from_mins(15);

/// What a server calls what it is asked for.
pub struct Ids {
    pub album: String,
    pub cover: String,
}

/// The body of an answer.
pub fn ask(url: &str) -> Vec<u8> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        http.get(url).send().await.unwrap().bytes().await.unwrap().to_vec()
    })
}

fn json(url: &str) -> Value {
    serde_json::from_slice::<Value>(&ask(url)).unwrap()["subsonic-response"].take()
}

/// An album by its name's beginning in a list of all.
fn ids(url: impl Fn(&str, &str) -> String) -> Ids {
    let list = json(&url("getAlbumList2", "&type=alphabeticalByName&size=50&offset=500"));
    let album = &list["albumList2"]["album"][0];
    let text = |name: &str| album[name].as_str().unwrap_or_else(|| panic!("{name}: {album}")).to_owned();
    Ids { album: text("id"), cover: text("coverArt") }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    let end = Instant::now() + Duration::from_mins(1);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "a server did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ours, as `segue serve`.
pub struct Segue {
    port: u16,
    key: String,
    process: Process,
    _home: Home,
}

impl Segue {
    /// One that has scanned the music.
    pub fn over(music: &Path) -> Self {
        // Making one of our own clients settles who does TLS; plain ones then find it.
        segue::subsonic::Client::new("http://127.0.0.1", segue::subsonic::Credentials::ApiKey("none".into()))
            .unwrap();
        let (home, port) = (Home::new(), free_port());
        let data = home.path().join("server");
        let process = home
            .command(&["serve", "--music", music.to_str().unwrap(), "--data", data.to_str().unwrap()])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .env("SEGUE_ADMIN_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process(process);
        wait_for(port);
        let made =
            home.command(&["users", "--data", data.to_str().unwrap(), "key", "admin"]).output().unwrap();
        let made = String::from_utf8(made.stdout).unwrap();
        let key = made
            .split_whitespace()
            .find(|word| word.len() >= 22)
            .unwrap_or_else(|| panic!("{made}"))
            .to_owned();
        let server = Self { port, key, process, _home: home };
        let end = Instant::now() + PATIENCE;
        while json(&server.url("getScanStatus", ""))["scanStatus"]["scanning"] != false {
            assert!(Instant::now() < end, "the scan does not end");
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    pub fn url(&self, endpoint: &str, params: &str) -> String {
        format!(
            "http://127.0.0.1:{}/rest/{endpoint}?apiKey={}&v=1.16.1&c=bench&f=json{params}",
            self.port, self.key
        )
    }

    pub fn ids(&self) -> Ids {
        ids(|endpoint, params| self.url(endpoint, params))
    }

    /// The ids of the long songs.
    pub fn long_songs(&self) -> Vec<String> {
        let query = LONG_ALBUM.replace(' ', "%20");
        let found = json(&self.url("search3", &format!("&query={query}&artistCount=0&songCount=0")));
        let album = found["searchResult3"]["album"][0]["id"].as_str().unwrap_or_else(|| panic!("{found}"));
        let album = json(&self.url("getAlbum", &format!("&id={album}")));
        let songs = album["album"]["song"].as_array().unwrap();
        let ids: Vec<String> = songs.iter().map(|song| song["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), LONG);
        ids
    }

    fn status(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Resident memory now, KB.
    pub fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most it ever was, KB.
    pub fn peak(&self) -> f64 {
        self.status("VmHWM:")
    }
}

/// Supysonic 0.7.9 under gunicorn with a process for each core.
pub struct Supysonic {
    port: u16,
    _process: Process,
    _home: Home,
}

impl Supysonic {
    /// One that has scanned the music; none where it is not installed.
    pub fn over(music: &Path) -> Option<Self> {
        let bin = Path::new("target/peers/supysonic/bin").canonicalize().ok()?;
        let (home, port) = (Home::new(), free_port());
        let at = home.path().display();
        let config = format!(
            "[base]\ndatabase_uri = sqlite:///{at}/s.db\n[webapp]\ncache_dir = {at}/cache\n[daemon]\nsocket = {at}/d.sock\nrun_watcher = no\nrun_scheduler = no\n"
        );
        std::fs::write(home.path().join("supysonic.conf"), config).unwrap();
        let program = |name: &str| {
            let mut command = Command::new(bin.join(name));
            command
                .current_dir(home.path())
                .env("HOME", home.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        for args in [
            &["user", "add", "guido", "-p", PASSWORD][..],
            &["folder", "add", "Music", music.to_str()?],
            &["folder", "scan", "-f", "Music"],
        ] {
            program("supysonic-cli").args(args).status().ok()?.success().then_some(())?;
        }
        let port_text = port.to_string();
        let child = program("supysonic-server")
            .args(["-S", "gunicorn", "-h", "127.0.0.1", "-p", &port_text, "--processes", "2"])
            .spawn()
            .ok()?;
        let process = Process(child);
        wait_for(port);
        Some(Self { port, _process: process, _home: home })
    }

    pub fn url(&self, endpoint: &str, params: &str) -> String {
        format!(
            "http://127.0.0.1:{}/rest/{endpoint}.view?u=guido&p={PASSWORD}&v=1.12.0&c=bench&f=json{params}",
            self.port
        )
    }

    pub fn ids(&self) -> Ids {
        ids(|endpoint, params| self.url(endpoint, params))
    }
}

/// nginx with sendfile over the long songs, a worker for each core.
pub struct Nginx {
    port: u16,
    process: Process,
    _home: Home,
}

impl Nginx {
    pub fn over(music: &Path) -> Self {
        let (home, port) = (Home::new(), free_port());
        let at = home.path().display();
        let root: PathBuf = music.join("long");
        // A master that runs as root would hand the workers to a user who may not read here.
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let config = format!(
            "{user} daemon off; worker_processes 2; worker_rlimit_nofile 20000; pid {at}/pid; error_log stderr emerg;
             events {{ worker_connections 10000; }}
             http {{ access_log off; sendfile on; tcp_nopush off; tcp_nodelay on; keepalive_requests 1000000000;
               client_body_temp_path {at}/b; proxy_temp_path {at}/p; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
               server {{ listen 127.0.0.1:{port} backlog=4096; root {}; }} }}",
            root.display()
        );
        let file = home.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let mut child = Command::new("nginx")
            .args(["-e", "stderr", "-c", file.to_str().unwrap()])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            said.lines().map_while(Result::ok).for_each(|line| eprintln!("nginx: {line}"));
        });
        let process = Process(child);
        wait_for(port);
        Self { port, process, _home: home }
    }

    /// The address of a long song.
    pub fn url(&self, song: usize) -> String {
        format!("http://127.0.0.1:{}/{song}.wav", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.end();
    }
}
