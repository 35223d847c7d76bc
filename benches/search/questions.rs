//! What people type: beginnings of words for the race, and for the quality table queries whose answer is known, put as somebody
//! puts them who half remembers: a few words of it, cut short, wrongly ordered, mistyped, in other letters.

use crate::plenty::{Dice, Plenty};
use segue::music::{Track, fold};

/// Beginnings of words as they are typed, every third with two letters swapped or one wrong.
pub(crate) fn typed(sample: &[Track], count: usize, seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let mut queries = Vec::new();
    while queries.len() < count {
        let track = &sample[dice.below(sample.len())];
        let text = fold(if dice.chance(60) { &track.title } else { &track.artist });
        let words: Vec<&str> = text.split(' ').filter(|w| !w.is_empty()).collect();
        if words.is_empty() {
            continue;
        }
        let length = 1 + dice.below(8);
        let mut query: String = words[dice.below(words.len())].chars().take(length).collect();
        if queries.len() % 3 == 2 {
            query = mistyped(&query, &mut dice);
        }
        queries.push(query);
    }
    queries
}

/// Keys beside each other on the rows of a keyboard.
const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

fn beside(c: char, dice: &mut Dice) -> char {
    for row in ROWS {
        if let Some(at) = row.find(c) {
            let next = if dice.chance(50) { at + 1 } else { at.wrapping_sub(1) };
            return row.chars().nth(next).or(row.chars().nth(1)).unwrap_or('x');
        }
    }
    'x'
}

/// Two letters swapped, one beside the right one, one left out or one doubled; never the first.
fn mistyped(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 {
        return word.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    match dice.below(4) {
        0 => letters.swap(at, at + 1),
        1 => letters[at] = beside(letters[at], dice),
        2 => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

/// How a query is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Cut,
    Typo,
    CutTypo,
    Swapped,
    OtherLetters,
    Ideographs,
    RightToLeft,
    ArtistFirst,
}

impl Manner {
    pub(crate) const ALL: [Self; 8] = [
        Self::Cut,
        Self::Typo,
        Self::CutTypo,
        Self::Swapped,
        Self::OtherLetters,
        Self::Ideographs,
        Self::RightToLeft,
        Self::ArtistFirst,
    ];
}

/// What is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    Track,
    Album,
    Artist,
}

/// A query and the row that it should bring.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) typed: String,
    pub(crate) manner: Manner,
    pub(crate) meant: Meant,
    /// Title (or name) and artist of the answer.
    pub(crate) title: String,
    pub(crate) artist: String,
}

/// What is in the library, one line for each item: title, artists and album, each word after a blank; and titles alone.
pub(crate) struct Lines {
    tracks: Vec<String>,
    albums: Vec<String>,
    artists: Vec<String>,
    track_titles: Vec<String>,
    album_titles: Vec<String>,
}

impl Lines {
    pub(crate) fn of(library: Plenty) -> Self {
        let artists = library.artists().iter().map(|a| format!(" {}", fold(&a.name))).collect();
        let mut this = Self {
            tracks: Vec::new(),
            albums: Vec::new(),
            artists,
            track_titles: Vec::new(),
            album_titles: Vec::new(),
        };
        for release in library {
            if let Some(album) = &release.album {
                this.album_titles.push(format!(" {}", fold(&album.title)));
                this.albums.push(format!(" {} {}", fold(&album.title), fold(&album.artist)));
            }
            for t in &release.tracks {
                this.track_titles.push(format!(" {}", fold(&t.title)));
                this.tracks.push(format!(" {} {} {}", fold(&t.title), fold(&t.artist), fold(&t.album)));
            }
        }
        this
    }

    /// Everything of a kind, and the titles of what is of others.
    fn that_could_be(&self, meant: Meant) -> [&[String]; 3] {
        match meant {
            Meant::Track => [&self.tracks, &self.album_titles, &self.artists],
            Meant::Album => [&self.albums, &self.track_titles, &self.artists],
            Meant::Artist => [&self.artists, &self.track_titles, &self.album_titles],
        }
    }
}

/// Rows in which the answer has to be.
pub(crate) const ROWS_SEEN: usize = 5;

/// Queries whose answer is known. Words are added, as a person adds words until it is there, until no more than five items could
/// be meant: those of the kind that have all of them as the beginnings of words, and others with all of them in their titles. Only
/// then the query is spoilt.
pub(crate) fn quality(sample: &[Track], lines: &Lines, count: usize, seed: u64) -> Vec<Question> {
    let mut dice = Dice::new(seed);
    let mut questions: Vec<Question> = Vec::new();
    while questions.len() < count {
        let manner = Manner::ALL[questions.len() % Manner::ALL.len()];
        let meant = match dice.below(4) {
            0 => Meant::Artist,
            1 => Meant::Album,
            _ => Meant::Track,
        };
        let track = &sample[dice.below(sample.len())];
        questions.extend(question(track, meant, manner, lines, &mut dice));
    }
    questions
}

