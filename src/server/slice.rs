//! Parts of files as WAV files of their own, made while they are sent.
//!
//! A track that a cue sheet cuts out of a file has a length that is known before a sample of it is decoded: frames times bytes,
//! and a head. So any range of it is arithmetic: go to the frame, decode, cut. Where the file was coded without loss
//! the samples are its own, and adjacent tracks join as the file does. Of lossy files the same range must be the same bytes
//! each time, though what they decode to depends a little on where decoding began; so it begins at fixed places.
//!
//! [`Cutter`] gives the bytes a step at a time and holds a decoder and one step. Decoding blocks: the server takes each step
//! on a thread that may, and between two steps nothing runs, however slow the listener is.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;

use super::scan::fenced;
use super::storage::Source;
use crate::audio::{Cause, DecodeError, Media, Samples};
use crate::catalog::Slice;

/// Bytes of sound in a step, about.
const STEP: u64 = 128 * 1024;
/// Of lossy files decoding begins anew after so many seconds, wherever a request begins.
const ANCHOR: u64 = 60;
/// Raised when the bytes that are made of the same file change.
pub(crate) const VERSION: u32 = 1;

/// Bytes of a frame.
fn align(slice: &Slice) -> u64 {
    u64::from(slice.channels) * u64::from(slice.bits / 8)
}

/// Bytes of the sound alone.
fn sound(slice: &Slice) -> u64 {
    slice.end.saturating_sub(slice.first) * align(slice)
}

/// Bytes of a part as a WAV file.
pub(crate) fn size(slice: &Slice) -> u64 {
    let sound = sound(slice);
    head_length(slice) + sound + sound % 2
}

/// Whether a WAV file can hold a part: its lengths are of 32 bits.
pub(crate) fn fits(slice: &Slice) -> bool {
    u32::try_from(size(slice)).is_ok() && slice.channels > 0 && slice.rate > 0 && slice.end > slice.first
}

fn head_length(slice: &Slice) -> u64 {
    if slice.channels > 2 { 68 } else { 44 }
}

