//! Floor 2: a listener's session with one server.
//!
//! A [`Session`] runs three tasks over one `Link`, which wraps the `subsonic` client and learns from every request
//! how the connection is. The keeper (`session`) logs in, notices when the server is gone and when it is back. The
//! sync (`sync`) copies the server's catalogue, stars, ratings and playlists into the local catalog and looks for
//! news. The outbox (`outbox`) sends what the listener changed, in order. Beside them the session gives the cache
//! its bytes (`source`), brings what is pinned (`downloads`) and gives the screens their pictures (`covers`) and
//! lyrics (`lyrics`), knows what the listener's plan allows (`plans`), and reaches the account's other players (`devices`). Everything that a screen shows of all this is one
//! [`SessionStatus`].
//!
//! ```text
//!   server ◀──▶ Link ──▶ SessionStatus ──▶ screens
//!                ├─ sync ────▶ catalog ──▶ screens (catalog_generation)
//!                ├─ outbox ◀── catalog ◀── what the listener does
//!                ├─ source ──▶ cache ──▶ sound
//!                │               ▲
//!                ├─ downloads ───┘ ◀── pins of the catalog
//!                └─ covers ──▶ screens
//! ```

mod conflict;
mod covers;
mod devices;
mod downloads;
mod insights;
mod link;
mod lyrics;
mod outbox;
mod plans;
mod session;
mod source;
mod status;
mod sync;

pub use downloads::{Ahead, Download, DownloadStatus, Downloads, Kept, barred};
pub use plans::Allowed;
pub use session::{Options, Pace, Session};
pub use status::{Connection, SessionStatus, SyncState};
