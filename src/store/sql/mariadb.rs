use super::statements::{Statements, Template};

/// For MariaDB 10.6 and later. Not for MySQL, which has no `DELETE … RETURNING`.
///
/// Run each statement in a transaction of its own, of isolation `READ COMMITTED`, so
/// that a sweep locks rows and not the gaps between them, and commit it: with `autocommit = 0`
/// nothing else does, and the write is lost with the connection.
/// InnoDB may end one of two statements that wait for each other (error 1213): it has
/// then written nothing and is run again.
///
/// [`contract`](super::Migration::contract) rebuilds the table while it is
/// written to, and keeps what is written in a log of at most
/// `innodb_online_alter_log_max_size` (128 MiB if not set). A busy table needs
/// more: the statement then fails with error 1799 and has changed nothing. Raise
/// the setting, which takes no restart, and run the statement again. It ends once it has caught up
/// with that log: on a million rows in 10 s while eight clients wrote; where they wrote faster
/// than it reads the log, not within 7 minutes. Requests
/// are served all the while. So run it when few sign in, or let fewer write.
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
    // Compared as bytes, whatever the connection's collation.
    check: "SELECT CASE
    WHEN found.name IS NULL THEN CONCAT('no column ', wanted.name)
    ELSE CONCAT(wanted.name, ' as ', found.held, ', not as ', REPLACE(wanted.types, ',', ' or '))
END AS problem
FROM (
    SELECT 'id' AS name, 'binary,varbinary' AS types, 1 AS place
    UNION ALL SELECT 'subject', 'varbinary', 2
    UNION ALL SELECT 'secret', 'binary,varbinary', 3
    UNION ALL SELECT 'created_at', 'bigint', 4
    UNION ALL SELECT 'expires_at', 'bigint', 5
    UNION ALL SELECT 'profile', 'varbinary', 6
    UNION ALL SELECT 'epoch', 'bigint', 7
    UNION ALL SELECT 'ordinal', 'bigint', 8
    UNION ALL SELECT 'about', 'varbinary', 9
    UNION ALL SELECT 'version', 'bigint', 10
    UNION ALL SELECT 'renewed_at', 'bigint', 11
    UNION ALL SELECT 'absolute_expires_at', 'bigint', 12
    UNION ALL SELECT 'generation', 'bigint', 13
    UNION ALL SELECT 'confirmed_at', 'bigint', 14
) AS wanted
LEFT JOIN (
    SELECT
        LOWER(column_name) AS name,
        CONCAT(data_type, IF(column_type LIKE '%unsigned%', ' unsigned', '')) AS held
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'sessions'
) AS found ON BINARY found.name = BINARY wanted.name
WHERE EXISTS (
    SELECT 1 FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name = 'sessions'
) AND CASE
    WHEN found.name IS NULL THEN wanted.place <= ?
    ELSE FIND_IN_SET(BINARY found.held, BINARY wanted.types) = 0
END
ORDER BY wanted.place",
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
    // The limit is what `sql_safe_updates` asks for.
    remove_all: "DELETE FROM sessions WHERE subject = ? AND NOT (id <=> ?)
LIMIT 18446744073709551615 RETURNING id",
    scan: "SELECT
    id, subject, profile, epoch, ordinal, about, version, secret,
    created_at, renewed_at, expires_at, absolute_expires_at, generation, confirmed_at
FROM sessions WHERE id > ? ORDER BY id LIMIT ?",
    migration: Template {
        applied: "SELECT 1 FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = 'sessions'
    AND column_name = 'absolute_expires_at' AND is_nullable = 'NO'",
        check_rows: "SELECT CONCAT(CASE
    WHEN created_at > UNIX_TIMESTAMP() + 86400
        THEN CONCAT('created_at ', created_at, ', more than a day ahead: instants are unix seconds')
    WHEN expires_at > UNIX_TIMESTAMP() + 3155846400
        THEN CONCAT('expires_at ', expires_at,
            ', more than 100 years ahead: instants are unix seconds')
    WHEN LENGTH(id) <> 16 THEN 'an id that is not 16 bytes'
    WHEN LENGTH(secret) <> 32 THEN 'a secret that is not 32 bytes'
    WHEN id IS NULL OR subject IS NULL OR secret IS NULL OR created_at IS NULL
        OR expires_at IS NULL
        THEN 'a null'
    ELSE 'a subject that is no text of 1 to 1024 bytes without NUL'
END, ', in the row ', COALESCE(HEX(id), 'null'))
FROM sessions
WHERE created_at > UNIX_TIMESTAMP() + 86400
    OR expires_at > UNIX_TIMESTAMP() + 3155846400
    OR LENGTH(id) <> 16
    OR LENGTH(secret) <> 32
    OR LENGTH(subject) NOT BETWEEN 1 AND 1024
    OR LOCATE(x'00', CAST(subject AS BINARY)) > 0
    OR id IS NULL OR subject IS NULL OR secret IS NULL OR created_at IS NULL
    OR expires_at IS NULL
LIMIT 1",
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
