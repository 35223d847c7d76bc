//! Floor 1: bytes to sound.
