//! One run of ffmpeg: a file in, a growing file out, and as many readers as want it.
//!
//! ```text
//! ffmpeg (child) ─▶ pipe ─▶ task ─▶ file on the shelf ─▶ readers, each at its own pace
//! ```
//!
//! The child runs as fast as it can, so that it is gone soon however slow its listeners are. When the last of them
//! leaves before it is done, it is killed and what it made is thrown away.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::recipe::Recipe;
use crate::catalog::Slice;
use crate::server::storage::Source;

/// Step of reading and writing, bytes.
const STEP: usize = 64 * 1024;
/// The largest single piece of memory that ffmpeg may ask for, bytes: hostile files ask for more.
const LARGEST_ALLOCATION: &str = "268435456";
/// How long a run may take beyond the length of the music.
const PATIENCE: Duration = Duration::from_mins(2);
/// What is kept of ffmpeg's complaints, bytes.
const LONGEST_COMPLAINT: u64 = 2000;

/// How far a run is.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// Bytes that can be read.
    length: u64,
    /// How it ended.
    end: Option<Result<(), String>>,
}

/// A run and its result. It ends with its last reader.
#[derive(Debug)]
pub(crate) struct Job {
    draft: PathBuf,
    finished: Option<PathBuf>,
    progress: watch::Receiver<Progress>,
    _killed_when_dropped: DropGuard,
}

/// What a run is told.
pub(crate) struct Order {
    pub(crate) ffmpeg: PathBuf,
    /// The file with the music.
    pub(crate) file: PathBuf,
    /// The part of it that is wanted; `None` for all of it.
    pub(crate) slice: Option<Slice>,
    /// What it is a file of; held so that an object stays on this machine.
    pub(crate) source: Source,
    pub(crate) recipe: Recipe,
    /// How long the music is.
    pub(crate) duration: Duration,
    /// Where the result grows.
    pub(crate) draft: PathBuf,
    /// Where it goes when it is whole, if it should stay.
    pub(crate) finished: Option<PathBuf>,
    /// One of the few places for such work of the account, and one of the machine's.
    pub(crate) places: [OwnedSemaphorePermit; 2],
}

impl Drop for Job {
    fn drop(&mut self) {
        // Either it became something else by now, or nobody needs it.
        let _ = std::fs::remove_file(&self.draft);
    }
}

impl Job {
    /// Begins. An error means that ffmpeg or the file on the shelf could not be opened.
    pub(crate) async fn start(order: Order) -> io::Result<Self> {
        let out = tokio::fs::File::create(&order.draft).await?;
        let child = command(&order).spawn()?;
        let (tell, progress) = watch::channel(Progress::default());
        let stop = CancellationToken::new();
        let (draft, finished) = (order.draft.clone(), order.finished.clone());
        tokio::spawn(run(order, child, out, tell, stop.clone()));
        Ok(Self { draft, finished, progress, _killed_when_dropped: stop.drop_guard() })
    }

    /// Waits for the first bytes. The error is what ffmpeg said.
    pub(crate) async fn begun(&self) -> Result<(), String> {
        let mut progress = self.progress.clone();
        let state = progress.wait_for(|p| p.length > 0 || p.end.is_some()).await;
        match state.map(|p| p.end.clone()) {
            Ok(Some(Err(why))) => Err(why),
            Ok(_) => Ok(()),
            Err(_) => Err("it was stopped".to_owned()),
        }
    }

    /// The bytes from the start, as they come. The run goes on as long as the stream is there.
    pub(crate) async fn read(
        self: Arc<Self>,
    ) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static> {
        let file = match (tokio::fs::File::open(&self.draft).await, &self.finished) {
            (Ok(file), _) => file,
            // It became whole in the meantime.
            (Err(_), Some(finished)) => tokio::fs::File::open(finished).await?,
            (Err(error), None) => return Err(error),
        };
        let progress = self.progress.clone();
        Ok(futures_util::stream::try_unfold((self, file, progress, 0_u64), |state| async move {
            let (job, mut file, mut progress, at) = state;
            let known = progress.wait_for(|p| p.length > at || p.end.is_some()).await;
            let Ok((length, end)) = known.map(|known| (known.length, known.end.clone())) else {
                return Err(io::Error::other("the conversion was stopped"));
            };
            if at >= length {
                return match end {
                    Some(Err(why)) => Err(io::Error::other(why)),
                    _ => Ok(None),
                };
            }
            let step = usize::try_from(length - at).unwrap_or(STEP).min(STEP);
            let mut chunk = BytesMut::zeroed(step);
            file.seek(io::SeekFrom::Start(at)).await?;
            let read = file.read(&mut chunk).await?;
            chunk.truncate(read);
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            Ok(Some((chunk.freeze(), (job, file, progress, at + read as u64))))
        }))
    }
}

