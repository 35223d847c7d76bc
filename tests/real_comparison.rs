//! The server and a real Supysonic 0.7.9 asked the same things over the same music, call by call. Where they differ in
//! what both say, the difference stands below with its reason, and in `docs/supysonic.md`; any other one fails. Run by
//! `.ci/run`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "common/database.rs"]
mod database;
#[path = "server_http/house.rs"]
#[allow(dead_code, reason = "it serves more tests than these")]
mod house;
mod program;
mod supysonic;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use form_urlencoded::Serializer;
use house::House;
use serde_json::Value;
use supysonic::{PASSWORD, Supysonic, USER};

/// Differences that are meant: the end of a path, and why.
const MEANT: &[(&str, &str)] = &[
    (
        "index.artist.name",
        "artists stand under their letter without its accents; Supysonic has them under “?”",
    ),
    (
        "index.artist.albumCount",
        "artists stand under their letter without its accents; Supysonic has them under “?”",
    ),
    ("index.name", "artists stand under their letter without its accents; Supysonic has them under “?”"),
    (
        "musicFolder.name",
        "folders have the names of their directories here; there, the one that was given with them",
    ),
    ("discNumber", "Supysonic has 1 where a tag has none"),
    ("starred", "the same moment, to the millisecond"),
    ("playlist.owner", "the accounts that ask have different names"),
    ("user.username", "the accounts that ask have different names"),
    ("user.email", "no addresses are kept here"),
    ("version", "Supysonic speaks 1.12.0, we 1.16.1"),
    ("created", "the time of the scan against the time of the file"),
    (
        "path",
        "Supysonic tells the file's place on its disk; ours is made of tags, since files are nobody's business",
    ),
    ("coverArt", "Supysonic names pictures by folders, we by their content"),
    (
        "contentType",
        "audio/x-wav against audio/wav, which is the registered name of the two that players send",
    ),
    ("duration", "Supysonic cuts seconds off, we round to the nearest"),
    ("artists.ignoredArticles", "artists are sorted by their sort names here; no word is passed over"),
    ("indexes.ignoredArticles", "artists are sorted by their sort names here; no word is passed over"),
    ("indexes.lastModified", "the time of the scan"),
    ("error.message", "sentences differ, codes do not"),
    (
        "error.code",
        "Supysonic says 0 where an id has not the form of its own ids, we say what it is: not found",
    ),
    ("user.scrobblingEnabled", "here every listen is kept; there it is for Last.fm only"),
    ("user.commentRole", "who has playlists may comment on them"),
    ("user.jukeboxRole", "a permission by itself there, part of administering here"),
    ("user.shareRole", "Supysonic has no shares"),
    ("user.adminRole", "the account that is compared administers here and not there"),
    (
        "averageRating",
        "Supysonic averages all listeners' stars; one listener's taste is not another's business here",
    ),
    ("genre", "one genre here, all of them in `genres`; Supysonic writes them into one word"),
];

/// Calls that only one of them takes, and why.
const TAKEN: &[(&str, &str)] = &[(
    "search3 without a query",
    "OpenSubsonic's default for a missing query is the empty one, which finds everything",
)];

/// What is asked: the endpoint, its parameters (`@Title` stands for an id), and the list under which songs and albums
/// are compared by name.
const CALLS: &[(&str, &str)] = &[
    ("ping", ""),
    ("getLicense", ""),
    ("getMusicFolders", ""),
    ("getIndexes", ""),
    ("getArtists", ""),
    ("getArtist", "id=@artist:Alpha"),
    ("getAlbum", "id=@album:First Light"),
    ("getSong", "id=@song:One"),
    ("getGenres", ""),
    ("getAlbumList2", "type=alphabeticalByName"),
    ("getAlbumList2", "type=byGenre&genre=Jazz"),
    ("getAlbumList2", "type=byYear&fromYear=2000&toYear=2005"),
    ("getAlbumList2", "type=nonsense"),
    ("getSongsByGenre", "genre=Rock"),
    ("search2", "query=three"),
    ("search3", "query=two"),
    ("search3", "query="),
    ("search3", "query=nothing+like+that"),
    ("search3", ""),
    ("star", "id=@song:One&albumId=@album:First Light"),
    ("getStarred2", ""),
    ("unstar", "id=@song:One&albumId=@album:First Light"),
    ("getStarred2", ""),
    ("setRating", "id=@song:One&rating=4"),
    ("setRating", "id=@song:One&rating=9"),
    ("getSong", "id=@song:One"),
    ("scrobble", "id=@song:Three&submission=false"),
    ("createPlaylist", "name=road&songId=@song:One&songId=@song:Three"),
    ("getPlaylists", ""),
    ("getUser", "username=@user"),
    ("getSong", "id=nowhere"),
    ("getAlbum", "id=nowhere"),
    ("getSong", ""),
    ("getCoverArt", "id=nowhere"),
    ("stream", "id=nowhere"),
    ("noSuchThing", ""),
];

/// One of the two servers.
struct Side<'a> {
    base: String,
    login: Vec<(&'a str, &'a str)>,
    user: &'a str,
    http: reqwest::Client,
    ids: BTreeMap<String, String>,
}

