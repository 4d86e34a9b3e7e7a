mod statement;

use std::str::FromStr;
use std::time::Duration;

use session_policy::store::sql::{MARIADB, Statements};
use session_policy::store::{Cursor, Page, Removed, ScanStore, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row, raw_sql};

use self::statement::filled;
use crate::row::{Columns, id, is_of, not_created, page, removed, session, told, usable};
use crate::value::{COLUMNS, Value, created, updated};

/// SQLSTATE 40001, MariaDB's error 1213.
const DEADLOCK: &str = "40001";
const RETRIES: u32 = 10;

/// Around each statement on a pool whose settings are not known, so that it is a
/// transaction of its own under `autocommit = 0`, too.
const ALONE: [&str; 2] = [
    "ROLLBACK AND NO CHAIN NO RELEASE; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ",
    "; COMMIT AND NO CHAIN NO RELEASE",
];

/// Once per connection, to the same end; times in seconds. A sweep locks rows and not the
/// gaps between them.
const SETTINGS: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET SESSION autocommit = 1, sql_safe_updates = 0, max_statement_time = 5,
    innodb_lock_wait_timeout = 5";

/// Keeps sessions in MariaDB.
///
/// Clones share the pool. A connection that breaks is replaced by the pool: the
/// statement it carried fails, the next one runs.
///
/// The application's own settings may hold on its pool: `autocommit`,
/// `sql_safe_updates`, `sql_mode`, the time zone, isolation and character set change
/// nothing here. What a connection of the pool has left uncommitted is rolled back.
#[derive(Clone, Debug)]
pub struct MariaDbStore {
    pool: MySqlPool,
    sql: Statements,
    table: String,
    around: [&'static str; 2],
}

impl MariaDbStore {
    /// A store over a pool of the caller's making, whose timeouts hold.
    #[must_use]
    pub fn new(pool: MySqlPool) -> Self {
        Self { pool, sql: MARIADB, table: "sessions".to_owned(), around: ALONE }
    }

    /// A store at a URL such as `mysql://user@host/database`, on at most 16
    /// connections. A request waits at most 3 s for a connection and 5 s for a
    /// statement.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the URL is none of MariaDB's, or the
    /// engine cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        // Statements have ids and hashes in them, which belong in no log.
        let options = MySqlConnectOptions::from_str(url)
            .map_err(StoreError::unavailable)?
            .set_names(false)
            .disable_statement_logging();
        let pool = MySqlPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(3))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(SETTINGS).await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await;
        let pool = pool.map_err(StoreError::unavailable)?;
        Ok(Self { around: [""; 2], ..Self::new(pool) })
    }

    /// The same store on a table of another name than `sessions`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] unless the name is `[A-Za-z_][A-Za-z0-9_]{0,62}`.
    pub fn with_table(mut self, name: &str) -> Result<Self, StoreError> {
        self.sql = MARIADB.for_table(name).map_err(StoreError::unavailable)?;
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
    pub const fn pool(&self) -> &MySqlPool {
        &self.pool
    }

    async fn rows(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<MySqlRow>, StoreError> {
        let answer = self.run(statement, values, false).await.map_err(StoreError::unavailable)?;
        Ok(answer.rows)
    }

    /// Runs a statement to its end, which is the commit; again if `InnoDB` chose it as
    /// the victim of a deadlock, which has undone it.
    async fn run(
        &self,
        statement: &str,
        values: &[Value<'_>],
        counts: bool,
    ) -> Result<Answer, sqlx::Error> {
        let [before, after] = self.around;
        let text = format!("{before}{}{after}", filled(statement, values));
        for _ in 0..RETRIES {
            match self.run_once(text.clone(), counts).await {
                Err(sqlx::Error::Database(error))
                    if error.code().is_some_and(|code| code == DEADLOCK) => {}
                answer => return answer,
            }
        }
        self.run_once(text, counts).await
    }

    async fn run_once(&self, text: String, counts: bool) -> Result<Answer, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let query = raw_sql(AssertSqlSafe(text));
        let answer = if counts {
            let done = query.execute(&mut *connection).await;
            done.map(|done| Answer { rows: Vec::new(), affected: done.rows_affected() })
        } else {
            query.fetch_all(&mut *connection).await.map(|rows| Answer { rows, affected: 0 })
        };
        if answer.is_err() {
            // Under `autocommit = 0` the statement may have left locks.
            let _ = connection.execute("ROLLBACK AND NO CHAIN NO RELEASE").await;
        }
        answer
    }
}

/// The rows that a statement returned, or how many it changed.
struct Answer {
    rows: Vec<MySqlRow>,
    affected: u64,
}

impl SessionStore for MariaDbStore {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let answer = self.run(self.sql.create, &created(session)?, false).await;
        answer.map(drop).map_err(not_created)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let rows = self.rows(self.sql.load, &[(*id).into()]).await?;
        rows.first().map(session).transpose()
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let updated = self.run(self.sql.update, &updated(update)?, true).await;
        let updated = updated.map_err(StoreError::unavailable)?;
        Ok(updated.affected == 1)
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

impl ScanStore for MariaDbStore {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        let (after, limit) = (from.map_or(&[][..], Cursor::as_bytes), limit.max(1));
        let values = [Value::Bytes(after), i64::from(limit).into()];
        page(&self.rows(self.sql.scan, &values).await?, limit)
    }
}

impl Columns for MySqlRow {
    fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.try_get(column).map_err(StoreError::corrupt)
    }

    fn number(&self, column: &str) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(StoreError::corrupt)
    }

    fn text(&self, column: &str) -> Result<Option<&str>, StoreError> {
        // Texts are `VARBINARY`.
        let bytes: Option<&[u8]> = self.try_get(column).map_err(StoreError::corrupt)?;
        bytes.map(str::from_utf8).transpose().map_err(StoreError::corrupt)
    }
}
