//! Finds a place in a FLAC file whose bytes are far away: with few reads, each of them small, where bisecting would ask
//! a distant server a dozen times. The seek table narrows the search where there is one; from there the place is
//! estimated between what is known on both sides, and read on to when it is near.
//!
//! Layout of metadata and frame headers: RFC 9639, sections 8 and 9.1.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// A place that is less than this far behind a known frame is read on to, in bytes: about what a thin line brings in
/// the time of another question.
const NEAR: u64 = 64 * 1024;
/// Estimates aim this much before the place: too early costs little, too late another question.
const MARGIN: u64 = 24 * 1024;
/// Questions before the search is given up.
const QUESTIONS: u32 = 12;
/// Bytes that are looked through for a frame's beginning; longer frames than this are rarer than broken files.
const WINDOW: usize = 256 * 1024;
/// Bytes asked for at a time.
const STEP: usize = 4096;
/// Metadata blocks in a file are a handful.
const MAX_BLOCKS: u32 = 256;
/// Length of the block STREAMINFO, and of the longest frame header.
const STREAM_INFO: usize = 34;
const LONGEST_HEADER: usize = 16;

/// Where to read on, and what to read before it so that a demuxer takes both for one file.
pub(super) struct Place {
    /// A file's beginning without anything but the block STREAMINFO.
    pub(super) head: Vec<u8>,
    /// Where the frame begins that holds the place, or one shortly before.
    pub(super) byte: u64,
}

/// A frame's first sample, and where it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    sample: u64,
    byte: u64,
}

/// The metadata of a file that counts here.
struct Layout {
    info: [u8; STREAM_INFO],
    /// Where the first frame begins.
    sound: u64,
    points: Vec<Point>,
}

/// Looks for the sample `target` in a file of `length` bytes. `None` where the file is of another kind or damaged, or
/// where a read failed: others may still find the place.
pub(super) fn find(source: &mut (impl Read + Seek), length: u64, target: u64) -> Option<Place> {
    let layout = Layout::read(source)?;
    let total = layout.samples().filter(|total| target <= *total)?;
    let mut low = Point { sample: 0, byte: layout.sound };
    let mut high = Point { sample: total, byte: length };
    for point in &layout.points {
        if point.sample <= target && point.sample >= low.sample {
            low = *point;
        } else if point.sample > target && point.sample < high.sample {
            high = *point;
        }
    }
    let mut last: Option<Point> = None;
    let mut guess = between(low, high, target)?;
    for _ in 0..QUESTIONS {
        if guess.saturating_sub(low.byte) <= NEAR {
            return Some(Place { head: layout.head(), byte: low.byte });
        }
        let at = guess - MARGIN;
        let seen = match layout.frame_from(source, at, low.sample..total).ok()? {
            Some(point) => point,
            // The last frame begins before.
            None => Point { sample: high.sample, byte: at },
        };
        if seen.sample <= target {
            low = seen;
        } else {
            high = Point { sample: seen.sample, byte: at };
        }
        // Where two answers lie on one side of the place, what lies between them tells more than the far end does.
        let onward = last.filter(|last| (last.sample <= target) == (seen.sample <= target));
        guess = onward
            .and_then(|last| beyond(last, seen, target))
            .filter(|guess| (low.byte..high.byte).contains(guess))
            .or_else(|| between(low, high, target))?;
        last = Some(seen);
    }
    None
}

/// Where `target` would stand if the bytes behind two points, or before them, were spread as between them.
fn beyond(first: Point, second: Point, target: u64) -> Option<u64> {
    let (samples, bytes) = (first.sample.abs_diff(second.sample), first.byte.abs_diff(second.byte));
    let away = u128::from(bytes) * u128::from(target.abs_diff(second.sample)) / u128::from(samples.max(1));
    let away = u64::try_from(away).ok()?;
    if target < second.sample { second.byte.checked_sub(away) } else { second.byte.checked_add(away) }
}

