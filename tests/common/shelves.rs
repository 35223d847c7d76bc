//! A big library as files: 20,000 and more small valid music files with the tags of [`Plenty`], in the proportions of formats
//! that real libraries have, with tags that are missing, strange or in old fashions. The same seed gives the same bytes.
//!
//! Everything is put together here, byte by byte, and not by the library that the scanner reads with: a mistake that both
//! made would not be seen otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
};

use segue::music::Track;

use super::media::{aiff, flac, mp3, wav};
use super::plenty::{Dice, Plenty};

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shelves {
    /// Every music file with the title in its tag; none where it has no tag.
    pub(crate) files: Vec<(PathBuf, Option<String>)>,
    /// Sum of all bytes, pictures too.
    pub(crate) bytes: u64,
}

/// Tags by the names of Vorbis comments, in the order of writing.
type Fields = Vec<(&'static str, String)>;

/// Writes so many music files below `root`.
pub(crate) fn fill(root: &Path, seed: u64, count: usize) -> Shelves {
    let mut dice = Dice::new(seed ^ 0x5e1f);
    let mut shelves = Shelves::default();
    let sound = Sound::new();
    for (at, release) in Plenty::new(seed, count).enumerate() {
        let title = release.album.as_ref().map_or("loose", |album| album.title.as_str());
        let artist = release.tracks.first().map_or("nobody", |track| track.album_artist.as_str());
        let folder = root.join(file_name(artist, "unknown")).join(file_name(title, "untitled"));
        // Two albums of one name lie in two folders.
        let folder = if folder.exists() { folder.with_file_name(format!("album {at}")) } else { folder };
        fs::create_dir_all(&folder).unwrap();
        let kind = Kind::of(dice.below(100));
        let picture = match dice.below(100) {
            0..15 => Some(picture(&mut dice)),
            15..65 => {
                let bytes = picture(&mut dice);
                fs::write(folder.join("cover.jpg"), &bytes).unwrap();
                shelves.bytes += bytes.len() as u64;
                None
            }
            _ => None,
        };
        let bare = dice.chance(2);
        for track in &release.tracks {
            let fields = if bare { Fields::new() } else { fields(track, &mut dice) };
            let bytes = sound.file(kind, &fields, picture.as_deref(), &mut dice);
            let number = track.number.unwrap_or(0);
            let name = format!("{number:02} {}.{}", file_name(&track.title, "untitled"), kind.suffix());
            let path = folder.join(name);
            fs::write(&path, &bytes).unwrap();
            shelves.bytes += bytes.len() as u64;
            let said = fields.iter().find(|(key, _)| *key == "TITLE").map(|(_, title)| title.clone());
            shelves.files.push((path, said));
        }
    }
    shelves
}

/// One file with tags of our choice; `version` is the minor version of `ID3v2` where that is the format's tag.
#[allow(dead_code, reason = "benches need whole libraries alone")]
pub(crate) fn one(suffix: &str, version: u8, fields: &[(&'static str, &str)]) -> Vec<u8> {
    let kind = match suffix {
        "mp3" => Kind::Mp3(version),
        "flac" => Kind::Flac,
        "m4a" => Kind::Mp4,
        "opus" => Kind::Opus,
        "wav" => Kind::Wav,
        _ => Kind::Aiff,
    };
    let fields: Fields = fields.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Sound::new().file(kind, &fields, None, &mut Dice::new(1))
}

/// What a file system takes as a name.
fn file_name(text: &str, otherwise: &str) -> String {
    let clean: String = text.chars().map(|c| if matches!(c, '/' | '\\' | '\0') { '_' } else { c }).collect();
    let mut short = String::new();
    for c in clean.trim().trim_start_matches('.').chars() {
        if short.len() + c.len_utf8() > 120 {
            break;
        }
        short.push(c);
    }
    if short.trim().is_empty() { otherwise.to_owned() } else { short.trim().to_owned() }
}

fn picture(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    let length = 8_000 + dice.below(40_000);
    let seed = dice.roll().to_le_bytes();
    bytes.extend(seed.iter().cycle().take(length));
    bytes
}

fn fields(track: &Track, dice: &mut Dice) -> Fields {
    let mut fields = Fields::new();
    let mut put = |key, value: &str| {
        if !value.is_empty() {
            fields.push((key, value.to_owned()));
        }
    };
    put("TITLE", &track.title);
    put("ARTIST", &track.artist);
    put("ALBUM", &track.album);
    if !dice.chance(10) {
        put("ALBUMARTIST", &track.album_artist);
    }
    if let Some(number) = track.number {
        put("TRACKNUMBER", &number.to_string());
    }
    if let Some(year) = track.year {
        let date = match dice.below(30) {
            0 => "soon".to_owned(),
            1 => format!("{year}-13-45"),
            2..12 => format!("{year}-{:02}-{:02}", 1 + dice.below(12), 1 + dice.below(28)),
            _ => year.to_string(),
        };
        put("DATE", &date);
    }
    for genre in &track.genres {
        put("GENRE", genre);
    }
    if dice.chance(60) {
        put("REPLAYGAIN_TRACK_GAIN", &format!("-{}.{:02} dB", dice.below(12), dice.below(100)));
        put("REPLAYGAIN_TRACK_PEAK", &format!("0.{:06}", dice.below(1_000_000)));
    }
    if dice.chance(40) {
        put("COMPOSER", &track.artist);
    }
    if dice.chance(30) {
        let id = dice.roll();
        let mbid = format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            id >> 32,
            id & 0xffff,
            id & 0xfff,
            id >> 52,
            id >> 16
        );
        put("MUSICBRAINZ_TRACKID", &mbid);
    }
    if dice.chance(20) {
        put("COMMENT", &"Ripped with care. ".repeat(1 + dice.below(4)));
    }
    fields
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// MP3 with an `ID3v2` tag of this minor version.
    Mp3(u8),
    Flac,
    Mp4,
    Opus,
    Wav,
    Aiff,
}

impl Kind {
    fn of(percent: usize) -> Self {
        match percent {
            0..24 => Self::Mp3(3),
            24..48 => Self::Mp3(4),
            48..80 => Self::Flac,
            80..89 => Self::Mp4,
            89..97 => Self::Opus,
            97..99 => Self::Wav,
            _ => Self::Aiff,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Mp3(_) => "mp3",
            Self::Flac => "flac",
            Self::Mp4 => "m4a",
            Self::Opus => "opus",
            Self::Wav => "wav",
            Self::Aiff => "aiff",
        }
    }
}

/// Sound without tags, made once.
struct Sound {
    mp3: Vec<u8>,
    flac: Vec<u8>,
    wav: Vec<u8>,
    aiff: Vec<u8>,
    packets: Vec<Vec<u8>>,
}

impl Sound {
    fn new() -> Self {
        Self {
            mp3: mp3(12),
            flac: flac(4410, 1),
            wav: wav(4410, 1),
            aiff: aiff(4410),
            packets: opus_packets(10),
        }
    }

    fn file(&self, kind: Kind, fields: &Fields, picture: Option<&[u8]>, dice: &mut Dice) -> Vec<u8> {
        match kind {
            Kind::Mp3(version) => {
                let mut out = id3(version, fields, picture, dice);
                out.extend(&self.mp3);
                if dice.chance(30) {
                    out.extend(id3v1(fields));
                }
                out
            }
            Kind::Flac => {
                let mut out = self.flac[..42].to_vec();
                // The stream's header is not the last block any more.
                out[4] = 0;
                block(&mut out, 4, &comments(fields), picture.is_none());
                if let Some(picture) = picture {
                    block(&mut out, 6, &flac_picture(picture), true);
                }
                out.extend(&self.flac[42..]);
                out
            }
            Kind::Opus => opus_file(&self.packets, fields),
            Kind::Mp4 => mp4(fields, picture),
            Kind::Wav => {
                let tag = id3(4, fields, picture, dice);
                let mut out = self.wav.clone();
                out.extend(b"id3 ");
                out.extend((tag.len() as u32).to_le_bytes());
                out.extend(&tag);
                out.resize(out.len() + tag.len() % 2, 0);
                let size = (out.len() as u32 - 8).to_le_bytes();
                out[4..8].copy_from_slice(&size);
                out
            }
            Kind::Aiff => {
                let tag = id3(4, fields, picture, dice);
                let mut out = self.aiff.clone();
                out.extend(b"ID3 ");
                out.extend((tag.len() as u32).to_be_bytes());
                out.extend(&tag);
                out.resize(out.len() + tag.len() % 2, 0);
                let size = (out.len() as u32 - 8).to_be_bytes();
                out[4..8].copy_from_slice(&size);
                out
            }
        }
    }
}

/// Vorbis comments without the framing bit.
pub(crate) fn comments(fields: &Fields) -> Vec<u8> {
    let mut out = Vec::new();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.as_bytes());
    };
    text(&mut out, "shelves");
    out.extend((fields.len() as u32).to_le_bytes());
    for (key, value) in fields {
        text(&mut out, &format!("{key}={value}"));
    }
    out
}