fn question(track: &Track, meant: Meant, manner: Manner, lines: &Lines, dice: &mut Dice) -> Option<Question> {
    let (title, artist) = match meant {
        Meant::Track => (track.title.clone(), track.artist.clone()),
        Meant::Album if track.album.is_empty() || track.album_artist != track.artist => return None,
        Meant::Album => (track.album.clone(), track.artist.clone()),
        Meant::Artist => (track.artist.clone(), track.artist.clone()),
    };
    let script = script(&title)?;
    let fits = match manner {
        Manner::Ideographs => script == Script::Ideographs,
        Manner::RightToLeft => script == Script::RightToLeft,
        Manner::OtherLetters => matches!(
            script,
            Script::Cyrillic | Script::Greek | Script::Kana | Script::Hangul | Script::Accents
        ),
        _ => script == Script::Latin || (script == Script::Accents && dice.chance(50)),
    };
    if !fits {
        return None;
    }
    let mut words: Vec<String> = match script {
        // In Latin letters it is spelt from its beginning: nothing says where a word begins inside it.
        Script::Kana if manner == Manner::OtherLetters => runs(&title, dice, 1),
        Script::Ideographs | Script::Kana => runs(&title, dice, usize::MAX),
        _ => said(&title),
    };
    if meant != Meant::Artist {
        words.extend(said(&artist).into_iter().take(2));
    }
    if words.is_empty() {
        return None;
    }
    // Half of the words are typed as far as it takes to be sure of them.
    if !matches!(manner, Manner::Typo | Manner::Swapped) {
        for word in &mut words {
            if dice.chance(50) && script != Script::Ideographs && script != Script::Kana {
                let letters = word.chars().count();
                let kept = (3 + dice.below(4)).min(letters);
                *word = word.chars().take(kept).collect();
            }
        }
    }
    let taken = enough(&words, lines.that_could_be(meant))?;
    words.truncate(taken);
    match manner {
        Manner::Typo | Manner::CutTypo => {
            let longest = words.iter_mut().max_by_key(|w| w.chars().count())?;
            if longest.chars().count() < 4 {
                return None;
            }
            *longest = mistyped(longest, dice);
        }
        Manner::Swapped => {
            if words.len() < 2 {
                return None;
            }
            words.reverse();
        }
        Manner::ArtistFirst => {
            if meant == Meant::Artist || words.len() < 2 {
                return None;
            }
            words.rotate_right(1);
        }
        Manner::OtherLetters => {
            words = words.iter().map(|word| in_other_letters(word, script, dice)).collect();
        }
        Manner::RightToLeft => {
            words = words.iter().map(|word| as_typed_in_arabic(word, dice)).collect();
        }
        Manner::Cut | Manner::Ideographs => {}
    }
    Some(Question { typed: words.join(" "), manner, meant, title, artist })
}

/// How many of the words it takes until few items have them all; the first lines are those of what is meant.
fn enough(words: &[String], lines: [&[String]; 3]) -> Option<usize> {
    let has = |line: &String, word: &str| {
        let word = fold(word);
        if word.chars().any(ideograph) { line.contains(&word) } else { line.contains(&format!(" {word}")) }
    };
    let mut left = lines.map(|lines| lines.iter().filter(|line| has(line, &words[0])).collect::<Vec<_>>());
    for taken in 1..=words.len() {
        if left[0].is_empty() {
            return None;
        }
        if left.iter().map(Vec::len).sum::<usize>() <= ROWS_SEEN {
            return Some(taken);
        }
        if let Some(next) = words.get(taken) {
            for left in &mut left {
                left.retain(|line| has(line, next));
            }
        }
    }
    None
}

/// The words of a text as somebody says them, without marks.
fn said(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|w| w.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase())
        .filter(|w| !w.is_empty())
        .collect()
}

fn ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')
}

/// Two or three characters from one of the first `starts` places, and some more from behind them.
fn runs(text: &str, dice: &mut Dice, starts: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    if chars.len() < 3 {
        return vec![chars.into_iter().collect()];
    }
    let start = dice.below((chars.len() - 2).min(starts));
    let first = (2 + dice.below(3)).min(chars.len() - start);
    let mut runs = vec![chars[start..start + first].iter().collect::<String>()];
    if start + first < chars.len() {
        runs.push(chars[start + first..].iter().collect());
    }
    if start > 0 {
        runs.push(chars[..start].iter().collect());
    }
    runs
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Accents,
    Cyrillic,
    Greek,
    RightToLeft,
    Ideographs,
    Kana,
    Hangul,
}

/// The script of a text that is of one; none of short and strange ones.
fn script(text: &str) -> Option<Script> {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.len() < 4 {
        return None;
    }
    let of = |c: &char| match c {
        'a'..='z' | 'A'..='Z' => Script::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Script::Greek,
        '\u{400}'..='\u{4ff}' => Script::Cyrillic,
        '\u{590}'..='\u{6ff}' => Script::RightToLeft,
        '\u{3040}'..='\u{30ff}' => Script::Kana,
        '\u{4e00}'..='\u{9fff}' => Script::Ideographs,
        '\u{ac00}'..='\u{d7a3}' | '\u{1100}'..='\u{11ff}' => Script::Hangul,
        _ => Script::Accents,
    };
    let scripts: Vec<Script> = letters.iter().map(of).collect();
    let latin = |s: &Script| matches!(s, Script::Latin | Script::Accents);
    if scripts.iter().all(latin) {
        return Some(if scripts.contains(&Script::Accents) { Script::Accents } else { Script::Latin });
    }
    scripts.iter().all(|s| *s == scripts[0]).then_some(scripts[0])
}

