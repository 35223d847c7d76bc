//! What the command line does with accounts, and the first one.
//!
//! These functions work on an open [`Catalog`] and need no running server; a running server sees their effect with
//! the next request. Secrets are returned once and never again.

use std::collections::BTreeSet;
use std::path::Path;

use uuid::Uuid;

use super::auth::check_name;
use super::privacy;
use super::secrets::{self, Vault};
use super::{ServerError, blocking, transcode};
use crate::catalog::{Account, Catalog, CatalogError, ClientProfile, Credential, Deed, Roles};
use crate::music::AccountId;

/// The environment variable that sets the first account's password.
pub const ADMIN_PASSWORD_VARIABLE: &str = "SEGUE_ADMIN_PASSWORD";
/// Names the key to the app passwords where it is not in the data folder.
const SECRET_KEY_VARIABLE: &str = "SEGUE_SECRET_KEY";
/// The first account's name.
pub const ADMIN_NAME: &str = "admin";

/// The account that a first start made.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstAccount {
    /// Its name.
    pub name: String,
    /// Its password where one was made up: to be shown once. `None` when the environment gave it.
    pub made_up_password: Option<String>,
}

impl std::fmt::Debug for FirstAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAccount").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Makes the account `admin` in a catalog that has no account yet.
pub(crate) async fn first_start(catalog: &Catalog) -> Result<Option<FirstAccount>, ServerError> {
    if !catalog.accounts().await?.is_empty() {
        return Ok(None);
    }
    let given = std::env::var(ADMIN_PASSWORD_VARIABLE).ok().filter(|password| !password.is_empty());
    let made_up_password = if given.is_none() { Some(secrets::new_password()) } else { None };
    if let Some(password) = given.as_ref().or(made_up_password.as_ref()) {
        if let Err(error) = add(catalog, ADMIN_NAME, password, true).await {
            // Another process that started at the same time made it.
            return if catalog.accounts().await?.is_empty() { Err(error) } else { Ok(None) };
        }
    }
    Ok(Some(FirstAccount { name: ADMIN_NAME.to_owned(), made_up_password }))
}

/// Adds an account.
pub async fn add(
    catalog: &Catalog,
    name: &str,
    password: &str,
    admin: bool,
) -> Result<AccountId, ServerError> {
    add_with(catalog, Account { admin, ..fresh(name) }, password).await
}

/// An account that is not there yet: it may do everything but administer, and reach everything.
pub(crate) fn fresh(name: &str) -> Account {
    Account {
        id: AccountId::new(Uuid::now_v7().to_string()),
        name: name.to_owned(),
        password_hash: String::new(),
        admin: false,
        roles: Roles::ALL,
        folders: None,
        max_bit_rate: 0,
        created_at: jiff::Timestamp::now().as_millisecond(),
        erase_at: None,
    }
}

/// Adds an account with its rights.
pub(crate) async fn add_with(
    catalog: &Catalog,
    account: Account,
    password: &str,
) -> Result<AccountId, ServerError> {
    check_name(&account.name)?;
    let password_hash = hash(password).await?;
    catalog.add_account(&Account { password_hash, ..account.clone() }).await?;
    Ok(account.id)
}

/// Lets an account reach these music folders alone, by number; `None` for all, those to come included.
pub async fn set_folders(
    catalog: &Catalog,
    name: &str,
    folders: Option<BTreeSet<i64>>,
) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    let known = catalog.music_folders().await?;
    let unknown = folders.iter().flatten().find(|id| known.iter().all(|folder| folder.id != **id));
    if let Some(id) = unknown {
        return Err(ServerError::NoFolder(*id));
    }
    Ok(catalog.set_rights(&Account { folders, ..account }).await?)
}

/// Sets the highest bit rate that an account is sent, kbit/s; 0 for any.
pub async fn set_max_bit_rate(catalog: &Catalog, name: &str, kbps: u32) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    Ok(catalog.set_rights(&Account { max_bit_rate: kbps, ..account }).await?)
}

/// Sets what a client of an account is sent where it asks for nothing in particular: "raw", or a form such as "opus-128" or
/// "mp3"; `None` takes it back. An empty name stands for all clients that have none of their own.
pub async fn set_profile(
    catalog: &Catalog,
    name: &str,
    client: &str,
    form: Option<&str>,
) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    let Some(form) = form else {
        catalog.remove_client_profile(&account.id, client).await?;
        return Ok(());
    };
    let (format, rate) = form.split_once('-').unwrap_or((form, "0"));
    let max_bit_rate = rate.parse::<u32>().ok().filter(|_| format == "raw" || transcode::knows(format));
    let max_bit_rate = max_bit_rate.ok_or_else(|| ServerError::NoForm(crate::music::printable(form)))?;
    let profile = ClientProfile { client: client.to_owned(), format: format.to_owned(), max_bit_rate };
    Ok(catalog.put_client_profile(&account.id, &profile).await?)
}

/// What clients of an account are sent.
pub async fn profiles(catalog: &Catalog, account: &Account) -> Result<Vec<ClientProfile>, ServerError> {
    Ok(catalog.client_profiles(&account.id).await?)
}

