-- What processes beside one database agree on. Times are Unix time in ms, those of leases by the clock of the database.

-- Who does what only one may do at a time, and until when nobody else may; epoch counts the holders. served_at is when the last one
-- began who came to a good end.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    served_at BIGINT NOT NULL
);

-- What players say that they play.
CREATE TABLE now_playing (
    account_id TEXT NOT NULL,
    player TEXT NOT NULL,
    track_id TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    position_ms BIGINT NOT NULL,
    rate DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (account_id, player)
);

-- Players that music flows to, of accounts that may have so many at a time. player is a digest, name what it calls itself.
CREATE TABLE listening_places (
    account_id TEXT NOT NULL,
    player TEXT NOT NULL,
    name TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, player)
);

-- Failed log-ins of the last minutes; who is a keyed digest of a name, an address or both.
CREATE TABLE failed_logins (
    who TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    since_at BIGINT NOT NULL
);
