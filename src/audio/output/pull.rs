//! An output without a device: whoever holds the handle drives the callback.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};

use super::callback::Callback;
use super::{Bench, Output, OutputInfo, Signal};

/// An output whose callback the caller drives in place of a device: what a test of the real-time thread needs.
#[derive(Debug, Clone)]
pub struct PullHandle {
    rate: u32,
    channels: u16,
    callback: Arc<Mutex<Option<Callback>>>,
}

impl PullHandle {
    /// A device of `rate` frames per second.
    pub fn new(rate: u32, channels: u16) -> Self {
        PullHandle { rate, channels, callback: Arc::default() }
    }

    /// The callback, once the engine has opened the output.
    pub fn take(&self) -> Option<Callback> {
        self.callback.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs until it is told to close or to go elsewhere.
pub(super) fn run(bench: &mut Bench, handle: &PullHandle, inbox: &Receiver<Signal>) -> Option<Output> {
    let info = OutputInfo { name: "pulled".to_owned(), sample_rate: handle.rate, silent_because: None };
    let renderer = bench.renderer(info.clone());
    let (home, _returned) = mpsc::channel();
    let callback = Callback::new(renderer, handle.channels, home);
    *handle.callback.lock().unwrap_or_else(PoisonError::into_inner) = Some(callback);
    loop {
        match inbox.recv() {
            Ok(Signal::Close) | Err(_) => return None,
            Ok(Signal::Switch(output)) => return Some(output),
            Ok(Signal::Rate(_)) => bench.stays(info.clone()),
            Ok(Signal::Lost) => {}
        }
    }
}
