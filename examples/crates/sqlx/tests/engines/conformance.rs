//! Each store passes the whole conformance kit on the real engine.
use std::time::Instant;

use crate::support;
use session_policy::store::ScanStore;
use session_policy::testing::StoreKit;
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};

#[tokio::test]
async fn the_postgres_store_conforms() {
    let Some(url) = support::postgres("session_policy_conformance").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    let empty = async || {
        sqlx::query("TRUNCATE sessions").execute(store.pool()).await.unwrap();
        store.clone()
    };
    let another = async |_: &PostgresStore| PostgresStore::connect(&url).await.unwrap();
    conforms("PostgreSQL", empty, another).await;
}

#[tokio::test]
async fn the_mariadb_store_conforms() {
    let Some(url) = support::mariadb("session_policy_conformance").await else { return };
    let store = MariaDbStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    let empty = async || {
        sqlx::query("TRUNCATE sessions").execute(store.pool()).await.unwrap();
        store.clone()
    };
    let another = async |_: &MariaDbStore| MariaDbStore::connect(&url).await.unwrap();
    conforms("MariaDB", empty, another).await;
}

#[tokio::test]
async fn the_sqlite_store_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    store.create_table().await.unwrap(); // Nothing where it is there.
    let empty = async || {
        sqlx::query("DELETE FROM sessions").execute(store.pool()).await.unwrap();
        store.clone()
    };
    let another = async |_: &SqliteStore| SqliteStore::connect(&url).await.unwrap();
    conforms("SQLite", empty, another).await;
}

/// Another handle has a pool of its own, as another process would.
async fn conforms<S: ScanStore + 'static>(
    engine: &str,
    empty: impl AsyncFn() -> S,
    another: impl AsyncFn(&S) -> S,
) {
    let start = Instant::now();
    StoreKit::new().check_with_handles(&empty, another).await.assert_passed();
    StoreKit::new().check_scan(&empty).await.assert_passed();
    println!("{engine} conforms, by a kit that took {:?}", start.elapsed());
}
