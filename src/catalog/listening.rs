//! What taste is read from: one listener's library, history, marks and playlists as [`Listening`]; what they want less of.
//!
//! Whoever opted out gives an empty history, so that every playlist is made of the library alone; the plays stay, since they are the
//! listener's own record.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;

use super::sql::{self, again};
use super::{Catalog, CatalogError, Listener, bulk, mixes::leave_out, now_ms, plays::from_word, rows::Cells};
use crate::music::{
    AccountId, EndReason, Heard, Item, Listening, Mix, PlayContext, Purpose, Sonic, StartReason, TrackId,
    Tune,
};

/// Which tracks are read.
enum Reach<'a> {
    All,
    /// What the listener ever did something with, and these.
    Known(&'a [TrackId]),
    /// See [`Listener::listening_around`]; the text is what the last digits of a sample's ids are below.
    Around(&'a [TrackId], String),
}

/// Gives names numbers.
#[derive(Default)]
struct Names {
    known: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: String) -> u32 {
        let next = self.known.len() as u32;
        *self.known.entry(name).or_insert(next)
    }
}

impl Listener {
    /// Everything that playlists are made of. `sonic_version` says which figures of sound count.
    pub async fn listening(&self, sonic_version: u32) -> Result<Listening, CatalogError> {
        self.read_listening(sonic_version, Reach::All).await
    }

    /// The same; of a library of more than `many` tracks what the listener ever did something with, everything else by those
    /// artists, what is new, `also` these, and of the rest about a third of `many`, which are the same ones each time.
    pub async fn listening_around(
        &self,
        sonic_version: u32,
        also: &[TrackId],
        many: u64,
    ) -> Result<Listening, CatalogError> {
        let tracks = self.catalog.stats().await?.tracks;
        if tracks <= many {
            return self.listening(sonic_version).await;
        }
        // Ids are random at their end; two hexadecimal digits make 256 parts.
        let parts = (256 * many / 3 / tracks).max(1);
        self.read_listening(sonic_version, Reach::Around(also, format!("{parts:02x}"))).await
    }

    /// The same with only those tracks that the listener ever did something with, and `also` these.
    pub async fn listening_known(
        &self,
        sonic_version: u32,
        also: &[TrackId],
    ) -> Result<Listening, CatalogError> {
        self.read_listening(sonic_version, Reach::Known(also)).await
    }

