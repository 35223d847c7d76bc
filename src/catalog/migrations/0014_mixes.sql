-- Playlists that were made for a listener, in the order of their showing, each track with its reason.
CREATE TABLE mixes (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    place BIGINT NOT NULL,
    name TEXT NOT NULL,
    about TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE TABLE mix_tracks (
    account_id TEXT NOT NULL,
    mix_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    track_id TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (account_id, mix_id, place)
);

-- What they were made of, to know when they are old: day is the listener's day since 1970, part the part of it, and then how
-- many plays, tracks and analysed sounds there were.
CREATE TABLE mixes_made (
    account_id TEXT NOT NULL PRIMARY KEY,
    made_at BIGINT NOT NULL,
    day BIGINT NOT NULL,
    part TEXT NOT NULL,
    plays BIGINT NOT NULL,
    tracks BIGINT NOT NULL,
    sounds BIGINT NOT NULL
);
