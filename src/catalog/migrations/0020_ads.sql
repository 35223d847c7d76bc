-- Campaigns: whose ads they are, when they are heard, and how often. starts_at (inclusive) and ends_at (exclusive) are Unix time in
-- ms. hours (a bit for each, the lowest for 0 to 1 o'clock) and weekdays (the lowest for Monday) are 0 where all will do, genres (JSON,
-- folded) is empty. per_day, per_listener and budget count deliveries, 0 for any number.
CREATE TABLE campaigns (
    name TEXT NOT NULL PRIMARY KEY,
    advertiser TEXT NOT NULL,
    weight BIGINT NOT NULL,
    starts_at BIGINT,
    ends_at BIGINT,
    hours BIGINT NOT NULL,
    weekdays BIGINT NOT NULL,
    genres TEXT NOT NULL,
    per_day BIGINT NOT NULL,
    per_listener BIGINT NOT NULL,
    budget BIGINT NOT NULL,
    paused BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- The audio of campaigns. file is a name in the data folder, made of the content's SHA-256; lengths are ms, gain is dB.
CREATE TABLE ads (
    id TEXT NOT NULL PRIMARY KEY,
    campaign TEXT NOT NULL REFERENCES campaigns (name) ON DELETE CASCADE,
    title TEXT NOT NULL,
    file TEXT NOT NULL,
    content_type TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    gain_db DOUBLE PRECISION NOT NULL,
    peak DOUBLE PRECISION NOT NULL,
    skippable_after_ms BIGINT,
    counts_after_ms BIGINT NOT NULL
);
CREATE INDEX ads_by_campaign ON ads (campaign);

-- Permissions to hear an ad once, in the order of issued_at and place, with what is needed to judge a report when the ad is gone. heard_at (when it began, Unix time in ms)
-- and heard_ms stay empty until it is reported; it is delivered when at least counts_after_ms were heard. Rows are counted in ad_days
-- and removed when no report may come any more.
CREATE TABLE ad_tickets (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    ticket TEXT NOT NULL,
    campaign TEXT NOT NULL,
    ad_id TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    place BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    counts_after_ms BIGINT NOT NULL,
    heard_at BIGINT,
    heard_ms BIGINT,
    delivered BOOLEAN NOT NULL,
    PRIMARY KEY (account_id, ticket)
);
CREATE INDEX ad_tickets_by_campaign ON ad_tickets (campaign, delivered, heard_at, expires_at);
CREATE INDEX ad_tickets_by_time ON ad_tickets (issued_at);

-- Old tickets as counts that name nobody, by the UTC day (days since 1970) on which they were given. listeners is how many heard an
-- ad of the campaign on that day.
CREATE TABLE ad_days (
    campaign TEXT NOT NULL,
    day BIGINT NOT NULL,
    tickets BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    listeners BIGINT NOT NULL,
    PRIMARY KEY (campaign, day)
);

-- How often a listener heard a campaign in tickets that are gone, for campaigns that have a most for each listener.
CREATE TABLE ad_totals (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    campaign TEXT NOT NULL REFERENCES campaigns (name) ON DELETE CASCADE,
    delivered BIGINT NOT NULL,
    PRIMARY KEY (account_id, campaign)
);
