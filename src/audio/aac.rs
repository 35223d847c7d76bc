//! Tells the kinds of AAC apart. What a decoder of plain AAC (LC) makes of HE-AAC is its lower half: dull, and of HE-AAC
//! v2 mono. So it is recognised before anything is heard, however the file signals it: in the configuration of an MP4
//! track by object type 5 or 29, or behind the plain configuration (ISO 14496-3, 1.6.5), or not at all, when only the
//! frames themselves carry the upper half (ADTS, and MP4 of old encoders).

/// Packets that are looked at for an upper half that nothing announces.
pub(super) const LOOK: usize = 6;
/// Of those so many must carry it. A packet without may look so by chance in one case of seventy.
const ENOUGH: usize = 5;
/// Above this rate no core of HE-AAC runs; frames per second.
const HIGHEST_CORE: u32 = 48_000 / 2 + 8000;

/// The name of a kind of AAC that is more than LC, from an MP4 track's `AudioSpecificConfig`.
pub(super) fn beyond_lc(config: &[u8]) -> Option<&'static str> {
    let mut bits = Bits::new(config);
    let kind = object_type(&mut bits)?;
    match kind {
        1 => return Some("AAC Main"),
        2 => {}
        3 => return Some("AAC SSR"),
        4 => return Some("AAC LTP"),
        5 => return Some("HE-AAC"),
        29 => return Some("HE-AAC v2"),
        23 => return Some("AAC-LD"),
        39 => return Some("AAC-ELD"),
        42 => return Some("xHE-AAC"),
        _ => return None,
    }
    skip_rate(&mut bits)?;
    let channels = bits.take(4)?;
    if channels > 2 {
        return Some("AAC of more than two channels");
    }
    let short = bits.take(1)? == 1;
    if bits.take(1)? == 1 {
        bits.take(14)?; // delay of a core coder
    }
    bits.take(1)?; // extension flag
    if short {
        return Some("AAC of 960 samples a frame");
    }
    // An addition that decoders of LC pass over.
    if bits.take(11)? == 0x2B7 && object_type(&mut bits)? == 5 && bits.take(1)? == 1 {
        skip_rate(&mut bits)?;
        let parametric = bits.take(11).is_some_and(|sync| sync == 0x548) && bits.take(1) == Some(1);
        return Some(if parametric { "HE-AAC v2" } else { "HE-AAC" });
    }
    None
}

/// Whether a core of so many frames per second may have an upper half that nothing announces.
pub(super) fn may_be_core(rate: u32) -> bool {
    rate <= HIGHEST_CORE
}

/// Whether most of a stream's first packets carry an upper half.
pub(super) fn is_core<'a>(packets: impl Iterator<Item = &'a [u8]>) -> bool {
    packets.filter(|packet| carries_upper_half(packet)).count() >= ENOUGH
}

/// Whether a packet ends with a fill element of spectral band replication. Packets can only be parsed from the front by
/// decoding them; from their end on the elements can be told by how they fit: the end marker, before it a fill element
/// whose length leads to its own beginning.
fn carries_upper_half(packet: &[u8]) -> bool {
    let Some(last) = packet.iter().rposition(|byte| *byte != 0) else { return false };
    let zeros = packet.get(last).map_or(0, |byte| byte.trailing_zeros() as usize);
    let Some(end) = (last * 8 + 8 - zeros).checked_sub(3) else { return false };
    let bits = Bits::new(packet);
    // The three ones of the end marker, then zeros up to a whole byte.
    bits.at(end, 3) == Some(7) && packet.len() * 8 - (end + 3) < 8 && fill_before(&bits, end, 2)
}

/// Whether a fill element ends at `end` that has an upper half, or stands behind one that has.
fn fill_before(bits: &Bits<'_>, end: usize, depth: u32) -> bool {
    (1_usize..=269).any(|length| {
        // The identifier 6, the length in 4 bits or in 4 and 8 more, then so many bytes.
        let head = if length < 15 { 7 } else { 15 };
        let Some(begin) = end.checked_sub(length * 8 + head) else { return false };
        let fits = match length {
            0..15 => bits.at(begin, 7) == Some(6 << 4 | length as u32),
            _ => bits.at(begin, 15) == Some(6 << 12 | 15 << 8 | (length as u32 - 14)),
        };
        fits && match bits.at(end - length * 8, 4) {
            Some(0xD | 0xE) => true,
            Some(0..=2 | 0xB) => depth > 1 && fill_before(bits, begin, depth - 1),
            _ => false,
        }
    })
}

