//! What goes wrong on the wire.

use std::time::Duration;

use thiserror::Error;

/// The error codes of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// 0: anything without a code of its own.
    Generic,
    /// 10: a parameter is missing.
    MissingParameter,
    /// 20: the client is too old.
    ClientTooOld,
    /// 30: the server is too old.
    ServerTooOld,
    /// 40: wrong user name or password.
    WrongCredentials,
    /// 41: no token authentication for this account.
    TokenNotSupported,
    /// 42: this way to authenticate is not supported.
    MechanismNotSupported,
    /// 43: several ways to authenticate at once.
    ConflictingMechanisms,
    /// 44: unknown API key.
    InvalidApiKey,
    /// 50: not allowed for this account.
    NotAuthorized,
    /// 60: the trial is over.
    TrialOver,
    /// 70: there is no such thing.
    NotFound,
    /// A code that the specification does not know.
    Other(i32),
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn number(self) -> i32 {
        match self {
            Self::Generic => 0,
            Self::MissingParameter => 10,
            Self::ClientTooOld => 20,
            Self::ServerTooOld => 30,
            Self::WrongCredentials => 40,
            Self::TokenNotSupported => 41,
            Self::MechanismNotSupported => 42,
            Self::ConflictingMechanisms => 43,
            Self::InvalidApiKey => 44,
            Self::NotAuthorized => 50,
            Self::TrialOver => 60,
            Self::NotFound => 70,
            Self::Other(number) => number,
        }
    }

    /// The code behind a number.
    pub const fn from_number(number: i32) -> Self {
        match number {
            0 => Self::Generic,
            10 => Self::MissingParameter,
            20 => Self::ClientTooOld,
            30 => Self::ServerTooOld,
            40 => Self::WrongCredentials,
            41 => Self::TokenNotSupported,
            42 => Self::MechanismNotSupported,
            43 => Self::ConflictingMechanisms,
            44 => Self::InvalidApiKey,
            50 => Self::NotAuthorized,
            60 => Self::TrialOver,
            70 => Self::NotFound,
            other => Self::Other(other),
        }
    }
}

/// Why a server could not give what was asked. No variant ever holds a URL, because URLs hold secrets.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not one of a server.
    #[error("this is not a server's address ({0}); write it like https://music.example.org")]
    BadAddress(String),
    /// No connection came about.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The cause in the system's words.
        why: String,
    },
    /// A connection came about and then nothing more.
    #[error("{host} took too long to answer")]
    TimedOut {
        /// Host and port.
        host: String,
    },
    /// The answer broke off.
    #[error("the connection to {host} broke off: {why}")]
    Interrupted {
        /// Host and port.
        host: String,
        /// The cause in the system's words.
        why: String,
    },
    /// The secure connection failed.
    #[error("the secure connection to {host} failed: {why}")]
    Tls {
        /// Host and port.
        host: String,
        /// The cause and what helps, with the words of TLS.
        why: String,
    },
    /// The server would need the password itself over a connection that everybody can read.
    #[error(
        "{host} wants the password itself and the connection is not encrypted; use its https address or an API key"
    )]
    UnsafePassword {
        /// Host and port.
        host: String,
    },
    /// An HTTP status without an answer of the API behind it.
    #[error("{host} answered with HTTP status {status}")]
    Http {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// Something answered that is not a Subsonic server.
    #[error("{}", not_subsonic(host, what))]
    NotSubsonic {
        /// Host and port.
        host: String,
        /// What came instead.
        what: String,
    },
    /// The server said no.
    #[error("{message}")]
    Api {
        /// The specification's code.
        code: ErrorCode,
        /// The server's words.
        message: String,
    },
    /// The answer could not be read.
    #[error("the answer of {host} could not be read: {why}")]
    Malformed {
        /// Host and port.
        host: String,
        /// Where and why.
        why: String,
    },
}

/// A page where an answer should be is most often the page of a hotel or a train that wants its guests to sign in.
fn not_subsonic(host: &str, what: &str) -> String {
    if what == WEB_PAGE {
        format!(
            "{host} answers with {what}: this network may want you to sign in first (open any page in a browser), \
             or the address is not that of a Subsonic server"
        )
    } else {
        format!("{host} does not answer like a Subsonic server ({what}); is the address right?")
    }
}

/// What came instead, in the words of [`ClientError::NotSubsonic`], when it was HTML.
pub(super) const WEB_PAGE: &str = "a web page";

impl ClientError {
    /// Whether the way to the server is to blame, so that the same request may work later.
    pub fn is_network(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Interrupted { .. }
            | Self::Tls { .. } => true,
            Self::Http { status, .. } => matches!(status, 408 | 429 | 502..=504),
            _ => false,
        }
    }

    /// The specification's code when the server itself said no.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Api { code, .. } => Some(*code),
            _ => None,
        }
    }
}
