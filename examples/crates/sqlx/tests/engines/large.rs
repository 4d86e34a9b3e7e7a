//! Among `SESSION_POLICY_LARGE_ROWS` sessions (2,500,000 if not set), by hand: what a row
//! takes, which plans the engine chooses, how long each verb takes, and how long a sweep
//! of SQLite holds the only writer.

use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use session_policy::store::sql::SQLITE;
use session_policy::store::{Cursor, ScanStore, SecretHash, SessionStore, Update};
use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::{PostgresStore, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, raw_sql};

use crate::{explain, locks, support};

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;
const NOW: i64 = 1_800_000_000;
/// How many sessions each verb is called for.
const SAMPLE: u64 = 2_000;
/// How many a sweep removes, and how many sweeps are timed.
const SWEEP: u32 = 1_000;
const SWEEPS: usize = 50;
/// A row was created in the 30 days before `NOW`, and one in ten expired since: five
/// sessions a subject, under random ids.
const ROW: &str = "'user-' || (n % (:rows / 5)), 'default', NULL, 0, NULL, 0, :secret,
    1800000000 - n * 2654435761 % 2592000,
    1800000000 - n * 2654435761 % 2592000,
    1800000000 - n * 2654435761 % 2592000 + 2332800,
    1800000000 - n * 2654435761 % 2592000 + 3888000, 0, NULL";

fn rows() -> i64 {
    let rows = std::env::var("SESSION_POLICY_LARGE_ROWS");
    rows.map_or(2_500_000, |rows| rows.parse().expect("a number of rows"))
}

fn row(secret: &str) -> String {
    ROW.replace(":rows", &rows().to_string()).replace(":secret", secret)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes, and a gigabyte"]
async fn postgres_among_millions_of_sessions() {
    let Some(url) = support::postgres("session_policy_large").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    let fill = format!(
        "INSERT INTO sessions SELECT uuid_send(gen_random_uuid()), {}
        FROM generate_series(1, {}::BIGINT) AS n",
        row("sha256(n::TEXT::BYTEA)"),
        rows(),
    );
    raw_sql(AssertSqlSafe(fill)).execute(store.pool()).await.unwrap();
    raw_sql("VACUUM ANALYZE sessions").execute(store.pool()).await.unwrap();
    let sizes = "SELECT relname::TEXT, pg_total_relation_size(oid) - CASE relkind
            WHEN 'r' THEN pg_indexes_size(oid) ELSE 0 END
        FROM pg_class WHERE oid = 'sessions'::regclass OR oid IN (
            SELECT indexrelid FROM pg_index WHERE indrelid = 'sessions'::regclass
        ) ORDER BY 2 DESC";
    print_sizes("PostgreSQL", sqlx::query_as(sizes).fetch_all(store.pool()).await.unwrap());
    explain::postgres_uses_indexes(&store).await;
    measure("PostgreSQL", &store).await;
    store.pool().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes, and a gigabyte"]
async fn sqlite_among_millions_of_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    store.pool().close().await;
    let fill = format!(
        "WITH RECURSIVE series (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM series LIMIT {}
        )
        INSERT INTO sessions SELECT randomblob(16), {} FROM series; ANALYZE",
        rows(),
        row("randomblob(32)"),
    );
    // Without a log: that of random inserts would be ten times the table.
    let mut filling = SqliteConnectOptions::from_str(&url)
        .unwrap()
        .journal_mode(SqliteJournalMode::Off)
        .pragma("cache_size", "-2000000")
        .connect()
        .await
        .unwrap();
    raw_sql(AssertSqlSafe(fill)).execute(&mut filling).await.unwrap();
    let sizes = "SELECT name, SUM(pgsize) FROM dbstat WHERE name LIKE '%sessions%'
        GROUP BY name ORDER BY 2 DESC";
    print_sizes("SQLite", sqlx::query_as(sizes).fetch_all(&mut filling).await.unwrap());
    filling.close().await.unwrap();
    let store = SqliteStore::connect(&url).await.unwrap();
    explain::sqlite_uses_indexes(&store).await;
    measure("SQLite", &store).await;
    held(&url, 1_000).await;
    held(&url, 0).await;
    others_wait(&url, &store).await;
}

fn print_sizes(engine: &str, sizes: Vec<(String, i64)>) {
    let all: i64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    println!("{engine}: {} bytes a row among {}", all / rows(), rows());
    for (name, bytes) in sizes {
        println!("    {name}: {}", bytes / rows());
    }
    assert!(all / rows() > 100, "a row has 16 + 32 bytes, seven numbers and two texts");
}

