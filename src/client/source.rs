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
            let asked =
                self.0.client.stream(&key.track, &options(&key.variant), range, if_range.as_deref()).await;
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
}

/// What a variant asks of the server: `raw`, or a format and kbit/s as in `opus-128`.
fn options(variant: &str) -> StreamOptions {
    match variant.rsplit_once('-').and_then(|(format, rate)| Some((format, rate.parse().ok()?))) {
        Some((format, rate)) => StreamOptions { max_bit_rate: Some(rate), format: Some(format.to_owned()) },
        None => StreamOptions { max_bit_rate: None, format: Some(variant.to_owned()) },
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
        assert_eq!(options("raw"), StreamOptions { max_bit_rate: None, format: Some("raw".into()) });
        assert_eq!(
            options("opus-128"),
            StreamOptions { max_bit_rate: Some(128), format: Some("opus".into()) }
        );
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
