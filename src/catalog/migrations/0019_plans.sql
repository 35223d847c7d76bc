-- What plans give and ask, in the words of music::Plan: bit rates in kbit/s, times in ms, 0 for no limit and for no ads. usual is
-- the plan of every account that has no other at the moment; exactly one row has it.
CREATE TABLE plans (
    name TEXT NOT NULL PRIMARY KEY,
    usual BOOLEAN NOT NULL,
    price TEXT NOT NULL,
    upgrade TEXT NOT NULL,
    max_bit_rate BIGINT NOT NULL,
    offline BOOLEAN NOT NULL,
    skips_per_hour BIGINT NOT NULL,
    streams BIGINT NOT NULL,
    ads_every_ms BIGINT NOT NULL,
    ads_at_once BIGINT NOT NULL,
    ads_inside_albums BOOLEAN NOT NULL
);
INSERT INTO plans VALUES ('premium', TRUE, '', '', 0, TRUE, 0, 0, 0, 0, FALSE);
INSERT INTO plans VALUES
    ('free', FALSE, '', 'Ask who runs this server for the plan “premium”.', 128, FALSE, 6, 1, 900000, 2, FALSE);

-- The plan of an account from one moment to another, Unix time in ms; without an end it stays.
CREATE TABLE account_plans (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    plan TEXT NOT NULL REFERENCES plans (name),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT
);
CREATE INDEX account_plans_by_plan ON account_plans (plan);
