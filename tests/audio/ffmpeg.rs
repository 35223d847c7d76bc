//! Files that another encoder made, as far as ffmpeg is installed: what `docs/sound.md` says of joints and seeks is what
//! is measured here. A continuous signal is cut in two, each half encoded by itself, and the halves are played gaplessly.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use segue::audio::{AudioEvent, Cause};

use crate::codecs::assert_in_place;
use crate::kit::{
    Sluggish, as_float, assert_same, events_until, item, item_of, lag, play_through, stereo_wav, studio,
    sweep,
};

const CUT: usize = 66_150;
const LENGTH: usize = 140_000;
/// Where the longer file is entered.
const SEEK_MS: u64 = 5_000;
/// How far from its place a seek may land by a table of contents, in frames: a hundredth of 20 s.
const VARIES: usize = 8_820;

/// How much of the source a file can give back.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fidelity {
    /// Every bit.
    Exact,
    /// What the codec leaves of it, every frame in its place.
    Lossy,
    /// As before, but the file does not say what of it is padding.
    Untold,
}

use Fidelity::{Exact, Lossy, Untold};

struct Kind {
    name: &'static str,
    suffix: &'static str,
    rate: u32,
    options: &'static str,
    fidelity: Fidelity,
}

const fn kind(
    name: &'static str,
    suffix: &'static str,
    rate: u32,
    options: &'static str,
    fidelity: Fidelity,
) -> Kind {
    Kind { name, suffix, rate, options, fidelity }
}

const KINDS: &[Kind] = &[
    kind("WAV, 16 bit", "wav", 44_100, "-c:a pcm_s16le", Exact),
    kind("WAV, 24 bit", "wav", 44_100, "-c:a pcm_s24le", Exact),
    kind("WAV, 32 bit float", "wav", 44_100, "-c:a pcm_f32le", Exact),
    kind("AIFF, 16 bit", "aiff", 44_100, "-c:a pcm_s16be", Exact),
    kind("FLAC, 16 bit", "flac", 44_100, "-c:a flac", Exact),
    kind("FLAC, 24 bit", "flac", 44_100, "-c:a flac -sample_fmt s32", Exact),
    kind("ALAC, 16 bit", "m4a", 44_100, "-c:a alac", Exact),
    kind("ALAC, 24 bit", "m4a", 44_100, "-c:a alac -sample_fmt s32p", Exact),
    kind("MP3, constant rate", "mp3", 44_100, "-c:a libmp3lame -b:a 192k", Lossy),
    kind("MP3, variable rate", "mp3", 44_100, "-c:a libmp3lame -q:a 2", Lossy),
    kind("MP3 without a LAME header", "mp3", 44_100, "-c:a libmp3lame -b:a 192k -write_xing 0", Untold),
    kind("AAC in MP4, index at the end", "m4a", 44_100, "-c:a aac -b:a 192k", Lossy),
    kind("AAC in MP4, index at the start", "m4a", 44_100, "-c:a aac -b:a 192k -movflags +faststart", Lossy),
    kind("AAC as bare ADTS", "aac", 44_100, "-c:a aac -b:a 192k", Untold),
    kind("Vorbis", "ogg", 44_100, "-c:a libvorbis -q:a 6", Lossy),
    kind("Opus", "opus", 48_000, "-c:a libopus -b:a 128k", Lossy),
];

fn ffmpeg() -> bool {
    let there = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = there.is_ok_and(|status| status.success());
    if !there {
        assert!(
            std::env::var_os("SEGUE_TEST_REAL").is_none(),
            "ffmpeg is not installed, and SEGUE_TEST_REAL is set"
        );
        println!("skipped: ffmpeg not installed");
    }
    there
}

fn encode(dir: &Path, kind: &Kind, frames: &[[i16; 2]]) -> Vec<u8> {
    let (input, output) = (dir.join("in.wav"), dir.join(format!("out.{}", kind.suffix)));
    std::fs::write(&input, stereo_wav(kind.rate, frames)).unwrap();
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&input)
        .args(kind.options.split(' '))
        .arg(&output)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}: {}", kind.name, String::from_utf8_lossy(&done.stderr));
    std::fs::read(output).unwrap()
}

/// Two halves, played one after the other: frames added (or missing, negative) at the joint, and in all.
fn joint(dir: &Path, kind: &Kind, source: &[[i16; 2]]) -> (i64, i64) {
    let want = as_float(source);
    let (a, b) = (encode(dir, kind, &source[..CUT]), encode(dir, kind, &source[CUT..]));
    let heard = play_through(kind.rate, item(1, kind.suffix, a), Some(item(2, kind.suffix, b)));
    match kind.fidelity {
        Exact => assert_same(&heard, &want),
        Lossy => assert_in_place(&heard, &want, &[10_000, CUT - 3_000, CUT + 600, CUT + 20_000, 130_000]),
        Untold => {}
    }
    let (before, likeness) = lag(&heard, &want, 10_000, 2400, 3000);
    assert!(likeness > 0.97, "{}: likeness {likeness}", kind.name);
    let (behind, likeness) = lag(&heard, &want, CUT + 20_000, 2400, 6000);
    assert!(likeness > 0.97, "{}: likeness {likeness} behind the joint", kind.name);
    (behind - before, heard.len().cast_signed() as i64 - want.len().cast_signed() as i64)
}