/// What stands before the sound.
fn head(slice: &Slice) -> Vec<u8> {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    let wide = slice.channels > 2;
    let mut head = Vec::with_capacity(68);
    head.extend(b"RIFF");
    head.extend(small(size(slice) - 8).to_le_bytes());
    head.extend(b"WAVEfmt ");
    head.extend((if wide { 40_u32 } else { 16 }).to_le_bytes());
    head.extend((if wide { 0xfffe_u16 } else { 1 }).to_le_bytes());
    head.extend(short(slice.channels).to_le_bytes());
    head.extend(slice.rate.to_le_bytes());
    head.extend(small(u64::from(slice.rate) * align(slice)).to_le_bytes());
    head.extend(short(small(align(slice))).to_le_bytes());
    head.extend(short(slice.bits).to_le_bytes());
    if wide {
        // More than two channels need to be named: in the order that FLAC and WAV share.
        let mask: u32 = match slice.channels {
            3 => 0x7,
            4 => 0x33,
            5 => 0x37,
            6 => 0x3f,
            7 => 0x70f,
            8 => 0x63f,
            _ => 0,
        };
        head.extend(22_u16.to_le_bytes());
        head.extend(short(slice.bits).to_le_bytes());
        head.extend(mask.to_le_bytes());
        head.extend(b"\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    }
    head.extend(b"data");
    head.extend(small(sound(slice)).to_le_bytes());
    head
}

/// The bytes of a part from one place to another, a step at a time.
#[derive(Debug)]
pub(crate) struct Cutter {
    source: Source,
    slice: Slice,
    /// The next byte, and the one behind the last.
    at: u64,
    end: u64,
    samples: Option<Samples>,
    /// The stretch between two fixed places in which `samples` reads.
    section: u64,
    /// Samples that were decoded and not sent yet, and the frame that they begin with.
    ready: Vec<f32>,
    ready_at: u64,
    ended: bool,
}

impl Cutter {
    /// The bytes from `at` up to and without `end` of the part of a file. Nothing is opened yet.
    pub(crate) fn new(source: Source, slice: Slice, at: u64, end: u64) -> Self {
        Self {
            source,
            slice,
            at,
            end: end.min(size(&slice)),
            samples: None,
            section: 0,
            ready: Vec::new(),
            ready_at: 0,
            ended: false,
        }
    }

    /// The next bytes; none at the end. Blocks.
    pub(crate) fn step(&mut self) -> io::Result<Option<Bytes>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let before = head_length(&self.slice);
        let made = if self.at < before {
            self.part(head(&self.slice), 0)
        } else if self.at < before + sound(&self.slice) {
            // A decoder that fails in an unforeseen way fails this answer alone.
            let decoded = fenced(|| Ok(self.sound(self.at - before)));
            let (bytes, from) = decoded.map_err(io::Error::other)??;
            self.part(bytes, before + from)
        } else {
            Bytes::from_static(&[0])
        };
        self.at += made.len() as u64;
        Ok(Some(made))
    }

    /// What is wanted of bytes that begin at a place.
    fn part(&self, bytes: Vec<u8>, from: u64) -> Bytes {
        let index = |at: u64| usize::try_from(at.saturating_sub(from)).unwrap_or(usize::MAX).min(bytes.len());
        let (first, last) = (index(self.at), index(self.end));
        Bytes::from(bytes).slice(first..last)
    }

    /// Whole frames of sound around a byte of it, with the byte that they begin with.
    fn sound(&mut self, byte: u64) -> io::Result<(Vec<u8>, u64)> {
        let align = align(&self.slice).max(1);
        let skipped = byte / align;
        let first = self.slice.first + skipped;
        let wanted = self.end.saturating_sub(head_length(&self.slice)).div_ceil(align);
        let mut last = (first + (STEP / align).max(1)).min(self.slice.first + wanted).min(self.slice.end);
        self.go_to(first)?;
        if let Some(border) = self.border() {
            last = last.min(border);
        }
        let frames = self.frames(first, last)?;
        let mut bytes = Vec::with_capacity(frames.len() * 3);
        for sample in frames {
            if self.slice.bits == 24 {
                bytes.extend_from_slice(&whole(sample, 8_388_608.0).to_le_bytes()[..3]);
            } else {
                bytes.extend_from_slice(&whole(sample, 32_768.0).to_le_bytes()[..2]);
            }
        }
        Ok((bytes, skipped * align))
    }

    /// Frames between two fixed places.
    fn section_length(&self) -> u64 {
        ANCHOR * u64::from(self.slice.rate.max(1))
    }

    /// Makes the decoder ready to give a frame.
    fn go_to(&mut self, frame: u64) -> io::Result<()> {
        let section = (frame - self.slice.first) / self.section_length();
        if let Some(samples) = &self.samples
            && (samples.lossless() || section == self.section)
        {
            return Ok(());
        }
        let suffix = self.source.path().extension().unwrap_or_default().to_string_lossy().into_owned();
        let mut samples = Samples::open(Box::new(self.source.open()?), &suffix).map_err(error)?;
        let place =
            if samples.lossless() { frame } else { self.slice.first + section * self.section_length() };
        if place > 0 {
            samples.seek(place).map_err(error)?;
        }
        self.samples = Some(samples);
        self.section = section;
        self.ready.clear();
        (self.ready_at, self.ended) = (place, false);
        Ok(())
    }

    /// Where decoding begins anew.
    fn border(&self) -> Option<u64> {
        let lossy = self.samples.as_ref().is_some_and(|samples| !samples.lossless());
        lossy.then(|| self.slice.first + (self.section + 1) * self.section_length())
    }

    /// The samples of some frames. What the file lacks is silent.
    fn frames(&mut self, first: u64, last: u64) -> io::Result<Vec<f32>> {
        let channels = self.slice.channels as usize;
        let count = |frames: u64| usize::try_from(frames).unwrap_or(usize::MAX).saturating_mul(channels);
        let mut out = vec![0.0; count(last.saturating_sub(first))];
        loop {
            let ready_end = self.ready_at + (self.ready.len() / channels.max(1)) as u64;
            let (from, to) = (first.max(self.ready_at), last.min(ready_end));
            if from < to {
                let source = self.ready.get(count(from - self.ready_at)..count(to - self.ready_at));
                let target = out.get_mut(count(from - first)..count(to - first));
                if let (Some(source), Some(target)) = (source, target) {
                    target.copy_from_slice(source);
                }
            }
            if ready_end >= last || self.ended {
                let done = count(last.saturating_sub(self.ready_at)).min(self.ready.len());
                self.ready.drain(..done);
                self.ready_at = last.min(ready_end).max(self.ready_at);
                return Ok(out);
            }
            self.decode(ready_end)?;
        }
    }

    /// Puts the next decoded samples in the place of those that are used up.
    fn decode(&mut self, expected: u64) -> io::Result<()> {
        self.ready.clear();
        self.ready_at = expected;
        let Some(samples) = &mut self.samples else { return Err(io::ErrorKind::NotFound.into()) };
        let stretch = match samples.read(&mut self.ready).map_err(error)? {
            Some(stretch) if stretch.rate == self.slice.rate => stretch,
            Some(_) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "its sample rate changes on the way"));
            }
            None => {
                self.ended = true;
                return Ok(());
            }
        };
        let wanted = self.slice.channels as usize;
        if stretch.channels != wanted {
            // A stream whose channels change: what it has goes where it belongs, the rest repeats the last of them.
            let old = std::mem::take(&mut self.ready);
            for frame in old.chunks_exact(stretch.channels.max(1)) {
                let last = frame.last().copied().unwrap_or(0.0);
                self.ready.extend((0..wanted).map(|at| frame.get(at).copied().unwrap_or(last)));
            }
        }
        self.ready_at = stretch.first;
        Ok(())
    }
}

