//! Building a segment: items come in any order, are cut into words at once, and are put in order at the end.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    ids::{Ids, pack},
    segment::{Doc, LYRICS, Segment, Word, put_varint},
    verses::{self, Verses},
    words::{Words, folded},
};

/// What the index knows of an item.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry<'a> {
    /// The catalog's id.
    pub id: &'a str,
    /// Title or name.
    pub title: &'a str,
    /// Who made it, in one text; an artist's sort name.
    pub artist: &'a str,
    /// The album's title.
    pub album: &'a str,
    /// Year of release.
    pub year: Option<i32>,
    /// When it came, Unix ms.
    pub added_at: i64,
    /// Genres, one a line.
    pub genres: &'a str,
    /// Its lyrics, in lines; empty where none are known.
    pub lyrics: &'a str,
    /// Popularity: 0 for what nobody has played, up to 255.
    pub step: u8,
}

/// A segment that is being built.
#[derive(Default)]
pub struct Builder {
    words: HashMap<Box<str>, Word>,
    companies: HashMap<String, u32>,
    company_words: Vec<Word>,
    /// Where each company's words begin, and how many of them are the artist's.
    company_at: Vec<(u32, u32)>,
    genre_sets: HashMap<String, u32>,
    title_words: Vec<Word>,
    items: Vec<Item>,
    ids: Vec<u8>,
    /// Words of lyrics with their numbers, and for each item that has some which ones.
    sung: HashMap<Box<str>, Word>,
    songs: Vec<(u32, Vec<Word>)>,
}

struct Item {
    /// Where the title's words begin, how many are the title's, and how many aliases follow.
    words: u32,
    title: u16,
    aliases: u16,
    id: u32,
    company: u32,
    genres: u32,
    added: u32,
    year: i16,
    step: u8,
}

impl Builder {
    /// Takes in one item. Of several with one id only the last should be given.
    pub fn add(&mut self, entry: &Entry) {
        let company = self.company(entry);
        let genres = self.genres(entry.genres);
        let title = Words::of(entry.title);
        let words = self.title_words.len() as u32;
        for word in title.words.iter().chain(&title.aliases) {
            let word = intern(&mut self.words, word);
            self.title_words.push(word);
        }
        let id = self.ids.len() as u32;
        pack(entry.id, &mut self.ids);
        if !entry.lyrics.is_empty() {
            let words = verses::words(entry.lyrics).iter().map(|word| intern(&mut self.sung, word)).collect();
            self.songs.push((self.items.len() as u32, words));
        }
        self.items.push(Item {
            words,
            title: title.words.len() as u16,
            aliases: title.aliases.len() as u16,
            id,
            company,
            genres: if entry.lyrics.is_empty() { genres } else { genres | LYRICS },
            added: u32::try_from(entry.added_at.max(0) / 60_000).unwrap_or(u32::MAX),
            year: entry.year.and_then(|year| i16::try_from(year).ok()).unwrap_or(0),
            step: entry.step,
        });
    }

    fn company(&mut self, entry: &Entry) -> u32 {
        let key = format!("{}\u{0}{}", entry.artist, entry.album);
        if let Some(known) = self.companies.get(&key) {
            return *known;
        }
        let number = self.company_at.len() as u32;
        let begin = self.company_words.len() as u32;
        let mut artists = 0;
        for (text, is_artist) in [(entry.artist, true), (entry.album, false)] {
            let Words { words, aliases } = Words::of(text);
            for word in words.iter().chain(&aliases) {
                let word = intern(&mut self.words, word);
                self.company_words.push(word);
                artists += u32::from(is_artist);
            }
        }
        self.company_at.push((begin, artists));
        self.companies.insert(key, number);
        number
    }

    fn genres(&mut self, genres: &str) -> u32 {
        if genres.is_empty() {
            return 0;
        }
        if let Some(known) = self.genre_sets.get(genres) {
            return *known;
        }
        let number = self.genre_sets.len() as u32 + 1;
        self.genre_sets.insert(genres.to_owned(), number);
        number
    }

