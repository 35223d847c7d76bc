//! Bytes of music and pictures.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_RANGE, RANGE,
};

use super::{ANSWER_TIMEOUT, Client, ClientError, Params, Refusal, retry_after};
use crate::music::{CoverId, TrackId};

/// The longest picture, in bytes.
const LONGEST_COVER: usize = 32 * 1024 * 1024;
/// The longest body that is read where an error is expected, in bytes.
const LONGEST_ERROR: usize = 256 * 1024;

/// What kind of stream a player wants; the file as it is when nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// kbit/s that the server should stay below.
    pub max_bit_rate: Option<u32>,
    /// `raw` for the file itself, or a format that the server should make of it.
    pub format: Option<String>,
    /// Second from which on it is wanted (extension `transcodeOffset`; only with conversions).
    pub offset_s: Option<u64>,
}

/// A running stream of bytes.
pub struct StreamReply {
    /// 200 for the whole, 206 for a part.
    pub status: u16,
    /// MIME type.
    pub content_type: Option<String>,
    /// Length of the whole in bytes, where the server says it.
    pub total: Option<u64>,
    /// First byte and the one after the last; `None` when the body is the whole.
    pub range: Option<(u64, u64)>,
    /// Names this very content.
    pub etag: Option<String>,
    /// Whether parts can be asked for.
    pub accepts_ranges: bool,
    /// The bytes as they arrive.
    pub body: StreamBody,
}

