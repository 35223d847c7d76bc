//! Segue, a streaming service that fits in a terminal. One line for each room, in the order of the floors;
//! a room imports only from lower floors. `docs/ARCHITECTURE.md` has the map with its reasons.

// Floor 0: the words.
pub mod music;

// Floor 1: each knows one thing and none of the others.
pub mod audio;
pub mod cache;
pub mod catalog;
pub mod subsonic;
pub mod taste;

// Between them: puts rooms of floor 1 together, for both halves of the program.
pub mod analysis;
pub mod mixing;

// Floor 2: what the two halves of the program do.
pub mod client;
pub mod player;
pub mod scrobble;
pub mod server;

// Floor 3: what people touch.
pub mod cli;
pub mod tui;
