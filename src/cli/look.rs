//! How the screens look and which keys they know: the part of the configuration that may be changed while they are
//! up. Read at the start, and again whenever a file in the folder changes.
//!
//! ```text
//! config.toml, keys.toml, themes/*.toml ─▶ read ─▶ tui::Fresh ─▶ screens
//! ```

use std::path::Path;

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::config::Settings;
use super::described;
use super::paths::Paths;
use crate::tui::Fresh;
use crate::tui::keymap::Keymap;
use crate::tui::theme::Theme;

/// Reads keys and themes as these settings want them.
pub(super) fn read(settings: &Settings, paths: &Paths) -> Fresh {
    let mut mistakes = Vec::new();
    let file = paths.config.join("keys.toml");
    let name = file.display().to_string();
    let own = match std::fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => {
            mistakes.push(format!("{name} cannot be read: {e}."));
            None
        }
    };
    let (keymap, told) = Keymap::assemble(&settings.keymap, own.as_deref().map(|text| (name.as_str(), text)));
    mistakes.extend(told);
    let own_themes = themes(&paths.config.join("themes"), &mut mistakes);
    let known = Theme::all(&own_themes);
    let theme = if settings.theme.is_empty() || known.iter().any(|(name, _)| *name == settings.theme) {
        settings.theme.clone()
    } else {
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        mistakes.push(format!("There is no theme “{}”; there are {}.", settings.theme, names.join(", ")));
        String::new()
    };
    Fresh {
        keymap,
        theme,
        own_themes,
        ascii: settings.ascii,
        still: settings.reduced_motion,
        settings: described::settings(settings, paths),
        mistakes,
    }
}

fn themes(folder: &Path, mistakes: &mut Vec<String>) -> Vec<(String, String)> {
    let mut themes = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let (Some(name), Some("toml")) =
            (path.file_stem().and_then(|n| n.to_str()), path.extension().and_then(|e| e.to_str()))
        else {
            continue;
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                if let Some(mistake) = Theme::mistake(&text) {
                    mistakes.push(format!("{}: {mistake}", path.display()));
                }
                themes.push((name.to_owned(), text));
            }
            Err(e) => mistakes.push(format!("{} cannot be read: {e}.", path.display())),
        }
    }
    themes.sort();
    themes
}

/// What was changed, as often as it is; ends when the watcher is dropped. `started` has what the command line says,
/// which stays in force.
pub(super) fn watch(
    started: &Settings,
    paths: &Paths,
) -> (mpsc::UnboundedReceiver<Fresh>, Option<notify::RecommendedWatcher>) {
    let (tell, fresh) = mpsc::unbounded_channel();
    let (started, paths) = (started.clone(), paths.clone());
    let folder = paths.config.clone();
    // A folder that is not there cannot be watched; an empty one is where the listener may put files.
    let _ = std::fs::create_dir_all(&folder);
    let mut last = stamp(&folder);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // An editor writes, renames and touches; what counts is whether the files differ.
        if event.is_ok_and(|event| event.kind.is_access()) {
            return;
        }
        let now = stamp(&paths.config);
        if now == last {
            return;
        }
        last = now;
        let file = paths.config.join("config.toml");
        let (mut settings, mut mistakes) = Settings::load(&file, |name| std::env::var_os(name));
        settings.ascii |= started.ascii;
        settings.reduced_motion |= started.reduced_motion;
        settings.plain |= started.plain;
        let mut fresh = read(&settings, &paths);
        mistakes.append(&mut fresh.mistakes);
        // The screens may have ended.
        let _ = tell.send(Fresh { mistakes, ..fresh });
    });
    let watcher = watcher.and_then(|mut watcher| {
        watcher.watch(&folder, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    (fresh, watcher.inspect_err(|error| tracing::info!(%error, "configuration is not watched")).ok())
}

/// The files with their texts.
fn stamp(folder: &Path) -> Vec<(std::path::PathBuf, String)> {
    let files = walkdir::WalkDir::new(folder).max_depth(2).sort_by_file_name().into_iter().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|e| e == "toml"))
        .map(|file| (file.path().to_owned(), std::fs::read_to_string(file.path()).unwrap_or_default()))
        .collect()
}
