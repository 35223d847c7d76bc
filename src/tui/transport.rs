//! Actions that the player carries out by itself, whoever asks: a key on a screen, the `:` line, or `segue ctl` where there
//! is no screen at all. Pure: the player's state in, commands and one sentence out.

use super::action::{Action, Bedtime, Treat};
use super::text;
use crate::audio::Equalizer;
use crate::player::{Command, Sleep, Sound, SoundChange, Speed, Status, Transport};

/// Most times that a count repeats "next".
const MOST_TIMES: usize = 1_000;

/// What an action asks of the player.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// To be sent in this order.
    pub commands: Vec<Command>,
    /// What the listener is told; empty where the bar shows it anyway.
    pub said: String,
}

impl Asked {
    fn quietly(command: Command) -> Self {
        Self { commands: vec![command], said: String::new() }
    }
}

/// What `action`, asked for `times` times, means for a player in this state; none for what needs a screen. The error is
/// a sentence.
pub fn of_player(action: &Action, times: usize, now: &Status) -> Option<Result<Asked, String>> {
    if let (Some(name), Action::Treat(_) | Action::ReplayGain(_) | Action::Sleep(_) | Action::Private(_)) =
        (&now.elsewhere, action)
    {
        let name = text::clean(name);
        return Some(Err(format!("The music plays on {name}; that is for what plays on this machine.")));
    }
    let command = match action {
        // With nothing to go on with, a screen plays what is selected.
        Action::Toggle if now.queue.now.is_none() && now.transport == Transport::Stopped => return None,
        Action::Toggle => Command::Toggle,
        Action::Stop => Command::Stop,
        Action::Next => {
            let commands = vec![Command::Next; times.clamp(1, MOST_TIMES)];
            return Some(Ok(Asked { commands, said: String::new() }));
        }
        Action::Previous => Command::Previous,
        Action::SeekBy(ms) => Command::SeekBy(ms.saturating_mul(i64::try_from(times).unwrap_or(1))),
        Action::SeekTo(ms) => Command::SeekTo(*ms),
        Action::VolumeBy(points) => {
            let by = i64::from(*points) * i64::try_from(times.min(100)).unwrap_or(1);
            Command::VolumeBy(i8::try_from(by.clamp(-100, 100)).unwrap_or(0))
        }
        Action::Volume(volume) => Command::SetVolume(*volume),
        Action::Mute => Command::ToggleMute,
        Action::Shuffle(on) => Command::SetShuffle(on.unwrap_or(!now.queue.shuffle)),
        Action::Repeat(repeat) => Command::SetRepeat(repeat.unwrap_or(now.queue.repeat.cycle())),
        Action::ClearUpNext => Command::ClearUpNext,
        Action::ReplayGain(mode) => {
            let said = format!("ReplayGain: {}.", mode.unwrap_or(now.gain_mode).name());
            return Some(Ok(Asked { commands: mode.map(Command::SetGain).into_iter().collect(), said }));
        }
        Action::Treat(wish) => {
            return Some(treat(&now.sound, wish).map(|(change, said)| Asked {
                commands: change.map(Command::Sound).into_iter().collect(),
                said,
            }));
        }
        Action::Private(on) => {
            let on = on.unwrap_or(!now.private);
            let said = if on {
                "A private session: what you hear is not written down, and nobody is told."
            } else {
                "No longer a private session."
            };
            return Some(Ok(Asked { commands: vec![Command::Private(on)], said: said.to_owned() }));
        }
        Action::Sleep(bedtime) => {
            let (sleep, said) = sleep(now.sleep, *bedtime);
            return Some(Ok(Asked { commands: vec![Command::Sleep(sleep)], said }));
        }
        _ => return None,
    };
    Some(Ok(Asked::quietly(command)))
}

/// The sleep timer set, or stepped on from `now`.
fn sleep(now: Option<Sleep>, bedtime: Option<Bedtime>) -> (Option<Sleep>, String) {
    let bedtime = bedtime.unwrap_or_else(|| match now {
        None => Bedtime::Minutes(15),
        Some(Sleep::After { seconds }) => [15, 30, 45, 60, 90]
            .into_iter()
            .find(|minutes| minutes * 60 > seconds)
            .map_or(Bedtime::TrackEnd, Bedtime::Minutes),
        Some(Sleep::TrackEnd) => Bedtime::Off,
    });
    match bedtime {
        Bedtime::Off => (None, "No sleep timer.".to_owned()),
        Bedtime::TrackEnd => (Some(Sleep::TrackEnd), "Falls asleep when this track is over.".to_owned()),
        Bedtime::Minutes(1) => (Some(Sleep::After { seconds: 60 }), "Falls asleep in a minute.".to_owned()),
        Bedtime::Minutes(n) => {
            (Some(Sleep::After { seconds: n.saturating_mul(60) }), format!("Falls asleep in {n} minutes."))
        }
    }
}

