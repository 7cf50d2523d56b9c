-- As migrations/sqlite, with what PostgreSQL has instead. Numbers are BIGINT, words are
-- ordered by their bytes, and `rowid` is the order in which rows were made.
-- Money is integer nano-dollars; `_ms` and `_s` are Unix times.

-- For triggers: whoever means to do it has to drop them first.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

-- Which history the keyring's versions count in, and the newest version.
CREATE TABLE keyring (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    epoch TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- A revoked key stays: its row tells the gateways that it is void. A configured key has
-- no amount of a budget here: the configuration knows it.
CREATE TABLE keys (
    rowid BIGINT GENERATED ALWAYS AS IDENTITY,
    sha256 TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    "user" TEXT,
    roles TEXT NOT NULL,
    models TEXT NOT NULL DEFAULT '[]',
    masking TEXT,
    limits TEXT,
    has_budget BOOLEAN NOT NULL DEFAULT FALSE,
    budget_nanodollars BIGINT,
    budget_per TEXT,
    configured BOOLEAN NOT NULL,
    created_at_s BIGINT NOT NULL,
    expires_at_s BIGINT,
    revoked_at_s BIGINT,
    last_used_at_s BIGINT,
    rotated_from TEXT,
    replaced_by TEXT,
    changed_seq BIGINT NOT NULL
);
CREATE INDEX keys_by_change ON keys (changed_seq);
CREATE UNIQUE INDEX keys_by_id ON keys (id) WHERE NOT configured;
CREATE INDEX keys_by_any_id ON keys (id);
CREATE INDEX keys_by_tenant ON keys (tenant, rowid);
CREATE INDEX keys_in_force ON keys (tenant) WHERE revoked_at_s IS NULL;

-- Nano-dollars per million tokens or for one, the bits of an unsigned number.
CREATE TABLE prices (
    version TEXT PRIMARY KEY,
    input BIGINT NOT NULL,
    cached_input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    request BIGINT NOT NULL DEFAULT 0,
    image BIGINT NOT NULL DEFAULT 0,
    page BIGINT NOT NULL DEFAULT 0,
    audio_second BIGINT NOT NULL DEFAULT 0,
    gpu_second BIGINT NOT NULL DEFAULT 0
);

-- `leases`: numbers of the leases that paid, with commas between. `periods`: the periods of
-- a budget that the cost counts in where they are not those of `at_ms`, as JSON. `hash`
-- covers the row and the hash before; the first goes on from 32 zero bytes.
CREATE TABLE usage (
    seq BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    client_request_id TEXT,
    at_ms BIGINT NOT NULL,
    organisation TEXT COLLATE "C",
    tenant TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "user" TEXT COLLATE "C",
    model TEXT COLLATE "C",
    pool TEXT COLLATE "C",
    endpoint TEXT COLLATE "C",
    path TEXT,
    stream BOOLEAN NOT NULL,
    status BIGINT NOT NULL,
    code TEXT,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    images BIGINT NOT NULL DEFAULT 0,
    pages BIGINT NOT NULL DEFAULT 0,
    audio_ms BIGINT NOT NULL DEFAULT 0,
    gpu_ms BIGINT NOT NULL DEFAULT 0,
    source TEXT NOT NULL,
    "end" TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    cost_nanodollars BIGINT NOT NULL,
    price_version TEXT,
    first_token_ms BIGINT,
    duration_ms BIGINT NOT NULL,
    masked TEXT NOT NULL,
    leases TEXT,
    periods TEXT,
    hash BYTEA
);
CREATE INDEX usage_by_tenant ON usage (tenant, at_ms);
CREATE INDEX usage_by_time ON usage (at_ms);
CREATE TRIGGER usage_keeps_rows BEFORE UPDATE ON usage
    FOR EACH ROW WHEN (OLD.hash IS NOT NULL)
    EXECUTE FUNCTION refuse_change('usage records are not changed');
CREATE TRIGGER usage_loses_no_rows BEFORE DELETE OR TRUNCATE ON usage
    EXECUTE FUNCTION refuse_change('usage records are not removed');

-- Requests that have begun and not ended: the last line of each, where it stands in its
-- file, and the leases that it names.
CREATE TABLE open_requests (
    rowid BIGINT GENERATED ALWAYS AS IDENTITY,
    id TEXT COLLATE "C" PRIMARY KEY,
    spool TEXT NOT NULL DEFAULT '',
    generation BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL DEFAULT 0,
    line TEXT NOT NULL,
    leases TEXT NOT NULL DEFAULT ''
);
CREATE INDEX open_requests_by_spool ON open_requests (spool, generation);

-- How far each spool was read and posted. The first to say its name takes the one that is
-- there: a ledger of one spool can be moved here before its spool has a name.
CREATE TABLE spool_positions (
    spool TEXT PRIMARY KEY,
    generation BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL
);
INSERT INTO spool_positions VALUES ('', 1, 0);

-- What was counted while reading the spools, since the database was made.
CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

-- What happened. Each hash covers its row and the hash before; the first goes on from 32
-- zero bytes. No row changes and none goes.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    "action" TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BYTEA NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, "action");
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit
    EXECUTE FUNCTION refuse_change('the audit trail is not changed');