    #[allow(clippy::too_many_lines, reason = "one reading after the other into one value")]
    async fn read_listening(&self, sonic_version: u32, reach: Reach<'_>) -> Result<Listening, CatalogError> {
        let mut all = Listening::default();
        let mut index: HashMap<String, u32> = HashMap::new();
        let (mut artists, mut albums) = (Names::default(), Names::default());
        let account = self.account.as_str();
        let (profiled, history) = (self.profiled().await?, self.allows(Purpose::History).await?);
        let none = [TrackId::from("")];
        let mut conn = self.stale().acquire().await?;
        let head = "SELECT t.id, t.title, COALESCE(a.artist_id, t.artist), COALESCE(a.name, t.artist), t.album_id, t.year, \
                   t.duration_ms, t.added_at, COALESCE(t.track_gain, t.heard_track_gain), \
                   CASE WHEN m.starred_at IS NOT NULL THEN 2 WHEN b.starred_at IS NOT NULL OR c.starred_at IS NOT NULL \
                   THEN 1 ELSE 0 END, COALESCE(m.rating, 0), COALESCE(m.play_count, 0), m.played_at FROM tracks t \
                   LEFT JOIN track_artists a ON a.track_id = t.id AND a.role = 'artist' AND a.position = 0 \
                   LEFT JOIN marks m ON m.account_id = $1 AND m.kind = 'track' AND m.item_id = t.id \
                   LEFT JOIN marks b ON b.account_id = $1 AND b.kind = 'album' AND b.item_id = t.album_id \
                   LEFT JOIN marks c ON c.account_id = $1 AND c.kind = 'artist' AND c.item_id = a.artist_id \
                   WHERE $2 = 'all' OR m.item_id IS NOT NULL \
                   OR t.id IN (SELECT p.track_id FROM plays p WHERE p.account_id = $1) \
                   OR t.id IN (SELECT l.track_id FROM playlist_tracks l WHERE l.account_id = $1) \
                   OR ($2 = 'around' AND (SUBSTR(t.id, LENGTH(t.id) - 1) < $3 OR a.artist_id IN (SELECT x.artist_id FROM marks k \
                   JOIN track_artists x ON x.track_id = k.item_id WHERE k.account_id = $1 AND k.kind = 'track') \
                   OR t.added_at > COALESCE((SELECT n.added_at FROM tracks n ORDER BY n.added_at DESC LIMIT 1 OFFSET 2000), 0))) \
                   OR t.id IN";
        {
            let (scope, also, below) = match &reach {
                Reach::All => ("all", &none[..], ""),
                Reach::Known(also) => ("known", *also, ""),
                Reach::Around(also, below) => ("around", *also, below.as_str()),
            };
            let also = if also.is_empty() { &none } else { also };
            let also: Vec<&str> = also.iter().map(TrackId::as_str).collect();
            let statement = bulk::with_ids((head, 4, "ORDER BY t.id"), &[account, scope, below], &also);
            let mut rows = statement.fetch(&mut *conn);
            while let Some(row) = rows.try_next().await? {
                let mut c = Cells::of(&row);
                let (id, title): (String, String) = (c.get()?, c.get()?);
                let (artist, name): (String, String) = (c.get()?, c.get()?);
                let artist = artists.number(artist);
                if artist as usize == all.artists.len() {
                    all.artists.push(name);
                }
                let album = c.get::<Option<String>>()?.map_or(u32::MAX, |album| albums.number(album));
                index.insert(id.clone(), all.tunes.len() as u32);
                all.tunes.push(Tune {
                    id: Some(id.into()),
                    title,
                    artist,
                    album,
                    year: c.number()?,
                    duration_ms: c.number()?.unwrap_or(0),
                    added_at: c.get()?,
                    gain: c.real()?,
                    star: match c.get::<i64>()? {
                        2 => 1.0,
                        1 => 0.5,
                        _ => 0.0,
                    },
                    rating: c.number()?.unwrap_or(0),
                    play_count: c.number()?.unwrap_or(0),
                    played_at: c.get()?,
                    ..Tune::default()
                });
            }
        }
        let mut genres = Names::default();
        {
            let sql = "SELECT track_id, genre FROM track_genres ORDER BY track_id, position";
            let mut rows = sql::query(sql).fetch(&mut *conn);
            while let Some(row) = rows.try_next().await? {
                let mut c = Cells::of(&row);
                let (track, genre): (String, String) = (c.get()?, c.get()?);
                let tune = index.get(&track).and_then(|i| all.tunes.get_mut(*i as usize));
                let Some(tune) = tune else { continue };
                let number = genres.number(crate::music::fold(&genre));
                let Ok(short) = u16::try_from(number) else { continue };
                if number as usize == all.genres.len() {
                    all.genres.push(genre);
                }
                if !tune.genres.contains(&short) {
                    tune.genres.push(short);
                }
            }
        }
        {
            let sql = "SELECT track_id, body FROM sonic WHERE version = $1 AND error IS NULL";
            let mut rows = sql::query(sql).bind(sonic_version).fetch(&mut *conn);
            while let Some(row) = rows.try_next().await? {
                let mut c = Cells::of(&row);
                let track: String = c.get()?;
                if let Some(tune) = index.get(&track).and_then(|i| all.tunes.get_mut(*i as usize)) {
                    let sound: Sonic = serde_json::from_str(c.get::<&str>()?)?;
                    tune.sound = Some(Box::new(sound));
                }
            }
        }
        if !history {
            for tune in &mut all.tunes {
                (tune.play_count, tune.played_at) = (0, None);
            }
        }
        if !profiled {
            for tune in &mut all.tunes {
                (tune.star, tune.rating, tune.play_count, tune.played_at) = (0.0, 0, 0, None);
            }
            return Ok(all);
        }
        let sql = "SELECT track_id, started_at, heard_ms, start_reason, end_reason, offset_minutes, source FROM plays \
                   WHERE account_id = $1 ORDER BY started_at, track_id";
        let plays = sql::query(sql).bind(account).fetch_all(&mut *conn).await?;
        for row in plays.iter().filter(|_| history) {
            let mut c = Cells::of(row);
            let track: String = c.get()?;
            let Some(&tune) = index.get(&track) else { continue };
            let (at, heard_ms) = (c.get()?, c.number()?.unwrap_or(0));
            let start = from_word(c.get()?, StartReason::Unknown);
            let end = from_word(c.get()?, EndReason::Unknown);
            let (hour, weekday) = local(at, c.get()?);
            let found = c.get::<&str>()?.starts_with(PlayContext::SEARCH);
            let sought = found && start == StartReason::Chosen;
            all.plays.push(Heard { tune, at, heard_ms, start, sought, end, hour, weekday });
        }
        let sql = "SELECT e.playlist_id, e.track_id FROM playlist_tracks e JOIN playlists p \
                   ON p.account_id = e.account_id AND p.id = e.playlist_id \
                   WHERE e.account_id = $1 AND e.playlist_id NOT LIKE $2 ORDER BY e.playlist_id, e.position";
        let mut last = None;
        // What a server made is no word of the listener's.
        let made = format!("{}%", Mix::AS_PLAYLIST);
        for row in sql::query(sql).bind(account).bind(made).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            let (list, track): (String, String) = (c.get()?, c.get()?);
            let Some(&tune) = index.get(&track) else { continue };
            if last.as_ref() != Some(&list) {
                all.lists.push(Vec::new());
                last = Some(list);
            }
            if let Some(list) = all.lists.last_mut() {
                list.push(tune);
            }
        }
        let sql = "SELECT kind, item_id FROM less WHERE account_id = $1 ORDER BY kind, item_id";
        for row in sql::query(sql).bind(account).fetch_all(&mut *conn).await? {
            let mut c = Cells::of(&row);
            let (kind, id): (String, String) = (c.get()?, c.get()?);
            if kind == "track" {
                all.less.extend(index.get(&id));
            } else {
                all.less_artists.extend(artists.known.get(&id));
            }
        }
        Ok(all)
    }

    /// Wants less of a track or an artist, which leaves the kept mixes at once; or takes that back.
    pub async fn set_less(&self, item: &Item, less: bool) -> Result<(), CatalogError> {
        if matches!(item, Item::Album(_)) {
            return Err(CatalogError::Invalid(
                "less of an album means less of its tracks or its artist".into(),
            ));
        }
        let sql = if less {
            "INSERT INTO less (account_id, kind, item_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM less WHERE account_id = $1 AND kind = $2 AND item_id = $3 AND at <= $4"
        };
        again!({
            let mut tx = self.write().await?;
            sql::query(sql)
                .bind(self.account.as_str())
                .bind(item.kind())
                .bind(item.id())
                .bind(if less { now_ms() } else { i64::MAX })
                .execute(&mut *tx)
                .await?;
            if less {
                leave_out(&mut tx, self.account.as_str(), item.kind(), Some(item.id())).await?;
            }
            tx.commit().await?;
            Ok(())
        })
    }

    /// Every play: which track, and when it began (Unix time in ms).
    pub async fn play_times(&self) -> Result<Vec<(TrackId, i64)>, CatalogError> {
        let rows = sql::query("SELECT track_id, started_at FROM plays WHERE account_id = $1")
            .bind(self.account.as_str())
            .fetch_all(self.catalog.reader())
            .await?;
        let read = rows.iter().map(|row| {
            let mut c = Cells::of(row);
            Ok((c.get::<String>()?.into(), c.get()?))
        });
        Ok(read.collect::<Result<_, sql::Error>>()?)
    }
}

