//! Bytes of files: whole or in part, those of parts of files (`slice`), and those of forms that are still being made.
//!
//! Files are read in large steps, because small ones cost more than the disk; with many listeners at once the steps shrink, because each
//! of them is memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body as HttpBody;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response as HttpResponse, StatusCode};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::answer::{Answer, Refusal};
use super::flows::Flow;
use super::metrics::Streams;
use super::pipe::Part;
use super::ranges::{Asked, Content, Plan, http_date, plan};
use super::slice::{self, Cutter};
use super::storage::{self, Object};
use super::transcode::{Job, Made, Recipe, Source, Unmade};
use super::{Shared, handles};
use crate::catalog::{Place, Slice};
use crate::music::{AccountId, Track, printable};
use crate::subsonic::ErrorCode;
use crate::subsonic::auth::hex;

const LARGE_STEP: usize = 256 * 1024;
const SMALL_STEP: usize = 64 * 1024;
/// From this many streams on, steps are small.
const MANY_STREAMS: usize = 256;

/// Everything about one request that decides which bytes it gets.
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The track that the client should store under its name rather than play.
    pub(crate) attachment: Option<&'a Track>,
    /// Whether the connection can send files by itself.
    pub(crate) direct: bool,
    /// The place of the player among those of its account, where they are counted.
    pub(crate) flow: Option<Flow>,
}

/// Where a song is.
#[derive(Debug)]
pub(crate) struct Song {
    pub(crate) track: Track,
    pub(crate) place: Place,
}

/// Answers with a song as it is: its file, or its part of a file.
pub(crate) async fn send_song(song: &Song, wanted: &Wanted<'_>, shared: &Shared) -> Result<Answer, Refusal> {
    let source = find(&song.place.path, shared).await?;
    match (song.place.slice, source) {
        (Some(part), source) => send_slice(source, part, wanted, shared).await,
        (None, storage::Source::File(path)) => send(&path, &song.track.content_type, wanted, shared).await,
        (None, storage::Source::Object(object)) => {
            send_object(object, &song.track.content_type, wanted, shared).await
        }
    }
}

/// What is behind a path.
async fn find(path: &Path, shared: &Shared) -> Result<storage::Source, Refusal> {
    shared.storage.find(path).await.map_err(|trouble| Refusal::by_store(&trouble, "song"))
}

/// Answers with a part of a file as a WAV file.
async fn send_slice(
    source: storage::Source,
    part: Slice,
    wanted: &Wanted<'_>,
    shared: &Shared,
) -> Result<Answer, Refusal> {
    let path = source.path().to_owned();
    let whole = match &source {
        storage::Source::File(path) => {
            shared.handles.open(path).await.map_err(|error| gone(path, &error))?.etag.clone()
        }
        storage::Source::Object(object) => object.etag(),
    };
    // What a sheet says may change while the file does not, so the file's time says nothing.
    let etag = format!(
        "{}-{:x}-{:x}-{}.{}\"",
        whole.trim_end_matches('"'),
        part.first,
        part.end,
        part.bits,
        slice::VERSION
    );
    let content = Content { length: slice::size(&part), etag: &etag, modified: i64::MAX };
    let (mut response, bytes) = head(content, None, "audio/wav", wanted);
    let Some((start, end)) = bytes.filter(|_| wanted.method != Method::HEAD) else {
        return Ok(Answer::Raw(response));
    };
    let running = shared.metrics.streams.begin().holding(wanted.flow.clone());
    let state = (Cutter::new(source, part, start, end), Arc::clone(&shared.cutting));
    // Nothing runs between two steps: a listener that is slow, or gone, keeps no thread.
    let steps = futures_util::stream::try_unfold(state, |(mut cutter, cutting)| async move {
        let permit = cutting.acquire().await.map_err(std::io::Error::other)?;
        let cut = tokio::task::spawn_blocking(move || cutter.step().map(|step| (step, cutter))).await;
        drop(permit);
        let (step, cutter) = cut.map_err(std::io::Error::other)??;
        Ok::<_, std::io::Error>(step.map(|step| (step, (cutter, cutting))))
    });
    *response.body_mut() = HttpBody::from_stream(steps.map(move |step| {
        match &step {
            Ok(step) => running.sent(step.len()),
            Err(error) => tracing::warn!(file = %path.display(), %error, "a part of a file cannot be sent"),
        }
        step
    }));
    Ok(Answer::Raw(response))
}