fn block(out: &mut Vec<u8>, kind: u8, body: &[u8], last: bool) {
    out.push(kind | if last { 0x80 } else { 0 });
    out.extend(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend(body);
}

fn flac_picture(bytes: &[u8]) -> Vec<u8> {
    let mut out = 3_u32.to_be_bytes().to_vec();
    out.extend(10_u32.to_be_bytes());
    out.extend(b"image/jpeg");
    out.extend([0; 20]);
    out.extend((bytes.len() as u32).to_be_bytes());
    out.extend(bytes);
    out
}

fn opus_packets(count: usize) -> Vec<Vec<u8>> {
    let mut encoder = opusic_c::Encoder::new(
        opusic_c::Channels::Mono,
        opusic_c::SampleRate::Hz48000,
        opusic_c::Application::Audio,
    )
    .unwrap();
    let silence = [0_u16; 960];
    (0..count)
        .map(|_| {
            let mut data = vec![0; 1500];
            let length = encoder.encode_to_slice(&silence, &mut data).unwrap();
            data.truncate(length);
            data
        })
        .collect()
}

fn opus_file(packets: &[Vec<u8>], fields: &Fields) -> Vec<u8> {
    use ogg::writing::{PacketWriteEndInfo, PacketWriter};
    let mut out = Vec::new();
    let mut writer = PacketWriter::new(&mut out);
    let mut head = b"OpusHead\x01\x01\x38\x01".to_vec();
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0; 3]);
    writer.write_packet(head, 7, PacketWriteEndInfo::EndPage, 0).unwrap();
    let mut tags = b"OpusTags".to_vec();
    tags.extend(comments(fields));
    writer.write_packet(tags, 7, PacketWriteEndInfo::EndPage, 0).unwrap();
    for (at, packet) in packets.iter().enumerate() {
        let last = at + 1 == packets.len();
        let end = if last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
        writer.write_packet(packet.clone(), 7, end, (at as u64 + 1) * 960).unwrap();
    }
    drop(writer);
    out
}

