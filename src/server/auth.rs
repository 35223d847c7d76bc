//! Who is asking.
//!
//! Four ways to say so, one answer: the account. The rules that matter, each of which some server got wrong:
//! an account name is compared exactly; a name that does not exist costs as much work as a wrong password and
//! gives the same error 40; secrets are compared in constant time; the log-in password is never good for a token.
//!
//! A password costs argon2 once; a success is then remembered for a few minutes as a keyed hash of the account,
//! its stored hash and the password, so that changing or removing anything of these ends it at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::ServerError;
use super::answer::Refusal;
use super::params::Params;
use super::secrets::{self, Vault};
use super::throttle::Throttle;
use crate::catalog::{Account, Catalog, Warm};
use crate::music::AccountId;
use crate::subsonic::ErrorCode;
use crate::subsonic::auth::{hex, read_password, token};

/// How long a verified password is not verified again.
const REMEMBERED: Duration = Duration::from_mins(5);
const MOST_REMEMBERED: usize = 1024;
/// Passwords verified at once; each takes 19 MiB and a core.
const VERIFIERS: usize = 2;

/// Decides who is asking. One for each server.
pub(crate) struct Gate {
    catalog: Catalog,
    vault: Arc<Vault>,
    throttle: Throttle,
    /// What digests of names and addresses are made with, where all processes count failures together.
    salt: tokio::sync::OnceCell<String>,
    /// Keys that live as long as this process, by digest: a player's own server in the same program.
    session_keys: Mutex<HashMap<String, AccountId>>,
    /// Accounts by digests of their keys.
    keys: Warm<String, Account>,
    remembered: Mutex<HashMap<[u8; 32], Instant>>,
    /// Random for each process, so that what is remembered means nothing elsewhere.
    pepper: [u8; 32],
    verifiers: Semaphore,
    dummy_hash: Arc<OnceLock<String>>,
}

