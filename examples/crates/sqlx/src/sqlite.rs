use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::{Duration, Instant};

use session_policy::store::sql::{SQLITE, Statements};
use session_policy::store::{Cursor, Page, Removed, ScanStore, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use sqlx::Row;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use tokio::time::sleep;

use crate::row::{Columns, id, is_of, not_created, page, removed, session, told, usable};
use crate::value::{COLUMNS, Value, created, updated};

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
    /// sign-out may be undone by one. Pass `FULL` to [`new`](Self::new)'s pool where
    /// that matters.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the URL is another engine's, or the file, which may also
    /// be named without `sqlite:`, cannot be opened. Its source (`{:?}` shows it) names a URL with `sqlite:`, and
    /// no other, which may hold a password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        // The engine does not say which file. Another engine's URL may hold a password.
        let name = if url.starts_with("sqlite:") { url } else { "no sqlite: URL" };
        let named = |error: sqlx::Error| {
            StoreError::unavailable(format!("{}: {error}", name.escape_debug()))
        };
        let options = SqliteConnectOptions::from_str(url)
            .map_err(named)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(3))
            .connect_with(options)
            .await;
        pool.map(Self::new).map_err(named)
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
    /// table of this name: the error's source says what it has (`{:?}` shows it), and nothing
    /// is changed.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let found = self.rows(self.sql.check, &[COLUMNS.into()]).await?;
        usable(&self.table, &found)?;
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

    async fn rows(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<SqliteRow>, StoreError> {
        self.run(statement, values).await.map_err(StoreError::unavailable)
    }

    async fn run(
        &self,
        statement: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut query = sqlx::query(statement);
        for value in values {
            query = match value {
                Value::Bytes(bytes) => query.bind(*bytes),
                Value::Id(id) => query.bind(&id.as_bytes()[..]),
                Value::Null => query.bind(None::<i64>),
                Value::Number(number) => query.bind(*number),
                Value::Text(text) => query.bind(*text),
            };
        }
        query.fetch_all(&self.pool).await
    }
}

impl SessionStore for SqliteStore {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let answer = self.run(self.sql.create, &created(session)?).await;
        answer.map(drop).map_err(not_created)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let rows = self.rows(self.sql.load, &[(*id).into()]).await?;
        rows.first().map(session).transpose()
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        is_of(&self.rows(self.sql.update, &updated(update)?).await?, update.id())
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let rows = self.rows(self.sql.remove, &[(*id).into()]).await?;
        is_of(&rows, *id)
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let (mut gone, mut left) = (Vec::new(), limit);
        let (fewest, most) = SWEPT_AT_ONCE.into_inner();
        let mut at_once = fewest;
        while left > 0 {
            let (start, batch) = (Instant::now(), left.min(at_once));
            let values = [before.into(), i64::from(batch).into()];
            let rows = match self.rows(self.sql.remove_expired, &values).await {
                Ok(rows) => rows,
                // What was removed is told, and the next call meets the error again.
                Err(_) if !gone.is_empty() => break,
                Err(error) => return Err(error),
            };
            gone.extend(rows.iter().map(removed));
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
        told(gone)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let rows = self.rows(self.sql.list, &[subject.into()]).await?;
        rows.iter().map(session).collect()
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let values = [subject.into(), except.copied().into()];
        let rows = self.rows(self.sql.remove_all, &values).await?;
        rows.iter().map(id).collect()
    }
}

impl ScanStore for SqliteStore {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let (after, limit) = (from.map_or(&[][..], Cursor::as_bytes), limit.max(1));
        let values = [Value::Bytes(after), i64::from(limit).into()];
        page(&self.rows(self.sql.scan, &values).await?, limit)
    }
}

impl Columns for SqliteRow {
    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.try_get(column).map_err(StoreError::corrupt)
    }

    fn number(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(StoreError::corrupt)
    }

    fn text(&self, column: &str) -> Result<Option<&str>, StoreError> {
        self.try_get(column).map_err(StoreError::corrupt)
    }
}