/// A sample as a whole number; what a decoder gives beyond full scale is cut.
fn whole(sample: f32, scale: f32) -> i32 {
    (sample * scale).round().clamp(-scale, scale - 1.0) as i32
}

/// Bytes that cannot be had may be there later; what is damaged stays so.
fn error(error: DecodeError) -> io::Error {
    match error.cause {
        Cause::Unreadable => io::Error::other(error.reason),
        Cause::Unplayable | Cause::Unsupported => io::Error::new(io::ErrorKind::InvalidData, error.reason),
    }
}

/// A part of a file for who reads it as a file of its own.
#[derive(Debug)]
pub(crate) struct SliceFile {
    source: Source,
    slice: Slice,
    at: u64,
    cutter: Option<Cutter>,
    step: Bytes,
}

impl SliceFile {
    /// The part; an error where its file cannot be opened.
    pub(crate) fn open(source: Source, slice: Slice) -> io::Result<Self> {
        source.open()?;
        Ok(Self { source, slice, at: 0, cutter: None, step: Bytes::new() })
    }
}

impl Read for SliceFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.step.is_empty() {
            let (source, slice, at) = (&self.source, self.slice, self.at);
            let cutter =
                self.cutter.get_or_insert_with(|| Cutter::new(source.clone(), slice, at, size(&slice)));
            self.step = match cutter.step() {
                Ok(step) => step.unwrap_or_default(),
                // A file that is damaged here ends here.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::debug!(file = %self.source.path().display(), %error, "this part of a file cannot be decoded");
                    Bytes::new()
                }
                Err(error) => return Err(error),
            };
        }
        let count = self.step.len().min(buffer.len());
        let part = self.step.split_to(count);
        if let Some(target) = buffer.get_mut(..count) {
            target.copy_from_slice(&part);
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for SliceFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |base: u64, by: i64| base.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput);
        let at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => from(self.at, by)?,
            SeekFrom::End(by) => from(size(&self.slice), by)?,
        };
        if at != self.at {
            (self.at, self.cutter, self.step) = (at, None, Bytes::new());
        }
        Ok(at)
    }
}

impl Media for SliceFile {
    fn byte_len(&self) -> Option<u64> {
        Some(size(&self.slice))
    }

    fn seekable(&self) -> bool {
        true
    }

    fn whole(&self) -> bool {
        true
    }
}
