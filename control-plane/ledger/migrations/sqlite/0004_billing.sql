-- A key's limits by their name, and its budget. A configured key has no amount here: the
-- configuration knows it. `has_budget` is a flag.
ALTER TABLE keys ADD COLUMN limits TEXT;
ALTER TABLE keys ADD COLUMN has_budget INTEGER NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN budget_nanodollars INTEGER;
ALTER TABLE keys ADD COLUMN budget_per TEXT;

ALTER TABLE prices ADD COLUMN request INTEGER NOT NULL DEFAULT 0;
ALTER TABLE prices ADD COLUMN image INTEGER NOT NULL DEFAULT 0;
ALTER TABLE prices ADD COLUMN page INTEGER NOT NULL DEFAULT 0;
ALTER TABLE prices ADD COLUMN audio_second INTEGER NOT NULL DEFAULT 0;
ALTER TABLE prices ADD COLUMN gpu_second INTEGER NOT NULL DEFAULT 0;

-- `leases`: numbers of the leases that paid, with commas between. `periods`: the periods of
-- a budget that the cost counts in where they are not those of `at_ms`, as JSON. `hash`
-- covers the row and the hash before; the first goes on from 32 zero bytes.
ALTER TABLE usage ADD COLUMN organisation TEXT;
ALTER TABLE usage ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN images INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN pages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN audio_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN gpu_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN leases TEXT;
ALTER TABLE usage ADD COLUMN periods TEXT;
ALTER TABLE usage ADD COLUMN hash BLOB;
CREATE TRIGGER usage_keeps_rows BEFORE UPDATE ON usage WHEN OLD.hash IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'usage records are not changed'); END;
CREATE TRIGGER usage_loses_no_rows BEFORE DELETE ON usage
BEGIN SELECT RAISE(ABORT, 'usage records are not removed'); END;

-- Each spool has a position. The one that was there before spools had names is '' until
-- its control plane says its name.
CREATE TABLE spool_positions (
    spool TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO spool_positions (spool, generation, byte_offset)
SELECT '', generation, byte_offset FROM spool_position;
DROP TABLE spool_position;

-- Where the last line stands in its file, and the leases that it names.
ALTER TABLE open_requests ADD COLUMN spool TEXT NOT NULL DEFAULT '';
ALTER TABLE open_requests ADD COLUMN byte_offset INTEGER NOT NULL DEFAULT 0;
ALTER TABLE open_requests ADD COLUMN leases TEXT NOT NULL DEFAULT '';
CREATE INDEX open_requests_by_spool ON open_requests (spool, generation);

-- The last number of each series and, where it is a chain, its hash.
CREATE TABLE heads (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Records up to this one were written before there were chains: they are sealed when the
-- database is opened.
INSERT INTO heads (name, seq, hash)
SELECT 'unsealed', COALESCE(MAX(seq), 0), zeroblob(32) FROM usage;

-- Every amount moves from `credit` to `debit`. What is posted stays.
CREATE TABLE postings (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    nanodollars INTEGER NOT NULL,
    record INTEGER,
    lease INTEGER,
    why TEXT,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX postings_that_correct ON postings (record) WHERE kind = 'correction';
CREATE TRIGGER postings_keep_rows BEFORE UPDATE ON postings
BEGIN SELECT RAISE(ABORT, 'postings are not changed'); END;
CREATE TRIGGER postings_lose_no_rows BEFORE DELETE ON postings
BEGIN SELECT RAISE(ABORT, 'postings are not removed'); END;

-- What each account came to in each period: `total`, `2026-11`, `2026-11-21`,
-- `2026-11-21T09`. Accounts and periods are compared byte by byte.
CREATE TABLE balances (
    account TEXT NOT NULL,
    period TEXT NOT NULL,
    nanodollars INTEGER NOT NULL,
    corrected_nanodollars INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (account, period)
) STRICT, WITHOUT ROWID;

-- Parts of budgets that gateways may spend. `state`: open, over (nothing is reserved from it
-- any more, but usage may still come) or closed. All that is held by one that is not closed
-- is granted - returned - posted. `mark_*`: where its spool ended once it was over.
CREATE TABLE leases (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    period TEXT NOT NULL,
    process TEXT NOT NULL,
    spool TEXT NOT NULL,
    generation INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    granted INTEGER NOT NULL,
    returned INTEGER NOT NULL,
    posted INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    over_at_ms INTEGER,
    mark_generation INTEGER,
    mark_offset INTEGER
) STRICT;
CREATE INDEX leases_that_hold ON leases (account, period) WHERE state <> 'closed';
CREATE INDEX leases_to_forget ON leases (expires_ms) WHERE state = 'closed';
CREATE INDEX leases_of_spools ON leases (spool) WHERE state <> 'closed';

-- Processes that are dead for certain: they are granted nothing.
CREATE TABLE buried (
    process TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When each gateway was last heard of.
CREATE TABLE gateways (
    process TEXT PRIMARY KEY,
    seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What engines say that they have counted since they began.
CREATE TABLE engine_counters (
    at_ms INTEGER NOT NULL,
    pool TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    engine TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_input_tokens INTEGER,
    output_tokens INTEGER NOT NULL,
    PRIMARY KEY (at_ms, pool, endpoint)
) STRICT, WITHOUT ROWID;
