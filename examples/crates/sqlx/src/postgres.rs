mod statement;

use std::str::FromStr;
use std::time::Duration;

use session_policy::store::sql::{POSTGRES, Statements};
use session_policy::store::{Cursor, Page, Removed, ScanStore, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, raw_sql};

use self::statement::filled;
use crate::row::{Columns, id, is_of, not_created, page, removed, session, told, usable};
use crate::value::{COLUMNS, Value, created, updated};

/// What each statement runs under, whatever the database's default: by another
/// isolation it would fail where it meets another write.
const READ_COMMITTED: &str = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ";
const AT_MOST_5_S: &str =
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = '5s'; ";

/// How often a statement is tried again that lost a deadlock, and so wrote nothing.
const RETRIES: u32 = 10;

/// Keeps sessions in PostgreSQL.
///
/// Clones share the pool. A connection that breaks is replaced by the pool: the
/// statement it carried fails, the next one runs.
///
/// A statement is one message to the engine, a transaction of its own, and prepares
/// nothing. So it also runs behind a pooler that hands out connections by the
/// transaction or the statement, as pgbouncer does, where prepared statements of
/// clients share their names, and one client may run another's.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
    sql: Statements,
    table: String,
    settings: &'static str,
}

impl PostgresStore {
    /// A store over a pool of the caller's making, whose timeouts hold.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, sql: POSTGRES, table: "sessions".to_owned(), settings: READ_COMMITTED }
    }

    /// A store at a URL such as `postgres://user@host/database`, on at most 16
    /// connections. A request waits at most 3 s for a connection and 5 s for a
    /// statement.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the URL is none of PostgreSQL's, or the
    /// engine cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        // Statements have ids and hashes in them, which belong in no log.
        let options = PgConnectOptions::from_str(url)
            .map_err(StoreError::unavailable)?
            .application_name("session-policy")
            // pgbouncer refuses this parameter of a connection; there are no floats.
            .extra_float_digits(None)
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(3))
            .connect_with(options)
            .await;
        let pool = pool.map_err(StoreError::unavailable)?;
        Ok(Self { settings: AT_MOST_5_S, ..Self::new(pool) })
    }

    /// The same store on a table of another name than `sessions`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] unless the name is `[A-Za-z_][A-Za-z0-9_]{0,62}`.
    pub fn with_table(mut self, name: &str) -> Result<Self, StoreError> {
        self.sql = POSTGRES.for_table(name).map_err(StoreError::unavailable)?;
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
            raw_sql(*statement).execute(&self.pool).await.map_err(StoreError::unavailable)?;
        }
        Ok(())
    }

    /// The pool, for the application's own statements.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn rows(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<PgRow>, StoreError> {
        self.run(statement, values).await.map_err(StoreError::unavailable)
    }

    /// Runs a statement to its end, which is the commit.
    async fn run(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<PgRow>, sqlx::Error> {
        let text = format!("{}{}", self.settings, filled(statement, values));
        for _ in 0..RETRIES {
            let answer = raw_sql(AssertSqlSafe(text.clone())).fetch_all(&self.pool).await;
            let code = answer.as_ref().err().and_then(sqlx::Error::as_database_error);
            if !matches!(code.and_then(DatabaseError::code).as_deref(), Some("40001" | "40P01")) {
                return answer;
            }
        }
        raw_sql(AssertSqlSafe(text)).fetch_all(&self.pool).await
    }
}

impl SessionStore for PostgresStore {
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
        let values = [before.into(), i64::from(limit).into()];
        told(self.rows(self.sql.remove_expired, &values).await?.iter().map(removed))
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

impl ScanStore for PostgresStore {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let (after, limit) = (from.map_or(&[][..], Cursor::as_bytes), limit.max(1));
        let values = [Value::Bytes(after), i64::from(limit).into()];
        page(&self.rows(self.sql.scan, &values).await?, limit)
    }
}

impl Columns for PgRow {
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
