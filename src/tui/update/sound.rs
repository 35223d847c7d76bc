//! Wishes about the sound: what is asked of the player, and what the listener is told.

use super::notify;
use crate::audio::Equalizer;
use crate::player::{Command, SoundChange, Speed};
use crate::tui::action::Treat;
use crate::tui::effects::Effect;
use crate::tui::state::{App, Weight};
use crate::tui::text;

/// Carries a wish out, or says how it is.
pub(super) fn treat(app: &mut App, wish: &Treat, effects: &mut Vec<Effect>) {
    match change(app, wish) {
        Ok((change, said)) => {
            notify(app, effects, Weight::Done, said);
            effects.extend(change.map(|change| Effect::Player(Command::Sound(change))));
        }
        Err(why) => notify(app, effects, Weight::Trouble, why),
    }
}

type Answer = (Option<SoundChange>, String);

fn change(app: &App, wish: &Treat) -> Result<Answer, String> {
    let now = &app.player.sound;
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
