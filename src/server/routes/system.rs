//! Who the server is, and who is asking.

use super::super::Shared;
use super::super::scan::ScanMode;
use super::{Answer, Call, Refusal, Said};
use crate::catalog::Account;
use crate::subsonic::Body;
use crate::subsonic::response::{License, TokenInfo, Users};
use crate::subsonic::types::{Extension, User};

/// What this server always has beyond the API of 1.16.1. Only what works stands here.
const EXTENSIONS: [&str; 4] = ["apiKeyAuthentication", "formPost", "indexBasedQueue", "playbackReport"];

pub(super) fn extensions(shared: &Shared) -> Answer {
    let sometimes = shared.transcoder.works().then_some("transcodeOffset");
    let names = EXTENSIONS.into_iter().chain(sometimes);
    let listed = names.map(|name| Extension { name: name.to_owned(), versions: vec![1] });
    Body::OpenSubsonicExtensions(listed.collect()).into()
}

pub(super) fn license() -> Answer {
    Body::License(License { valid: true }).into()
}

pub(super) fn token_info(call: &Call<'_>) -> Answer {
    Body::TokenInfo(TokenInfo { username: call.account.name.clone() }).into()
}

/// One account: one's own, or any for who administers.
pub(super) async fn user(call: &Call<'_>) -> Said {
    let name = call.params.required("username")?;
    if name == call.account.name {
        return Ok(Body::User(user_of(&call.account)).into());
    }
    if !call.account.admin {
        return Err(Refusal::not_allowed());
    }
    match call.shared.catalog.account_named(name).await? {
        Some(account) => Ok(Body::User(user_of(&account)).into()),
        None => Err(Refusal::not_found("user")),
    }
}

pub(super) async fn users(call: &Call<'_>) -> Said {
    if !call.account.admin {
        return Err(Refusal::not_allowed());
    }
    let accounts = call.shared.catalog.accounts().await?;
    Ok(Body::Users(Users { user: accounts.iter().map(user_of).collect() }).into())
}

pub(super) fn scan_status(call: &Call<'_>) -> Answer {
    Body::ScanStatus(call.shared.library.status()).into()
}

/// Begins a scan; with `fullScan=true`, as other servers have it, every file is opened again.
pub(super) fn start_scan(call: &Call<'_>) -> Said {
    if !call.account.admin {
        return Err(Refusal::not_allowed());
    }
    let everything = call.params.flag("fullScan")?.unwrap_or(false);
    call.shared.library.scan(if everything { ScanMode::Everything } else { ScanMode::Changes });
    Ok(scan_status(call))
}

fn user_of(account: &Account) -> User {
    User {
        username: account.name.clone(),
        scrobbling_enabled: true,
        admin_role: account.admin,
        download_role: true,
        playlist_role: true,
        comment_role: true,
        stream_role: true,
        folder: vec![super::browse::MUSIC_FOLDER],
        ..User::default()
    }
}
