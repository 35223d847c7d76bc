//! A player of the account that plays in the place of the one here: its state as it comes, and what it is asked for, in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::wire;
use crate::catalog::Listener;
use crate::client::Session;
use crate::player::{QueueView, Status, Supply};
use crate::subsonic::devices::{Device, DeviceCommand, DeviceQueue, DeviceStatus};
use crate::subsonic::{ClientError, ErrorCode};

/// Pause after a question that failed.
const PAUSE: Duration = Duration::from_millis(500);

/// What is heard of it.
#[derive(Debug)]
pub(super) enum News {
    /// How it is now.
    Told(Box<Device>),
    /// It is not on any more.
    Gone,
    /// It could not be told something; a sentence.
    Refused(String),
}

/// The other player.
pub(super) struct Remote {
    pub(super) id: String,
    pub(super) name: String,
    status: DeviceStatus,
    queue: DeviceQueue,
    view: Arc<QueueView>,
    told: Instant,
    pub(super) reachable: bool,
    commands: mpsc::UnboundedSender<DeviceCommand>,
    pub(super) news: mpsc::UnboundedReceiver<News>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Remote {
    /// Begins to follow a device that is this way now.
    pub(super) async fn follow(device: Device, listener: &Listener, session: &Arc<Session>) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        let (commands, wanted) = mpsc::unbounded_channel();
        let (id, name, revision) = (device.id.clone(), device.name.clone(), device.revision);
        let tasks = [
            tokio::spawn(listen(Arc::clone(session), id.clone(), revision, tell.clone())),
            tokio::spawn(pass_on(Arc::clone(session), id.clone(), name.clone(), wanted, tell)),
        ];
        let mut remote = Self {
            id,
            name,
            status: DeviceStatus::default(),
            queue: DeviceQueue::default(),
            view: Arc::default(),
            told: Instant::now(),
            reachable: true,
            commands,
            news,
            tasks,
        };
        remote.adopt(device, listener).await;
        remote
    }

    /// Takes over how it is; gives a sentence where it says that something cannot be done.
    pub(super) async fn adopt(&mut self, device: Device, listener: &Listener) -> Option<String> {
        let status = device.status.unwrap_or_default();
        let said = status.trouble.clone().filter(|_| status.trouble != self.status.trouble);
        let same = device.queue.is_none()
            && (&status.context, &status.repeat, status.shuffle)
                == (&self.status.context, &self.status.repeat, self.status.shuffle);
        self.status = status;
        self.queue = device.queue.unwrap_or_else(|| std::mem::take(&mut self.queue));
        self.told = Instant::now();
        if !same {
            match listener.tracks(&wire::ids_of(&self.queue)).await {
                Ok(tracks) => {
                    let view = wire::view_of(&self.queue, &self.status, &wire::known(tracks));
                    if *self.view != view {
                        self.view = Arc::new(view);
                    }
                }
                Err(error) => tracing::warn!(%error, "the queue of another player cannot be shown"),
            }
        }
        said
    }

    /// How it is at this moment.
    pub(super) fn shown(&self) -> Status {
        let since = u64::try_from(self.told.elapsed().as_millis()).unwrap_or(u64::MAX);
        let shown = wire::shown_of(&self.status, &self.view, since, &self.name);
        Status { supply: if self.reachable { Supply::Streaming } else { Supply::Offline }, ..shown }
    }

    /// Asks it for something.
    pub(super) fn send(&self, command: DeviceCommand) {
        // The task ends with this remote.
        let _ = self.commands.send(command);
    }
}

/// Follows a device from a revision on.
async fn listen(session: Arc<Session>, id: String, revision: i64, tell: mpsc::UnboundedSender<News>) {
    let mut after = revision;
    loop {
        session.reachable().await;
        let news = match session.device(&id, Some(after)).await {
            Ok(device) if device.online => {
                after = device.revision;
                News::Told(Box::new(device))
            }
            Ok(_) => News::Gone,
            Err(error) if error.code() == Some(ErrorCode::NotFound) => News::Gone,
            Err(error) => {
                tracing::debug!(%error, "nobody tells of the other player");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let gone = matches!(news, News::Gone);
        if tell.send(news).is_err() || gone {
            return;
        }
    }
}

/// Passes on what is wanted, one after the other.
async fn pass_on(
    session: Arc<Session>,
    id: String,
    name: String,
    mut wanted: mpsc::UnboundedReceiver<DeviceCommand>,
    tell: mpsc::UnboundedSender<News>,
) {
    while let Some(command) = wanted.recv().await {
        if let Err(error) = session.send_to_device(&id, &command).await {
            let news = match error {
                ref gone if gone.code() == Some(ErrorCode::NotFound) => News::Gone,
                ClientError::Api { message, .. } => News::Refused(format!("That cannot be done: {message}.")),
                _ => News::Refused(format!("The server cannot be reached, so {name} was not told.")),
            };
            if tell.send(news).is_err() {
                return;
            }
        }
    }
}