/// Where `target` would stand if the bytes between two points were spread evenly.
fn between(low: Point, high: Point, target: u64) -> Option<u64> {
    let (bytes, samples) = (high.byte.checked_sub(low.byte)?, high.sample.checked_sub(low.sample)?);
    let share = u128::from(bytes) * u128::from(target.checked_sub(low.sample)?) / u128::from(samples.max(1));
    Some(low.byte + u64::try_from(share).ok()?.min(bytes))
}

impl Layout {
    fn read(source: &mut (impl Read + Seek)) -> Option<Self> {
        source.seek(SeekFrom::Start(0)).ok()?;
        let mut marker = [0; 4];
        source.read_exact(&mut marker).ok()?;
        if &marker != b"fLaC" {
            return None;
        }
        let (mut info, mut points) = (None, Vec::new());
        let mut at = 4;
        for _ in 0..MAX_BLOCKS {
            let mut header = [0; 4];
            source.seek(SeekFrom::Start(at)).ok()?;
            source.read_exact(&mut header).ok()?;
            let [kind, size @ ..] = header;
            let size = size.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
            match kind & 0x7F {
                0 if size == STREAM_INFO as u64 => {
                    let mut block = [0; STREAM_INFO];
                    source.read_exact(&mut block).ok()?;
                    info = Some(block);
                }
                3 => {
                    let mut table = Vec::new();
                    source.take(size).read_to_end(&mut table).ok()?;
                    points = table.chunks_exact(18).filter_map(seek_point).collect();
                }
                _ => {}
            }
            at += 4 + size;
            if kind & 0x80 != 0 {
                // Points count from the first frame.
                for point in &mut points {
                    point.byte = point.byte.checked_add(at)?;
                }
                return Some(Layout { info: info?, sound: at, points });
            }
        }
        None
    }

    /// Samples in all, where the file says it.
    fn samples(&self) -> Option<u64> {
        let bits: &[u8; 8] = self.info.get(10..18)?.try_into().ok()?;
        Some(u64::from_be_bytes(*bits) & 0xF_FFFF_FFFF).filter(|samples| *samples > 0)
    }

    /// Samples of every frame, where frames are counted.
    fn block_size(&self) -> u64 {
        u64::from(u16::from_be_bytes([self.info[0], self.info[1]]))
    }

    /// Whether a frame of this file may have channels and bits so coded.
    fn has_such(&self, channels_and_bits: u8) -> bool {
        // STREAMINFO: 20 bits of rate, 3 of channels less one, 5 of bits a sample less one.
        let (channels, bits) = ((self.info[12] >> 1) & 7, (self.info[12] & 1) << 4 | self.info[13] >> 4);
        let same_channels = match channels_and_bits >> 4 {
            independent @ 0..=7 => independent == channels,
            8..=10 => channels == 1,
            _ => false,
        };
        let same_bits = match (channels_and_bits >> 1) & 7 {
            0 => true,
            1 => bits == 7,
            2 => bits == 11,
            4 => bits == 15,
            5 => bits == 19,
            6 => bits == 23,
            7 => bits == 31,
            _ => false,
        };
        same_channels && same_bits && channels_and_bits & 1 == 0
    }

    fn head(&self) -> Vec<u8> {
        [&b"fLaC\x80\x00\x00\x22"[..], &self.info].concat()
    }

    /// The first frame from a byte on whose sample is a possible one; none where the file ends before.
    fn frame_from(
        &self,
        source: &mut (impl Read + Seek),
        at: u64,
        possible: Range<u64>,
    ) -> io::Result<Option<Point>> {
        source.seek(SeekFrom::Start(at))?;
        let mut window = Vec::new();
        let mut looked = 0;
        while window.len() < WINDOW {
            let before = window.len();
            source.take(STEP as u64).read_to_end(&mut window)?;
            let over = window.len() == before;
            let end = if over { window.len() } else { window.len().saturating_sub(LONGEST_HEADER) };
            while looked < end {
                let sample = window.get(looked..).and_then(|bytes| self.frame_sample(bytes));
                if let Some(sample) = sample.filter(|sample| possible.contains(sample)) {
                    return Ok(Some(Point { sample, byte: at + looked as u64 }));
                }
                looked += 1;
            }
            if over {
                return Ok(None);
            }
        }
        Err(io::Error::other("no frame in a long stretch"))
    }

