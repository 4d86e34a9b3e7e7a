//! Runs the migrations of [`session_policy::store::sql`].

use std::time::{Duration, Instant};

use session_policy::SessionPolicy;
use session_policy::store::sql::{Migration, Statements};
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

/// What a migration goes by: a policy, and the table's name where it is not
/// `sessions`. A `&SessionPolicy` is one.
#[derive(Clone, Debug)]
pub struct Plan {
    policy: SessionPolicy,
    table: String,
}

impl Plan {
    /// The plan to give the table of this name the cap of this policy.
    #[must_use]
    pub fn for_table(table: &str, policy: &SessionPolicy) -> Self {
        Self { policy: *policy, table: table.to_owned() }
    }

    fn migration(&self, statements: &Statements) -> Result<Migration, sqlx::Error> {
        let statements = statements.for_table(&self.table);
        let statements = statements.map_err(|error| sqlx::Error::Configuration(error.into()))?;
        Ok(statements.migration(&self.policy))
    }

    /// The error of a table that cannot be migrated.
    fn refuse(&self, found: &[String]) -> sqlx::Error {
        let found = found.join(", ");
        let error = format!(
            "the table {} cannot be given a cap, and this step changed nothing: it has {found}",
            self.table,
        );
        sqlx::Error::Configuration(error.into())
    }
}

impl From<&SessionPolicy> for Plan {
    fn from(policy: &SessionPolicy) -> Self {
        Self::for_table("sessions", policy)
    }
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

/// Refuses a table that is not as the migration expects, before anything is changed.
macro_rules! check {
    ($plan:expr, $migration:expr, $connection:expr) => {
        let found: Vec<String> =
            sqlx::query_scalar($migration.check).bind(5_i64).fetch_all(&mut *$connection).await?;
        if !found.is_empty() {
            return Err($plan.refuse(&found));
        }
        let found: Option<String> =
            sqlx::query_scalar($migration.check_rows).fetch_optional(&mut *$connection).await?;
        if let Some(found) = found {
            return Err($plan.refuse(&[found]));
        }
    };
}

macro_rules! migration {
    ($fill:ident, $contract:ident, $finish:ident, $options:ty, $statements:expr, $settings:expr) => {
        /// Checks the table at `url`, adds the columns to it, and gives its rows their
        /// cap in batches of at most `batch`: steps 1 to 3 of a [`Migration`]. May be
        /// interrupted and run again. Once the constraints are there it does nothing,
        /// and what is left is to finish.
        ///
        /// # Errors
        ///
        /// As sqlx has them; what was done stays done. [`sqlx::Error::Configuration`] if
        /// the table is another's, a row cannot become a session, or SQLite would lose a
        /// column: the error says what it has, and nothing was changed.
        pub async fn $fill(
            url: &str,
            plan: impl Into<Plan>,
            batch: u32,
        ) -> Result<Migrated, sqlx::Error> {
            let plan = plan.into();
            let migration = plan.migration(&$statements)?;
            let mut connection = url.parse::<$options>()?.connect().await?;
            connection.execute($settings).await?;
            let mut migrated = Migrated::default();
            if sqlx::query(migration.applied).fetch_optional(&mut connection).await?.is_some() {
                return Ok(migrated);
            }
            check!(plan, migration, &mut connection);
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
        /// As filling, and if a row has no cap: it is still there.
        pub async fn $contract(url: &str, plan: impl Into<Plan>) -> Result<Migrated, sqlx::Error> {
            let plan = plan.into();
            let migration = plan.migration(&$statements)?;
            let mut connection = url.parse::<$options>()?.connect().await?;
            connection.execute($settings).await?;
            let mut migrated = Migrated::default();
            if sqlx::query(migration.applied).fetch_optional(&mut connection).await?.is_some() {
                return Ok(migrated);
            }
            check!(plan, migration, &mut connection);
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
        pub async fn $finish(url: &str, plan: impl Into<Plan>) -> Result<(), sqlx::Error> {
            let mut connection = url.parse::<$options>()?.connect().await?;
            connection.execute($settings).await?;
            for text in plan.into().migration(&$statements)?.finish {
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
     SET SESSION autocommit = 1, sql_safe_updates = 0,
     lock_wait_timeout = 2, innodb_lock_wait_timeout = 2"
);
#[cfg(feature = "postgres")]
migration!(
    fill_postgres,
    contract_postgres,
    finish_postgres,
    sqlx::postgres::PgConnectOptions,
    session_policy::store::sql::POSTGRES,
    "SET lock_timeout = '2s'; SET default_transaction_isolation = 'read committed'"
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
