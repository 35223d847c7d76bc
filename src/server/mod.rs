//! Floor 2: the streaming server.
