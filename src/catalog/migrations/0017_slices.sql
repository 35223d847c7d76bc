-- Tracks that are a part of a file, as a cue sheet divides it. whole_id is what files.track_id says of that file, whether or not
-- there is a track of that id; number is that of the track in the sheet. Frames are counted from the beginning of the file's
-- music, end_frame is the one behind the last; rate is frames a second, bits those of a sample when the part is sent.
CREATE TABLE slices (
    track_id TEXT NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    whole_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    first_frame BIGINT NOT NULL,
    end_frame BIGINT NOT NULL,
    rate BIGINT NOT NULL,
    channels BIGINT NOT NULL,
    bits BIGINT NOT NULL
);
CREATE INDEX slices_by_whole ON slices (whole_id, number);
