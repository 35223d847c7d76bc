//! The text of a cue sheet. Nobody wrote down what is allowed in one, so what is odd is passed over, and what makes the places of
//! tracks doubtful is refused in a sentence.

use std::collections::HashSet;

use crate::music::ReplayGain;

/// Longest sheet that is read, in bytes.
pub(super) const LONGEST: u64 = 1 << 20;
/// Most tracks of one, and the highest number of a track.
const TRACKS: usize = 999;
/// Longest text that is kept, in characters.
const TEXT: usize = 1_000;
/// Places are counted in frames of a CD: 75 a second.
pub(super) const PER_SECOND: u64 = 75;

/// What a sheet says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: Option<String>,
    pub(super) performer: Option<String>,
    pub(super) songwriter: Option<String>,
    pub(super) genre: Option<String>,
    pub(super) date: Option<String>,
    pub(super) disc: Option<u32>,
    /// The album's loudness alone.
    pub(super) gain: ReplayGain,
    /// Names of files, in the order of the sheet.
    pub(super) files: Vec<String>,
    pub(super) tracks: Vec<Listed>,
}

/// A track of a sheet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Listed {
    pub(super) number: u32,
    /// Which of the sheet's files it is in.
    pub(super) file: usize,
    /// Where it begins in that file, in 75ths of a second.
    pub(super) start: u64,
    /// Whether it is sound; a CD may hold data beside it.
    pub(super) audio: bool,
    pub(super) title: Option<String>,
    pub(super) performer: Option<String>,
    pub(super) songwriter: Option<String>,
    pub(super) genre: Option<String>,
    pub(super) date: Option<String>,
    pub(super) isrc: Option<String>,
    /// The track's loudness alone.
    pub(super) gain: ReplayGain,
}

impl Sheet {
    /// The tracks in one of its files, in their order.
    pub(super) fn tracks_of(&self, file: usize) -> impl Iterator<Item = &Listed> {
        self.tracks.iter().filter(move |track| track.file == file)
    }

    /// Reads a sheet. The error is a sentence about it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        Self::read(bytes, Reader::default())
    }

    /// Reads the sheet in a file's own tags, which is about that file whatever name it gives.
    pub(super) fn parse_own(bytes: &[u8]) -> Result<Self, String> {
        let sheet = Self::read(bytes, Reader { own: true, ..Reader::default() })?;
        if sheet.files.len() > 1 { Err("it is about several files".to_owned()) } else { Ok(sheet) }
    }

    fn read(bytes: &[u8], mut reader: Reader) -> Result<Self, String> {
        if bytes.len() as u64 > LONGEST {
            return Err(format!("this cue sheet is larger than {} MB", LONGEST >> 20));
        }
        let text = decoded(bytes);
        if text.contains('\0') {
            return Err("this is no text, so it is no cue sheet".to_owned());
        }
        for line in text.split(['\n', '\r']) {
            reader.line(line)?;
        }
        reader.finish()
    }
}