impl Catalog {
    /// Which track has which `MusicBrainz` recording id, by that id.
    pub async fn recordings(&self) -> Result<Vec<(String, TrackId)>, CatalogError> {
        let sql = "SELECT musicbrainz_id, id FROM tracks WHERE musicbrainz_id IS NOT NULL ORDER BY musicbrainz_id, id";
        let rows = sql::query(sql).fetch_all(&self.stale()).await?;
        let read = rows.iter().map(|row| {
            let mut c = Cells::of(row);
            Ok((c.get()?, c.get::<String>()?.into()))
        });
        Ok(read.collect::<Result<_, sql::Error>>()?)
    }

    /// Plays by account and track over everybody who may be learned from: `(account, track, plays)`.
    pub async fn everybodys_plays(&self) -> Result<Vec<(AccountId, String, u32)>, CatalogError> {
        let sql = "SELECT m.account_id, m.item_id, m.play_count FROM marks m WHERE m.kind = 'track' AND m.play_count > 0 \
                   AND NOT EXISTS (SELECT 1 FROM unlearned u WHERE u.account_id = m.account_id) \
                   ORDER BY m.account_id, m.item_id";
        let rows = sql::query(sql).fetch_all(&self.stale()).await?;
        let read = rows.iter().map(|row| {
            let mut c = Cells::of(row);
            Ok((c.get::<String>()?.into(), c.get()?, c.number()?.unwrap_or(0)))
        });
        Ok(read.collect::<Result<_, sql::Error>>()?)
    }
}

/// Hour of the day and day of the week (Monday is 0) of a moment, `minutes` ahead of UTC.
fn local(at: i64, minutes: i64) -> (u8, u8) {
    let hours = (at / 60_000).saturating_add(minutes).div_euclid(60);
    // 1970-01-01 was a Thursday.
    (hours.rem_euclid(24) as u8, (hours.div_euclid(24) + 3).rem_euclid(7) as u8)
}
