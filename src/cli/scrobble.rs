//! Scrobbling as the listener sets it up: `segue scrobble`, and where tokens and session keys come from.
//!
//! A secret comes from the environment (`SEGUE_LISTENBRAINZ_TOKEN`, `SEGUE_LASTFM_SECRET` with `SEGUE_LASTFM_SESSION`), else from the
//! file or the keyring into which `login` put it. It is never in the configuration and never in a log.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::args::{Scrobble, ScrobbleAccount};
use super::config::Settings;
use super::credentials::{Kept, entry_name, variable};
use super::login::{self, ask_password};
use super::paths::Paths;
use super::{CliError, keyring, rig};
use crate::catalog::Listener;
use crate::client::{Connection, Session};
use crate::music::{ScrobbleService, printable};
use crate::scrobble::{
    Account, LastFm, LastFmKeys, LastFmSession, ListenBrainz, Login, Pace, Scrobbler, Trouble,
};

/// How often it is looked whether the listener has allowed it.
const LOOK: Duration = Duration::from_secs(2);
/// Times that it is looked: Last.fm forgets a token after an hour.
const LOOKS: u32 = 1_800;

/// Everything that is kept of an account at Last.fm.
#[derive(Serialize, Deserialize)]
struct KeptLastFm {
    key: String,
    secret: String,
    user: String,
    session: String,
}

/// Where a service is.
pub(super) fn address(settings: &Settings, service: ScrobbleService) -> &str {
    match service {
        ScrobbleService::ListenBrainz => &settings.listenbrainz_url,
        ScrobbleService::LastFm => &settings.lastfm_url,
    }
}

/// Whether an address is one of this machine.
pub(super) fn is_here(address: &str) -> bool {
    let host = reqwest::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// The secret that `login` kept; asks the keyring, which may take its time.
fn kept(settings: &Settings, paths: &Paths, service: ScrobbleService) -> Option<String> {
    let (server, user) = (address(settings, service), service.word());
    Kept::new(paths).password(server, user).or_else(|| keyring::get(&entry_name(server, user)))
}

/// The account at a service; the error is a sentence that says what is missing.
fn account(settings: &Settings, paths: &Paths, service: ScrobbleService) -> Result<Account, String> {
    let word = service.word();
    let missing =
        || format!("{service} cannot be told what you hear: run `segue scrobble {word} login` once");
    let account = match service {
        ScrobbleService::ListenBrainz => {
            let token = variable("SEGUE_LISTENBRAINZ_TOKEN").or_else(|| kept(settings, paths, service));
            let token = token.ok_or_else(missing)?;
            ListenBrainz::new(&settings.listenbrainz_url, &token).map(Account::ListenBrainz)
        }
        ScrobbleService::LastFm => {
            let from_environment = || {
                Some(KeptLastFm {
                    session: variable("SEGUE_LASTFM_SESSION")?,
                    secret: variable("SEGUE_LASTFM_SECRET")?,
                    key: settings.lastfm_api_key.clone()?,
                    user: String::new(),
                })
            };
            let from_login = || serde_json::from_str(&kept(settings, paths, service)?).ok();
            let known: KeptLastFm = from_environment().or_else(from_login).ok_or_else(missing)?;
            let KeptLastFm { key, secret, user, session } = known;
            let keys = LastFmKeys { url: settings.lastfm_url.clone(), key, secret };
            LastFm::new(keys, Some(LastFmSession { user, key: session })).map(Account::LastFm)
        }
    };
    account.map_err(|why| format!("{service} cannot be told what you hear: {why}; mend `{word}_url`"))
}

/// Begins to tell whom the settings name; none where they name nobody.
pub(super) fn start(
    settings: &Settings,
    paths: &Paths,
    listener: &Listener,
    session: &Arc<Session>,
) -> Option<Scrobbler> {
    let services = settings.scrobble.0.clone();
    if services.is_empty() {
        return None;
    }
    let (settings, paths) = (settings.clone(), paths.clone());
    let login: Login = Arc::new(move |service| account(&settings, &paths, service));
    let (scrobbler, mut told) = Scrobbler::start(listener, services, &login, Pace::default());
    let (session, mut status) = (Arc::downgrade(session), session.status());
    tokio::spawn(async move {
        while let Some(sentence) = told.recv().await {
            // A connection that comes about takes away what was told before.
            let settled = status.wait_for(|status| status.connection != Connection::Connecting).await.is_ok();
            let Some(session) = session.upgrade().filter(|_| settled) else { return };
            session.tell(sentence);
        }
    });
    Some(scrobbler)
}

/// Why a service is not told.
pub(super) struct Ill {
    /// Whether the listener must do something about it.
    pub(super) wrong: bool,
    /// A sentence, without its full stop.
    pub(super) why: String,
}

/// How it stands with one service.
pub(super) struct Standing {
    pub(super) service: ScrobbleService,
    /// Whether it is told at all.
    pub(super) on: bool,
    /// Name of the account, if the login is taken. It is not tried where the service is not told.
    pub(super) login: Result<String, Ill>,
    /// Plays that wait.
    pub(super) waiting: u64,
    /// Plays that are over.
    pub(super) sent: u64,
}

/// How it stands with each service.
pub(super) async fn standings(settings: &Settings, paths: &Paths) -> Vec<Standing> {
    let listener = rig::listener_of(settings, paths).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what waits is not known");
        None
    });
    let mut all = Vec::new();
    for service in ScrobbleService::ALL {
        let on = settings.scrobble.0.contains(&service);
        let login = if on { try_login(settings, paths, service).await } else { Ok(String::new()) };
        let count = match &listener {
            Some(listener) => listener.scrobble_count(service).await.unwrap_or_default(),
            None => crate::catalog::ScrobbleCount::default(),
        };
        all.push(Standing { service, on, login, waiting: count.waiting, sent: count.done });
    }
    all
}

