//! What is looked at on this machine: configuration, folders, clock, terminal, sound, keyring, store.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use super::super::config::Settings;
use super::super::paths::Paths;
use super::super::{keyring, rig};
use super::Finding;
use crate::audio::{AudioEvent, Engine, Output};
use crate::player::Sound;
use crate::tui::ColorDepth;

/// The smallest screen that everything fits on.
const LEAST_SIZE: (u16, u16) = (60, 16);
/// Longest wait for a sound device.
const SOUND: Duration = Duration::from_secs(5);
/// Free bytes on a disk below which streaming will fail soon.
const LITTLE: u64 = 100 << 20;
/// Free bytes below which it is worth a word.
const SCARCE: u64 = 1 << 30;
/// No machine that runs this has lived before: 2025-01-01, Unix seconds.
const LONG_AGO: i64 = 1_735_689_600;

pub(super) fn configuration(paths: &Paths, mistakes: &[String]) -> Vec<Finding> {
    let file = paths.config_file();
    if !mistakes.is_empty() {
        let advice = "Until it is mended, the default is used in its place.";
        return mistakes.iter().map(|m| Finding::wrong("configuration", m.clone(), advice)).collect();
    }
    let what = if file.exists() {
        format!("{} is in order.", file.display())
    } else {
        format!("There is no {}, and none is needed.", file.display())
    };
    vec![Finding::good("configuration", what)]
}

/// A home that the machine names and does not have.
fn no_home() -> Option<Finding> {
    let home = std::path::PathBuf::from(std::env::var_os("HOME").filter(|home| !home.is_empty())?);
    (!home.is_dir()).then(|| {
        Finding::wrong(
            "folders",
            format!("There is no home folder: HOME is {}, which is none.", home.display()),
            "Set HOME to a folder that can be written to.",
        )
    })
}

pub(super) fn folders(paths: &Paths) -> Vec<Finding> {
    let folders = [
        (&paths.config, "configuration", "XDG_CONFIG_HOME"),
        (&paths.data, "catalogs and playlists", "XDG_DATA_HOME"),
        (&paths.cache, "streamed music", "XDG_CACHE_HOME"),
        (&paths.state, "the log", "XDG_STATE_HOME"),
    ];
    let mut found: Vec<Finding> = no_home().into_iter().collect();
    for (folder, what, variable) in folders {
        if let Err(e) = writable(folder) {
            found.push(Finding::wrong(
                "folders",
                format!("{} ({what}) cannot be written to: {e}.", folder.display()),
                format!("Make it writable, or set {variable} to a folder that is."),
            ));
        }
    }
    if found.is_empty() {
        found.push(Finding::good("folders", "Configuration, data, cache and log can be written."));
    }
    found.extend(space(&paths.cache));
    found
}

fn writable(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = folder.join(format!(".segue-doctor-{}", std::process::id()));
    std::fs::write(&file, b"can this be written?")?;
    std::fs::remove_file(&file)
}

/// How much room there is for what is streamed.
#[cfg(unix)]
fn space(folder: &Path) -> Option<Finding> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let megabytes = free / 1_000_000;
    Some(if free < LITTLE {
        Finding::wrong(
            "disk",
            format!("Only {megabytes} MB are free where streamed music is kept."),
            "Make room, or run `segue cache clear`.",
        )
    } else if free < SCARCE {
        Finding::note(
            "disk",
            format!("{megabytes} MB are free where streamed music is kept."),
            "Set cache_gb to less than that, or make room.",
        )
    } else {
        Finding::good("disk", format!("{} GB are free where streamed music is kept.", megabytes / 1000))
    })
}

#[cfg(not(unix))]
fn space(_: &Path) -> Option<Finding> {
    None
}

pub(super) fn clock() -> Vec<Finding> {
    let now = jiff::Timestamp::now();
    if now.as_second() < LONG_AGO {
        let advice = "Set the clock: certificates and the times of plays depend on it.";
        return vec![Finding::wrong("clock", format!("This machine believes that it is {now:.0}."), advice)];
    }
    Vec::new()
}

