//! Reads from an MP4 file what says where its sound begins and ends: edit lists (`elst`) and iTunes' `iTunSMPB`.
//! Only box headers and these small boxes are read; pictures and sample tables are jumped over.

use std::io::{self, Read, Seek, SeekFrom};

/// What the file says about its padding; all counts as the file has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hints {
    /// Ticks per second of the movie header, for `Edit::length`.
    pub(super) movie_scale: u32,
    /// Ticks per second of the sound track, for `Edit::start`.
    pub(super) track_scale: u32,
    /// The first edit that shows media.
    pub(super) edit: Option<Edit>,
    /// Frames of priming and of music from `iTunSMPB`.
    pub(super) smpb: Option<Smpb>,
}

/// One entry of an edit list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// Length in movie ticks; 0 means up to the end.
    pub(super) length: u64,
    /// Start in track ticks.
    pub(super) start: u64,
}

/// The fields of `iTunSMPB` that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Smpb {
    /// Frames before the music.
    pub(super) priming: u64,
    /// Frames of music.
    pub(super) length: u64,
}

/// A file has a few dozen boxes; a hostile one may have millions.
const MAX_BOXES: u32 = 4096;
const MAX_DEPTH: u32 = 8;
/// The boxes that are read whole are far smaller than this.
const MAX_PAYLOAD: u64 = 64 * 1024;

/// Walks the boxes of an MP4 file. What cannot be understood is skipped: hints are only hints.
pub(super) fn hints(source: &mut (impl Read + Seek)) -> Hints {
    let mut walk = Walk { source, boxes: 0, hints: Hints::default(), track: Track::default() };
    let _ = walk.boxes_in(0, u64::MAX, 0);
    walk.hints
}

#[derive(Default)]
struct Track {
    scale: u32,
    sound: bool,
    edit: Option<Edit>,
}

struct Walk<'a, S> {
    source: &'a mut S,
    boxes: u32,
    hints: Hints,
    track: Track,
}

