//! What a smart playlist asks for: a search line, or a tree of conditions as Navidrome's `.nsp` files have them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most tracks of one smart playlist, and the deepest tree of conditions.
pub(super) const MOST: u64 = 10_000;
const DEPTH: usize = 16;

/// The rules of a smart playlist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Which tracks.
    pub choice: Choice,
    /// In which order, the first key first; where there is none, best first for a search and by title for conditions.
    #[serde(default)]
    pub sort: Vec<Sort>,
    /// In an order of chance that is another one each day.
    #[serde(default)]
    pub shuffle: bool,
    /// Most tracks; 10,000 where none is given.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Tracks left out at the beginning.
    #[serde(default)]
    pub offset: u64,
}

/// Which tracks a smart playlist has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    /// What this search line finds.
    Search(String),
    /// What satisfies this.
    When(Condition),
}

/// A key of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// What is compared.
    pub by: Field,
    /// Largest first.
    pub descending: bool,
}

/// A tree of conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// A field compared.
    Test(Test),
}

/// A field and what it must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Which field.
    pub field: Field,
    /// How it is compared.
    pub is: Relation,
    /// With what: a text, a number, `true`, or two numbers for a range.
    pub value: Value,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the words of the file")]
pub enum Relation {
    Is,
    IsNot,
    Gt,
    Lt,
    Contains,
    NotContains,
    StartsWith,
    EndsWith,
    InTheRange,
    Before,
    After,
    InTheLast,
    NotInTheLast,
}

/// What can be compared and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of the file")]
pub enum Field {
    Title,
    Album,
    Artist,
    AlbumArtist,
    Genre,
    Year,
    TrackNumber,
    DiscNumber,
    Size,
    Compilation,
    DateAdded,
    FileType,
    Duration,
    BitRate,
    BitDepth,
    SampleRate,
    Channels,
    HasCoverArt,
    Lyrics,
    Loved,
    DateLoved,
    LastPlayed,
    PlayCount,
    Rating,
    #[serde(rename = "mbz_recording_id")]
    RecordingId,
}

impl Rules {
    /// The rules that keep a search.
    pub fn search(line: &str) -> Self {
        Self {
            choice: Choice::Search(line.trim().to_owned()),
            sort: Vec::new(),
            shuffle: false,
            limit: None,
            offset: 0,
        }
    }

    /// The rules that keep a search, and the name, from what is written for them: a name, then perhaps `limit:50`,
    /// `sort:-year,title` and `shuffle:`. The error is one sentence.
    pub fn kept(line: &str, words: &str) -> Result<(String, Self), String> {
        let mut rules = Self::search(line);
        let mut name: Vec<&str> = Vec::new();
        for word in words.split_whitespace() {
            match word.split_once(':') {
                Some(("limit", n)) => match n.parse::<u64>() {
                    Ok(n) if (1..=MOST).contains(&n) => rules.limit = Some(n),
                    _ => return Err(format!("A limit is a number from 1 to {MOST}, not “{n}”.")),
                },
                Some(("shuffle", "" | "yes" | "on")) => rules.shuffle = true,
                Some(("sort", keys)) => {
                    for key in keys.split(',') {
                        let (by, descending) = match key.strip_prefix('-') {
                            Some(key) => (field(key), true),
                            None => (field(key), false),
                        };
                        let by = by.ok_or_else(|| {
                            format!("It cannot be sorted by “{key}”; by title, artist, year, dateadded, playcount it can.")
                        })?;
                        rules.sort.push(Sort { by, descending });
                    }
                }
                _ => name.push(word),
            }
        }
        if name.is_empty() {
            return Err("A playlist needs a name.".to_owned());
        }
        Ok((name.join(" "), rules))
    }

    pub(super) fn most(&self) -> u64 {
        self.limit.unwrap_or(MOST).min(MOST)
    }
}

/// A smart playlist as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRules {
    /// The name that it gives itself.
    pub name: Option<String>,
    /// Its comment, empty where there is none.
    pub comment: String,
    /// Whether it is for everybody; who has no word about it gets that too.
    pub public: bool,
    /// The rules.
    pub rules: Rules,
    /// What was understood otherwise than it is written, one sentence for each.
    pub remarks: Vec<String>,
}

impl NamedRules {
    /// Reads a `.nsp` file. What cannot be expressed makes the whole an error, which names it; an order that cannot be is
    /// left out with a remark.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = without_comments(text);
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| format!("these rules are not JSON ({error})"))?;
        let Value::Object(map) = &value else { return Err("these rules are not a JSON object".to_owned()) };
        let get = |name: &str| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v);
        let mut remarks = Vec::new();
        let conditions = match (get("any"), get("all")) {
            (Some(any), _) => Condition::Any(list(any, 0)?),
            (None, Some(all)) => Condition::All(list(all, 0)?),
            (None, None) => return Err("these rules have neither “all” nor “any”".to_owned()),
        };
        let (mut sort, mut shuffle) = (Vec::new(), false);
        let turned = get("order").and_then(Value::as_str).is_some_and(|o| o.eq_ignore_ascii_case("desc"));
        for key in get("sort").and_then(Value::as_str).unwrap_or_default().split(',').map(str::trim) {
            let (name, down) = match key.strip_prefix('-') {
                Some(name) => (name, true),
                None => (key.trim_start_matches('+'), false),
            };
            match (name.to_ascii_lowercase().as_str(), field(name)) {
                ("", _) => {}
                ("random", _) => shuffle = true,
                (_, Some(by)) => sort.push(Sort { by, descending: down != turned }),
                (_, None) => remarks.push(format!("it cannot be sorted by “{name}”")),
            }
        }
        if let Some(percent) = get("limitPercent") {
            remarks.push(format!("a limit in per cent ({percent}) is not known and was left out"));
        }
        let count = |name: &str| get(name).and_then(Value::as_u64);
        let text = |name: &str| get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
        Ok(Self {
            name: text("name").map(str::to_owned),
            comment: text("comment").unwrap_or_default().to_owned(),
            public: get("public").and_then(Value::as_bool).unwrap_or(true),
            rules: Rules {
                choice: Choice::When(conditions),
                sort,
                shuffle,
                limit: count("limit").filter(|n| *n > 0),
                offset: count("offset").unwrap_or(0),
            },
            remarks,
        })
    }
}

