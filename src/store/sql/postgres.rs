use super::statements::{Statements, Template};

/// For PostgreSQL 14 and later, in a database whose encoding is UTF-8.
///
/// Run each statement under `READ COMMITTED`: where the database's default is stricter,
/// one that meets another write fails (`40001`). After a deadlock (`40P01`) nothing was written:
/// run the statement again. Behind a pooler that hands out connections
/// by the transaction, prepare no statements: clients share their names.
pub const POSTGRES: Statements = Statements {
    schema: &[
        "CREATE TABLE IF NOT EXISTS sessions (
    id BYTEA NOT NULL PRIMARY KEY CHECK (octet_length(id) = 16),
    subject TEXT COLLATE \"C\" NOT NULL,
    profile TEXT COLLATE \"C\" NOT NULL,
    epoch BIGINT,
    ordinal BIGINT NOT NULL,
    about TEXT COLLATE \"C\",
    version BIGINT NOT NULL,
    secret BYTEA NOT NULL CHECK (octet_length(secret) = 32),
    created_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    absolute_expires_at BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    confirmed_at BIGINT,
    CONSTRAINT sessions_capped CHECK (
        created_at <= renewed_at
        AND renewed_at <= expires_at
        AND expires_at <= absolute_expires_at
    )
)",
        "CREATE INDEX IF NOT EXISTS sessions_by_subject ON sessions (subject)",
        "CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at)",
    ],
    check: "SELECT CASE
    WHEN attname IS NULL THEN 'no column ' || wanted.name
    ELSE wanted.name || ' as ' || format_type(atttypid, NULL) || ', not as ' || wanted.types
END
FROM (VALUES
    ('id', 'bytea', 1),
    ('subject', 'text or character varying', 2),
    ('secret', 'bytea', 3),
    ('created_at', 'bigint', 4),
    ('expires_at', 'bigint', 5),
    ('profile', 'text or character varying', 6),
    ('epoch', 'bigint', 7),
    ('ordinal', 'bigint', 8),
    ('about', 'text or character varying', 9),
    ('version', 'bigint', 10),
    ('renewed_at', 'bigint', 11),
    ('absolute_expires_at', 'bigint', 12),
    ('generation', 'bigint', 13),
    ('confirmed_at', 'bigint', 14)
) AS wanted (name, types, place)
LEFT JOIN pg_attribute
    ON attrelid = to_regclass('sessions') AND attname = wanted.name AND NOT attisdropped
WHERE to_regclass('sessions') IS NOT NULL AND CASE
    WHEN attname IS NULL THEN wanted.place <= $1
    ELSE format_type(atttypid, NULL) <> ALL (string_to_array(wanted.types, ' or '))
END
ORDER BY wanted.place",
    create: "INSERT INTO sessions (
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    load: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id = $1",
    // $4 <= $5 is the order of the new instants; the rest compares with the row.
    update: "UPDATE sessions SET
    version = version + 1,
    renewed_at = $4,
    expires_at = $5,
    secret = $6,
    generation = $7,
    confirmed_at = $8
WHERE id = $1
    AND version = $2
    AND absolute_expires_at > $3
    AND renewed_at <= $4
    AND $4 <= $5
    AND absolute_expires_at >= $5
RETURNING id",
    // Not the id first, as `load` has it: it may be run in place of this.
    remove: "DELETE FROM sessions WHERE id = $1 RETURNING TRUE AS removed, id",
    // Materialised: a subquery with LIMIT may be run again for each row, and
    // would then remove more than the limit.
    remove_expired: "WITH expired AS MATERIALIZED (
    SELECT id FROM sessions
    WHERE expires_at <= $1
    ORDER BY expires_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM sessions USING expired WHERE sessions.id = expired.id
