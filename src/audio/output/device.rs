//! A sound device, opened through rodio (which brings sample formats and channel counts to whatever the device
//! wants) with an endless source of our own. Nothing here prints: stream errors are counted or lead to the device
//! being opened again, and libasound's own complaints on stderr are caught while devices are opened.

use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait};
use rodio::{DeviceSinkBuilder, MixerDeviceSink, Source};

use super::{Bench, OutputInfo, Signal, silent};
use crate::audio::Frame;
use crate::audio::ring::Renderer;

/// Frames in the device's buffer: about 90 ms, which a busy machine of two cores survives without a drop-out.
const BUFFER: u32 = 4096;
/// While no device is there, one is looked for this often.
const RETRY: Duration = Duration::from_secs(3);
/// A lost device may need a moment before it can be opened again.
const SETTLE: Duration = Duration::from_millis(250);
/// Frames rendered at a time.
const BLOCK: usize = 256;

/// Runs until it is told to close.
pub(super) fn run(
    mut bench: Bench,
    wanted: Option<&str>,
    signals: &Sender<Signal>,
    inbox: &Receiver<Signal>,
) {
    loop {
        match open(wanted, signals) {
            Ok((sink, name)) => {
                let rate = sink.config().sample_rate();
                let info = OutputInfo { name, sample_rate: rate.get(), silent_because: None };
                let (home, returned) = mpsc::channel();
                let renderer = bench.renderer(info);
                sink.mixer().add(EndlessSource::new(renderer, rate, home));
                let close = matches!(inbox.recv(), Ok(Signal::Close) | Err(_));
                drop(sink);
                if close {
                    return;
                }
                bench.renderer = returned.recv_timeout(Duration::from_secs(1)).ok().map(|r| (r, rate.get()));
                std::thread::sleep(SETTLE);
                while let Ok(signal) = inbox.try_recv() {
                    if matches!(signal, Signal::Close) {
                        return;
                    }
                }
            }
            Err(reason) => {
                let rate = bench.renderer.as_ref().map_or(silent::RATE, |(_, rate)| *rate);
                let info = OutputInfo {
                    name: wanted.unwrap_or("none").to_owned(),
                    sample_rate: rate,
                    silent_because: Some(reason),
                };
                let mut renderer = bench.renderer(info);
                if silent::pass(&mut renderer, rate, inbox, Some(RETRY)) {
                    return;
                }
                bench.renderer = Some((renderer, rate));
            }
        }
    }
}

/// Opens the wanted (or the default) device of the first host that has one.
fn open(wanted: Option<&str>, signals: &Sender<Signal>) -> Result<(MixerDeviceSink, String), String> {
    let _quiet = Quiet::new();
    let mut reason = None;
    for id in cpal::available_hosts() {
        let Ok(host) = cpal::host_from_id(id) else { continue };
        let device = match wanted {
            None => host.default_output_device(),
            Some(name) => host
                .output_devices()
                .ok()
                .and_then(|mut devices| devices.find(|device| name_of(device).as_deref() == Some(name))),
        };
        let Some(device) = device else { continue };
        let name = name_of(&device).unwrap_or_else(|| id.to_string());
        match open_device(device, signals) {
            Ok(mut sink) => {
                sink.log_on_drop(false);
                return Ok((sink, name));
            }
            Err(e) => reason = Some(format!("the sound device {name} cannot be opened ({e})")),
        }
    }
    Err(reason.unwrap_or_else(|| match wanted {
        Some(name) => format!("the sound device {name} is not there"),
        None => "this machine has no sound device".to_owned(),
    }))
}

fn open_device(
    device: cpal::Device,
    signals: &Sender<Signal>,
) -> Result<MixerDeviceSink, rodio::DeviceSinkError> {
    let signals = signals.clone();
    let on_error = move |error: cpal::Error| match error.kind() {
        cpal::ErrorKind::DeviceNotAvailable
        | cpal::ErrorKind::HostUnavailable
        | cpal::ErrorKind::StreamInvalidated => {
            tracing::warn!(%error, "the sound device is gone");
            let _ = signals.send(Signal::Lost);
        }
        // Overruns and reroutes mend themselves, and some backends report hundreds a second.
        _ => tracing::trace!(%error, "sound device"),
    };
    let builder = DeviceSinkBuilder::from_device(device)?.with_error_callback(on_error);
    let large = builder.with_buffer_size(cpal::BufferSize::Fixed(BUFFER));
    large.open_sink_or_fallback()
}

fn name_of(device: &cpal::Device) -> Option<String> {
    device.description().ok().map(|d| d.name().to_owned())
}

/// Names of all devices, the default one first.
pub(super) fn names() -> Vec<String> {
    let _quiet = Quiet::new();
    let mut names = Vec::new();
    for host in cpal::available_hosts().into_iter().filter_map(|id| cpal::host_from_id(id).ok()) {
        let first = host.default_output_device();
        let rest = host.output_devices().ok().into_iter().flatten();
        for name in first.into_iter().chain(rest).filter_map(|device| name_of(&device)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// While it lives, libasound does not write to stderr from this thread.
struct Quiet {
    #[cfg(target_os = "linux")]
    _buffer: Option<std::rc::Rc<std::cell::RefCell<alsa::Output>>>,
}

impl Quiet {
    fn new() -> Self {
        Quiet {
            #[cfg(target_os = "linux")]
            _buffer: alsa::Output::local_error_handler().ok(),
        }
    }
}

/// The renderer as a source that never ends. When the device drops it, the renderer goes home, so that the sound
/// in its ring can go on elsewhere.
struct EndlessSource {
    renderer: Option<Renderer>,
    rate: NonZero<u32>,
    home: Sender<Renderer>,
    block: [Frame; BLOCK],
    sample: usize,
}

impl EndlessSource {
    fn new(renderer: Renderer, rate: NonZero<u32>, home: Sender<Renderer>) -> Self {
        EndlessSource { renderer: Some(renderer), rate, home, block: [[0.0; 2]; BLOCK], sample: 2 * BLOCK }
    }
}

impl Iterator for EndlessSource {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.sample >= 2 * BLOCK {
            self.sample = 0;
            if let Some(renderer) = &mut self.renderer {
                renderer.render(&mut self.block);
            }
        }
        let sample = self.block.as_flattened().get(self.sample).copied();
        self.sample += 1;
        sample
    }
}

impl Source for EndlessSource {
    fn current_span_len(&self) -> Option<usize> {
        None
    }
    fn channels(&self) -> NonZero<u16> {
        const STEREO: NonZero<u16> = NonZero::<u16>::MIN.saturating_add(1);
        STEREO
    }
    fn sample_rate(&self) -> NonZero<u32> {
        self.rate
    }
    fn total_duration(&self) -> Option<Duration> {
        None
    }
}

impl Drop for EndlessSource {
    fn drop(&mut self) {
        if let Some(renderer) = self.renderer.take() {
            let _ = self.home.send(renderer);
        }
    }
}
