//! Cue sheets: texts that divide a file into tracks, or say more about files that are tracks.
//!
//! `sheet` reads a text, `beside` finds out which files of a folder the sheets there mean, and `pieces` makes of a file's tags and
//! a sheet what is known of each track. How the tracks are served is `server::slice`'s business.

mod beside;
mod pieces;
mod sheet;

pub(super) use beside::{Outcome, Sheets};
pub(super) use pieces::{divided, id_of};
pub(in crate::server) use sheet::try_read as try_cue;
