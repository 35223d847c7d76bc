-- What tracks sound like, by analysis of their samples. version says by which formulas; size is that of the file that was
-- heard, to know when it is another; error says why nothing could be heard. loudness is LUFS, peak 1.0 = full scale;
-- blocks counts the gating blocks by loudness, from which the loudness of a whole album follows. body is JSON, vector the
-- descriptors as f32, eight hexadecimal digits each.
CREATE TABLE sonic (
    track_id TEXT NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    size BIGINT NOT NULL,
    error TEXT,
    loudness DOUBLE PRECISION,
    peak DOUBLE PRECISION,
    blocks TEXT NOT NULL,
    body TEXT NOT NULL,
    vector TEXT NOT NULL
);
CREATE INDEX sonic_by_version ON sonic (version, track_id);

-- Loudness as measured, for where the tags say nothing. Scans leave these alone.
ALTER TABLE tracks ADD COLUMN heard_track_gain DOUBLE PRECISION;
ALTER TABLE tracks ADD COLUMN heard_album_gain DOUBLE PRECISION;
ALTER TABLE tracks ADD COLUMN heard_track_peak DOUBLE PRECISION;
ALTER TABLE tracks ADD COLUMN heard_album_peak DOUBLE PRECISION;
