//! Floor 2: the headless heart.
