-- What a person agreed to or objected to, and when: a row for each decision, the newest of a purpose stands. purpose is a
-- word of music::Purpose; version is that of the text that the person was shown. Rows are never changed, and go with the
-- account alone. Without a row the purpose's default stands.
CREATE TABLE consents (
    account_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    given BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account_id, purpose, sequence)
);

-- Who opted out of profiling before: the same thing, by the text of then.
INSERT INTO consents (account_id, purpose, sequence, given, version, at)
SELECT account_id, 'personalisation', 1, FALSE, 1, at FROM unprofiled;
DROP TABLE unprofiled;

-- Accounts that nothing is learned from: either what they hear is not kept, or it is not made anything of.
CREATE VIEW unlearned AS
SELECT DISTINCT c.account_id AS account_id FROM consents c
WHERE c.purpose IN ('history', 'personalisation') AND c.given = FALSE
AND NOT EXISTS (SELECT 1 FROM consents d
    WHERE d.account_id = c.account_id AND d.purpose = c.purpose AND d.sequence > c.sequence);

-- When an account is to be erased, Unix time in ms; until then it is closed.
ALTER TABLE accounts ADD COLUMN erase_at BIGINT;

-- Copies of the server's data that are known to exist, so that they end in time; path is written as catalog::files says, expires_at
-- is NULL for a copy that somebody wants to keep for good.
CREATE TABLE backups (
    path TEXT NOT NULL PRIMARY KEY,
    made_at BIGINT NOT NULL,
    expires_at BIGINT
);
