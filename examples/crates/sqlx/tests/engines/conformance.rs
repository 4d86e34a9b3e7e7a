//! Each store passes the whole conformance kit on the real engine.

use std::time::Instant;

use session_policy::testing::StoreKit;
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};

use crate::engine::Engine;

#[tokio::test]
async fn the_postgres_store_conforms() {
    conforms::<PostgresStore>("TRUNCATE sessions").await;
}

#[tokio::test]
async fn the_mariadb_store_conforms() {
    conforms::<MariaDbStore>("TRUNCATE sessions").await;
}

#[tokio::test]
async fn the_sqlite_store_conforms() {
    conforms::<SqliteStore>("DELETE FROM sessions").await;
}

async fn conforms<S: Engine>(emptied: &str) {
    let Some(database) = S::database("session_policy_conformance").await else { return };
    let store = S::at(&database.url).await;
    store.create_table().await.unwrap();
    store.create_table().await.unwrap(); // Nothing where it is there.
    let empty = async || {
        store.run(emptied).await.unwrap();
        store.clone()
    };
    // Another handle has a pool of its own, as another process would.
    let another = async |_: &S| S::at(&database.url).await;
    let start = Instant::now();
    StoreKit::new().check_with_handles(&empty, another).await.assert_passed();
    StoreKit::new().check_scan(&empty).await.assert_passed();
    println!("{} conforms, by a kit that took {:?}", S::NAME, start.elapsed());
}