/// An `ID3v2` tag. Version 3 has texts in Latin-1 or UTF-16 and joins values with "/"; version 4 has UTF-8 and NUL.
fn id3(version: u8, fields: &Fields, picture: Option<&[u8]>, dice: &mut Dice) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut written: Vec<&str> = Vec::new();
    for (key, _) in fields {
        if written.contains(key) {
            continue;
        }
        written.push(key);
        let values: Vec<&str> = fields.iter().filter(|(k, _)| k == key).map(|(_, v)| v.as_str()).collect();
        let value = values.join(if version == 3 { "/" } else { "\0" });
        let name = match *key {
            "TITLE" => "TIT2",
            "ARTIST" => "TPE1",
            "ALBUM" => "TALB",
            "ALBUMARTIST" => "TPE2",
            "TRACKNUMBER" => "TRCK",
            "GENRE" => "TCON",
            "COMPOSER" => "TCOM",
            "DATE" if version == 3 => "TYER",
            "DATE" => "TDRC",
            "COMMENT" => {
                let mut body = vec![if version == 3 { 0 } else { 3 }];
                body.extend(b"eng\0");
                body.extend(value.as_bytes());
                frame(&mut frames, version, "COMM", &body);
                continue;
            }
            "MUSICBRAINZ_TRACKID" => {
                let body = [b"http://musicbrainz.org\0", value.as_bytes()].concat();
                frame(&mut frames, version, "UFID", &body);
                continue;
            }
            other => {
                let body = [b"\0", other.to_lowercase().as_bytes(), b"\0", value.as_bytes()].concat();
                frame(&mut frames, version, "TXXX", &body);
                continue;
            }
        };
        frame(&mut frames, version, name, &id3_text(version, &value));
    }
    if let Some(picture) = picture {
        let body = [b"\0image/jpeg\0\x03\0".as_slice(), picture].concat();
        frame(&mut frames, version, "APIC", &body);
    }
    // Programs that write tags leave room for more.
    frames.resize(frames.len() + if dice.chance(50) { 1024 } else { 0 }, 0);
    let mut out = vec![b'I', b'D', b'3', version, 0, 0];
    out.extend(synchsafe(frames.len()));
    out.extend(frames);
    out
}

