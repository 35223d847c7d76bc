//! Who may listen: accounts, their API keys and their app passwords, as rows.
//!
//! This is storage alone. What a password hash or a sealed secret means, and who may change what, is decided in
//! `server`; nothing here ever sees a secret in clear.

use std::collections::BTreeSet;

use super::sql;
use super::{Catalog, CatalogError, now_ms};
use crate::music::AccountId;

/// One account. `Debug` leaves the hash out.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Opaque id, never reused.
    pub id: AccountId,
    /// Name to log in with, compared exactly.
    pub name: String,
    /// The password as a PHC string.
    pub password_hash: String,
    /// Whether it may administer the server.
    pub admin: bool,
    /// What it may do otherwise.
    pub roles: Roles,
    /// Numbers of the music folders that it may reach; `None` for all, those to come included.
    pub folders: Option<BTreeSet<i64>>,
    /// The highest bit rate that it is sent, kbit/s; 0 for any.
    pub max_bit_rate: u32,
    /// Unix time in ms.
    pub created_at: i64,
    /// When it is to be erased, Unix time in ms; it is closed until then.
    pub erase_at: Option<i64>,
}

/// What an account may do beside administering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a permission by itself, named so in the API")]
pub struct Roles {
    /// Listen.
    pub stream: bool,
    /// Take files home.
    pub download: bool,
    /// Make and change playlists.
    pub playlist: bool,
    /// Open music to others.
    pub share: bool,
    /// Play on the server's own loudspeakers.
    pub jukebox: bool,
}

impl Roles {
    /// Everything.
    pub const ALL: Self = Self { stream: true, download: true, playlist: true, share: true, jukebox: true };

    fn from_words(words: &str) -> Self {
        let has = |role| words.split_whitespace().any(|word| word == role);
        Self {
            stream: has("stream"),
            download: has("download"),
            playlist: has("playlist"),
            share: has("share"),
            jukebox: has("jukebox"),
        }
    }

    fn words(self) -> String {
        let all = [
            (self.stream, "stream"),
            (self.download, "download"),
            (self.playlist, "playlist"),
            (self.share, "share"),
            (self.jukebox, "jukebox"),
        ];
        all.iter().filter(|(has, _)| *has).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// What kind of secret a [`Credential`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// Names the account all by itself.
    ApiKey,
    /// Stands in for the password where a client knows tokens only.
    AppPassword,
}

/// A key or an app password, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Id within the account.
    pub id: String,
    /// What kind it is.
    pub kind: CredentialKind,
    /// What the listener called it.
    pub name: String,
    /// Unix time in ms.
    pub created_at: i64,
    /// When it was last good for something, Unix time in ms to the hour; keys only.
    pub used_at: Option<i64>,
}

/// An app password as it is stored: sealed for this account and this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPassword {
    /// Id within the account.
    pub id: String,
    /// Hexadecimal nonce and ciphertext.
    pub sealed: String,
}

impl sql::FromRow for Account {
    fn from_row(row: &sql::Row) -> Result<Self, sql::Error> {
        Ok(Self {
            id: AccountId::new(row.try_get::<String, _>("id")?),
            name: row.try_get("name")?,
            password_hash: row.try_get("password_hash")?,
            admin: row.try_get("admin")?,
            roles: Roles::from_words(row.try_get("roles")?),
            folders: row.try_get::<Option<&str>, _>("folders")?.map(numbers),
            max_bit_rate: u32::try_from(row.try_get::<i64, _>("max_bit_rate")?).unwrap_or(0),
            created_at: row.try_get("created_at")?,
            erase_at: row.try_get("erase_at")?,
        })
    }
}

/// Numbers separated by spaces. What is none means nothing, so a damaged list opens nothing.
fn numbers(words: &str) -> BTreeSet<i64> {
    words.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn words(numbers: &BTreeSet<i64>) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// What a client of an account is sent where it does not ask for anything itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientProfile {
    /// What the client calls itself; empty for all that have no profile of their own.
    pub client: String,
    /// A format as clients name it; "raw" for the file as it is.
    pub format: String,
    /// kbit/s; 0 for what is usual for the format.
    pub max_bit_rate: u32,
}

