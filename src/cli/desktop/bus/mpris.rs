//! Media keys and panels: the interfaces of MPRIS 2.2.
//!
//! Properties that can be set are marked as not telling of their changes, though they do: what is set here counts once the
//! player says so, and is told then ([`tell`]), not by the setter.

#![allow(dead_code, unreachable_pub, reason = "the macro also makes what is not called here")]
#![allow(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    reason = "the macro wants methods with owned arguments"
)]

use std::borrow::Cow;
use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot, watch};
use zbus::connection::Builder;
use zbus::fdo::{self, RequestNameFlags};
use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, Value};
use zbus::{Connection, interface};

use super::super::shown::Shown;
use super::super::wishes::{How, Named, Wish};
use super::super::{Seam, Wanted};
use super::face::{self, Values};

const PATH: &str = "/org/mpris/MediaPlayer2";
const NAME: &str = "org.mpris.MediaPlayer2.segue";
const PLAYER: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.mpris.MediaPlayer2.Player");
const LIST: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.mpris.MediaPlayer2.TrackList");

/// The speeds that the player knows, 1.0 as it was recorded.
const MIN_SPEED: f64 = 0.5;
const MAX_SPEED: f64 = 2.0;

/// Goes onto the session bus; with media keys also under the name by which desktops find players.
pub(super) async fn connect(seam: &Seam, wanted: Wanted) -> zbus::Result<Connection> {
    let mut builder = Builder::session()?;
    if wanted.keys {
        let face = || Face { shown: seam.shown.clone(), wishes: seam.wishes.clone() };
        builder = builder
            .serve_at(PATH, Root(face()))?
            .serve_at(PATH, Player(face()))?
            .serve_at(PATH, TrackList(face()))?;
    }
    let connection = builder.build().await?;
    if wanted.keys {
        let name =
            if wanted.first { NAME.to_owned() } else { format!("{NAME}.instance{}", std::process::id()) };
        // No flags: where the player before is just leaving, this one has the name after it.
        let queue = RequestNameFlags::DoNotQueue & RequestNameFlags::AllowReplacement;
        connection.request_name_with_flags(name, queue).await?;
    }
    Ok(connection)
}

/// Tells the bus what changes from `last` on, and nothing else. Ends only when the bus does not listen any more.
pub(super) async fn tell(
    connection: &Connection,
    mut shown: watch::Receiver<Shown>,
    mut last: Shown,
) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(connection, PATH)?;
    let properties = |shown: &Shown| face::properties(shown).into_iter().collect::<HashMap<_, _>>();
    let mut told = properties(&last);
    loop {
        let now = shown.borrow_and_update().clone();
        let fresh = properties(&now);
        let differs = |(name, value): &(&&str, &Value<'_>)| told.get(*name) != Some(*value);
        let changed: HashMap<&str, Value<'_>> =
            fresh.iter().filter(differs).map(|(name, value)| (*name, value.clone())).collect();
        if !changed.is_empty() {
            fdo::Properties::properties_changed(&emitter, PLAYER, changed, Cow::Borrowed(&[])).await?;
        }
        if now.leaps != last.leaps {
            Player::seeked(&emitter, face::micros(now.place.now())).await?;
        }
        if now.list != last.list {
            let current = now.song.as_ref().map_or_else(no_track, |song| face::path(song.uid));
            TrackList::track_list_replaced(&emitter, paths(&now), current).await?;
            let stale = Cow::Borrowed(&["Tracks"][..]);
            fdo::Properties::properties_changed(&emitter, LIST, HashMap::new(), stale).await?;
        }
        told = fresh;
        last = now;
        if shown.changed().await.is_err() {
            // The player ends, and with it this connection.
            std::future::pending::<()>().await;
        }
    }
}

fn no_track() -> ObjectPath<'static> {
    ObjectPath::from_static_str_unchecked("/org/mpris/MediaPlayer2/TrackList/NoTrack")
}

fn paths(shown: &Shown) -> Vec<ObjectPath<'static>> {
    shown.list.iter().map(|uid| face::path(*uid)).collect()
}

