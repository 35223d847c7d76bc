-- Players of an account that others of it may drive. state and queue are JSON as the device told them; revision counts what it told,
-- queue_revision is the one at which its queue changed last. Times are Unix time in ms. last_command is the number of the newest
-- command that was ever sent to it.
CREATE TABLE devices (
    account_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    queue_revision BIGINT NOT NULL,
    last_command BIGINT NOT NULL,
    state TEXT NOT NULL,
    queue TEXT NOT NULL,
    PRIMARY KEY (account_id, id)
);

-- What a device has been asked for and has not taken yet.
CREATE TABLE device_commands (
    account_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    command TEXT NOT NULL,
    PRIMARY KEY (account_id, device_id, sequence)
);
