//! Floor 1: the wire. One set of request and response types used by both ends.
