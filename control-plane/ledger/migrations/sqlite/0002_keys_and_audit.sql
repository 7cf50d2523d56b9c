-- Patterns over model names, a JSON list; when a key was last used; and which key
-- stands in for which.
ALTER TABLE keys ADD COLUMN models TEXT NOT NULL DEFAULT '[]';
ALTER TABLE keys ADD COLUMN last_used_at_s INTEGER;
ALTER TABLE keys ADD COLUMN rotated_from TEXT;
ALTER TABLE keys ADD COLUMN replaced_by TEXT;
CREATE INDEX keys_by_any_id ON keys (id);
CREATE INDEX keys_by_tenant ON keys (tenant);
CREATE INDEX keys_in_force ON keys (tenant) WHERE revoked_at_s IS NULL;

-- What happened. Each hash covers its row and the hash before; the first goes on
-- from 32 zero bytes. No row changes and none goes.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    "action" TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_by_subject ON audit (subject, "action");
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is not changed'); END;
CREATE TRIGGER audit_loses_no_rows BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is not cut'); END;

-- On which UTC days (counted from 1970) which credentials were used.
CREATE TABLE days_of_use (
    day INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    "key" TEXT NOT NULL,
    PRIMARY KEY (day, tenant, "key")
) STRICT, WITHOUT ROWID;

-- Marks of signed requests, until nobody would take them any more.
CREATE TABLE nonces (
    tag BLOB PRIMARY KEY,
    until_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nonces_by_end ON nonces (until_s);

-- How many nonces there are, and when those that are over were last removed.
CREATE TABLE nonce_count (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    rows INTEGER NOT NULL,
    pruned_at_s INTEGER NOT NULL
) STRICT;
INSERT INTO nonce_count VALUES (1, 0, 0);
