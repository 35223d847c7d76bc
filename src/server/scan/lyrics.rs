//! Lyrics: in tags (USLT and SYLT, Vorbis LYRICS, MP4 ©lyr, APE) and in `.lrc` files beside the music. A synced text comes
//! before one that is not, a file beside the music before everything else.

use lofty::id3::v2::{FrameFlags, SyncTextContentType, SynchronizedTextFrame, TimestampFormat};

use crate::music::Lyrics;
use crate::server::storage::Source;

/// Longest file of lyrics that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// Most texts of one track.
const TEXTS: usize = 8;

/// The lyrics of a file's tags: synced ones first, none twice, and not too many.
pub(super) fn sorted(found: Vec<Lyrics>) -> Vec<Lyrics> {
    let mut lyrics: Vec<Lyrics> = Vec::new();
    for one in found.into_iter().take(TEXTS) {
        if !lyrics.contains(&one) {
            lyrics.push(one);
        }
    }
    lyrics.sort_by_key(|l| !l.synced);
    lyrics
}

/// The lyrics of a SYLT frame, which lofty keeps as it is.
pub(super) fn synced(frame: &[u8], flags: FrameFlags) -> Option<Lyrics> {
    let frame = SynchronizedTextFrame::parse(frame, flags).ok()?;
    let sung = matches!(
        frame.content_type,
        SyncTextContentType::Lyrics | SyncTextContentType::TextTranscription | SyncTextContentType::Other
    );
    if frame.timestamp_format != TimestampFormat::MS || !sung {
        return None;
    }
    let pieces: Vec<(u64, &str)> =
        frame.content.iter().map(|(at, text)| (u64::from(*at), text.as_str())).collect();
    Lyrics::from_pieces(&pieces, std::str::from_utf8(&frame.language).unwrap_or_default())
}

/// The lyrics in a file beside the music; `None` where there are none or they cannot be read.
pub(super) fn beside(source: &Source) -> Option<Lyrics> {
    // A link may be called like lyrics and lead to a file that is nobody's to read.
    if source.is_disguised("lrc").ok()? {
        return None;
    }
    Lyrics::parse(&text(source.read(LONGEST).ok()?), "")
}

/// UTF-8, UTF-16 with its mark, or else Latin-1.
pub(in crate::server) fn text(bytes: Vec<u8>) -> String {
    let wide = |from: fn([u8; 2]) -> u16| -> String {
        let units = bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => {
            String::from_utf8(bytes).unwrap_or_else(|e| e.into_bytes().into_iter().map(char::from).collect())
        }
    }
}
