use std::str::FromStr;
use std::time::Duration;

use session_policy::store::sql::{SQLITE, Statements};
use session_policy::store::{SecretHash, SessionParts, SessionStore, StoreError, Update};
use session_policy::{Lifetime, Session, SessionId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};

const SQL: Statements = SQLITE;

/// Keeps sessions in a SQLite database.
///
/// Clones share the pool. Readers run beside the one writer; a second writer
/// waits for the first.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// A store over a pool of the caller's making.
    #[must_use]
    pub const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// A store in a file, as `sqlite:///path/to/sessions.db`, which is made where
    /// it is absent. A writer waits at most 5 s for another one.
    ///
    /// Written ahead and synchronised at checkpoints (`WAL`, `NORMAL`): a crash
    /// of the process loses nothing, a power cut at most the last moments, so a
    /// logout may be undone by one. Pass `FULL` to [`new`](Self::new)'s pool where
    /// that matters.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the URL is none of SQLite's, or the file
    /// cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(StoreError::unavailable)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(3))
            .connect_with(options)
            .await;
        pool.map(Self::new).map_err(StoreError::unavailable)
    }

    /// Makes the table and its indexes where they are absent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the engine refuses.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        for statement in SQL.schema {
            sqlx::query(*statement).execute(&self.pool).await.map_err(StoreError::unavailable)?;
        }
        Ok(())
    }

    /// The pool, for the application's own statements.
    #[must_use]
    pub const fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

impl SessionStore for SqliteStore {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let lifetime = session.lifetime();
        let created = sqlx::query(SQL.create)
            .bind(&session.id().as_bytes()[..])
            .bind(session.subject())
            .bind(session.profile())
            .bind(count(session.version())?)
            .bind(&session.secret().as_bytes()[..])
            .bind(lifetime.created_at().as_unix_secs())
            .bind(lifetime.renewed_at().as_unix_secs())
            .bind(lifetime.expires_at().as_unix_secs())
            .bind(lifetime.absolute_expires_at().as_unix_secs())
            .bind(count(session.generation())?)
            .bind(session.confirmed_at().map(Timestamp::as_unix_secs))
            .execute(&self.pool)
            .await;
        match created {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(StoreError::Conflict)
            }
            Err(error) => Err(StoreError::unavailable(error)),
            Ok(_) => Ok(()),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(SQL.load)
            .bind(&id.as_bytes()[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(session).transpose()
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let updated = sqlx::query(SQL.update)
            .bind(&update.id().as_bytes()[..])
            .bind(count(update.expected_version())?)
            .bind(update.at().as_unix_secs())
            .bind(update.renewed_at().as_unix_secs())
            .bind(update.expires_at().as_unix_secs())
            .bind(count(update.generation())?)
            .bind(update.confirmed_at().map(Timestamp::as_unix_secs))
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(updated.rows_affected() == 1)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let removed = sqlx::query(SQL.remove)
            .bind(&id.as_bytes()[..])
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(removed.rows_affected() == 1)
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let removed = sqlx::query(SQL.remove_expired)
            .bind(now.as_unix_secs())
            .bind(i64::from(limit))
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(removed.rows_affected())
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query(SQL.list)
            .bind(subject)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(session).collect()
    }

    /// One statement is enough: `SQLite` has one writer at a time, so that no
    /// rotation goes by it.
    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let removed = sqlx::query(SQL.remove_all)
            .bind(subject)
            .bind(except.map(|id| &id.as_bytes()[..]))
            .execute(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        Ok(removed.rows_affected())
    }
}

/// A row as a session; what is no session is refused, never repaired.
fn session(row: &SqliteRow) -> Result<Session, StoreError> {
    let bytes = |column| row.try_get::<&[u8], _>(column).map_err(StoreError::corrupt);
    let text = |column| row.try_get::<&str, _>(column).map_err(StoreError::corrupt);
    let number = |column| row.try_get::<i64, _>(column).map_err(StoreError::corrupt);
    let count = |column| u64::try_from(number(column)?).map_err(StoreError::corrupt);
    let instant = |column| Timestamp::try_from(number(column)?).map_err(StoreError::corrupt);
    let confirmed_at: Option<i64> = row.try_get("confirmed_at").map_err(StoreError::corrupt)?;
    Session::restore(SessionParts {
        id: SessionId::from_bytes(bytes("id")?.try_into().map_err(StoreError::corrupt)?),
        subject: text("subject")?.into(),
        profile: text("profile")?.into(),
        version: count("version")?,
        secret: SecretHash::from_bytes(bytes("secret")?.try_into().map_err(StoreError::corrupt)?),
        lifetime: Lifetime::restore(
            instant("created_at")?,
            instant("renewed_at")?,
            instant("expires_at")?,
            instant("absolute_expires_at")?,
        )
        .map_err(StoreError::corrupt)?,
        generation: count("generation")?,
        confirmed_at: confirmed_at
            .map(Timestamp::try_from)
            .transpose()
            .map_err(StoreError::corrupt)?,
    })
    .map_err(StoreError::corrupt)
}

/// A count as the engine's signed 64 bits.
fn count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(StoreError::corrupt)
}