/// A sheet that is being read.
#[derive(Default)]
struct Reader {
    /// The sheet is in the tags of the file that it is about.
    own: bool,
    sheet: Sheet,
    /// The track that lines speak of, once it has begun, and its places 00 and 01 with their files.
    track: Option<Listed>,
    gap: Option<(usize, u64)>,
    index: Option<(usize, u64)>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word.to_ascii_uppercase().as_str() {
            "FILE" => {
                if self.sheet.files.len() >= TRACKS {
                    return Err(format!("this cue sheet names more than {TRACKS} files"));
                }
                let name = if self.own { String::new() } else { file_name(rest)? };
                self.sheet.files.push(name);
            }
            "TRACK" => {
                self.close()?;
                if self.sheet.files.is_empty() && self.own {
                    self.sheet.files.push(String::new());
                }
                if self.sheet.files.is_empty() {
                    return Err("a track of this cue sheet comes before any file".to_owned());
                }
                let (number, kind) = rest.split_once(char::is_whitespace).unwrap_or((rest, "AUDIO"));
                let number = number.parse().ok().filter(|n| (1..=TRACKS as u32).contains(n));
                let number = number.ok_or_else(|| {
                    format!("a track of this cue sheet has no number between 1 and {TRACKS}")
                })?;
                let audio = kind.trim().eq_ignore_ascii_case("AUDIO");
                self.track = Some(Listed { number, audio, ..Listed::default() });
            }
            "INDEX" => {
                let Some(track) = &self.track else { return Ok(()) };
                let (number, place) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let Some(place) = place_of(place.trim()) else {
                    return Err(format!("track {} of this cue sheet has a place that is none", track.number));
                };
                let here = Some((self.sheet.files.len().saturating_sub(1), place));
                match number.parse::<u32>() {
                    Ok(0) => self.gap = self.gap.or(here),
                    Ok(1) => self.index = self.index.or(here),
                    _ => {}
                }
            }
            "TITLE" => self.put(rest, |s| &mut s.title, |t| &mut t.title),
            "PERFORMER" => self.put(rest, |s| &mut s.performer, |t| &mut t.performer),
            "SONGWRITER" => self.put(rest, |s| &mut s.songwriter, |t| &mut t.songwriter),
            "ISRC" => {
                if let Some(track) = &mut self.track {
                    track.isrc = value(rest);
                }
            }
            "REM" => self.remark(rest),
            _ => {}
        }
        Ok(())
    }

    /// A text of the track that lines speak of, or else of the sheet.
    fn put(
        &mut self,
        rest: &str,
        of_sheet: impl Fn(&mut Sheet) -> &mut Option<String>,
        of_track: impl Fn(&mut Listed) -> &mut Option<String>,
    ) {
        let place = match &mut self.track {
            Some(track) => of_track(track),
            None => of_sheet(&mut self.sheet),
        };
        if let Some(value) = value(rest) {
            *place = Some(value);
        }
    }

    fn remark(&mut self, rest: &str) {
        let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let rest = rest.trim();
        let gain = || number(rest).filter(|gain| gain.abs() <= 64.0);
        let peak = || number(rest).filter(|peak| (0.0..=64.0).contains(peak));
        let track = self.track.as_mut();
        match word.to_ascii_uppercase().as_str() {
            "GENRE" => self.put(rest, |s| &mut s.genre, |t| &mut t.genre),
            "DATE" | "YEAR" => self.put(rest, |s| &mut s.date, |t| &mut t.date),
            "DISCNUMBER" => {
                let disc = value(rest).and_then(|text| text.parse().ok());
                self.sheet.disc = disc.filter(|disc| (1..=TRACKS as u32).contains(disc)).or(self.sheet.disc);
            }
            "REPLAYGAIN_ALBUM_GAIN" => self.sheet.gain.album_gain = gain().or(self.sheet.gain.album_gain),
            "REPLAYGAIN_ALBUM_PEAK" => self.sheet.gain.album_peak = peak().or(self.sheet.gain.album_peak),
            "REPLAYGAIN_TRACK_GAIN" => {
                if let Some(track) = track {
                    track.gain.track_gain = gain();
                }
            }
            "REPLAYGAIN_TRACK_PEAK" => {
                if let Some(track) = track {
                    track.gain.track_peak = peak();
                }
            }
            _ => {}
        }
    }

    /// Ends the track that lines spoke of.
    fn close(&mut self) -> Result<(), String> {
        let (gap, index) = (self.gap.take(), self.index.take());
        let Some(mut track) = self.track.take() else { return Ok(()) };
        let Some((file, start)) = index.or(gap) else {
            // Data may lie anywhere.
            return if track.audio {
                Err(format!("track {} of this cue sheet has no place (INDEX 01)", track.number))
            } else {
                Ok(())
            };
        };
        (track.file, track.start) = (file, start);
        if self.sheet.tracks.len() >= TRACKS {
            return Err(format!("this cue sheet has more than {TRACKS} tracks"));
        }
        if let Some(before) = self.sheet.tracks.iter().rev().find(|before| before.file == file)
            && before.start >= start
        {
            return Err(format!(
                "the places of tracks {} and {} of this cue sheet are not in their order",
                before.number, track.number
            ));
        }
        self.sheet.tracks.push(track);
        Ok(())
    }

    fn finish(mut self) -> Result<Sheet, String> {
        self.close()?;
        if self.sheet.files.is_empty() || self.sheet.tracks.is_empty() {
            return Err("this is no cue sheet: it names no file with tracks".to_owned());
        }
        let mut numbers = HashSet::new();
        match self.sheet.tracks.iter().find(|track| !numbers.insert((track.file, track.number))) {
            Some(twice) => Err(format!("this cue sheet has two tracks of number {}", twice.number)),
            None => Ok(self.sheet),
        }
    }
}

