//! The other players of the terminal, each at rest and playing the same track.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::collection::{Collection, variables};
use crate::program::pulse::Pulse;
use crate::program::{Process, installed};
use crate::pty::Pty;
use crate::{Cost, Figures, settle, watch};

/// Where clients that were built for this bench are.
fn built(name: &str) -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/peers/screens/bin").join(name);
    installed(name).or_else(|| here.is_file().then_some(here))
}

fn environment(collection: &Collection, pulse: &Pulse) -> Vec<(String, String)> {
    let mut variables = variables(collection.home());
    variables.push(("PULSE_SERVER".to_owned(), pulse.address()));
    variables
}

/// cmus with its library on the screen.
pub fn cmus(collection: &Collection, pulse: &Pulse) -> Option<Figures> {
    let socket = pulse.dir().join("cmus");
    let socket = socket.to_str()?;
    let variables = environment(collection, pulse);
    let mut pty = Pty::start(&installed("cmus")?, &["--listen", socket], collection.home(), &variables);
    pty.wait("cmus's library", |s| s.contains("Artist 0003"));
    settle(&mut pty);
    let idle = watch(&mut pty);
    let file = collection.sound();
    let told = Command::new("cmus-remote").args(["--server", socket, "-f"]).arg(file).status();
    assert!(told.is_ok_and(|s| s.success()), "cmus does not play");
    std::thread::sleep(Duration::from_secs(10));
    let playing = watch(&mut pty);
    Some(Figures { idle, playing: Some(playing) })
}

/// mpd, and what tells it to play.
struct Mpd {
    process: Process,
    port: u16,
}

impl Mpd {
    fn start(collection: &Collection, pulse: &Pulse) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let at = |name: &str| collection.home().join(name).display().to_string();
        let conf = format!(
            "music_directory \"{}\"\ndb_file \"{}\"\nbind_to_address \"127.0.0.1\"\nport \"{port}\"\nlog_file \"{}\"\n\
             audio_output {{\n type \"pulse\"\n name \"bench\"\n server \"{}\"\n}}\n",
            collection.music().display(),
            at("mpd.db"),
            at("mpd.log"),
            pulse.address()
        );
        let file = collection.home().join("mpd.conf");
        std::fs::write(&file, conf).unwrap();
        let child = Command::new(installed("mpd")?)
            .arg("--no-daemon")
            .arg(&file)
            .env("HOME", collection.home())
            .env("XDG_RUNTIME_DIR", pulse.dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mpd = Self { process: Process(child), port };
        let end = Instant::now() + Duration::from_mins(2);
        while !mpd.tell(&["stats"])?.contains("songs: 20001") {
            if Instant::now() > end {
                return None;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(mpd)
    }

    /// Sends commands; gives all that is answered. Waits for mpd to listen.
    fn tell(&self, commands: &[&str]) -> Option<String> {
        let end = Instant::now() + Duration::from_secs(20);
        let mut connection = loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(connection) => break connection,
                Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
                Err(_) => return None,
            }
        };
        let mut lines = BufReader::new(connection.try_clone().ok()?).lines();
        let mut answer = lines.next()?.ok()?;
        for command in commands {
            writeln!(connection, "{command}").ok()?;
            loop {
                let line = lines.next()?.ok()?;
                assert!(!line.starts_with("ACK"), "mpd refuses {command}: {line}");
                if line == "OK" {
                    break;
                }
                answer += "\n";
                answer += &line;
            }
        }
        Some(answer)
    }
}

/// mpd with its clients, each row printed as it is measured.
pub fn clients_of_mpd(collection: &Collection, pulse: &Pulse) {
    let Some(mpd) = Mpd::start(collection, pulse) else {
        println!("{:<12} not installed, so ncmpcpp and rmpc are not measured", "mpd");
        return;
    };
    let port = mpd.port.to_string();
    let address = format!("127.0.0.1:{port}");
    let clients =
        [("ncmpcpp", vec!["--host", "127.0.0.1", "--port", &port]), ("rmpc", vec!["--address", &address])];
    let variables = environment(collection, pulse);
    for (name, args) in clients {
        let Some(program) = built(name) else {
            println!("{name:<12} not installed");
            continue;
        };
        mpd.tell(&["stop", "clear", "add sound/long.flac"]);
        let mut pty = Pty::start(&program, &args, collection.home(), &variables);
        std::thread::sleep(Duration::from_secs(2));
        settle(&mut pty);
        let idle = watch(&mut pty);
        mpd.tell(&["play"]);
        std::thread::sleep(Duration::from_secs(10));
        let playing = watch(&mut pty);
        Figures { idle, playing: Some(playing) }.print(name);
    }
    let pid = mpd.process.0.id();
    let silent = |cpu: f64| Cost { cpu, bytes: 0.0, memory: crate::memory_of(pid) };
    let playing = silent(crate::cpu_over(pid));
    mpd.tell(&["stop"]);
    std::thread::sleep(Duration::from_secs(2));
    let idle = silent(crate::cpu_over(pid));
    Figures { idle, playing: Some(playing) }.print("mpd itself");
}

/// termusic, whose sound comes from a process of its own; both together.
pub fn termusic(collection: &Collection, pulse: &Pulse) -> Option<Figures> {
    let (program, server) = (built("termusic")?, built("termusic-server")?);
    let mut variables = environment(collection, pulse);
    // It looks for its other half on the PATH.
    let path = format!("{}:{}", server.parent()?.display(), std::env::var("PATH").unwrap_or_default());
    variables.retain(|(name, _)| name != "PATH");
    variables.push(("PATH".to_owned(), path));
    let music = collection.music().join("sound");
    let mut pty = Pty::start(&program, &[music.to_str()?], collection.home(), &variables);
    std::thread::sleep(Duration::from_secs(5));
    settle(&mut pty);
    let idle = watch(&mut pty);
    println!("{}", pty.screen().contents());
    Some(Figures { idle, playing: None })
}