RETURNING
    sessions.id, sessions.subject, sessions.profile,
    sessions.expires_at, sessions.absolute_expires_at",
    list: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE subject = $1",
    remove_all: "DELETE FROM sessions WHERE subject = $1 AND id IS DISTINCT FROM $2 RETURNING id",
    scan: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id > $1 ORDER BY id LIMIT $2",
    migration: Template {
        applied: "SELECT 1 FROM pg_attribute
WHERE attrelid = 'sessions'::regclass AND attname = 'absolute_expires_at' AND attnotnull",
        check_rows: "SELECT CASE
    WHEN created_at > extract(epoch FROM now())::bigint + 86400
        THEN 'created_at ' || created_at || ', more than a day ahead: instants are unix seconds'
    WHEN expires_at > extract(epoch FROM now())::bigint + 3155846400
        THEN 'expires_at ' || expires_at
            || ', more than 100 years ahead: instants are unix seconds'
    WHEN octet_length(id) <> 16 THEN 'an id that is not 16 bytes'
    WHEN octet_length(secret) <> 32 THEN 'a secret that is not 32 bytes'
    WHEN id IS NULL OR subject IS NULL OR secret IS NULL OR created_at IS NULL
        OR expires_at IS NULL
        THEN 'a null'
    ELSE 'a subject that is no text of 1 to 1024 bytes without NUL'
END || ', in the row ' || COALESCE(encode(id, 'hex'), 'null')
FROM sessions
WHERE created_at > extract(epoch FROM now())::bigint + 86400
    OR expires_at > extract(epoch FROM now())::bigint + 3155846400
    OR octet_length(id) <> 16
    OR octet_length(secret) <> 32
    OR octet_length(subject) NOT BETWEEN 1 AND 1024
    OR id IS NULL OR subject IS NULL OR secret IS NULL OR created_at IS NULL
    OR expires_at IS NULL
LIMIT 1",
        expand: &[
            "ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS profile TEXT COLLATE \"C\" NOT NULL DEFAULT 'default',
    ADD COLUMN IF NOT EXISTS epoch BIGINT,
    ADD COLUMN IF NOT EXISTS ordinal BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS about TEXT COLLATE \"C\",
    ADD COLUMN IF NOT EXISTS version BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS renewed_at BIGINT,
    ADD COLUMN IF NOT EXISTS absolute_expires_at BIGINT,
    ADD COLUMN IF NOT EXISTS generation BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS confirmed_at BIGINT",
            // The version is kept: the program of before wrote, or the backfill.
            "CREATE OR REPLACE FUNCTION sessions_cap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    recorded BIGINT := NEW.expires_at;
BEGIN
    NEW.absolute_expires_at := COALESCE(NEW.absolute_expires_at, NEW.created_at + {cap});
    NEW.expires_at := LEAST(GREATEST(recorded, NEW.created_at), NEW.absolute_expires_at);
    NEW.renewed_at := LEAST(GREATEST(recorded - {max_age}, NEW.created_at), NEW.expires_at);
    RETURN NEW;
END $$",
            "CREATE OR REPLACE TRIGGER sessions_cap_insert BEFORE INSERT ON sessions
    FOR EACH ROW WHEN (NEW.absolute_expires_at IS NULL) EXECUTE FUNCTION sessions_cap()",
            "CREATE OR REPLACE TRIGGER sessions_cap_update BEFORE UPDATE ON sessions
    FOR EACH ROW WHEN (NEW.version = OLD.version) EXECUTE FUNCTION sessions_cap()",
        ],
        batch_end: "SELECT id FROM (
    SELECT id FROM sessions WHERE id > $1 ORDER BY id LIMIT $2
) AS batch ORDER BY id DESC LIMIT 1",
        backfill: "UPDATE sessions SET absolute_expires_at = created_at + {cap}
WHERE id > $1 AND id <= $2 AND absolute_expires_at IS NULL",
        contract: &[
            // What an interrupted CREATE INDEX CONCURRENTLY leaves behind.
            "DO $$
DECLARE
    invalid regclass;
BEGIN
    FOR invalid IN
        SELECT indexrelid::regclass FROM pg_index
        WHERE indrelid = 'sessions'::regclass AND NOT indisvalid
    LOOP
        EXECUTE 'DROP INDEX ' || invalid;
    END LOOP;
END $$",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_subject ON sessions (subject)",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_expiry ON sessions (expires_at)",
            // Validated apart, under a lock that lets rows be read and written.
            "ALTER TABLE sessions
    DROP CONSTRAINT IF EXISTS sessions_filled,
    ADD CONSTRAINT sessions_filled CHECK (
        renewed_at IS NOT NULL AND absolute_expires_at IS NOT NULL
    ) NOT VALID,
    DROP CONSTRAINT IF EXISTS sessions_capped,
    ADD CONSTRAINT sessions_capped CHECK (
        created_at <= renewed_at
        AND renewed_at <= expires_at
        AND expires_at <= absolute_expires_at
    ) NOT VALID",
            "ALTER TABLE sessions VALIDATE CONSTRAINT sessions_filled",
            "ALTER TABLE sessions VALIDATE CONSTRAINT sessions_capped",
            "ALTER TABLE sessions
    ALTER COLUMN renewed_at SET NOT NULL,
    ALTER COLUMN absolute_expires_at SET NOT NULL",
            "ALTER TABLE sessions DROP CONSTRAINT IF EXISTS sessions_filled",
        ],
        finish: &[
            "DROP TRIGGER IF EXISTS sessions_cap_insert ON sessions",
            "DROP TRIGGER IF EXISTS sessions_cap_update ON sessions",
            "DROP FUNCTION IF EXISTS sessions_cap",
            // Left by a `contract` that was interrupted before its last statement.
            "ALTER TABLE sessions DROP CONSTRAINT IF EXISTS sessions_filled",
        ],
    },
};
