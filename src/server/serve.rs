//! The HTTP connections: accept, answer, and stop.
//!
//! Hyper is driven here rather than by `axum::serve`, because a server on the open network needs what that does not
//! offer: a limit on how long a client may take to send its request, a limit on connections, and an end of
//! streams that a slow listener would otherwise keep open for hours.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::Net;
use super::metrics::Metrics;
use super::peer::{Crowd, behind};
use super::pipe::{self, Direct, Parts, Pipe};
use super::privacy::short_address;
use super::tls::Tls;

/// How long a client may take to send the head of a request, also the next one on the same connection.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a client may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections at once where the system allows as many files; each may have one file open beside its socket.
const MOST_CONNECTIONS: usize = 16_384;
/// Files that are not connections': catalog, pictures, what is scanned, and songs that are open already.
const OTHER_FILES: u64 = 256 + super::handles::MOST;

/// What stands between the network and the routes.
pub(crate) struct Door {
    pub(crate) router: Router,
    pub(crate) net: Arc<Net>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Serves until `stop`; returns when every connection is closed.
pub(crate) async fn serve(listener: TcpListener, door: Door, stop: CancellationToken) {
    let Door { router, net, tls, metrics } = door;
    let room = Arc::new(Semaphore::new(most_connections()));
    let crowd = Crowd::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely: some will be given back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let permit = Arc::clone(&room).try_acquire_owned();
        let place = crowd.enter(peer.ip(), &net.trusted_proxies);
        let (Ok(permit), Some(place)) = (permit, place) else {
            metrics.turned_away.inc();
            let network = short_address(&peer.ip().to_string());
            tracing::warn!(network, "too many connections; one was turned away");
            continue;
        };
        // Without this a small answer waits for the acknowledgement of the one before it: 40 ms each.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let connection = Connection { address: peer.ip(), router: router.clone(), net: Arc::clone(&net) };
        let (stop, acceptor) = (stop.clone(), tls.as_ref().map(|tls| tls.acceptor()));
        metrics.connections.inc();
        let metrics = Arc::clone(&metrics);
        connections.spawn(async move {
            let parts = Parts::default();
            match acceptor {
                None => connection.serve(Pipe::new(socket, parts.clone()), Some(parts), stop).await,
                Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(socket)).await {
                    Ok(Ok(socket)) => connection.serve(socket, None, stop).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
                    Err(_) => tracing::debug!("a handshake took too long"),
                },
            }
            metrics.connections.dec();
            drop((permit, place));
        });
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(net.grace, all_done).await.is_err() {
        connections.shutdown().await;
    }
}

/// As many as there can be files, having asked the system for all it gives.
#[cfg(unix)]
fn most_connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Too much to ask for on some systems (macOS names a maximum that it does not grant): then it stays as it is.
    let files = if setrlimit(Resource::Nofile, all).is_ok() { limit.maximum } else { limit.current };
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES) / 2).max(64);
    usize::try_from(room).unwrap_or(MOST_CONNECTIONS).min(MOST_CONNECTIONS)
}

#[cfg(not(unix))]
fn most_connections() -> usize {
    MOST_CONNECTIONS
}

/// One client's connection.
struct Connection {
    address: IpAddr,
    router: Router,
    net: Arc<Net>,
}

impl Connection {
    /// With `parts` the socket sends parts of files by itself.
    async fn serve<S>(self, socket: S, parts: Option<Parts>, stop: CancellationToken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { address, router, net } = self;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            let peer = behind(address, request.headers(), &net.trusted_proxies);
            request.extensions_mut().insert(peer);
            if parts.is_some() && pipe::WORKS {
                request.extensions_mut().insert(Direct);
            }
            let (mut router, parts) = (router.clone(), parts.clone().unwrap_or_default());
            async move {
                let response = router.call(request).await.unwrap_or_else(|never| match never {});
                Ok::<_, Infallible>(parts.body_of(response))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(socket), service);
        let mut connection = std::pin::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}
