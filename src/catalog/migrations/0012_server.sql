-- The folders with music that the server was given, each with a number that stays its own. path is written as catalog::files
-- says.
CREATE TABLE music_folders (
    id BIGINT NOT NULL PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
);

-- Numbers of the music folders that an account may reach, separated by spaces; NULL for all, those to come included.
ALTER TABLE accounts ADD COLUMN folders TEXT;

-- The highest bit rate that an account is sent, in kbit/s; 0 for any.
ALTER TABLE accounts ADD COLUMN max_bit_rate BIGINT NOT NULL DEFAULT 0;

-- What a client of an account is sent where it does not ask for anything itself: a format ('raw' for the file as it is) and a
-- bit rate in kbit/s, 0 for the usual one. client is the name that the client gives itself; '' stands for all others.
CREATE TABLE client_profiles (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client TEXT NOT NULL,
    format TEXT NOT NULL,
    max_bit_rate BIGINT NOT NULL,
    PRIMARY KEY (account_id, client)
);