/// The name in a FILE line. Only files of the sheet's own folder are meant.
fn file_name(rest: &str) -> Result<String, String> {
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.rsplit_once('"').map_or(quoted, |(name, _)| name),
        // Behind the name stands the kind of file.
        None => rest.rsplit_once(char::is_whitespace).map_or(rest, |(name, _)| name),
    };
    let name = name.trim();
    let name = name.strip_prefix("./").or_else(|| name.strip_prefix(".\\")).unwrap_or(name);
    let bytes = name.as_bytes();
    let drive = bytes.get(1) == Some(&b':') && bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if drive || name.contains(['/', '\\']) || matches!(name, "." | "..") {
        let name: String = name.chars().take(100).collect();
        return Err(format!("this cue sheet names a file outside of its folder (“{name}”)"));
    }
    if name.is_empty() || name.len() > 255 {
        return Err("this cue sheet names a file that cannot be one".to_owned());
    }
    Ok(name.to_owned())
}

/// A text with or without its quotes; what is inside of the outer ones may hold more of them.
fn value(rest: &str) -> Option<String> {
    let text = match rest.strip_prefix('"') {
        Some(quoted) => quoted.rsplit_once('"').map_or(quoted, |(text, _)| text),
        None => rest,
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A number before its unit ("-6.50 dB").
fn number(rest: &str) -> Option<f32> {
    let text = value(rest)?;
    let text = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c.is_whitespace());
    text.replace(',', ".").parse::<f32>().ok().filter(|number| number.is_finite())
}

/// A place "mm:ss:ff", in 75ths of a second.
fn place_of(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(|part| {
        let digits = (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| digits)
    });
    let (minutes, seconds, frames) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = seconds < 60 && frames < PER_SECOND && parts.next().is_none();
    fits.then_some((minutes * 60 + seconds) * PER_SECOND + frames)
}

/// UTF-8, UTF-16 with its mark, or else Windows-1252, which has all of Latin-1.
fn decoded(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], from: fn([u8; 2]) -> u16| -> String {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| from(*pair));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().map(|byte| western(*byte)).collect(),
            }
        }
    }
}

/// A character of Windows-1252.
fn western(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)).copied()).unwrap_or(char::from(byte))
}

