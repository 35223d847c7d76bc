-- Which transaction wrote a play. The numbers rise in the order in which transactions are committed, whichever process writes, so
-- that who has read up to one has everything before it. Plays from before this migration are of the batch 0.
ALTER TABLE plays ADD COLUMN batch BIGINT NOT NULL DEFAULT 0;
CREATE INDEX plays_by_batch ON plays (batch);

-- The newest batch, in the row 1; there is none before the first.
CREATE TABLE play_batches (
    id BIGINT NOT NULL PRIMARY KEY,
    newest BIGINT NOT NULL
);

-- How far plays were exported to a store: batches up to done are there; those up to wanted are being written, where that is more.
CREATE TABLE play_exports (
    store TEXT NOT NULL PRIMARY KEY,
    done BIGINT NOT NULL,
    wanted BIGINT NOT NULL,
    plays BIGINT NOT NULL,
    exported_at BIGINT NOT NULL
);

-- Listeners whose plays are to be taken out of what lies in a store, by the pseudonym that they have there; rows go when that is done.
CREATE TABLE play_erasures (
    store TEXT NOT NULL,
    listener TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (store, listener)
);
