//! Files that go from the system's cache to the socket without passing through the program (`sendfile`, on Linux and
//! plain TCP): one listener then costs a few kilobytes, and a core serves some gigabytes a second.
//!
//! Hyper writes heads and bodies to what it takes for a socket. A [`Part`] of a file travels beside the response that it
//! belongs to; the body that hyper sees is [`Bytes`](Out::Bytes) or a stand-in of the right length whose slices all
//! lie in one region of memory that nobody else uses. [`Pipe`], under hyper, knows that region: what hyper wants
//! written from there is sent from the file instead. Elsewhere, and under TLS, files are read and written as usual.
//!
//! ```text
//! handler ─ response + Part ─▶ service ─ stand-in ─▶ hyper ─ slices ─▶ Pipe ─ socket
//!                                  └──────────── Part ───────────────▶ ─┘  ▲
//!                                                          file ─ sendfile ┘
//! ```

use std::collections::VecDeque;
use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::{Buf, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::handles::OpenFile;
use super::metrics::Running;

/// What one call sends at most, bytes: enough to be quick, little enough to be fair.
const STEP: usize = 512 * 1024;

/// Memory that stands for files. Never written to or read from, so the system never gives it pages.
static REGION: LazyLock<Box<[u8]>> = LazyLock::new(|| vec![0; STEP].into_boxed_slice());

fn stands_for_file(slice: &[u8]) -> bool {
    REGION.as_ptr_range().contains(&slice.as_ptr())
}

/// A part of a file on its way; ends the count of its stream when it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Part(Arc<Mutex<Option<Source>>>);

#[derive(Debug)]
struct Source {
    file: Arc<OpenFile>,
    at: u64,
    left: u64,
    running: Running,
}

impl Part {
    /// So many bytes of a file from a place on.
    pub(crate) fn new(file: Arc<OpenFile>, at: u64, length: u64, running: Running) -> Self {
        Self(Arc::new(Mutex::new(Some(Source { file, at, left: length, running }))))
    }

    fn take(&self) -> Option<Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The parts that a connection still has to send, in the order of its responses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts(Arc<Mutex<VecDeque<Source>>>);

impl Parts {
    /// Takes the file part out of a response, and gives the body that hyper is to see.
    pub(crate) fn body_of(&self, response: hyper::Response<Body>) -> hyper::Response<OutBody> {
        let (mut head, body) = response.into_parts();
        let part = head.extensions.remove::<Part>().and_then(|part| part.take());
        let body = match part {
            None => OutBody::Bytes(body),
            Some(source) => {
                let left = source.left;
                self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(source);
                OutBody::File(Some(left))
            }
        };
        hyper::Response::from_parts(head, body)
    }
}

/// A body as hyper sees it.
pub(crate) enum OutBody {
    Bytes(Body),
    /// So many bytes of a file, not handed over yet.
    File(Option<u64>),
}

impl HttpBody for OutBody {
    type Data = Out;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Out>, axum::Error>>> {
        match self.get_mut() {
            Self::Bytes(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|next| next.map(|frame| frame.map(|f| f.map_data(Out::Bytes)))),
            Self::File(length) => Poll::Ready(length.take().map(|left| Ok(Frame::data(Out::File { left })))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Bytes(body) => body.is_end_stream(),
            Self::File(length) => length.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Bytes(body) => body.size_hint(),
            Self::File(length) => SizeHint::with_exact(length.unwrap_or(0)),
        }
    }
}

/// A piece of a body.
#[derive(Debug)]
pub(crate) enum Out {
    Bytes(Bytes),
    /// So many bytes that stand for a file's.
    File {
        left: u64,
    },
}

impl Buf for Out {
    fn remaining(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.remaining(),
            Self::File { left } => usize::try_from(*left).unwrap_or(usize::MAX),
        }
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.chunk(),
            Self::File { .. } => REGION.get(..self.remaining().min(STEP)).unwrap_or_default(),
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Bytes(bytes) => bytes.advance(count),
            Self::File { left } => *left = left.saturating_sub(count as u64),
        }
    }
}

/// A socket that sends files by itself.
#[derive(Debug)]
pub(crate) struct Pipe {
    socket: TcpStream,
    parts: Parts,
}

impl Pipe {
    pub(crate) fn new(socket: TcpStream, parts: Parts) -> Self {
        Self { socket, parts }
    }

    /// Sends what stands at the head of the parts, up to `most` bytes.
    fn poll_send(&self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        loop {
            std::task::ready!(self.socket.poll_write_ready(cx))?;
            let mut parts = self.parts.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(source) = parts.front_mut() else {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            };
            let most = most.min(usize::try_from(source.left).unwrap_or(usize::MAX));
            let sent = self.socket.try_io(Interest::WRITABLE, || send(&self.socket, source, most));
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                // The file is shorter than it was.
                Ok(0) if most > 0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    source.at += count as u64;
                    source.left -= count as u64;
                    source.running.sent(count);
                    if source.left == 0 {
                        parts.pop_front();
                    }
                    return Poll::Ready(Ok(count));
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn send(socket: &TcpStream, source: &Source, most: usize) -> io::Result<usize> {
    let mut at = source.at;
    Ok(rustix::fs::sendfile(socket, &source.file.file, Some(&mut at), most)?)
}

#[cfg(not(target_os = "linux"))]
fn send(_socket: &TcpStream, _source: &Source, _most: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether parts of files can be sent so on this system.
pub(crate) const WORKS: bool = cfg!(target_os = "linux");

/// Marks a request whose connection sends parts of files by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Direct;

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if stands_for_file(bytes) {
            return self.poll_send(cx, bytes.len());
        }
        Pin::new(&mut self.get_mut().socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let plain = slices.iter().take_while(|slice| !stands_for_file(slice)).count();
        match slices.get(..plain) {
            None | Some([]) => {
                let most = slices.first().map_or(0, |slice| slice.len());
                self.poll_send(cx, most)
            }
            Some(slices) => Pin::new(&mut self.get_mut().socket).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        // Otherwise hyper would copy bodies into one buffer, and what stands for a file with them.
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