CREATE TRIGGER audit_loses_no_rows BEFORE DELETE OR TRUNCATE ON audit
    EXECUTE FUNCTION refuse_change('the audit trail is not cut');

-- On which UTC days (counted from 1970) which credentials were used.
CREATE TABLE days_of_use (
    day BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    "key" TEXT NOT NULL,
    PRIMARY KEY (day, tenant, "key")
);

-- Marks of signed requests, until nobody would take them any more.
CREATE TABLE nonces (
    tag BYTEA PRIMARY KEY,
    until_s BIGINT NOT NULL
);
CREATE INDEX nonces_by_end ON nonces (until_s);

-- How many nonces there are, and when those that are over were last removed.
CREATE TABLE nonce_count (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    rows BIGINT NOT NULL,
    pruned_at_s BIGINT NOT NULL
);
INSERT INTO nonce_count VALUES (1, 0, 0);

-- The last number of each series and, where it is a chain, its hash.
CREATE TABLE heads (
    name TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

-- Every amount moves from `credit` to `debit`. What is posted stays.
CREATE TABLE postings (
    seq BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    debit TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    nanodollars BIGINT NOT NULL,
    record BIGINT,
    lease BIGINT,
    why TEXT,
    hash BYTEA NOT NULL
);
CREATE INDEX postings_that_correct ON postings (record) WHERE kind = 'correction';
CREATE TRIGGER postings_keep_rows BEFORE UPDATE ON postings
    EXECUTE FUNCTION refuse_change('postings are not changed');
CREATE TRIGGER postings_lose_no_rows BEFORE DELETE OR TRUNCATE ON postings
    EXECUTE FUNCTION refuse_change('postings are not removed');

-- What each account came to in each period: `total`, `2026`-like months, days, hours.
CREATE TABLE balances (
    account TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    nanodollars BIGINT NOT NULL,
    corrected_nanodollars BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (account, period)
);

-- Parts of budgets that gateways may spend. `state`: open, over (nothing is reserved from it
-- any more, but usage may still come) or closed. All that is held by one that is not closed
-- is granted - returned - posted. `mark_*`: where its spool ended once it was over.
CREATE TABLE leases (
    id BIGINT PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    process TEXT COLLATE "C" NOT NULL,
    spool TEXT NOT NULL,
    generation BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    granted BIGINT NOT NULL,
    returned BIGINT NOT NULL,
    posted BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    over_at_ms BIGINT,
    mark_generation BIGINT,
    mark_offset BIGINT
);
CREATE INDEX leases_that_hold ON leases (account, period) WHERE state <> 'closed';
CREATE INDEX leases_of_spools ON leases (spool) WHERE state <> 'closed';

-- Processes that are dead for certain: they are granted nothing.
CREATE TABLE buried (
    process TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL
);

-- When each gateway was last heard of.
CREATE TABLE gateways (
    process TEXT PRIMARY KEY,
    seen_ms BIGINT NOT NULL
);

-- What engines say that they have counted since they began.
CREATE TABLE engine_counters (
    at_ms BIGINT NOT NULL,
    pool TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    engine TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT,
    output_tokens BIGINT NOT NULL,
    PRIMARY KEY (at_ms, pool, endpoint)
);
