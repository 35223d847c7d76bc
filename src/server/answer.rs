//! How every answer leaves the server: one place for formats, headers and refusals.
//!
//! A handler gives an [`Answer`] or a [`Refusal`]; both become an envelope in the format that the request asked
//! for. Nothing else ever makes an error body.

use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode};

use bytes::Bytes;

use super::params::Params;
use super::storage::Trouble;
use crate::catalog::CatalogError;
use crate::subsonic::{Body, ErrorCode, Response};

/// When to ask again for what a store or the database did not give.
const STORE_AGAIN: Duration = Duration::from_secs(5);

/// What a handler has to say.
pub(crate) enum Answer {
    /// Done; there is nothing to tell.
    Done,
    /// A body in an envelope.
    Body(Box<Body>),
    /// An envelope as it goes out.
    Written(Written),
    /// Bytes of their own: media and pictures.
    Raw(HttpResponse<HttpBody>),
}

/// An envelope in the format that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    kind: &'static str,
    /// All of it.
    pub(crate) text: Bytes,
}

impl Written {
    /// Writes an envelope.
    pub(crate) fn of(format: &Format, envelope: &Response) -> Result<Self, Refusal> {
        let text = match format {
            Format::Xml => envelope.to_xml().map_err(|e| e.to_string()),
            Format::Json => envelope.to_json().map_err(|e| e.to_string()),
            Format::JsonP(callback) => {
                envelope.to_json().map(|text| format!("/**/{callback}({text});")).map_err(|e| e.to_string())
            }
        };
        let kind = match format {
            Format::Xml => "text/xml; charset=utf-8",
            Format::Json => "application/json",
            Format::JsonP(_) => "text/javascript; charset=utf-8",
        };
        match text {
            Ok(text) => Ok(Self { kind, text: text.into() }),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                let refusal =
                    Refusal::new(ErrorCode::Generic, "the server could not do this; its log says why");
                Err(refusal.with_status(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }
}

impl From<Body> for Answer {
    fn from(body: Body) -> Self {
        Self::Body(Box::new(body))
    }
}

/// Why a request gets no answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: ErrorCode,
    message: String,
    status: StatusCode,
    wait: Option<Duration>,
    /// Whether the database does not answer.
    no_database: bool,
    /// Whether the same works at once when it is tried once more.
    again: bool,
}

impl Refusal {
    /// A refusal in an ordinary envelope with HTTP status 200, as the API has it.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            status: StatusCode::OK,
            wait: None,
            no_database: false,
            again: false,
        }
    }

