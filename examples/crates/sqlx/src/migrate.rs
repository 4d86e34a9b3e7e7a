//! Runs the migrations of [`session_policy::store::sql`].

use std::time::{Duration, Instant};

use session_policy::SessionPolicy;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// What a step of a migration did, and the statements that took longest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Migrated {
    /// How many rows it gave a cap.
    pub rows: u64,
    /// In how many batches.
    pub batches: u64,
    /// The longest batch: for so long a write to one of its rows waits.
    pub longest_batch: Duration,
    /// The longest other statement. On PostgreSQL and MariaDB rows are read and
    /// written meanwhile; on SQLite they are read.
    pub longest_change: Duration,
}

/// How often a change of the table that cannot get its lock is tried again.
const TRIES: u32 = 60;

/// One statement, tried again while it cannot get its lock.
macro_rules! change {
    ($executed:expr) => {{
        let mut tries = 0;
        loop {
            match $executed.await {
                Err(error) if is_busy(&error) && tries < TRIES => tries += 1,
                result => break result,
            }
        }
    }};
}

macro_rules! migration {
    ($fill:ident, $contract:ident, $finish:ident, $options:ty, $statements:expr, $settings:expr) => {
        /// Adds the columns to the table `sessions` at `url`, and gives its rows
        /// their cap in batches of at most `batch`: steps 1 to 3 of a
        /// [`Migration`](session_policy::store::sql::Migration). May be interrupted and
        /// run again. Once the constraints are there it does nothing, and what is
        /// left is to finish.
        ///
        /// # Errors
        ///
        /// As sqlx has them. What was done stays done.
        pub async fn $fill(
            url: &str,
            policy: &SessionPolicy,
            batch: u32,
        ) -> Result<Migrated, sqlx::Error> {
            let migration = $statements.migration(policy);
            let mut connection = url.parse::<$options>()?.connect().await?;
            connection.execute($settings).await?;
            let mut migrated = Migrated::default();
            if sqlx::query(migration.applied).fetch_optional(&mut connection).await?.is_some() {
                return Ok(migrated);
            }
            for text in migration.expand {
                let start = Instant::now();
                change!(sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(&mut connection))?;
                migrated.longest_change = migrated.longest_change.max(start.elapsed());
            }
            let mut after: Vec<u8> = Vec::new();
            loop {
                let end = sqlx::query_scalar(migration.batch_end)
                    .bind(after.clone())
                    .bind(i64::from(batch))
                    .fetch_optional(&mut connection)
                    .await?;
                let Some(end): Option<Vec<u8>> = end else { break };
                let start = Instant::now();
                let filled = change!(
                    sqlx::query(AssertSqlSafe(migration.backfill.clone()))
                        .bind(after.clone())
                        .bind(end.clone())
                        .execute(&mut connection)
                )?;
                migrated.longest_batch = migrated.longest_batch.max(start.elapsed());
                migrated.rows += filled.rows_affected();
                migrated.batches += 1;
                after = end;
            }
            connection.close().await?;
            Ok(migrated)
        }

        /// Adds the indexes and constraints: step 4. May be interrupted and run
        /// again, as filling.
        ///
        /// # Errors
        ///
        /// As sqlx has them, and if a row has no cap: it is still there.
        pub async fn $contract(url: &str, policy: &SessionPolicy) -> Result<Migrated, sqlx::Error> {
            let migration = $statements.migration(policy);
            let mut connection = url.parse::<$options>()?.connect().await?;
            connection.execute($settings).await?;
            let mut migrated = Migrated::default();
            if sqlx::query(migration.applied).fetch_optional(&mut connection).await?.is_some() {
                return Ok(migrated);
            }
            for text in migration.contract {
                let start = Instant::now();
                let changed =
                    change!(sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(&mut connection));
                if let Err(error) = changed {
                    // What it began is rolled back before another statement can follow.
                    return connection.close().await.and(Err(error));
                }
                migrated.longest_change = migrated.longest_change.max(start.elapsed());
            }
            connection.close().await?;
            Ok(migrated)
        }

        /// Drops what the program of before needed: step 6. May be
        /// interrupted and run again.
        ///
        /// # Errors
        ///
        /// As sqlx has them.
        pub async fn $finish(url: &str, policy: &SessionPolicy) -> Result<(), sqlx::Error> {
            let mut connection = url.parse::<$options>()?.connect().await?;
            connection.execute($settings).await?;
            for text in $statements.migration(policy).finish {
                change!(sqlx::raw_sql(*text).execute(&mut connection))?;
            }
            connection.close().await
        }
    };
}

/// PostgreSQL's lock timeout and deadlock, and MariaDB's by number or state.
fn is_busy(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    #[cfg(feature = "mariadb")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return matches!(error.number(), 1205 | 1213);
    }
    matches!(error.code().as_deref(), Some("40P01" | "55P03"))
}

#[cfg(feature = "mariadb")]
migration!(
    fill_mariadb,
    contract_mariadb,
    finish_mariadb,
    sqlx::mysql::MySqlConnectOptions,
    session_policy::store::sql::MARIADB,
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
     SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 2"
);
#[cfg(feature = "postgres")]
migration!(
    fill_postgres,
    contract_postgres,
    finish_postgres,
    sqlx::postgres::PgConnectOptions,
    session_policy::store::sql::POSTGRES,
    "SET lock_timeout = '2s'"
);
#[cfg(feature = "sqlite")]
migration!(
    fill_sqlite,
    contract_sqlite,
    finish_sqlite,
    sqlx::sqlite::SqliteConnectOptions,
    session_policy::store::sql::SQLITE,
    "PRAGMA busy_timeout = 60000"
);
