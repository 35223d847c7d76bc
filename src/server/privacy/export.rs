//! A copy of everything that there is about a person: a zip of JSON, written as it is read, so that it takes the same memory for
//! ten plays and for ten million.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::super::ServerError;
use crate::catalog::{Catalog, PERSONAL, Personal};
use crate::music::{AccountId, Playlist, Purpose, Track, printable};
use crate::subsonic::convert::iso;

/// Bytes that are gathered before they are passed on.
const GATHERED: usize = 64 << 10;
/// Pieces that may wait for a slow taker.
const WAITING: usize = 4;
/// Lines of the audit log at most.
const DEEDS: u64 = 100_000;

/// Tables that have files of their own making; the others are given out row by row.
const BY_HAND: &[&str] =
    &["plays", "marks", "playlists", "playlist_tracks", "mixes", "mix_tracks", "accounts"];

/// Whose copy it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The account.
    pub id: AccountId,
    /// Its name.
    pub name: String,
}

/// Writes the copy into a channel, piece by piece; the pieces together are a zip. It ends early when nobody takes them any more.
pub async fn export(catalog: &Catalog, who: &Who, out: mpsc::Sender<Bytes>) -> Result<(), ServerError> {
    let mut archive = Archive::new(out);
    archive.text("README.txt", &readme(who)).await?;
    profile(catalog, who, &mut archive).await?;
    archive.begin("plays.jsonl")?;
    let mut after = None;
    loop {
        let (listens, next) = catalog.listens_page(&who.id, after).await?;
        archive.lines(&listens).await?;
        after = next;
        if after.is_none() {
            break;
        }
    }
    archive.begin("favourites.jsonl")?;
    for page in 0.. {
        let (rows, more) = catalog.favourites_page(&who.id, page).await?;
        archive.lines(&rows).await?;
        if !more {
            break;
        }
    }
    playlists(catalog, who, &mut archive).await?;
    let listener = catalog.listener(&who.id);
    let mixes: Vec<Value> = listener.mixes().await?.into_iter().map(|kept| json!(kept.mix)).collect();
    archive.json("recommendations.json", &mixes).await?;
    let mut now = Map::new();
    for purpose in Purpose::ALL {
        now.insert(purpose.word().to_owned(), listener.allows(purpose).await?.into());
    }
    let settings = json!({ "purposes": now, "text_version": Purpose::TEXT_VERSION });
    archive.json("settings.json", &settings).await?;
    for personal in PERSONAL.iter().filter(|personal| !BY_HAND.contains(&personal.table)) {
        archive.begin(personal.file)?;
        rows(catalog, personal, who, &mut archive).await?;
    }
    archive.begin("audit.jsonl")?;
    for deed in catalog.deeds_about(&who.name, DEEDS).await? {
        let line = json!({ "at": iso(deed.at), "by": deed.account, "address": deed.address, "deed": deed.deed,
            "about": deed.subject });
        archive.lines(&[line]).await?;
    }
    archive.end().await
}

/// Writes the copy into a new file that only its owner may read; gives its size in bytes.
pub async fn export_to(catalog: &Catalog, who: &Who, file: &Path) -> Result<u64, ServerError> {
    let failed = |error: std::io::Error| {
        ServerError::Privacy(format!("{} cannot be written: {error}", file.display()))
    };
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut open = options.open(file).await.map_err(failed)?;
    let (sender, mut pieces) = channel();
    let save = async {
        let mut size = 0;
        while let Some(piece) = pieces.recv().await {
            open.write_all(&piece).await?;
            size += piece.len() as u64;
        }
        open.sync_all().await?;
        Ok::<_, std::io::Error>(size)
    };
    let (written, saved) = tokio::join!(Box::pin(export(catalog, who, sender)), save);
    let done = written.and(saved.map_err(failed));
    if done.is_err() {
        // Half a copy helps nobody.
        let _ = tokio::fs::remove_file(file).await;
    }
    done
}