/// Reads a sheet for whoever looks for faults in reading: asserts what every sheet must keep to, and says in short what came of it.
pub(in crate::server) fn try_read(bytes: &[u8]) -> (Option<(usize, usize)>, usize, u64) {
    let sheet = match Sheet::parse(bytes) {
        Ok(sheet) => sheet,
        Err(why) => {
            assert!(!why.is_empty() && !why.contains('\0'));
            return (None, why.len().min(60), 0);
        }
    };
    assert!((1..=TRACKS).contains(&sheet.tracks.len()) && !sheet.files.is_empty());
    for file in 0..sheet.files.len() {
        let places: Vec<u64> = sheet.tracks_of(file).map(|track| track.start).collect();
        assert!(places.is_sorted_by(|before, after| before < after), "tracks begin one after the other");
    }
    for track in &sheet.tracks {
        assert!(track.file < sheet.files.len() && track.number > 0);
        for text in [&track.title, &track.performer, &track.isrc, &track.genre].into_iter().flatten() {
            assert!(!text.is_empty() && text.trim() == text && !text.contains(char::is_control));
        }
        assert!(track.gain.track_gain.is_none_or(|gain| gain.abs() <= 64.0));
    }
    assert!(sheet.files.iter().all(|name| !name.is_empty() && !name.contains(['/', '\\']) && name != ".."));
    let said = [&sheet.title, &sheet.performer, &sheet.genre, &sheet.date].into_iter().flatten().count();
    let last = sheet.tracks.last().map_or(0, |track| track.start);
    (
        Some((sheet.files.len().min(9), sheet.tracks.len().min(40))),
        said,
        last.checked_ilog2().unwrap_or(0).into(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str = "REM GENRE \"Electronic\"\nREM DATE 1998\nREM DISCNUMBER 2\nREM COMMENT \"ExactAudioCopy v1.3\"\n\
        REM REPLAYGAIN_ALBUM_GAIN -7.25 dB\nREM REPLAYGAIN_ALBUM_PEAK 0.988\nCATALOG 0724384960650\nPERFORMER \"Ann\"\n\
        TITLE \"The \"Quoted\" Album\"\nFILE \"All of it.wav\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"One\"\n    PERFORMER \"Bob\"\n\
        \x20   SONGWRITER Carl the Great\n    ISRC GBAYE9800001\n    REM REPLAYGAIN_TRACK_GAIN -6,5 dB\n    PREGAP 00:02:00\n\
        \x20   INDEX 01 00:00:00\n  TRACK 02 AUDIO\n    TITLE Two words\n    INDEX 00 03:58:10\n    INDEX 01 04:00:37\n    INDEX 02 05:00:00\n";

    #[test]
    fn what_a_sheet_says() {
        let sheet = Sheet::parse(WHOLE.as_bytes()).unwrap();
        assert_eq!(sheet.title.as_deref(), Some("The \"Quoted\" Album"));
        assert_eq!((sheet.performer.as_deref(), sheet.genre.as_deref()), (Some("Ann"), Some("Electronic")));
        assert_eq!((sheet.date.as_deref(), sheet.disc), (Some("1998"), Some(2)));
        assert_eq!((sheet.gain.album_gain, sheet.gain.album_peak), (Some(-7.25), Some(0.988)));
        assert_eq!(sheet.files, ["All of it.wav"]);
        let [one, two] = &sheet.tracks[..] else { panic!("{:?}", sheet.tracks) };
        assert_eq!((one.number, one.start, one.gain.track_gain), (1, 0, Some(-6.5)));
        assert_eq!((one.title.as_deref(), one.performer.as_deref()), (Some("One"), Some("Bob")));
        assert_eq!(one.songwriter.as_deref(), Some("Carl the Great"));
        assert_eq!(one.isrc.as_deref(), Some("GBAYE9800001"));
        assert_eq!((two.number, two.start, two.title.as_deref()), (2, 240 * 75 + 37, Some("Two words")));
        assert_eq!((two.file, two.audio, two.performer.as_deref()), (0, true, None));
    }

    #[test]
    fn in_any_encoding_and_with_any_ends_of_lines() {
        let text = "PERFORMER \"Björk – “Live”\"\r\nFILE x.flac WAVE\r\nTRACK 1 AUDIO\r\nINDEX 01 0:0:0\r\n";
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let mut forms = vec![
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [0xff, 0xfe].into_iter().chain(utf16.iter().flat_map(|unit| unit.to_le_bytes())).collect(),
            [0xfe, 0xff].into_iter().chain(utf16.iter().flat_map(|unit| unit.to_be_bytes())).collect(),
            text.replace("\r\n", "\r").into_bytes(),
        ];
        let western = text.chars().map(|c| match c {
            'ö' => 0xf6,
            '–' => 0x96,
            '“' => 0x93,
            '”' => 0x94,
            c => c as u8,
        });
        forms.push(western.collect());
        for form in forms {
            let sheet = Sheet::parse(&form).unwrap();
            assert_eq!(sheet.performer.as_deref(), Some("Björk – “Live”"), "{form:?}");
            assert_eq!(sheet.files, ["x.flac"]);
        }
    }

    #[test]
    fn tracks_lie_where_their_index_01_is() {
        // As some write them: the gap before a track belongs to the file before its own.
        let text = "FILE \"1.wav\" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 00 03:00:00\n\
            FILE \"2.wav\" WAVE\nINDEX 01 00:00:00\nTRACK 03 MODE1/2352\nINDEX 01 01:00:00\nTRACK 04 AUDIO\nINDEX 00 02:00:00\n";
        let sheet = Sheet::parse(text.as_bytes()).unwrap();
        let found: Vec<_> = sheet.tracks.iter().map(|t| (t.number, t.file, t.start, t.audio)).collect();
        assert_eq!(found, [(1, 0, 0, true), (2, 1, 0, true), (3, 1, 4500, false), (4, 1, 9000, true)]);
    }

    #[test]
    fn what_is_refused_and_why() {
        let track = |n: usize, place: &str| format!("TRACK {n:02} AUDIO\nINDEX 01 {place}\n");
        let file = |rest: String| format!("FILE \"x.wav\" WAVE\n{rest}");
        let many: String = (1..=1000).map(|n| track(1 + n % 999, &format!("{n}:00:00"))).collect();
        for (text, why) in [
            (String::new(), "no cue sheet"),
            ("Dear bank,\nplease".to_owned(), "no cue sheet"),
            ("\0\u{1}\u{2}FILE".to_owned(), "no text"),
            (track(1, "00:00:00"), "before any file"),
            (file(track(1, "01:00:00") + &track(2, "00:59:74")), "not in their order"),
            (file(track(1, "00:00:00") + &track(2, "00:00:00")), "not in their order"),
            (file(track(1, "00:00:00") + &track(1, "01:00:00")), "two tracks of number 1"),
            (file(track(1, "00:60:00")), "place that is none"),
            (file(track(1, "00:00:75")), "place that is none"),
            (file(track(1, "-1:00:00")), "place that is none"),
            (file(track(1, "99999999999:00:00")), "place that is none"),
            (file("TRACK 01 AUDIO\nTITLE \"x\"\n".to_owned()), "no place"),
            (file("TRACK 0 AUDIO\n".to_owned()), "no number"),
            (file("TRACK x AUDIO\n".to_owned()), "no number"),
            (file(many), "more than 999 tracks"),
            ("FILE \"../x.wav\" WAVE\n".to_owned() + &track(1, "0:0:0"), "outside of its folder"),
            ("FILE \"/etc/passwd\" WAVE\n".to_owned() + &track(1, "0:0:0"), "outside of its folder"),
            ("FILE \"C:\\rips\\x.wav\" WAVE\n".to_owned() + &track(1, "0:0:0"), "outside of its folder"),
            ("FILE \"..\" WAVE\n".to_owned() + &track(1, "0:0:0"), "outside of its folder"),
            ("FILE \"\" WAVE\n".to_owned() + &track(1, "0:0:0"), "cannot be one"),
            (" ".repeat((LONGEST + 1) as usize), "larger than 1 MB"),
        ] {
            let said = Sheet::parse(text.as_bytes()).unwrap_err();
            assert!(said.contains(why), "{why}: {said}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_sheet_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            try_read(&bytes);
        }

        #[test]
        fn what_is_written_is_read(
            titles in proptest::collection::vec("[a-zA-Z0-9 'äöü&]{0,20}", 1..40),
            steps in proptest::collection::vec(1_u64..100_000, 40),
        ) {
            let mut text = "FILE \"x.flac\" WAVE\n".to_owned();
            let (mut at, mut places) = (0, Vec::new());
            for (n, (title, step)) in titles.iter().zip(steps).enumerate() {
                places.push(at);
                let (minutes, seconds, frames) = (at / 4500, at / 75 % 60, at % 75);
                let place = format!("{minutes:02}:{seconds:02}:{frames:02}");
                let number = format!("{:02}", n + 1);
                text.extend(["  TRACK ", &number, " AUDIO\n    TITLE \"", title, "\"\n    INDEX 01 ", &place, "\n"]);
                at += step;
            }
            let sheet = Sheet::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(sheet.tracks.iter().map(|track| track.start).collect::<Vec<_>>(), places);
            for (track, title) in sheet.tracks.iter().zip(&titles) {
                prop_assert_eq!(track.title.as_deref().unwrap_or_default(), title.trim());
            }
        }
    }
}
