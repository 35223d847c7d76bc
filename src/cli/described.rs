//! Every setting with its value and where that comes from, for the page that shows them.

use super::config::{KEYS, Settings};
use super::paths::Paths;
use crate::tui::Setting;

/// All settings, in the order of the manual.
pub(super) fn settings(settings: &Settings, paths: &Paths) -> Vec<Setting> {
    let file = std::fs::read_to_string(paths.config.join("config.toml")).unwrap_or_default();
    let file: toml::Table = toml::from_str(&file).unwrap_or_default();
    let plain = Settings::default();
    let described = KEYS.iter().map(|key| {
        let value = settings.value(key.name);
        let from = if std::env::var_os(key.env).is_some_and(|value| !value.is_empty()) {
            key.env
        } else if file.contains_key(key.name) {
            "config.toml"
        } else if value == plain.value(key.name) {
            "default"
        } else {
            "command line"
        };
        Setting {
            name: key.name.to_owned(),
            value: if key.name == "profiles" { settings.profile_names().join(", ") } else { written(&value) },
            from: from.to_owned(),
            about: key.help.trim().to_owned(),
            env: key.env.to_owned(),
        }
    });
    described.collect()
}

/// A value as a listener writes it.
fn written(value: &str) -> String {
    let inside = value.strip_prefix("Some(").and_then(|v| v.strip_suffix(')')).unwrap_or(value);
    match inside.trim_matches('"') {
        "None" | "" => "not set".to_owned(),
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        other => other.chars().next().filter(char::is_ascii_uppercase).map_or_else(
            || other.to_owned(),
            // Names of choices are words in lower case.
            |_| if other.contains(['/', ' ', ':']) { other.to_owned() } else { other.to_lowercase() },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_they_are_written() {
        for (value, text) in [
            ("None", "not set"),
            ("Some(\"https://Music.example.org\")", "https://Music.example.org"),
            ("20.0", "20.0"),
            ("Original", "original"),
            ("Some(\"/srv/Music\")", "/srv/Music"),
            ("true", "yes"),
            ("\"vim\"", "vim"),
        ] {
            assert_eq!(written(value), text);
        }
    }
}
