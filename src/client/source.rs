//! The cache's bytes, by `stream`.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt};

use super::link::Link;
use crate::cache::{FetchError, Reply, Source, TrackKey};
use crate::subsonic::{ClientError, StreamOptions};

/// Fetches tracks from the session's server.
pub(super) struct TrackSource(pub(super) Arc<Link>);

impl Source for TrackSource {
    fn fetch(
        &self,
        key: &TrackKey,
        from: u64,
        to: Option<u64>,
        if_range: Option<String>,
    ) -> BoxFuture<'_, Result<Reply, FetchError>> {
        let key = key.clone();
        async move {
            let range = (from > 0 || to.is_some()).then_some((from, to));
            let began = Instant::now();
            let asked = self.0.client.stream(&key.track, &options(&key), range, if_range.as_deref()).await;
            let reply = asked.map_err(|error| {
                self.0.failed(&error);
                verdict(&error)
            })?;
            self.0.heard(began.elapsed());
            let link = Arc::clone(&self.0);
            let body = reply.body.map_err(move |error| {
                link.failed(&error);
                verdict(&error)
            });
            Ok(Reply { part: reply.range, total: reply.total, etag: reply.etag, body: body.boxed() })
        }
        .boxed()
    }

    fn begins_anywhere(&self) -> bool {
        self.0.begins_anywhere()
    }

    fn reachable(&self) -> bool {
        self.0.is_up()
    }
}

/// What a key asks of the server. Never `estimateContentLength`: a guessed length is kept by cutting or padding the
/// bytes, and would make a finished file of what is none.
fn options(key: &TrackKey) -> StreamOptions {
    let (quality, second) = key.quality().unwrap_or_default();
    StreamOptions {
        max_bit_rate: quality.kbps(),
        format: quality.format().map(str::to_owned),
        offset_s: (second > 0).then_some(second),
    }
}

/// What a failure means for a download.
fn verdict(error: &ClientError) -> FetchError {
    let why = error.to_string();
    match error {
        ClientError::Http { status: 416, .. } => FetchError::OutOfRange { total: None },
        ClientError::Http { status: 400..=407 | 409..=415 | 417..=428 | 430..=499, .. }
        | ClientError::Api { .. }
        | ClientError::UnsafePassword { .. }
        | ClientError::BadAddress(_) => FetchError::Refused(why),
        ClientError::Http { retry_after, .. } => FetchError::Retry { after: *retry_after, why },
        // A web page where music should be is a portal before the network.
        ClientError::Unreachable { .. } | ClientError::Tls { .. } | ClientError::NotSubsonic { .. } => {
            FetchError::Offline(why)
        }
        _ => FetchError::Retry { after: None, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_options() {
        let asked = |variant: &str| {
            let options = options(&TrackKey { track: "t".into(), variant: variant.to_owned() });
            (options.format, options.max_bit_rate, options.offset_s)
        };
        assert_eq!(asked("raw"), (Some("raw".into()), None, None));
        assert_eq!(asked("opus-128"), (Some("opus".into()), Some(128), None));
        assert_eq!(asked("max-320"), (None, Some(320), None));
        assert_eq!(asked("mp3-192+90"), (Some("mp3".into()), Some(192), Some(90)));
        assert_eq!(asked("of a later release"), (Some("raw".into()), None, None));
    }

    #[test]
    fn failures_are_sorted() {
        let http = |status, retry_after| ClientError::Http { host: "h".into(), status, retry_after };
        assert!(matches!(verdict(&http(404, None)), FetchError::Refused(_)));
        assert!(matches!(verdict(&http(416, None)), FetchError::OutOfRange { .. }));
        let wait = Some(std::time::Duration::from_secs(7));
        assert!(matches!(verdict(&http(429, wait)), FetchError::Retry { after, .. } if after == wait));
        assert!(matches!(verdict(&http(500, None)), FetchError::Retry { .. }));
        let portal = ClientError::NotSubsonic { host: "h".into(), what: "a web page".into() };
        assert!(matches!(verdict(&portal), FetchError::Offline(_)));
    }
}
