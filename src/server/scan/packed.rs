//! Tags that unpack to more than anybody writes.
//!
//! Frames of `ID3v2` may be compressed, and the library that reads tags unpacks them whole, whatever comes out: a megabyte of
//! them becomes a gigabyte. So whoever wants a file's tags asks here first. What looks like a compressed frame, wherever tags
//! may be, is unpacked on the way to nowhere, and one that goes beyond the limit makes the file's tags unread.

use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use flate2::read::ZlibDecoder;
use memchr::memmem;

use crate::server::storage::{Reader, Source};

/// A tag may begin so many bytes after the place where one is looked for.
const JUNK: u64 = 128 << 10;
/// Bytes before the data of a frame: id, size, flags, and up to three additions.
const HEAD: usize = 10;
const MOST_ADDED: usize = 6;
/// Candidates that are tried; no file of a person has any.
const TRIES: usize = 64;

/// Whether a frame in the tags of a file unpacks to more than `limit` bytes.
pub(super) fn unpacks_beyond(source: &Source, limit: u64) -> io::Result<bool> {
    let mut file = source.open()?;
    let length = file.length()?;
    let mut tries = 0;
    for (start, end) in regions(&mut file, length)? {
        if beyond(source, (start, end.min(length)), limit, &mut tries)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where `ID3v2` tags may be: at the beginning, and in chunks of RIFF and AIFF.
fn regions(file: &mut Reader, length: u64) -> io::Result<Vec<(u64, u64)>> {
    let mut head = [0; 12];
    let read = file.read(&mut head)?;
    let little = match head.get(..4) {
        Some(b"RIFF" | b"RF64") if read == 12 => true,
        Some(b"FORM") if read == 12 => false,
        _ => return Ok(vec![(0, JUNK)]),
    };
    let (mut regions, mut at) = (Vec::new(), 12_u64);
    for _ in 0..10_000 {
        let mut chunk = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        if file.read_exact(&mut chunk).is_err() {
            break;
        }
        let [a, b, c, d, size @ ..] = chunk;
        let size = if little { u32::from_le_bytes(size) } else { u32::from_be_bytes(size) };
        let next = at + 8 + u64::from(size) + u64::from(size & 1);
        if [a, b, c, d].eq_ignore_ascii_case(b"id3 ") {
            regions.push((at + 8, next));
        }
        if next >= length {
            break;
        }
        at = next;
    }
    Ok(regions)
}

/// Looks through a region, which grows with every tag that is found in it.
fn beyond(source: &Source, (start, end): (u64, u64), limit: u64, tries: &mut usize) -> io::Result<bool> {
    const STEP: usize = 256 << 10;
    const OVERLAP: usize = HEAD + MOST_ADDED + 2;
    let mut file = source.open()?;
    file.seek(SeekFrom::Start(start))?;
    let (mut at, mut end) = (start, end);
    let mut window: Vec<u8> = Vec::with_capacity(STEP + OVERLAP);
    let mut tags = false;
    while at < end {
        let before = window.len();
        let wanted = (end - at).min(STEP as u64);
        (&mut file).take(wanted).read_to_end(&mut window)?;
        let read = window.len() - before;
        if read == 0 {
            break;
        }
        let first = at - before as u64;
        at += read as u64;
        let places = window.len().saturating_sub(OVERLAP - 1);
        let mut next = 0;
        while next < places {
            // Where no tag has begun, nothing counts but the beginning of one.
            let here = window.get(next..).unwrap_or_default();
            let place = next + if tags { 0 } else { memmem::find(here, b"ID3").unwrap_or(here.len()) };
            let rest = window.get(place..).unwrap_or_default();
            // Neither a frame nor a tag that begins in the next three places goes without this byte.
            next = place + if tags && rest.get(3).is_some_and(|byte| !is_of_id(*byte)) { 4 } else { 1 };
            if let [b'I', b'D', b'3', 2..=4, _, _, a, b, c, d, ..] = rest {
                let size = [a, b, c, d].iter().fold(0_u64, |size, byte| size << 7 | u64::from(**byte & 0x7f));
                end = end.max(first + place as u64 + 10 + size + JUNK);
                tags = true;
            }
            if !tags || !may_be_packed(rest) {
                continue;
            }
            for added in 4..=MOST_ADDED {
                let looks = |head: &[u8]| matches!(head, [first, second] if is_zlib(*first, *second));
                if !rest.get(HEAD + added..HEAD + added + 2).is_some_and(looks) {
                    continue;
                }
                *tries += 1;
                let from = first + (place + HEAD + added) as u64;
                if *tries > TRIES || unpacked(source, from, limit)? > limit {
                    return Ok(true);
                }
            }
        }
        let keep = window.len().min(OVERLAP - 1);
        window.drain(..window.len() - keep);
    }
    Ok(false)
}

/// Whether a frame may begin here that says it is compressed, in either version that knows of that.
fn may_be_packed(rest: &[u8]) -> bool {
    let Some((id, flags)) = rest.get(..4).zip(rest.get(9)) else { return false };
    id.iter().all(|byte| is_of_id(*byte)) && flags & 0x88 != 0
}

/// Whether a frame's id may have this byte.
fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// The two bytes that every stream of zlib begins with (RFC 1950, section 2.2).
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31)
}

