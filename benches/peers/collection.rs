//! Twenty thousand tracks and one that sounds, in the libraries of Segue and of cmus in one home folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::installed;
use crate::pty::Pty;

/// Short files.
pub const TRACKS: u32 = 20_000;
/// The title of the one that sounds, where there is one.
#[allow(dead_code, reason = "not every family plays")]
pub const SOUNDING: &str = "Long Noise";

/// The binary under test.
pub fn program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_segue")).canonicalize().unwrap()
}

/// The whole environment of a program in a home folder.
pub fn variables(home: &Path) -> Vec<(String, String)> {
    let at = |name: &str| home.join(name).display().to_string();
    [
        ("HOME", at("")),
        ("XDG_CONFIG_HOME", at("config")),
        ("XDG_DATA_HOME", at("data")),
        ("XDG_CACHE_HOME", at("cache")),
        ("XDG_STATE_HOME", at("state")),
        ("XDG_RUNTIME_DIR", at("run")),
        ("JACK_NO_START_SERVER", "1".to_owned()),
        ("SEGUE_PASSWORD", "x".to_owned()),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("TERM", "xterm-256color".to_owned()),
        ("COLORTERM", "truecolor".to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
        ("TZ", "UTC".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The files and who has read them.
pub struct Collection {
    home: tempfile::TempDir,
    /// Whether cmus has all of them in its library; if not, it is not installed or did not take them.
    pub in_cmus: bool,
}

impl Collection {
    /// Writes the files, with four minutes of sound beside them if wanted, and lets both players read them.
    pub fn make(sounding: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut collection = Self { home, in_cmus: false };
        if sounding {
            collection.add_sound();
        }
        for n in 0..TRACKS {
            let folder = collection.music().join(format!("{:04}", n / 10));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{n:05}.flac")), song(n)).unwrap();
        }
        collection.read_by_segue();
        collection.in_cmus = installed("cmus").is_some_and(|cmus| collection.read_by_cmus(&cmus));
        collection
    }

    /// The home folder of everybody.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the files are.
    pub fn music(&self) -> PathBuf {
        self.home().join("music")
    }

    /// The file that sounds.
    #[allow(dead_code, reason = "not every family plays")]
    pub fn sound(&self) -> PathBuf {
        self.music().join("sound/long.flac")
    }

    fn add_sound(&self) {
        std::fs::create_dir_all(self.music().join("sound")).unwrap();
        let noise = "anoisesrc=color=pink:sample_rate=44100:duration=240:seed=7:amplitude=0.5,\
                     aformat=channel_layouts=stereo";
        let made = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-f", "lavfi", "-i", noise, "-c:a", "flac", "-sample_fmt", "s16"])
            .args(["-metadata", &format!("title={SOUNDING}")])
            .args(["-metadata", "artist=Noise", "-metadata", "album=Noises"])
            .arg(self.sound())
            .status()
            .unwrap();
        assert!(made.success(), "ffmpeg failed");
    }

    fn read_by_segue(&self) {
        let music = self.music().display().to_string();
        let args = ["--music", music.as_str(), "--output", "silent"];
        let mut pty = Pty::start(&program(), &args, self.home(), &variables(self.home()));
        pty.wait("the first page", |s| s.contains("search"));
        pty.keys("/");
        pty.wait("all tracks", |s| s.contains("20,0"));
        std::thread::sleep(Duration::from_secs(2));
        pty.keys("\u{1b}");
        std::thread::sleep(Duration::from_millis(300));
        pty.keys(":quit\r");
        std::thread::sleep(Duration::from_secs(2));
    }

    fn read_by_cmus(&self, cmus: &Path) -> bool {
        let home = self.home();
        let list = home.join("config/cmus/lib.pl");
        std::fs::create_dir_all(home.join("config/cmus")).unwrap();
        std::fs::create_dir_all(home.join("run")).unwrap();
        // Without a desktop bus it would complain, and wait for a key.
        std::fs::write(list.with_file_name("rc"), "set mpris=false\n").unwrap();
        let mut pty = Pty::start(cmus, &[], home, &variables(home));
        std::thread::sleep(Duration::from_secs(1));
        pty.keys(&format!(":add {}\r", self.music().display()));
        let end = Instant::now() + Duration::from_mins(2);
        let lines = || std::fs::read_to_string(&list).map_or(0, |text| text.lines().count());
        while lines() < TRACKS as usize && Instant::now() < end {
            std::thread::sleep(Duration::from_secs(2));
            pty.keys(":save\r");
        }
        pty.keys(":quit\r");
        std::thread::sleep(Duration::from_secs(3));
        lines() >= TRACKS as usize
    }
}

/// A FLAC file of one short silent frame with its tags.
fn song(n: u32) -> Vec<u8> {
    let block = |kind: u8, body: &[u8]| {
        let mut out = vec![kind];
        out.extend(&(body.len() as u32).to_be_bytes()[1..]);
        out.extend(body);
        out
    };
    let mut info = Vec::new();
    info.extend(4_096_u16.to_be_bytes());
    info.extend(4_096_u16.to_be_bytes());
    info.extend([0; 6]);
    // 44,100 Hz, two channels, 16 bits, a minute of samples.
    info.extend((44_100_u64 << 44 | 1 << 41 | 15 << 36 | (60 * 44_100)).to_be_bytes());
    info.extend([0; 16]);
    let mut comments = Vec::new();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    text(&mut comments, "bench");
    let tags = [
        format!("TITLE=Song {n:05}"),
        format!("ARTIST=Artist {:04}", n / 100),
        format!("ALBUMARTIST=Artist {:04}", n / 100),
        format!("ALBUM=Album {:04}", n / 10),
        format!("TRACKNUMBER={}", n % 10 + 1),
        "DATE=1999".to_owned(),
    ];
    comments.extend((tags.len() as u32).to_le_bytes());
    for tag in &tags {
        text(&mut comments, tag);
    }
    let mut out = b"fLaC".to_vec();
    out.extend(block(0, &info));
    out.extend(block(0x84, &comments));
    out
}
