//! One thread for each item: it decodes ahead into a small bounded queue and may block in a read for as long as
//! the network likes. Nobody ever waits for it: a dropped [`Worker`] cancels its thread, which ends at its next
//! breath, and a seek interrupts the read where the media can do that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TryRecvError};

use super::decode::{Decoder, Failure};
use super::media::{Gauge, Interrupt, Media, Shared};
use super::{Format, Frame};

/// Name of the threads that decode. A panic there is caught and becomes [`super::AudioEvent::Failed`], so a panic hook
/// may stay quiet on them.
pub const DECODE_THREAD: &str = "segue-decode";

/// Reports that may wait; with [`CHUNK`] about 0.2 to 0.8 s of sound.
const QUEUE: usize = 8;
/// Frames that make a chunk worth sending; a packet is never split.
const CHUNK: usize = 1024;
/// Threads that may hang in reads of dropped items before new ones are refused.
const MAX_THREADS: usize = 64;

/// Called when there is something to fetch from a worker.
pub(super) type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a worker has to say. `generation` is the seek that a report belongs to.
pub(super) enum Report {
    Opened(Format),
    /// Decoding goes on from here.
    Sought {
        generation: u64,
        position_ms: u64,
    },
    Frames {
        generation: u64,
        rate: u32,
        frames: Vec<Frame>,
    },
    End {
        generation: u64,
    },
    Failed {
        generation: u64,
        failure: Failure,
    },
}

struct Seek {
    generation: u64,
    at_ms: u64,
}

/// The control thread's end of a decode thread.
pub(super) struct Worker {
    reports: Receiver<Report>,
    /// A report that a seek must not lose.
    opened: Option<Format>,
    seeks: Sender<Seek>,
    gauge: Arc<Gauge>,
    interrupt: Option<Interrupt>,
    gain: Arc<AtomicU32>,
}

impl Worker {
    /// Starts decoding at `at_ms`. `gain` is a factor.
    pub(super) fn spawn(
        media: Box<dyn Media>,
        suffix: &str,
        gain: f32,
        at_ms: u64,
        wake: Wake,
        threads: &Arc<AtomicUsize>,
    ) -> Result<Self, Failure> {
        let interrupt = media.interrupt();
        let media = Shared::new(media);
        let gauge = Arc::clone(media.gauge());
        let (report, reports) = mpsc::sync_channel(QUEUE);
        let (seeks, orders) = mpsc::channel();
        let running = Running::enter(threads)
            .ok_or_else(|| Failure::unplayable("too many files hang in reading; wait a moment"))?;
        let gain = Arc::new(AtomicU32::new(gain.to_bits()));
        let mut job = Job {
            decoder: None,
            announced: false,
            media,
            suffix: suffix.to_owned(),
            gain: Arc::clone(&gain),
            generation: 0,
            goal: (at_ms > 0).then_some(at_ms),
            orders,
            report,
            wake,
        };
        std::thread::Builder::new()
            .name(DECODE_THREAD.to_owned())
            .spawn(move || {
                let _running = running;
                job.run();
            })
            .map_err(|e| Failure::unplayable(format!("no thread could be started for decoding ({e})")))?;
        Ok(Worker { reports, opened: None, seeks, gauge, interrupt, gain })
    }

