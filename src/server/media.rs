//! `stream` and `download`: the file as it is, whole or in part.
//!
//! Nothing is transcoded, so `maxBitRate`, `format` and `timeOffset` change nothing. The reading is done in large
//! steps, because small ones cost more than the disk; with many listeners at once the steps shrink, because each
//! of them is memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use axum::body::Body as HttpBody;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response as HttpResponse, StatusCode};
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::answer::{Answer, Refusal};
use super::ranges::{Asked, Content, Plan, http_date, plan};
use crate::music::{Track, printable};
use crate::subsonic::auth::hex;

const LARGE_STEP: usize = 256 * 1024;
const SMALL_STEP: usize = 64 * 1024;
/// From this many streams on, steps are small.
const MANY_STREAMS: usize = 256;

/// How many streams run now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<AtomicUsize>);

struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Everything about one request that decides which bytes it gets.
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// Whether the client should store it rather than play it.
    pub(crate) attachment: bool,
}

/// Answers with a track's file.
pub(crate) async fn send(
    track: &Track,
    path: &Path,
    wanted: &Wanted<'_>,
    streams: &Streams,
) -> Result<Answer, Refusal> {
    let gone = |error: &std::io::Error| {
        tracing::warn!(file = %path.display(), %error, "a track's file cannot be read");
        Refusal::not_found("file at the moment; its disk may be away")
    };
    let mut file = tokio::fs::File::open(path).await.map_err(|error| gone(&error))?;
    let metadata = file.metadata().await.map_err(|error| gone(&error))?;
    if !metadata.is_file() {
        return Err(Refusal::not_found("file"));
    }
    let length = metadata.len();
    let modified =
        metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let etag = format!("\"{length:x}-{:x}\"", modified.as_nanos());
    let seconds = i64::try_from(modified.as_secs()).unwrap_or(0);
    let content = Content { length, etag: &etag, modified: seconds };
    let plan = plan(asked(wanted.headers), content);

    let mut response = HttpResponse::new(HttpBody::empty());
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    put(headers, ETAG, &etag);
    if let Some(date) = http_date(seconds) {
        put(headers, LAST_MODIFIED, &date);
    }
    let (start, end) = match plan {
        Plan::Unchanged => {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(Answer::Raw(response));
        }
        Plan::Unsatisfiable => {
            put(headers, CONTENT_RANGE, &format!("bytes */{length}"));
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            return Ok(Answer::Raw(response));
        }
        Plan::Whole => (0, length),
        Plan::Part { start, end } => {
            put(headers, CONTENT_RANGE, &format!("bytes {start}-{}/{length}", end - 1));
            (start, end)
        }
    };
    put(headers, CONTENT_TYPE, &track.content_type);
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - start));
    if wanted.attachment {
        put(headers, CONTENT_DISPOSITION, &disposition(track));
    }
    if plan != Plan::Whole {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    if wanted.method == Method::HEAD {
        return Ok(Answer::Raw(response));
    }
    if start > 0 {
        file.seek(std::io::SeekFrom::Start(start)).await.map_err(|error| gone(&error))?;
    }
    let before = streams.0.fetch_add(1, Ordering::Relaxed);
    let running = Running(Arc::clone(&streams.0));
    let step = if before < MANY_STREAMS { LARGE_STEP } else { SMALL_STEP };
    file.set_max_buf_size(step);
    let bytes = ReaderStream::with_capacity(file.take(end - start), step).map(move |chunk| {
        let _counted_until_the_stream_is_dropped = &running;
        chunk
    });
    *response.body_mut() = HttpBody::from_stream(bytes);
    Ok(Answer::Raw(response))
}

/// The conditions of a request.
pub(crate) fn asked(headers: &HeaderMap) -> Asked<'_> {
    let get = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    Asked {
        range: get(RANGE),
        if_range: get(IF_RANGE),
        if_none_match: get(IF_NONE_MATCH),
        if_modified_since: get(IF_MODIFIED_SINCE),
    }
}

/// Puts a header whose value is made of stored text; one that no header can hold is left out.
pub(crate) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `attachment` with a file name that every client can read (RFC 6266).
fn disposition(track: &Track) -> String {
    let name = format!("{} - {}.{}", printable(&track.artist), printable(&track.title), track.suffix);
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')');
    let plain: String = name.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
