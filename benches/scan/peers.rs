//! cmus and mpd, each with an empty library that it is told to fill.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// The longest that a peer may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that does not outlive the bench.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tracks in a second that mpd reads; none where it is not installed.
pub fn mpd(music: &Path, data: &Path) -> Option<f64> {
    // Without a database mpd begins by itself: it begins with an empty folder, and the music comes afterwards.
    let root = data.join("root");
    std::fs::create_dir(&root).unwrap();
    let socket = data.join("mpd.socket");
    let conf = format!(
        "music_directory \"{}\"\ndb_file \"{}\"\nbind_to_address \"{}\"\nlog_file \"{}\"\nauto_update \"no\"\n\
         audio_output {{\n type \"null\"\n name \"none\"\n}}\n",
        root.display(),
        data.join("mpd.db").display(),
        socket.display(),
        data.join("mpd.log").display()
    );
    let file = data.join("mpd.conf");
    std::fs::write(&file, conf).unwrap();
    let child = Command::new("mpd")
        .arg("--no-daemon")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let _mpd = Ended(child);
    let end = Instant::now() + PATIENCE;
    let mut connection = loop {
        match UnixStream::connect(&socket) {
            Ok(connection) => break connection,
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return None,
        }
    };
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
    lines.next()?.ok()?;
    while status(&mut connection, &mut lines)?.iter().any(|l| l.starts_with("updating_db")) {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::os::unix::fs::symlink(music, root.join("music")).unwrap();
    let began = Instant::now();
    ask(&mut connection, &mut lines, "update")?;
    while status(&mut connection, &mut lines)?.iter().any(|l| l.starts_with("updating_db")) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = began.elapsed().as_secs_f64();
    let songs = songs(&mut connection, &mut lines)?;
    println!("mpd: {songs} songs in {took:.2} s");
    (songs > 0.0).then_some(songs / took)
}

type Lines = std::io::Lines<BufReader<UnixStream>>;

fn ask(connection: &mut UnixStream, lines: &mut Lines, command: &str) -> Option<Vec<String>> {
    writeln!(connection, "{command}").ok()?;
    let mut answer = Vec::new();
    loop {
        let line = lines.next()?.ok()?;
        if line == "OK" {
            return Some(answer);
        }
        if line.starts_with("ACK") {
            return None;
        }
        answer.push(line);
    }
}

fn status(connection: &mut UnixStream, lines: &mut Lines) -> Option<Vec<String>> {
    ask(connection, lines, "status")
}

fn songs(connection: &mut UnixStream, lines: &mut Lines) -> Option<f64> {
    let stats = ask(connection, lines, "stats")?;
    stats.iter().find_map(|l| l.strip_prefix("songs: "))?.parse().ok()
}

/// Tracks in a second that cmus reads; none where it is not installed or does not come to an end.
pub fn cmus(music: &Path, data: &Path, files: usize) -> Option<f64> {
    let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let socket = data.join("cmus.socket");
    let home = data.join("cmus");
    std::fs::create_dir_all(&home).ok()?;
    // Without a desktop bus it would complain, and wait for a key before it answers anybody.
    std::fs::write(home.join("rc"), "set mpris=false\n").ok()?;
    let mut command = CommandBuilder::new("cmus");
    command.args(["--listen", socket.to_str()?]);
    for (key, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")] {
        command.env(key, value);
    }
    command.env("HOME", data);
    command.env("CMUS_HOME", home);
    command.env("JACK_NO_START_SERVER", "1");
    command.env("XDG_RUNTIME_DIR", data);
    let mut child = pair.slave.spawn_command(command).ok()?;
    let mut reader = pair.master.try_clone_reader().unwrap();
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    let end = Instant::now() + PATIENCE;
    while remote(&socket, "set softvol=false").is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let began = Instant::now();
    remote(&socket, &format!("add -l {}", music.display()));
    let (mut before, mut since) = (0, Instant::now());
    let rate = loop {
        std::thread::sleep(Duration::from_millis(50));
        let there = remote(&socket, "save -l -e -")
            .map_or(0, |text| text.lines().filter(|line| line.starts_with("file ")).count());
        if there != before {
            (before, since) = (there, Instant::now());
        }
        // Files that it does not take never come: the end is when nothing has come for a while.
        let over = there >= files || (there > 0 && since.elapsed() > Duration::from_secs(2));
        if over {
            let took = (since - began).as_secs_f64();
            println!("cmus: {there} tracks in {took:.2} s");
            break Some(there as f64 / took);
        }
        if Instant::now() > end {
            break None;
        }
    };
    let _ = child.kill();
    let _ = child.wait();
    rate
}

/// What cmus answers; `None` where it does not.
fn remote(socket: &Path, command: &str) -> Option<String> {
    let out = Command::new("cmus-remote").arg("--server").arg(socket).args(["-C", command]).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}
