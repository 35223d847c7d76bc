//! Accounts by the API: making, changing and removing them, and who may do what.

use axum::body::Body as HttpBody;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response as HttpResponse};

use super::super::privacy::short_address;
use super::super::{ServerError, accounts, avatar};
use super::{Answer, Call, Refusal, Said};
use crate::catalog::{Account, CatalogError, Roles};
use crate::subsonic::auth::read_password;
use crate::subsonic::types::User;
use crate::subsonic::{Body, ErrorCode, response::Users};

impl Call<'_> {
    /// Refuses who may not administer.
    pub(super) fn administers(&self) -> Result<(), Refusal> {
        if self.account.admin { Ok(()) } else { Err(Refusal::not_allowed()) }
    }

    /// Refuses who lacks a role. Who administers may do everything.
    pub(super) fn may(&self, role: impl Fn(&Roles) -> bool) -> Result<(), Refusal> {
        if self.account.admin || role(&self.account.roles) { Ok(()) } else { Err(Refusal::not_allowed()) }
    }

    async fn other(&self, name: &str) -> Result<Account, Refusal> {
        self.shared.catalog.account_named(name).await?.ok_or_else(|| Refusal::not_found("user"))
    }

    fn password(&self) -> Result<Option<String>, Refusal> {
        let Some(given) = self.params.get("password").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let wrong = || Refusal::new(ErrorCode::Generic, "the parameter “password” cannot be read");
        read_password(given).filter(|text| !text.is_empty()).map(Some).ok_or_else(wrong)
    }

    /// An account with the rights that the parameters give it; those that are not named stay as they are.
    fn rights(&self, now: Account) -> Result<Account, Refusal> {
        let admin = self.params.flag("adminRole")?.unwrap_or(now.admin);
        let roles = self.roles(now.roles)?;
        let named: Vec<i64> = self.params.all_parsed("musicFolderId")?;
        if let Some(unknown) = named.iter().find(|id| self.shared.folders.iter().all(|f| f.id != **id)) {
            return Err(Refusal::new(ErrorCode::NotFound, format!("there is no music folder {unknown}")));
        }
        let folders = if named.is_empty() { now.folders } else { Some(named.into_iter().collect()) };
        // Clients send 0 or less for no limit.
        let limit: Option<i64> = self.params.parsed("maxBitRate")?;
        let max_bit_rate = limit.map_or(now.max_bit_rate, |limit| u32::try_from(limit).unwrap_or(0));
        Ok(Account { admin, roles, folders, max_bit_rate, ..now })
    }

    /// Roles as the parameters have them; those that are not named stay as they are.
    fn roles(&self, now: Roles) -> Result<Roles, Refusal> {
        let flag = |name, now| self.params.flag(name).map(|flag| flag.unwrap_or(now));
        Ok(Roles {
            stream: flag("streamRole", now.stream)?,
            download: flag("downloadRole", now.download)?,
            playlist: flag("playlistRole", now.playlist)?,
            share: flag("shareRole", now.share)?,
            jukebox: flag("jukeboxRole", now.jukebox)?,
        })
    }
}

impl From<ServerError> for Refusal {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Catalog(error) => error.into(),
            ServerError::NoAccount(_) => Self::not_found("user"),
            ServerError::LastAdmin(_)
            | ServerError::Name(_)
            | ServerError::NoFolder(_)
            | ServerError::NoForm(_)
            | ServerError::Privacy(_)
            | ServerError::EmptyPassword => Self::new(ErrorCode::Generic, error.to_string()),
            other => Self::internal(&other),
        }
    }
}

/// One account: one's own, or any for who administers.
pub(super) async fn one(call: &Call<'_>) -> Said {
    let name = call.params.required("username")?;
    if name == call.account.name {
        return Ok(Body::User(user_of(call, &call.account)).into());
    }
    call.administers()?;
    let other = call.other(name).await?;
    call.deed("account read", name).await;
    Ok(Body::User(user_of(call, &other)).into())
}