/// How much comes out of a stream, up to a little more than `limit`; as it stands, or with the zeros taken out that
/// unsynchronisation put behind each 0xff.
fn unpacked(source: &Source, from: u64, limit: u64) -> io::Result<u64> {
    let mut most = 0;
    for synchronised in [false, true] {
        let mut file = source.open()?;
        file.seek(SeekFrom::Start(from))?;
        let packed = Packed { bytes: BufReader::new(file).bytes(), synchronised, after_ff: false };
        let mut stream = ZlibDecoder::new(packed).take(limit + 1);
        let (mut buffer, mut count) = ([0; 16 << 10], 0);
        // What is damaged ends here, as it does for the one who wants it.
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            count += read as u64;
        }
        most = most.max(count);
    }
    Ok(most)
}

struct Packed {
    bytes: io::Bytes<BufReader<Reader>>,
    synchronised: bool,
    after_ff: bool,
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while count < buffer.len() {
            let Some(byte) = self.bytes.next().transpose()? else { break };
            let stuffed = self.synchronised && self.after_ff && byte == 0;
            self.after_ff = byte == 0xff;
            if !stuffed && let Some(place) = buffer.get_mut(count) {
                *place = byte;
                count += 1;
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    fn packed(bytes: usize) -> Vec<u8> {
        let mut stream = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..bytes / 1000 {
            stream.write_all(&[7; 1000]).unwrap();
        }
        stream.finish().unwrap()
    }

    fn tag(flags: u8, data: &[u8]) -> Vec<u8> {
        let seven =
            |n: usize| [n >> 21 & 0x7f, n >> 14 & 0x7f, n >> 7 & 0x7f, n & 0x7f].map(|byte| byte as u8);
        let mut tag = b"ID3\x04\0\0".to_vec();
        tag.extend(seven(data.len() + 14));
        tag.extend(b"TXXX");
        tag.extend(seven(data.len() + 4));
        tag.extend([0, flags, 0, 0, 0, 9]);
        tag.extend(data);
        tag
    }

    fn chunk(form: [u8; 4], tag: &[u8], little: bool) -> Vec<u8> {
        let size = |n: usize| if little { (n as u32).to_le_bytes() } else { (n as u32).to_be_bytes() };
        let mut file = form.to_vec();
        file.extend(size(tag.len() + 20));
        file.extend(b"WAVEdata");
        file.extend(size(3));
        file.extend([1, 2, 3, 0]);
        file.extend(b"id3 ");
        file.extend(size(tag.len()));
        file.extend(tag);
        file
    }

    #[test]
    fn what_is_large_inside_is_found_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let check = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            unpacks_beyond(&Source::File(path.clone()), 1_000_000).unwrap()
        };
        let (large, small) = (packed(5_000_000), packed(500_000));
        assert!(check(&tag(0x09, &large)) && check(&tag(0x80, &large)));
        assert!(!check(&tag(0x09, &small)) && !check(&tag(0, &large)) && !check(&large));
        assert!(check(&chunk(*b"RIFF", &tag(0x09, &large), true)));
        assert!(check(&chunk(*b"FORM", &tag(0x09, &large), false)));
        assert!(!check(&chunk(*b"RIFF", &tag(0x09, &small), true)));
        // Wherever it begins behind bytes that are of no id.
        for zeros in 0..9 {
            let mut behind = tag(0, b"A");
            behind.extend(vec![0; zeros]);
            behind.extend(tag(0x09, &large));
            assert!(check(&behind), "{zeros}");
        }
        // Behind another tag, and behind bytes that are none.
        let mut later = tag(0, &vec![b'A'; 600_000]);
        later.extend(vec![0; 1000]);
        later.extend(tag(0x09, &large));
        assert!(check(&later));
        // With zeros behind each 0xff, as unsynchronisation has it.
        let stuffed: Vec<u8> =
            large.iter().flat_map(|byte| if *byte == 0xff { vec![0xff, 0] } else { vec![*byte] }).collect();
        assert!(check(&tag(0x0b, &stuffed)));
        for broken in [&b""[..], b"ID3", b"RIFF", b"RIFF\0\0\0\0WAVEid3 \xff\xff\xff\xff", b"FORM\0\0"] {
            assert!(!check(broken));
        }
    }
}