fn gone(path: &Path, error: &std::io::Error) -> Refusal {
    tracing::warn!(file = %path.display(), %error, "a track's file cannot be read");
    Refusal::not_found("file at the moment; its disk may be away")
}

/// The head of an answer with bytes that have a length, and which of them are wanted; `None` where none are.
fn head(
    content: Content<'_>,
    date: Option<&HeaderValue>,
    content_type: &str,
    wanted: &Wanted<'_>,
) -> (HttpResponse<HttpBody>, Option<(u64, u64)>) {
    let plan = plan(asked(wanted.headers), content);
    let length = content.length;
    let mut response = HttpResponse::new(HttpBody::empty());
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=0, must-revalidate"));
    put(headers, ETAG, content.etag);
    if let Some(date) = date {
        headers.insert(LAST_MODIFIED, date.clone());
    }
    let (start, end) = match plan {
        Plan::Unchanged => {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return (response, None);
        }
        Plan::Unsatisfiable => {
            put(headers, CONTENT_RANGE, &format!("bytes */{length}"));
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            return (response, None);
        }
        Plan::Whole => (0, length),
        Plan::Part { start, end } => {
            put(headers, CONTENT_RANGE, &format!("bytes {start}-{}/{length}", end - 1));
            (start, end)
        }
    };
    put(headers, CONTENT_TYPE, content_type);
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - start));
    if let Some(track) = wanted.attachment {
        put(headers, CONTENT_DISPOSITION, &disposition(track));
    }
    if plan != Plan::Whole {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    (response, Some((start, end)))
}

/// Answers with a file: a track's own, or another form of it that was made before.
pub(crate) async fn send(
    path: &Path,
    content_type: &str,
    wanted: &Wanted<'_>,
    shared: &Shared,
) -> Result<Answer, Refusal> {
    // What is read here rather than by the socket needs a handle of its own, with its own place in the file.
    let opened =
        if wanted.direct { shared.handles.open(path).await } else { handles::open(path).await.map(Arc::new) };
    let opened = opened.map_err(|error| gone(path, &error))?;
    let content = Content { length: opened.length, etag: &opened.etag, modified: opened.modified };
    let (mut response, bytes) = head(content, opened.date.as_ref(), content_type, wanted);
    let Some((start, end)) = bytes.filter(|_| wanted.method != Method::HEAD) else {
        return Ok(Answer::Raw(response));
    };
    let running = shared.metrics.streams.begin().holding(wanted.flow.clone());
    if wanted.direct {
        if end > start {
            response.extensions_mut().insert(Part::new(opened, start, end - start, running));
        }
        return Ok(Answer::Raw(response));
    }
    let file = Arc::into_inner(opened).map(|opened| opened.file);
    let Some(file) = file else { return Err(Refusal::not_found("file")) };
    let mut file = tokio::fs::File::from_std(file);
    if start > 0 {
        file.seek(std::io::SeekFrom::Start(start)).await.map_err(|error| gone(path, &error))?;
    }
    let step = if running.before() < MANY_STREAMS { LARGE_STEP } else { SMALL_STEP };
    file.set_max_buf_size(step);
    let bytes = ReaderStream::with_capacity(file.take(end - start), step).map(move |chunk| {
        running.sent(chunk.as_ref().map_or(0, Bytes::len));
        chunk
    });
    *response.body_mut() = HttpBody::from_stream(bytes);
    Ok(Answer::Raw(response))
}