/// The command line: an argument vector, never a shell. `file:` keeps a file's name from being taken for a
/// protocol's, and the white list keeps a play list in music's clothes from reaching the network.
fn command(order: &Order) -> Command {
    let mut source = std::ffi::OsString::from("file:");
    source.push(&order.file);
    let mut command = Command::new(&order.ffmpeg);
    command
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-max_alloc", LARGEST_ALLOCATION])
        .args(["-protocol_whitelist", "file,pipe", "-threads", "1"]);
    let offset = order.recipe.offset_ms as f64 / 1000.0;
    if let Some(part) = order.slice {
        let seconds = |frames: u64| frames as f64 / f64::from(part.rate.max(1));
        let (start, whole) = (seconds(part.first), seconds(part.end.saturating_sub(part.first)));
        command.args([
            "-ss",
            &format!("{:.6}", start + offset),
            "-t",
            &format!("{:.6}", (whole - offset).max(0.0)),
        ]);
    } else if offset > 0.0 {
        command.args(["-ss", &format!("{offset:.3}")]);
    }
    command
        .arg("-i")
        .arg(source)
        .args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "0", "-threads", "1"])
        .args(order.recipe.arguments())
        .arg("pipe:1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn run(
    order: Order,
    mut child: Child,
    mut out: tokio::fs::File,
    tell: watch::Sender<Progress>,
    stop: CancellationToken,
) {
    let limit = order.duration + PATIENCE;
    let work = tokio::time::timeout(limit, copy(&mut child, &mut out, &tell));
    let ended = tokio::select! {
        ended = work => ended.unwrap_or_else(|_| Err("it took too long".to_owned())),
        () = stop.cancelled() => Err("nobody listens any more".to_owned()),
    };
    if ended.is_err() {
        let _ = child.kill().await; // also waits, so that no zombie is left
    }
    let ended = match (ended, &order.finished) {
        (Ok(()), Some(finished)) => {
            tokio::fs::rename(&order.draft, finished).await.map_err(|error| error.to_string())
        }
        (ended, _) => ended,
    };
    if let Err(why) = &ended {
        tracing::info!(file = %order.source.path().display(), codec = order.recipe.codec.word(), "not converted: {why}");
    }
    drop(order.places);
    tell.send_modify(|progress| progress.end = Some(ended));
}

/// Copies what the child says until it ends.
async fn copy(
    child: &mut Child,
    out: &mut tokio::fs::File,
    tell: &watch::Sender<Progress>,
) -> Result<(), String> {
    let (Some(mut from), Some(complaints)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("it has no output".to_owned());
    };
    let complaints = tokio::spawn(async move {
        let mut text = Vec::new();
        let mut rest = complaints;
        let _ = (&mut rest).take(LONGEST_COMPLAINT).read_to_end(&mut text).await;
        // A child whose complaints nobody reads would stop.
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
        crate::music::printable(String::from_utf8_lossy(&text).trim())
    });
    let mut chunk = vec![0; STEP];
    loop {
        let read = from.read(&mut chunk).await.map_err(|error| error.to_string())?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else { break };
        out.write_all(part).await.map_err(|error| error.to_string())?;
        out.flush().await.map_err(|error| error.to_string())?;
        tell.send_modify(|progress| progress.length += read as u64);
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    let said = complaints.await.unwrap_or_default();
    if status.success() && tell.borrow().length > 0 {
        Ok(())
    } else if said.is_empty() {
        Err(format!("ffmpeg ended with {status}"))
    } else {
        Err(said)
    }
}
