//! Small valid music files, made here: no test needs a file from elsewhere.

use std::{fs, path::Path};

use lofty::{
    config::WriteOptions,
    file::{AudioFile, TaggedFileExt},
    picture::{MimeType, Picture, PictureType},
    tag::{ItemKey, ItemValue, Tag, TagItem},
};

/// A quiet tone, 16 bit, one channel; `seed` makes it different from others.
fn tone(samples: usize, seed: u32) -> Vec<i16> {
    (0..samples as u32).map(|n| (n.wrapping_mul(seed * 7 + 3) % 200) as i16 - 100).collect()
}

/// A WAV file of 16 bit mono.
pub(crate) fn wav(samples: usize, seed: u32) -> Vec<u8> {
    let data: Vec<u8> = tone(samples, seed).iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(44_100_u32.to_le_bytes());
    out.extend(88_200_u32.to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

/// An AIFF file of 16 bit mono.
pub(crate) fn aiff(samples: usize) -> Vec<u8> {
    let data: Vec<u8> = tone(samples, 5).iter().flat_map(|s| s.to_be_bytes()).collect();
    let mut out = b"FORM".to_vec();
    out.extend((46 + data.len() as u32).to_be_bytes());
    out.extend(b"AIFFCOMM\0\0\0\x12\0\x01");
    out.extend((samples as u32).to_be_bytes());
    // 44,100 Hz as an 80 bit float.
    out.extend(b"\0\x10\x40\x0e\xac\x44\0\0\0\0\0\0SSND");
    out.extend((8 + data.len() as u32).to_be_bytes());
    out.extend([0; 8]);
    out.extend(data);
    out
}

/// Silent MPEG-1 Layer III frames of 128 kbit/s and 44.1 kHz: all zeros after the header decode to silence.
pub(crate) fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = vec![0_u8; 417];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x00]);
    frame.repeat(frames)
}

/// ADTS frames of AAC-LC, 44.1 kHz, one channel.
pub(crate) fn aac(frames: usize) -> Vec<u8> {
    let payload = [0x01, 0x18, 0x20, 0x07];
    let length = payload.len() + 7;
    let mut frame = vec![0xff, 0xf1, 0x50, 0x40, (length >> 3) as u8, ((length & 7) << 5) as u8 | 0x1f, 0xfc];
    frame.extend(payload);
    frame.repeat(frames)
}

/// A FLAC file of 16 bit mono whose subframes are verbatim.
pub(crate) fn flac(samples: usize, seed: u32) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let tone = tone(samples, seed);
    let mut out = b"fLaC\x80\0\0\x22".to_vec();
    out.extend((BLOCK as u16).to_be_bytes().repeat(2));
    out.extend([0; 6]);
    // Rate 44,100 in 20 bits, channels less one in 3, bits less one in 5, samples in 36.
    let packed = (44_100_u64 << 44) | (15_u64 << 36) | samples as u64;
    out.extend(packed.to_be_bytes());
    out.extend([0; 16]);
    for (number, block) in tone.chunks(BLOCK).enumerate() {
        // Fixed block size written in 16 bits, 44.1 kHz, mono, 16 bit.
        let mut frame = vec![0xff, 0xf8, 0x79, 0x08];
        let number = char::from_u32(number as u32).unwrap();
        frame.extend(number.encode_utf8(&mut [0; 4]).bytes());
        frame.extend((block.len() as u16 - 1).to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        frame.push(0x02);
        frame.extend(block.iter().flat_map(|s| s.to_be_bytes()));
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        out.extend(frame);
    }
    out
}

fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let top = 1 << (width - 1);
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << (width - 8)), |crc, _| {
            let shifted = (crc << 1) & ((top << 1) - 1);
            if crc & top == 0 { shifted } else { shifted ^ polynomial }
        })
    })
}

/// An Ogg Opus file of 20 ms packets, one channel.
pub(crate) fn opus(packets: u64) -> Vec<u8> {
    use ogg::writing::{PacketWriteEndInfo, PacketWriter};
    let mut encoder = opusic_c::Encoder::new(
        opusic_c::Channels::Mono,
        opusic_c::SampleRate::Hz48000,
        opusic_c::Application::Audio,
    )
    .unwrap();
    let mut out = Vec::new();
    let mut writer = PacketWriter::new(&mut out);
    let mut head = b"OpusHead\x01\x01\x38\x01".to_vec();
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0; 3]);
    writer.write_packet(head, 7, PacketWriteEndInfo::EndPage, 0).unwrap();
    let comments = b"OpusTags\x04\0\0\0test\0\0\0\0".to_vec();
    writer.write_packet(comments, 7, PacketWriteEndInfo::EndPage, 0).unwrap();
    let silence = [0_u16; 960];
    for packet in 1..=packets {
        let mut data = vec![0; 1500];
        let length = encoder.encode_to_slice(&silence, &mut data).unwrap();
        data.truncate(length);
        let end =
            if packet == packets { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
        writer.write_packet(data, 7, end, packet * 960).unwrap();
    }
    drop(writer);
    out
}

/// A picture as far as anyone looks at its first bytes.
pub(crate) fn jpeg(seed: u8) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.extend([seed; 200]);
    bytes
}

/// Writes a file, with the folders it needs.
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Gives a file these tags and no others.
pub(crate) fn tag(path: &Path, items: &[(ItemKey, &str)], picture: Option<&[u8]>) {
    let mut file = lofty::read_from_path(path).unwrap();
    let mut tag = Tag::new(file.primary_tag_type());
    for (key, value) in items {
        tag.push_unchecked(TagItem::new(*key, ItemValue::Text((*value).to_owned())));
    }
    if let Some(bytes) = picture {
        let picture = Picture::unchecked(bytes.to_vec()).pic_type(PictureType::CoverFront);
        tag.push_picture(picture.mime_type(MimeType::Jpeg).build());
    }
    file.clear();
    file.insert_tag(tag);
    file.save_to_path(path, WriteOptions::default()).unwrap();
}

/// A tagged FLAC file of a tenth of a second.
pub(crate) fn song(path: &Path, title: &str, artist: &str, album: &str, number: u32) {
    put(path, &flac(4410, number));
    let number = number.to_string();
    tag(
        path,
        &[
            (ItemKey::TrackTitle, title),
            (ItemKey::TrackArtist, artist),
            (ItemKey::AlbumArtist, artist),
            (ItemKey::AlbumTitle, album),
            (ItemKey::TrackNumber, &number),
        ],
        None,
    );
}
