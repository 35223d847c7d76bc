//! The client: one HTTP connection pool and one way to log in, for one server.
//!
//! This file builds each request (address, parameters, proof of identity), sends it, and sorts what
//! comes back into an answer or a [`ClientError`] that a listener can read. `calls` has a method for each
//! endpoint; `media` streams. A `Client` is a cheap handle: clones share connections and the way to log in.

mod calls;
mod media;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderName, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode, Url};

pub use calls::{PlaybackReport, PlaylistChange, ServerInfo};
pub use media::{StreamOptions, StreamReply};

use super::auth::{self, Credentials};
use super::error::WEB_PAGE;
use super::{API_VERSION, ClientError, ErrorCode, Response};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a server may say nothing in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection is kept for the next request: shorter than servers keep theirs.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a whole answer other than media may take.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest answer other than media, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// Parameters longer than this go in the body of a POST, because servers and proxies cut long addresses.
const LONGEST_QUERY: usize = 1800;

/// How the password is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Proof {
    Token = 0,
    Hex = 1,
}

/// A player's connection to one server. Clones share everything.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    /// Ends in `/rest/`.
    base: Url,
    /// Host and port, as messages show it.
    host: String,
    /// Whether nobody can listen in: https, or this machine alone.
    private: bool,
    credentials: Credentials,
    proof: AtomicU8,
    /// Whether the server takes parameters as a form (extension `formPost`).
    forms: AtomicBool,
    /// Whether the address leads elsewhere: what follows a redirect comes without its form.
    redirected: AtomicBool,
    /// How far the server's clock is ahead of this one, ms, by its last answer; [`NO_CLOCK`] before there is one.
    ahead_ms: AtomicI64,
}

/// No answer told the time.
const NO_CLOCK: i64 = i64::MAX;

/// Parameters of one request.
type Params<'a> = Vec<(&'a str, String)>;

impl Client {
    /// A client for the server at `base_url` (`https://host`, with or without a path; `/rest` may be left
    /// out, and the scheme too). Nothing is sent yet.
    pub fn new(base_url: &str, credentials: Credentials) -> Result<Self, ClientError> {
        let base = parse_base(base_url)?;
        let loopback = is_loopback(&base);
        let host = match (base.host_str(), base.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(ClientError::BadAddress("it has no host".to_owned())),
        };
        let private = loopback || base.scheme() == "https";
        let http = build_http(loopback, base.scheme() == "https", REDIRECTS)?;
        let proof = AtomicU8::new(Proof::Token as u8);
        let (forms, redirected) = (AtomicBool::new(false), AtomicBool::new(false));
        let ahead_ms = AtomicI64::new(NO_CLOCK);
        let inner = Inner { http, base, host, private, credentials, proof, forms, redirected, ahead_ms };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Whether the server has the extension `formPost`: from now on parameters, and with them the proof of who asks, go
    /// in the body of a POST, where no proxy's log keeps them.
    pub fn use_forms(&self, offered: bool) {
        self.inner.forms.store(offered, Ordering::Relaxed);
    }

    fn forms(&self) -> bool {
        self.inner.forms.load(Ordering::Relaxed) && !self.inner.redirected.load(Ordering::Relaxed)
    }

    /// How far the server's clock is ahead of this machine's, ms, by the `Date` of its last answer (whole seconds); none before
    /// there is one.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        Some(self.inner.ahead_ms.load(Ordering::Relaxed)).filter(|ahead| *ahead != NO_CLOCK)
    }

    /// Host and port, as messages show it.
    pub fn host(&self) -> &str {
        &self.inner.host
    }

    /// Account name, where the credentials hold one.
    pub fn user(&self) -> Option<&str> {
        match &self.inner.credentials {
            Credentials::ApiKey(_) => None,
            Credentials::Password { user, .. } => Some(user),
        }
    }

    fn proof(&self) -> Proof {
        if self.inner.proof.load(Ordering::Relaxed) == Proof::Hex as u8 { Proof::Hex } else { Proof::Token }
    }

    fn sign(&self, params: &mut Params<'_>, proof: Proof) {
        match &self.inner.credentials {
            Credentials::ApiKey(key) => params.push(("apiKey", key.clone())),
            Credentials::Password { user, password } => {
                params.push(("u", user.clone()));
                match proof {
                    Proof::Hex => params.push(("p", auth::hex_password(password))),
                    Proof::Token => {
                        let salt = auth::salt();
                        params.push(("t", auth::token(password, &salt)));
                        params.push(("s", salt));
                    }
                }
            }
        }
        params.push(("v", API_VERSION.to_owned()));
        params.push(("c", "segue".to_owned()));
    }