    /// The next report, if one is there; `Err` when the thread has ended for good.
    pub(super) fn fetch(&mut self) -> Result<Option<Report>, ()> {
        if let Some(format) = self.opened.take() {
            return Ok(Some(Report::Opened(format)));
        }
        match self.reports.try_recv() {
            Ok(report) => Ok(Some(report)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(()),
        }
    }

    /// Sets the factor for what is decoded from now on; `false` when it was that already. To be followed by a seek,
    /// since what waits in the queue has the old one.
    pub(super) fn set_gain(&self, gain: f32) -> bool {
        self.gain.swap(gain.to_bits(), Ordering::Relaxed) != gain.to_bits()
    }

    /// Asks for frames from `at_ms` on, in reports marked `generation`.
    pub(super) fn seek(&mut self, generation: u64, at_ms: u64) {
        // Make room first, so that a thread that waits to deliver what is stale sees the order; what comes after
        // the order may be what it asks for.
        while let Ok(report) = self.reports.try_recv() {
            if let Report::Opened(format) = report {
                self.opened = Some(format);
            }
        }
        self.gauge.ask(generation);
        let _ = self.seeks.send(Seek { generation, at_ms });
        self.nudge();
    }

    /// Ends a read that keeps the thread from seeing an order; to be repeated, since a read may begin just after.
    pub(super) fn nudge(&self) {
        if self.gauge.stale()
            && self.gauge.blocked_ms() > 0
            && let Some(interrupt) = &self.interrupt
        {
            self.gauge.interrupting();
            interrupt();
        }
    }

    /// Milliseconds for which the thread has been waiting for bytes.
    pub(super) fn blocked_ms(&self) -> u64 {
        self.gauge.blocked_ms()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.gauge.cancel();
        if let Some(interrupt) = &self.interrupt {
            interrupt();
        }
    }
}

struct Running(Arc<AtomicUsize>);

impl Running {
    fn enter(threads: &Arc<AtomicUsize>) -> Option<Self> {
        if threads.fetch_add(1, Ordering::Relaxed) < MAX_THREADS {
            return Some(Running(Arc::clone(threads)));
        }
        threads.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The receiver is gone: the item was dropped.
struct Dropped;

enum Step {
    Frames(u32),
    End,
}

struct Job {
    decoder: Option<Decoder>,
    announced: bool,
    media: Shared,
    suffix: String,
    /// Bits of the factor that samples are multiplied with.
    gain: Arc<AtomicU32>,
    generation: u64,
    goal: Option<u64>,
    orders: Receiver<Seek>,
    report: SyncSender<Report>,
    wake: Wake,
}

impl Job {
    fn run(&mut self) {
        let mut idle = false;
        while self.take_orders(&mut idle).is_ok() {
            if !idle && self.work(&mut idle).is_err() {
                return;
            }
        }
    }

    /// The newest order wins. With nothing left to do, waits for one.
    fn take_orders(&mut self, idle: &mut bool) -> Result<(), Dropped> {
        let mut order = if *idle { Some(self.orders.recv().map_err(|_| Dropped)?) } else { None };
        loop {
            match self.orders.try_recv() {
                Ok(newer) => order = Some(newer),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(Dropped),
            }
        }
        if let Some(Seek { generation, at_ms }) = order {
            self.media.gauge().take(generation);
            self.generation = generation;
            self.goal = Some(at_ms);
            *idle = false;
        }
        Ok(())
    }

    /// Delivers one chunk, or the end of it all.
    fn work(&mut self, idle: &mut bool) -> Result<(), Dropped> {
        let mut frames = Vec::with_capacity(2 * CHUNK);
        let mut rate = 0;
        let outcome = loop {
            let before = frames.len();
            match catch_unwind(AssertUnwindSafe(|| self.step(&mut frames))) {
                Ok(Ok(Step::Frames(step_rate))) if rate == 0 || step_rate == rate => {
                    rate = step_rate;
                    if frames.len() >= CHUNK {
                        break Ok(None);
                    }
                }
                Ok(Ok(Step::Frames(step_rate))) => {
                    // The file changes its rate in the middle: two chunks.
                    let rest = frames.split_off(before);
                    self.deliver(rate, frames)?;
                    rate = step_rate;
                    frames = rest;
                    break Ok(None);
                }
                Ok(Ok(Step::End)) => break Ok(Some(())),
                Ok(Err(failure)) => break Err(failure),
                Err(_panic) => {
                    frames.truncate(before);
                    break Err(Failure::unplayable(
                        "the file is damaged in a way that the decoder cannot handle",
                    ));
                }
            }
            if self.media.gauge().stale() {
                return Ok(());
            }
        };
        if !frames.is_empty() {
            self.deliver(rate, frames)?;
        }
        match outcome {
            Ok(None) => Ok(()),
            Ok(Some(())) => {
                *idle = true;
                self.tell(Report::End { generation: self.generation })
            }
            Err(failure) => {
                self.decoder = None;
                // A read that was interrupted for a seek is no failure: the order is on its way.
                if self.media.gauge().stale() {
                    return Ok(());
                }
                *idle = true;
                self.tell(Report::Failed { generation: self.generation, failure })
            }
        }
    }

    fn step(&mut self, frames: &mut Vec<Frame>) -> Result<Step, Failure> {
        let mut decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => self.open()?,
        };
        let step = self.step_with(&mut decoder, frames);
        self.decoder = Some(decoder);
        step
    }

    fn open(&mut self) -> Result<Decoder, Failure> {
        let opened = Decoder::open(&self.media, &self.suffix)?;
        if !self.announced {
            self.announced = true;
            let _ = self.report.send(Report::Opened(opened.format().clone()));
            (self.wake)();
        }
        Ok(opened)
    }

    fn step_with(&mut self, decoder: &mut Decoder, frames: &mut Vec<Frame>) -> Result<Step, Failure> {
        if let Some(at_ms) = self.goal.take() {
            let position_ms = match decoder.seek(at_ms) {
                Ok(position_ms) => position_ms,
                Err(failure) => {
                    self.goal = Some(at_ms);
                    return Err(failure);
                }
            };
            let _ = self.report.send(Report::Sought { generation: self.generation, position_ms });
        }
        Ok(decoder.decode(frames)?.map_or(Step::End, Step::Frames))
    }

    fn deliver(&self, rate: u32, mut frames: Vec<Frame>) -> Result<(), Dropped> {
        let gain = f32::from_bits(self.gain.load(Ordering::Relaxed));
        if (gain - 1.0).abs() > f32::EPSILON {
            for frame in &mut frames {
                frame[0] *= gain;
                frame[1] *= gain;
            }
        }
        self.tell(Report::Frames { generation: self.generation, rate, frames })
    }

    fn tell(&self, report: Report) -> Result<(), Dropped> {
        self.report.send(report).map_err(|_| Dropped)?;
        (self.wake)();
        Ok(())
    }
}
