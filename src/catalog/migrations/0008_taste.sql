-- Where and how a play came about: minutes that the listener's clock was ahead of UTC, the device, and what it was played
-- from (an album, a mix, an import); empty where nobody knows.
ALTER TABLE plays ADD COLUMN offset_minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE plays ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE plays ADD COLUMN source TEXT NOT NULL DEFAULT '';

-- What a listener wants less of. kind is 'track' or 'artist'.
CREATE TABLE less (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    item_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, item_id)
);

-- Who does not want to be profiled: nothing is learned from them, and nothing is made of what they hear.
CREATE TABLE unprofiled (
    account_id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
