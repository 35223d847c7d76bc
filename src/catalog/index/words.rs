//! Texts to words as the index has them: folded, each ideograph and kana a word of its own, and beside each word the other
//! ways in which listeners type it (aliases): in Latin letters, with `oe` for `ö`, without the stroke of `AC/DC`.

use crate::music::fold;

/// Words of one text that are looked at, and letters of one word.
const WORDS: usize = 64;
const LETTERS: usize = 48;

/// The words of a text in order, and further words that also find it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) words: Vec<String>,
    pub(super) aliases: Vec<String>,
}

impl Words {
    pub(super) fn of(text: &str) -> Self {
        let words = split(&folded(text));
        let mut aliases = Vec::new();
        if !text.is_ascii() {
            if text.chars().any(|c| umlaut(c).is_some()) {
                let spelt: String = text.chars().fold(String::new(), |mut out, c| {
                    match umlaut(c) {
                        Some(letters) => out.push_str(letters),
                        None => out.push(c),
                    }
                    out
                });
                aliases.extend(split(&folded(&spelt)));
            }
            aliases.extend(words.iter().flat_map(|word| latin(word)));
            if text.contains(['й', 'Й', 'ё', 'Ё']) {
                let spelt = text.replace(['й', 'Й'], "y").replace(['ё', 'Ё'], "yo");
                aliases.extend(split(&folded(&spelt)).iter().flat_map(|word| latin(word)));
            }
            for run in text.split_whitespace().map(kana_run).filter(|run| !run.is_empty()) {
                aliases.extend([kunrei(&run), run]);
            }
        }
        if words.len() > 1 && text.chars().any(|c| c.is_ascii_punctuation()) {
            for chunk in text.split_whitespace().filter(|c| c.chars().any(|c| c.is_ascii_punctuation())) {
                let folded = folded(chunk);
                if folded.contains(' ') && !folded.chars().any(is_single) {
                    aliases.push(folded.chars().filter(|c| *c != ' ').take(LETTERS).collect());
                }
            }
        }
        aliases.retain(|alias| !alias.is_empty() && !words.contains(alias));
        aliases.sort_unstable();
        aliases.dedup();
        aliases.truncate(WORDS);
        Self { words, aliases }
    }
}

/// The text as it is compared. One that has neither letter nor digit ("!!!") stands as it is.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    if text.is_ascii() {
        let mut gap = false;
        for byte in text.bytes().filter(|b| *b != b'\'') {
            if byte.is_ascii_alphanumeric() {
                if gap && !out.is_empty() {
                    out.push(' ');
                }
                gap = false;
                out.push(char::from(byte.to_ascii_lowercase()));
            } else {
                gap = true;
            }
        }
    } else {
        out = fold(text);
        if out.chars().any(|c| letter(c) != Some(c)) {
            // What only stretches words falls away, unless nothing else is there.
            let plain: String = out.chars().filter_map(letter).collect();
            if !plain.trim().is_empty() {
                return plain;
            }
        }
    }
    if out.is_empty() {
        out.extend(text.split_whitespace().flat_map(str::chars).filter(|c| !c.is_control()));
    }
    out
}

/// Letters that are typed one for the other, beyond what [`fold`] unifies; none for those that only stretch a word.
fn letter(c: char) -> Option<char> {
    Some(match c {
        'ς' => 'σ',
        'ة' => 'ه',
        'ک' => 'ك',
        'ى' | 'ی' => 'ي',
        'ך' => 'כ',
        'ם' => 'מ',
        'ן' => 'נ',
        'ף' => 'פ',
        'ץ' => 'צ',
        'ħ' => 'h',
        'ŋ' => 'n',
        'ə' => 'e',
        // Katakana as hiragana; the long vowel mark falls away.
        '\u{30a1}'..='\u{30f6}' => char::from_u32(c as u32 - 0x60).unwrap_or(c),
        'ـ' | 'ー' => return None,
        c => c,
    })
}

/// Folded text to words.
pub(super) fn split(folded: &str) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in folded.split(' ').filter(|w| !w.is_empty()) {
        let mut word = String::new();
        for c in chunk.chars() {
            if words.len() >= WORDS {
                return words;
            }
            if is_single(c) {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                words.push(c.to_string());
            } else if word.len() < LETTERS * 4 {
                word.push(c);
            }
        }
        if !word.is_empty() && words.len() < WORDS {
            words.push(word.chars().take(LETTERS).collect());
        }
    }
    words
}