impl Catalog {
    /// All accounts by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, CatalogError> {
        Ok(sql::query_as("SELECT * FROM accounts ORDER BY name_fold").fetch_all(self.reader()).await?)
    }

    /// The account of exactly this name.
    pub async fn account_named(&self, name: &str) -> Result<Option<Account>, CatalogError> {
        let query = sql::query_as("SELECT * FROM accounts WHERE name = $1").bind(name);
        Ok(query.fetch_optional(self.reader()).await?)
    }

    /// The account with this id.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, CatalogError> {
        let query = sql::query_as("SELECT * FROM accounts WHERE id = $1").bind(id.as_str());
        Ok(query.fetch_optional(self.reader()).await?)
    }

    /// The account that an API key with this digest belongs to.
    pub async fn account_of_key(&self, digest: &str) -> Result<Option<Account>, CatalogError> {
        let query = sql::query_as(
            "SELECT a.* FROM accounts a JOIN api_keys k ON k.account_id = a.id WHERE k.digest = $1",
        );
        Ok(query.bind(digest).fetch_optional(self.reader()).await?)
    }

    /// Remembers that a key was used; at most one write an hour.
    pub async fn key_used(&self, digest: &str, at: i64) -> Result<(), CatalogError> {
        const HOUR: i64 = 3_600_000;
        let sql = "SELECT COUNT(*) FROM api_keys WHERE digest = $1 AND (used_at IS NULL OR used_at < $2)";
        let due: i64 = sql::query_scalar(sql).bind(digest).bind(at - HOUR).fetch_one(self.reader()).await?;
        if due > 0 {
            sql::query("UPDATE api_keys SET used_at = $2 WHERE digest = $1")
                .bind(digest)
                .bind(at.div_euclid(HOUR) * HOUR)
                .execute(self.writer())
                .await?;
        }
        Ok(())
    }

    /// Adds an account; a name that differs from another by case alone is refused as [`CatalogError::Invalid`].
    pub async fn add_account(&self, account: &Account) -> Result<(), CatalogError> {
        let added = sql::query(
            "INSERT INTO accounts (id, name, name_fold, password_hash, admin, created_at, roles, folders, max_bit_rate)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(account.id.as_str())
        .bind(&account.name)
        .bind(account.name.to_lowercase())
        .bind(&account.password_hash)
        .bind(account.admin)
        .bind(account.created_at)
        .bind(account.roles.words())
        .bind(account.folders.as_ref().map(words))
        .bind(i64::from(account.max_bit_rate))
        .execute(self.writer())
        .await?;
        if added.rows_affected() == 0 {
            return Err(CatalogError::Invalid(format!("there is an account “{}” already", account.name)));
        }
        Ok(())
    }

    /// Puts a new password hash in the place of the old one.
    pub async fn set_password_hash(&self, id: &AccountId, hash: &str) -> Result<(), CatalogError> {
        let changed = sql::query("UPDATE accounts SET password_hash = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(hash)
            .execute(self.writer())
            .await?;
        if changed.rows_affected() == 0 {
            return Err(CatalogError::not_found("account", id.as_str()));
        }
        Ok(())
    }

    /// Writes down what an account may do and reach: everything but its name, its password and when it was made.
    pub async fn set_rights(&self, account: &Account) -> Result<(), CatalogError> {
        let sql = "UPDATE accounts SET admin = $2, roles = $3, folders = $4, max_bit_rate = $5 WHERE id = $1";
        let changed = sql::query(sql)
            .bind(account.id.as_str())
            .bind(account.admin)
            .bind(account.roles.words())
            .bind(account.folders.as_ref().map(words))
            .bind(i64::from(account.max_bit_rate))
            .execute(self.writer())
            .await?;
        if changed.rows_affected() == 0 {
            return Err(CatalogError::not_found("account", account.id.as_str()));
        }
        Ok(())
    }

    /// What clients of an account are sent, by their names.
    pub async fn client_profiles(&self, account: &AccountId) -> Result<Vec<ClientProfile>, CatalogError> {
        let sql =
            "SELECT client, format, max_bit_rate FROM client_profiles WHERE account_id = $1 ORDER BY client";
        let rows: Vec<(String, String, i64)> =
            sql::query_as(sql).bind(account.as_str()).fetch_all(&self.all).await?;
        let profile = |(client, format, rate)| {
            let max_bit_rate = u32::try_from(rate).unwrap_or(0);
            ClientProfile { client, format, max_bit_rate }
        };
        Ok(rows.into_iter().map(profile).collect())
    }

    /// Puts a profile in the place of the one that its client had.
    pub async fn put_client_profile(
        &self,
        account: &AccountId,
        profile: &ClientProfile,
    ) -> Result<(), CatalogError> {
        sql::query(
            "INSERT INTO client_profiles (account_id, client, format, max_bit_rate) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (account_id, client) DO UPDATE SET format = excluded.format, \
             max_bit_rate = excluded.max_bit_rate",
        )
        .bind(account.as_str())
        .bind(&profile.client)
        .bind(&profile.format)
        .bind(i64::from(profile.max_bit_rate))
        .execute(self.writer())
        .await?;
        Ok(())
    }

    /// Takes a client's profile away, and says whether there was one.
    pub async fn remove_client_profile(
        &self,
        account: &AccountId,
        client: &str,
    ) -> Result<bool, CatalogError> {
        let sql = "DELETE FROM client_profiles WHERE account_id = $1 AND client = $2";
        let gone = sql::query(sql).bind(account.as_str()).bind(client).execute(self.writer()).await?;
        Ok(gone.rows_affected() > 0)
    }

    /// Removes an account with everything that it owns: keys, stars, plays, playlists.
    pub async fn remove_account(&self, id: &AccountId) -> Result<(), CatalogError> {
        self.remove_rows(id, None).await.map(drop)
    }

    /// Stores the digest of a new API key under `id`.
    pub async fn add_api_key(
        &self,
        account: &AccountId,
        id: &str,
        name: &str,
        digest: &str,
    ) -> Result<(), CatalogError> {
        let sql =
            "INSERT INTO api_keys (account_id, id, name, digest, created_at) VALUES ($1, $2, $3, $4, $5)";
        self.add_secret(sql, account, id, name, digest).await
    }

    /// Stores a sealed app password under `id`.
    pub async fn add_app_password(
        &self,
        account: &AccountId,
        id: &str,
        name: &str,
        sealed: &str,
    ) -> Result<(), CatalogError> {
        let sql = "INSERT INTO app_passwords (account_id, id, name, sealed, created_at) VALUES ($1, $2, $3, $4, $5)";
        self.add_secret(sql, account, id, name, sealed).await
    }

    async fn add_secret(
        &self,
        sql: &'static str,
        account: &AccountId,
        id: &str,
        name: &str,
        secret: &str,
    ) -> Result<(), CatalogError> {
        let query = sql::query(sql).bind(account.as_str()).bind(id).bind(name).bind(secret).bind(now_ms());
        query.execute(self.writer()).await?;
        Ok(())
    }

    /// The sealed app passwords of one account.
    pub async fn app_passwords(&self, account: &AccountId) -> Result<Vec<SealedPassword>, CatalogError> {
        let rows: Vec<(String, String)> = sql::query_as(
            "SELECT id, sealed FROM app_passwords WHERE account_id = $1 ORDER BY created_at DESC",
        )
        .bind(account.as_str())
        .fetch_all(self.reader())
        .await?;
        Ok(rows.into_iter().map(|(id, sealed)| SealedPassword { id, sealed }).collect())
    }

    /// Whether any account has an app password.
    pub async fn has_app_passwords(&self) -> Result<bool, CatalogError> {
        let count: i64 =
            sql::query_scalar("SELECT COUNT(*) FROM app_passwords").fetch_one(self.reader()).await?;
        Ok(count > 0)
    }

    /// The keys and app passwords of one account, oldest first.
    pub async fn credentials(&self, account: &AccountId) -> Result<Vec<Credential>, CatalogError> {
        let mut all = Vec::new();
        for (sql, kind) in [
            (
                "SELECT id, name, created_at, used_at FROM api_keys WHERE account_id = $1",
                CredentialKind::ApiKey,
            ),
            (
                "SELECT id, name, created_at, NULL FROM app_passwords WHERE account_id = $1",
                CredentialKind::AppPassword,
            ),
        ] {
            let rows: Vec<(String, String, i64, Option<i64>)> =
                sql::query_as(sql).bind(account.as_str()).fetch_all(self.reader()).await?;
            let row = |(id, name, created_at, used_at)| Credential { id, kind, name, created_at, used_at };
            all.extend(rows.into_iter().map(row));
        }
        all.sort_by_key(|credential| credential.created_at);
        Ok(all)
    }

    /// Revokes a key or an app password.
    pub async fn remove_credential(&self, account: &AccountId, id: &str) -> Result<(), CatalogError> {
        let mut removed = 0;
        for sql in [
            "DELETE FROM api_keys WHERE account_id = $1 AND id = $2",
            "DELETE FROM app_passwords WHERE account_id = $1 AND id = $2",
        ] {
            let query = sql::query(sql).bind(account.as_str()).bind(id);
            removed += query.execute(self.writer()).await?.rows_affected();
        }
        if removed == 0 { Err(CatalogError::not_found("key", id)) } else { Ok(()) }
    }
}