fn object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(5)? {
        31 => Some(32 + bits.take(6)?),
        kind => Some(kind),
    }
}

fn skip_rate(bits: &mut Bits<'_>) -> Option<()> {
    if bits.take(4)? == 15 {
        bits.take(24)?;
    }
    Some(())
}

/// Bits of bytes, the highest first.
struct Bits<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Bits { bytes, next: 0 }
    }

    /// `count` bits (at most 24) from a bit on.
    fn at(&self, from: usize, count: usize) -> Option<u32> {
        (from..from + count).try_fold(0, |value, bit| {
            let byte = self.bytes.get(bit / 8)?;
            Some(value << 1 | u32::from(byte >> (7 - bit % 8) & 1))
        })
    }

    fn take(&mut self, count: usize) -> Option<u32> {
        let value = self.at(self.next, count)?;
        self.next += count;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bits as text, spaces left out, filled up with zeros.
    fn bits(text: &str) -> Vec<u8> {
        let bits: Vec<u8> = text.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
        bits.chunks(8).map(|c| c.iter().enumerate().fold(0, |byte, (i, b)| byte | b << (7 - i))).collect()
    }

    #[test]
    fn announced_kinds_are_named() {
        // Object type, rate, channels, then what belongs to the kind.
        assert_eq!(beyond_lc(&bits("00010 0100 0010 0 0 0")), None);
        assert_eq!(beyond_lc(&bits("00101 0111 0010 0100 00010 0 0 0")), Some("HE-AAC"));
        assert_eq!(beyond_lc(&bits("11101 0111 0001 0100 00010 0 0 0")), Some("HE-AAC v2"));
        assert_eq!(beyond_lc(&bits("11111 001010 0011 0010")), Some("xHE-AAC"));
        assert_eq!(beyond_lc(&bits("00010 0011 0110 0 0 0")), Some("AAC of more than two channels"));
        // Behind the plain configuration.
        let behind = "00010 0111 0010 0 0 0 01010110111 00101 1 0100";
        assert_eq!(beyond_lc(&bits(behind)), Some("HE-AAC"));
        assert_eq!(beyond_lc(&bits(&format!("{behind} 10101001000 1"))), Some("HE-AAC v2"));
        assert_eq!(beyond_lc(&bits("00010 0100 0010 0 0 0 01010110111 00101 0")), None, "said to be absent");
        assert_eq!(beyond_lc(&[]), None);
    }

    /// A packet of some payload that ends with these elements.
    fn packet(elements: &str) -> Vec<u8> {
        bits(&format!("001 0000 10110011 0101110 {elements} 111"))
    }

    fn fill(kind: &str, length: usize) -> String {
        let head =
            if length < 15 { format!("110 {length:04b}") } else { format!("110 1111 {:08b}", length - 14) };
        format!("{head} {kind} {}", "0110".repeat(2 * length - 1))
    }

    #[test]
    fn an_upper_half_is_seen_at_the_end_of_a_packet() {
        for length in [1, 14, 15, 16, 80, 269] {
            assert!(carries_upper_half(&packet(&fill("1101", length))), "{length}");
            assert!(carries_upper_half(&packet(&fill("1110", length))), "{length} with a sum");
            assert!(!carries_upper_half(&packet(&fill("0000", length))), "{length} of mere filling");
            let both = format!("{} {}", fill("1101", length), fill("0000", 20));
            assert!(carries_upper_half(&packet(&both)), "{length} before filling");
        }
        assert!(!carries_upper_half(&packet("")));
        assert!(!carries_upper_half(&[]));
        assert!(!carries_upper_half(&[0; 40]));
    }

    #[test]
    fn chance_makes_no_core_of_plain_packets() {
        let mut seed = 1_u64;
        let mut noise = |length: usize| -> Vec<u8> {
            let mut bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed =
                        seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (seed >> 56) as u8
                })
                .collect();
            // All of them end as packets do.
            if let Some(last) = bytes.last_mut() {
                *last = *last & 0xF0 | 0x07;
            }
            bytes
        };
        let wrong = (0..20_000)
            .filter(|_| {
                let packets: Vec<Vec<u8>> = (0..LOOK).map(|_| noise(300)).collect();
                is_core(packets.iter().map(Vec::as_slice))
            })
            .count();
        assert_eq!(wrong, 0);
        let core = packet(&fill("1101", 40));
        assert!(is_core((0..LOOK).map(|_| core.as_slice())));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = (beyond_lc(&bytes), carries_upper_half(&bytes));
        }
    }
}
