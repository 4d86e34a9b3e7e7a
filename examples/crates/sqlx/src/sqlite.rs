mod row;

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::{Duration, Instant};

use session_policy::store::sql::{SQLITE, Statements};
use session_policy::store::{Cursor, Page, Removed, ScanStore, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::time::sleep;

use self::row::{count, id, is_of, removed, session};

/// Of a session.
const COLUMNS: i64 = 14;

/// How many rows a sweep removes at once. The most take about 1 ms where the file is in
/// memory; the fewest, which it begins with, take 3 ms where each page is read from disk.
const SWEPT_AT_ONCE: RangeInclusive<u32> = 8..=32;

/// What takes a sweep longer than this is removed in smaller parts: others wait for the
/// only writer meanwhile.
const SWEPT_WITHIN: Duration = Duration::from_millis(4);

/// Keeps sessions in a SQLite database.
///
/// Clones share the pool. Readers run beside the one writer; a second writer
/// waits for the first. A sweep lets others in after every 8 to 32 rows, whatever its limit.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    sql: Statements,
    table: String,
}

impl SqliteStore {
    /// A store over a pool of the caller's making.
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool, sql: SQLITE, table: "sessions".to_owned() }
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

    /// The same store on a table of another name than `sessions`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] unless the name is `[A-Za-z_][A-Za-z0-9_]{0,62}`.
    pub fn with_table(mut self, name: &str) -> Result<Self, StoreError> {
        self.sql = SQLITE.for_table(name).map_err(StoreError::unavailable)?;
        name.clone_into(&mut self.table);
        Ok(self)
    }

    /// Makes the table and its indexes where they are absent.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the engine refuses, or if there is another
    /// table of this name: the error says what it has, and nothing is changed.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let found = sqlx::query(self.sql.check)
            .bind(COLUMNS)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        if !found.is_empty() {
            let found: Result<Vec<String>, _> = found.iter().map(|row| row.try_get(0)).collect();
            let found = found.map_err(StoreError::corrupt)?.join(", ");
            let error = format!("the table {} cannot be used: it has {found}", self.table);
            return Err(StoreError::unavailable(error));
        }
        for statement in self.sql.schema {
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
        let created = sqlx::query(self.sql.create)
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
        let row = sqlx::query(self.sql.load)
            .bind(&id.as_bytes()[..])
            .fetch_optional(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        row.as_ref().map(session).transpose()
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let updated = sqlx::query(self.sql.update)
            .bind(&update.id().as_bytes()[..])
            .bind(count(update.expected_version())?)
            .bind(update.at().as_unix_secs())
            .bind(update.renewed_at().as_unix_secs())
            .bind(update.expires_at().as_unix_secs())
            .bind(&update.secret().as_bytes()[..])
            .bind(count(update.generation())?)
            .bind(update.confirmed_at().map(Timestamp::as_unix_secs))
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        is_of(&updated, update.id())
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let removed = sqlx::query(self.sql.remove)
            .bind(&id.as_bytes()[..])
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::unavailable)?;
        is_of(&removed, *id)
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let (mut swept, mut left) = (Vec::new(), limit);
        let (fewest, most) = SWEPT_AT_ONCE.into_inner();
        let mut at_once = fewest;
        while left > 0 {
            let (start, batch) = (Instant::now(), left.min(at_once));
            let rows = sqlx::query(self.sql.remove_expired)
                .bind(before.as_unix_secs())
                .bind(i64::from(batch))
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::unavailable)?;
            swept.extend(rows.iter().map(removed).collect::<Result<Vec<_>, _>>()?);
            left -= batch;
            if rows.len() < batch as usize {
                break;
            }
            if left > 0 {
                let took = start.elapsed();
                at_once = if took > SWEPT_WITHIN { at_once / 2 } else { at_once * 2 };
                at_once = at_once.clamp(fewest, most);
                // Other writers ask again every few milliseconds.
                sleep(took.max(Duration::from_millis(5))).await;
            }
        }
        Ok(swept)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query(self.sql.list)
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
        let rows = sqlx::query(self.sql.remove_all)
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
        let rows = sqlx::query(self.sql.scan)
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
