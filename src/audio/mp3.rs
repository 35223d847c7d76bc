//! Finds a place in an MP3 file whose bytes are far away with one small read. Demuxers look at the end of a file for its
//! tags, or read every frame up to the place; here it is worked out from the head: exactly where all frames are of one
//! rate, by the table of contents in the Xing header where they are not.
//!
//! Frame headers: ISO 11172-3, 2.4.2.3, and ISO 13818-3. The headers Xing, Info and LAME are conventions of encoders.

use std::io::{Read, Seek, SeekFrom};

/// How far the first frame may be from the end of the tag before it.
const HEAD: usize = 8 * 1024;
/// Bytes that are read at the place: three of the longest frames, of 1441 bytes, with some room. A thin line is slow to bring more.
const WINDOW: usize = 4608;
/// Frames in a row that make sure that it is frames and not chance.
const SURE: usize = 3;
/// Bytes of earlier frames that a frame may need, at most.
const RESERVOIR: u64 = 511;

/// Bit rates by their index, kbit/s: of MPEG-1, and of the lower sample rates.
const KBPS: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LOW_KBPS: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// A frame in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Where it begins.
    pub(super) byte: u64,
    /// Its first sample, counted from the first frame of sound, delay of the encoder included.
    pub(super) sample: u64,
}

/// What a frame's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    /// Version, layer and sample rate, which do not change in a file.
    kind: u32,
    /// Bit/s.
    bit_rate: u32,
    /// Frames per second.
    rate: u32,
    /// Samples in it.
    samples: u32,
    /// Bytes of it.
    length: u32,
    /// Bytes of side information, where a Xing header stands behind.
    side: usize,
}

impl Header {
    /// Reads one of layer 3.
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = u32::from_be_bytes(*bytes.first_chunk()?);
        if word >> 21 != 0x7FF || word >> 17 & 3 != 1 {
            return None;
        }
        let (index, rate_index) = ((word >> 12 & 15) as usize, (word >> 10 & 3) as usize);
        let high = [44_100, 48_000, 32_000].get(rate_index)?;
        let (rate, first_version) = match word >> 19 & 3 {
            3 => (*high, true),
            2 => (high / 2, false),
            0 => (high / 4, false),
            _ => return None,
        };
        let kbps = *if first_version { &KBPS } else { &LOW_KBPS }.get(index)?;
        if kbps == 0 {
            return None;
        }
        let samples = if first_version { 1152 } else { 576 };
        let mono = word >> 6 & 3 == 3;
        let side = match (first_version, mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        let bit_rate = kbps * 1000;
        let length = samples / 8 * bit_rate / rate + (word >> 9 & 1);
        Some(Header { kind: word & 0xFFFE_0C00, bit_rate, rate, samples, length, side })
    }
}

/// What the head of a file says about where its frames are.
struct Layout {
    first: Header,
    /// Where the first frame of sound begins, and how long all of them are.
    begin: u64,
    bytes: u64,
    /// Frames in all and a hundred places in 256ths of the bytes, where rates vary.
    table: Option<(u64, [u8; 100])>,
}

/// Looks for the frame that holds `sample`, with as many before it as decoding needs, in a file of `length` bytes. `None`
/// where that cannot be told or a read failed: others may still find the place.
pub(super) fn find(source: &mut (impl Read + Seek), length: u64, sample: u64) -> Option<Place> {
    let layout = Layout::read(source, length)?;
    let before = 2 + RESERVOIR / u64::from(layout.first.length.max(1));
    let frame = (sample / u64::from(layout.first.samples)).checked_sub(before)?;
    let aim = layout.byte_of(frame)?;
    source.seek(SeekFrom::Start(aim)).ok()?;
    let mut window = Vec::new();
    source.take(WINDOW as u64).read_to_end(&mut window).ok()?;
    let at = (0..window.len()).find(|at| layout.frames_at(window.get(*at..).unwrap_or_default()))?;
    let byte = aim + at as u64;
    let frame = layout.frame_at(byte)?;
    Some(Place { byte, sample: frame * u64::from(layout.first.samples) })
}