    /// The first sample of the frame that begins here, if one does.
    fn frame_sample(&self, bytes: &[u8]) -> Option<u64> {
        let &[0xFF, second @ (0xF8 | 0xF9), sizes, channels, ..] = bytes else { return None };
        let (size, rate) = (sizes >> 4, sizes & 0x0F);
        if size == 0 || rate == 15 || !self.has_such(channels) {
            return None;
        }
        let (number, length) = coded_number(bytes.get(4..)?)?;
        let size_bytes = match size {
            6 => 1,
            7 => 2,
            _ => 0,
        };
        let rate_bytes = match rate {
            12 => 1,
            13 | 14 => 2,
            _ => 0,
        };
        let end = 4 + length + size_bytes + rate_bytes;
        if crc8(bytes.get(..end)?) != *bytes.get(end)? {
            return None;
        }
        // Frames of one size are numbered, others tell their first sample.
        if second == 0xF8 { number.checked_mul(self.block_size()) } else { Some(number) }
    }
}

/// One entry of a seek table, its place counted from the first frame; `None` for one that is kept free.
fn seek_point(entry: &[u8]) -> Option<Point> {
    let sample = u64::from_be_bytes(*entry.first_chunk()?);
    let byte = u64::from_be_bytes(*entry.get(8..)?.first_chunk()?);
    (sample != u64::MAX).then_some(Point { sample, byte })
}

/// A number as UTF-8 codes characters, up to 36 bits, and how many bytes it takes.
fn coded_number(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let length = match first.leading_ones() {
        0 => return Some((u64::from(first), 1)),
        ones @ 2..=7 => ones as usize,
        _ => return None,
    };
    let mut number = u64::from(first) & ((1 << (7 - length)) - 1);
    for byte in bytes.get(1..length)? {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3F);
    }
    Some((number, length))
}

