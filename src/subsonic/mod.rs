//! Floor 1: the wire between players and servers, in both directions.
//!
//! One set of types ([`types`], [`response`]) describes every answer of the OpenSubsonic API. The server fills
//! them and writes JSON by serde or XML by [`xml`]; the [`Client`] reads them. They are exact when written and
//! forgiving when read ([`lenient`]), because servers in the wild send numbers as strings, one object where a
//! list is due, and leave out what they please. [`convert`] turns them into the words of `music` and back;
//! [`auth`] holds what both ends compute to prove who is asking.
//!
//! ```text
//! music::Track ── convert ──▶ types::Child ── serde ──▶ JSON ──▶ HTTP ──▶ Client ── convert ──▶ music::Track
//!                                        └─── xml ────▶ XML
//! ```

pub mod auth;
mod client;
pub mod convert;
mod details;
pub mod devices;
mod error;
pub mod insights;
pub(crate) mod lenient;
pub mod lyrics;
pub mod plans;
pub mod playing;
pub mod response;
pub mod serving;
mod songs;
pub mod transcoding;
pub mod types;
pub mod xml;

pub use auth::Credentials;
pub use client::{Client, PlaybackReport, PlaylistChange, ServerInfo, StreamOptions, StreamReply};
pub use client::{http_for, http_trouble, retry_after};
pub use error::{ClientError, ErrorCode};
pub use response::{Body, Response};

/// The version of the Subsonic API that this crate speaks.
pub const API_VERSION: &str = "1.16.1";
