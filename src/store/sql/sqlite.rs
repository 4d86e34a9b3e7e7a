use super::statements::{Statements, Template};

/// For SQLite 3.37 and later (`STRICT` tables).
///
/// Use `journal_mode = WAL`, so that readers and the one writer do not wait for
/// each other, and a `busy_timeout`. `synchronous = NORMAL` loses nothing in a crash of
/// the process, `FULL` nothing in a power cut either.
///
/// [`remove_expired`](Statements::remove_expired) holds the only writer while it runs:
/// among 2.5 million rows in memory about 1 ms with a limit of 32, 40 ms with 1,000. Run it with a
/// small limit several times, with pauses of a few milliseconds for other writers.
///
/// [`contract`](super::Migration::contract) is one transaction in one text, for one connection
/// outside any transaction. It drops no session: the old table stays as `sessions_uncapped` until
/// [`finish`](super::Migration::finish). A
/// constraint says why it failed:
///
/// | constraint | what to do |
/// | --- | --- |
/// | `every_session_is_filled` | [`backfill`](super::Migration::backfill) the rest, and delete rows that the new table does not take |
/// | `no_ended_session_is_filled` | run it again |
/// | `nothing_else_names_sessions` | drop the views, the triggers and the foreign keys of other tables that name `sessions`, and make them again after `finish` |
/// | `sessions_has_no_cap_yet` | drop `sessions_capped` and the triggers, which [`expand`](super::Migration::expand) made after all was done |
///
/// If there is no `sessions_capped`, `expand` was not run, or `contract` was.
pub const SQLITE: Statements = Statements {
    schema: &[
        "CREATE TABLE IF NOT EXISTS sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    profile TEXT NOT NULL,
    epoch INTEGER,
    ordinal INTEGER NOT NULL,
    about TEXT,
    version INTEGER NOT NULL,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    absolute_expires_at INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    confirmed_at INTEGER,
    CONSTRAINT sessions_capped CHECK (
        created_at <= renewed_at
        AND renewed_at <= expires_at
        AND expires_at <= absolute_expires_at
    )
) STRICT, WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS sessions_capped_by_subject ON sessions (subject)",
        "CREATE INDEX IF NOT EXISTS sessions_capped_by_expiry ON sessions (expires_at)",
    ],
    check: "WITH wanted (name, types, place) AS (VALUES
    ('id', 'BLOB', 1),
    ('subject', 'TEXT,VARCHAR', 2),
    ('secret', 'BLOB', 3),
    ('created_at', 'INTEGER,BIGINT,INT', 4),
    ('expires_at', 'INTEGER,BIGINT,INT', 5),
    ('profile', 'TEXT,VARCHAR', 6),
    ('epoch', 'INTEGER,BIGINT,INT', 7),
    ('ordinal', 'INTEGER,BIGINT,INT', 8),
    ('about', 'TEXT,VARCHAR', 9),
    ('version', 'INTEGER,BIGINT,INT', 10),
    ('renewed_at', 'INTEGER,BIGINT,INT', 11),
    ('absolute_expires_at', 'INTEGER,BIGINT,INT', 12),
    ('generation', 'INTEGER,BIGINT,INT', 13),
    ('confirmed_at', 'INTEGER,BIGINT,INT', 14)
), found AS (
    SELECT lower(name) AS name, type, upper(trim(substr(type || '(', 1, instr(type || '(', '(') - 1)))
        AS held
    FROM pragma_table_info('sessions')
)
SELECT said FROM (
    SELECT wanted.place, CASE
        WHEN found.name IS NULL THEN 'no column ' || wanted.name
        ELSE wanted.name || ' as ' || found.type || ', not as ' || replace(wanted.types, ',', ' or ')
    END AS said
    FROM wanted LEFT JOIN found ON found.name = wanted.name
    WHERE EXISTS (SELECT 1 FROM found) AND CASE
        WHEN found.name IS NULL THEN wanted.place <= ?1
        ELSE instr(',' || wanted.types || ',', ',' || found.held || ',') = 0
    END
    UNION ALL SELECT 15, 'a further column ' || name || ', which would be lost'
    FROM pragma_table_xinfo('sessions')
    WHERE ?1 = 5 AND lower(name) NOT IN (SELECT name FROM wanted WHERE place <= 5)
    UNION ALL SELECT 16, 'a foreign key to ' || \"table\" || ', which would be lost'
    FROM pragma_foreign_key_list('sessions') WHERE ?1 = 5
) ORDER BY place",
    create: "INSERT INTO sessions (
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    load: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id = ?1",
    // ?4 <= ?5 is the order of the new instants; the rest compares with the row.
    update: "UPDATE sessions SET
    version = version + 1,
    renewed_at = ?4,
    expires_at = ?5,
    secret = ?6,
    generation = ?7,
    confirmed_at = ?8
