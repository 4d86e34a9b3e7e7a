//! How long a sweep of a SQLite file keeps other writers waiting, among
//! `SESSION_POLICY_SWEEP_ROWS` rows (40,000 if not set).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use session_policy::Timestamp;
use session_policy::store::SessionStore;
use session_policy::store::sql::SQLITE;
use session_policy_sqlx::SqliteStore;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Connection};

fn rows() -> i64 {
    let rows = std::env::var("SESSION_POLICY_SWEEP_ROWS");
    rows.map_or(40_000, |rows| rows.parse().expect("a number of rows"))
}

/// Expired sessions, in an order that their ids do not follow.
async fn filled(store: &SqliteStore) {
    store.create_table().await.unwrap();
    let text = format!(
        "WITH RECURSIVE series (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM series LIMIT {}
        )
        INSERT INTO sessions SELECT
            randomblob(16), 'user-' || abs(random() % 500000), 'default', NULL, 0, NULL, 0,
            randomblob(32), n, n, n, n, 0, NULL
        FROM (SELECT n * 2654435761 % 2592000 AS n FROM series)",
        rows(),
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(store.pool()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_sweep_lets_other_writers_in() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    filled(&store).await;
    sqlx::raw_sql("CREATE TABLE other (n INTEGER)").execute(store.pool()).await.unwrap();
    println!("among {} rows, with the writer held for", rows());
    for batch in [1_000, 100, 32, 16] {
        held(store.pool(), batch).await;
    }

    let sweeping = Arc::new(AtomicBool::new(true));
    let other = tokio::spawn({
        let (url, sweeping) = (url.clone(), sweeping.clone());
        async move {
            let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let mut waits = Vec::new();
            while sweeping.load(Ordering::SeqCst) {
                let start = Instant::now();
                sqlx::query("INSERT INTO other VALUES (1)").execute(&mut other).await.unwrap();
                waits.push(start.elapsed());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            waits
        }
    });
    let (start, mut swept) = (Instant::now(), 0);
    for _ in 0..5 {
        let before = Timestamp::from_unix_secs(2_592_000);
        swept += store.remove_expired(before, 1_000).await.unwrap().len();
    }
    let took = start.elapsed();
    sweeping.store(false, Ordering::SeqCst);
    let mut waits = other.await.unwrap();
    waits.sort_unstable();
    let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!(
        "five sweeps of 1,000 took {took:?}; meanwhile {} other writes, the median {median:?}, \
         the longest {longest:?}",
        waits.len(),
    );
    assert_eq!(swept, 5_000);
    // In one piece each, the sweeps would let in five or so.
    assert!(waits.len() > 100, "{}", waits.len());
}

/// Prints how long the statement of a sweep takes, which is how long it holds the only
/// writer.
async fn held(pool: &SqlitePool, batch: i64) {
    let mut connection = pool.acquire().await.unwrap();
    let mut took = Vec::new();
    for _ in 0..4_096 / batch {
        let start = Instant::now();
        sqlx::query(SQLITE.remove_expired)
            .bind(2_592_000_i64)
            .bind(batch)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        took.push(start.elapsed());
    }
    took.sort_unstable();
    let at = |part: usize| took[(took.len() - 1) * part / 100];
    println!(
        "{batch} rows: the median {:?}, 90 in a hundred {:?}, the longest {:?}",
        at(50),
        at(90),
        at(100),
    );
}
