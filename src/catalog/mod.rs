//! Floor 1: what is known about the music and the listening.