fn id3_text(version: u8, value: &str) -> Vec<u8> {
    if version == 4 {
        return [b"\x03", value.as_bytes()].concat();
    }
    if value.is_ascii() {
        return [b"\0", value.as_bytes()].concat();
    }
    let mut body = vec![1, 0xff, 0xfe];
    body.extend(value.encode_utf16().flat_map(u16::to_le_bytes));
    body
}

fn frame(out: &mut Vec<u8>, version: u8, id: &str, body: &[u8]) {
    out.extend(id.as_bytes());
    if version == 3 {
        out.extend((body.len() as u32).to_be_bytes());
    } else {
        out.extend(synchsafe(body.len()));
    }
    out.extend([0, 0]);
    out.extend(body);
}

fn synchsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift) as u8 & 0x7f)
}

fn id3v1(fields: &Fields) -> Vec<u8> {
    let mut out = b"TAG".to_vec();
    for key in ["TITLE", "ARTIST", "ALBUM"] {
        let value = fields.iter().find(|(k, _)| *k == key).map_or("", |(_, v)| v.as_str());
        let mut field: Vec<u8> =
            value.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).take(30).collect();
        field.resize(30, 0);
        out.extend(field);
    }
    out.resize(128, 0);
    out[127] = 255;
    out
}

fn atom(id: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = (body.len() as u32 + 8).to_be_bytes().to_vec();
    out.extend(id);
    out.extend(body);
    out
}

/// An item of a list of metadata; kind 1 is text, 0 is bytes, 13 is a JPEG, 21 a number.
fn item(id: [u8; 4], kind: u32, values: &[&[u8]]) -> Vec<u8> {
    let data: Vec<u8> = values
        .iter()
        .flat_map(|value| {
            let mut body = kind.to_be_bytes().to_vec();
            body.extend([0; 4]);
            body.extend(*value);
            atom(*b"data", &body)
        })
        .collect();
    atom(id, &data)
}

fn ilst(fields: &Fields, picture: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut written: Vec<&str> = Vec::new();
    for (key, value) in fields {
        if written.contains(key) {
            continue;
        }
        written.push(key);
        let all: Vec<&[u8]> = fields.iter().filter(|(k, _)| k == key).map(|(_, v)| v.as_bytes()).collect();
        let id: [u8; 4] = match *key {
            "TITLE" => *b"\xa9nam",
            "ARTIST" => *b"\xa9ART",
            "ALBUM" => *b"\xa9alb",
            "ALBUMARTIST" => *b"aART",
            "GENRE" => *b"\xa9gen",
            "COMPOSER" => *b"\xa9wrt",
            "DATE" => *b"\xa9day",
            "COMMENT" => *b"\xa9cmt",
            "TRACKNUMBER" => {
                let number: u16 = value.parse().unwrap_or(0);
                let mut body = vec![0; 8];
                body[2..4].copy_from_slice(&number.to_be_bytes());
                out.extend(item(*b"trkn", 0, &[&body]));
                continue;
            }
            other => {
                let name = match other {
                    "MUSICBRAINZ_TRACKID" => "MusicBrainz Track Id".to_owned(),
                    other => other.to_lowercase(),
                };
                let mut body = atom(*b"mean", b"\0\0\0\0com.apple.iTunes");
                body.extend(atom(*b"name", &[b"\0\0\0\0", name.as_bytes()].concat()));
                for value in all {
                    let data = [b"\0\0\0\x01\0\0\0\0", value].concat();
                    body.extend(atom(*b"data", &data));
                }
                out.extend(atom(*b"----", &body));
                continue;
            }
        };
        out.extend(item(id, 1, &all));
    }
    if let Some(picture) = picture {
        out.extend(item(*b"covr", 13, &[picture]));
    }
    out
}

