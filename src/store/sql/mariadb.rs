use super::statements::{Statements, Template};

/// For MariaDB 10.6 and later; MySQL has no `DELETE … RETURNING`.
///
/// Use transactions of isolation `READ COMMITTED`, so that a sweep locks rows and
/// not the gaps between them. InnoDB may still end one of two statements that
/// wait for each other (error 1213): it has then written nothing and is run
/// again.
///
/// [`contract`](super::Migration::contract) lays the table anew while it is
/// written to, and keeps what is written in a log of at most
/// `innodb_online_alter_log_max_size` (128 MiB if not set). A busy table needs
/// more: the statement then fails with error 1799 and has changed nothing. Raise
/// the setting, which takes no restart, and run the statement again.
// Texts are VARBINARY: the collation utf8mb4_bin takes `user` and `user ` for
// one, and an index on VARCHAR(1024) in utf8mb4 would pass InnoDB's 3,072 bytes.
pub const MARIADB: Statements = Statements {
    schema: &["CREATE TABLE IF NOT EXISTS sessions (
    id BINARY(16) NOT NULL PRIMARY KEY,
    subject VARBINARY(1024) NOT NULL,
    profile VARBINARY(64) NOT NULL,
    epoch BIGINT,
    ordinal BIGINT NOT NULL,
    about VARBINARY(1024),
    version BIGINT NOT NULL,
    secret BINARY(32) NOT NULL,
    created_at BIGINT NOT NULL,
    renewed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    absolute_expires_at BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    confirmed_at BIGINT,
    INDEX sessions_by_subject (subject),
    INDEX sessions_by_expiry (expires_at),
    CONSTRAINT sessions_capped CHECK (
        created_at <= renewed_at
        AND renewed_at <= expires_at
        AND expires_at <= absolute_expires_at
    )
) ENGINE = InnoDB"],
    create: "INSERT INTO sessions (
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    load: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id = ?",
    // A parameter cannot be named twice, so the update is a table of one row.
    update: "UPDATE sessions JOIN (
    SELECT
        ? AS id, ? AS version, ? AS at,
        ? AS renewed_at, ? AS expires_at, ? AS secret, ? AS generation, ? AS confirmed_at
) AS written ON sessions.id = written.id
SET
    sessions.version = sessions.version + 1,
    sessions.renewed_at = written.renewed_at,
    sessions.expires_at = written.expires_at,
    sessions.secret = written.secret,
    sessions.generation = written.generation,
    sessions.confirmed_at = written.confirmed_at
WHERE sessions.version = written.version
    AND sessions.absolute_expires_at > written.at
    AND sessions.renewed_at <= written.renewed_at
    AND written.renewed_at <= written.expires_at
    AND sessions.absolute_expires_at >= written.expires_at",
    remove: "DELETE FROM sessions WHERE id = ? RETURNING id",
    remove_expired: "DELETE FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?
RETURNING id, subject, profile, expires_at, absolute_expires_at",
    list: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE subject = ?",
    remove_all: "DELETE FROM sessions WHERE subject = ? AND NOT (id <=> ?) RETURNING id",
    scan: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id > ? ORDER BY id LIMIT ?",
    migration: Template {
        applied: "SELECT 1 FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'sessions'
    AND column_name = 'absolute_expires_at' AND is_nullable = 'NO'",
        expand: &[
            "ALTER TABLE sessions
    ADD COLUMN IF NOT EXISTS profile VARBINARY(64) NOT NULL DEFAULT 'default',
    ADD COLUMN IF NOT EXISTS epoch BIGINT,
    ADD COLUMN IF NOT EXISTS ordinal BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS about VARBINARY(1024),
    ADD COLUMN IF NOT EXISTS version BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS renewed_at BIGINT,
    ADD COLUMN IF NOT EXISTS absolute_expires_at BIGINT,
    ADD COLUMN IF NOT EXISTS generation BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS confirmed_at BIGINT,
    ALGORITHM = INSTANT",
            "CREATE OR REPLACE TRIGGER sessions_cap_insert BEFORE INSERT ON sessions FOR EACH ROW
IF NEW.absolute_expires_at IS NULL THEN
    SET NEW.absolute_expires_at = NEW.created_at + {cap},
        NEW.renewed_at = LEAST(
            GREATEST(NEW.expires_at - {max_age}, NEW.created_at), NEW.absolute_expires_at
        ),
        NEW.expires_at = LEAST(
            GREATEST(NEW.expires_at, NEW.created_at), NEW.absolute_expires_at
        );
END IF",
            // The version is kept: the program of before wrote, or the backfill.
            "CREATE OR REPLACE TRIGGER sessions_cap_update BEFORE UPDATE ON sessions FOR EACH ROW
IF NEW.version = OLD.version THEN
    SET NEW.absolute_expires_at = COALESCE(NEW.absolute_expires_at, NEW.created_at + {cap}),
        NEW.renewed_at = LEAST(
            GREATEST(NEW.expires_at - {max_age}, NEW.created_at), NEW.absolute_expires_at
        ),
        NEW.expires_at = LEAST(
            GREATEST(NEW.expires_at, NEW.created_at), NEW.absolute_expires_at
        );
END IF",
        ],
        batch_end: "SELECT id FROM (
    SELECT id FROM sessions WHERE id > ? ORDER BY id LIMIT ?
) AS batch ORDER BY id DESC LIMIT 1",
        backfill: "UPDATE sessions SET absolute_expires_at = created_at + {cap}
WHERE id > ? AND id <= ? AND absolute_expires_at IS NULL",
        // One statement, since each would build the table or its indexes anew. No
        // CHECK is added: MariaDB does so only by copying the table under a lock.
        contract: &["ALTER TABLE sessions
    MODIFY renewed_at BIGINT NOT NULL,
    MODIFY absolute_expires_at BIGINT NOT NULL,
    ADD INDEX IF NOT EXISTS sessions_by_subject (subject),
    ADD INDEX IF NOT EXISTS sessions_by_expiry (expires_at),
    ALGORITHM = INPLACE, LOCK = NONE"],
        finish: &[
            "DROP TRIGGER IF EXISTS sessions_cap_insert",
            "DROP TRIGGER IF EXISTS sessions_cap_update",
        ],
    },
};
