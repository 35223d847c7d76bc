-- What has changed since the search index was built, so that it follows: an item (account_id empty), or one listener's marks of
-- it. kind is 'track', 'album', 'artist', or 'all' where so much changed that the index is built again. The newest
-- row always stays, so that no sequence is used twice.
CREATE TABLE search_log (
    sequence BIGINT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    item_id TEXT NOT NULL,
    account_id TEXT NOT NULL
);

-- The index was in the database before.
DROP TABLE IF EXISTS search_artists;
DROP TABLE IF EXISTS search_artists_keys;
DROP TABLE IF EXISTS search_albums;
DROP TABLE IF EXISTS search_albums_keys;
DROP TABLE IF EXISTS search_tracks;
DROP TABLE IF EXISTS search_tracks_keys;
DELETE FROM settings WHERE name = 'search.version';