type Answer = (Option<SoundChange>, String);

/// The sound treated otherwise, or how it is.
fn treat(now: &Sound, wish: &Treat) -> Result<Answer, String> {
    let masked = |text: String| {
        if now.bit_perfect { format!("{text} It is heard once bit-perfect is off.") } else { text }
    };
    Ok(match wish {
        Treat::Crossfade(wanted) => {
            let said = match wanted.unwrap_or(now.crossfade_s) {
                0 => "No crossfade.".to_owned(),
                seconds => format!("Crossfade: {seconds} s, never inside an album."),
            };
            (wanted.map(SoundChange::Crossfade), masked(said))
        }
        Treat::Speed(wanted) => {
            let read = |text: &String| {
                Speed::read(text).ok_or_else(|| "A speed is a number from 0.5 to 2.".to_owned())
            };
            let wanted = wanted.as_ref().map(read).transpose()?;
            let said = format!("Speed: {}.", wanted.unwrap_or(Speed(now.speed)));
            (wanted.map(|speed| SoundChange::Speed(speed.0)), masked(said))
        }
        Treat::Equalizer(wanted) => {
            let wanted = wanted.as_ref().map(|text| text.parse::<Equalizer>()).transpose();
            let wanted = wanted.map_err(|why| format!("That cannot be done: {why}."))?;
            let said = format!("Equaliser: {}.", wanted.unwrap_or(now.equalizer));
            (wanted.map(SoundChange::Equalizer), masked(said))
        }
        Treat::BitPerfect(wanted) => {
            let on = wanted.unwrap_or(!now.bit_perfect);
            let said = if on {
                "Bit-perfect: nothing touches a sample, and the device follows the file's rate."
            } else {
                "Bit-perfect is off."
            };
            (Some(SoundChange::BitPerfect(on)), said.to_owned())
        }
        Treat::Output(wanted) => {
            let said = match wanted {
                Some(name) => format!("Sound goes to {}.", text::clean(name)),
                None => {
                    format!("Sound goes to {}; `segue devices` lists all.", text::clean(&now.output))
                }
            };
            (wanted.clone().map(SoundChange::Output), said)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Repeat;

    #[test]
    fn a_private_session_begins_and_ends() {
        let asked = |wish, private| {
            let now = Status { private, ..Status::default() };
            of_player(&Action::Private(wish), 1, &now).unwrap().unwrap().commands
        };
        assert_eq!(asked(None, false), [Command::Private(true)]);
        assert_eq!(asked(None, true), [Command::Private(false)]);
        assert_eq!(asked(Some(true), true), [Command::Private(true)]);
    }

    #[test]
    fn what_treats_the_sound_here_is_not_for_a_player_elsewhere() {
        let now = Status { elsewhere: Some("kitchen".to_owned()), ..Status::default() };
        for action in [Action::Treat(Treat::BitPerfect(None)), Action::Private(None), Action::Sleep(None)] {
            let why = of_player(&action, 1, &now).unwrap().unwrap_err();
            assert!(why.contains("plays on kitchen"), "{why}");
        }
        assert!(of_player(&Action::Next, 1, &now).unwrap().is_ok());
    }

    #[test]
    fn only_what_the_player_does_by_itself() {
        let now = Status::default();
        let asked = |action: Action, times| of_player(&action, times, &now);
        assert_eq!(asked(Action::Down, 1), None);
        assert_eq!(asked(Action::Toggle, 1), None, "nothing to go on with");
        assert_eq!(
            asked(Action::Next, 3),
            Some(Ok(Asked { commands: vec![Command::Next; 3], said: String::new() }))
        );
        assert_eq!(asked(Action::VolumeBy(-5), 4), Some(Ok(Asked::quietly(Command::VolumeBy(-20)))));
        assert_eq!(asked(Action::Repeat(None), 1), Some(Ok(Asked::quietly(Command::SetRepeat(Repeat::All)))));
        let speed = Action::Treat(Treat::Speed(Some("9".to_owned())));
        assert_eq!(asked(speed, 1), Some(Err("A speed is a number from 0.5 to 2.".to_owned())));
    }
}
