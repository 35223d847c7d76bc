//! What is looked at of scrobbling. With it off nobody is asked anything.

use super::super::config::Settings;
use super::super::paths::Paths;
use super::super::scrobble::{self, Standing};
use super::Finding;

const AREA: &str = "scrobbling";

pub(super) async fn check(settings: &Settings, paths: &Paths) -> Vec<Finding> {
    if settings.scrobble.0.is_empty() {
        return vec![Finding::good(AREA, "Off: neither ListenBrainz nor Last.fm is told anything.")];
    }
    let mut found = Vec::new();
    for standing in scrobble::standings(settings, paths).await {
        if standing.on {
            found.push(finding(&standing));
            let host = scrobble::address(settings, standing.service);
            if host.starts_with("http://") && !scrobble::is_here(host) {
                found.push(Finding::note(
                    AREA,
                    format!("{} is told over http, which others on the way can read.", standing.service),
                    "Give its https address, if it has one.",
                ));
            }
        }
    }
    found
}

fn finding(standing: &Standing) -> Finding {
    let (service, word) = (standing.service, standing.service.word());
    let waits = match standing.waiting {
        0 => "nothing waits".to_owned(),
        1 => "1 play waits".to_owned(),
        n => format!("{n} plays wait"),
    };
    match &standing.login {
        Ok(user) => Finding::good(AREA, format!("{service} takes the login of {user}; {waits}.")),
        Err(ill) if ill.wrong => Finding::wrong(AREA, format!("{}; {waits}.", ill.why), ""),
        Err(ill) => Finding::note(
            AREA,
            format!("{}; {waits}.", ill.why),
            format!("What waits is sent when it answers. See that `{word}_url` is right."),
        ),
    }
}
