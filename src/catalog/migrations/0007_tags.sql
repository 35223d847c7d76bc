-- More of what tags say. detail is what a performer plays; a role is a word as OpenSubsonic has it ('albumartist', 'composer',
-- 'conductor', 'performer', …).
ALTER TABLE track_artists ADD COLUMN detail TEXT;

-- explicit is 'explicit', 'clean' or NULL; dates are as ISO 8601 as far as they are known ('1999', '1999-05', '1999-05-04').
ALTER TABLE tracks ADD COLUMN sort_title TEXT;
ALTER TABLE tracks ADD COLUMN bpm BIGINT;
ALTER TABLE tracks ADD COLUMN explicit TEXT;
ALTER TABLE tracks ADD COLUMN original_date TEXT;
ALTER TABLE tracks ADD COLUMN comment TEXT;

ALTER TABLE albums ADD COLUMN sort_title TEXT;
ALTER TABLE albums ADD COLUMN version TEXT;
ALTER TABLE albums ADD COLUMN explicit TEXT;
ALTER TABLE albums ADD COLUMN original_date TEXT;
ALTER TABLE albums ADD COLUMN release_date TEXT;

-- What an item may have several of. kind for tracks: 'mood', 'work', 'movement', 'grouping', 'isrc', 'disc', and ids of MusicBrainz:
-- 'mb-track', 'mb-work'; for albums: 'mood', 'label', 'type', 'disc' (the title of the disc whose number is position),
-- 'mb-group'.
CREATE TABLE track_facts (
    track_id TEXT NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    position BIGINT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (track_id, kind, position)
);
CREATE INDEX track_facts_by_value ON track_facts (kind, value, track_id);

CREATE TABLE album_facts (
    album_id TEXT NOT NULL REFERENCES albums (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    position BIGINT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (album_id, kind, position)
);
CREATE INDEX album_facts_by_value ON album_facts (kind, value, album_id);

-- Lyrics of a track, the best first; body is a music::Lyrics as JSON.
CREATE TABLE lyrics (
    track_id TEXT NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (track_id, position)
);