    /// Error 70.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no such {what}"))
    }

    /// Error 50.
    pub(crate) fn not_allowed() -> Self {
        Self::new(ErrorCode::NotAuthorized, "this account may not do that")
    }

    /// With an HTTP status of its own.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Too much for now.
    pub(crate) fn slow_down(code: ErrorCode, wait: Duration) -> Self {
        let minutes = wait.as_secs().div_ceil(60);
        let message = format!("too many failed log-ins; try again in {minutes} min");
        Self { wait: Some(wait), ..Self::new(code, message).with_status(StatusCode::TOO_MANY_REQUESTS) }
    }

    /// What is wanted is in a store that does not give it.
    pub(crate) fn by_store(trouble: &Trouble, what: &str) -> Self {
        match trouble {
            Trouble::Absent => Self::not_found(what),
            Trouble::Changed => Self::away(format!("this {what} is being changed; try again in a moment")),
            // The log has what the operator must know, and clients need not.
            Trouble::Refused(why) => {
                tracing::error!(why, "a store refuses");
                Self::away(format!("this server cannot read this {what} from its store; its log says why"))
            }
            Trouble::Away(why) => {
                tracing::debug!(why, "a store is away");
                Self::away(format!("the store that this {what} is in does not answer; try again in a moment"))
            }
        }
    }

    /// The server has too much to do for this.
    pub(crate) fn busy(what: &str, wait: Duration) -> Self {
        let seconds = wait.as_secs();
        let message = format!("this server has much to do and {what} for a moment; try again in {seconds} s");
        Self { wait: Some(wait), ..Self::away(message) }
    }

    /// The database does not answer, and is to be left alone for so long.
    pub(crate) fn no_database(wait: Duration) -> Self {
        let away = Self::away("this server's database does not answer; try again in a moment".to_owned());
        Self { wait: Some(wait), no_database: true, ..away }
    }

    /// Whether the database did not answer.
    pub(crate) const fn is_for_want_of_database(&self) -> bool {
        self.no_database
    }

    /// Whether the same works when it is tried once more.
    pub(crate) const fn is_to_be_tried_again(&self) -> bool {
        self.again
    }

    /// Whether what is wanted is there, but not to be had at the moment.
    pub(crate) fn is_away(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }

    fn away(message: String) -> Self {
        let refusal = Self::new(ErrorCode::Generic, message).with_status(StatusCode::SERVICE_UNAVAILABLE);
        Self { wait: Some(STORE_AGAIN), ..refusal }
    }

    /// The server's own fault: the log gets the cause, the client does not.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "a request failed");
        Self::new(ErrorCode::Generic, "the server could not do this; its log says why")
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound { what, .. } => Self::not_found(what),
            CatalogError::Invalid(message) => Self::new(ErrorCode::Generic, message),
            other if other.is_away() => {
                tracing::debug!(error = %other, "the database is away");
                Self::no_database(STORE_AGAIN)
            }
            other if other.is_outdated() => Self { again: true, ..Self::internal(&other) },
            other => Self::internal(&other),
        }
    }
}

/// How a client wants its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// The default.
    Xml,
    /// `f=json`.
    Json,
    /// `f=jsonp`: JSON in a call of this function.
    JsonP(String),
}

impl Format {
    /// The format that a request asks for; a callback that is no plain name is refused, because it would run in
    /// somebody's browser.
    pub(crate) fn of(params: &Params) -> Result<Self, Refusal> {
        match params.get("f") {
            Some("json") => Ok(Self::Json),
            Some("jsonp") => {
                let callback = params.required("callback")?;
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
                if callback.len() <= 64 && callback.chars().all(plain) {
                    Ok(Self::JsonP(callback.to_owned()))
                } else {
                    Err(Refusal::new(
                        ErrorCode::Generic,
                        "the parameter “callback” is not the name of a function",
                    ))
                }
            }
            _ => Ok(Self::Xml),
        }
    }
}

/// The HTTP response for what a handler said.
pub(crate) fn respond(format: &Format, said: Result<Answer, Refusal>) -> HttpResponse<HttpBody> {
    let (written, status, wait) = match said {
        Ok(Answer::Raw(response)) => return with_house_rules(response),
        Ok(Answer::Written(written)) => (Ok(written), StatusCode::OK, None),
        Ok(Answer::Done) => (Written::of(format, &Response::ok(None)), StatusCode::OK, None),
        Ok(Answer::Body(body)) => (Written::of(format, &Response::ok(Some(*body))), StatusCode::OK, None),
        Err(refusal) => {
            let envelope = Response::failed(refusal.code, refusal.message);
            (Written::of(format, &envelope), refusal.status, refusal.wait)
        }
    };
    let mut response = match written {
        Ok(Written { kind, text }) => {
            let mut response = HttpResponse::new(HttpBody::from(text));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            *response.status_mut() = status;
            response
        }
        Err(refusal) => {
            let mut response = HttpResponse::new(HttpBody::empty());
            *response.status_mut() = refusal.status;
            response
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    with_house_rules(response)
}

/// Addresses hold secrets, so no page that shows an answer may pass its address on; no browser may guess that a song is
/// a script; and nothing here is made to be framed or to load anything, but a share's page, which has rules of its own.
pub(crate) fn with_house_rules(mut response: HttpResponse<HttpBody>) -> HttpResponse<HttpBody> {
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    let closed = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(closed);
    response
}
