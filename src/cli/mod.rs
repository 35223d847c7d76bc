//! Floor 3: the commands.
pub mod config;
pub mod paths;
