-- What an account may do beside administering: words separated by spaces (stream download playlist share jukebox).
ALTER TABLE accounts ADD COLUMN roles TEXT NOT NULL DEFAULT 'stream download playlist share jukebox';

-- When a key was last good for something, Unix time in ms, kept to the hour.
ALTER TABLE api_keys ADD COLUMN used_at BIGINT;

-- Who did what to accounts, keys and shares.
CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    deed TEXT NOT NULL,
    subject TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);

-- Music that is open to who knows the secret in its address. item_ids is a JSON array of ids of tracks, albums, artists
-- or playlists in order; what they hold is worked out when somebody looks.
CREATE TABLE shares (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    secret TEXT NOT NULL UNIQUE,
    item_ids TEXT NOT NULL,
    description TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    visited_at BIGINT,
    visits BIGINT NOT NULL
);

-- Internet radio, for everybody.
CREATE TABLE radio_stations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    stream_url TEXT NOT NULL,
    home_page_url TEXT
);
