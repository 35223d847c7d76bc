use super::*;

fn starts(lyrics: &Lyrics) -> Vec<(u64, &str)> {
    lyrics.lines.iter().map(|l| (l.start_ms.unwrap(), l.text.as_str())).collect()
}

#[test]
fn lines_with_several_stamps_headers_and_an_offset() {
    let text = "\u{feff}[ti: Song ]\r\n[ar:Band]\r\n[la:EN]\r\n[offset:+500]\r\n\r\n[00:20.5][00:10.00] Chorus\r\n\
                [0:15]Verse [live]\r\n[00:12:25]\r\nno stamp\r\n[00:00.100]Early\r\n[1:00:00.00]Late";
    let lyrics = Lyrics::parse(text, "").unwrap();
    assert!(lyrics.synced);
    assert_eq!((lyrics.title.as_deref(), lyrics.artist.as_deref()), (Some("Song"), Some("Band")));
    assert_eq!(lyrics.lang, "en");
    assert_eq!(
        starts(&lyrics),
        [
            (0, "Early"),
            (9_500, "Chorus"),
            (11_750, ""),
            (11_750, "no stamp"),
            (14_500, "Verse [live]"),
            (20_000, "Chorus"),
            (3_599_500, "Late"),
        ]
    );
}

#[test]
fn words_have_times_and_byte_ranges() {
    let lyrics =
        Lyrics::parse("[00:10.00][00:40.00]<00:10.00>Träu<00:10.50>me rei <00:11.25>", "ger").unwrap();
    let line = &lyrics.lines[1];
    assert_eq!(line.text, "Träume rei");
    let words: Vec<_> = line.words.iter().map(|w| (w.start_ms, w.end_ms, &line.text[w.from..w.to])).collect();
    assert_eq!(words, [(40_000, Some(40_500), "Träu"), (40_500, Some(41_250), "me rei")]);
    assert_eq!(lyrics.lines[0].words[0].start_ms, 10_000);
    assert_eq!(lyrics.lang, "ger");
    let odd = Lyrics::parse("[00:01.00]a <3 b", "xxx").unwrap();
    assert_eq!((odd.lines[0].text.as_str(), odd.lines[0].words.len()), ("a <3 b", 0));
    assert_eq!(odd.lang, "und");
}

#[test]
fn text_without_times_is_kept_line_by_line() {
    let lyrics = Lyrics::parse("\n\n[Verse: one]\nOne\n\nTwo\n\n", "").unwrap();
    assert!(!lyrics.synced);
    assert_eq!(lyrics.plain(), "[Verse: one]\nOne\n\nTwo");
    assert_eq!(Lyrics::parse(" \n[ti:Nothing]\n[00:01.00]\n", ""), None);
}

#[test]
fn pieces_are_lines_or_syllables() {
    let lines = Lyrics::from_pieces(&[(2000, "Two"), (1000, "One")], "eng").unwrap();
    assert_eq!(starts(&lines), [(1000, "One"), (2000, "Two")]);
    let syllables =
        Lyrics::from_pieces(&[(0, "\nHel"), (500, "lo"), (900, " you"), (2000, "\nBye")], "eng").unwrap();
    assert_eq!(starts(&syllables), [(0, "Hello you"), (2000, "Bye")]);
    assert_eq!(syllables.lines[0].words.len(), 3);
}

proptest::proptest! {
    #[test]
    fn anything_can_be_read(text in "(\\[[0-9:.\\-]{0,9}\\]|<[0-9:.]{0,9}>|[a-zäж \\n\\[\\]<>:]{0,6}){0,30}") {
        if let Some(lyrics) = Lyrics::parse(&text, "und") {
            for line in &lyrics.lines {
                proptest::prop_assert_eq!(line.start_ms.is_some(), lyrics.synced);
                for word in &line.words {
                    proptest::prop_assert!(line.text.get(word.from..word.to).is_some_and(|w| !w.is_empty()));
                }
            }
        }
    }
}

#[test]
fn a_carriage_return_alone_ends_a_line() {
    let lyrics = Lyrics::parse("[00:01.00]one\r[00:02.00]two\r\n[00:03.00]three\r\r\n", "").unwrap();
    assert_eq!(starts(&lyrics), [(1000, "one"), (2000, "two"), (3000, "three")]);
}