/// The bytes of a [`StreamReply`].
pub struct StreamBody(BoxStream<'static, Result<Bytes, ClientError>>);

impl Stream for StreamBody {
    type Item = Result<Bytes, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl std::fmt::Debug for StreamReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamReply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("total", &self.total)
            .field("range", &self.range)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Begins to stream a track. `range` is the first byte and the one after the last (`None`: to the end);
    /// with `if_range` the server sends the whole when the content is no longer the one of that `ETag`.
    /// An answer that is not media is an error, whatever its HTTP status says.
    pub async fn stream(
        &self,
        id: &TrackId,
        options: &StreamOptions,
        range: Option<(u64, Option<u64>)>,
        if_range: Option<&str>,
    ) -> Result<StreamReply, ClientError> {
        let mut params: Params<'_> = vec![("id", id.as_str().to_owned())];
        if let Some(rate) = options.max_bit_rate {
            params.push(("maxBitRate", rate.to_string()));
        }
        if let Some(format) = &options.format {
            params.push(("format", format.clone()));
        }
        if let Some(second) = options.offset_s {
            params.push(("timeOffset", second.to_string()));
        }
        let mut headers = Vec::new();
        if let Some((from, to)) = range {
            let last = to.map(|to| to.saturating_sub(1).to_string()).unwrap_or_default();
            headers.push((RANGE, format!("bytes={from}-{last}")));
            if let Some(etag) = if_range {
                headers.push((IF_RANGE, etag.to_owned()));
            }
        }
        let reply = self.media("stream", &params, &headers).await?;
        let status = reply.status();
        let header = |name: HeaderName| text(reply.headers(), &name);
        let part = header(CONTENT_RANGE).as_deref().and_then(parse_content_range);
        if status == StatusCode::PARTIAL_CONTENT && part.is_none() {
            let why = "it is a part without its place".to_owned();
            return Err(ClientError::Malformed { host: self.host().to_owned(), why });
        }
        let part = part.filter(|_| status == StatusCode::PARTIAL_CONTENT);
        let length = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let client = self.clone();
        Ok(StreamReply {
            status: status.as_u16(),
            content_type: header(CONTENT_TYPE),
            total: if let Some(part) = &part { part.total } else { length },
            range: part.map(|part| (part.start, part.end)),
            etag: header(ETAG),
            accepts_ranges: status == StatusCode::PARTIAL_CONTENT
                || header(ACCEPT_RANGES).is_some_and(|units| units.eq_ignore_ascii_case("bytes")),
            body: StreamBody(reply.bytes_stream().map_err(move |error| client.body_error(&error)).boxed()),
        })
    }

    /// A picture, at most `size` pixels on its longer side.
    pub async fn cover_art(&self, id: &CoverId, size: Option<u32>) -> Result<Bytes, ClientError> {
        let mut params: Params<'_> = vec![("id", id.as_str().to_owned())];
        if let Some(size) = size {
            params.push(("size", size.to_string()));
        }
        let reply = self.media("getCoverArt", &params, &[]).await?;
        let read = self.read_body(reply, LONGEST_COVER);
        match tokio::time::timeout(ANSWER_TIMEOUT, read).await {
            Ok(bytes) => bytes.map(Bytes::from),
            Err(_) => Err(ClientError::TimedOut { host: self.host().to_owned() }),
        }
    }

    /// The bytes of an answer as they arrive.
    pub(super) fn body_of(&self, reply: reqwest::Response) -> StreamBody {
        let client = self.clone();
        StreamBody(reply.bytes_stream().map_err(move |error| client.body_error(&error)).boxed())
    }

    async fn media(
        &self,
        endpoint: &str,
        params: &[(&str, String)],
        headers: &[(HeaderName, String)],
    ) -> Result<reqwest::Response, ClientError> {
        let proof = self.proof();
        match self.media_with(endpoint, params, headers, proof).await {
            Err(refusal) if self.falls_back(proof, &refusal) => {
                self.may_show_password()?;
                let reply = self.media_with(endpoint, params, headers, super::Proof::Hex).await;
                if reply.is_ok() {
                    self.inner.proof.store(super::Proof::Hex as u8, std::sync::atomic::Ordering::Relaxed);
                }
                reply.map_err(|refusal| refusal.error)
            }
            other => other.map_err(|refusal| refusal.error),
        }
    }

    async fn media_with(
        &self,
        endpoint: &str,
        params: &[(&str, String)],
        headers: &[(HeaderName, String)],
        proof: super::Proof,
    ) -> Result<reqwest::Response, Refusal> {
        let mut reply = self.send(endpoint, params, headers, proof, None).await?;
        if reply.status() == StatusCode::FORBIDDEN && is_by_store(endpoint, &reply) {
            // Its address had ended; the server knows another one.
            reply = self.send(endpoint, params, headers, proof, None).await?;
        }
        let status = reply.status();
        let kind = text(reply.headers(), &CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let is_text = kind.starts_with("text/")
            || kind.contains("json")
            || kind.contains("xml") && !kind.contains("svg");
        if matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) && !is_text {
            return Ok(reply);
        }
        let retry_after = retry_after(&reply);
        let host = self.host().to_owned();
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Err(ClientError::Http { host, status: 416, retry_after }.into());
        }
        let body = self.read_body(reply, LONGEST_ERROR).await?;
        match self.understand(status, retry_after, &body) {
            Err(refusal) => Err(refusal),
            Ok(_) => {
                Err(ClientError::NotSubsonic { host, what: "an answer without media".to_owned() }.into())
            }
        }
    }
}

/// Whether music comes from where the server keeps it, to which it led: a server that is elsewhere now has the endpoint there, too.
pub(super) fn is_by_store(endpoint: &str, reply: &reqwest::Response) -> bool {
    let path = reply.url().path().trim_end_matches(".view");
    matches!(endpoint, "stream" | "download") && !path.ends_with(&format!("/{endpoint}"))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(|value| value.trim().to_owned())
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) start: u64,
    /// The byte after the last.
    pub(super) end: u64,
    pub(super) total: Option<u64>,
}

/// Reads `bytes 0-99/1234`; `None` for anything that is not a part with its place.
pub(super) fn parse_content_range(value: &str) -> Option<ContentRange> {
    let (unit, rest) = value.trim().split_once(' ')?;
    let (range, total) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (start, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        number => Some(number.parse().ok()?),
    };
    let fits = unit.eq_ignore_ascii_case("bytes") && start <= last && total.is_none_or(|total| last < total);
    fits.then_some(ContentRange { start, end: last.checked_add(1)?, total })
}