impl Layout {
    fn read(source: &mut (impl Read + Seek), length: u64) -> Option<Self> {
        source.seek(SeekFrom::Start(0)).ok()?;
        let mut tag = [0; 10];
        source.read_exact(&mut tag).ok()?;
        let skip = match tag {
            [b'I', b'D', b'3', _, _, flags, a, b, c, d] => {
                let size = [a, b, c, d].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7F));
                10 + size + if flags & 0x10 == 0 { 0 } else { 10 }
            }
            _ => 0,
        };
        source.seek(SeekFrom::Start(skip)).ok()?;
        let mut head = Vec::new();
        source.take(HEAD as u64).read_to_end(&mut head).ok()?;
        let (at, first) = (0..head.len()).find_map(|at| {
            let first = Header::read(head.get(at..)?)?;
            let next = Header::read(head.get(at + first.length as usize..)?)?;
            (next.kind == first.kind).then_some((at, first))
        })?;
        let begin = skip + at as u64;
        let frame = head.get(at..at + first.length as usize)?;
        if frame.get(36..40) == Some(b"VBRI") {
            return None;
        }
        let tagged = frame.get(4 + first.side..).unwrap_or_default();
        let (varies, fields) = match tagged.first_chunk::<4>() {
            Some(b"Xing") => (true, tagged.get(4..)?),
            Some(b"Info") => (false, tagged.get(4..)?),
            _ => {
                let bytes = length.checked_sub(begin)?;
                return Some(Layout { first, begin, bytes, table: None });
            }
        };
        // The tag is a frame of its own; what it counts begins with it.
        let (begin, mut fields) = (begin + u64::from(first.length), fields);
        let mut field = || {
            let (value, rest) = fields.split_first_chunk::<4>()?;
            fields = rest;
            Some(u32::from_be_bytes(*value))
        };
        let flags = field()?;
        let frames = if flags & 1 != 0 { Some(u64::from(field()?)) } else { None };
        let counted = if flags & 2 != 0 { Some(u64::from(field()?)) } else { None };
        let bytes = counted.map_or(length, |n| n + begin - u64::from(first.length)).min(length);
        let bytes = bytes.checked_sub(begin)?;
        if !varies {
            // The tag's own frame may have another rate than those of the music.
            let music = head.get((begin - skip) as usize..).and_then(Header::read)?;
            return Some(Layout { first: music, begin, bytes, table: None });
        }
        let table = *fields.first_chunk::<100>().filter(|_| flags & 4 != 0)?;
        Some(Layout { first, begin, bytes, table: Some((frames?, table)) })
    }

    /// Where a frame begins, or is to be looked for.
    fn byte_of(&self, frame: u64) -> Option<u64> {
        let Some((frames, table)) = &self.table else {
            // A few bytes early, so that rounding does not skip it.
            let byte = (frame as f64 * self.mean_length()) as u64;
            return Some(self.begin + byte.saturating_sub(2)).filter(|byte| *byte < self.begin + self.bytes);
        };
        let percent = (frame as f64 / (*frames).max(1) as f64 * 100.0).min(100.0);
        let entry = |i: usize| table.get(i).map_or(256.0, |n| f64::from(*n));
        let whole = percent as usize;
        let part = entry(whole) + (entry(whole + 1) - entry(whole)) * (percent - whole as f64);
        Some(self.begin + (part / 256.0 * self.bytes as f64) as u64)
    }

    /// The number of the frame that begins at a byte, as nearly as can be told.
    fn frame_at(&self, byte: u64) -> Option<u64> {
        let from = byte.checked_sub(self.begin)? as f64;
        let Some((frames, table)) = &self.table else {
            return Some((from / self.mean_length()).round() as u64);
        };
        let part = from / self.bytes.max(1) as f64 * 256.0;
        let after = table.iter().position(|n| f64::from(*n) > part).unwrap_or(100);
        let entry = |i: usize| table.get(i).map_or(256.0, |n| f64::from(*n));
        let (low, high) = (entry(after.checked_sub(1)?), entry(after));
        let percent = (after - 1) as f64 + (part - low) / (high - low).max(1e-9);
        Some((percent / 100.0 * *frames as f64).round() as u64)
    }

    /// Bytes of a frame on average, where all have one rate: padding makes some one byte longer.
    fn mean_length(&self) -> f64 {
        f64::from(self.first.samples) / 8.0 * f64::from(self.first.bit_rate) / f64::from(self.first.rate)
    }

    /// Whether frames of this file begin here, one after the other.
    fn frames_at(&self, mut bytes: &[u8]) -> bool {
        (0..SURE).all(|_| {
            let Some(header) = Header::read(bytes).filter(|header| header.kind == self.first.kind) else {
                return false;
            };
            // Where rates do not vary, another one is chance, or the head was wrong.
            if self.table.is_none() && header.bit_rate != self.first.bit_rate {
                return false;
            }
            bytes = bytes.get(header.length as usize..).unwrap_or_default();
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// A frame of 44.1 kHz stereo: the index of its rate, and whether it is padded.
    fn frame(rate: u8, padded: bool, fill: u8) -> Vec<u8> {
        let head = [0xFF, 0xFB, rate << 4 | u8::from(padded) << 1, 0];
        let length = Header::read(&head).unwrap().length as usize;
        let mut frame = head.to_vec();
        // Noise with what looks like a frame in it.
        frame.extend((4..length).map(|n| (n as u8).wrapping_mul(37).wrapping_add(fill)));
        frame[100..104].copy_from_slice(&[0xFF, 0xFB, 0xB0, 0]);
        frame
    }

    /// A tag, perhaps a header of its own, then frames of these rates; and where each frame begins.
    fn file(tag: usize, header: Option<&[u8; 4]>, rates: &[u8]) -> (Vec<u8>, Vec<u64>) {
        let mut sound = Vec::new();
        let mut begins = Vec::new();
        let mut owed = 0;
        for (n, rate) in rates.iter().enumerate() {
            begins.push(sound.len() as u64);
            // As encoders do it: what a frame is too short is made up for by longer ones.
            let plain = Header::read(&[0xFF, 0xFB, rate << 4, 0]).unwrap();
            owed += 144 * plain.bit_rate % plain.rate;
            let padded = owed >= plain.rate;
            owed %= plain.rate;
            sound.extend(frame(*rate, padded, n as u8));
        }
        let mut out = b"ID3\x04\0\0".to_vec();
        out.extend([
            (tag >> 21) as u8 & 127,
            (tag >> 14) as u8 & 127,
            (tag >> 7) as u8 & 127,
            tag as u8 & 127,
        ]);
        out.resize(10 + tag, 0xFF);
        if let Some(word) = header {
            let mut first = frame(9, false, 0);
            first[4..].fill(0);
            first[36..40].copy_from_slice(word);
            first[40..44].copy_from_slice(&7_u32.to_be_bytes());
            first[44..48].copy_from_slice(&(rates.len() as u32).to_be_bytes());
            let bytes = (sound.len() + first.len()) as u32;
            first[48..52].copy_from_slice(&bytes.to_be_bytes());
            for percent in 0..100 {
                let byte = begins[percent * rates.len() / 100];
                first[52 + percent] = (byte * 256 / sound.len() as u64) as u8;
            }
            out.extend(first);
        }
        let begin = out.len() as u64;
        out.extend(sound);
        (out, begins.into_iter().map(|byte| byte + begin).collect())
    }

    fn found(bytes: &[u8], sample: u64) -> Place {
        find(&mut Cursor::new(bytes), bytes.len() as u64, sample).expect("a place")
    }

    #[test]
    fn a_constant_rate_is_exact() {
        for header in [None, Some(b"Info")] {
            let (bytes, begins) = file(5000, header, &[14; 3000]);
            for n in [20_u64, 21, 500, 1500, 2990] {
                let place = found(&bytes, n * 1152 + 7);
                let real = begins.iter().position(|begin| *begin == place.byte).expect("a frame") as u64;
                assert_eq!(place.sample, real * 1152, "{n}");
                assert!((2..=4).contains(&(n - real)), "{n}: {real}");
            }
        }
    }

    #[test]
    fn a_table_of_contents_leads_near_where_rates_vary() {
        let rates: Vec<u8> = (0..4000).map(|n| if n < 1500 { 5 } else { 14 }).collect();
        let (bytes, begins) = file(200_000, Some(b"Xing"), &rates);
        for n in [100_u64, 1400, 1600, 3000, 3900] {
            let place = found(&bytes, n * 1152);
            let real = begins.iter().position(|begin| *begin == place.byte).expect("a frame") as u64;
            // An entry stands for 40 frames, in steps of a 256th of the bytes.
            assert!(real.abs_diff(n) <= 60, "{n}: {real}");
            assert!(real.abs_diff(place.sample / 1152) <= 60, "{n}: {real} {place:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_left_to_others() {
        assert!(find(&mut Cursor::new(vec![0; 20_000]), 20_000, 1_000_000).is_none());
        let (bytes, _) = file(0, None, &[11; 50]);
        assert!(find(&mut Cursor::new(&bytes), bytes.len() as u64, 100).is_none(), "the beginning");
        assert!(find(&mut Cursor::new(&bytes), bytes.len() as u64, 1 << 40).is_none(), "behind the end");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn damaged_files_end_the_search(flips in prop::collection::vec((0_usize..60_000, any::<u8>()), 1..60)) {
            let (mut bytes, _) = file(300, Some(b"Xing"), &[9; 200]);
            let length = bytes.len();
            for (at, value) in flips {
                bytes[at % length] = value;
            }
            let _ = find(&mut Cursor::new(bytes), length as u64, 150 * 1152);
        }
    }
}
