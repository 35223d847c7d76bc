//! Silence that takes as long as sound would: everything works without a sound card, and can be tested there.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::{Bench, Output, OutputInfo, Signal};
use crate::audio::ring::Renderer;

/// The rate of silence.
pub(super) const RATE: u32 = 48_000;
const STEP: Duration = Duration::from_millis(20);

/// Runs until it is told to close or to go elsewhere.
pub(super) fn run(bench: &mut Bench, inbox: &Receiver<Signal>) -> Option<Output> {
    let info = OutputInfo {
        name: "silence".to_owned(),
        sample_rate: RATE,
        silent_because: Some("sound is switched off".to_owned()),
    };
    let mut renderer = bench.renderer(info.clone());
    loop {
        match pass(&mut renderer, RATE, inbox, None) {
            Some(Signal::Close) => return None,
            Some(Signal::Switch(output)) => {
                bench.renderer = Some((renderer, RATE));
                return Some(output);
            }
            Some(Signal::Rate(_)) => bench.stays(info.clone()),
            Some(Signal::Lost) | None => {}
        }
    }
}

/// Lets sound pass unheard until `for_at_most` is over or something is asked for.
pub(super) fn pass(
    renderer: &mut Renderer,
    rate: u32,
    inbox: &Receiver<Signal>,
    for_at_most: Option<Duration>,
) -> Option<Signal> {
    let begin = Instant::now();
    let mut passed = 0_u64;
    let mut block = [[0.0; 2]; 480];
    loop {
        let due = (begin.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        // After a suspended machine wakes up, the time that it slept is not played.
        if due.saturating_sub(passed) > u64::from(rate) {
            passed = due;
        }
        while passed < due {
            let n = (due - passed).min(block.len() as u64);
            renderer.render(block.get_mut(..n as usize).unwrap_or_default());
            passed += n;
        }
        if for_at_most.is_some_and(|limit| begin.elapsed() > limit) {
            return None;
        }
        match inbox.recv_timeout(STEP) {
            Ok(Signal::Lost) | Err(RecvTimeoutError::Timeout) => {}
            Ok(signal) => return Some(signal),
            Err(RecvTimeoutError::Disconnected) => return Some(Signal::Close),
        }
    }
}