/// An M4A file of silent AAC-LC, 44.1 kHz, one channel.
fn mp4(fields: &Fields, picture: Option<&[u8]>) -> Vec<u8> {
    const PACKET: [u8; 4] = [0x01, 0x18, 0x20, 0x07];
    const PACKETS: u32 = 12;
    let be = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_be_bytes()).collect() };
    let length = PACKETS * 1024;
    let ftyp = atom(*b"ftyp", b"M4A \0\0\x02\0M4A mp42isom\0\0\0\0");
    let matrix = be(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    let mvhd =
        [be(&[0, 0, 0, 44_100, length, 0x1_0000, 0x0100_0000, 0, 0]), matrix.clone(), be(&[0; 6]), be(&[2])]
            .concat();
    let tkhd = [be(&[7, 0, 0, 1, 0, length, 0, 0, 0, 0x0100_0000]), matrix, be(&[0, 0])].concat();
    let mdhd = be(&[0, 0, 0, 44_100, length, 0x55c4_0000]);
    let hdlr = [be(&[0, 0]), b"soun".to_vec(), be(&[0, 0, 0]), vec![0]].concat();
    let esds = [
        be(&[0]),
        vec![0x03, 25, 0, 0, 0, 0x04, 17, 0x40, 0x15, 0, 0, 0],
        be(&[64_000, 64_000]),
        vec![0x05, 2, 0x12, 0x08, 0x06, 1, 2],
    ]
    .concat();
    let mp4a = [
        vec![0, 0, 0, 0, 0, 0, 0, 1],
        be(&[0, 0]),
        vec![0, 1, 0, 16, 0, 0, 0, 0],
        be(&[44_100 << 16]),
        atom(*b"esds", &esds),
    ]
    .concat();
    let dinf = atom(*b"dinf", &atom(*b"dref", &[be(&[0, 1]), atom(*b"url ", &be(&[1]))].concat()));
    let table = |offset: u32| {
        [
            atom(*b"stsd", &[be(&[0, 1]), atom(*b"mp4a", &mp4a)].concat()),
            atom(*b"stts", &be(&[0, 1, PACKETS, 1024])),
            atom(*b"stsc", &be(&[0, 1, 1, PACKETS, 1])),
            atom(*b"stsz", &be(&[0, PACKET.len() as u32, PACKETS])),
            atom(*b"stco", &be(&[0, 1, offset])),
        ]
        .concat()
    };
    let meta_hdlr = [be(&[0, 0]), b"mdirappl".to_vec(), be(&[0, 0]), vec![0]].concat();
    let meta = [be(&[0]), atom(*b"hdlr", &meta_hdlr), atom(*b"ilst", &ilst(fields, picture))].concat();
    let moov = |offset: u32| {
        let minf = [atom(*b"smhd", &be(&[0, 0])), dinf.clone(), atom(*b"stbl", &table(offset))].concat();
        let mdia = [atom(*b"mdhd", &mdhd), atom(*b"hdlr", &hdlr), atom(*b"minf", &minf)].concat();
        let trak = [atom(*b"tkhd", &tkhd), atom(*b"mdia", &mdia)].concat();
        let udta = atom(*b"meta", &meta);
        atom(*b"moov", &[atom(*b"mvhd", &mvhd), atom(*b"trak", &trak), atom(*b"udta", &udta)].concat())
    };
    let offset = (ftyp.len() + moov(0).len() + 8) as u32;
    [ftyp, moov(offset), atom(*b"mdat", &PACKET.repeat(PACKETS as usize))].concat()
}
