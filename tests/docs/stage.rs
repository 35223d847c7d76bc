//! A home folder with all that a page of the book takes for granted, in which its commands are run.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::program::{Home, PATIENCE, Terminal};

/// What the server of the stage lets in.
const PASSWORD: &str = "a long word";

/// A process that ends with the stage.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Stage {
    home: Home,
    server: Option<(Process, String)>,
    player: Option<Terminal>,
}

impl Stage {
    /// The stage for a page with these commands.
    pub(crate) fn new(page: &str, commands: &[String]) -> Self {
        let home = Home::new();
        let bin = home.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let binary = home.command(&[]).get_program().to_owned();
        std::os::unix::fs::symlink(binary, bin.join("segue")).unwrap();
        for folder in [".local/share/bash-completion/completions", ".local/share/man/man1", "Music"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        for entry in std::fs::read_dir(assets.join("demo")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), home.path().join("Music").join(entry.file_name())).unwrap();
        }
        std::fs::copy(assets.join("ads/house-walk.opus"), home.path().join("spot.opus")).unwrap();
        // Whoever asks for a password gets one.
        std::fs::write(home.path().join("answers"), format!("{PASSWORD}\n{PASSWORD}\n")).unwrap();
        let mut stage = Self { home, server: None, player: None };
        stage.exports();
        let any = |text: &str| commands.iter().any(|command| command.contains(text));
        if any(" URL") {
            stage.serve();
        }
        if any("--data DIR") || any("/var/lib/segue") {
            stage.must("segue scan --music ~/Music --data ~/data");
            if any(" ann") && !any("add ann") {
                stage.must("segue users --data ~/data add ann");
            }
        }
        if any("segue year") {
            stage.must("segue import lastfm scrobbles.csv");
        }
        if page.contains("segue ctl") && any("segue ctl") {
            let mut player = Terminal::start(&stage.home, &["--output", "silent"], &[], (100, 30));
            player.wait_for("First Light");
            player.keys("\r");
            player.wait_for("next ");
            stage.player = Some(player);
        }
        stage
    }

    /// Histories from elsewhere, of what is in the demo album.
    fn exports(&self) {
        let at = |name: &str| self.home.path().join(name);
        let mut csv = "artist,album,track,date\n".to_owned();
        for day in 1..=9 {
            writeln!(csv, "Segue House Band,First Light,Before Dawn,0{day} Mar 2025 18:00").unwrap();
        }
        std::fs::write(at("scrobbles.csv"), csv).unwrap();
        let spotify = r#"[{"ts":"2024-05-01T10:00:00Z","ms_played":60000,"master_metadata_track_name":"Before Dawn","master_metadata_album_artist_name":"Segue House Band","master_metadata_album_album_name":"First Light","reason_start":"clickrow","reason_end":"trackdone"}]"#;
        let listen = r#"{"listened_at":1714557600,"track_metadata":{"artist_name":"Segue House Band","track_name":"Kettle Hours"}}"#;
        for (file, name, text) in [
            ("my_spotify_data.zip", "Streaming_History_Audio_2024_0.json", spotify),
            ("listenbrainz_me.zip", "listens/2024/5.jsonl", listen),
        ] {
            let mut zip = zip::ZipWriter::new(std::fs::File::create(at(file)).unwrap());
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
            zip.finish().unwrap();
        }
    }

    /// Starts a server for `URL`.
    fn serve(&mut self) {
        let mut command = self.shell("exec segue serve --music ~/Music --data ~/served --listen 127.0.0.1:0");
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let rest = line.split("127.0.0.1:").nth(1)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u16>().ok()
        });
        // A pipe that nobody reads would hold the server up.
        std::thread::spawn(move || lines.for_each(drop));
        let address = format!("http://127.0.0.1:{}", port.expect("the server says where it listens"));
        self.server = Some((Process(child), address));
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.home.path()).env_clear().envs(self.home.variables());
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{path}", self.home.path().join("bin").display()))
            .env("SEGUE_OUTPUT", "silent")
            .env("SEGUE_PASSWORD", PASSWORD)
            .env("SEGUE_ADMIN_PASSWORD", PASSWORD)
            .stdin(std::fs::File::open(self.home.path().join("answers")).unwrap());
        command
    }

    fn must(&self, line: &str) {
        let output = self.shell(line).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{}{said}", String::from_utf8_lossy(&output.stdout));
    }

    /// The command with what this stage has in place of what the page stands for.
    fn filled(&self, command: &str) -> String {
        let mut line = command.to_owned();
        while let Some((before, rest)) = line.split_once(" [") {
            let after = rest.split_once(']').map_or("", |(_, after)| after);
            line = format!("{before}{after}");
        }
        let address = self.server.as_ref().map_or("", |(_, address)| address);
        for (from, to) in [
            (" URL", &format!(" {address}")[..]),
            (" NAME", " admin"),
            (" DIR", " ~/data"),
            (" WORDS", " first light"),
            ("/var/lib/segue", "~/data"),
            ("/srv/music", "~/Music"),
            ("/backup/", "~/"),
            ("127.0.0.1:4533", "127.0.0.1:0"),
            ("spot.mp3", "spot.opus"),
            ("…", address),
        ] {
            line = line.replace(from, to);
        }
        if line.starts_with("segue serve") && !line.contains("--listen") {
            line.push_str(" --listen 127.0.0.1:0");
        }
        line
    }

    /// Runs a command and sees it end well; one that stays is seen to begin.
    pub(crate) fn run(&mut self, command: &str) {
        let line = self.filled(command);
        let words: Vec<&str> = line.split_whitespace().collect();
        let verb = words.iter().skip(1).find(|word| !word.starts_with('-')).copied();
        match verb {
            Some("serve") if !line.contains("--check") => self.begins(&line, "127.0.0.1:"),
            Some("ctl") if line.contains("follow") => self.begins(&line, "\"title\""),
            Some("play") => self.begins(&line, "First Light"),
            Some("doctor") => self.looks_around(&line),
            _ if Self::opens(&words) => self.opens_screens(&words),
            _ => self.must(&line),
        }
        if line == "segue ctl quit"
            && let Some(mut player) = self.player.take()
        {
            assert!(player.ended(), "{}", player.screen());
        }
    }

    /// The doctor may find something: the machine of a test has no sound device.
    fn looks_around(&self, line: &str) {
        let output = self.shell(line).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(matches!(output.status.code(), Some(0 | 1)) && said.contains("segue"), "{line}\n{said}");
    }

    /// Whether it is the player itself: nothing but options and what belongs to them.
    fn opens(words: &[&str]) -> bool {
        let mut rest = words.iter().skip(1);
        while let Some(word) = rest.next() {
            match *word {
                "--music" | "--server" | "--user" | "--profile" | "--output" => {
                    rest.next();
                }
                option if option.starts_with("--") => {}
                _ => return false,
            }
        }
        true
    }

    fn opens_screens(&self, words: &[&str]) {
        let home = self.home.path().display().to_string();
        let words: Vec<String> = words[1..].iter().map(|word| word.replace('~', &home)).collect();
        let args: Vec<&str> = words.iter().map(String::as_str).collect();
        let vars = [("SEGUE_OUTPUT", "silent"), ("SEGUE_PASSWORD", PASSWORD)];
        let mut terminal = Terminal::start(&self.home, &args, &vars, (100, 30));
        terminal.wait_for("First Light");
        if args.contains(&"--plain") {
            terminal.keys("quit\r");
        } else {
            terminal.keys(":quit\r");
        }
        assert!(terminal.ended(), "{words:?}\n{}", terminal.screen());
    }

    /// Starts a command that stays, waits until it says something, and ends it.
    fn begins(&self, line: &str, says: &str) {
        let mut command = self.shell(&format!("exec 2>&1; exec {line}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.for_each(|line| drop(sender.send(line))));
        let process = Process(child);
        let end = Instant::now() + PATIENCE;
        let mut said = String::new();
        while !said.contains(says) {
            assert!(Instant::now() < end, "{line} did not say “{says}”:\n{said}");
            match receiver.recv_timeout(Duration::from_millis(200)) {
                Ok(more) => writeln!(said, "{more}").unwrap(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("{line} ended:\n{said}"),
            }
        }
        drop(process);
    }

    /// Whether the program has this command with these options.
    pub(crate) fn knows(&self, name: &str) {
        let words: Vec<&str> =
            name.split_whitespace().take_while(|word| !matches!(*word, ">" | "|" | "#")).collect();
        let output = self.home.command(&words[1..]).arg("--help").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "`{name}` is no command:\n{said}");
    }
}