async fn try_login(settings: &Settings, paths: &Paths, service: ScrobbleService) -> Result<String, Ill> {
    let wrong = |why: String| Ill { wrong: true, why };
    let (settings, paths) = (settings.clone(), paths.clone());
    let found = tokio::task::spawn_blocking(move || account(&settings, &paths, service)).await;
    let account = found.map_err(|error| wrong(error.to_string()))?.map_err(wrong)?;
    account.check().await.map_err(|trouble| match trouble {
        Trouble::Login(why) => wrong(format!(
            "{service} refused the login ({why}): run `segue scrobble {} login`",
            service.word()
        )),
        other => Ill { wrong: false, why: format!("{service} cannot be asked: {other}") },
    })
}

/// `segue scrobble`.
pub(super) async fn run(settings: &Settings, paths: &Paths, action: Scrobble) -> Result<ExitCode, CliError> {
    let (service, action) = match action {
        Scrobble::Status { json } => return status(settings, paths, json).await,
        Scrobble::Listenbrainz { action } => (ScrobbleService::ListenBrainz, action),
        Scrobble::Lastfm { action } => (ScrobbleService::LastFm, action),
    };
    let entry = (address(settings, service), service.word());
    let store = Kept::new(paths);
    let ScrobbleAccount::Login { file } = action else {
        let known = login::forget(&store, entry)?;
        println!("{}", if known { "Forgotten." } else { "Nothing was kept for that account." });
        return Ok(ExitCode::SUCCESS);
    };
    let (user, secret) = match service {
        ScrobbleService::ListenBrainz => allowed_by_token(settings).await?,
        ScrobbleService::LastFm => allowed_on_a_page(settings).await?,
    };
    println!("{service} takes the login of {}.", printable(&user));
    let done = login::keep(&store, entry, &secret, file)?;
    if done == ExitCode::SUCCESS && !settings.scrobble.0.contains(&service) {
        println!(
            "It is told nothing yet: add {} to `scrobble` in {}, or to SEGUE_SCROBBLE.",
            service.word(),
            paths.config_file().display()
        );
    }
    Ok(done)
}

