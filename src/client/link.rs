//! One server as the session's tasks see it: the client, and what its answers say about the connection.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Mutex, Notify, watch};

use super::status::{Connection, SessionStatus, SyncState};
use crate::subsonic::{Client, ClientError, ErrorCode};

/// A small answer that takes longer makes the connection slow.
const SLOW: Duration = Duration::from_millis(1500);
/// One that takes less makes it good again.
const QUICK: Duration = Duration::from_millis(700);

/// The client and the state of the connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    status: watch::Sender<SessionStatus>,
    /// Somebody met a failure that a look at the server should explain.
    pub(super) doubt: Notify,
    /// Names of the OpenSubsonic extensions that the server has; unknown until somebody asks.
    extensions: Mutex<Option<HashSet<String>>>,
    /// Whether `transcodeOffset` is among them.
    offsets: AtomicBool,
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        let status = SessionStatus {
            server: client.host().to_owned(),
            connection: Connection::Connecting,
            sync: SyncState::Idle { at: None },
            catalog_generation: 0,
            plan: Arc::default(),
            problem: None,
        };
        Self {
            client,
            status: watch::Sender::new(status),
            doubt: Notify::new(),
            extensions: Mutex::default(),
            offsets: AtomicBool::new(false),
        }
    }

    /// Whether the server has an extension. It is asked once for each connection; `false` while nobody knows.
    pub(super) async fn extends(&self, extension: &str) -> bool {
        self.knows(extension).await.unwrap_or(false)
    }

    /// The same; `None` while nobody knows.
    pub(super) async fn knows(&self, extension: &str) -> Option<bool> {
        let mut known = self.extensions.lock().await;
        if known.is_none() {
            *known = match self.ask(self.client.extensions()).await {
                Ok(listed) => Some(listed.into_iter().map(|extension| extension.name).collect()),
                // Servers that are not OpenSubsonic do not know the question.
                Err(ClientError::Api { .. } | ClientError::Http { status: 404 | 501, .. }) => {
                    Some(HashSet::new())
                }
                Err(_) => None,
            };
            if let Some(known) = known.as_ref() {
                self.client.use_forms(known.contains("formPost"));
                self.offsets.store(known.contains("transcodeOffset"), Ordering::Relaxed);
            }
        }
        known.as_ref().map(|known| known.contains(extension))
    }

    /// Whether the server makes a smaller form from any second on, as far as known.
    pub(super) fn begins_anywhere(&self) -> bool {
        self.offsets.load(Ordering::Relaxed)
    }

    /// Another server may answer from now on, or a newer one.
    pub(super) async fn forget_extensions(&self) {
        *self.extensions.lock().await = None;
        self.client.use_forms(false);
    }

    pub(super) fn status(&self) -> watch::Receiver<SessionStatus> {
        self.status.subscribe()
    }

    /// Changes the status; watchers hear of it only when it became another one.
    pub(super) fn change(&self, change: impl FnOnce(&mut SessionStatus)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }

    /// Rows of the catalog changed.
    pub(super) fn news(&self) {
        self.change(|status| status.catalog_generation += 1);
    }

    /// Waits until requests are worth sending.
    pub(super) async fn up(&self) {
        // An error means that the sender is gone, and that is `self`.
        let _ = self.status.subscribe().wait_for(|status| status.connection.is_up()).await;
    }

    pub(super) fn is_up(&self) -> bool {
        self.status.borrow().connection.is_up()
    }

    /// Sends a small request and learns from its answer and its time.
    pub(super) async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let began = Instant::now();
        let answer = request.await;
        match &answer {
            Ok(_) => self.heard(began.elapsed()),
            Err(error) => self.failed(error),
        }
        answer
    }

    /// Sends a request whose answer may take its time.
    pub(super) async fn ask_much<T>(
        &self,
        request: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let answer = request.await;
        if let Err(error) = &answer {
            self.failed(error);
        }
        answer
    }

    /// An answer came after `took`.
    pub(super) fn heard(&self, took: Duration) {
        self.change(|status| {
            let next = match status.connection {
                _ if took >= SLOW => Connection::Slow,
                Connection::Slow if took > QUICK => Connection::Slow,
                _ => Connection::Online,
            };
            status.connection = next;
        });
    }

    /// A request failed. What is certain shows at once; the rest is for the keeper to find out.
    pub(super) fn failed(&self, error: &ClientError) {
        match error {
            ClientError::Unreachable { .. } | ClientError::Tls { .. } | ClientError::NotSubsonic { .. } => {
                self.lost(error);
            }
            ClientError::Http { status: 502..=504, .. } => self.lost(error),
            ClientError::Http { status: 429, .. } => {
                self.change(|status| status.connection = Connection::Slow);
            }
            ClientError::Api { code, .. } if is_login(*code) => {
                self.change(|status| status.problem = Some(login_problem(error)));
                self.lost(error);
            }
            ClientError::UnsafePassword { .. } => {
                self.change(|status| status.problem = Some(error.to_string()));
                self.lost(error);
            }
            ClientError::TimedOut { .. } | ClientError::Interrupted { .. } => self.doubt.notify_one(),
            _ => {}
        }
    }

    /// The server does not answer.
    pub(super) fn lost(&self, error: &ClientError) {
        let why = match error {
            ClientError::Api { .. } => login_problem(error),
            other => other.to_string(),
        };
        self.change(|status| {
            let since = match status.connection {
                Connection::Offline { since, .. } => since,
                _ => now_ms(),
            };
            status.connection = Connection::Offline { since, why };
        });
        self.doubt.notify_one();
    }
}

/// Whether a refusal is about who asks, so that every other request will meet it too.
pub(super) const fn is_login(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::WrongCredentials
            | ErrorCode::TokenNotSupported
            | ErrorCode::MechanismNotSupported
            | ErrorCode::ConflictingMechanisms
            | ErrorCode::InvalidApiKey
    )
}

fn login_problem(error: &ClientError) -> String {
    format!("the server refused the login: {error}")
}

/// Unix time in ms.
pub(super) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
