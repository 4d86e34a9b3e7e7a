use std::str::FromStr;
use std::time::Duration;

use session_policy::store::sql::{SQLITE, Statements};
use session_policy::store::{
    Cursor, Page, Removed, ScanStore, SecretHash, SessionParts, SessionStore, StoreError, Update,
};
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
            .bind(session.epoch().map(u64::cast_signed))
            .bind(session.ordinal().cast_signed())
            .bind(session.about())
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
            .bind(&update.secret().as_bytes()[..])
            .bind(count(update.generation())?)
            .bind(update.confirmed_at().map(Timestamp::as_unix_secs))
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        is_of(updated.as_ref(), update.id())
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let removed = sqlx::query(SQL.remove)
            .bind(&id.as_bytes()[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        is_of(removed.as_ref(), *id)
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let rows = sqlx::query(SQL.remove_expired)
            .bind(before.as_unix_secs())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(removed).collect()
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query(SQL.list)
            .bind(subject)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(session).collect()
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let rows = sqlx::query(SQL.remove_all)
            .bind(subject)
            .bind(except.map(|id| &id.as_bytes()[..]))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        rows.iter().map(id).collect()
    }
}

impl ScanStore for SqliteStore {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let (after, limit) = (from.map_or(&[][..], Cursor::as_bytes), limit.max(1));
        let rows = sqlx::query(SQL.scan)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        let sessions: Vec<_> = rows.iter().map(session).collect::<Result<_, _>>()?;
        let last = sessions.last().filter(|_| sessions.len() == limit as usize);
        let next = last.map(|last| Cursor::from_bytes(*last.id().as_bytes()));
        Ok(Page { sessions, next })
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
    let epoch: Option<i64> = row.try_get("epoch").map_err(StoreError::corrupt)?;
    let about: Option<&str> = row.try_get("about").map_err(StoreError::corrupt)?;
    Session::restore(SessionParts {
        id: SessionId::from_bytes(bytes("id")?.try_into().map_err(StoreError::corrupt)?),
        subject: text("subject")?.into(),
        profile: text("profile")?.into(),
        epoch: epoch.map(i64::cast_unsigned),
        ordinal: number("ordinal")?.cast_unsigned(),
        about: about.map(Into::into),
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

/// Whether a statement returned the row that it was about.
fn is_of(row: Option<&SqliteRow>, meant: SessionId) -> Result<bool, StoreError> {
    match row.map(id).transpose()? {
        Some(id) if id != meant => Err(StoreError::corrupt("another statement was answered")),
        id => Ok(id.is_some()),
    }
}

fn id(row: &SqliteRow) -> Result<SessionId, StoreError> {
    let bytes: &[u8] = row.try_get("id").map_err(StoreError::corrupt)?;
    Ok(SessionId::from_bytes(bytes.try_into().map_err(StoreError::corrupt)?))
}

/// What a sweep says of a row.
fn removed(row: &SqliteRow) -> Result<Removed, StoreError> {
    let text = |column| row.try_get::<&str, _>(column).map_err(StoreError::corrupt);
    let instant = |column| {
        let secs: i64 = row.try_get(column).map_err(StoreError::corrupt)?;
        Timestamp::try_from(secs).map_err(StoreError::corrupt)
    };
    Ok(Removed::from_parts(
        id(row)?,
        text("subject")?,
        text("profile")?,
        instant("expires_at")?,
        instant("absolute_expires_at")?,
    ))
}

/// A count as the engine's signed 64 bits.
fn count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(StoreError::corrupt)
}