/// Gives an account a plan from a moment on (Unix time in ms), until another one where that is said; no plan is the usual one.
pub async fn set_plan(
    catalog: &Catalog,
    name: &str,
    plan: Option<&str>,
    starts_at: i64,
    ends_at: Option<i64>,
) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    match plan {
        Some(plan) => {
            check_plan(catalog, plan).await?;
            Ok(catalog.give_plan(&account.id, plan, starts_at, ends_at).await?)
        }
        None => Ok(catalog.take_plan(&account.id).await?),
    }
}

/// Refuses the name of a plan that is not there.
pub async fn check_plan(catalog: &Catalog, plan: &str) -> Result<(), ServerError> {
    let known = catalog.plans().await?;
    if known.iter().any(|known| known.plan.name == plan) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().map(|known| known.plan.name.as_str()).collect();
    let plan = crate::music::printable(plan);
    Err(ServerError::Ad(format!("there is no plan “{plan}”: there are {}", names.join(", "))))
}

/// Sets a new password.
pub async fn set_password(catalog: &Catalog, name: &str, password: &str) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    let hash = hash(password).await?;
    Ok(catalog.set_password_hash(&account.id, &hash).await?)
}

/// All accounts by name.
pub async fn list(catalog: &Catalog) -> Result<Vec<Account>, ServerError> {
    Ok(catalog.accounts().await?)
}

/// Removes an account with everything that it owns. The last account that may administer stays.
pub async fn remove(catalog: &Catalog, name: &str) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    check_other_admin(catalog, &account).await?;
    Ok(catalog.remove_account(&account.id).await?)
}

/// Refuses when an account is the only one that may administer.
pub(crate) async fn check_other_admin(catalog: &Catalog, account: &Account) -> Result<(), ServerError> {
    let admins = catalog.accounts().await?.iter().filter(|account| account.admin).count();
    if account.admin && admins == 1 {
        return Err(ServerError::LastAdmin(account.name.clone()));
    }
    Ok(())
}

/// Writes a line of the audit log.
pub async fn note(
    catalog: &Catalog,
    account: &str,
    address: &str,
    deed: &str,
    subject: &str,
) -> Result<(), CatalogError> {
    let deed = Deed {
        at: jiff::Timestamp::now().as_millisecond(),
        account: account.to_owned(),
        address: privacy::short_address(address),
        deed: deed.to_owned(),
        subject: subject.to_owned(),
    };
    catalog.audit(&deed).await
}

/// Makes an API key and returns its text, which is stored nowhere.
pub async fn new_api_key(catalog: &Catalog, name: &str, key_name: &str) -> Result<String, ServerError> {
    let account = named(catalog, name).await?;
    let key = secrets::new_api_key();
    let id = Uuid::now_v7().to_string();
    catalog.add_api_key(&account.id, &id, key_name, &secrets::key_digest(&key)).await?;
    Ok(key)
}

/// Makes an app password, for clients that know token authentication only, and returns its text. `data` is the
/// server's data folder, which holds the key that seals it.
pub async fn new_app_password(
    catalog: &Catalog,
    data: &Path,
    name: &str,
    password_name: &str,
) -> Result<String, ServerError> {
    let account = named(catalog, name).await?;
    let vault = open_vault(catalog, data).await?;
    let password = secrets::new_app_password();
    let id = Uuid::now_v7().to_string();
    let sealed = vault.seal(&password, account.id.as_str(), &id)?;
    catalog.add_app_password(&account.id, &id, password_name, &sealed).await?;
    Ok(password)
}

/// The keys and app passwords of an account, without their secrets.
pub async fn credentials(catalog: &Catalog, name: &str) -> Result<Vec<Credential>, ServerError> {
    let account = named(catalog, name).await?;
    Ok(catalog.credentials(&account.id).await?)
}

/// Revokes a key or an app password by its id.
pub async fn revoke(catalog: &Catalog, name: &str, id: &str) -> Result<(), ServerError> {
    let account = named(catalog, name).await?;
    Ok(catalog.remove_credential(&account.id, id).await?)
}

/// Opens the vault of a data folder, making its key while nothing is sealed. Machines that share a database and no folder are given
/// one key by the environment instead.
pub(crate) async fn open_vault(catalog: &Catalog, data: &Path) -> Result<Vault, ServerError> {
    if let Some(key) = std::env::var(SECRET_KEY_VARIABLE).ok().filter(|key| !key.is_empty()) {
        return Vault::of_key(&key).ok_or_else(|| {
            ServerError::Secret(format!("{SECRET_KEY_VARIABLE} is not a key of 64 hexadecimal digits"))
        });
    }
    let may_make = !catalog.has_app_passwords().await?;
    let file = data.join(super::backup::KEY_FILE);
    blocking(move || Vault::open(&file, may_make)).await
}

async fn named(catalog: &Catalog, name: &str) -> Result<Account, ServerError> {
    catalog.account_named(name).await?.ok_or_else(|| ServerError::NoAccount(crate::music::printable(name)))
}

async fn hash(password: &str) -> Result<String, ServerError> {
    if password.is_empty() {
        return Err(ServerError::EmptyPassword);
    }
    let password = password.to_owned();
    blocking(move || secrets::hash_password(&password)).await
}
