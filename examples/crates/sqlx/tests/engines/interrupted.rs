//! A migration that was interrupted, or run before its time.

use session_policy::SessionPolicy;
use session_policy::store::sql::{MARIADB, POSTGRES};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};

use crate::engine::Engine;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;

/// Interrupted before `finish`, it is finished by starting over; and its last two
/// steps may be run again. `left` counts what only the migration needs.
async fn starts_over<S: Engine>(store: &S, url: &str, left: &'static str) {
    // Five rows of before, of which two are filled.
    store.run(S::BEFORE).await.unwrap();
    for n in 1..=5 {
        let (id, secret) = (S::literal(&[n; 16]), S::literal(&[n; 32]));
        let row = format!(
            "INSERT INTO sessions (id, subject, secret, created_at, expires_at)
                VALUES ({id}, 'user', {secret}, 1, 2592001)"
        );
        store.run(row).await.unwrap();
    }
    let migration = S::SQL.migration(&POLICY);
    for text in migration.expand {
        store.run(text).await.unwrap();
    }
    store.run_with(&migration.backfill, [Vec::new(), vec![2; 16]]).await;

    assert!(S::contract(url, &POLICY).await.is_err(), "three rows have no cap");
    assert_eq!(store.count("SELECT COUNT(*) FROM sessions").await, 5);

    assert!(S::fill(url, &POLICY, 2).await.unwrap().batches > 0);
    S::contract(url, &POLICY).await.unwrap();
    assert!(store.count(left).await > 0);

    assert_eq!(S::fill(url, &POLICY, 2).await.unwrap().batches, 0);
    S::contract(url, &POLICY).await.unwrap();
    for _ in 0..2 {
        S::finish(url, &POLICY).await.unwrap();
        assert_eq!(store.count(left).await, 0);
    }
    let capped = "SELECT COUNT(*) FROM sessions WHERE absolute_expires_at = 3888001";
    assert_eq!(store.count(capped).await, 5);
}

#[tokio::test]
async fn a_postgres_migration_is_finished_by_starting_over() {
    let Some(database) = PostgresStore::database("session_policy_interrupted").await else {
        return;
    };
    let store = PostgresStore::at(&database.url).await;
    let left = "SELECT
        (SELECT COUNT(*) FROM pg_trigger WHERE tgrelid = 'sessions'::regclass)
        + (SELECT COUNT(*) FROM pg_proc WHERE proname = 'sessions_cap')
        + (SELECT COUNT(*) FROM pg_constraint WHERE conname = 'sessions_filled')";
    starts_over(&store, &database.url, left).await;

    // Once more, and interrupted before the last statement.
    let contract = POSTGRES.migration(&POLICY).contract;
    for text in contract.iter().chain(&contract[..contract.len() - 1]) {
        store.run(text).await.unwrap();
    }
    PostgresStore::finish(&database.url, &POLICY).await.unwrap();
    assert_eq!(store.count(left).await, 0);
}

#[tokio::test]
async fn a_mariadb_migration_is_finished_by_starting_over() {
    let Some(database) = MariaDbStore::database("session_policy_interrupted").await else { return };
    let store = MariaDbStore::at(&database.url).await;
    let left = "SELECT COUNT(*) FROM information_schema.triggers
        WHERE trigger_schema = DATABASE()";
    starts_over(&store, &database.url, left).await;

    for text in MARIADB.migration(&POLICY).contract {
        store.run(text).await.unwrap();
    }
    let unlike = "SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND column_name LIKE '%expires_at' AND is_nullable = 'YES'";
    assert_eq!(store.count(unlike).await, 0);
}

#[tokio::test]
async fn an_sqlite_migration_is_finished_by_starting_over() {
    let Some(database) = SqliteStore::database("session_policy_interrupted").await else { return };
    let store = SqliteStore::at(&database.url).await;
    // The table of before and its triggers.
    let left = "SELECT COUNT(*) FROM sqlite_schema
        WHERE type = 'trigger' OR name LIKE '%_uncapped%'";
    starts_over(&store, &database.url, left).await;
    let tables = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'";
    assert_eq!(store.count(tables).await, 1);
}