/// Answers with an object of a store: from the hot cache by the socket itself where all of it is there, else by ranges.
async fn send_object(
    object: Arc<Object>,
    content_type: &str,
    wanted: &Wanted<'_>,
    shared: &Shared,
) -> Result<Answer, Refusal> {
    let (etag, modified) = (object.etag(), object.meta().modified_ms.div_euclid(1000));
    let date = http_date(modified).and_then(|date| HeaderValue::from_str(&date).ok());
    let content = Content { length: object.meta().size, etag: &etag, modified };
    let (mut response, bytes) = head(content, date.as_ref(), content_type, wanted);
    let Some((start, end)) = bytes.filter(|_| wanted.method != Method::HEAD) else {
        return Ok(Answer::Raw(response));
    };
    let running = shared.metrics.streams.begin().holding(wanted.flow.clone());
    if wanted.direct
        && end > start
        && let Some(path) = object.whole()
        && let Ok(opened) = shared.handles.open(&path).await
        && opened.length == object.meta().size
    {
        response.extensions_mut().insert(Part::new(opened, start, end - start, running));
        return Ok(Answer::Raw(response));
    }
    let step = if running.before() < MANY_STREAMS { LARGE_STEP } else { SMALL_STEP };
    let path = object.path().to_owned();
    let bytes = object.stream(start..end, step as u64).await;
    let bytes = bytes.map_err(|trouble| Refusal::by_store(&trouble, "song"))?;
    let state = (Box::pin(bytes), running);
    let bytes = futures_util::stream::unfold(state, move |(mut bytes, running)| {
        let path = path.clone();
        async move {
            let asked = Instant::now();
            let chunk = bytes.next().await?;
            running.waited(asked.elapsed());
            match &chunk {
                Ok(chunk) => running.sent(chunk.len()),
                Err(error) => tracing::warn!(object = %path.display(), %error, "a song broke off"),
            }
            Some((chunk, (bytes, running)))
        }
    });
    *response.body_mut() = HttpBody::from_stream(bytes);
    Ok(Answer::Raw(response))
}

/// Answers with another form of a song, made on behalf of an account; with `exact`, of a length that is said before. `None` where
/// nothing can be converted.
pub(crate) async fn send_converted(
    shared: &Shared,
    account: &AccountId,
    song: &Song,
    recipe: Recipe,
    wanted: &Wanted<'_>,
    exact: bool,
) -> Result<Option<Answer>, Refusal> {
    let Song { track, place } = song;
    if !shared.transcoder.works() {
        return Ok(None);
    }
    let source = find(&place.path, shared).await?;
    let made = shared.transcoder.make(account, track, (&source, place.slice), recipe).await;
    let made = made.map_err(|unmade| match unmade {
        Unmade::Store(trouble) => Refusal::by_store(&trouble, "song"),
        Unmade::Failed(why) => {
            tracing::warn!(track = %track.id, "not converted: {why}");
            Refusal::new(ErrorCode::Generic, "this track cannot be converted now")
        }
    })?;
    if let Some(made) = &made {
        shared.tally.converted(matches!(made, Made::File(_)));
    }
    let content_type = recipe.codec.content_type();
    match made {
        None => Ok(None),
        Some(Made::File(file)) => send(&file, content_type, wanted, shared).await.map(Some),
        Some(Made::Growing(job)) => {
            let length = exact.then(|| recipe.estimate(Source::from(track)));
            send_growing(job, content_type, length, wanted, &shared.metrics.streams).await.map(Some)
        }
    }
}

/// Answers with a form that is still being made. Its length is not known; a client that must have one gets `length`
/// bytes, cut or filled up with zeros, which decoders pass over.
pub(crate) async fn send_growing(
    job: Arc<Job>,
    content_type: &'static str,
    length: Option<u64>,
    wanted: &Wanted<'_>,
    streams: &Streams,
) -> Result<Answer, Refusal> {
    let failed = |why: String| {
        Refusal::new(ErrorCode::Generic, format!("this track cannot be converted: {}", first_line(&why)))
    };
    job.begun().await.map_err(failed)?;
    let mut response = HttpResponse::new(HttpBody::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if wanted.method == Method::HEAD {
        return Ok(Answer::Raw(response));
    }
    let running = streams.begin().holding(wanted.flow.clone());
    let bytes = job.read().await.map_err(|error| failed(error.to_string()))?.map(move |chunk| {
        running.sent(chunk.as_ref().map_or(0, Bytes::len));
        chunk
    });
    *response.body_mut() = match length {
        None => HttpBody::from_stream(bytes),
        Some(length) => HttpBody::from_stream(exactly(bytes, length)),
    };
    Ok(Answer::Raw(response))
}

/// So many bytes, whatever comes.
fn exactly(
    bytes: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    length: u64,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let state = (Some(Box::pin(bytes)), length);
    futures_util::stream::try_unfold(state, |(mut bytes, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        if let Some(source) = &mut bytes
            && let Some(chunk) = source.next().await
        {
            let mut chunk = chunk?;
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - chunk.len() as u64;
            return Ok(Some((chunk, (bytes, left))));
        }
        let fill = usize::try_from(left).unwrap_or(SMALL_STEP).min(SMALL_STEP);
        Ok(Some((Bytes::from(vec![0; fill]), (None, left - fill as u64))))
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
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
