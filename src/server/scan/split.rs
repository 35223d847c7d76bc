//! One text, several names: when "A / B" is two people and "AC/DC" is not.
//!
//! Values that a format keeps apart are never parted again, and a list of artists (`ARTISTS`) comes before a line that is meant
//! to be read (`ARTIST`). Only where a single text is all there is do the separators below count, and never inside a name
//! that is known to be whole.

use std::{collections::HashSet, path::Path};

use serde::Deserialize;

use crate::music::fold;

/// What parts names of people where one text has several, and what parts genres.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitRules {
    /// Between artists; compared without regard to case.
    pub artists: Vec<String>,
    /// Between genres.
    pub genres: Vec<String>,
    /// Names that hold a separator and are whole all the same.
    pub whole: Vec<String>,
}

impl Default for SplitRules {
    fn default() -> Self {
        let all = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Self {
            artists: all(&[";", " / ", " feat. ", " feat ", " ft. ", " ft ", " featuring "]),
            genres: all(&[";", " / ", ", "]),
            whole: all(&[
                "AC/DC",
                "Blood, Sweat & Tears",
                "Crosby, Stills & Nash",
                "Crosby, Stills, Nash & Young",
                "Drum/Bass",
                "Earth, Wind & Fire",
                "Emerson, Lake & Palmer",
                "Folk, World, & Country",
                "Hip-Hop/Rap",
                "Love/Hate",
                "Peter, Paul and Mary",
                "R&B/Soul",
                "Singer/Songwriter",
                "Tyler, The Creator",
            ]),
        }
    }
}

/// The file in a server's data folder that has the operator's rules.
const FILE: &str = "tags.toml";

impl SplitRules {
    /// The operator's rules from `tags.toml` in a server's data folder. What the file leaves out is as built in, and its whole
    /// names come to those that are built in; without a file, or with one that makes no sense, everything is.
    pub fn of_data(data: &Path) -> Self {
        let path = data.join(FILE);
        let Ok(text) = std::fs::read_to_string(&path) else { return Self::default() };
        match toml::from_str::<Self>(&text) {
            Ok(mut rules) => {
                rules.whole.extend(Self::default().whole);
                rules.whole.sort();
                rules.whole.dedup();
                rules
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "these rules are not used; correct the file");
                Self::default()
            }
        }
    }
}

/// The rules, ready to use.
#[derive(Debug, Clone)]
pub(super) struct Splitter {
    artists: Vec<String>,
    genres: Vec<String>,
    whole: HashSet<String>,
}

/// The shortest name of people between bare slashes of `ID3v2.3` that is believed to be one, in letters: shorter ones are
/// more often part of a name ("AC/DC", "N/A", "+/-").
const NAME: usize = 4;
/// The same for genres ("Rock/Pop").
const GENRE: usize = 2;

impl Splitter {
    pub(super) fn new(rules: &SplitRules) -> Self {
        let lower =
            |words: &[String]| words.iter().map(|w| w.to_lowercase()).filter(|w| !w.is_empty()).collect();
        Self {
            artists: lower(&rules.artists),
            genres: lower(&rules.genres),
            whole: rules.whole.iter().map(|name| fold(name)).collect(),
        }
    }

    /// The artists in what a tag says; `slashes` where a bare slash may part them.
    pub(super) fn artists(&self, values: &[&str], slashes: bool) -> Vec<String> {
        self.split(values, &self.artists, slashes.then_some(NAME))
    }

    /// The genres in what a tag says.
    pub(super) fn genres(&self, values: &[&str], slashes: bool) -> Vec<String> {
        // Genres are listed in one value of several just as well.
        values.iter().fold(Vec::new(), |mut all, value| {
            for genre in self.split(&[*value], &self.genres, slashes.then_some(GENRE)) {
                if !all.contains(&genre) {
                    all.push(genre);
                }
            }
            all
        })
    }

    fn split(&self, values: &[&str], separators: &[String], shortest: Option<usize>) -> Vec<String> {
        let [only] = values else {
            return values.iter().map(|v| (*v).to_owned()).collect();
        };
        // Most names hold nothing that could part them.
        if !only.contains([' ', '/', ';', ',', '&', '|', '\\', '+'])
            && separators.iter().all(|s| !only.contains(s.as_str()))
        {
            return vec![(*only).to_owned()];
        }
        let mut parts = self.parts(only, separators);
        if let Some(shortest) = shortest {
            parts = parts.into_iter().flat_map(|part| self.at_slashes(part, shortest)).collect();
        }
        let mut names: Vec<String> = Vec::with_capacity(parts.len());
        for part in parts.into_iter().map(|p| p.trim_matches(|c: char| c.is_whitespace() || c == ';')) {
            if !part.is_empty() && names.iter().all(|n| n != part) {
                names.push(part.to_owned());
            }
        }
        names
    }