/// What somebody types who has only Latin letters.
fn in_other_letters(word: &str, script: Script, dice: &mut Dice) -> String {
    match script {
        Script::Accents => without_accents(word, dice),
        Script::Hangul => hangul(word),
        _ => letters(word, dice),
    }
}

fn without_accents(word: &str, dice: &mut Dice) -> String {
    let german = dice.chance(40);
    let mut out = String::new();
    for c in word.chars() {
        let written = match c {
            'ö' | 'ø' | 'ő' if german => "oe",
            'ü' if german => "ue",
            'å' if german => "aa",
            'ö' | 'ø' | 'ő' | 'ó' => "o",
            'ü' => "u",
            'å' => "a",
            'æ' => "ae",
            'ß' => "ss",
            'ł' => "l",
            'ç' => "c",
            'ñ' => "n",
            'é' => "e",
            'ž' => "z",
            'ř' => "r",
            'í' => "i",
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push_str(written);
    }
    out
}

/// Cyrillic, Greek and kana as they are typed by those who know how they sound; several ways are about.
fn letters(word: &str, dice: &mut Dice) -> String {
    let mut either = |a: &'static str, b: &'static str| if dice.chance(65) { a } else { b };
    let mut out = String::new();
    for c in word.to_lowercase().chars() {
        let plain: String = fold(&c.to_string());
        let written = match c {
            'ё' => either("e", "yo"),
            'ж' => either("zh", "j"),
            'х' => either("kh", "h"),
            'ч' => "ch",
            'ш' => "sh",
            'ю' => either("yu", "ju"),
            'я' => either("ya", "ja"),
            'й' => either("y", "i"),
            'θ' => "th",
            'χ' => either("ch", "h"),
            'φ' => either("f", "ph"),
            'ω' => "o",
            'し' => either("shi", "si"),
            'ち' => either("chi", "ti"),
            'つ' => either("tsu", "tu"),
            _ => match plain.as_str() {
                "а" | "α" => "a",
                "в" | "β" => "v",
                "г" | "γ" => "g",
                "д" | "δ" => "d",
                "е" | "ε" => "e",
                "з" | "ζ" => "z",
                "и" | "ι" | "η" => "i",
                "к" | "κ" => "k",
                "л" | "λ" => "l",
                "м" | "μ" => "m",
                "н" | "ν" => "n",
                "о" | "ο" | "ω" => "o",
                "п" | "π" => "p",
                "р" | "ρ" => "r",
                "с" | "σ" | "ς" => "s",
                "т" | "τ" => "t",
                "у" | "υ" => "u",
                _ => {
                    out.push_str(kana(c).unwrap_or(&plain));
                    ""
                }
            },
        };
        out.push_str(written);
    }
    out
}

fn kana(c: char) -> Option<&'static str> {
    let c = if ('\u{30a1}'..='\u{30f6}').contains(&c) { char::from_u32(c as u32 - 0x60)? } else { c };
    Some(match c {
        'さ' => "sa",
        'く' => "ku",
        'ら' => "ra",
        'ほ' => "ho",
        'し' => "shi",
        'ゆ' => "yu",
        'め' => "me",
        'か' => "ka",
        'ろ' => "ro",
        'で' => "de",
        'ぃ' | 'い' => "i",
        'そ' => "so",
        'う' => "u",
        'み' => "mi",
        'は' => "ha",
        'な' => "na",
        'き' => "ki",
        'の' => "no",
        'た' => "ta",
        _ => return None,
    })
}

/// Hangul by the sounds of its parts, letter by letter, as most who cannot type it do.
fn hangul(word: &str) -> String {
    const FIRST: [&str; 19] =
        ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"];
    const MIDDLE: [&str; 21] = [
        "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi",
        "yu", "eu", "ui", "i",
    ];
    const LAST: [&str; 28] = [
        "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t",
        "t", "ng", "t", "t", "k", "t", "p", "t",
    ];
    let mut out = String::new();
    for c in word.chars() {
        match (c as u32).checked_sub(0xac00).filter(|n| *n < 11_172) {
            Some(n) => {
                let n = n as usize;
                out.push_str(FIRST[n / 588]);
                out.push_str(MIDDLE[n % 588 / 28]);
                out.push_str(LAST[n % 28]);
            }
            None => out.push(c),
        }
    }
    out
}

/// Without marks, and with the letters that are typed one for the other.
fn as_typed_in_arabic(word: &str, dice: &mut Dice) -> String {
    let careless = dice.chance(50);
    word.chars()
        .filter_map(|c| match c {
            '\u{64b}'..='\u{65f}' | '\u{591}'..='\u{5c7}' => None,
            'ة' if careless => Some('ه'),
            'ي' if careless => Some('ى'),
            c => Some(c),
        })
        .collect()
}