/// How a request says who is asking.
enum Claim<'a> {
    Key(&'a str),
    Password { user: &'a str, password: String },
    Token { user: &'a str, token: &'a str, salt: &'a str },
}

impl Gate {
    pub(crate) fn new(catalog: Catalog, vault: Arc<Vault>) -> Self {
        Self {
            catalog,
            vault,
            throttle: Throttle::default(),
            salt: tokio::sync::OnceCell::new(),
            session_keys: Mutex::default(),
            keys: Warm::default(),
            remembered: Mutex::default(),
            pepper: rand::random(),
            verifiers: Semaphore::new(VERIFIERS),
            dummy_hash: Arc::default(),
        }
    }

    /// A key for one account that is good until this process ends.
    pub(crate) fn issue_session_key(&self, account: &AccountId) -> String {
        let key = secrets::new_api_key();
        let digest = secrets::key_digest(&key);
        self.session_keys.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, account.clone());
        key
    }

    /// Forgets the keys of an account that end with this process.
    pub(crate) fn forget(&self, account: &AccountId) {
        self.session_keys.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, of| of != account);
    }

    /// Makes sure that it is the person who asks: by the password that they log in with, and by nothing else.
    pub(crate) async fn is_the_person(
        &self,
        account: &Account,
        password: String,
        address: IpAddr,
    ) -> Result<(), Refusal> {
        self.not_too_often(&account.name, address).await?;
        if self.verify(password, Some(account.password_hash.clone())).await? {
            self.succeeded(address, &account.name).await;
            return Ok(());
        }
        Err(self.wrong(&account.name, address).await)
    }

    /// The account behind a request.
    pub(crate) async fn admit(&self, params: &Params, address: IpAddr) -> Result<Account, Refusal> {
        check_version(params)?;
        match claim(params)? {
            Claim::Key(key) => self.admit_key(key, address).await,
            Claim::Password { user, password } => self.admit_password(user, password, address).await,
            Claim::Token { user, token, salt } => self.admit_token(user, token, salt, address).await,
        }
    }

    /// Who an API key belongs to.
    pub(crate) async fn admit_key(&self, key: &str, address: IpAddr) -> Result<Account, Refusal> {
        let digest = secrets::key_digest(key);
        let stamp = self.catalog.stamp();
        if let Some(account) = self.keys.get(stamp, &digest) {
            return Ok(account);
        }
        let session = self.session_keys.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        let account = if let Some(id) = session {
            self.catalog.account(&id).await?
        } else {
            let account = self.catalog.account_of_key(&digest).await?;
            if account.is_some() {
                self.catalog.key_used(&digest, jiff::Timestamp::now().as_millisecond()).await?;
            }
            account
        };
        if let Some(account) = account {
            self.keys.put(stamp, digest, account.clone());
            return Ok(account);
        }
        if let Some(wait) = self.wait(address, None).await {
            return Err(Refusal::slow_down(ErrorCode::InvalidApiKey, wait));
        }
        self.failed(address, None).await;
        Err(Refusal::new(ErrorCode::InvalidApiKey, "this API key is not known; it may have been revoked"))
    }

    async fn admit_password(
        &self,
        user: &str,
        password: String,
        address: IpAddr,
    ) -> Result<Account, Refusal> {
        let account = self.catalog.account_named(user).await?;
        if let Some(account) = &account
            && self.is_remembered(account, &password)
        {
            return Ok(account.clone());
        }
        self.not_too_often(user, address).await?;
        let mut matches = false;
        for secret in self.app_passwords(account.as_ref()).await? {
            matches |= same(secret.as_bytes(), password.as_bytes());
        }
        if let Some(account) = account.as_ref().filter(|_| matches) {
            // Cheap to check, so never remembered: a revoked one ends with the next request.
            self.throttle.succeeded(address, user);
            return Ok(account.clone());
        }
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        match (account, self.verify(password.clone(), hash).await?) {
            (Some(account), true) => {
                self.remember(&account, &password);
                self.succeeded(address, user).await;
                Ok(account)
            }
            _ => Err(self.wrong(user, address).await),
        }
    }

    async fn admit_token(
        &self,
        user: &str,
        given: &str,
        salt: &str,
        address: IpAddr,
    ) -> Result<Account, Refusal> {
        let account = self.catalog.account_named(user).await?;
        let mut secrets = self.app_passwords(account.as_ref()).await?;
        let nobodys = secrets.is_empty();
        if nobodys {
            // As much work as for somebody, which comes to nothing.
            secrets.push(hex(&self.pepper));
        }
        let given = given.to_ascii_lowercase();
        let mut matches = false;
        for secret in secrets {
            matches |= same(token(&secret, salt).as_bytes(), given.as_bytes());
        }
        match account {
            Some(account) if matches && !nobodys => {
                self.throttle.succeeded(address, user);
                Ok(account)
            }
            // One answer for no account, no app password and a wrong one: whose it is must not show. Who is right is
            // never asked to wait: app passwords are random, so no number of guesses finds one, and guesses of a
            // stranger lock nobody out.
            _ => {
                self.not_too_often(user, address).await?;
                self.failed(address, Some(user)).await;
                Err(Refusal::new(
                    ErrorCode::TokenNotSupported,
                    "this token is not good: it needs an app password (`segue users app-password`), not the password \
                     itself; or use an API key",
                ))
            }
        }
    }

    /// Whether an address tried too many secrets that open nothing.
    pub(crate) async fn guesses_too_much(&self, address: IpAddr) -> bool {
        self.wait(address, None).await.is_some()
    }

    /// An address tried a secret that opens nothing.
    pub(crate) async fn guessed(&self, address: IpAddr) {
        self.failed(address, None).await;
    }

    /// How long somebody has to wait, as this process and all others beside its database count.
    async fn wait(&self, address: IpAddr, name: Option<&str>) -> Option<Duration> {
        if let Some(wait) = self.throttle.wait(address, name, Instant::now()) {
            return Some(wait);
        }
        let who = self.digests(address, name).await?;
        let (now, since) = window();
        let names: Vec<String> = who.iter().map(|(who, _)| who.clone()).collect();
        // Where the database does not answer nobody gets in anyhow.
        let counted = self.catalog.failed_logins(&names, since).await.ok()?;
        let over = counted.into_iter().filter(|(of, failures, _)| {
            who.iter().any(|(who, limit)| who == of && *failures >= i64::from(*limit))
        });
        let last = over.map(|(_, _, began)| began - since).max()?;
        Some(Duration::from_millis(u64::try_from(last.min(now - since)).unwrap_or(0).max(1)))
    }

    async fn failed(&self, address: IpAddr, name: Option<&str>) {
        self.throttle.failed(address, name, Instant::now());
        let Some(who) = self.digests(address, name).await else { return };
        let names: Vec<String> = who.into_iter().map(|(who, _)| who).collect();
        let (now, since) = window();
        if let Err(error) = self.catalog.note_failed_login(&names, now, since).await {
            tracing::debug!(%error, "other processes do not hear of a failed log-in");
        }
    }

    async fn succeeded(&self, address: IpAddr, name: &str) {
        self.throttle.succeeded(address, name);
        let both = self.digests(address, Some(name)).await.and_then(|who| who.into_iter().next());
        if let Some((who, _)) = both
            && let Err(error) = self.catalog.forget_failed_login(&who).await
        {
            tracing::debug!(%error, "failed log-ins are not forgotten");
        }
    }

    /// What stands for a name and an address in the database; `None` where this process counts alone.
    async fn digests(&self, address: IpAddr, name: Option<&str>) -> Option<Vec<(String, u32)>> {
        if !self.catalog.is_shared() {
            return None;
        }
        let made = || async {
            let fresh: [u8; 16] = rand::random();
            self.catalog.first_setting("throttle.salt", &hex(&fresh)).await
        };
        let salt = self.salt.get_or_try_init(made).await.ok()?;
        Some(Throttle::digests(salt, address, name))
    }

    async fn not_too_often(&self, user: &str, address: IpAddr) -> Result<(), Refusal> {
        match self.wait(address, Some(user)).await {
            Some(wait) => Err(Refusal::slow_down(ErrorCode::WrongCredentials, wait)),
            None => Ok(()),
        }
    }

    async fn wrong(&self, user: &str, address: IpAddr) -> Refusal {
        self.failed(address, Some(user)).await;
        Refusal::new(ErrorCode::WrongCredentials, "wrong user name or password")
    }

    /// The app passwords of an account. For one that does not exist the database is asked all the same, so that the time it takes
    /// does not tell.
    async fn app_passwords(&self, account: Option<&Account>) -> Result<Vec<String>, Refusal> {
        let Some(account) = account else {
            self.catalog.app_passwords(&AccountId::from("nobody")).await?;
            return Ok(Vec::new());
        };
        let rows = self.catalog.app_passwords(&account.id).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let secret = self.vault.unseal(&row.sealed, account.id.as_str(), &row.id);
                if secret.is_none() {
                    tracing::warn!(account = %account.name, "an app password was sealed with another key");
                }
                secret
            })
            .collect())
    }

    /// Verifies off the async threads, a few at a time. Without a hash the work is done all the same, and no
    /// password matches.
    async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        let _permit = self.verifiers.acquire().await.map_err(|error| Refusal::internal(&error))?;
        let dummy = Arc::clone(&self.dummy_hash);
        let verified = tokio::task::spawn_blocking(move || {
            if let Some(hash) = hash {
                return secrets::verify_password(&password, &hash);
            }
            let dummy = dummy.get_or_init(|| secrets::hash_password("nobody").unwrap_or_default());
            secrets::verify_password(&password, dummy);
            false
        });
        verified.await.map_err(|error| Refusal::internal(&error))
    }

    fn memory_of(&self, account: &Account, password: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.pepper);
        for part in [account.id.as_str(), &account.password_hash, password] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    fn is_remembered(&self, account: &Account, password: &str) -> bool {
        let memory = self.memory_of(account, password);
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(&memory).is_some_and(|since| since.elapsed() < REMEMBERED)
    }

    fn remember(&self, account: &Account, password: &str) {
        let memory = self.memory_of(account, password);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, since| since.elapsed() < REMEMBERED);
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
        }
        remembered.insert(memory, Instant::now());
    }
}

