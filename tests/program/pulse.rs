//! A PulseAudio of our own with one silent sink that keeps real time, and an ear at its monitor.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Process;

/// The sound server.
pub struct Pulse {
    dir: tempfile::TempDir,
    rate: u32,
    daemon: Process,
}

impl Pulse {
    /// Starts one whose sink runs at `rate` frames a second.
    pub fn start(rate: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("native");
        // Without `norewinds` the sink has a buffer of two seconds and answers positions late.
        let sink =
            format!("module-null-sink sink_name=ear rate={rate} channels=2 format=float32le norewinds=1");
        let protocol = format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display());
        let daemon = Command::new("pulseaudio")
            .args([
                "-n",
                "--daemonize=no",
                "--exit-idle-time=-1",
                "--use-pid-file=no",
                "-L",
                &sink,
                "-L",
                &protocol,
            ])
            .env("XDG_RUNTIME_DIR", dir.path())
            .env("HOME", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pulse = Self { dir, rate, daemon: Process(daemon) };
        let end = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            assert!(Instant::now() < end, "PulseAudio did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        pulse
    }

    /// What programs find in `PULSE_SERVER`.
    pub fn address(&self) -> String {
        format!("unix:{}", self.dir.path().join("native").display())
    }

    /// A folder for sockets and settings of peers.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Tells the sound server something; what it answers.
    pub fn tell(&self, words: &[&str]) -> String {
        let output = self.command("pactl").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.daemon.0.id()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PULSE_SERVER", self.address())
            .env("XDG_RUNTIME_DIR", self.dir.path())
            .env("HOME", self.dir.path());
        command
    }

    /// Begins to listen.
    pub fn listen(&self) -> Ear {
        self.listen_at("ear")
    }

    /// Begins to listen at a sink.
    pub fn listen_at(&self, sink: &str) -> Ear {
        let mut process = self
            .command("parec")
            .args(["-d", &format!("{sink}.monitor"), "--format=float32le", "--channels=2"])
            .args(["--latency-msec=20", "--raw"])
            .arg(format!("--rate={}", self.rate))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut pipe = process.stdout.take().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let sink = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            let mut left = 0;
            while let Ok(n @ 1..) = pipe.read(&mut buffer[left..]) {
                let at = Instant::now();
                let whole = (left + n) / 8 * 8;
                sink.lock().unwrap().take(&buffer[..whole], at);
                buffer.copy_within(whole..left + n, 0);
                left = left + n - whole;
            }
        });
        Ear { heard, _process: Process(process) }
    }
}

#[derive(Default)]
struct Heard {
    /// Mean of both channels.
    samples: Vec<f32>,
    /// After how many samples which time it was.
    stamps: Vec<(usize, Instant)>,
}

impl Heard {
    fn take(&mut self, bytes: &[u8], at: Instant) {
        self.samples.extend(mono(bytes));
        self.stamps.push((self.samples.len(), at));
    }
}

/// Something that listens to the sink.
pub struct Ear {
    heard: Arc<Mutex<Heard>>,
    _process: Process,
}

impl Ear {
    /// Everything heard so far, both channels as one.
    pub fn samples(&self) -> Vec<f32> {
        self.heard.lock().unwrap().samples.clone()
    }

    /// Waits until nothing was heard for half a second: a sound server plays on for a while what a player left behind.
    pub fn wait_for_silence(&self) {
        while self.sound_after(Instant::now().checked_sub(Duration::from_millis(500)).unwrap(), 0.0).is_some()
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// When the first sample louder than `level` arrived that arrived after `from`. Samples that arrive together count from their
    /// arrival: a sink renders as far ahead as its players have asked for, and its monitor hears that at once.
    pub fn sound_after(&self, from: Instant, level: f32) -> Option<Instant> {
        let heard = self.heard.lock().unwrap();
        let mut begin = 0;
        for (end, at) in &heard.stamps {
            if *at > from && heard.samples[begin..*end].iter().any(|s| s.abs() > level) {
                return Some(*at);
            }
            begin = *end;
        }
        None
    }

    /// Waits for [`Ear::sound_after`].
    pub fn wait_for_sound(&self, from: Instant, level: f32, patience: Duration) -> Option<Instant> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(at) = self.sound_after(from, level) {
                return Some(at);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }
}

/// Interleaved stereo bytes as the mean of both channels.
pub fn mono(bytes: &[u8]) -> Vec<f32> {
    let sample = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    bytes.chunks_exact(8).map(|b| f32::midpoint(sample(&b[..4]), sample(&b[4..]))).collect()
}
