//! A big library that nobody owns: names of many scripts and lengths, few artists with many albums and many with one, tags that
//! are missing or strange. The same seed gives the same library.

use segue::music::{Album, Artist, ArtistRef, Marks, ReplayGain, Track};

/// A small generator of random numbers (splitmix64), so that no release of a crate changes the library.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }

    fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Small numbers often, large ones rarely (Zipf's law, roughly).
    fn skewed(&mut self, n: usize) -> usize {
        (((n as f64 + 1.0).powf(self.share()) - 1.0) as usize).min(n - 1)
    }
}

/// Scripts: the syllables of each, and what joins the words.
const SCRIPTS: [(&[&str], &str); 9] = [
    (
        &[
            "an", "ber", "co", "den", "el", "fla", "gor", "hi", "in", "jo", "ka", "lo", "mar", "ne", "or",
            "pra", "qui", "ro", "sta", "ti", "un", "ver", "wil", "xe", "yo", "zan", "sh", "ther", "ing",
            "light", "blue",
        ],
        " ",
    ),
    (
        &[
            "bjö", "rå", "sø", "ßen", "łó", "çi", "ñe", "é", "ü", "gu", "æs", "dž", "ří", "ős", "ham", "lin",
            "vik",
        ],
        " ",
    ),
    (&["мо", "ре", "сне", "ве", "тер", "ки", "но", "зем", "ля", "ё", "жи", "чу", "до", "ша", "лю"], " "),
    (&["θά", "λα", "σσα", "νύ", "χτα", "μέ", "ρα", "φως", "ού", "κα", "ρδι", "ά", "πό", "λη"], " "),
    (&["مح", "بة", "لي", "ل", "نو", "ر", "سما", "ء", "قل", "بي", "شم", "س", "حي", "اة"], " "),
    (&["של", "ום", "לי", "לה", "אה", "בה", "שי", "ר", "כו", "כב", "יר", "ח"], " "),
    (
        &[
            "東", "京", "夜", "花", "月", "風", "雪", "海", "空", "星", "夢", "光", "人", "生", "春", "雨",
            "山", "川",
        ],
        "",
    ),
    (
        &["さ", "くら", "ほし", "ゆめ", "カラ", "メロ", "ディ", "そら", "うみ", "ハナ", "きみ", "のう", "た"],
        "",
    ),
    (&["사", "랑", "하늘", "별", "밤", "바다", "꿈", "봄", "비", "노래", "마음", "길"], " "),
];

const STRANGE: [&str; 14] = [
    "!!!",
    "Untitled",
    "( )",
    "…",
    "∞",
    "🎻🎺",
    "?",
    "04",
    "Track 01",
    "\u{202e}reversed",
    "A\u{301}\u{302}\u{303}\u{304}",
    "<b>bold</b>",
    "Ｆｕｌｌ Ｗｉｄｔｈ",
    "Don't \"quote\" me; -- ok",
];

const GENRES: [&str; 16] = [
    "Rock",
    "Pop",
    "Jazz",
    "Classical",
    "Hip-Hop",
    "Electronic",
    "Folk",
    "Metal",
    "Soul",
    "Blues",
    "Ambient",
    "House",
    "Reggae",
    "J-Pop",
    "Chanson",
    "Field Recording",
];