/// The sum over a frame header: polynomial x⁸ + x² + x + 1.
fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 })
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const BLOCK: u64 = 4096;

    /// A file of frames of these sizes, filled with noise that has what looks like frames in it.
    fn file(sizes: &[usize], table: &[(u64, u64)], picture: usize) -> Vec<u8> {
        let mut info = [0_u8; STREAM_INFO];
        info[..2].copy_from_slice(&(BLOCK as u16).to_be_bytes());
        info[2..4].copy_from_slice(&(BLOCK as u16).to_be_bytes());
        let bits = (44_100_u64 << 44) | (1 << 41) | (15 << 36) | (sizes.len() as u64 * BLOCK);
        info[10..18].copy_from_slice(&bits.to_be_bytes());
        let mut out = b"fLaC\x00\x00\x00\x22".to_vec();
        out.extend(info);
        if !table.is_empty() {
            out.extend([3, 0, 0, (table.len() * 18) as u8]);
            for (sample, byte) in table {
                out.extend(sample.to_be_bytes());
                out.extend(byte.to_be_bytes());
                out.extend((BLOCK as u16).to_be_bytes());
            }
        }
        out.push(0x86);
        out.extend(&(picture as u32).to_be_bytes()[1..]);
        out.extend(vec![0xFF; picture]);
        let mut seed = 7_u32;
        for (n, size) in sizes.iter().enumerate() {
            let mut frame = vec![0xFF, 0xF8, 0xC9, 0x18];
            let mut utf8 = [0; 4];
            frame.extend(char::from_u32(n as u32).unwrap().encode_utf8(&mut utf8).bytes());
            frame.push(crc8(&frame));
            while frame.len() < *size {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                frame.push((seed >> 24) as u8);
                if seed.is_multiple_of(97) {
                    let almost = [0xFF, 0xF8, 0xC9, 0x18, 3];
                    frame.extend(almost);
                    frame.push(!crc8(&almost));
                }
            }
            out.extend(frame);
        }
        out
    }

    /// Counts the places that were read away from where reading stood.
    struct Counting {
        bytes: Cursor<Vec<u8>>,
        read: u64,
        jumps: u32,
        jumped: bool,
    }

    impl Counting {
        fn new(bytes: Vec<u8>) -> Self {
            Counting { bytes: Cursor::new(bytes), read: 0, jumps: 0, jumped: false }
        }
    }

    impl Read for Counting {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.jumps += u32::from(std::mem::take(&mut self.jumped));
            let n = self.bytes.read(buf)?;
            self.read += n as u64;
            Ok(n)
        }
    }

    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.jumped = true;
            self.bytes.seek(to)
        }
    }

    /// What stands at the place that was found: the first sample of a frame.
    fn found(bytes: &[u8], target: u64) -> (u64, u64, Counting) {
        let mut source = Counting::new(bytes.to_vec());
        let place = find(&mut source, bytes.len() as u64, target).expect("a place");
        let layout = Layout::read(&mut Cursor::new(place.head)).expect("a head");
        let sample = layout.frame_sample(&bytes[place.byte as usize..]).expect("a frame");
        (sample, place.byte, source)
    }

    #[test]
    fn a_far_place_takes_few_small_reads() {
        // Four minutes: quiet and small at first, loud and large from the middle on.
        let sizes: Vec<usize> =
            (0..2580).map(|n| if n < 1200 { 4000 + n % 700 } else { 13_000 + n % 900 }).collect();
        let bytes = file(&sizes, &[], 100_000);
        for second in [1, 60, 110, 112, 120, 180, 239] {
            let target = second * 44_100;
            let (sample, byte, source) = found(&bytes, target);
            assert!(sample <= target, "{second} s: {sample}");
            // From there to the place.
            let rest: usize = sizes[(sample / BLOCK) as usize..(target / BLOCK) as usize].iter().sum();
            assert!(rest as u64 <= 2 * NEAR, "{second} s: {rest} bytes to read on");
            assert!(source.jumps <= 3 + 7, "{second} s: {} places were read", source.jumps);
            assert!(source.read < 120_000, "{second} s: {} bytes were read", source.read);
            assert!(byte < bytes.len() as u64);
        }
    }

    #[test]
    fn a_seek_table_saves_questions() {
        let sizes: Vec<usize> = (0..2000).map(|n| 3000 + n * 5).collect();
        let mut table = Vec::new();
        let mut byte = 0;
        for (n, size) in sizes.iter().enumerate() {
            if n % 100 == 0 {
                table.push((n as u64 * BLOCK, byte));
            }
            byte += *size as u64;
        }
        // Free entries come last.
        table.truncate(13);
        table.push((u64::MAX, 0));
        let with = found(&file(&sizes, &table, 10), 1_150 * BLOCK + 7);
        let without = found(&file(&sizes, &[], 10), 1_150 * BLOCK + 7);
        assert!(with.0 <= 1_150 * BLOCK && without.0 <= 1_150 * BLOCK);
        assert!(with.2.jumps < without.2.jumps, "{} and {}", with.2.jumps, without.2.jumps);
    }

    #[test]
    fn what_is_no_such_file_is_left_to_others() {
        assert!(find(&mut Cursor::new(b"OggS".to_vec()), 4, 10).is_none());
        let bytes = file(&[5000; 200], &[], 0);
        assert!(find(&mut Cursor::new(bytes[..30].to_vec()), 30, 10).is_none());
        // A place behind the end.
        assert!(find(&mut Cursor::new(bytes.clone()), bytes.len() as u64, 1 << 40).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn whatever_is_found_is_a_frame_at_or_before_the_place(
            sizes in prop::collection::vec(20_usize..20_000, 1..40), part in 0.0..1.0,
        ) {
            let bytes = file(&sizes, &[], 0);
            let target = (part * (sizes.len() as u64 * BLOCK) as f64) as u64;
            let (sample, ..) = found(&bytes, target);
            prop_assert!(sample <= target);
        }

        #[test]
        fn damaged_files_end_the_search(flips in prop::collection::vec((0_usize..180_000, any::<u8>()), 1..60)) {
            let mut bytes = file(&[3000; 60], &[(0, 0), (40_960, 30_000)], 20);
            let length = bytes.len();
            for (at, value) in flips {
                bytes[at % length] = value;
            }
            let _ = find(&mut Cursor::new(bytes), length as u64, 200_000);
        }
    }
}
