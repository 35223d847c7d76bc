-- What one listener wants to have on this machine. kind is 'track', 'album', 'artist', 'playlist', or 'starred' (with an
-- empty item_id): everything starred. Which tracks that means is worked out when it is asked for, so that it stays
-- in step with its source.
CREATE TABLE pins (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    item_id TEXT NOT NULL,
    pinned_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, item_id)
);
