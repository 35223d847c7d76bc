//! Kinds that cannot be decoded here are called by their names, before anything of them is heard, and the next one plays.

use segue::audio::{AudioEvent, Cause};

use crate::handmade::{adts, announced_he_aac, m4a, wavpack};
use crate::kit::{as_float, assert_same, events_until, item, stereo_wav, studio, sweep};

#[test]
fn what_cannot_be_decoded_is_named_and_the_next_one_plays() {
    let source = sweep(20_000);
    let cases = [
        ("m4a", announced_he_aac(), "HE-AAC"),
        ("m4a", m4a(&[0b1110_1011, 0b0000_1001, 0b1000_1000]), "HE-AAC v2"),
        ("m4a", m4a(&[0b0001_0001, 0b1011_0000]), "AAC of more than two channels"),
        ("aac", adts(20, true), "HE-AAC"),
        ("wv", wavpack(), "WavPack"),
        ("ape", b"MAC \x96\x0F\x00\x00 and so on and so on".to_vec(), "Monkey's Audio"),
        (
            "wma",
            b"\x30\x26\xB2\x75\x8E\x66\xCF\x11\xA6\xD9\x00\xAA\x00\x62\xCE\x6C".to_vec(),
            "Windows Media Audio",
        ),
        // By what it is, not by what it is called.
        ("mp3", wavpack(), "WavPack"),
    ];
    for (suffix, file, name) in cases {
        let (engine, events, capture) = studio(44_100);
        engine.load(item(1, suffix, file), 0, true);
        engine.follow(item(2, "wav", stereo_wav(44_100, &source)));
        let seen = events_until(&events, |e| *e == AudioEvent::Drained);
        let failed = seen.iter().find_map(|event| match event {
            AudioEvent::Failed { token: 1, reason, cause } => Some((reason.as_str(), *cause)),
            _ => None,
        });
        let want = format!("{name} cannot be decoded here");
        assert_eq!(failed, Some((want.as_str(), Cause::Unsupported)), "{suffix}");
        assert_same(&capture.sound(), &as_float(&source));
    }
}

#[test]
fn a_plain_core_is_not_taken_for_more() {
    let (engine, events, _capture) = studio(44_100);
    engine.load(item(1, "aac", adts(20, false)), 0, true);
    let seen = events_until(&events, |e| matches!(e, AudioEvent::Drained | AudioEvent::Failed { .. }));
    // Its packets are noise, which the decoder may find damaged, but not of another kind.
    let other = |e: &AudioEvent| matches!(e, AudioEvent::Failed { cause: Cause::Unsupported, .. });
    assert!(!seen.iter().any(other), "{seen:?}");
}