impl Side<'_> {
    async fn ask(&self, endpoint: &str, params: &str) -> Value {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(&self.login).extend_pairs([("f", "json"), ("v", "1.12.0"), ("c", "test")]);
        for (name, value) in form_urlencoded::parse(params.as_bytes()) {
            let value = match value.strip_prefix('@') {
                Some("user") => self.user,
                Some(named) => &self.ids[named],
                None => &value,
            };
            query.append_pair(&name, value);
        }
        let url = format!("{}/rest/{endpoint}?{}", self.base, query.finish());
        let bytes = self.http.get(url).send().await.unwrap().bytes().await.unwrap();
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        answer["subsonic-response"].take()
    }

    /// Learns ids by names.
    async fn learn(&mut self) {
        let found = self.ask("search3", "query=&songCount=50&albumCount=50&artistCount=50").await;
        for (kind, name) in [("song", "title"), ("album", "name"), ("artist", "name")] {
            for item in found["searchResult3"][kind].as_array().into_iter().flatten() {
                let (name, id) = (item[name].as_str().unwrap(), item["id"].as_str().unwrap());
                self.ids.entry(format!("{kind}:{name}")).or_insert_with(|| id.to_owned());
            }
        }
    }
}

/// Every scalar by its path; elements of lists are called by what names them, so that neither ids nor order count.
fn flatten(value: &Value, path: &str, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if !matches!(key.as_str(), "id" | "artistId" | "albumId" | "parent") || !value.is_string() {
                    flatten(value, &format!("{path}.{key}"), out);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let name = ["title", "name", "value", "username"].iter().find_map(|key| item[*key].as_str());
                // Two songs of one title are told apart by their albums.
                let album = item["album"].as_str().unwrap_or_default();
                flatten(item, &format!("{path}[{} {album}]", name.unwrap_or_default()), out);
            }
        }
        Value::Null => {}
        scalar => {
            out.insert(path.to_owned(), scalar.to_string());
        }
    }
}

/// Why two servers may differ at a path, if that is meant.
fn reason(path: &str) -> Option<&'static (&'static str, &'static str)> {
    let mut plain = String::new();
    let mut depth = 0;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    MEANT.iter().find(|(end, _)| plain.ends_with(&format!(".{end}")) || plain == *end)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_servers_say_the_same_where_it_counts() {
    let house = House::open().await;
    let music = house.folder.path().join("music");
    let Some(other) = tokio::task::spawn_blocking(move || Supysonic::over(&music)).await.unwrap() else {
        return;
    };
    let mut ours = Side {
        base: house.base.clone(),
        login: vec![("apiKey", &house.key)],
        user: "admin",
        http: house.http.clone(),
        ids: BTreeMap::new(),
    };
    let mut theirs = Side {
        base: other.url(),
        login: vec![("u", USER), ("p", PASSWORD)],
        user: USER,
        http: house.http.clone(),
        ids: BTreeMap::new(),
    };
    ours.learn().await;
    theirs.learn().await;
    let mut used: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    let mut unmeant = String::new();
    let (mut alike, mut more) = (0, 0);
    for (endpoint, params) in CALLS {
        let (mine, yours) = (ours.ask(endpoint, params).await, theirs.ask(endpoint, params).await);
        if mine["status"] != yours["status"] {
            let call = if params.is_empty() {
                format!("{endpoint} without a query")
            } else {
                format!("{endpoint} {params}")
            };
            let known = TAKEN.iter().find(|(name, _)| *name == call);
            let (name, why) = known.unwrap_or_else(|| panic!("{call}:\n{mine}\n{yours}"));
            used.entry(name).or_insert((why, BTreeSet::new())).1.insert(endpoint);
            continue;
        }
        let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
        flatten(&mine, "", &mut left);
        flatten(&yours, "", &mut right);
        more += left.keys().filter(|path| !right.contains_key(*path)).count();
        for (path, value) in &right {
            match left.get(path) {
                Some(same) if same == value => alike += 1,
                found => {
                    if let Some((end, why)) = reason(path) {
                        used.entry(end).or_insert((why, BTreeSet::new())).1.insert(endpoint);
                    } else {
                        let found = found.map_or("nothing", String::as_str);
                        let _ = writeln!(unmeant, "{endpoint} {params}: {path}: {value} there, {found} here");
                    }
                }
            }
        }
    }
    assert!(unmeant.is_empty(), "{unmeant}");
    let idle: Vec<&str> = MEANT.iter().map(|(end, _)| *end).filter(|end| !used.contains_key(end)).collect();
    assert!(idle.is_empty(), "these differ no longer: {idle:?}");
    assert!(alike > 100, "too little was compared: {alike}");
    println!("{} calls: {alike} values alike, {more} that only we tell", CALLS.len());
    let page = page(&used);
    if std::env::var_os("SEGUE_UPDATE_DOCS").is_some() {
        std::fs::write("docs/supysonic.md", &page).unwrap();
    }
    let kept = std::fs::read_to_string("docs/supysonic.md").unwrap_or_default();
    assert_eq!(kept, page, "docs/supysonic.md is out of date: run this test with SEGUE_UPDATE_DOCS=1");
    house.close().await;
}

fn page(used: &BTreeMap<&str, (&str, BTreeSet<&str>)>) -> String {
    let mut page = format!(
        "# Segue beside Supysonic\n\n\
         The same {} calls, asked of both servers over the same music: whether a call succeeds is the same for every one, and \
         everything that Supysonic 0.7.9 tells we tell too, alike but for what stands here. This page is written by \
         `tests/real_comparison.rs` and checked by `.ci/run`.\n\n| what differs | in | why |\n|---|---|---|\n",
        CALLS.len()
    );
    for (end, (why, endpoints)) in used {
        let endpoints: Vec<&str> = endpoints.iter().copied().collect();
        let _ = writeln!(page, "| `{end}` | {} | {why} |", endpoints.join(", "));
    }
    page
}