WHERE id = ?1
    AND version = ?2
    AND absolute_expires_at > ?3
    AND renewed_at <= ?4
    AND ?4 <= ?5
    AND absolute_expires_at >= ?5
RETURNING id",
    remove: "DELETE FROM sessions WHERE id = ?1 RETURNING id",
    remove_expired: "DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2
) RETURNING id, subject, profile, expires_at, absolute_expires_at",
    list: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE subject = ?1",
    remove_all: "DELETE FROM sessions WHERE subject = ?1 AND id IS NOT ?2 RETURNING id",
    scan: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2",
    // The table is laid anew beside the one of before, since SQLite cannot make a
    // column NOT NULL; triggers keep the two alike until they change places.
    migration: Template {
        applied: "SELECT 1 FROM pragma_table_info('sessions')
WHERE name = 'absolute_expires_at' AND \"notnull\" = 1",
        check_rows: "SELECT CASE
    WHEN typeof(created_at) <> 'integer'
        THEN 'created_at ' || quote(created_at) || ', a ' || typeof(created_at)
            || ': instants are unix seconds'
    WHEN typeof(expires_at) <> 'integer'
        THEN 'expires_at ' || quote(expires_at) || ', a ' || typeof(expires_at)
            || ': instants are unix seconds'
    WHEN created_at > CAST(strftime('%s', 'now') AS INTEGER) + 86400
        THEN 'created_at ' || created_at || ', more than a day ahead: instants are unix seconds'
    WHEN expires_at > CAST(strftime('%s', 'now') AS INTEGER) + 3155846400
        THEN 'expires_at ' || expires_at
            || ', more than 100 years ahead: instants are unix seconds'
    WHEN typeof(id) <> 'blob' OR length(id) <> 16 THEN 'an id that is not 16 bytes'
    WHEN typeof(secret) <> 'blob' OR length(secret) <> 32 THEN 'a secret that is not 32 bytes'
    ELSE 'a subject that is no text of 1 to 1024 bytes without NUL'
END || ', in the row ' || quote(id)
FROM sessions
WHERE typeof(created_at) <> 'integer' OR typeof(expires_at) <> 'integer'
    OR created_at > CAST(strftime('%s', 'now') AS INTEGER) + 86400
    OR expires_at > CAST(strftime('%s', 'now') AS INTEGER) + 3155846400
    OR typeof(id) <> 'blob' OR length(id) <> 16
    OR typeof(secret) <> 'blob' OR length(secret) <> 32
    OR typeof(subject) <> 'text'
    OR length(CAST(subject AS BLOB)) NOT BETWEEN 1 AND 1024
    OR instr(CAST(subject AS BLOB), x'00') > 0
LIMIT 1",
        expand: &[
            "CREATE TABLE IF NOT EXISTS sessions_capped (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    profile TEXT NOT NULL,
    epoch INTEGER,
    ordinal INTEGER NOT NULL,
    about TEXT,
    version INTEGER NOT NULL,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_at INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    absolute_expires_at INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    confirmed_at INTEGER,
    CONSTRAINT sessions_capped CHECK (
        created_at <= renewed_at
        AND renewed_at <= expires_at
        AND expires_at <= absolute_expires_at
    )
) STRICT, WITHOUT ROWID",
            "CREATE INDEX IF NOT EXISTS sessions_capped_by_subject ON sessions_capped (subject)",
            "CREATE INDEX IF NOT EXISTS sessions_capped_by_expiry ON sessions_capped (expires_at)",
            "CREATE TRIGGER IF NOT EXISTS sessions_cap_insert AFTER INSERT ON sessions BEGIN
    INSERT OR REPLACE INTO sessions_capped SELECT
        NEW.id, NEW.subject, 'default', NULL, 0, NULL, 0, NEW.secret,
        NEW.created_at,
        min(max(NEW.expires_at - {max_age}, NEW.created_at), NEW.created_at + {cap}),
        min(max(NEW.expires_at, NEW.created_at), NEW.created_at + {cap}),
        NEW.created_at + {cap},
        0, NULL;
END",
            "CREATE TRIGGER IF NOT EXISTS sessions_cap_update AFTER UPDATE ON sessions BEGIN
    DELETE FROM sessions_capped WHERE id = OLD.id;
    INSERT OR REPLACE INTO sessions_capped SELECT
        NEW.id, NEW.subject, 'default', NULL, 0, NULL, 0, NEW.secret,
        NEW.created_at,
        min(max(NEW.expires_at - {max_age}, NEW.created_at), NEW.created_at + {cap}),
        min(max(NEW.expires_at, NEW.created_at), NEW.created_at + {cap}),
        NEW.created_at + {cap},
        0, NULL;
END",
            "CREATE TRIGGER IF NOT EXISTS sessions_cap_delete AFTER DELETE ON sessions BEGIN
    DELETE FROM sessions_capped WHERE id = OLD.id;
END",
        ],
        batch_end: "SELECT id FROM (
    SELECT id FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2
) AS batch ORDER BY id DESC LIMIT 1",
        backfill: "INSERT OR IGNORE INTO sessions_capped SELECT
        id, subject, 'default', NULL, 0, NULL, 0, secret,
        created_at,
        min(max(expires_at - {max_age}, created_at), created_at + {cap}),
        min(max(expires_at, created_at), created_at + {cap}),
        created_at + {cap},
        0, NULL