pub(super) async fn all(call: &Call<'_>) -> Said {
    call.administers()?;
    let accounts = call.shared.catalog.accounts().await?;
    call.deed("accounts listed", "").await;
    Ok(Body::Users(Users { user: accounts.iter().map(|account| user_of(call, account)).collect() }).into())
}

pub(super) async fn create(call: &Call<'_>) -> Said {
    call.administers()?;
    let name = call.params.required("username")?;
    call.params.required("password")?;
    let password = call.password()?.unwrap_or_default();
    let new = call.rights(accounts::fresh(name))?;
    accounts::add_with(&call.shared.catalog, new, &password).await?;
    call.deed("account added", name).await;
    Ok(Answer::Done)
}

pub(super) async fn update(call: &Call<'_>) -> Said {
    call.administers()?;
    let account = call.other(call.params.required("username")?).await?;
    let new = call.rights(account.clone())?;
    let password = call.password()?;
    if account.admin && !new.admin {
        accounts::check_other_admin(&call.shared.catalog, &account).await?;
    }
    call.shared.catalog.set_rights(&new).await?;
    if let Some(password) = password {
        accounts::set_password(&call.shared.catalog, &account.name, &password).await?;
    }
    call.deed("account changed", &account.name).await;
    Ok(Answer::Done)
}

pub(super) async fn delete(call: &Call<'_>) -> Said {
    call.administers()?;
    let name = call.params.required("username")?;
    if name == call.account.name {
        return Err(Refusal::new(ErrorCode::Generic, "nobody can remove the account that asks"));
    }
    accounts::remove(&call.shared.catalog, name).await?;
    call.deed("account removed", name).await;
    Ok(Answer::Done)
}

/// A picture for an account.
pub(super) async fn avatar(call: &Call<'_>) -> Said {
    let name = call.params.required("username")?;
    if name != call.account.name {
        call.administers()?;
        call.other(name).await?;
    }
    let picture = avatar::draw(name).map_err(|error| Refusal::internal(&error))?;
    let mut response = HttpResponse::new(HttpBody::from(picture));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/png"));
    Ok(Answer::Raw(response))
}

/// One's own password, or anybody's for who administers.
pub(super) async fn change_password(call: &Call<'_>) -> Said {
    let name = call.params.required("username")?;
    call.params.required("password")?;
    if name != call.account.name {
        call.administers()?;
    }
    let password = call.password()?.unwrap_or_default();
    accounts::set_password(&call.shared.catalog, name, &password).await?;
    call.deed("password changed", name).await;
    Ok(Answer::Done)
}

impl Call<'_> {
    /// Writes down who did what. The deed is done by then, so a log that cannot be written does not undo it.
    pub(super) async fn deed(&self, deed: &str, subject: &str) {
        let address = short_address(&self.address.to_string());
        let noted: Result<(), CatalogError> =
            accounts::note(&self.shared.catalog, &self.account.name, &address, deed, subject).await;
        if let Err(error) = noted {
            tracing::error!(%error, deed, "the audit log cannot be written");
        }
        tracing::info!(account = %self.account.name, address, subject, "{deed}");
    }
}

fn user_of(call: &Call<'_>, account: &Account) -> User {
    let Account { admin, roles, .. } = account;
    User {
        username: account.name.clone(),
        scrobbling_enabled: true,
        admin_role: *admin,
        settings_role: true,
        download_role: *admin || roles.download,
        playlist_role: *admin || roles.playlist,
        comment_role: true,
        stream_role: *admin || roles.stream,
        jukebox_role: *admin || roles.jukebox,
        share_role: *admin || roles.share,
        max_bit_rate: (account.max_bit_rate > 0).then_some(account.max_bit_rate),
        folder: call.shared.folders_of(account).map(|folder| folder.id).collect(),
        ..User::default()
    }
}