    /// Cuts at separators, but not inside a name that is whole: the longest beginning that is one is taken first.
    fn parts<'t>(&self, text: &'t str, separators: &[String]) -> Vec<&'t str> {
        let mut cuts: Vec<(usize, usize)> = Vec::new();
        for (at, _) in text.char_indices() {
            if cuts.last().is_some_and(|(_, end)| at < *end) {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            if let Some(length) = separators.iter().filter_map(|s| starts(rest, s)).max() {
                cuts.push((at, at + length));
            }
        }
        let mut parts = Vec::new();
        let mut from = 0;
        let mut cut = 0;
        while from <= text.len() {
            // As many pieces as make a whole name, else one.
            let ends: Vec<usize> = cuts.iter().skip(cut).map(|(at, _)| *at).chain([text.len()]).collect();
            let whole = ends.iter().rposition(|end| {
                text.get(from..*end).is_some_and(|piece| self.whole.contains(&fold(piece.trim())))
            });
            let taken = whole.unwrap_or(0);
            let Some(end) = ends.get(taken) else { break };
            parts.push(text.get(from..*end).unwrap_or_default());
            cut += taken + 1;
            match cuts.get(cut - 1) {
                Some((_, next)) => from = *next,
                None => break,
            }
        }
        parts
    }

    fn at_slashes<'t>(&self, text: &'t str, shortest: usize) -> Vec<&'t str> {
        if !text.contains('/') || self.whole.contains(&fold(text.trim())) {
            return vec![text];
        }
        let pieces = self.parts(text, &["/".to_owned()]);
        let names = pieces.iter().all(|p| {
            p.chars().filter(|c| c.is_alphanumeric()).count() >= shortest
                || self.whole.contains(&fold(p.trim()))
        });
        if names { pieces } else { vec![text] }
    }
}

/// The length of `prefix`, which is in lower case, at the beginning of `text` in any case.
fn starts(text: &str, prefix: &str) -> Option<usize> {
    let head = text.get(..prefix.len())?;
    (head.eq_ignore_ascii_case(prefix) || (!head.is_ascii() && head.to_lowercase() == prefix))
        .then_some(prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parted_where_they_should_be() {
        let rules = SplitRules::default();
        let splitter = Splitter::new(&rules);
        let artists = |text: &str, slashes| splitter.artists(&[text], slashes).join(" | ");
        for (text, slashes, expected) in [
            ("AC/DC", true, "AC/DC"),
            ("AC/DC; Queen", true, "AC/DC | Queen"),
            ("Tyler, The Creator feat. Kali Uchis", false, "Tyler, The Creator | Kali Uchis"),
            ("Earth, Wind & Fire", true, "Earth, Wind & Fire"),
            ("Simon & Garfunkel", true, "Simon & Garfunkel"),
            ("Ella Fitzgerald/Louis Armstrong", true, "Ella Fitzgerald | Louis Armstrong"),
            ("Ella Fitzgerald/Louis Armstrong", false, "Ella Fitzgerald/Louis Armstrong"),
            ("Sonny / Cher", false, "Sonny | Cher"),
            ("+/-", true, "+/-"),
            ("Queen/AC/DC", true, "Queen | AC/DC"),
            ("A FEAT. B ft. C", false, "A | B | C"),
            ("Ünal feat. Ñu", false, "Ünal | Ñu"),
            ("Lift feature", false, "Lift feature"),
            ("; ;", false, ""),
        ] {
            assert_eq!(artists(text, slashes), expected, "{text}");
        }
        assert_eq!(splitter.artists(&["A feat. B", "C"], true), ["A feat. B", "C"], "apart already");
    }

    #[test]
    fn genres_are_parted_too() {
        let splitter = Splitter::new(&SplitRules::default());
        assert_eq!(splitter.genres(&["Rock; Pop", "Jazz", "Pop"], false), ["Rock", "Pop", "Jazz"]);
        assert_eq!(
            splitter.genres(&["Folk, World, & Country, Blues"], false),
            ["Folk, World, & Country", "Blues"]
        );
        assert_eq!(splitter.genres(&["Hip-Hop/Rap"], true), ["Hip-Hop/Rap"]);
        assert_eq!(splitter.genres(&["Rock/Pop"], true), ["Rock", "Pop"]);
        assert_eq!(splitter.genres(&["Rock/Pop"], false), ["Rock/Pop"]);
    }

    #[test]
    fn rules_can_be_given() {
        let rules = SplitRules {
            artists: vec![" & ".into(), " X ".into()],
            genres: Vec::new(),
            whole: vec!["Simon & Garfunkel".into()],
        };
        let splitter = Splitter::new(&rules);
        assert_eq!(
            splitter.artists(&["Simon & Garfunkel & Joan x Ann"], false),
            ["Simon & Garfunkel", "Joan", "Ann"]
        );
        assert_eq!(splitter.genres(&["A; B, C"], false), ["A; B, C"]);
    }

    #[test]
    fn rules_are_read_from_a_file() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join(FILE);
        assert_eq!(SplitRules::of_data(data.path()), SplitRules::default());
        std::fs::write(&file, "artists = [\" & \"]\nwhole = [\"Nick & Nora\"]").unwrap();
        let rules = SplitRules::of_data(data.path());
        assert_eq!(rules.artists, [" & "]);
        assert_eq!(rules.genres, SplitRules::default().genres);
        let splitter = Splitter::new(&rules);
        assert_eq!(splitter.artists(&["Nick & Nora & Asta"], false), ["Nick & Nora", "Asta"]);
        assert_eq!(splitter.artists(&["Earth, Wind & Fire"], false), ["Earth, Wind & Fire"], "built in");
        std::fs::write(&file, "artist = 3").unwrap();
        assert_eq!(SplitRules::of_data(data.path()), SplitRules::default());
    }
}
