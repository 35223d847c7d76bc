-- What scrobbling services are told of plays. A row is written with its play. state is 'waiting', 'sending' while a request with
-- it may have reached the service although nobody knows, or 'done'; rows that are done stay, so that nothing is told twice, and
-- lose what they told. listen is a music::Listen as JSON.
CREATE TABLE scrobbles (
    account_id TEXT NOT NULL,
    service TEXT NOT NULL,
    track_id TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    listen TEXT NOT NULL,
    PRIMARY KEY (account_id, service, track_id, started_at)
);
CREATE INDEX scrobbles_by_state ON scrobbles (account_id, service, state, started_at);
