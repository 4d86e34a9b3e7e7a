use super::Statements;
use super::migration::Template;

/// For SQLite 3.37 and later (`STRICT` tables).
///
/// Use `journal_mode = WAL`, so that readers and the one writer do not wait for
/// each other, and a `busy_timeout`.
pub const SQLITE: Statements = Statements {
    schema: &[
        "CREATE TABLE IF NOT EXISTS sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    profile TEXT NOT NULL,
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
    create: "INSERT INTO sessions (
    id, subject, profile, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    load: "SELECT
    id, subject, profile, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id = ?1",
    // ?4 <= ?5 is the order of the new instants; the rest compares with the row.
    renew: "UPDATE sessions SET
    version = version + 1,
    renewed_at = ?4,
    expires_at = ?5,
    generation = ?6,
    confirmed_at = ?7
WHERE id = ?1
    AND version = ?2
    AND absolute_expires_at > ?3
    AND renewed_at <= ?4
    AND ?4 <= ?5
    AND absolute_expires_at >= ?5",
    remove: "DELETE FROM sessions WHERE id = ?1",
    remove_expired: "DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2
)",
    list: "SELECT
    id, subject, profile, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE subject = ?1",
    remove_all: "DELETE FROM sessions WHERE subject = ?1 AND id IS NOT ?2",
    // The table is laid anew beside the one of before, since SQLite cannot make a
    // column NOT NULL; triggers keep the two alike until they change places.
    migration: Template {
        applied: "SELECT 1 FROM pragma_table_info('sessions')
WHERE name = 'absolute_expires_at' AND \"notnull\" = 1",
        expand: &[
            "CREATE TABLE IF NOT EXISTS sessions_capped (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    subject TEXT NOT NULL,
    profile TEXT NOT NULL,
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
        NEW.id, NEW.subject, 'default', 0, NEW.secret,
        NEW.created_at,
        min(max(NEW.expires_at - {max_age}, NEW.created_at), NEW.created_at + {cap}),
        min(max(NEW.expires_at, NEW.created_at), NEW.created_at + {cap}),
        NEW.created_at + {cap},
        0, NULL;
END",
            "CREATE TRIGGER IF NOT EXISTS sessions_cap_update AFTER UPDATE ON sessions BEGIN
    DELETE FROM sessions_capped WHERE id = OLD.id;
    INSERT OR REPLACE INTO sessions_capped SELECT
        NEW.id, NEW.subject, 'default', 0, NEW.secret,
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
        id, subject, 'default', 0, secret,
        created_at,
        min(max(expires_at - {max_age}, created_at), created_at + {cap}),
        min(max(expires_at, created_at), created_at + {cap}),
        created_at + {cap},
        0, NULL
FROM sessions WHERE id > ?1 AND id <= ?2",
        contract: &["BEGIN IMMEDIATE;
DROP TABLE sessions;
ALTER TABLE sessions_capped RENAME TO sessions;
COMMIT"],
        finish: &[],
    },
};