FROM sessions WHERE id > ?1 AND id <= ?2",
        // A runner that goes on after an error must lose nothing either, and no
        // DROP TABLE can be made to depend on a check. So nothing is dropped before
        // `finish`, and the tables change places by names: SQLite renames no table
        // while a view is broken, which `sessions_guard` is unless the check passed.
        contract: &["PRAGMA legacy_alter_table = OFF;
BEGIN IMMEDIATE;
DROP VIEW IF EXISTS temp.sessions_guard;
DROP TABLE IF EXISTS temp.sessions_checked;
DROP TABLE IF EXISTS temp.sessions_check;
DELETE FROM main.sessions_capped WHERE NOT EXISTS (
    SELECT 1 FROM main.sessions WHERE sessions.id = sessions_capped.id
);
CREATE TEMP TABLE sessions_check (
    capped INTEGER CONSTRAINT sessions_has_no_cap_yet CHECK (capped = 0),
    unfilled INTEGER CONSTRAINT every_session_is_filled CHECK (unfilled = 0),
    ended INTEGER CONSTRAINT no_ended_session_is_filled CHECK (ended = 0),
    named INTEGER CONSTRAINT nothing_else_names_sessions CHECK (named = 0)
);
INSERT INTO temp.sessions_check SELECT
    (SELECT count(*) FROM pragma_table_info('sessions') WHERE name = 'absolute_expires_at'),
    (SELECT count(*) FROM main.sessions WHERE NOT EXISTS (
        SELECT 1 FROM main.sessions_capped WHERE sessions_capped.id = sessions.id
    )),
    (SELECT count(*) FROM main.sessions_capped WHERE NOT EXISTS (
        SELECT 1 FROM main.sessions WHERE sessions.id = sessions_capped.id
    )),
    (SELECT count(*) FROM main.sqlite_schema
        WHERE type IN ('trigger', 'view')
            AND name NOT IN ('sessions_cap_insert', 'sessions_cap_update', 'sessions_cap_delete')
            AND lower(sql) || ' ' GLOB '*[^a-z0-9_]' || lower('sessions') || '[^a-z0-9_]*')
    + (SELECT count(*)
        FROM main.sqlite_schema AS other, pragma_foreign_key_list(other.name) AS link
        WHERE other.type = 'table' AND lower(other.name) <> lower('sessions')
            AND lower(link.\"table\") = lower('sessions'));
CREATE TEMP TABLE sessions_checked AS
    SELECT abs(-9223372036854775807 - (count(*) = 0)) AS overflows_unless_checked
    FROM temp.sessions_check;
CREATE TEMP VIEW sessions_guard AS
    SELECT overflows_unless_checked FROM temp.sessions_checked;
ALTER TABLE main.sessions RENAME TO sessions_uncapped;
ALTER TABLE main.sessions_capped RENAME TO sessions;
DROP VIEW temp.sessions_guard;
DROP TABLE temp.sessions_checked;
DROP TABLE temp.sessions_check;
COMMIT"],
        finish: &["DROP TABLE IF EXISTS sessions_uncapped"],
    },
};