/// What every interface reaches.
struct Face {
    shown: watch::Receiver<Shown>,
    wishes: mpsc::Sender<Wish>,
}

impl Face {
    fn now(&self) -> Shown {
        self.shown.borrow().clone()
    }

    async fn ask(&self, wish: Wish) -> fdo::Result<()> {
        self.wishes.send(wish).await.map_err(|_| fdo::Error::Failed("the player is ending".to_owned()))
    }

    async fn open(&self, address: &str, how: How) -> fdo::Result<()> {
        let named = Named::read(address).ok_or_else(|| {
            let known = "this player knows segue:track:ID, segue:album:ID and segue:playlist:ID";
            fdo::Error::InvalidArgs(known.to_owned())
        })?;
        let (answer, answered) = oneshot::channel();
        self.ask(Wish::Open(named, how, answer)).await?;
        match answered.await {
            Ok(done) => done.map_err(fdo::Error::Failed),
            Err(_) => Err(fdo::Error::Failed("the player is ending".to_owned())),
        }
    }
}

struct Root(Face);

#[interface(name = "org.mpris.MediaPlayer2", introspection_docs = false)]
impl Root {
    /// A program in a terminal cannot raise its window; `CanRaise` says so.
    fn raise(&self) {}

    async fn quit(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Quit).await
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_quit(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_raise(&self) -> bool {
        false
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn has_track_list(&self) -> bool {
        true
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn identity(&self) -> String {
        "Segue".to_owned()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn desktop_entry(&self) -> String {
        "segue".to_owned()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn supported_uri_schemes(&self) -> Vec<String> {
        vec![Named::SCHEME.to_owned()]
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn supported_mime_types(&self) -> Vec<String> {
        Vec::new()
    }
}

struct Player(Face);

#[interface(name = "org.mpris.MediaPlayer2.Player", introspection_docs = false)]
impl Player {
    async fn next(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Next).await
    }

    async fn previous(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Previous).await
    }

    async fn pause(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Pause).await
    }

    async fn play_pause(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Toggle).await
    }

    async fn stop(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Stop).await
    }

    async fn play(&self) -> fdo::Result<()> {
        self.0.ask(Wish::Play).await
    }

    #[zbus(name = "Seek")]
    async fn seek(&self, offset: i64) -> fdo::Result<()> {
        self.0.ask(Wish::SeekBy(offset / 1000)).await
    }

    #[zbus(name = "SetPosition")]
    async fn go_to(&self, track_id: ObjectPath<'_>, position: i64) -> fdo::Result<()> {
        match face::uid(&track_id) {
            Some(uid) => self.0.ask(Wish::SeekTo(uid, position.div_euclid(1000))).await,
            None => Ok(()),
        }
    }

    async fn open_uri(&self, uri: String) -> fdo::Result<()> {
        self.0.open(&uri, How::Now).await
    }

    #[zbus(signal)]
    async fn seeked(emitter: &SignalEmitter<'_>, position: i64) -> zbus::Result<()>;

    #[zbus(property)]
    fn playback_status(&self) -> String {
        face::status(&self.0.now()).to_owned()
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn loop_status(&self) -> String {
        face::repeat(&self.0.now()).to_owned()
    }

    #[zbus(property)]
    async fn set_loop_status(&self, word: String) -> fdo::Result<()> {
        let repeat = face::repeat_of(&word)
            .ok_or_else(|| fdo::Error::InvalidArgs("None, Track or Playlist".to_owned()))?;
        self.0.ask(Wish::Repeat(repeat)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn rate(&self) -> f64 {
        face::rate(&self.0.now())
    }

    #[zbus(property)]
    async fn set_rate(&self, rate: f64) -> fdo::Result<()> {
        if !rate.is_finite() || rate < 0.0 {
            return Err(fdo::Error::InvalidArgs("a speed is a number from 0.5 to 2".to_owned()));
        }
        let hundredths =
            if rate > 0.0 { (rate.clamp(MIN_SPEED, MAX_SPEED) * 100.0).round() as u16 } else { 0 };
        self.0.ask(Wish::Speed(hundredths)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn shuffle(&self) -> bool {
        self.0.now().shuffle
    }

    #[zbus(property)]
    async fn set_shuffle(&self, on: bool) -> fdo::Result<()> {
        self.0.ask(Wish::Shuffle(on)).await
    }

    #[zbus(property)]
    fn metadata(&self) -> Values {
        face::metadata(&self.0.now())
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn volume(&self) -> f64 {
        face::volume(&self.0.now())
    }

    #[zbus(property)]
    async fn set_volume(&self, volume: f64) -> fdo::Result<()> {
        if volume.is_nan() {
            return Err(fdo::Error::InvalidArgs("a volume is a number from 0 to 1".to_owned()));
        }
        self.0.ask(Wish::Volume((volume.clamp(0.0, 1.0) * 100.0).round() as u8)).await
    }

    #[zbus(property(emits_changed_signal = "false"))]
    fn position(&self) -> i64 {
        face::micros(self.0.now().place.now())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn minimum_rate(&self) -> f64 {
        MIN_SPEED
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn maximum_rate(&self) -> f64 {
        MAX_SPEED
    }

    #[zbus(property)]
    fn can_go_next(&self) -> bool {
        self.0.now().next
    }

    #[zbus(property)]
    fn can_go_previous(&self) -> bool {
        self.0.now().previous
    }

    #[zbus(property)]
    fn can_play(&self) -> bool {
        face::loaded(&self.0.now())
    }

    #[zbus(property)]
    fn can_pause(&self) -> bool {
        face::loaded(&self.0.now())
    }

    #[zbus(property)]
    fn can_seek(&self) -> bool {
        face::seekable(&self.0.now())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_control(&self) -> bool {
        true
    }
}

struct TrackList(Face);

#[interface(name = "org.mpris.MediaPlayer2.TrackList", introspection_docs = false)]
impl TrackList {
    fn get_tracks_metadata(&self, track_ids: Vec<ObjectPath<'_>>) -> Vec<Values> {
        let now = self.0.now();
        let about = |path: &ObjectPath<'_>| {
            let entry = now.entry(face::uid(path)?)?;
            match &now.song {
                Some(song) if song.uid == entry.uid => Some(face::metadata(&now)),
                _ => Some(face::about(entry.uid, &entry.track, None)),
            }
        };
        track_ids.iter().filter_map(about).collect()
    }

    /// The queue has two places for what is added: right after what plays, and the end of what was queued by hand.
    async fn add_track(
        &self,
        uri: String,
        after_track: ObjectPath<'_>,
        set_as_current: bool,
    ) -> fdo::Result<()> {
        let current = self.0.now().song.as_ref().map(|song| song.uid);
        if set_as_current {
            self.0.open(&uri, How::Next).await?;
            return self.0.ask(Wish::Next).await;
        }
        let how = if current.is_some() && face::uid(&after_track) == current { How::Next } else { How::Last };
        self.0.open(&uri, how).await
    }

    async fn remove_track(&self, track_id: ObjectPath<'_>) -> fdo::Result<()> {
        let now = self.0.now();
        let playing = now.song.as_ref().map(|song| song.uid);
        match face::uid(&track_id).filter(|uid| now.entry(*uid).is_some()) {
            Some(uid) if Some(uid) == playing => self.0.ask(Wish::Next).await,
            Some(uid) => self.0.ask(Wish::Remove(uid)).await,
            None => Ok(()),
        }
    }

    async fn go_to(&self, track_id: ObjectPath<'_>) -> fdo::Result<()> {
        match face::uid(&track_id).filter(|uid| self.0.now().entry(*uid).is_some()) {
            Some(uid) => self.0.ask(Wish::Jump(uid)).await,
            None => Ok(()),
        }
    }

    #[zbus(signal)]
    async fn track_list_replaced(
        emitter: &SignalEmitter<'_>,
        tracks: Vec<ObjectPath<'_>>,
        current_track: ObjectPath<'_>,
    ) -> zbus::Result<()>;

    #[zbus(property(emits_changed_signal = "invalidates"))]
    fn tracks(&self) -> Vec<ObjectPath<'static>> {
        paths(&self.0.now())
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn can_edit_tracks(&self) -> bool {
        true
    }
}
