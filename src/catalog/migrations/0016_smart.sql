-- Smart playlists: their tracks follow rules. The mark stands with the playlist, so that a player knows it of those of its server;
-- rules (catalog::smart::Rules as JSON) are there where the playlist is worked out. file is where the rules were read
-- from, in the form of catalog::files, and empty where a listener made them.
ALTER TABLE playlists ADD COLUMN smart BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE smart_playlists (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    rules TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, id) REFERENCES playlists (account_id, id) ON DELETE CASCADE
);
CREATE INDEX smart_playlists_by_file ON smart_playlists (file);