impl<S: Read + Seek> Walk<'_, S> {
    fn boxes_in(&mut self, start: u64, end: u64, depth: u32) -> io::Result<()> {
        let mut at = start;
        while at.saturating_add(8) <= end && self.boxes < MAX_BOXES && depth < MAX_DEPTH {
            self.boxes += 1;
            self.source.seek(SeekFrom::Start(at))?;
            let mut head = [0; 8];
            self.source.read_exact(&mut head)?;
            let [a, b, c, d, kind @ ..] = head;
            let mut body = at + 8;
            let size = match u64::from(u32::from_be_bytes([a, b, c, d])) {
                0 => end.saturating_sub(at),
                1 => {
                    let mut large = [0; 8];
                    self.source.read_exact(&mut large)?;
                    body += 8;
                    u64::from_be_bytes(large)
                }
                size => size,
            };
            if size < body - at {
                return Ok(());
            }
            let next = at.saturating_add(size);
            if &kind == b"moov" {
                return self.boxes_in(body, next, depth + 1);
            }
            self.one(kind, body, next.min(end), depth)?;
            at = next;
        }
        Ok(())
    }

    fn one(&mut self, kind: [u8; 4], body: u64, end: u64, depth: u32) -> io::Result<()> {
        match &kind {
            b"trak" => {
                self.track = Track::default();
                self.boxes_in(body, end, depth + 1)?;
                if self.track.sound && self.hints.track_scale == 0 {
                    self.hints.track_scale = self.track.scale;
                    self.hints.edit = self.track.edit;
                }
            }
            b"mdia" | b"edts" | b"udta" | b"ilst" => self.boxes_in(body, end, depth + 1)?,
            b"meta" => self.boxes_in(body + 4, end, depth + 1)?,
            b"mvhd" => self.hints.movie_scale = self.time_scale(body, end)?,
            b"mdhd" => self.track.scale = self.time_scale(body, end)?,
            b"hdlr" => self.track.sound |= self.payload(body, end)?.get(8..12) == Some(b"soun"),
            b"elst" => self.track.edit = first_edit(&self.payload(body, end)?),
            b"----" => {
                if let Some(smpb) = smpb(&self.payload(body, end)?) {
                    self.hints.smpb = Some(smpb);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn time_scale(&mut self, body: u64, end: u64) -> io::Result<u32> {
        let data = self.payload(body, end)?;
        let at = if data.first() == Some(&1) { 20 } else { 12 };
        Ok(be_u32(&data, at).unwrap_or(0))
    }

    fn payload(&mut self, body: u64, end: u64) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        self.source.seek(SeekFrom::Start(body))?;
        let length = end.saturating_sub(body).min(MAX_PAYLOAD);
        self.source.by_ref().take(length).read_to_end(&mut data)?;
        Ok(data)
    }
}

fn be_u32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn be_u64(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The first edit that is not an empty one (an empty edit delays the track and trims nothing).
fn first_edit(data: &[u8]) -> Option<Edit> {
    let wide = *data.first()? == 1;
    let count = be_u32(data, 4)?.min(64) as usize;
    let step = if wide { 20 } else { 12 };
    (0..count).find_map(|i| {
        let at = 8 + i * step;
        let (length, start) = if wide {
            (be_u64(data, at)?, be_u64(data, at + 8)?.cast_signed())
        } else {
            (u64::from(be_u32(data, at)?), i64::from(be_u32(data, at + 4)?.cast_signed()))
        };
        Some(Edit { length, start: u64::try_from(start).ok()? })
    })
}

/// ` 00000000 00000840 000001CA 0000000000003F0A …`: reserved, priming, padding, length; hexadecimal.
fn smpb(item: &[u8]) -> Option<Smpb> {
    let name = item.windows(8).position(|w| w == b"iTunSMPB")?;
    let data = item.get(name..)?.windows(4).position(|w| w == b"data")? + name;
    // After the type: 4 bytes of flags, 4 of locale, then the text.
    let text = std::str::from_utf8(item.get(data + 12..)?).ok()?;
    let mut fields = text.split_ascii_whitespace().map(|field| u64::from_str_radix(field, 16));
    let _reserved = fields.next()?.ok()?;
    let priming = fields.next()?.ok()?;
    let _padding = fields.next()?.ok()?;
    let length = fields.next()?.ok()?;
    (priming < 1 << 20 && length > 0).then_some(Smpb { priming, length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn atom(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, body].concat()
    }

    fn movie(edit: &[u8], tail: &[u8]) -> Vec<u8> {
        let header = |scale: u32| [&[0; 12][..], &scale.to_be_bytes(), &[0; 8]].concat();
        let hdlr = [&[0; 8][..], b"soun", &[0; 13]].concat();
        let mdia = [atom(b"mdhd", &header(44_100)), atom(b"hdlr", &hdlr)].concat();
        let trak = [atom(b"edts", &atom(b"elst", edit)), atom(b"mdia", &mdia)].concat();
        let moov = [atom(b"mvhd", &header(1000)), atom(b"trak", &trak), tail.to_vec()].concat();
        [atom(b"ftyp", b"M4A "), atom(b"mdat", &[7; 5000]), atom(b"moov", &moov)].concat()
    }

    #[test]
    fn finds_the_first_real_edit_behind_the_sound_data() {
        let edit = [
            &[0, 0, 0, 0, 0, 0, 0, 2][..],
            &[0, 0, 0, 50],
            &[0xff; 4],
            &[0, 1, 0, 0],
            &[0, 0, 0x4e, 0x20],
            &[0, 0, 4, 0],
            &[0, 1, 0, 0],
        ]
        .concat();
        let hints = hints(&mut Cursor::new(movie(&edit, &[])));
        assert_eq!(hints.movie_scale, 1000);
        assert_eq!(hints.track_scale, 44_100);
        assert_eq!(hints.edit, Some(Edit { length: 20_000, start: 1024 }));
        assert_eq!(hints.smpb, None);
    }

    #[test]
    fn reads_what_itunes_wrote() {
        let text = b" 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000 00000000";
        let data = [&[0, 0, 0, 1, 0, 0, 0, 0][..], text].concat();
        let free = [
            atom(b"mean", b"\0\0\0\0com.apple.iTunes"),
            atom(b"name", b"\0\0\0\0iTunSMPB"),
            atom(b"data", &data),
        ]
        .concat();
        let meta = [&[0; 4][..], &atom(b"ilst", &atom(b"----", &free))].concat();
        let hints = hints(&mut Cursor::new(movie(&[0; 8], &atom(b"udta", &atom(b"meta", &meta)))));
        assert_eq!(hints.smpb, Some(Smpb { priming: 0x840, length: 0x3F_31F6 }));
        assert_eq!(hints.edit, None);
    }

    proptest! {
        #[test]
        fn damaged_files_are_walked_to_an_end(flips in prop::collection::vec((0usize..6000, any::<u8>()), 1..40)) {
            let mut file = movie(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 4, 0, 0, 1, 0, 0], &[]);
            let length = file.len();
            for (at, value) in flips {
                file[at % length] = value;
            }
            hints(&mut Cursor::new(file));
        }
    }
}