/// A channel for [`export`], small enough that a slow taker holds it up.
pub(crate) fn channel() -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
    mpsc::channel(WAITING)
}

async fn rows(
    catalog: &Catalog,
    personal: &Personal,
    who: &Who,
    archive: &mut Archive,
) -> Result<(), ServerError> {
    for page in 0.. {
        let (rows, more) = catalog.personal_page(personal, &who.id, page).await?;
        archive.lines(&rows).await?;
        if !more {
            break;
        }
    }
    Ok(())
}

async fn profile(catalog: &Catalog, who: &Who, archive: &mut Archive) -> Result<(), ServerError> {
    let mut profile = Map::from_iter([("name".to_owned(), Value::from(who.name.as_str()))]);
    for personal in PERSONAL.iter().filter(|personal| personal.table == "accounts") {
        let (rows, _) = catalog.personal_page(personal, &who.id, 0).await?;
        profile.extend(rows.into_iter().flatten());
    }
    let counts = catalog.personal_counts(&who.id).await?;
    let counts: Map<String, Value> =
        counts.into_iter().map(|(table, n)| (table.to_owned(), n.into())).collect();
    profile.insert("rows".to_owned(), counts.into());
    profile.insert("exported_at".to_owned(), jiff::Timestamp::now().to_string().into());
    archive.json("profile.json", &profile).await
}

async fn playlists(catalog: &Catalog, who: &Who, archive: &mut Archive) -> Result<(), ServerError> {
    let listener = catalog.listener(&who.id);
    let own = PERSONAL.iter().filter(|personal| personal.table == "playlists");
    let mut number = 0;
    for personal in own {
        for page in 0.. {
            let (rows, more) = catalog.personal_page(personal, &who.id, page).await?;
            for row in rows {
                let id = row.get("id").and_then(Value::as_str).unwrap_or_default().into();
                let Some((list, tracks)) = listener.playlist(&id).await? else { continue };
                let entries =
                    listener.playlist_entries(&id).await?.map(|(_, entries)| entries).unwrap_or_default();
                number += 1;
                let name = format!("playlists/{number:03}{}", file_name(&list.name));
                let tracks_json: Vec<Value> = tracks.iter().map(track).collect();
                let json = json!({ "id": list.id, "name": list.name, "comment": list.comment, "public": list.public,
                    "smart": list.smart, "created": iso(list.created_at), "changed": iso(list.changed_at),
                    "tracks": tracks_json, "entries": entries });
                archive.json(&format!("{name}.json"), &json).await?;
                archive.text(&format!("{name}.xspf"), &xspf(&list, &tracks)).await?;
            }
            if !more {
                break;
            }
        }
    }
    Ok(())
}

fn track(track: &Track) -> Value {
    json!({ "id": track.id, "title": track.title, "artist": track.artist, "album": track.album,
        "duration_ms": track.duration_ms, "recording_mbid": track.musicbrainz_id })
}

/// A playlist as XSPF 1 (<https://xspf.org/spec>), by names, since addresses of this server mean nothing elsewhere.
fn xspf(list: &Playlist, tracks: &[Track]) -> String {
    let escaped =
        |text: &str| printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\">\n\
         <title>{}</title>\n<trackList>\n",
        escaped(&list.name)
    );
    for track in tracks {
        let line = format!(
            "<track><title>{}</title><creator>{}</creator><album>{}</album><duration>{}</duration></track>\n",
            escaped(&track.title),
            escaped(&track.artist),
            escaped(&track.album),
            track.duration_ms
        );
        text.push_str(&line);
    }
    text.push_str("</trackList>\n</playlist>\n");
    text
}

/// What of a name can stand in a file's name anywhere.
fn file_name(name: &str) -> String {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').take(40).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join("-");
    if plain.is_empty() { plain } else { format!("-{plain}") }
}