fn wrong(service: ScrobbleService, trouble: impl std::fmt::Display) -> CliError {
    CliError::Wrong(format!("{service} did not take the login: {trouble}; nothing is kept"))
}

/// Asks for a user token, and tries it.
async fn allowed_by_token(settings: &Settings) -> Result<(String, String), CliError> {
    let service = ScrobbleService::ListenBrainz;
    let asked = "User token of ListenBrainz (https://listenbrainz.org/settings/): ";
    let token = ask_password(asked)?.trim().to_owned();
    if token.is_empty() {
        return Err(CliError::Wrong("no token was given; nothing is kept".into()));
    }
    let account = ListenBrainz::new(&settings.listenbrainz_url, &token).map_err(|why| wrong(service, why))?;
    let user = account.check().await.map_err(|trouble| wrong(service, trouble))?;
    Ok((user, token))
}

/// Shows the page on which the listener allows it, and waits until that is done.
async fn allowed_on_a_page(settings: &Settings) -> Result<(String, String), CliError> {
    let service = ScrobbleService::LastFm;
    let key = match settings.lastfm_api_key.clone() {
        Some(key) => key,
        None => ask_password("API key (your own, from https://www.last.fm/api/account/create): ")?,
    };
    let secret = match variable("SEGUE_LASTFM_SECRET") {
        Some(secret) => secret,
        None => ask_password("Shared secret of that key: ")?,
    };
    let (key, secret) = (key.trim().to_owned(), secret.trim().to_owned());
    if key.is_empty() || secret.is_empty() {
        return Err(CliError::Wrong("a key and its secret are needed; nothing is kept".into()));
    }
    let keys = LastFmKeys { url: settings.lastfm_url.clone(), key, secret };
    let nobody = LastFm::new(keys.clone(), None).map_err(|why| wrong(service, why))?;
    let token = nobody.token().await.map_err(|trouble| wrong(service, trouble))?;
    println!("Allow Segue on this page; it is waited for:\n\n    {}\n", nobody.permission_page(&token));
    for _ in 0..LOOKS {
        match nobody.session(&token).await {
            Ok(Some(LastFmSession { user, key: session })) => {
                let known = KeptLastFm { key: keys.key, secret: keys.secret, user: user.clone(), session };
                let text = serde_json::to_string(&known).map_err(|e| CliError::Wrong(e.to_string()))?;
                return Ok((user, text));
            }
            // A network that comes and goes is no answer.
            Ok(None) | Err(Trouble::Later { .. } | Trouble::Unsure(_)) => tokio::time::sleep(LOOK).await,
            Err(trouble) => return Err(wrong(service, trouble)),
        }
    }
    Err(wrong(service, "it was not allowed in time"))
}

async fn status(settings: &Settings, paths: &Paths, json: bool) -> Result<ExitCode, CliError> {
    let standings = standings(settings, paths).await;
    let ill = standings.iter().any(|standing| standing.on && standing.login.is_err());
    if json {
        let rows: Vec<_> = standings
            .iter()
            .map(|standing| {
                serde_json::json!({
                    "service": standing.service.word(),
                    "on": standing.on,
                    "account": standing.login.as_ref().ok().filter(|user| !user.is_empty()),
                    "trouble": standing.login.as_ref().err().map(|ill| &ill.why),
                    "waiting": standing.waiting,
                    "sent": standing.sent,
                })
            })
            .collect();
        println!("{:#}", serde_json::Value::from(rows));
    } else {
        for standing in &standings {
            let how = match &standing.login {
                _ if !standing.on => "off".to_owned(),
                Ok(user) => format!("on, takes the login of {}", printable(user)),
                Err(ill) => format!("on, but {}", printable(&ill.why)),
            };
            let (waiting, sent) = (standing.waiting, standing.sent);
            println!("{:<13} {how}; {waiting} waiting, {sent} sent", standing.service.word());
        }
    }
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