pub(super) fn terminal(settings: &Settings) -> Vec<Finding> {
    const AREA: &str = "terminal";
    let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let mut found = Vec::new();
    let term = var("TERM").unwrap_or_default();
    if !std::io::stdout().is_terminal() {
        found.push(Finding::note(
            AREA,
            "This is no terminal, so its size and colours are unknown.",
            "Run `segue doctor` in the terminal itself.",
        ));
    } else if term.is_empty() || term == "dumb" {
        found.push(Finding::wrong(
            AREA,
            format!("The terminal says that it can do nothing (TERM={term})."),
            "Set TERM to what it is, for instance xterm-256color; `segue play` and `segue ctl` work without.",
        ));
    } else {
        let (width, height) = crossterm::terminal::size().unwrap_or_default();
        let (least_width, least_height) = LEAST_SIZE;
        found.push(if width < least_width || height < least_height {
            Finding::wrong(
                AREA,
                format!("The window has {width} × {height} characters."),
                format!("Make it at least {least_width} × {least_height}."),
            )
        } else {
            Finding::good(AREA, format!("{term}, {width} × {height} characters."))
        });
    }
    match ColorDepth::choose(&settings.colors, var) {
        ColorDepth::True => found.push(Finding::good(AREA, "All colours.")),
        ColorDepth::Mono => {
            found.push(Finding::note(AREA, "No colours (NO_COLOR, TERM or `colors`).", ""));
        }
        fewer => found.push(Finding::note(
            AREA,
            format!("{} colours.", if fewer == ColorDepth::Ansi256 { 256 } else { 16 }),
            "If the terminal has more, set COLORTERM=truecolor or colors = \"truecolor\".",
        )),
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(var).unwrap_or_default();
    let unicode = locale.to_lowercase().replace('-', "").contains("utf8");
    if !unicode && !settings.ascii && cfg!(unix) {
        found.push(Finding::note(
            AREA,
            format!("The locale is “{locale}”, which does not promise Unicode."),
            "Set LANG to a locale that ends in UTF-8, or use --ascii.",
        ));
    }
    found
}

pub(super) fn sound(wanted: &str) -> Vec<Finding> {
    const AREA: &str = "sound";
    let devices = Output::devices();
    let mut found = vec![if devices.is_empty() {
        Finding::wrong(
            AREA,
            "No sound device was found.",
            "Start PulseAudio or PipeWire, or add your account to the group `audio`; --output silent plays without.",
        )
    } else {
        Finding::good(AREA, format!("Devices: {}.", devices.join(", ")))
    }];
    if devices.is_empty() && wanted == "default" {
        return found;
    }
    let (engine, events) =
        Engine::start(Sound { output: wanted.to_owned(), ..Sound::default() }.engine_output());
    let began = std::time::Instant::now();
    let info = loop {
        match events.recv_timeout(SOUND.saturating_sub(began.elapsed())) {
            Ok(AudioEvent::OutputChanged { info }) => break Some(info),
            Ok(_) => {}
            Err(_) => break None,
        }
    };
    drop(engine);
    found.push(match info {
        Some(info) if info.silent_because.is_none() => {
            Finding::good(AREA, format!("“{}” opens at {} Hz.", info.name, info.sample_rate))
        }
        Some(info) => Finding::wrong(
            AREA,
            info.silent_because.unwrap_or_default(),
            "`segue devices` lists what --output takes.",
        ),
        None => Finding::wrong(
            AREA,
            format!("“{wanted}” does not answer."),
            "Another program may hold it; `segue devices` lists others.",
        ),
    });
    found
}

pub(super) fn keyring() -> Vec<Finding> {
    vec![match keyring::available() {
        Ok(()) => Finding::good("keyring", "The system has a keyring for passwords."),
        Err(why) => Finding::note(
            "keyring",
            format!("There is no keyring: {why}."),
            "`segue login --file` keeps passwords in a file that only you can read; password_command works too.",
        ),
    }]
}

pub(super) fn store(settings: &Settings, paths: &Paths) -> Vec<Finding> {
    const AREA: &str = "store";
    vec![match rig::store_of(settings, paths) {
        Ok(store) => {
            let usage = store.usage();
            let what = format!(
                "{} tracks, {} MB of {} MB.",
                usage.tracks_whole,
                usage.bytes / 1_000_000,
                (usage.limit + usage.pinned) / 1_000_000
            );
            Finding::good(AREA, format!("{what} `segue cache verify` reads all of it back."))
        }
        Err(e) => Finding::wrong(AREA, format!("{e}."), "Make its folder writable, or set XDG_CACHE_HOME."),
    }]
}
