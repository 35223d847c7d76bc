-- Where each listener left off, for another of their players: track_ids is a JSON array in the order of the queue, which may hold
-- a track twice. A track that is gone stays in it and is left out when it is read.
CREATE TABLE play_queues (
    account_id TEXT NOT NULL PRIMARY KEY,
    track_ids TEXT NOT NULL,
    current_index BIGINT NOT NULL,
    position_ms BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);

-- A place in a long track that a listener wants to come back to.
CREATE TABLE bookmarks (
    account_id TEXT NOT NULL,
    track_id TEXT NOT NULL,
    position_ms BIGINT NOT NULL,
    comment TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, track_id)
);
