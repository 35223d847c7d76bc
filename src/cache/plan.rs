//! What to fetch next. Pure: from what is held and where readers stand to the next request.

use super::memory::Memory;
use super::ranges::RangeSet;

/// A reader this near ahead of the running request is served by it; one further on gets its own request.
pub(super) const AHEAD: u64 = 256 * 1024;
/// A held piece shorter than this is read through rather than jumped over with a new request.
const BRIDGE: u64 = 256 * 1024;
/// The end of the file, where containers have what they want to know first.
const TAIL: u64 = 256 * 1024;
/// The least that is fetched of the end.
const TAIL_STEP: u64 = 64 * 1024;

/// One request: from a byte to another (exclusive), or to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) from: u64,
    pub(super) to: Option<u64>,
}

/// What the main request does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MainState {
    Idle,
    /// Asked for, not answered.
    Asking(Job),
    /// Giving the bytes from `from` on.
    Streaming(Job),
    /// Waiting out a pause after a failure.
    Resting,
}

/// What the side request does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SideState {
    Idle,
    Running(Job),
    Resting,
}

/// All that a decision rests on.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) have: &'a RangeSet,
    /// Length of the file, where a server said it.
    pub(super) total: Option<u64>,
    /// Length as the catalog has it.
    pub(super) hint: Option<u64>,
    /// Where the reader that moved last stands.
    pub(super) focus: u64,
    /// Where readers wait for bytes that are not held.
    pub(super) waiting: &'a [u64],
    /// Whether bytes go to the bounded window in memory.
    pub(super) memory: bool,
    /// Whether the server gives parts of files.
    pub(super) parts: bool,
    pub(super) main: MainState,
    pub(super) side: SideState,
}

/// What to do with the main request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// Go on as it is.
    Keep,
    /// Leave the body unread until a reader comes nearer.
    Pause,
    /// Drop it; the next decision starts another one.
    Stop,
    /// Drop it and ask for this.
    Start(Job),
}

/// The decision: about the main request, and a small one to start beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) main: Move,
    pub(super) side: Option<Job>,
}

impl Decision {
    const fn main(main: Move) -> Self {
        Self { main, side: None }
    }
}

/// Decides.
pub(super) fn decide(v: &View<'_>) -> Decision {
    match v.main {
        MainState::Resting => Decision::main(Move::Keep),
        MainState::Idle => Decision::main(v.next().map_or(Move::Keep, Move::Start)),
        MainState::Asking(job) => v.steer(job, true),
        MainState::Streaming(job) => {
            let run = v.have.run_from(job.from);
            let to_the_end = v.total.is_some_and(|t| job.from + run >= t);
            if to_the_end || (v.parts && run >= BRIDGE) {
                return Decision::main(Move::Stop);
            }
            let decision = v.steer(job, false);
            let far = job.from > v.focus + Memory::AHEAD && v.waiting.iter().all(|p| job.from > *p);
            if v.memory && decision.main == Move::Keep && far {
                Decision { main: Move::Pause, ..decision }
            } else {
                decision
            }
        }
    }
}

