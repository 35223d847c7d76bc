//! Where the sound goes: a sound device, paced silence when there is none, or a capture for tests. Each runs the
//! same renderer; a supervisor thread opens the device, waits for its loss, opens it again, and changes over to another
//! output or rate when it is told so.

mod callback;
mod capture;
mod device;
mod pull;
mod silent;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

pub use callback::Callback;
pub use capture::{CaptureHandle, Pace};
pub use pull::PullHandle;

use super::control::Msg;
use super::ring::{Feeder, Link, Renderer, ring};

/// The choice of an output.
#[derive(Debug, Clone)]
pub enum Output {
    /// The system's default device; silence, with the reason, while there is none.
    Default,
    /// The device of this name as [`Output::devices`] lists it; silence, with the reason, while it is away.
    Device(String),
    /// No device: time passes, nothing sounds.
    Silent,
    /// Everything that a device would get is kept for a test to look at.
    Capture(CaptureHandle),
    /// The caller takes the place of the device.
    Pull(PullHandle),
}

impl Output {
    /// Names of the output devices of this machine, the default one first.
    pub fn devices() -> Vec<String> {
        device::names()
    }
}

/// An opened output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputInfo {
    /// The device's name.
    pub name: String,
    /// Frames per second that it takes; 0 while none is open yet.
    pub sample_rate: u32,
    /// Set when nothing can be heard, with the reason as a sentence.
    pub silent_because: Option<String>,
}

/// A stream that an output waits for.
pub(super) struct Port {
    pub(super) feeder: Feeder,
    pub(super) info: OutputInfo,
}

/// What the supervisor waits for.
enum Signal {
    /// The device is gone or wants to be opened anew.
    Lost,
    Close,
    /// Go on at this rate if the output has it; none: at its own.
    Rate(Option<u32>),
    /// Go on at another output.
    Switch(Output),
}

/// A running output.
pub(super) struct Running {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

/// The control thread's hand on the output.
pub(super) struct Remote(Sender<Signal>);

impl Remote {
    /// Asks for a rate. The output answers with a [`Port`] or [`Msg::Output`], whether it has that rate or not.
    pub(super) fn rate(&self, rate: Option<u32>) {
        let _ = self.0.send(Signal::Rate(rate));
    }

    /// Changes over to another output.
    pub(super) fn switch(&self, output: Output) {
        let _ = self.0.send(Signal::Switch(output));
    }
}

impl Running {
    pub(super) fn remote(&self) -> Remote {
        Remote(self.signals.clone())
    }

    /// Ends the output and closes the device.
    pub(super) fn close(mut self) {
        let _ = self.signals.send(Signal::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts an output that announces itself to the control thread with a [`Port`].
pub(super) fn start(output: Output, link: &Arc<Link>, control: Sender<Msg>) -> Running {
    let (signals, inbox) = mpsc::channel();
    let mut bench = Bench { link: Arc::clone(link), control, renderer: None, wanted_rate: None };
    let own_signals = signals.clone();
    let thread = std::thread::Builder::new().name("segue-output".to_owned()).spawn(move || {
        let mut next = Some(output);
        while let Some(output) = next {
            let steady = matches!(output, Output::Silent | Output::Default | Output::Device(_));
            bench.link.steady.store(steady, Ordering::Relaxed);
            next = match output {
                Output::Silent => silent::run(&mut bench, &inbox),
                Output::Capture(handle) => capture::run(&mut bench, &handle, &inbox),
                Output::Pull(handle) => pull::run(&mut bench, &handle, &inbox),
                Output::Default => device::run(&mut bench, None, &own_signals, &inbox),
                Output::Device(name) => device::run(&mut bench, Some(&name), &own_signals, &inbox),
            };
        }
    });
    Running { signals, thread: thread.ok() }
}

/// What every output works with.
struct Bench {
    link: Arc<Link>,
    control: Sender<Msg>,
    /// The renderer and its rate, while no device holds it.
    renderer: Option<(Renderer, u32)>,
    /// The rate that was asked for.
    wanted_rate: Option<u32>,
}

impl Bench {
    /// Answers a question for another rate with no.
    fn stays(&self, info: OutputInfo) {
        let _ = self.control.send(Msg::Output(info));
    }

    /// A renderer for `info.sample_rate`: the one at hand if it has that rate (the sound in its ring goes on),
    /// else a new one, for which the control thread starts a new stream.
    fn renderer(&mut self, info: OutputInfo) -> Renderer {
        let rate = info.sample_rate;
        if let Some((renderer, _)) = self.renderer.take_if(|(_, at)| *at == rate) {
            let _ = self.control.send(Msg::Output(info));
            return renderer;
        }
        self.renderer = None;
        let (feeder, renderer) = ring(&self.link, rate);
        let _ = self.control.send(Msg::Port(Port { feeder, info }));
        renderer
    }
}