/// Lines that are comments are not JSON, but stand in such files.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn list(value: &Value, depth: usize) -> Result<Vec<Condition>, String> {
    if depth > DEPTH {
        return Err("these rules are nested too deeply".to_owned());
    }
    let Value::Array(items) = value else { return Err("“all” and “any” take a list".to_owned()) };
    let mut conditions = Vec::new();
    for item in items {
        let Value::Object(map) = item else { return Err(format!("{item} is no rule")) };
        for (name, inside) in map {
            conditions.push(match name.to_ascii_lowercase().as_str() {
                "all" => Condition::All(list(inside, depth + 1)?),
                "any" => Condition::Any(list(inside, depth + 1)?),
                _ => test(name, inside)?,
            });
        }
    }
    Ok(conditions)
}

fn test(name: &str, inside: &Value) -> Result<Condition, String> {
    let is = relation(name).ok_or_else(|| format!("the rule “{name}” cannot be expressed here"))?;
    let Value::Object(map) = inside else { return Err(format!("“{name}” takes a field with a value")) };
    let tests: Vec<Condition> = map
        .iter()
        .map(|(name, value)| {
            let field = field(name).ok_or_else(|| format!("the field “{name}” is not known here"))?;
            Ok(Condition::Test(Test { field, is, value: value.clone() }))
        })
        .collect::<Result<_, String>>()?;
    match <[Condition; 1]>::try_from(tests) {
        Ok([one]) => Ok(one),
        Err(tests) => Ok(Condition::All(tests)),
    }
}

fn relation(name: &str) -> Option<Relation> {
    const NAMES: [(&str, Relation); 13] = [
        ("is", Relation::Is),
        ("isNot", Relation::IsNot),
        ("gt", Relation::Gt),
        ("lt", Relation::Lt),
        ("contains", Relation::Contains),
        ("notContains", Relation::NotContains),
        ("startsWith", Relation::StartsWith),
        ("endsWith", Relation::EndsWith),
        ("inTheRange", Relation::InTheRange),
        ("before", Relation::Before),
        ("after", Relation::After),
        ("inTheLast", Relation::InTheLast),
        ("notInTheLast", Relation::NotInTheLast),
    ];
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, relation)| *relation)
}

fn field(name: &str) -> Option<Field> {
    serde_json::from_value(Value::String(name.trim().to_ascii_lowercase())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read() {
        let read = NamedRules::parse(
            r#"{
                "name": "80s", "comment": "loud",
                // sorted twice
                "all": [
                    {"any": [{"is": {"loved": true}}, {"GT": {"Rating": 3}}]},
                    {"inTheRange": {"year": [1981, 1990]}}
                ],
                "sort": "-year,title,mood", "limit": 25
            }"#,
        )
        .unwrap();
        assert_eq!((read.name.as_deref(), read.comment.as_str(), read.public), (Some("80s"), "loud", true));
        assert_eq!(read.rules.limit, Some(25));
        assert_eq!(
            read.rules.sort,
            [Sort { by: Field::Year, descending: true }, Sort { by: Field::Title, descending: false }]
        );
        assert_eq!(read.remarks, ["it cannot be sorted by “mood”"]);
        let Choice::When(Condition::All(all)) = &read.rules.choice else { panic!("{read:?}") };
        assert!(matches!(&all[0], Condition::Any(any) if any.len() == 2));
        let again: Rules = serde_json::from_str(&serde_json::to_string(&read.rules).unwrap()).unwrap();
        assert_eq!(again, read.rules);
    }

    #[test]
    fn a_search_is_kept_with_words_on_its_order() {
        let (name, rules) = Rules::kept("genre:jazz", "Late  Jazz limit:50 sort:-year,title").unwrap();
        assert_eq!((name.as_str(), rules.limit, rules.shuffle), ("Late Jazz", Some(50), false));
        assert_eq!(rules.sort[0], Sort { by: Field::Year, descending: true });
        assert!(Rules::kept("x", "Mix shuffle:").unwrap().1.shuffle);
        assert_eq!(Rules::kept("x", "Re:Stacks").unwrap().0, "Re:Stacks");
        for wrong in ["limit:5", "A limit:0", "A limit:x", "A sort:colour", ""] {
            assert!(Rules::kept("x", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_expressed_is_named() {
        for (text, named) in [
            (r#"{"all": [{"is": {"filepath": "x"}}]}"#, "“filepath”"),
            (r#"{"all": [{"inPlaylist": {"id": "x"}}]}"#, "“inPlaylist”"),
            (r#"{"name": "x"}"#, "neither “all” nor “any”"),
            (r"[]", "not a JSON object"),
            (r#"{"all": ["#, "not JSON"),
        ] {
            let error = NamedRules::parse(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_tree_without_end_is_refused() {
        let text = format!("{}{}", r#"{"all": [{"any": ["#.repeat(40), "]}]}".repeat(40));
        assert!(NamedRules::parse(&text).is_err());
    }
}
