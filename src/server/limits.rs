//! What an account is sent: by its own limits and by its plan, in one place for every way that music leaves the server.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::RANGE;

use super::Shared;
use super::answer::Refusal;
use super::flows::{Flow, Player};
use super::load::Level;
use super::seats::Seat;
use super::transcode::Source;
use crate::catalog::{Account, CatalogError};
use crate::music::{AccountId, Plan, counted};
use crate::subsonic::ErrorCode;

/// The limits of one account at this moment.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Its plan.
    pub(crate) plan: Plan,
    /// The highest bit rate, kbit/s; 0 for any.
    pub(crate) max_bit_rate: u32,
}

impl Shared {
    /// The limits of an account. They hold for who administers, too.
    pub(crate) async fn limits_of(&self, account: &Account) -> Result<Limits, CatalogError> {
        let plan = self.desk.plan(&account.id).await?;
        let max_bit_rate = lower(account.max_bit_rate, plan.max_bit_rate);
        Ok(Limits { plan, max_bit_rate })
    }
}

/// When somebody who may not begin to listen is to try again.
const SEAT_AGAIN: Duration = Duration::from_secs(5);

impl Shared {
    /// A seat for a player that wants music, before anything is done for it. Refused where it begins to listen and those who listen would
    /// suffer.
    pub(crate) fn seat(&self, account: &AccountId, player: &Player, goes_on: bool) -> Result<Seat, Refusal> {
        let nobody_new = self.load.level() >= Level::NoNewStreams;
        let seat = self.seats.take((account, &player.name, player.address), goes_on, nobody_new);
        seat.ok_or_else(|| {
            self.metrics.put_off("streams");
            // Not all of them at the same moment.
            let wait = SEAT_AGAIN + Duration::from_secs(rand::random_range(0..5));
            Refusal::busy("lets nobody new listen", wait)
        })
    }
}

/// Whether a request is for the middle of something, as those of a player are that has its beginning.
pub(crate) fn goes_on(headers: &HeaderMap) -> bool {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let from = range.and_then(|range| range.trim().strip_prefix("bytes=")?.split_once('-'));
    from.is_some_and(|(from, _)| from.trim().parse::<u64>().is_ok_and(|from| from > 0))
}

/// The lower one of two limits of which 0 is none.
fn lower(one: u32, other: u32) -> u32 {
    match (one, other) {
        (0, limit) | (limit, 0) => limit,
        (one, other) => one.min(other),
    }
}

impl Limits {
    /// Whether nothing of what the account is sent has to be counted, made smaller, or come with ads.
    pub(crate) fn are_none(&self) -> bool {
        let Plan { streams, offline, ads, .. } = &self.plan;
        self.max_bit_rate == 0 && *streams == 0 && *offline && ads.is_none()
    }

    /// A sentence about the plan, with what to do where the operator says it.
    fn by_plan(&self, what: &str) -> String {
        let Plan { name, upgrade, .. } = &self.plan;
        let dot = if upgrade.is_empty() { "" } else { ". " };
        format!("the plan “{name}” {what}{dot}{upgrade}")
    }

    /// Refuses where nothing may be kept.
    pub(crate) fn may_keep(&self) -> Result<(), Refusal> {
        if self.plan.offline {
            return Ok(());
        }
        let why = self.by_plan("does not let music be downloaded or kept");
        Err(Refusal::new(ErrorCode::NotAuthorized, why))
    }

    /// That something has a higher bit rate than this account is sent.
    pub(crate) fn too_much(&self) -> String {
        format!("this account is sent at most {} kbit/s", self.max_bit_rate)
    }

    /// Refuses a file that is too much for this account, where it cannot be made smaller.
    pub(crate) fn may_have_as_it_is(&self, source: Source<'_>) -> Result<(), Refusal> {
        if source.is_within(self.max_bit_rate) {
            return Ok(());
        }
        let why = format!(
            "{}, and this server cannot make this track smaller: who runs it must install ffmpeg",
            self.too_much()
        );
        Err(Refusal::new(ErrorCode::Generic, why))
    }

    /// A place for a player among those of its account, where the plan counts them.
    pub(crate) async fn enter(
        &self,
        shared: &Shared,
        account: &AccountId,
        player: Player,
    ) -> Result<Option<Flow>, Refusal> {
        let most = self.plan.streams;
        if most == 0 {
            return Ok(None);
        }
        // Where its other players may be sent music by other processes, those are counted together.
        let entered = match shared.flows.enter_everywhere(&shared.catalog, account, &player, most).await? {
            Some(Ok(())) => shared.flows.enter(account, player, u32::MAX),
            Some(Err(other)) => Err(other),
            None => shared.flows.enter(account, player, most),
        };
        entered.map(Some).map_err(|other| {
            let other = if other.is_empty() { "another player".to_owned() } else { format!("“{other}”") };
            let why = self.by_plan(&format!(
                "sends music to {} at a time, and now {other} is listening: stop it there, and try again in a minute",
                counted(most.into(), "player")
            ));
            Refusal::new(ErrorCode::NotAuthorized, why)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_the_highest() {
        assert_eq!([lower(0, 0), lower(0, 128), lower(96, 0), lower(320, 128)], [0, 128, 96, 128]);
    }

    #[test]
    fn the_middle_of_a_song_is_no_beginning() {
        let with = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, range.parse().unwrap());
            goes_on(&headers)
        };
        assert!(with("bytes=1-") && with("bytes=4096-8191"));
        assert!(
            !with("bytes=0-") && !with("bytes=-500") && !with("lines=5-9") && !goes_on(&HeaderMap::new())
        );
    }
}