/// Scripts written without spaces between words, of which each character is a word: kana, bopomofo and ideographs.
pub(super) fn is_single(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn umlaut(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' => "ae",
        'Ä' => "Ae",
        'ö' | 'ø' => "oe",
        'Ö' | 'Ø' => "Oe",
        'ü' => "ue",
        'Ü' => "Ue",
        'å' => "aa",
        'Å' => "Aa",
        _ => return None,
    })
}

/// The sounds of Hangul's parts (Revised Romanization): beginnings, middles and ends of syllables.
const HANGUL: [(char, &[&str]); 3] = [
    (
        '\u{1100}',
        &["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"],
    ),
    (
        '\u{1161}',
        &[
            "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we",
            "wi", "yu", "eu", "ui", "i",
        ],
    ),
    (
        '\u{11a8}',
        &[
            "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t",
            "t", "ng", "t", "t", "k", "t", "p", "t",
        ],
    ),
];

fn hangul(c: char) -> Option<&'static str> {
    HANGUL.iter().find_map(|(first, sounds)| {
        let at = (c as u32).checked_sub(*first as u32)?;
        sounds.get(at as usize).copied()
    })
}

/// A folded Cyrillic, Greek or Korean word in Latin letters: as libraries write it, and the other way in which it is often
/// typed where there is one; Latin letters in it stay. None for other scripts.
fn latin(word: &str) -> Vec<String> {
    let (mut one, mut other) = (String::with_capacity(word.len()), String::with_capacity(word.len()));
    for c in word.chars() {
        let (first, second) = match c {
            'х' => ("kh", "h"),
            'ц' => ("ts", "c"),
            'ж' => ("zh", "j"),
            'щ' => ("shch", "sch"),
            'ю' => ("yu", "ju"),
            'я' => ("ya", "ja"),
            'χ' => ("ch", "h"),
            'φ' => ("f", "ph"),
            'β' => ("v", "b"),
            'ξ' => ("x", "ks"),
            'a'..='z' => {
                one.push(c);
                other.push(c);
                continue;
            }
            c => match letter_in_latin(c).or_else(|| hangul(c)) {
                Some(letters) => (letters, letters),
                None => return Vec::new(),
            },
        };
        one.push_str(first);
        other.push_str(second);
    }
    let mut ways = vec![one];
    if ways[0] != other {
        ways.push(other);
    }
    ways.retain(|way| !way.is_empty());
    ways
}

fn letter_in_latin(c: char) -> Option<&'static str> {
    Some(match c {
        'а' | 'α' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' | 'γ' => "g",
        'д' | 'δ' => "d",
        'е' | 'є' | 'э' | 'ε' => "e",
        'з' | 'ζ' => "z",
        'и' | 'і' | 'ї' | 'й' | 'ы' | 'η' | 'ι' => "i",
        'к' | 'κ' => "k",
        'л' | 'λ' => "l",
        'м' | 'μ' => "m",
        'н' | 'ν' => "n",
        'о' | 'ο' | 'ω' => "o",
        'п' | 'π' => "p",
        'р' | 'ρ' => "r",
        'с' | 'σ' => "s",
        'т' | 'τ' => "t",
        'у' | 'υ' => "u",
        'ф' => "f",
        'ч' => "ch",
        'ш' => "sh",
        'ъ' | 'ь' => "",
        'θ' => "th",
        'ψ' => "ps",
        _ => return None,
    })
}

/// The kana of a chunk in Latin letters (Hepburn, long vowels short), one word for the whole run.
fn kana_run(chunk: &str) -> String {
    // Composed, since the voiced signs make other syllables.
    let chars: Vec<char> = unicode_normalization::UnicodeNormalization::nfkc(chunk)
        .map(|c| {
            if ('\u{30a1}'..='\u{30f6}').contains(&c) {
                char::from_u32(c as u32 - 0x60).unwrap_or(c)
            } else {
                c
            }
        })
        .collect();
    let mut out = String::new();
    let mut double = false;
    for &c in &chars {
        if c == 'っ' {
            double = true;
            continue;
        }
        if let Some(glide) = match c {
            'ゃ' => Some('a'),
            'ゅ' => Some('u'),
            'ょ' => Some('o'),
            _ => None,
        } {
            if out.ends_with('i') {
                out.pop();
                if !(out.ends_with("sh") || out.ends_with("ch") || out.ends_with('j')) {
                    out.push('y');
                }
                out.push(glide);
            }
            continue;
        }
        let Some(syllable) = syllable(c) else { continue };
        if std::mem::take(&mut double) {
            out.extend(syllable.chars().next());
        }
        out.push_str(syllable);
    }
    out.chars().take(LETTERS).collect()
}

