//! Ogg Opus files whose decoded length is the source's, frame for frame, and whose edges are clean: the encoder is
//! run in on the sound before the cut, which the pre-skip hides, and out on the sound behind it, which the last
//! granule position hides. So neighbouring files of one recording join without a trace.

use std::io;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bitrate, Channels, Encoder, ErrorCode, SampleRate};

/// Opus knows one rate.
pub(crate) const RATE: u32 = 48_000;
/// Frames in a packet: 20 ms.
const PACKET: usize = 960;
/// Frames of earlier sound that the encoder is run in on: the 80 ms in which a decoder converges.
const RUN_IN: usize = 3840;
/// Packets in a page: one second.
const PAGE: usize = 50;

/// Encodes `recording[cut]` with its surroundings as run-in and run-out.
pub(crate) fn encode(
    recording: &[[f32; 2]],
    cut: std::ops::Range<usize>,
    bits_per_second: u32,
    tags: &[(String, String)],
    serial: u32,
) -> io::Result<Vec<u8>> {
    let mut encoder =
        Encoder::new(Channels::Stereo, SampleRate::Hz48000, Application::Audio).map_err(opus)?;
    encoder.set_bitrate(Bitrate::Value(bits_per_second)).map_err(opus)?;
    encoder.set_vbr(true).map_err(opus)?;
    encoder.set_complexity(10).map_err(opus)?;
    let look_ahead = encoder.get_look_ahead().map_err(opus)? as usize;
    let pre_skip = RUN_IN + look_ahead;
    let frames = cut.len();
    let packets = (pre_skip + frames).div_ceil(PACKET);

    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head(pre_skip as u16), serial, PacketWriteEndInfo::EndPage, 0)?;
    writer.write_packet(comments(tags), serial, PacketWriteEndInfo::EndPage, 0)?;
    let mut buffer = vec![0; 4000];
    for number in 0..packets {
        let input: Vec<f32> = (0..PACKET)
            .flat_map(|i| {
                // Position in the recording, counted from RUN_IN frames before the cut.
                let at = (cut.start + number * PACKET + i).checked_sub(RUN_IN);
                at.and_then(|at| recording.get(at)).copied().unwrap_or([0.0; 2])
            })
            .collect();
        let length = encoder.encode_float_to_slice(&input, &mut buffer).map_err(opus)?;
        let packet = buffer.get(..length).unwrap_or_default().to_vec();
        let last = number + 1 == packets;
        let end = match (last, (number + 1) % PAGE) {
            (true, _) => PacketWriteEndInfo::EndStream,
            (false, 0) => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        let granule = ((number + 1) * PACKET).min(pre_skip + frames);
        writer.write_packet(packet, serial, end, granule as u64)?;
    }
    Ok(writer.into_inner())
}

fn head(pre_skip: u16) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec();
    head.extend(pre_skip.to_le_bytes());
    head.extend(RATE.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

fn comments(tags: &[(String, String)]) -> Vec<u8> {
    let mut packet = b"OpusTags".to_vec();
    let mut text = |s: &str| {
        packet.extend((s.len() as u32).to_le_bytes());
        packet.extend(s.as_bytes());
    };
    text("segue demo album");
    packet.extend((tags.len() as u32).to_le_bytes());
    for (name, value) in tags {
        let field = format!("{name}={value}");
        packet.extend((field.len() as u32).to_le_bytes());
        packet.extend(field.as_bytes());
    }
    packet
}

fn opus(code: ErrorCode) -> io::Error {
    io::Error::other(format!("libopus: {code:?}"))
}
