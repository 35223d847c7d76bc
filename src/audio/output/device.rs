//! A sound device, opened through cpal with a callback of our own. Nothing here prints: stream errors are counted or
//! lead to the device being opened again, and libasound's own complaints on stderr are caught while devices are opened.
//!
//! ```text
//! open (wanted rate, else its own) ─▶ playing ─▶ lost | does not ask any more | another default ─▶ open again
//!        └ fails: silence with the reason, another attempt every 3 s
//! ```

use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig};

use super::callback::Callback;
use super::{Bench, Output, OutputInfo, Signal, silent};

/// Frames in the device's buffer: about 90 ms, which a busy machine of two cores survives without a drop-out.
const BUFFER: u32 = 4096;
/// While no device is there, one is looked for this often.
const RETRY: Duration = Duration::from_secs(3);
/// A lost device may need a moment before it can be opened again.
const SETTLE: Duration = Duration::from_millis(250);
/// How often it is looked at whether the device still asks for sound.
const WATCH: Duration = Duration::from_secs(2);
/// So many looks in a row without a question: it sleeps or hangs, as after the machine was suspended.
const MISSED: u32 = 2;
/// Every so many looks it is asked whether the system's default is another device by now.
const DEFAULT_EVERY: u32 = 3;
/// Starting a stream may take this long.
const OPENING: Duration = Duration::from_secs(5);
/// The device's thread lets go of the renderer within this time.
const HOMECOMING: Duration = Duration::from_secs(1);

/// Runs until it is told to close or to go elsewhere.
pub(super) fn run(
    bench: &mut Bench,
    wanted: Option<&str>,
    signals: &Sender<Signal>,
    inbox: &Receiver<Signal>,
) -> Option<Output> {
    loop {
        let signal = match find(wanted) {
            Ok((device, name)) => match play(bench, &device, &name, signals, inbox, wanted.is_none()) {
                Ok(signal) => signal,
                Err(reason) => silence(bench, wanted, reason, inbox)?,
            },
            Err(reason) => silence(bench, wanted, reason, inbox)?,
        };
        match signal {
            Signal::Close => return None,
            Signal::Switch(output) => return Some(output),
            Signal::Rate(rate) => bench.wanted_rate = rate,
            Signal::Lost => {
                std::thread::sleep(SETTLE);
                while let Ok(signal) = inbox.try_recv() {
                    match signal {
                        Signal::Close => return None,
                        Signal::Switch(output) => return Some(output),
                        Signal::Rate(rate) => bench.wanted_rate = rate,
                        Signal::Lost => {}
                    }
                }
            }
        }
    }
}

/// Lets time pass until the next attempt; `None` when told to close.
fn silence(
    bench: &mut Bench,
    wanted: Option<&str>,
    reason: String,
    inbox: &Receiver<Signal>,
) -> Option<Signal> {
    let rate = bench.renderer.as_ref().map_or(silent::RATE, |(_, rate)| *rate);
    let info = OutputInfo {
        name: wanted.unwrap_or("none").to_owned(),
        sample_rate: rate,
        silent_because: Some(reason),
    };
    let mut renderer = bench.renderer(info.clone());
    let signal = silent::pass(&mut renderer, rate, inbox, Some(RETRY));
    bench.renderer = Some((renderer, rate));
    if let Some(Signal::Rate(_)) = signal {
        bench.stays(info);
    }
    match signal {
        Some(Signal::Close) => None,
        other => Some(other.unwrap_or(Signal::Lost)),
    }
}

/// Plays on a device until something happens. The error says why it could not be opened.
fn play(
    bench: &mut Bench,
    device: &cpal::Device,
    name: &str,
    signals: &Sender<Signal>,
    inbox: &Receiver<Signal>,
    follow_default: bool,
) -> Result<Signal, String> {
    let (config, format) = choose(device, bench.wanted_rate).map_err(|e| explain(name, &e))?;
    let info = OutputInfo { name: name.to_owned(), sample_rate: config.sample_rate, silent_because: None };
    let (home, returned) = mpsc::channel();
    let opened = open(device, config, format, signals, |channels| {
        // After an attempt that failed the renderer has come home.
        let renderer = returned.try_recv().unwrap_or_else(|_| bench.renderer(info.clone()));
        Callback::new(renderer, channels, home.clone())
    });
    let signal = opened.map(|stream| {
        let signal = watch(bench, inbox, name, follow_default);
        drop(stream);
        signal
    });
    bench.renderer = returned.recv_timeout(HOMECOMING).ok().map(|r| (r, config.sample_rate));
    signal.map_err(|e| explain(name, &e))
}