    fn request(
        &self,
        endpoint: &str,
        params: &[(&str, String)],
        proof: Proof,
    ) -> Result<RequestBuilder, ClientError> {
        let mut all: Params<'_> = params.to_vec();
        self.sign(&mut all, proof);
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&all).finish();
        let mut url =
            self.inner.base.join(endpoint).map_err(|error| ClientError::BadAddress(error.to_string()))?;
        if query.len() > LONGEST_QUERY || self.forms() {
            return Ok(self
                .inner
                .http
                .post(url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(query));
        }
        url.set_query(Some(&query));
        Ok(self.inner.http.get(url))
    }

    /// Sends what no address may show: a form, whatever the server takes otherwise.
    async fn post(&self, endpoint: &str, params: Params<'_>) -> Result<reqwest::Response, ClientError> {
        self.may_show_password()?;
        let mut params = params;
        params.push(("f", "json".to_owned()));
        self.sign(&mut params, self.proof());
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        let url =
            self.inner.base.join(endpoint).map_err(|error| ClientError::BadAddress(error.to_string()))?;
        let request = self.inner.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(form).send().await.map_err(|error| self.send_error(&error))
    }

    /// Asks once; when the server refuses tokens, asks again with the password where nobody can listen in, and
    /// remembers to do so.
    async fn call(&self, endpoint: &str, params: Params<'_>) -> Result<Response, ClientError> {
        let mut params = params;
        params.push(("f", "json".to_owned()));
        let proof = self.proof();
        match self.call_with(endpoint, &params, proof).await {
            Err(refusal) if self.falls_back(proof, &refusal) => {
                self.may_show_password()?;
                let answer = self.call_with(endpoint, &params, Proof::Hex).await;
                if answer.is_ok() {
                    self.inner.proof.store(Proof::Hex as u8, Ordering::Relaxed);
                }
                answer.map_err(|refusal| refusal.error)
            }
            other => other.map_err(|refusal| refusal.error),
        }
    }

    async fn call_with(
        &self,
        endpoint: &str,
        params: &[(&str, String)],
        proof: Proof,
    ) -> Result<Response, Refusal> {
        let reply = self.send(endpoint, params, &[], proof, Some(ANSWER_TIMEOUT)).await?;
        let status = reply.status();
        let retry_after = retry_after(&reply);
        let body = self.read_body(reply, LONGEST_ANSWER).await?;
        self.understand(status, retry_after, &body)
    }

    /// Sends a request, as a form where the server takes those; when something on the way does not, never again.
    async fn send(
        &self,
        endpoint: &str,
        params: &[(&str, String)],
        headers: &[(HeaderName, String)],
        proof: Proof,
        limit: Option<Duration>,
    ) -> Result<reqwest::Response, ClientError> {
        loop {
            let forms = self.forms();
            let mut request = self.request(endpoint, params, proof)?;
            for (name, value) in headers {
                request = request.header(name, value);
            }
            if let Some(limit) = limit {
                request = request.timeout(limit);
            }
            let reply = request.send().await.map_err(|error| self.send_error(&error))?;
            if let Some(ahead) = clock_ahead(&reply) {
                self.inner.ahead_ms.store(ahead, Ordering::Relaxed);
            }
            let asked = self.inner.base.join(endpoint).ok();
            let elsewhere = asked.is_some_and(|asked| {
                (asked.scheme(), asked.host(), asked.path())
                    != (reply.url().scheme(), reply.url().host(), reply.url().path())
            });
            // Who keeps the music may be another than who knows it; that says nothing about the address of the server.
            let elsewhere = elsewhere && !media::is_by_store(endpoint, &reply);
            if elsewhere {
                self.inner.redirected.store(true, Ordering::Relaxed);
            }
            if forms && (elsewhere || reply.status() == StatusCode::METHOD_NOT_ALLOWED) {
                self.use_forms(false);
                continue;
            }
            return Ok(reply);
        }
    }

