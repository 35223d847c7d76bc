-- By which reader of tags a file was read: one that was read by an older one is read once more.
ALTER TABLE files ADD COLUMN reader BIGINT NOT NULL DEFAULT 0;

-- What an artist is in the library: words as track_artists.role has them, separated by spaces. Worked out after a scan.
ALTER TABLE artists ADD COLUMN roles TEXT NOT NULL DEFAULT '';
