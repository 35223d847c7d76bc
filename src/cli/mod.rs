//! Floor 3: the commands.