/// Waits for something to happen while the device plays.
fn watch(bench: &Bench, inbox: &Receiver<Signal>, name: &str, follow_default: bool) -> Signal {
    let (mut beats, mut missed, mut looks) = (0, 0, 0);
    loop {
        match inbox.recv_timeout(WATCH) {
            Ok(signal) => return signal,
            Err(RecvTimeoutError::Disconnected) => return Signal::Close,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = bench.link.beats.load(Ordering::Relaxed);
        missed = if now == beats { missed + 1 } else { 0 };
        beats = now;
        if missed >= MISSED {
            tracing::warn!(device = name, "the sound device takes no sound any more; it is opened again");
            return Signal::Lost;
        }
        looks += 1;
        if follow_default && looks % DEFAULT_EVERY == 0 && find(None).is_ok_and(|(_, now)| now != name) {
            tracing::info!(from = name, "the system's default sound device is another one now");
            return Signal::Lost;
        }
    }
}

/// The wanted (or the default) device of the first host that has one, and its name.
fn find(wanted: Option<&str>) -> Result<(cpal::Device, String), String> {
    let _quiet = Quiet::new();
    for id in cpal::available_hosts() {
        let Ok(host) = cpal::host_from_id(id) else { continue };
        let device = match wanted {
            None => host.default_output_device(),
            Some(name) => host
                .output_devices()
                .ok()
                .and_then(|mut devices| devices.find(|device| name_of(device).as_deref() == Some(name))),
        };
        let Some(device) = device.filter(|device| device.default_output_config().is_ok()) else { continue };
        let name = name_of(&device).unwrap_or_else(|| id.to_string());
        return Ok((device, name));
    }
    Err(match wanted {
        Some(name) => {
            format!("the sound device {name} is not there; it is looked for again every few seconds")
        }
        None => "this machine has no sound device".to_owned(),
    })
}

/// The device's own configuration, or the same at another rate where it has that.
fn choose(device: &cpal::Device, rate: Option<u32>) -> Result<(StreamConfig, SampleFormat), cpal::Error> {
    let _quiet = Quiet::new();
    let own = device.default_output_config()?;
    let other = rate.filter(|rate| *rate != own.sample_rate()).and_then(|rate| {
        let ranges = device.supported_output_configs().ok()?;
        ranges
            .filter(|range| range.contains_rate(rate) && fidelity(range.sample_format()) > 0)
            .max_by_key(|range| (range.channels() == own.channels(), fidelity(range.sample_format())))
            .and_then(|range| range.try_with_sample_rate(rate))
    });
    let chosen = other.unwrap_or(own);
    Ok((chosen.config(), chosen.sample_format()))
}

/// How much of a sample a format keeps; 0 for what is not written here.
fn fidelity(format: SampleFormat) -> u8 {
    match format {
        SampleFormat::F32 | SampleFormat::I32 | SampleFormat::F64 => 3,
        SampleFormat::I16 => 2,
        SampleFormat::U16 => 1,
        _ => 0,
    }
}

/// Opens a device with a buffer of our length, or of its own where it does not have that.
fn open(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    signals: &Sender<Signal>,
    mut callback: impl FnMut(u16) -> Callback,
) -> Result<cpal::Stream, cpal::Error> {
    let _quiet = Quiet::new();
    let mut refused = None;
    for buffer_size in [BufferSize::Fixed(BUFFER), BufferSize::Default] {
        let config = StreamConfig { buffer_size, ..config };
        let callback = callback(config.channels);
        let stream = match format {
            SampleFormat::F32 => build::<f32>(device, config, callback, signals),
            SampleFormat::F64 => build::<f64>(device, config, callback, signals),
            SampleFormat::I32 => build::<i32>(device, config, callback, signals),
            SampleFormat::I16 => build::<i16>(device, config, callback, signals),
            SampleFormat::U16 => build::<u16>(device, config, callback, signals),
            _ => Err(cpal::Error::from(ErrorKind::UnsupportedConfig)),
        };
        match stream.and_then(|stream| stream.play().map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(e) => refused = Some(e),
        }
    }
    Err(refused.unwrap_or_else(|| cpal::Error::from(ErrorKind::UnsupportedConfig)))
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut callback: Callback,
    signals: &Sender<Signal>,
) -> Result<cpal::Stream, cpal::Error> {
    let signals = signals.clone();
    let on_error = move |error: cpal::Error| match error.kind() {
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated => {
            tracing::warn!(%error, "the sound device is gone");
            let _ = signals.send(Signal::Lost);
        }
        // Overruns and reroutes mend themselves, and some backends report hundreds a second.
        _ => tracing::trace!(%error, "sound device"),
    };
    device.build_output_stream(config, move |out: &mut [T], _| callback.fill(out), on_error, Some(OPENING))
}

/// Why a device cannot be opened, with what to do.
fn explain(name: &str, error: &cpal::Error) -> String {
    match error.kind() {
        ErrorKind::DeviceBusy => format!(
            "another program holds the sound device {name} for itself alone; end that program, or choose another device with :output"
        ),
        ErrorKind::PermissionDenied => format!(
            "this account may not use the sound device {name}; on Linux it has to be in the group “audio”"
        ),
        ErrorKind::HostUnavailable => "the system's sound service is not running; start it".to_owned(),
        ErrorKind::DeviceNotAvailable => format!("the sound device {name} is not there any more"),
        ErrorKind::UnsupportedConfig => {
            format!("the sound device {name} takes no format that can be given; choose another with :output")
        }
        _ => format!("the sound device {name} cannot be opened ({error})"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_cannot_be_had_is_explained_with_what_to_do() {
        let said = |kind| explain("Speakers", &cpal::Error::from(kind));
        assert!(said(ErrorKind::DeviceBusy).contains("holds the sound device Speakers for itself alone"));
        assert!(said(ErrorKind::PermissionDenied).contains("group “audio”"));
        assert!(said(ErrorKind::HostUnavailable).contains("start it"));
        assert!(said(ErrorKind::UnsupportedConfig).contains(":output"));
    }
}
