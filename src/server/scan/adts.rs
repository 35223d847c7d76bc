//! Length of raw AAC (ADTS): its frames have no index, so they are counted, header by header. A guess from the first frame's
//! bit rate, as tag readers make it, is minutes off for variable bit rates.

use std::io::{BufReader, Read, Seek, SeekFrom};

/// Samples in a second by index (ISO/IEC 14496-3, table 1.18).
const RATES: [u64; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Length in ms of the frames that follow an `ID3v2` tag, if there is one; `None` when the first thing there is no frame.
pub(super) fn duration_ms(file: impl Read + Seek) -> Option<u64> {
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut head = [0_u8; 10];
    reader.read_exact(&mut head).ok()?;
    let start = match head {
        [b'I', b'D', b'3', _, _, _, size @ ..] => {
            10 + size.iter().fold(0, |sum, byte| (sum << 7) | u64::from(byte & 0x7f))
        }
        _ => 0,
    };
    reader.seek(SeekFrom::Start(start)).ok()?;
    let (mut samples, mut rate) = (0_u64, 0_u64);
    let mut header = [0_u8; 7];
    while reader.read_exact(&mut header).is_ok() {
        let [0xff, sync, profile, channels, length, rest, blocks] = header else { break };
        if sync & 0xf6 != 0xf0 {
            break;
        }
        let length = (i64::from(channels & 3) << 11) | (i64::from(length) << 3) | i64::from(rest >> 5);
        rate = *RATES.get(usize::from((profile >> 2) & 0xf))?;
        if length < 7 || reader.seek_relative(length - 7).is_err() {
            break;
        }
        samples += 1024 * (u64::from(blocks & 3) + 1);
    }
    (samples > 0 && rate > 0).then(|| samples * 1000 / rate)
}
