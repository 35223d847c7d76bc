//! A listener's session with a real server that somebody else wrote, Supysonic 0.7.9.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests fail by panicking")]

mod client_house;
mod program;
mod story;
mod supysonic;

use std::path::Path;

use segue::subsonic::Client;
use supysonic::Supysonic;

impl story::Real for Supysonic {
    fn client(&self) -> Client {
        Self::client(self)
    }

    fn gone(&mut self) {
        Self::gone(self);
    }

    fn back(&mut self) {
        Self::back(self);
    }

    fn music(&self) -> &Path {
        Self::music(self)
    }

    /// It counts what is streamed.
    fn keeps_plays(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_lives_without_the_server_and_all_of_it_arrives_when_it_is_back() {
    let Some(server) = Supysonic::over_tones(&story::TITLES, 5) else { return };
    Box::pin(story::is_lived(server)).await;
}