/// Now, and the moment from which on failures count: Unix time in ms.
fn window() -> (i64, i64) {
    let now = jiff::Timestamp::now().as_millisecond();
    (now, now - i64::try_from(super::throttle::WINDOW.as_millis()).unwrap_or(0))
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

fn claim(params: &Params) -> Result<Claim<'_>, Refusal> {
    let get = |name| params.get(name).filter(|value| !value.is_empty());
    if let Some(key) = get("apiKey") {
        if ["u", "p", "t", "s"].into_iter().any(|name| params.get(name).is_some()) {
            return Err(Refusal::new(
                ErrorCode::ConflictingMechanisms,
                "an API key stands alone; leave out user, password and token",
            ));
        }
        return Ok(Claim::Key(key));
    }
    let user = params.required("u")?;
    match (get("p"), get("t")) {
        (Some(_), Some(_)) => {
            Err(Refusal::new(ErrorCode::ConflictingMechanisms, "give either a password or a token, not both"))
        }
        (Some(password), None) => match read_password(password) {
            Some(password) => Ok(Claim::Password { user, password }),
            None => Err(Refusal::new(ErrorCode::WrongCredentials, "wrong user name or password")),
        },
        (None, Some(token)) => Ok(Claim::Token { user, token, salt: params.required("s")? }),
        (None, None) => Err(Refusal::new(
            ErrorCode::MissingParameter,
            "give an API key (“apiKey”), a password (“p”), or a token with its salt (“t”, “s”)",
        )),
    }
}

/// Only the first number matters: 1.x of any age works.
fn check_version(params: &Params) -> Result<(), Refusal> {
    let major = params.get("v").and_then(|version| version.split('.').next()?.trim().parse::<u32>().ok());
    match major {
        Some(0) => {
            Err(Refusal::new(ErrorCode::ClientTooOld, "this client is too old; it must speak Subsonic 1"))
        }
        Some(2..) => {
            Err(Refusal::new(ErrorCode::ServerTooOld, "this server speaks Subsonic 1 and OpenSubsonic"))
        }
        _ => Ok(()),
    }
}

/// Checks what people may call themselves: 1 to 64 characters, none of them invisible, no spaces at the ends.
pub(crate) fn check_name(name: &str) -> Result<(), ServerError> {
    let fits = (1..=64).contains(&name.chars().count());
    if fits && name.trim() == name && crate::music::printable(name) == name {
        Ok(())
    } else {
        Err(ServerError::Name(crate::music::printable(name)))
    }
}
