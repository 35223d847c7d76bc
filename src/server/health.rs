//! What tells an operator's tools how the server is: `/healthz`, `/readyz` and `/metrics`.
//!
//! The first two say nothing but yes or no, to anybody. Figures are for who administers (an API key as a bearer token)
//! and for this machine itself; a request that a proxy passed on does not come from this machine, whether the proxy
//! is trusted or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Response as HttpResponse, StatusCode};

use super::answer::with_house_rules;
use super::load::Level;
use super::{Peer, Shared};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process runs.
pub(crate) async fn alive() -> HttpResponse<HttpBody> {
    plain(StatusCode::OK, "ok\n")
}

/// Requests can be answered: the database is there, and the server is not ending.
pub(crate) async fn ready(State(shared): State<Arc<Shared>>) -> HttpResponse<HttpBody> {
    if shared.ending.is_cancelled() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "ending\n");
    }
    match tokio::time::timeout(PATIENCE, shared.catalog.ping()).await {
        Ok(Ok(())) => match shared.load.level() {
            Level::Calm => plain(StatusCode::OK, "ready\n"),
            // Still ready: a balancer that sent everybody elsewhere would only move what is too much.
            level => {
                let mut response = plain(StatusCode::OK, "");
                *response.body_mut() = HttpBody::from(format!("ready; {}\n", level.about()));
                response
            }
        },
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
        Err(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "the database takes too long\n"),
    }
}

/// Figures for Prometheus.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>, request: Request) -> HttpResponse<HttpBody> {
    let peer = request.extensions().get::<Peer>().copied();
    if !may_see(&shared, request.headers(), peer).await {
        let mut response = plain(StatusCode::UNAUTHORIZED, "an API key of an administrator is needed\n");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    let status = shared.library.status().await;
    let (level, pressure) = (shared.load.level() as u8, shared.load.pressure());
    shared.metrics.load(shared.seats.taken(Instant::now()), level, pressure);
    shared.metrics.cluster(shared.jobs.held(), shared.guard.is_down());
    shared.metrics.now(status.count.unwrap_or(0), status.scanning, shared.transcoder.running_now());
    shared.metrics.stores(shared.storage.hot_bytes().unwrap_or(0), shared.storage.down());
    let sound = shared.library.analysis();
    let done = sound.heard + sound.failed;
    shared.metrics.hearing(sound.heard, if sound.running { sound.total.saturating_sub(done) } else { 0 });
    match shared.metrics.text() {
        Ok(text) => {
            let mut response = HttpResponse::new(HttpBody::from(text));
            let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            with_house_rules(response)
        }
        Err(error) => {
            tracing::error!(%error, "the figures cannot be written");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the server could not do this; its log says why\n")
        }
    }
}

async fn may_see(shared: &Shared, headers: &HeaderMap, peer: Option<Peer>) -> bool {
    let Some(Peer(address)) = peer else { return false };
    let passed_on = ["x-forwarded-for", "forwarded", "via", "x-real-ip"];
    if address.is_loopback() && !passed_on.iter().any(|name| headers.contains_key(*name)) {
        return true;
    }
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(key) = given.and_then(|given| given.strip_prefix("Bearer ")) else { return false };
    shared.gate.admit_key(key.trim(), address).await.is_ok_and(|account| account.admin)
}

fn plain(status: StatusCode, text: &'static str) -> HttpResponse<HttpBody> {
    let mut response = HttpResponse::new(HttpBody::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_house_rules(response)
}