/// One client, one call after the other.
async fn measure(engine: &str, store: &impl ScanStore) {
    let sampled = sample(store).await;
    println!("| {engine} | p50, us | p99, us | longest, us |\n| --- | --- | --- | --- |");
    let mut took = Vec::new();
    for session in &sampled {
        let start = Instant::now();
        let loaded = store.load(&session.id()).await.unwrap();
        took.push(start.elapsed());
        assert_eq!(loaded.as_ref(), Some(session));
    }
    print("load", &mut took);
    for session in &sampled {
        let start = Instant::now();
        let listed = store.list(session.subject()).await.unwrap();
        took.push(start.elapsed());
        assert!(listed.len() == 5 && listed.contains(session), "{}", listed.len());
    }
    print("list of 5", &mut took);
    for session in &sampled {
        let at = Timestamp::from_unix_secs(NOW);
        let lifetime = POLICY.start_until(at, session.lifetime().absolute_expires_at());
        let update = Update::new(session, at, &lifetime);
        let start = Instant::now();
        let updated = store.update(&update).await.unwrap();
        took.push(start.elapsed());
        assert!(updated);
    }
    print("update", &mut took);
    for n in 0..SAMPLE {
        let id = SessionId::from_bytes(spread(n + SAMPLE));
        let lifetime = POLICY.start(Timestamp::from_unix_secs(NOW));
        let secret = SecretHash::from_bytes([7; 32]);
        let session = Session::new(id, "user-new", "default", secret, lifetime).unwrap();
        let start = Instant::now();
        store.create(&session).await.unwrap();
        took.push(start.elapsed());
    }
    print("create", &mut took);
    for n in 0..SAMPLE {
        let id = SessionId::from_bytes(spread(n + SAMPLE));
        let start = Instant::now();
        let removed = store.remove(&id).await.unwrap();
        took.push(start.elapsed());
        assert!(removed);
    }
    print("remove", &mut took);
    for _ in 0..SWEEPS {
        let start = Instant::now();
        let swept = store.remove_expired(Timestamp::from_unix_secs(NOW), SWEEP).await.unwrap();
        took.push(start.elapsed());
        assert_eq!(swept.len(), SWEEP as usize);
    }
    print("sweep of 1,000", &mut took);
}

/// Live sessions from all over the table.
async fn sample(store: &impl ScanStore) -> Vec<Session> {
    let live = Timestamp::from_unix_secs(NOW).saturating_add(TimeDelta::seconds(1));
    let mut sampled = Vec::new();
    for n in 0.. {
        let from = Cursor::from_bytes(spread(n));
        let page = store.scan(Some(&from), 1).await.unwrap();
        let one = page.sessions.into_iter().filter(|one| one.lifetime().expires_at() >= live);
        sampled.extend(one);
        if sampled.len() as u64 == SAMPLE {
            break;
        }
    }
    sampled
}

/// An id, far from that of the next number.
fn spread(n: u64) -> [u8; 16] {
    let spread = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    [spread, n.to_be_bytes()].concat().try_into().unwrap()
}

/// A row of a table of Markdown; empties what it prints.
fn print(what: &str, took: &mut Vec<Duration>) {
    took.sort_unstable();
    let at = |part: usize| took[(took.len() - 1) * part / 1_000].as_micros();
    println!("| {what} | {} | {} | {} |", at(500), at(990), at(1_000));
    took.clear();
}

/// Prints how long batches of a sweep hold the writer, with checkpoints by themselves
/// after so many pages, or without any.
async fn held(url: &str, autocheckpoint: u32) {
    let mut connection = SqliteConnectOptions::from_str(url)
        .unwrap()
        .pragma("wal_autocheckpoint", autocheckpoint.to_string())
        .connect()
        .await
        .unwrap();
    println!("| wal_autocheckpoint {autocheckpoint} | p50, us | p99, us | longest, us |");
    println!("| --- | --- | --- | --- |");
    for batch in [32, 100, 1_000] {
        let (mut deletes, mut commits, mut both) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..16_000 / batch {
            raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
            let start = Instant::now();
            let swept = sqlx::query(SQLITE.remove_expired)
                .bind(NOW)
                .bind(batch)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            deletes.push(start.elapsed());
            let commit = Instant::now();
            raw_sql("COMMIT").execute(&mut connection).await.unwrap();
            commits.push(commit.elapsed());
            both.push(start.elapsed());
            assert_eq!(i64::try_from(swept.len()), Ok(batch));
        }
        print(&format!("{batch} rows, deleted"), &mut deletes);
        print(&format!("{batch} rows, committed"), &mut commits);
        print(&format!("{batch} rows, both"), &mut both);
    }
    // The next begins with an empty log.
    raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Prints how long another connection finds the writer taken while the store sweeps.
async fn others_wait(url: &str, store: &SqliteStore) {
    let watch = locks::of_sqlite(url);
    for _ in 0..SWEEPS {
        let swept = store.remove_expired(Timestamp::from_unix_secs(NOW), SWEEP).await.unwrap();
        assert_eq!(swept.len(), SWEEP as usize);
    }
    let mut waits = watch.waits();
    let (found, long) = (waits.len(), waits.iter().filter(|wait| wait.as_millis() >= 10).count());
    println!("| another connection | p50, us | p99, us | longest, us |\n| --- | --- | --- | --- |");
    print(&format!("waits, {found} times"), &mut waits);
    println!("{long} waits of 10 ms or more");
    assert!(found > SWEEPS, "it looked while the store swept");
}
