//! Identifiers. They are opaque strings: a server chooses them, nobody takes them apart.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text that a server uses as this id.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as it stands on the wire and in SQL.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Gives the text away.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// One recording in a library.
    TrackId
);
id!(
    /// One release: the tracks that belong together under a title and an album artist.
    AlbumId
);
id!(
    /// One performer or group.
    ArtistId
);
id!(
    /// One listener's ordered list of tracks.
    PlaylistId
);
id!(
    /// One picture, as `getCoverArt` understands it.
    CoverId
);
id!(
    /// One listener's account on a server. A player's local catalog has exactly one.
    AccountId
);