    /// Puts everything in order.
    pub fn finish(self) -> Segment {
        let Self { words, company_words, company_at, genre_sets, title_words, .. } = self;
        let (items, ids, sung, songs) = (self.items, self.ids, self.sung, self.songs);
        drop(self.companies);
        let (mut segment, place) = alphabetical(words);
        let company = |n: u32| {
            let (begin, artists) = company_at[n as usize];
            let end = company_at.get(n as usize + 1).map_or(company_words.len(), |next| next.0 as usize);
            (artists, &company_words[begin as usize..end])
        };
        segment.company_starts.push(0);
        for n in 0..company_at.len() {
            let (artists, words) = company(n as u32);
            put_varint(&mut segment.companies, artists);
            for word in words {
                put_varint(&mut segment.companies, place[*word as usize]);
            }
            segment.company_starts.push(segment.companies.len() as u32);
        }
        segment.genre_sets = folded_sets(genre_sets);
        let id = |item: u32| {
            let begin = items[item as usize].id as usize;
            let end = items.get(item as usize + 1).map_or(ids.len(), |next| next.id as usize);
            &ids[begin..end]
        };
        // By popularity; what is equally popular keeps the order of its ids, which never changes.
        let mut order: Vec<u32> = (0..items.len() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let step = |item: &u32| Reverse(items[*item as usize].step);
            step(a).cmp(&step(b)).then_with(|| id(*a).cmp(id(*b)))
        });
        segment.title_starts.push(0);
        let mut counts = vec![0_u32; place.len() + 1];
        let mut own: Vec<Word> = Vec::new();
        let own_words = |item: &Item, own: &mut Vec<Word>| {
            let begin = item.words as usize;
            let title = &title_words[begin..begin + usize::from(item.title + item.aliases)];
            own.clear();
            own.extend(title.iter().chain(company(item.company).1).map(|word| place[*word as usize]));
            own.sort_unstable();
            own.dedup();
        };
        for at in &order {
            let item = &items[*at as usize];
            let begin = item.words as usize;
            put_varint(&mut segment.titles, u32::from(item.title));
            for word in &title_words[begin..begin + usize::from(item.title + item.aliases)] {
                put_varint(&mut segment.titles, place[*word as usize]);
            }
            segment.title_starts.push(segment.titles.len() as u32);
            segment.steps.push(item.step);
            segment.years.push(item.year);
            segment.added.push(item.added);
            segment.genres.push(item.genres);
            segment.company.push(item.company);
            own_words(item, &mut own);
            for word in &own {
                counts[*word as usize + 1] += 1;
            }
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        segment.posting_starts.clone_from(&counts);
        let postings = || {
            let mut next = counts;
            let mut postings = vec![0; next.last().copied().unwrap_or(0) as usize];
            let mut own: Vec<Word> = Vec::new();
            for (doc, at) in order.iter().enumerate() {
                own_words(&items[*at as usize], &mut own);
                for word in &own {
                    let slot = &mut next[*word as usize];
                    postings[*slot as usize] = doc as u32;
                    *slot += 1;
                }
            }
            postings
        };
        let verses = verses(sung, &songs, &order);
        let (postings, by_title) = std::thread::scope(|scope| {
            let other = scope.spawn(postings);
            let mine = by_title(&segment);
            (other.join().unwrap_or_default(), mine)
        });
        let ids = Ids::of(order.iter().map(|at| id(*at)));
        Segment { postings, by_title, ids, verses, ..segment }.ready()
    }
}

/// Sets of genres by their numbers, folded; 0 is none.
fn folded_sets(sets: HashMap<String, u32>) -> Vec<String> {
    let mut folded_sets = vec![String::new(); sets.len() + 1];
    for (genres, n) in sets {
        let lines: Vec<String> = genres.lines().map(folded).collect();
        folded_sets[n as usize] = lines.join("\n");
    }
    folded_sets
}

/// Who sings what, from words with their numbers, the words of items, and the items in the order of documents.
fn verses(sung: HashMap<Box<str>, Word>, songs: &[(u32, Vec<Word>)], order: &[u32]) -> Verses {
    if songs.is_empty() {
        return Verses::default();
    }
    let mut docs = vec![0; order.len()];
    for (doc, item) in order.iter().enumerate() {
        docs[*item as usize] = doc as Doc;
    }
    let mut of_word: Vec<Vec<Doc>> = vec![Vec::new(); sung.len()];
    for (item, words) in songs {
        for word in words {
            of_word[*word as usize].push(docs[*item as usize]);
        }
    }
    for docs in &mut of_word {
        docs.sort_unstable();
    }
    let mut alphabet: Vec<(Box<str>, Word)> = sung.into_iter().collect();
    alphabet.sort_unstable();
    Verses::of(alphabet.iter().map(|(text, word)| (text.as_ref(), of_word[*word as usize].as_slice())))
}

/// A segment with its words, and the place in it of each word by its number.
fn alphabetical(words: HashMap<Box<str>, Word>) -> (Segment, Vec<Word>) {
    let mut alphabet: Vec<(Box<str>, Word)> = words.into_iter().collect();
    alphabet.sort_unstable();
    let mut place = vec![0; alphabet.len()];
    let mut segment = Segment { word_starts: vec![0], ..Segment::default() };
    let mut before = String::new();
    for (at, (text, word)) in alphabet.into_iter().enumerate() {
        place[word as usize] = at as Word;
        segment.word_text.extend_from_slice(text.as_bytes());
        segment.word_starts.push(segment.word_text.len() as u32);
        let shared = before.chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
        segment.shared.push(u8::try_from(shared).unwrap_or(u8::MAX));
        before = text.into();
    }
    (segment, place)
}

/// Documents by the words of their titles.
fn by_title(segment: &Segment) -> Vec<u32> {
    let mut keyed: Vec<(u64, u32)> = (0..segment.len() as u32)
        .map(|doc| {
            let (count, title) = segment.title(doc);
            // No word comes before the first: 0 is the end of a title.
            let mut words = title.take(count).map(|word| u64::from(word) + 1);
            (words.next().unwrap_or(0) << 32 | words.next().unwrap_or(0), doc)
        })
        .collect();
    keyed.sort_unstable_by(|(a, x), (b, y)| {
        a.cmp(b)
            .then_with(|| {
                let rest = |doc: u32| {
                    let (count, title) = segment.title(doc);
                    title.take(count).skip(2)
                };
                rest(*x).cmp(rest(*y))
            })
            .then(x.cmp(y))
    });
    keyed.into_iter().map(|(_, doc)| doc).collect()
}

fn intern(words: &mut HashMap<Box<str>, Word>, word: &str) -> Word {
    if let Some(known) = words.get(word) {
        return *known;
    }
    let number = words.len() as Word;
    words.insert(word.into(), number);
    number
}