/// Frames by which the sound after a seek comes late.
fn seek(dir: &Path, kind: &Kind, source: &[[i16; 2]]) -> i64 {
    let want = as_float(source);
    let file = encode(dir, kind, source);
    let (engine, events, capture) = studio(kind.rate);
    engine.load(item(1, kind.suffix, file), SEEK_MS, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    let from = (SEEK_MS * u64::from(kind.rate) / 1000) as usize;
    let heard = capture.sound();
    if kind.fidelity == Exact {
        // But for the fade at its beginning.
        assert_same(&heard[300..], &want[from + 300..]);
    }
    let (shift, likeness) = lag(&heard, &want[from..], 20_000, 1200, 3000);
    assert!(likeness > 0.97, "{}: likeness {likeness} after a seek", kind.name);
    shift
}

/// `SEGUE_WRITE_DOCS=1 cargo test --test audio ffmpeg` writes the table anew.
#[test]
fn the_page_says_what_is_measured_at_joints_and_seeks() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (short, long) = (sweep(LENGTH), sweep(441_000));
    let mut table = "\
| format | options of ffmpeg | missing (−) or added (+) at the joint | in all | difference | seek to 5 s off by |
|---|---|---|---|---|---|
"
    .to_owned();
    for kind in KINDS {
        let (at_joint, in_all) = joint(dir.path(), kind, &short);
        let off = seek(dir.path(), kind, &long);
        let difference = match kind.fidelity {
            Exact => "none",
            Lossy => "the codec's",
            Untold => "the codec's; padding is not told",
        };
        if kind.fidelity != Untold {
            assert_eq!((at_joint, in_all, off), (0, 0, 0), "{}", kind.name);
        }
        let signed = |n: i64| if n == 0 { "0".to_owned() } else { format!("{n:+}") };
        writeln!(
            table,
            "| {} | `{}` | {} | {} | {difference} | {} |",
            kind.name,
            kind.options,
            signed(at_joint),
            signed(in_all),
            signed(off)
        )
        .unwrap();
    }
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/sound.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- measured by tests/audio/ffmpeg.rs -->\n", "<!-- end -->");
    let (before, rest) = text.split_once(begin).expect("the table's beginning");
    let (kept, after) = rest.split_once(end).expect("the table's end");
    if std::env::var_os("SEGUE_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert!(
        kept == table,
        "docs/sound.md is old: SEGUE_WRITE_DOCS=1 cargo test --test audio ffmpeg\n{table}"
    );
}

/// As [`seek`], in a file of which nothing says that it is all here.
fn far_seek(dir: &Path, kind: &Kind, source: &[[i16; 2]], at_ms: u64) -> i64 {
    let want = as_float(source);
    let (engine, events, capture) = studio(kind.rate);
    let (media, _gate) = Sluggish::new(encode(dir, kind, source), u64::MAX);
    engine.load(item_of(1, kind.suffix, Box::new(media)), at_ms, true);
    events_until(&events, |e| *e == AudioEvent::Drained);
    let from = (at_ms * u64::from(kind.rate) / 1000) as usize;
    let heard = capture.sound();
    if kind.fidelity != Untold {
        assert_eq!(heard.len(), want.len() - from, "{}: frames up to the end", kind.name);
    }
    if kind.fidelity == Exact {
        assert_same(&heard[300..], &want[from + 300..]);
    }
    let reach = if kind.name.contains("variable") { VARIES } else { 1500 };
    let (shift, likeness) = lag(&heard, &want[from..], 10_000, 600, reach);
    assert!(likeness > 0.97, "{}: likeness {likeness} after a seek", kind.name);
    shift
}

#[test]
fn seeks_in_what_is_not_downloaded_land() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = sweep(882_000);
    for kind in KINDS.iter().filter(|kind| ["flac", "mp3"].contains(&kind.suffix)) {
        for at_ms in [200, 9_999, 18_000] {
            let off = far_seek(dir.path(), kind, &source, at_ms);
            println!("{}: a seek to {at_ms} ms is off by {off} frames", kind.name);
            // Where rates vary the header tells the place to a hundredth of the track.
            let tolerance = if kind.name.contains("variable") { VARIES.cast_signed() as i64 } else { 0 };
            let told = if kind.fidelity == Untold { 1105 } else { 0 };
            assert!((off - told).abs() <= tolerance, "{} at {at_ms} ms: {off}", kind.name);
        }
    }
}

/// A core of 24 kHz in an ADTS file is what HE-AAC looks like from outside; a plain file of that rate must not be taken
/// for one.
#[test]
fn plain_aac_of_low_rates_is_not_taken_for_he_aac() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for rate in ["8000", "16000", "22050", "24000", "32000"] {
        for (suffix, channels, kbps) in [("aac", "1", "24k"), ("aac", "2", "64k"), ("m4a", "2", "48k")] {
            let options: &'static str = format!("-c:a aac -ar {rate} -ac {channels} -b:a {kbps}").leak();
            let kind = kind("AAC of a low rate", suffix, 44_100, options, Untold);
            let (engine, events, _capture) = studio(44_100);
            engine.load(item(1, suffix, encode(dir.path(), &kind, &sweep(100_000))), 0, true);
            let seen =
                events_until(&events, |e| matches!(e, AudioEvent::Drained | AudioEvent::Failed { .. }));
            let failed = |e: &AudioEvent| matches!(e, AudioEvent::Failed { cause: Cause::Unsupported, .. });
            assert!(!seen.iter().any(failed), "{options}: {seen:?}");
        }
    }
}
