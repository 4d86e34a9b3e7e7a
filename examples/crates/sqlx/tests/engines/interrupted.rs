//! A migration that was interrupted, or run before its time.

use session_policy::SessionPolicy;
use session_policy::store::sql::{MARIADB, POSTGRES, SQLITE};
use session_policy_sqlx::{
    MariaDbStore, PostgresStore, SqliteStore, contract_mariadb, contract_postgres, contract_sqlite,
    fill_mariadb, fill_postgres, fill_sqlite, finish_mariadb, finish_postgres, finish_sqlite,
};
use sqlx::AssertSqlSafe;

use crate::support;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;

/// Five rows of before, of which two are filled.
macro_rules! fill_two_of_five {
    ($pool:expr, $statements:expr, $table:expr, $insert:expr) => {
        sqlx::raw_sql($table).execute($pool).await.unwrap();
        for n in 1..=5_u8 {
            sqlx::query($insert).bind(vec![n; 16]).bind(vec![n; 32]).execute($pool).await.unwrap();
        }
        let migration = $statements.migration(&POLICY);
        for text in migration.expand {
            sqlx::raw_sql(AssertSqlSafe(text)).execute($pool).await.unwrap();
        }
        sqlx::query(AssertSqlSafe(migration.backfill))
            .bind(Vec::<u8>::new())
            .bind(vec![2_u8; 16])
            .execute($pool)
            .await
            .unwrap();
    };
}

/// Interrupted before `finish`, it is finished by starting over; and its last two
/// steps may be run again. `$left` counts what only the migration needs.
macro_rules! start_over {
    ($pool:expr, $url:expr, $fill:ident, $contract:ident, $finish:ident, $left:expr) => {
        let count = |text: &'static str| sqlx::query_scalar::<_, i64>(text).fetch_one($pool);
        assert!($contract($url, &POLICY).await.is_err(), "three rows have no cap");
        assert_eq!(count("SELECT COUNT(*) FROM sessions").await.unwrap(), 5);

        assert!($fill($url, &POLICY, 2).await.unwrap().batches > 0);
        $contract($url, &POLICY).await.unwrap();
        assert!(count($left).await.unwrap() > 0);

        assert_eq!($fill($url, &POLICY, 2).await.unwrap().batches, 0);
        $contract($url, &POLICY).await.unwrap();
        for _ in 0..2 {
            $finish($url, &POLICY).await.unwrap();
            assert_eq!(count($left).await.unwrap(), 0);
        }
        let capped = "SELECT COUNT(*) FROM sessions WHERE absolute_expires_at = 3888001";
        assert_eq!(count(capped).await.unwrap(), 5);
    };
}

#[tokio::test]
async fn a_postgres_migration_is_finished_by_starting_over() {
    let Some(url) = support::postgres("session_policy_interrupted").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let pool = store.pool();
    fill_two_of_five!(
        pool,
        POSTGRES,
        "CREATE TABLE sessions (
            id BYTEA NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BYTEA NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
        "INSERT INTO sessions VALUES ($1, 'user', $2, 1, 2592001)"
    );
    let left = "SELECT
        (SELECT COUNT(*) FROM pg_trigger WHERE tgrelid = 'sessions'::regclass)
        + (SELECT COUNT(*) FROM pg_proc WHERE proname = 'sessions_cap')
        + (SELECT COUNT(*) FROM pg_constraint WHERE conname = 'sessions_filled')";
    start_over!(pool, &url, fill_postgres, contract_postgres, finish_postgres, left);

    // Once more, and interrupted before the last statement.
    let contract = POSTGRES.migration(&POLICY).contract;
    for text in contract.iter().chain(&contract[..contract.len() - 1]) {
        sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(pool).await.unwrap();
    }
    finish_postgres(&url, &POLICY).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(pool).await.unwrap(), 0);
}

#[tokio::test]
async fn a_mariadb_migration_is_finished_by_starting_over() {
    let Some(url) = support::mariadb("session_policy_interrupted").await else { return };
    let store = MariaDbStore::connect(&url).await.unwrap();
    let pool = store.pool();
    fill_two_of_five!(
        pool,
        MARIADB,
        "CREATE TABLE sessions (
            id BINARY(16) NOT NULL PRIMARY KEY, subject VARBINARY(1024) NOT NULL,
            secret BINARY(32) NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
            ) ENGINE = InnoDB",
        "INSERT INTO sessions (id, subject, secret, created_at, expires_at)
            VALUES (?, 'user', ?, 1, 2592001)"
    );
    let left = "SELECT COUNT(*) FROM information_schema.triggers
        WHERE trigger_schema = DATABASE()";
    start_over!(pool, &url, fill_mariadb, contract_mariadb, finish_mariadb, left);

    for text in MARIADB.migration(&POLICY).contract {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(pool).await.unwrap();
    }
    let unlike = "SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND column_name LIKE '%expires_at' AND is_nullable = 'YES'";
    assert_eq!(sqlx::query_scalar::<_, i64>(unlike).fetch_one(pool).await.unwrap(), 0);
}

#[tokio::test]
async fn an_sqlite_migration_is_finished_by_starting_over() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    let pool = store.pool();
    fill_two_of_five!(
        pool,
        SQLITE,
        "CREATE TABLE sessions (
            id BLOB NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BLOB NOT NULL,
            created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)",
        "INSERT INTO sessions VALUES (?1, 'user', ?2, 1, 2592001)"
    );
    // The table of before and its triggers.
    let left = "SELECT COUNT(*) FROM sqlite_schema
        WHERE type = 'trigger' OR name LIKE '%_uncapped%'";
    start_over!(pool, &url, fill_sqlite, contract_sqlite, finish_sqlite, left);
    assert_eq!(
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'")
            .fetch_one(pool)
            .await
            .unwrap(),
        1,
    );
}