    /// Whether a refusal means "no tokens here": 41 and 42 say so; servers older than tokens (1.13) miss `p`.
    fn falls_back(&self, proof: Proof, refusal: &Refusal) -> bool {
        proof == Proof::Token
            && matches!(self.inner.credentials, Credentials::Password { .. })
            && match refusal.error.code() {
                Some(ErrorCode::TokenNotSupported | ErrorCode::MechanismNotSupported) => true,
                Some(ErrorCode::MissingParameter) => is_older_than_tokens(&refusal.version),
                _ => false,
            }
    }

    fn may_show_password(&self) -> Result<(), ClientError> {
        if self.inner.private {
            Ok(())
        } else {
            Err(ClientError::UnsafePassword { host: self.inner.host.clone() })
        }
    }

    /// Sorts a body that should be an answer of the API.
    fn understand(
        &self,
        status: StatusCode,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Result<Response, Refusal> {
        let host = || self.inner.host.clone();
        let first = body
            .iter()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
        let failed_http = || ClientError::Http { host: host(), status: status.as_u16(), retry_after };
        match first {
            Some(b'{') => match Response::from_json(body) {
                Ok(response) => match refusal(&response) {
                    Some(refusal) => Err(refusal),
                    None if status.is_success() => Ok(response),
                    None => Err(failed_http().into()),
                },
                Err(_) if !status.is_success() => Err(failed_http().into()),
                Err(error) if error.is_data() && !has_envelope(body) => {
                    Err(ClientError::NotSubsonic { host: host(), what: "some other JSON".to_owned() }.into())
                }
                Err(error) => Err(ClientError::Malformed { host: host(), why: error.to_string() }.into()),
            },
            Some(b'<') => match xml_failure(body) {
                Some(refusal) => Err(refusal),
                None if !status.is_success() => Err(failed_http().into()),
                None => Err(ClientError::NotSubsonic { host: host(), what: WEB_PAGE.to_owned() }.into()),
            },
            _ if !status.is_success() => Err(failed_http().into()),
            Some(_) => Err(ClientError::NotSubsonic { host: host(), what: "plain text".to_owned() }.into()),
            None => Err(ClientError::NotSubsonic { host: host(), what: "an empty answer".to_owned() }.into()),
        }
    }

    async fn read_body(&self, mut reply: reqwest::Response, longest: usize) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| self.body_error(&error))? {
            if body.len() + chunk.len() > longest {
                let why = format!("it is longer than {} MB", longest / (1024 * 1024));
                return Err(ClientError::Malformed { host: self.inner.host.clone(), why });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn send_error(&self, error: &reqwest::Error) -> ClientError {
        let host = self.inner.host.clone();
        let why = innermost(error);
        if error.is_timeout() {
            ClientError::TimedOut { host }
        } else if let Some(why) = explain_tls(&why) {
            ClientError::Tls { host, why }
        } else if error.is_redirect() {
            ClientError::NotSubsonic { host, what: "redirects without an end".to_owned() }
        } else {
            ClientError::Unreachable { host, why }
        }
    }

    fn body_error(&self, error: &reqwest::Error) -> ClientError {
        let host = self.inner.host.clone();
        if error.is_timeout() {
            ClientError::TimedOut { host }
        } else {
            ClientError::Interrupted { host, why: innermost(error) }
        }
    }
}

/// An error with the version of the API that the server names beside it.
struct Refusal {
    error: ClientError,
    version: String,
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        Self { error, version: String::new() }
    }
}

fn refusal(response: &Response) -> Option<Refusal> {
    let error = response.error.as_ref();
    if error.is_none() && !response.failed {
        return None;
    }
    let code = error.map_or(0, |error| error.code);
    let message = error.and_then(|error| error.message.as_deref()).unwrap_or_default();
    Some(api_refusal(code, message, response.version.clone()))
}

fn api_refusal(code: i32, message: &str, version: String) -> Refusal {
    let message = crate::music::printable(message.trim());
    let message = if message.is_empty() { format!("the server refused (code {code})") } else { message };
    Refusal { error: ClientError::Api { code: ErrorCode::from_number(code), message }, version }
}

/// The error in an answer that came as XML although JSON was asked for.
fn xml_failure(body: &[u8]) -> Option<Refusal> {
    let text = String::from_utf8_lossy(body.get(..body.len().min(8192))?);
    let root = &text[text.find("<subsonic-response")?..];
    let error = &root[root.find("<error")?..];
    let error = &error[..error.find('>')?];
    let version = attribute(root, "version").unwrap_or_default();
    let code = attribute(error, "code").and_then(|code| code.parse().ok()).unwrap_or(0);
    Some(api_refusal(code, &attribute(error, "message").unwrap_or_default(), version))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}="))? + name.len() + 2;
    let rest = &tag[start..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = rest.get(1..)?.split(quote).next()?;
    let plain =
        value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Some(plain.replace("&amp;", "&"))
}

fn has_envelope(body: &[u8]) -> bool {
    body.windows(17).any(|window| window == b"subsonic-response")
}

fn is_older_than_tokens(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    major == 1 && minor < 13
}

/// The deepest cause: the system's own words, without the URL that outer errors carry.
fn innermost(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        return "the request failed".to_owned();
    };
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// What went wrong with a secure connection and what helps; `None` when it was something else.
fn explain_tls(why: &str) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let said = if says(&["certificate expired", "Expired"]) {
        "its certificate has run out; its keeper must renew it, unless this machine's clock is wrong"
    } else if says(&["not valid yet", "NotValidYet"]) {
        "its certificate is not valid yet; is this machine's clock right?"
    } else if says(&["not valid for name", "NotValidForName"]) {
        "its certificate is for another name; use the name that is in it"
    } else if says(&["UnknownIssuer", "unknown issuer", "self-signed", "CaUsedAsEndEntity"]) {
        "its certificate is signed by nobody whom this system trusts; add the signer to the system's certificates, \
         or name it in SSL_CERT_FILE"
    } else if says(&["InvalidContentType", "corrupt message"]) {
        "nobody speaks TLS there; is it an http:// address?"
    } else if says(&["certificate", "TLS", "tls", "handshake"]) {
        "check its certificate and this machine's clock"
    } else {
        return None;
    };
    Some(format!("{said} ({why})"))
}

