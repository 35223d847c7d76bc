//! Sound files made in the test, signals that can be told apart sample by sample, and media that misbehave.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use segue::audio::{AudioEvent, CaptureHandle, Engine, Item, Media, Output, Pace};

/// Longest wait for anything that must happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A stereo signal of 16-bit samples in which no stretch of a few samples occurs twice: a sweep with noise.
pub(crate) fn sweep(frames: usize) -> Vec<[i16; 2]> {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    (0..frames)
        .map(|n| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let noise = (seed >> 48) as i16 / 16;
            let t = n as f64 / 44_100.0;
            let tone = ((200.0 + 300.0 * t) * t * std::f64::consts::TAU).sin() * 9000.0;
            [tone as i16 + noise, (tone * 0.5) as i16 - noise]
        })
        .collect()
}

/// What a decoder makes of 16-bit samples.
pub(crate) fn as_float(frames: &[[i16; 2]]) -> Vec<[f32; 2]> {
    frames.iter().map(|f| f.map(|s| f32::from(s) / 32_768.0)).collect()
}

/// A 16-bit PCM WAV file.
pub(crate) fn wav(rate: u32, channels: u16, interleaved: &[i16]) -> Vec<u8> {
    let data = u32::try_from(interleaved.len() * 2).unwrap();
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + data).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(data.to_le_bytes());
    file.extend(interleaved.iter().flat_map(|s| s.to_le_bytes()));
    file
}

/// A stereo WAV file.
pub(crate) fn stereo_wav(rate: u32, frames: &[[i16; 2]]) -> Vec<u8> {
    wav(rate, 2, frames.as_flattened())
}

/// A 16-bit stereo FLAC file of verbatim subframes: every decoder's simplest case, and bit-exact by construction.
pub(crate) fn flac(rate: u32, frames: &[[i16; 2]]) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let mut file = b"fLaC\x80\x00\x00\x22".to_vec();
    file.extend((BLOCK as u16).to_be_bytes());
    file.extend((BLOCK as u16).to_be_bytes());
    file.extend([0; 6]);
    let info = (u64::from(rate) << 44) | (1 << 41) | (15 << 36) | frames.len() as u64;
    file.extend(info.to_be_bytes());
    file.extend([0; 16]);
    for (number, block) in frames.chunks(BLOCK).enumerate() {
        let mut frame = vec![0xFF, 0xF8, 0x70, 0x18];
        // The block number as a stretched UTF-8 character, then the block size less one.
        let mut utf8 = [0; 4];
        frame.extend(char::from_u32(number as u32).unwrap().encode_utf8(&mut utf8).bytes());
        frame.extend((block.len() as u16 - 1).to_be_bytes());
        frame.push(crc8(&frame));
        for channel in 0..2 {
            frame.push(0x02);
            frame.extend(block.iter().flat_map(|f| f[channel].to_be_bytes()));
        }
        frame.extend(crc16(&frame).to_be_bytes());
        file.extend(frame);
    }
    file
}

fn crc8(data: &[u8]) -> u8 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 })
    })
}

fn crc16(data: &[u8]) -> u16 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x8005 }
        })
    })
}

/// An item over bytes in memory.
pub(crate) fn item(token: u64, suffix: &str, bytes: Vec<u8>) -> Item {
    item_of(token, suffix, Box::new(Cursor::new(bytes)))
}

/// An item over any media.
pub(crate) fn item_of(token: u64, suffix: &str, media: Box<dyn Media>) -> Item {
    Item { token, media, suffix: suffix.to_owned(), duration_ms: None, gain_db: 0.0, joins_previous: true }
}

/// An engine that plays into a recording as fast as it can.
pub(crate) fn studio(rate: u32) -> (Engine, Receiver<AudioEvent>, CaptureHandle) {
    studio_at(rate, Pace::Unbounded)
}

/// An engine that plays into a recording.
pub(crate) fn studio_at(rate: u32, pace: Pace) -> (Engine, Receiver<AudioEvent>, CaptureHandle) {
    let capture = CaptureHandle::new(rate, pace);
    let (engine, events) = Engine::start(Output::Capture(capture.clone()));
    (engine, events, capture)
}

/// Collects events up to and including the first that `last` accepts.
pub(crate) fn events_until(
    events: &Receiver<AudioEvent>,
    last: impl Fn(&AudioEvent) -> bool,
) -> Vec<AudioEvent> {
    let deadline = Instant::now() + LIMIT;
    let mut seen = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match events.recv_timeout(left) {
            Ok(event) => {
                seen.push(event);
                if seen.last().is_some_and(&last) {
                    return seen;
                }
            }
            Err(e) => panic!("waited in vain ({e}); so far: {seen:?}"),
        }
    }
}

