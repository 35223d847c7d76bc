//! Goes to a place in a file: by the demuxer, or where the bytes come over a network by ways that ask for few of them.

use std::io::{Cursor, Read, Seek, SeekFrom};

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_VORBIS,
};
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::io::{MediaSource, ReadOnlySource};
use symphonia::core::packet::Packet;
use symphonia::core::units::Timestamp;

use super::open::{Kind, reader};
use super::{Decoder, Failure};
use crate::audio::{Cause, flac, mp3};

impl Decoder {
    /// Goes to `at_ms` as exactly as the format allows; returns the position of the next frame in milliseconds.
    ///
    /// A file that cannot be sought is read on up to the place if it lies ahead, else nothing changes and the
    /// answer tells where decoding stands.
    pub(in crate::audio) fn seek(&mut self, at_ms: u64) -> Result<u64, Failure> {
        let rate = u64::from(self.format.sample_rate);
        let stands = self.seek_frame(at_ms.saturating_mul(rate) / 1000)?;
        Ok(stands.map_or(at_ms, |frame| frame * 1000 / rate.max(1)))
    }

    /// Goes to a frame; the same but for the answer, which is the frame where decoding stands if it is another one.
    pub(in crate::audio) fn seek_frame(&mut self, frame: u64) -> Result<Option<u64>, Failure> {
        let target = self.window.skip.saturating_add(frame);
        let target = self.window.end.map_or(target, |end| target.min(end));
        self.bad_packets = 0;
        self.ahead.clear();
        match self.jump_far(target) {
            Some(Ok(next)) => {
                self.keep_from = target;
                self.next = next;
                return Ok(None);
            }
            Some(Err(failure)) => return Err(failure),
            None => {}
        }
        if self.linear && self.media.seekable() {
            *self =
                Self::open_as(&self.media.clone(), &self.suffix.clone(), false, Kind::sniff(&self.media)?)?;
        }
        if self.media.seekable() && self.jump(target) {
            self.keep_from = target;
            self.next = None;
            return Ok(None);
        }
        if let Some(reason) = self.media.read_failure() {
            return Err(Failure { reason, cause: Cause::Unreadable });
        }
        if self.media.seekable() {
            // The demuxer could not find the place and stands nobody knows where: begin anew and decode up to it.
            *self =
                Self::open_as(&self.media.clone(), &self.suffix.clone(), true, Kind::sniff(&self.media)?)?;
        }
        self.keep_from = target.max(self.next.unwrap_or(0)).max(self.window.skip);
        Ok(Some(self.keep_from - self.window.skip))
    }

    /// Moves the demuxer to a packet at or before `target`, with the run-up that the codec needs to be exact.
    fn jump(&mut self, target: u64) -> bool {
        let run_up = match self.codec {
            CODEC_ID_OPUS => 3840,
            CODEC_ID_MP3 | CODEC_ID_AAC => 2304,
            CODEC_ID_VORBIS => 8192,
            _ => 0,
        };
        let from = target.saturating_sub(run_up);
        let Some(ts) = self.ts_at(from) else { return false };
        // Without a table an exact seek in an MP3 reads every frame header up to the place, which is right only
        // when the bytes are at hand.
        let mode = if self.codec == CODEC_ID_MP3 && !self.media.whole() {
            SeekMode::Coarse
        } else {
            SeekMode::Accurate
        };
        let sought = self.reader.seek(mode, SeekTo::Timestamp { ts, track_id: self.track });
        self.packets.reset();
        sought.is_ok()
    }

    /// To a place in a file that is not all here, without what a demuxer would read for it. Gives the frame that comes
    /// next where its packet does not tell; `None` where the demuxer may try.
    fn jump_far(&mut self, target: u64) -> Option<Result<Option<u64>, Failure>> {
        if !self.media.seekable() || self.media.whole() {
            return None;
        }
        if ![CODEC_ID_FLAC, CODEC_ID_MP3].contains(&self.codec) {
            return None;
        }
        self.media.clear_failure();
        let mut tap = self.media.tap(true);
        let length = tap.byte_len()?;
        // From here on the demuxer does not stand where it believes to.
        self.linear = true;
        let place = match self.codec {
            CODEC_ID_FLAC => flac::find(&mut tap, length, target).map(|place| (place.head, place.byte, None)),
            CODEC_ID_MP3 => mp3::find(&mut tap, length, target + self.delay).and_then(|place| {
                Some((Vec::new(), place.byte, Some(place.sample.checked_sub(self.delay)?)))
            }),
            _ => None,
        };
        let Some((head, byte, next)) = place else {
            let reason = self.media.read_failure()?;
            return Some(Err(Failure { reason, cause: Cause::Unreadable }));
        };
        tap.seek(SeekFrom::Start(byte)).ok()?;
        let rest = ReadOnlySource::new(Cursor::new(head).chain(tap));
        self.reader = reader(Box::new(rest), &self.suffix).ok()?;
        self.packets.reset();
        Some(Ok(next))
    }

    fn ts_at(&self, frame: u64) -> Option<Timestamp> {
        let frame = i128::from(frame);
        let ticks = match self.time_base {
            Some(base) => {
                let per_tick = i128::from(base.numer.get()) * i128::from(self.format.sample_rate);
                frame * i128::from(base.denom.get()) / per_tick.max(1)
            }
            None => frame,
        };
        Some(Timestamp::new(i64::try_from(ticks).ok()?.checked_add(self.first_ts)?))
    }

    /// The decoded frame that a packet begins with, by its timestamp.
    pub(super) fn frame_at(&self, packet: &Packet) -> u64 {
        let ticks =
            i128::from(packet.pts.get()) - i128::from(self.first_ts) + i128::from(packet.trim_start.get());
        let frame = match self.time_base {
            Some(base) => {
                let scaled = ticks * i128::from(base.numer.get()) * i128::from(self.format.sample_rate);
                scaled / i128::from(base.denom.get())
            }
            None => ticks,
        };
        u64::try_from(frame).unwrap_or(0)
    }
}