/// Hepburn's letters as keyboards and schools of Japan have them (Kunrei-shiki, ISO 3602): `si` for `shi`.
fn kunrei(hepburn: &str) -> String {
    const LETTERS: [(&str, &str); 9] = [
        ("cch", "tch"),
        ("shi", "si"),
        ("sh", "sy"),
        ("chi", "ti"),
        ("ch", "ty"),
        ("tsu", "tu"),
        ("fu", "hu"),
        ("ji", "zi"),
        ("j", "zy"),
    ];
    LETTERS.iter().fold(hepburn.to_owned(), |word, (from, to)| word.replace(from, to))
}

fn syllable(c: char) -> Option<&'static str> {
    Some(match c {
        'あ' | 'ぁ' => "a",
        'い' | 'ぃ' => "i",
        'う' | 'ぅ' => "u",
        'え' | 'ぇ' => "e",
        'お' | 'ぉ' | 'を' => "o",
        'か' => "ka",
        'き' => "ki",
        'く' => "ku",
        'け' => "ke",
        'こ' => "ko",
        'さ' => "sa",
        'し' => "shi",
        'す' => "su",
        'せ' => "se",
        'そ' => "so",
        'た' => "ta",
        'ち' => "chi",
        'つ' => "tsu",
        'て' => "te",
        'と' => "to",
        'な' => "na",
        'に' => "ni",
        'ぬ' => "nu",
        'ね' => "ne",
        'の' => "no",
        'は' => "ha",
        'ひ' => "hi",
        'ふ' => "fu",
        'へ' => "he",
        'ほ' => "ho",
        'ま' => "ma",
        'み' => "mi",
        'む' => "mu",
        'め' => "me",
        'も' => "mo",
        'や' => "ya",
        'ゆ' => "yu",
        'よ' => "yo",
        'ら' => "ra",
        'り' => "ri",
        'る' => "ru",
        'れ' => "re",
        'ろ' => "ro",
        'わ' => "wa",
        'ん' => "n",
        'が' => "ga",
        'ぎ' => "gi",
        'ぐ' => "gu",
        'げ' => "ge",
        'ご' => "go",
        'ざ' => "za",
        'じ' | 'ぢ' => "ji",
        'ず' | 'づ' => "zu",
        'ぜ' => "ze",
        'ぞ' => "zo",
        'だ' => "da",
        'で' => "de",
        'ど' => "do",
        'ば' => "ba",
        'び' => "bi",
        'ぶ' => "bu",
        'べ' => "be",
        'ぼ' => "bo",
        'ぱ' => "pa",
        'ぴ' => "pi",
        'ぷ' => "pu",
        'ぺ' => "pe",
        'ぽ' => "po",
        'ゔ' => "vu",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_their_other_spellings() {
        let of = |text| {
            let Words { words, aliases } = Words::of(text);
            (words.join(" "), aliases.join(" "))
        };
        assert_eq!(of("Björk"), ("bjork".into(), "bjoerk".into()));
        assert_eq!(of("AC/DC Live"), ("ac dc live".into(), "acdc".into()));
        assert_eq!(of("Кино"), ("кино".into(), "kino".into()));
        assert_eq!(of("Οδός"), ("οδοσ".into(), "odos".into()));
        assert_eq!(of("Хлеб").1, "hleb khleb");
        assert_eq!(of("사랑 별").1, "byeol sarang");
        assert_eq!(of("東京 Night"), ("東 京 night".into(), String::new()));
        assert_eq!(of("Мёд и Рой").1, "i med myod roi roy");
        assert_eq!(of("がっこう").1, "gakkou");
        assert_eq!(of("しゃちつ").1, "shachitsu syatitu");
        assert_eq!(of("マッチ").1, "macchi matti");
        assert_eq!(of("きょうと").1, "kyouto");
        assert_eq!(of("カタカナー").0, "か た か な");
        assert_eq!(of("!!!").0, "!!!");
        assert_eq!(of("Don't").0, "dont");
        assert_eq!(of("كتــاب").0, of("كتاب").0);
    }
}