impl View<'_> {
    /// The request to start when none runs.
    fn next(&self) -> Option<Job> {
        let at = self.waiting.first().copied().unwrap_or(self.focus);
        let end = self.total.unwrap_or(u64::MAX);
        let mut hole = self.have.next_hole(at);
        if self.memory {
            if hole >= end || hole > at + Memory::AHEAD {
                return None;
            }
        } else if hole >= end {
            hole = self.have.next_hole(0);
        }
        if hole >= end {
            return None;
        }
        if !self.parts {
            return Some(Job { from: 0, to: None });
        }
        Some(self.job_at(hole))
    }

    /// From a byte that is not held to the next long piece that is.
    fn job_at(&self, from: u64) -> Job {
        let mut at = from;
        let to = loop {
            let Some(held) = self.have.next_held(at) else { break None };
            if self.total.is_some_and(|t| held.end >= t) || held.end - held.start >= BRIDGE {
                break Some(held.start);
            }
            at = held.end;
        };
        Job { from, to }
    }

    /// Looks whether the running request serves those who wait, and helps those whom it does not.
    fn steer(&self, job: Job, asking: bool) -> Decision {
        let by_main = |p: u64| {
            p >= job.from
                && job.to.is_none_or(|to| p < to)
                && (!self.parts || p < job.from.saturating_add(AHEAD))
        };
        let by_side = |p: u64| matches!(self.side, SideState::Running(s) if p >= s.from && s.to.is_none_or(|to| p < to));
        let Some(lost) = self.waiting.iter().copied().find(|p| !by_main(*p) && !by_side(*p)) else {
            return Decision::main(Move::Keep);
        };
        // The first answer says how long the file is and whether it comes in parts.
        if asking && self.total.is_none() {
            return Decision::main(Move::Keep);
        }
        if !self.parts {
            let restart = lost < job.from;
            return Decision::main(if restart { Move::Start(Job { from: 0, to: None }) } else { Move::Keep });
        }
        let end = self.total.or(self.hint);
        let tail = end.is_some_and(|end| lost < end && end - lost <= TAIL);
        let main_in_use = self.waiting.iter().any(|p| by_main(*p));
        if tail || main_in_use {
            let side = (self.side == SideState::Idle).then(|| self.side_job(lost, end.filter(|_| tail)));
            return Decision { main: Move::Keep, side };
        }
        Decision::main(Move::Start(self.job_at(lost)))
    }

    fn side_job(&self, at: u64, tail_end: Option<u64>) -> Job {
        let (start, end) = match tail_end {
            Some(end) => (at.min(end.saturating_sub(TAIL_STEP)), end),
            None => (at, self.total.map_or(at + AHEAD, |t| t.min(at + AHEAD))),
        };
        let hole = self.have.holes(start..end).into_iter().find(|h| h.contains(&at)).unwrap_or(at..end);
        Job { from: hole.start, to: Some(hole.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * 1024;

    fn view<'a>(have: &'a RangeSet, waiting: &'a [u64], main: MainState) -> View<'a> {
        View {
            have,
            total: Some(10 * MIB),
            hint: None,
            focus: 0,
            waiting,
            memory: false,
            parts: true,
            main,
            side: SideState::Idle,
        }
    }

    fn open_end(from: u64) -> Job {
        Job { from, to: None }
    }

    #[test]
    fn starts_at_the_reader_then_fills_holes() {
        let none = RangeSet::new();
        assert_eq!(decide(&view(&none, &[0], MainState::Idle)).main, Move::Start(open_end(0)));
        let end: RangeSet = std::iter::once(4 * MIB..10 * MIB).collect();
        let mut v = view(&end, &[], MainState::Idle);
        v.focus = 9 * MIB;
        assert_eq!(decide(&v).main, Move::Start(Job { from: 0, to: Some(4 * MIB) }));
        let all: RangeSet = std::iter::once(0..10 * MIB).collect();
        assert_eq!(decide(&view(&all, &[], MainState::Idle)).main, Move::Keep);
    }

    #[test]
    fn reads_through_short_pieces_and_jumps_over_long_ones() {
        let have: RangeSet = [100 * KIB..200 * KIB, 2 * MIB..3 * MIB].into_iter().collect();
        assert_eq!(
            decide(&view(&have, &[0], MainState::Idle)).main,
            Move::Start(Job { from: 0, to: Some(2 * MIB) })
        );
        let stream = |from| MainState::Streaming(open_end(from));
        assert_eq!(decide(&view(&have, &[], stream(100 * KIB))).main, Move::Keep);
        assert_eq!(decide(&view(&have, &[], stream(2 * MIB))).main, Move::Stop);
    }

    #[test]
    fn a_far_seek_redirects_and_a_near_one_does_not() {
        let have: RangeSet = std::iter::once(0..MIB).collect();
        let stream = MainState::Streaming(open_end(MIB));
        assert_eq!(decide(&view(&have, &[MIB + 255 * KIB], stream)).main, Move::Keep);
        assert_eq!(decide(&view(&have, &[5 * MIB], stream)).main, Move::Start(open_end(5 * MIB)));
        let back = MainState::Streaming(open_end(8 * MIB));
        assert_eq!(decide(&view(&have, &[5 * MIB], back)).main, Move::Start(open_end(5 * MIB)));
    }

    #[test]
    fn the_end_of_the_file_is_a_request_of_its_own() {
        let have: RangeSet = std::iter::once(0..MIB).collect();
        let stream = MainState::Streaming(open_end(MIB));
        let waiting = [10 * MIB - 10];
        let decision = decide(&view(&have, &waiting, stream));
        assert_eq!(decision.main, Move::Keep);
        let side = Job { from: 10 * MIB - 64 * KIB, to: Some(10 * MIB) };
        assert_eq!(decision.side, Some(side));
        let mut v = view(&have, &waiting, stream);
        v.side = SideState::Running(side);
        assert_eq!(decide(&v), Decision::main(Move::Keep));
    }

    #[test]
    fn two_readers_do_not_pull_the_stream_to_and_fro() {
        let have: RangeSet = std::iter::once(0..MIB).collect();
        let stream = MainState::Streaming(open_end(MIB));
        let decision = decide(&view(&have, &[MIB, 5 * MIB], stream));
        assert_eq!(decision.main, Move::Keep);
        assert_eq!(decision.side, Some(Job { from: 5 * MIB, to: Some(5 * MIB + AHEAD) }));
    }

    #[test]
    fn without_parts_everything_comes_from_the_start() {
        let have: RangeSet = std::iter::once(0..MIB).collect();
        let mut v = view(&have, &[5 * MIB], MainState::Idle);
        v.parts = false;
        assert_eq!(decide(&v).main, Move::Start(open_end(0)));
        v.main = MainState::Streaming(open_end(2 * MIB));
        assert_eq!(decide(&v), Decision::main(Move::Keep));
        v.waiting = &[MIB];
        assert_eq!(decide(&v).main, Move::Start(open_end(0)));
    }

    #[test]
    fn memory_is_filled_only_so_far_ahead() {
        let have: RangeSet = std::iter::once(0..5 * MIB).collect();
        let mut v = view(&have, &[], MainState::Streaming(open_end(5 * MIB)));
        v.memory = true;
        assert_eq!(decide(&v).main, Move::Pause);
        v.focus = 2 * MIB;
        assert_eq!(decide(&v).main, Move::Keep);
        v.main = MainState::Idle;
        v.focus = 0;
        assert_eq!(decide(&v).main, Move::Keep);
    }
}
