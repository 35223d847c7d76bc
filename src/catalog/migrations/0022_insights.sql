-- Statistics read every play of a listener in a stretch of time and nothing else of it: this index has all that they need, so
-- that the rows themselves are not visited. It does what the one before it did.
CREATE INDEX plays_by_moment ON plays (account_id, started_at, track_id, heard_ms, offset_minutes, device);
DROP INDEX plays_by_time;

-- The scores of a sound as numbers, beside its body, so that they can be averaged over what was heard.
ALTER TABLE sonic ADD COLUMN energy DOUBLE PRECISION;
ALTER TABLE sonic ADD COLUMN brightness DOUBLE PRECISION;
ALTER TABLE sonic ADD COLUMN calm DOUBLE PRECISION;
ALTER TABLE sonic ADD COLUMN danceability DOUBLE PRECISION;

-- For new releases.
CREATE INDEX plays_by_track ON plays (track_id, started_at);

-- What a server did on a day (since 1970, UTC), summed over everybody: bytes of songs that left, how many answers and how many
-- conversions were asked for, and how many of those had been kept from before.
CREATE TABLE served_days (
    day BIGINT NOT NULL PRIMARY KEY,
    bytes BIGINT NOT NULL,
    answers BIGINT NOT NULL,
    answers_kept BIGINT NOT NULL,
    transcodes BIGINT NOT NULL,
    transcodes_kept BIGINT NOT NULL
);

-- Searches without a result, by day and folded words; no account. people is the number of different listeners, 0 while
-- the day lasts.
CREATE TABLE search_misses (
    day BIGINT NOT NULL,
    query TEXT NOT NULL,
    searches BIGINT NOT NULL,
    people BIGINT NOT NULL,
    PRIMARY KEY (day, query)
);
-- Who they were, as hashes with the day's own salt. Salt and hashes are gone when the day is over and they were counted.
CREATE TABLE search_missers (
    day BIGINT NOT NULL,
    query TEXT NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (day, query, person)
);
CREATE TABLE search_salts (
    day BIGINT NOT NULL PRIMARY KEY,
    salt TEXT NOT NULL
);