/// Plays one item, and a second without a gap, and returns what was heard: one unbroken stretch of sound.
pub(crate) fn play_through(rate: u32, first: Item, second: Option<Item>) -> Vec<[f32; 2]> {
    let (engine, events, capture) = studio(rate);
    let last = second.as_ref().map_or(first.token, |item| item.token);
    engine.load(first, 0, false);
    if let Some(second) = second {
        engine.follow(second);
    }
    engine.play();
    let seen = events_until(&events, |e| matches!(e, AudioEvent::Drained | AudioEvent::Failed { .. }));
    assert!(seen.contains(&AudioEvent::Finished { token: last }), "{seen:?}");
    engine.shutdown();
    assert_eq!(capture.sound_ranges().len(), 1, "there is a gap");
    capture.sound()
}

/// Asserts that two signals are the same, and says where they part.
pub(crate) fn assert_same(heard: &[[f32; 2]], want: &[[f32; 2]]) {
    if let Some(at) = heard.iter().zip(want).position(|(a, b)| a != b) {
        panic!("differs from frame {at} on: {:?} instead of {:?}", &heard[at], &want[at]);
    }
    assert_eq!(heard.len(), want.len(), "frames in all");
}

/// How many frames later `heard` is than `want`, found by the best correlation of `len` frames at `at`.
pub(crate) fn lag(heard: &[[f32; 2]], want: &[[f32; 2]], at: usize, len: usize, reach: usize) -> (i64, f64) {
    let piece = &want[at..at + len];
    let dot = |a: &[[f32; 2]], b: &[[f32; 2]]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(a[0] * b[0])).sum()
    };
    let own = dot(piece, piece);
    let mut best = (0, f64::MIN);
    for start in at.saturating_sub(reach)..=at + reach {
        let Some(other) = heard.get(start..start + len) else { continue };
        let score = dot(other, piece) / (dot(other, other) * own).sqrt().max(1e-12);
        if score > best.1 {
            best = (start.cast_signed() as i64 - at.cast_signed() as i64, score);
        }
    }
    best
}

/// Media whose reads stop at a byte until they are let on, as a network does.
pub(crate) struct Sluggish {
    bytes: Cursor<Vec<u8>>,
    gate: std::sync::Arc<Gate>,
}

/// The hand on the tap of a [`Sluggish`].
#[derive(Default)]
pub(crate) struct Gate {
    state: std::sync::Mutex<GateState>,
    moved: std::sync::Condvar,
}

#[derive(Default)]
struct GateState {
    open_to: u64,
    interrupted: bool,
    failure: Option<String>,
    waiting: bool,
}

impl Gate {
    /// Bytes up to here may be read.
    pub(crate) fn open_to(&self, byte: u64) {
        self.state.lock().unwrap().open_to = byte;
        self.moved.notify_all();
    }

    /// Every read that would wait fails from now on.
    pub(crate) fn fail(&self, why: &str) {
        self.state.lock().unwrap().failure = Some(why.to_owned());
        self.moved.notify_all();
    }

    /// Ends a read that waits.
    pub(crate) fn interrupt(&self) {
        self.state.lock().unwrap().interrupted = true;
        self.moved.notify_all();
    }

    /// Whether a read waits right now.
    pub(crate) fn waiting(&self) -> bool {
        self.state.lock().unwrap().waiting
    }
}

impl Sluggish {
    pub(crate) fn new(bytes: Vec<u8>, open_to: u64) -> (Self, std::sync::Arc<Gate>) {
        let gate = std::sync::Arc::new(Gate::default());
        gate.open_to(open_to);
        (Sluggish { bytes: Cursor::new(bytes), gate: gate.clone() }, gate)
    }
}

impl Read for Sluggish {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let length = self.bytes.get_ref().len() as u64;
        let mut state = self.gate.state.lock().unwrap();
        while self.bytes.position() >= state.open_to.min(length) && self.bytes.position() < length {
            if std::mem::take(&mut state.interrupted) {
                return Err(std::io::Error::other("interrupted"));
            }
            if state.failure.is_some() {
                return Err(std::io::Error::other("lost"));
            }
            state.waiting = true;
            state = self.gate.moved.wait(state).unwrap();
            state.waiting = false;
        }
        state.interrupted = false;
        let room = state.open_to.saturating_sub(self.bytes.position()).min(buf.len() as u64) as usize;
        drop(state);
        self.bytes.read(&mut buf[..room])
    }
}

impl Seek for Sluggish {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

impl Media for Sluggish {
    fn byte_len(&self) -> Option<u64> {
        Some(self.bytes.get_ref().len() as u64)
    }
    fn seekable(&self) -> bool {
        true
    }
    fn last_error(&self) -> Option<String> {
        self.gate.state.lock().unwrap().failure.clone()
    }
    fn interrupt(&self) -> Option<segue::audio::Interrupt> {
        let gate = self.gate.clone();
        Some(std::sync::Arc::new(move || gate.interrupt()))
    }
}
