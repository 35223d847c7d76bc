//! Floor 2: a listener's session with one server.