/// How long to wait: seconds, or a date (RFC 9110, 10.2.3), which a clock that is wrong makes nothing worse than zero.
pub fn retry_after(reply: &reqwest::Response) -> Option<Duration> {
    let text = reply.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let seconds = at.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// How far the clock of whoever answered is ahead of this one, ms.
fn clock_ahead(reply: &reqwest::Response) -> Option<i64> {
    let text = reply.headers().get(DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(theirs.as_millisecond().saturating_sub(jiff::Timestamp::now().as_millisecond()))
}

fn parse_base(text: &str) -> Result<Url, ClientError> {
    let bad = |why: &str| ClientError::BadAddress(why.to_owned());
    let text = text.trim();
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else if text.is_empty() {
        return Err(bad("it is empty"));
    } else {
        let guess = Url::parse(&format!("http://{text}")).map_err(|error| bad(&error.to_string()))?;
        if is_loopback(&guess) { format!("http://{text}") } else { format!("https://{text}") }
    };
    let mut url = Url::parse(&with_scheme).map_err(|error| bad(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("name and password do not belong in it"));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/rest").unwrap_or(path);
    let path = format!("{path}/rest/");
    url.set_path(&path);
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// A client for another service at this address, whose secrets go nowhere else: it follows no redirect, and an answer that
/// asks for one is given as it is.
pub fn http_for(address: &Url) -> Result<reqwest::Client, ClientError> {
    build_http(is_loopback(address), address.scheme() == "https", 0)
}

/// What went wrong with a request to another service, in words without its address: the address may hold a secret.
pub fn http_trouble(error: &reqwest::Error) -> String {
    let why = innermost(error);
    explain_tls(&why).unwrap_or(why)
}

/// The HTTP half. A proxy never stands between this machine and itself; and where no TLS will be spoken, a
/// machine without root certificates must work too.
fn build_http(loopback: bool, secure: bool, redirects: usize) -> Result<reqwest::Client, ClientError> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error means that the program chose one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("segue/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .redirect(match redirects {
                0 => reqwest::redirect::Policy::none(),
                most => reqwest::redirect::Policy::limited(most),
            })
            .referer(false);
        if loopback { builder.no_proxy() } else { builder }
    };
    let built = if loopback && !secure {
        builder().tls_certs_only([]).build()
    } else {
        match builder().build() {
            Err(_) if !secure => builder().tls_certs_only([]).build(),
            built => built,
        }
    };
    built.map_err(|error| ClientError::Tls { host: "this machine".to_owned(), why: innermost(&error) })
}