/// What each file is.
fn readme(who: &Who) -> String {
    let mut files: Vec<(&str, String)> = vec![
        ("profile.json", "the account: its name, when it was made, what it may do; how many rows there are of what".into()),
        ("settings.json", "what may be done with the data at the moment, purpose by purpose".into()),
        ("audit.jsonl", "who did what to the account, its keys and its shares, and what it did to others".into()),
        ("recommendations.json", "mixes that were made, and for each track why: data derived from the plays".into()),
        ("plays.jsonl", "what was heard, a line for each play, as ListenBrainz has a listen (listened_at in Unix seconds); \
            additional_info has how long it was heard, why it began and ended, and what it was played from. \
            `segue import listenbrainz` reads this very archive".into()),
        ("favourites.jsonl", "stars (starred_at, Unix ms), ratings (1 to 5) and counts of plays, of tracks, albums and artists".into()),
        ("playlists/", "each playlist twice: as JSON with everything, as XSPF for other programs".into()),
    ];
    let rest = PERSONAL.iter().filter(|personal| !BY_HAND.contains(&personal.table));
    files.extend(rest.map(|personal| (personal.file, personal.about.to_owned())));
    files.sort();
    let mut text = format!(
        "Everything that Segue keeps about {}\n\nJSON is UTF-8; a file that ends in .jsonl has one JSON object a line. Times in \
         columns named *_at and at are Unix time in milliseconds. Passwords and keys are not in here: of them only hashes \
         or sealed texts are kept. The music itself is not data about you.\n\n",
        printable(&who.name)
    );
    for (name, about) in files {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name:<24} {about}");
    }
    text
}

/// Bytes that the zip was given and nobody took yet.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<Vec<u8>>>);

impl Gathered {
    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Archive {
    zip: ZipWriter<StreamWriter<Gathered>>,
    gathered: Gathered,
    out: mpsc::Sender<Bytes>,
}

impl Archive {
    fn new(out: mpsc::Sender<Bytes>) -> Self {
        let gathered = Gathered::default();
        Self { zip: ZipWriter::new_stream(gathered.clone()), gathered, out }
    }

    fn begin(&mut self, name: &str) -> Result<(), ServerError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(true)
            .unix_permissions(0o600);
        self.zip.start_file(name, options).map_err(|error| failed(&error))
    }

    async fn lines<T: Serialize>(&mut self, rows: &[T]) -> Result<(), ServerError> {
        for row in rows {
            let mut line = serde_json::to_vec(row).map_err(|error| failed(&error))?;
            line.push(b'\n');
            self.zip.write_all(&line).map_err(|error| failed(&error))?;
            self.pass_on(GATHERED).await?;
        }
        Ok(())
    }

    async fn json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), ServerError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| failed(&error))?;
        self.text(name, &text).await
    }

    async fn text(&mut self, name: &str, text: &str) -> Result<(), ServerError> {
        self.begin(name)?;
        self.zip.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
        self.pass_on(GATHERED).await
    }

    async fn end(self) -> Result<(), ServerError> {
        let Self { zip, gathered, out } = self;
        zip.finish().map_err(|error| failed(&error))?;
        pass_on(&gathered, &out, 1).await
    }

    async fn pass_on(&mut self, least: usize) -> Result<(), ServerError> {
        pass_on(&self.gathered, &self.out, least).await
    }
}

/// Passes on what was gathered, if it is that much.
async fn pass_on(gathered: &Gathered, out: &mpsc::Sender<Bytes>, least: usize) -> Result<(), ServerError> {
    let piece = {
        let mut bytes = gathered.bytes();
        if bytes.len() < least {
            return Ok(());
        }
        std::mem::take(&mut *bytes)
    };
    let gone = |_| ServerError::Privacy("nobody takes the copy any more".to_owned());
    out.send(piece.into()).await.map_err(gone)
}

fn failed(error: &dyn std::fmt::Display) -> ServerError {
    ServerError::Privacy(format!("the copy cannot be made: {error}"))
}