struct Vocabulary(Vec<(Vec<String>, &'static str)>);

impl Vocabulary {
    fn new(dice: &mut Dice) -> Self {
        let words = |(at, (syllables, joined)): (usize, &(&[&str], &'static str))| {
            let count = if at == 0 { 40_000 } else { 4_000 };
            let word = |dice: &mut Dice| {
                let length = 1 + dice.skewed(4) + usize::from(at < 2);
                (0..length).map(|_| *dice.pick(syllables)).collect::<String>()
            };
            ((0..count).map(|_| word(dice)).collect(), *joined)
        };
        Self(SCRIPTS.iter().enumerate().map(words).collect())
    }

    fn name(&self, dice: &mut Dice, most: usize) -> String {
        let script = if dice.chance(70) { 0 } else { dice.below(self.0.len()) };
        let (words, joined) = &self.0[script];
        let count = if dice.below(2_000) == 0 { 40 } else { 1 + dice.skewed(most) };
        let words: Vec<String> = (0..count)
            .map(|_| {
                let word = &words[dice.skewed(words.len())];
                let mut letters = word.chars();
                let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
                first + letters.as_str()
            })
            .collect();
        words.join(joined)
    }
}

/// Albums of a library, one after the other.
pub(crate) struct Plenty {
    dice: Dice,
    vocabulary: Vocabulary,
    artists: Vec<ArtistRef>,
    left: usize,
    made: u64,
}

/// An album with its tracks; some tracks belong to none.
pub(crate) struct Release {
    pub(crate) album: Option<Album>,
    pub(crate) tracks: Vec<Track>,
}

fn id(dice: &mut Dice) -> String {
    format!("{:016x}{:016x}", dice.roll(), dice.roll())
}

/// An id as the scanner gives them: later ones are greater.
fn next_id(made: &mut u64, dice: &mut Dice) -> String {
    *made += 1;
    let _ = dice.roll();
    format!("{made:016x}{:016x}", dice.roll())
}

impl Plenty {
    /// A library of so many tracks.
    pub(crate) fn new(seed: u64, tracks: usize) -> Self {
        let mut dice = Dice::new(seed);
        let vocabulary = Vocabulary::new(&mut dice);
        let artists = (0..(tracks / 20).max(3))
            .map(|_| ArtistRef { id: id(&mut dice).into(), name: vocabulary.name(&mut dice, 3) })
            .collect();
        Self { dice, vocabulary, artists, left: tracks, made: 0 }
    }

    /// The artists, described.
    pub(crate) fn artists(&self) -> Vec<Artist> {
        let artist = |a: &ArtistRef| Artist {
            id: a.id.clone(),
            name: a.name.clone(),
            sort_name: a.name.clone(),
            album_count: 0,
            cover: None,
            musicbrainz_id: None,
            roles: Vec::new(),
            marks: Marks::default(),
        };
        self.artists.iter().map(artist).collect()
    }

    fn title(&mut self) -> String {
        if self.dice.below(400) == 0 {
            return (*self.dice.pick(&STRANGE)).to_owned();
        }
        let title = self.vocabulary.name(&mut self.dice, 5);
        match self.dice.below(40) {
            0 => format!("{title} (Live)"),
            1 => format!("{title} [Remastered 2011]"),
            2 => format!("{title} feat. {}", self.vocabulary.name(&mut self.dice, 2)),
            _ => title,
        }
    }
}

impl Iterator for Plenty {
    type Item = Release;

    fn next(&mut self) -> Option<Release> {
        if self.left == 0 {
            return None;
        }
        let count = match self.dice.below(20) {
            0 => 1,
            1 => 20 + self.dice.skewed(60),
            _ => 6 + self.dice.below(10),
        }
        .min(self.left);
        self.left -= count;
        let artists = self.artists.len();
        let artist = self.artists[self.dice.skewed(artists)].clone();
        let various = self.dice.chance(4);
        let year = (!self.dice.chance(6)).then(|| 1950 + i32::try_from(self.dice.below(77)).unwrap_or(0));
        let genres: Vec<String> = match self.dice.below(10) {
            0 => Vec::new(),
            1 => vec![(*self.dice.pick(&GENRES)).to_owned(), (*self.dice.pick(&GENRES)).to_owned()],
            _ => vec![GENRES[self.dice.skewed(GENRES.len())].to_owned()],
        };
        let added_at = 1_600_000_000_000 + (self.dice.roll() % 150_000_000_000).cast_signed();
        let title = self.title();
        let album = (!self.dice.chance(2)).then(|| Album {
            id: id(&mut self.dice).into(),
            title,
            artist: if various { "Various Artists".into() } else { artist.name.clone() },
            artists: if various { Vec::new() } else { vec![artist.clone()] },
            year,
            genres: genres.clone(),
            track_count: count as u32,
            duration_ms: 0,
            cover: None,
            compilation: various,
            musicbrainz_id: None,
            added_at,
            details: segue::music::AlbumDetails::default(),
            marks: Marks::default(),
        });
        let tracks = (1..=count).map(|number| {
            let by = if various { self.artists[self.dice.skewed(artists)].clone() } else { artist.clone() };
            Track {
                id: next_id(&mut self.made, &mut self.dice).into(),
                title: self.title(),
                album_id: album.as_ref().map(|a| a.id.clone()),
                album: album.as_ref().map(|a| a.title.clone()).unwrap_or_default(),
                artist: by.name.clone(),
                artists: vec![by],
                album_artist: album.as_ref().map(|a| a.artist.clone()).unwrap_or_default(),
                disc: None,
                number: Some(number as u32),
                year,
                genres: genres.clone(),
                duration_ms: 20_000 + self.dice.roll() % 500_000,
                size: 4_000_000,
                suffix: "flac".into(),
                content_type: "audio/flac".into(),
                bit_rate: Some(900),
                sample_rate: Some(44_100),
                bit_depth: Some(16),
                channels: Some(2),
                replay_gain: ReplayGain::default(),
                cover: None,
                musicbrainz_id: None,
                added_at,
                details: segue::music::TrackDetails::default(),
                marks: Marks::default(),
            }
        });
        let tracks = tracks.collect();
        Some(Release { album, tracks })
    }
}
