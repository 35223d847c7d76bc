//! The server from outside: a real one on a loopback port over real (small) files, asked by our own client and by
//! plain HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "server_http/accounts.rs"]
mod accounts;
#[path = "server_http/ads.rs"]
mod ads;
#[path = "server_http/advisories.rs"]
mod advisories;
#[path = "server_http/browse.rs"]
mod browse;
#[path = "server_http/cue.rs"]
mod cue;
#[path = "common/database.rs"]
mod database;
#[path = "server_http/devices.rs"]
mod devices;
#[path = "server_http/folders.rs"]
mod folders;
#[path = "server_http/hall.rs"]
mod hall;
#[path = "server_http/health.rs"]
mod health;
#[path = "server_http/hostile.rs"]
mod hostile;
#[path = "server_http/house.rs"]
mod house;
#[path = "server_http/insights.rs"]
mod insights;
#[path = "server_http/jobs.rs"]
mod jobs;
#[path = "server_http/left_off.rs"]
mod left_off;
#[path = "server_http/load.rs"]
mod load;
#[path = "server_http/marks.rs"]
mod marks;
#[path = "server_http/media.rs"]
mod media;
#[path = "server_http/mixes.rs"]
mod mixes;
#[path = "server_http/offers.rs"]
mod offers;
#[path = "server_http/people.rs"]
mod people;
#[path = "server_http/plans.rs"]
mod plans;
#[path = "server_http/plans_cli.rs"]
mod plans_cli;
#[path = "server_http/playlists.rs"]
mod playlists;
#[path = "server_http/privacy.rs"]
mod privacy;
#[path = "server_http/rights.rs"]
mod rights;
#[path = "server_http/shapes.rs"]
mod shapes;
#[path = "server_http/tls.rs"]
mod tls;
#[path = "server_http/wire.rs"]
mod wire;
