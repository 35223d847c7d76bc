//! A message for each track that begins, in the place of the one before (`org.freedesktop.Notifications`).

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;
use zbus::Connection;
use zbus::zvariant::Value;

use super::super::shown::{Shown, Song, State};
use super::face;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// Longest wait for a desktop that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was sent, over all connections.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The song that was told last, by uid.
    told: Option<u64>,
    /// The message on the screen; 0 for none.
    id: u32,
}

impl Messages {
    /// Sends until the player is gone.
    pub(super) async fn send(&mut self, connection: &Connection, mut shown: watch::Receiver<Shown>) {
        self.id = 0; // another bus does not know it
        loop {
            let now = shown.borrow_and_update().clone();
            // What is only loaded is not told, nor one whose cover may still come.
            let song = now.song.filter(|song| now.state == State::Playing && song.whole);
            if let Some(song) = song.filter(|song| self.told != Some(song.uid)) {
                self.told = Some(song.uid);
                let sent = tokio::time::timeout(PATIENCE, post(connection, self.id, &song)).await;
                match sent {
                    Ok(Ok(id)) => self.id = id,
                    Ok(Err(error)) => tracing::debug!("the desktop shows no messages: {error}"),
                    Err(_) => tracing::debug!("the desktop does not answer a message"),
                }
            }
            if shown.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Posts one message in the place of another; gives its number.
async fn post(connection: &Connection, replaces: u32, song: &Song) -> zbus::Result<u32> {
    let offers = connection.call_method(Some(NAME), PATH, Some(NAME), "GetCapabilities", &()).await?;
    let offers: Vec<String> = offers.body().deserialize()?;
    let markup = offers.iter().any(|offer| offer == "body-markup");
    let mut hints: HashMap<&str, Value<'_>> = HashMap::from([
        ("desktop-entry", "segue".into()),
        ("urgency", 0_u8.into()),
        ("transient", true.into()),
        ("suppress-sound", true.into()),
    ]);
    if let Some(cover) = &song.cover {
        hints.insert("image-path", face::address(cover).into());
    }
    let actions: &[&str] = &[];
    let expires_ms = -1_i32; // as the desktop likes it
    let summary = face::text(&song.track.title);
    let message = ("Segue", replaces, "", summary, body(song, markup), actions, hints, expires_ms);
    let reply = connection.call_method(Some(NAME), PATH, Some(NAME), "Notify", &message).await?;
    reply.body().deserialize()
}

/// Artist and album. Where the desktop reads markup, what looks like it is written as text.
fn body(song: &Song, markup: bool) -> String {
    let parts = [face::text(&song.track.artist), face::text(&song.track.album)];
    let body = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    if !markup {
        return body;
    }
    body.chars().fold(String::with_capacity(body.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::subsonic::convert;

    #[test]
    fn markup_is_text() {
        let child =
            serde_json::json!({"id": "x", "title": "One", "artist": "<b>A&B", "album": "C\n<img src='x'>"});
        let track = Arc::new(convert::track(&serde_json::from_value(child).unwrap()).unwrap());
        let song = Song { uid: 1, track, cover: None, whole: true };
        assert_eq!(body(&song, true), "&lt;b&gt;A&amp;B · C &lt;img src='x'&gt;");
        assert_eq!(body(&song, false), "<b>A&B · C <img src='x'>");
    }
}
