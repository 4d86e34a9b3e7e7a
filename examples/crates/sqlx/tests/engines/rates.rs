//! What a session takes in each engine, and how many calls a second it answers, by hand:
//! the figures of `session-policy capacity`.

use std::sync::Arc;

use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};
use session_policy_store_harness::rates;

use crate::engine::Engine;

const SESSIONS: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes, and the figures need a quiet machine"]
async fn each_engine_among_100_000_sessions() {
    for subject in [36, 136] {
        measure::<SqliteStore>(
            subject,
            "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%sessions%'",
        )
        .await;
        measure::<PostgresStore>(subject, "SELECT pg_total_relation_size('sessions')").await;
        measure::<MariaDbStore>(
            subject,
            "SELECT CAST(data_length + index_length AS SIGNED) FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_name = 'sessions'",
        )
        .await;
    }
}

async fn measure<S: Engine>(subject: usize, size: &'static str) {
    let Some(database) = S::database("session_policy_rates").await else { return };
    let store = S::at(&database.url).await;
    store.create_table().await.unwrap();
    let bytes = async || {
        if S::NAME == "MariaDB" {
            store.run("ANALYZE TABLE sessions").await.unwrap();
        }
        u64::try_from(store.count(size).await).unwrap()
    };
    let rates = rates(Arc::new(store.clone()), SESSIONS, subject, bytes).await;
    println!("{}, {subject}: {rates:?}", S::NAME);
}
