//! What is looked at on the server that is listened to.

use std::path::Path;

use super::super::config::Settings;
use super::super::credentials;
use super::super::paths::Paths;
use super::Finding;
use crate::subsonic::{Client, ClientError};

const AREA: &str = "server";
/// A difference of clocks from which times of plays look wrong, ms.
const SKEW: i64 = 120_000;
/// What makes a server better to listen to, with what is missed without it.
const WISHED: &[(&str, &str)] = &[
    ("formPost", "requests carry the login in their address, where proxies log it"),
    ("songLyrics", "there are no synchronised lyrics"),
    ("transcodeOffset", "seeking in a transcode that is still being made waits"),
    ("indexBasedQueue", "a queue with the same track twice comes back at the first one"),
];

pub(super) async fn check(settings: &Settings, paths: &Paths) -> Vec<Finding> {
    let Some(url) = &settings.server else {
        return vec![inside(settings.music.as_deref().or(paths.music.as_deref()))];
    };
    let credentials = match credentials::find(settings, paths, url) {
        Ok(credentials) => credentials,
        Err(e) => return vec![Finding::wrong(AREA, format!("{url}: {e}."), "")],
    };
    let client = match Client::new(url, credentials) {
        Ok(client) => client,
        Err(e) => return vec![Finding::wrong(AREA, e.to_string(), "Mend the address.")],
    };
    let info = match client.ping().await {
        Ok(info) => info,
        Err(e) => return vec![Finding::wrong(AREA, format!("{e}"), advice(&e))],
    };
    let name = match (info.kind, info.server_version) {
        (Some(kind), Some(version)) => format!("{kind} {version}"),
        (Some(kind), None) => kind,
        _ => "a Subsonic server".to_owned(),
    };
    let mut found = vec![Finding::good(AREA, format!("{}: {name}, API {}.", client.host(), info.version))];
    if let Some(ahead) = client.clock_ahead_ms().filter(|ahead| ahead.abs() > SKEW) {
        let (minutes, which) = (ahead.abs() / 60_000, if ahead > 0 { "behind" } else { "ahead of" });
        found.push(Finding::wrong(
            "clock",
            format!("This machine's clock is {minutes} minutes {which} the server's."),
            "Set whichever is wrong; plays would be counted at the wrong time, and certificates may be refused.",
        ));
    }
    if !info.open_subsonic {
        found.push(Finding::note(
            AREA,
            "It does not know OpenSubsonic.",
            "It works; a newer version of it may know more (lyrics, several artists, ReplayGain).",
        ));
        return found;
    }
    match client.extensions().await {
        Ok(offered) => {
            let has = |name: &str| offered.iter().any(|extension| extension.name == name);
            let missing: Vec<_> = WISHED.iter().filter(|(name, _)| !has(name)).collect();
            found.extend(
                missing
                    .iter()
                    .map(|(name, missed)| Finding::note(AREA, format!("Without {name}, {missed}."), "")),
            );
            if missing.is_empty() {
                found.push(Finding::good(AREA, "It has all extensions that Segue uses."));
            }
        }
        Err(e) => found.push(Finding::note(AREA, format!("Its extensions are unknown: {e}"), "")),
    }
    found
}

/// The server in this process.
fn inside(music: Option<&Path>) -> Finding {
    match music {
        Some(folder) if folder.is_dir() => {
            Finding::good(AREA, format!("The one inside, over {}.", folder.display()))
        }
        Some(folder) => Finding::wrong(
            AREA,
            format!("{} is not a folder.", folder.display()),
            "Set `music` to the folder with your music, or start with --music DIR.",
        ),
        None => Finding::note(
            AREA,
            "The one inside, over the demo album only.",
            "Start with --music DIR, put music into ~/Music, or name a server with --server URL.",
        ),
    }
}

fn advice(error: &ClientError) -> &'static str {
    match error {
        ClientError::Tls { .. } => "Mend its certificate, or the clock of this machine.",
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => {
            "See that it runs, that the address and port are right, and that no firewall is between. What is kept here plays meanwhile."
        }
        ClientError::NotSubsonic { .. } => {
            "The address may be that of another program, or a login page of this network is in between."
        }
        _ => "",
    }
}
