//! Kinds of files that hold sound and cannot be decoded here, by how they begin: so that they are called by their names.

/// How a kind begins, and its name. `docs/sound.md` lists them.
const KINDS: &[(&[u8], &str)] = &[
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"TTA1", "True Audio"),
    (b"TTA2", "True Audio"),
    (b"tBaK", "TAK"),
    (b"OFR ", "OptimFROG"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b"caff", "Core Audio (CAF)"),
    (b".RMF", "RealAudio"),
    (b".ra\xFD", "RealAudio"),
    (b"#!AMR", "AMR"),
    (b"ADIF", "AAC in an ADIF file"),
    (b"\x0B\x77", "Dolby Digital (AC-3)"),
    (b"\x7F\xFE\x80\x01", "DTS"),
    (b"\x1A\x45\xDF\xA3", "Matroska or WebM"),
    (b"MThd", "MIDI"),
];

/// The name of the kind, if it is a known one.
pub(super) fn name(head: &[u8]) -> Option<&'static str> {
    KINDS.iter().find(|(begin, _)| head.starts_with(begin)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_kinds_have_names_and_own_ones_have_none() {
        assert_eq!(name(b"wvpk\x10\x00\x00\x00\x10\x04"), Some("WavPack"));
        assert_eq!(name(b"MAC \x96\x0F"), Some("Monkey's Audio"));
        for own in
            [&b"fLaC"[..], b"OggS", b"RIFF", b"FORM", b"ID3\x04", b"\xFF\xFB\x90\x00", b"\xFF\xF1", b""]
        {
            assert_eq!(name(own), None, "{own:?}");
        }
    }

    #[test]
    fn the_page_lists_every_kind() {
        let page = include_str!("../../docs/sound.md").split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, list) = page.split_once("**Not decoded here**").unwrap();
        for (_, name) in KINDS {
            assert!(list.contains(name), "{name}");
        }
    }
}
