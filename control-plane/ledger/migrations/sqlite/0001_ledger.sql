-- Money is integer nano-dollars; `_ms` and `_s` are Unix times.

-- Which history the keyring's versions count in, and the newest version.
CREATE TABLE keyring (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL,
    version INTEGER NOT NULL
);

-- A revoked key stays: its row tells the gateways that it is void.
CREATE TABLE keys (
    sha256 TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user TEXT,
    roles TEXT NOT NULL,
    configured INTEGER NOT NULL,
    created_at_s INTEGER NOT NULL,
    expires_at_s INTEGER,
    revoked_at_s INTEGER,
    changed_seq INTEGER NOT NULL
);
CREATE INDEX keys_by_change ON keys (changed_seq);
CREATE UNIQUE INDEX keys_by_id ON keys (id) WHERE configured = 0;

-- Nano-dollars per million tokens, the bits of an unsigned number.
CREATE TABLE prices (
    version TEXT PRIMARY KEY,
    input INTEGER NOT NULL,
    cached_input INTEGER NOT NULL,
    output INTEGER NOT NULL
);

CREATE TABLE usage (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    client_request_id TEXT,
    at_ms INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    "key" TEXT NOT NULL,
    user TEXT,
    model TEXT,
    pool TEXT,
    endpoint TEXT,
    path TEXT,
    stream INTEGER NOT NULL,
    status INTEGER NOT NULL,
    code TEXT,
    input_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    source TEXT NOT NULL,
    "end" TEXT NOT NULL,
    cost_nanodollars INTEGER NOT NULL,
    price_version TEXT,
    first_token_ms INTEGER,
    duration_ms INTEGER NOT NULL,
    masked TEXT NOT NULL
);
CREATE INDEX usage_by_tenant ON usage (tenant, at_ms);
CREATE INDEX usage_by_time ON usage (at_ms);

-- Requests that have begun and not ended: the last line of each.
CREATE TABLE open_requests (
    id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    line TEXT NOT NULL
);

-- How far the spool was read and posted.
CREATE TABLE spool_position (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    generation INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL
);
INSERT INTO spool_position VALUES (1, 1, 0);

-- What was counted while reading the spool, since the database was made.
CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);
