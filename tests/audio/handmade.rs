//! Files of kinds that cannot be decoded here, as far as it takes to recognise them.
#![allow(dead_code, reason = "each test file takes what it needs")]

fn atom(kind: &[u8], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes()[..], kind, body].concat()
}

/// An MP4 file whose only track is AAC with this `AudioSpecificConfig` and one packet.
pub(crate) fn m4a(config: &[u8]) -> Vec<u8> {
    let zeros = |n: usize| vec![0_u8; n];
    let be = |n: u32| n.to_be_bytes().to_vec();
    let tag = |kind: u8, body: &[u8]| [&[kind, u8::try_from(body.len()).unwrap()], body].concat();
    let decoder = [&[0x40, 0x15][..], &zeros(11), &tag(5, config)].concat();
    let stream = [&[0, 1, 0][..], &tag(4, &decoder), &tag(6, &[2])].concat();
    let esds = atom(b"esds", &[&zeros(4)[..], &tag(3, &stream)].concat());
    let mp4a =
        [&zeros(6)[..], &[0, 1], &zeros(8), &[0, 2, 0, 16], &zeros(4), &be(48_000 << 16), &esds].concat();
    let stsd = atom(b"stsd", &[zeros(4), be(1), atom(b"mp4a", &mp4a)].concat());
    let stts = atom(b"stts", &[zeros(4), be(1), be(1), be(2048)].concat());
    let stsc = atom(b"stsc", &[zeros(4), be(1), be(1), be(1), be(1)].concat());
    let stsz = atom(b"stsz", &[zeros(4), be(16), be(1)].concat());
    let stco = atom(b"stco", &[zeros(4), be(1), be(32)].concat());
    let stbl = atom(b"stbl", &[stsd, stts, stsc, stsz, stco].concat());
    let url = atom(b"dinf", &atom(b"dref", &[zeros(4), be(1), atom(b"url ", &be(1))].concat()));
    let minf = atom(b"minf", &[atom(b"smhd", &zeros(8)), url, stbl].concat());
    let mdhd = atom(b"mdhd", &[zeros(12), be(48_000), be(2048), be(0x55C4_0000)].concat());
    let hdlr = atom(b"hdlr", &[&zeros(8)[..], b"soun", &zeros(13)].concat());
    let mdia = atom(b"mdia", &[mdhd, hdlr, minf].concat());
    let tkhd = atom(b"tkhd", &[be(7), zeros(8), be(1), zeros(4), be(2048), zeros(60)].concat());
    let mvhd = atom(b"mvhd", &[zeros(12), be(48_000), be(2048), be(0x1_0000), zeros(76), be(2)].concat());
    let moov = atom(b"moov", &[mvhd, atom(b"trak", &[tkhd, mdia].concat())].concat());
    [atom(b"ftyp", b"M4A \0\0\0\0M4A mp42"), atom(b"mdat", &zeros(16)), moov].concat()
}

/// HE-AAC as an MP4 file announces it: object type 5, a core of 24 kHz that becomes 48 kHz.
pub(crate) fn announced_he_aac() -> Vec<u8> {
    // 00101 0110 0010 0011 00010 000
    m4a(&[0b0010_1011, 0b0001_0001, 0b1000_1000])
}

/// ADTS packets of a core of 24 kHz. With an upper half each ends with a fill element of that kind.
pub(crate) fn adts(packets: usize, upper_half: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for n in 0..packets {
        // A silent channel pair cannot be told from any other here: the payload is noise that stays the same.
        let mut bits: Vec<u8> = "0010000".bytes().map(|b| b - b'0').collect();
        bits.extend((0..800).map(|i| u8::from((i * 7 + i / 3 + n) % 5 < 2)));
        if upper_half {
            bits.extend([1, 1, 0, 1, 0, 1, 0]); // a fill element of ten bytes
            bits.extend([1, 1, 0, 1]); // spectral band replication
            bits.extend((0..76).map(|i| u8::from((i + n) % 3 == 0)));
        }
        bits.extend([1, 1, 1]);
        let payload: Vec<u8> = bits
            .chunks(8)
            .map(|c| c.iter().enumerate().fold(0, |byte, (i, bit)| byte | bit << (7 - i)))
            .collect();
        let length = payload.len() + 7;
        let length_bytes = [(length >> 11) as u8, (length >> 3) as u8, (length << 5) as u8];
        // LC, 24 kHz, two channels, no sum.
        out.extend([0xFF, 0xF1, 0x58, 0x80 | length_bytes[0], length_bytes[1], length_bytes[2] | 0x1F, 0xFC]);
        out.extend(payload);
    }
    out
}

/// What a WavPack file begins with.
pub(crate) fn wavpack() -> Vec<u8> {
    let mut file = b"wvpk\x18\x10\x00\x00\x10\x04\x00\x00".to_vec();
    file.resize(5000, 0x55);
    file
}
