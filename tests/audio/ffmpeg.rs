//! Files that another encoder made: MP3, AAC, ALAC, Vorbis, FLAC and Opus by ffmpeg, as far as it is installed.
//! A continuous signal is cut in two, each half encoded by itself, and the halves are played gaplessly.

use std::path::Path;
use std::process::{Command, Stdio};

use segue::audio::AudioEvent;

use crate::codecs::assert_in_place;
use crate::kit::{as_float, events_until, item, lag, play_through, stereo_wav, studio, sweep};

const CUT: usize = 66_150;

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

fn encode(dir: &Path, name: &str, frames: &[[i16; 2]], args: &[&str]) -> Vec<u8> {
    let (input, output) = (dir.join(format!("{name}.in.wav")), dir.join(name));
    std::fs::write(&input, stereo_wav(44_100, frames)).unwrap();
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&input)
        .args(args)
        .arg(&output)
        .output()
        .unwrap();
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(output).unwrap()
}

#[test]
fn halves_of_every_codec_join_without_a_missing_or_an_added_frame() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = sweep(140_000);
    let want = as_float(&source);
    let codecs: [(&str, &[&str]); 8] = [
        ("mp3", &["-c:a", "libmp3lame", "-b:a", "192k"]),
        ("mp3", &["-c:a", "libmp3lame", "-q:a", "2"]),
        ("m4a", &["-c:a", "aac", "-b:a", "192k"]),
        ("m4a", &["-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"]),
        ("ogg", &["-c:a", "libvorbis", "-q:a", "6"]),
        ("m4a", &["-c:a", "alac"]),
        ("flac", &["-c:a", "flac"]),
        ("aiff", &["-c:a", "pcm_s16be"]),
    ];
    for (suffix, args) in codecs {
        let a = encode(dir.path(), &format!("a.{suffix}"), &source[..CUT], args);
        let b = encode(dir.path(), &format!("b.{suffix}"), &source[CUT..], args);
        let heard = play_through(44_100, item(1, suffix, a), Some(item(2, suffix, b)));
        let joint = heard.len().cast_signed() - want.len().cast_signed();
        let behind = lag(&heard, &want, CUT + 20_000, 2400, 3000);
        println!(
            "{args:?}: {joint:+} frames in all, {:+} behind the joint, likeness {:.4}",
            behind.0, behind.1
        );
        assert_in_place(&heard, &want, &[10_000, CUT - 3_000, CUT + 600, CUT + 20_000, 130_000]);
    }
}

#[test]
fn seeks_land_in_every_codec() {
    if !ffmpeg() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = sweep(441_000);
    let want = as_float(&source);
    let codecs: [(&str, &[&str]); 6] = [
        ("mp3", &["-c:a", "libmp3lame", "-b:a", "192k"]),
        ("mp3", &["-c:a", "libmp3lame", "-b:a", "192k", "-write_xing", "0"]),
        ("m4a", &["-c:a", "aac", "-b:a", "192k"]),
        ("ogg", &["-c:a", "libvorbis", "-q:a", "6"]),
        ("m4a", &["-c:a", "alac"]),
        ("aac", &["-c:a", "aac", "-b:a", "192k"]),
    ];
    for (suffix, args) in codecs {
        let file = encode(dir.path(), &format!("s.{suffix}"), &source, args);
        let (engine, events, capture) = studio(44_100);
        engine.load(item(1, suffix, file), 5_000, true);
        events_until(&events, |e| *e == AudioEvent::Drained);
        let heard = capture.sound();
        let (shift, likeness) = lag(&heard, &want[220_500..], 20_000, 1200, 2400);
        println!("{args:?}: {shift:+} frames after a seek to 5 s, likeness {likeness:.4}");
        assert!(likeness > 0.97, "{args:?}");
        // Without a header that tells its delay a file is late by what its encoder put in front.
        let unknown = suffix == "aac" || args.contains(&"-write_xing");
        assert!(shift == 0 || unknown && (0..2400).contains(&shift), "{args:?}: {shift}");
    }
}
