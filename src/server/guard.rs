//! What stands around every answer of the API: the database's breaker, a number of answers at one time, and a longest time.
//!
//! Songs are not answers: what they need of the database goes first, and their bytes need none of this.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::answer::{Answer, Refusal};
use super::breaker::Breaker;
use super::load::{Level, Load};
use super::metrics::Metrics;

/// Answers that are worked on at one time; the next ones wait,
const ANSWERS: usize = 256;
/// but no longer than this.
const WAIT: Duration = Duration::from_secs(5);
/// The longest that the database is left alone at a time: who listens has a short buffer.
const ALONE: Duration = Duration::from_secs(2);
/// The longest that is worked on an answer where the database is a server: longer than a statement may take.
const LONGEST: Duration = Duration::from_mins(1);
/// When to ask again for what was refused for want of room.
const ROOM_AGAIN: Duration = Duration::from_secs(5);
/// When to ask again for recommendations.
const LATER: Duration = Duration::from_secs(30);

/// Endpoints that are refused first.
const RECOMMENDATIONS: &[&str] =
    &["findSonicPath", "getSimilarSongs", "getSimilarSongs2", "getSonicSimilarTracks", "getTopSongs"];
/// Endpoints that send music, or wait for news: they take no place among the answers.
const NO_ANSWERS: &[&str] =
    &["download", "exportAccount", "getDevice", "getDeviceCommands", "getTranscodeStream", "stream"];

/// What is answered without a look into the database, and says nothing of it.
const WITHOUT_DATABASE: &str = "getOpenSubsonicExtensions";

/// The guard of one server.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Whether the database is a server, which may be away.
    far: bool,
    database: Mutex<Breaker>,
    answers: Semaphore,
}

impl Guard {
    pub(crate) fn new(far: bool) -> Self {
        Self { far, database: Mutex::new(Breaker::with_longest(ALONE)), answers: Semaphore::new(ANSWERS) }
    }

    fn database(&self) -> MutexGuard<'_, Breaker> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the database does not answer.
    pub(crate) fn is_down(&self) -> bool {
        !self.database().down_for(Instant::now()).is_zero()
    }

    /// Works on an answer where there is room for it and the database is there.
    pub(crate) async fn around(
        &self,
        endpoint: &str,
        (load, metrics): (&Load, &Metrics),
        work: impl Future<Output = Result<Answer, Refusal>>,
    ) -> Result<Answer, Refusal> {
        if load.level() >= Level::NoRecommendations && RECOMMENDATIONS.contains(&endpoint) {
            metrics.put_off("recommendations");
            return Err(Refusal::busy("makes no recommendations", LATER));
        }
        if self.far {
            self.database().admit(Instant::now()).map_err(Refusal::no_database)?;
        }
        let _place = if NO_ANSWERS.contains(&endpoint) {
            None
        } else {
            let place = tokio::time::timeout(WAIT, self.answers.acquire()).await;
            let Ok(Ok(place)) = place else {
                metrics.put_off("answers");
                return Err(Refusal::busy("takes no more requests", ROOM_AGAIN));
            };
            Some(place)
        };
        if !self.far {
            return work.await;
        }
        let said = tokio::time::timeout(LONGEST, work).await;
        let said = said.unwrap_or_else(|_| Err(Refusal::no_database(ROOM_AGAIN)));
        match &said {
            Err(refusal) if refusal.is_for_want_of_database() => {
                let mut breaker = self.database();
                if breaker.down_for(Instant::now()).is_zero() {
                    tracing::warn!("the database does not answer");
                }
                breaker.failed(Instant::now());
            }
            Ok(_) if endpoint != WITHOUT_DATABASE => self.database().worked(),
            _ => {}
        }
        said
    }
}
