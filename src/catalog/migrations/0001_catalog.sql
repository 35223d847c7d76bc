-- The first shape of the catalog. The text is meant for SQLite and PostgreSQL alike: identifiers are TEXT made by the
-- program, times are BIGINT Unix milliseconds, JSON is TEXT; no sequences, no triggers. Tables of one listener
-- have account_id first in their key. Columns named *_fold hold music::fold of their neighbour, to compare and to
-- sort by. fingerprint is a hash of what was applied last, so that an unchanged row is not written again.

CREATE TABLE artists (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_fold TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    sort_fold TEXT NOT NULL,
    album_count BIGINT NOT NULL DEFAULT 0,
    cover_id TEXT,
    musicbrainz_id TEXT,
    fingerprint BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX artists_by_name ON artists (name_fold, id);
CREATE INDEX artists_by_sort ON artists (sort_fold, id);

CREATE TABLE albums (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    title_fold TEXT NOT NULL,
    artist TEXT NOT NULL,
    artist_fold TEXT NOT NULL,
    year BIGINT,
    track_count BIGINT NOT NULL DEFAULT 0,
    duration_ms BIGINT NOT NULL DEFAULT 0,
    cover_id TEXT,
    compilation BOOLEAN NOT NULL DEFAULT FALSE,
    musicbrainz_id TEXT,
    added_at BIGINT NOT NULL DEFAULT 0,
    fingerprint BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX albums_by_title ON albums (title_fold, id);
CREATE INDEX albums_by_artist ON albums (artist_fold, title_fold, id);
CREATE INDEX albums_by_added ON albums (added_at, id);
CREATE INDEX albums_by_year ON albums (year, title_fold, id);

-- role: 'artist' today; 'composer', 'conductor' and so on have room here.
CREATE TABLE album_artists (
    album_id TEXT NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    position BIGINT NOT NULL,
    artist_id TEXT NOT NULL REFERENCES artists (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (album_id, role, position)
);
CREATE INDEX album_artists_by_artist ON album_artists (artist_id, role, album_id);

CREATE TABLE album_genres (
    album_id TEXT NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    genre TEXT NOT NULL,
    PRIMARY KEY (album_id, position)
);
CREATE INDEX album_genres_by_genre ON album_genres (genre, album_id);

CREATE TABLE tracks (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    title_fold TEXT NOT NULL,
    album_id TEXT REFERENCES albums (id) ON DELETE SET NULL,
    album TEXT NOT NULL,
    artist TEXT NOT NULL,
    album_artist TEXT NOT NULL,
    disc BIGINT,
    number BIGINT,
    year BIGINT,
    duration_ms BIGINT NOT NULL,
    size BIGINT NOT NULL,
    suffix TEXT NOT NULL,
    content_type TEXT NOT NULL,
    bit_rate BIGINT,
    sample_rate BIGINT,
    bit_depth BIGINT,
    channels BIGINT,
    track_gain DOUBLE PRECISION,
    album_gain DOUBLE PRECISION,
    track_peak DOUBLE PRECISION,
    album_peak DOUBLE PRECISION,
    cover_id TEXT,
    musicbrainz_id TEXT,
    added_at BIGINT NOT NULL,
    fingerprint BIGINT NOT NULL
);
CREATE INDEX tracks_by_album ON tracks (album_id, disc, number);
CREATE INDEX tracks_by_title ON tracks (title_fold, id);
CREATE INDEX tracks_by_added ON tracks (added_at, id);

CREATE TABLE track_artists (
    track_id TEXT NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    position BIGINT NOT NULL,
    artist_id TEXT NOT NULL REFERENCES artists (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (track_id, role, position)
);
CREATE INDEX track_artists_by_artist ON track_artists (artist_id, role, track_id);

CREATE TABLE track_genres (
    track_id TEXT NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    genre TEXT NOT NULL,
    PRIMARY KEY (track_id, position)
);
CREATE INDEX track_genres_by_genre ON track_genres (genre, track_id);

-- What a scanner knows of the files of its roots. kind is 'audio' or 'image'; path is written as catalog::files says;
-- digest is a hash of the tags, to know a file again that moved; error says why there is no track.
CREATE TABLE files (
    path TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    modified_ms BIGINT NOT NULL,
    track_id TEXT,
    cover_id TEXT,
    digest TEXT,
    error TEXT
);
CREATE INDEX files_by_track ON files (track_id);
CREATE INDEX files_by_cover ON files (cover_id, kind);

-- One listener's stars, ratings and play counts. kind is 'track', 'album' or 'artist'. Rows outlive their item on
-- purpose: a disk that comes back finds its stars.
CREATE TABLE marks (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    item_id TEXT NOT NULL,
    starred_at BIGINT,
    rating BIGINT NOT NULL DEFAULT 0,
    play_count BIGINT NOT NULL DEFAULT 0,
    played_at BIGINT,
    PRIMARY KEY (account_id, kind, item_id)
);
CREATE INDEX marks_by_star ON marks (account_id, kind, starred_at);
CREATE INDEX marks_by_play ON marks (account_id, kind, played_at);

CREATE TABLE plays (
    account_id TEXT NOT NULL,
    track_id TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    heard_ms BIGINT NOT NULL,
    start_reason TEXT NOT NULL,
    end_reason TEXT NOT NULL,
    PRIMARY KEY (account_id, track_id, started_at)
);
CREATE INDEX plays_by_time ON plays (account_id, started_at);

CREATE TABLE playlists (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    comment TEXT NOT NULL,
    owner TEXT NOT NULL,
    public BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX playlists_by_id ON playlists (id);

-- Entries may name tracks that are not here (not yet synced, on a disk that is away): they keep their place.
CREATE TABLE playlist_tracks (
    account_id TEXT NOT NULL,
    playlist_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    track_id TEXT NOT NULL,
    PRIMARY KEY (account_id, playlist_id, position),
    FOREIGN KEY (account_id, playlist_id) REFERENCES playlists (account_id, id) ON DELETE CASCADE
);

-- What the listener changed and the server does not know yet, in order. body is a catalog::Change as JSON;
-- subject is what the change is about, to find and to merge changes of the same thing.
CREATE TABLE outbox (
    sequence BIGINT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX outbox_by_subject ON outbox (account_id, subject);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
