//! A table without a cap is given one while the program of before serves from
//! it, on `SESSION_POLICY_MIGRATION_ROWS` rows (20,000 if not set).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use session_policy::store::SessionStore;
use session_policy::{SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::{MariaDbStore, Migrated, PostgresStore, SqliteStore};

use crate::engine::{Database, Engine};
use crate::locks;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;
/// In the past, since a migration refuses what is ahead of the engine's clock.
const NOW: i64 = 1_700_000_000;
const DAY: i64 = 86_400;
const CLIENTS: i64 = 8;
const BATCH: u32 = 1_000;

/// What the program of before said.
struct Before {
    read: &'static str,
    slide: &'static str,
    sign_in: &'static str,
    sign_out: &'static str,
}

const BEFORE: Before = Before {
    read: "SELECT expires_at FROM sessions WHERE id = $1",
    slide: "UPDATE sessions SET expires_at = $1 WHERE id = $2",
    sign_in: "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
        VALUES ($1, 'new', $2, $3, $4)",
    sign_out: "DELETE FROM sessions WHERE id = $1",
};
const BEFORE_ON_MARIADB: Before = Before {
    read: "SELECT expires_at FROM sessions WHERE id = ?",
    slide: "UPDATE sessions SET expires_at = ? WHERE id = ?",
    sign_in: "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
        VALUES (?, 'new', ?, ?, ?)",
    sign_out: "DELETE FROM sessions WHERE id = ?",
};

/// What the clients of the program of before saw.
#[derive(Default)]
struct Load {
    /// Whether clients no longer slide sessions, and sign nobody in or out.
    only_reads: AtomicBool,
    stopped: AtomicBool,
    requests: AtomicU64,
    longest_micros: AtomicU64,
    /// Sessions started less sessions ended.
    balance: AtomicI64,
}

impl Load {
    fn served(&self, start: Instant) {
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap();
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}

fn rows() -> i64 {
    let rows = std::env::var("SESSION_POLICY_MIGRATION_ROWS");
    rows.map_or(20_000, |rows| rows.parse().expect("a number of rows"))
}

/// The id of row `n`, spread over the whole range.
fn id(n: i64) -> Vec<u8> {
    let spread = (n.unsigned_abs() + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [spread.to_be_bytes(), n.to_be_bytes()].concat()
}

/// Spawns the clients of the program of before on a pool: each request reads a
/// session and slides it; every tenth signs in or out. None may fail.
macro_rules! spawn_load {
    ($pool:expr, $before:expr, $load:expr) => {
        (0..CLIENTS)
            .map(|client| {
                let (pool, load) = ($pool.clone(), Arc::clone(&$load));
                tokio::spawn(async move {
                    let before: Before = $before;
                    let mut n = client;
                    while !load.stopped.load(Ordering::SeqCst) {
                        n += CLIENTS;
                        let row = n.wrapping_mul(7_919) % rows();
                        if outlived(row) {
                            continue;
                        }
                        let start = Instant::now();
                        let expires_at: Option<i64> = sqlx::query_scalar(before.read)
                            .bind(id(row))
                            .fetch_optional(&pool)
                            .await
                            .expect("a read is served");
                        assert!(expires_at.is_some_and(|at| at > NOW), "row {row} is gone");
                        load.served(start);
                        if load.only_reads.load(Ordering::SeqCst) {
                            continue;
                        }
                        let start = Instant::now();
                        let slid = sqlx::query(before.slide)
                            .bind(NOW + 30 * DAY)
                            .bind(id(row))
                            .execute(&pool)
                            .await
                            .expect("a renewal is served");
                        assert_eq!(slid.rows_affected(), 1, "row {row} is gone");
                        load.served(start);
                        if n / CLIENTS % 10 == 0 {
                            let start = Instant::now();
                            sqlx::query(before.sign_in)
                                .bind(id(-n))
                                .bind(NOW)
                                .bind(NOW + 30 * DAY)
                                .bind(vec![3_u8; 32])
                                .execute(&pool)
                                .await
                                .expect("a sign-in is served");
                            load.balance.fetch_add(1, Ordering::SeqCst);
                            load.served(start);
                        }
                        if n / CLIENTS % 20 == 0 {
                            let start = Instant::now();
                            let ended = sqlx::query(before.sign_out)
                                .bind(id(-n))
                                .execute(&pool)
                                .await
                                .expect("a sign-out is served");
                            assert_eq!(ended.rows_affected(), 1);
                            load.balance.fetch_sub(1, Ordering::SeqCst);
                            load.served(start);
                        }
                    }
                })
            })
            .collect::<Vec<_>>()
    };
}

/// Stops the clients, and shows what was seen.
async fn stop(
    engine: &str,
    load: &Load,
    clients: Vec<tokio::task::JoinHandle<()>>,
    steps: [Migrated; 2],
) {
    load.stopped.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.expect("no request of a client fails");
    }
    let [filled, contracted] = steps;
    println!(
        "{engine}: {} rows in {} batches, the longest {:?}; the longest change {:?}; {} requests \
         meanwhile, none failed, the longest {:?}",
        filled.rows,
        filled.batches,
        filled.longest_batch,
        filled.longest_change.max(contracted.longest_change),
        load.requests.load(Ordering::SeqCst),
        Duration::from_micros(load.longest_micros.load(Ordering::SeqCst)),
    );
}

/// Reads through the store what the migration made, and compares it with
/// `SessionPolicy::adopt`.
async fn check_adopted(store: &impl SessionStore) {
    for n in (0..rows()).step_by(usize::try_from(rows() / 1_000).unwrap()) {
        let id = SessionId::from_bytes(id(n).try_into().unwrap());
        let held = store.load(&id).await.unwrap().unwrap();
        let lifetime = held.lifetime();
        let [slid, as_seeded] = [NOW + 30 * DAY, seeded_expiry(n)]
            .map(|at| POLICY.adopt(lifetime.created_at(), Timestamp::from_unix_secs(at)));
        assert_eq!(lifetime.created_at().as_unix_secs(), created_at(n));
        assert_eq!((held.epoch(), held.ordinal(), held.about()), (None, 0, None));
        assert!(*lifetime == slid || *lifetime == as_seeded, "row {n}: {lifetime:?}");
    }
}

/// Up to 44 days ago; one row in a thousand has outlived its cap of 45 days.
fn created_at(n: i64) -> i64 {
    NOW - if outlived(n) { 60 * DAY } else { n % 1_000 * 44 * DAY / 1_000 }
}

fn outlived(n: i64) -> bool {
    n % 1_000 == 999
}

fn seeded_expiry(n: i64) -> i64 {
    NOW + 1 + n % (30 * DAY)
}

/// A table of before with all its rows; `None` if the engine is absent.
async fn seeded<S: Engine>() -> Option<(Database, S)> {
    let database = S::database("session_policy_migration").await?;
    let store = S::at(&database.url).await;
    store.run(S::BEFORE).await.unwrap();
    let secret = S::literal(&[0xab; 32]);
    for from in (0..rows()).step_by(500) {
        let values: Vec<String> = (from..rows().min(from + 500))
            .map(|n| {
                let (id, user) = (S::literal(&id(n)), n % 5_000);
                let (created_at, expires_at) = (created_at(n), seeded_expiry(n));
                format!("({id}, 'user-{user}', {secret}, {created_at}, {expires_at})")
            })
            .collect();
        let text = format!(
            "INSERT INTO sessions (id, subject, secret, created_at, expires_at) VALUES {}",
            values.join(", "),
        );
        store.run(text).await.unwrap();
    }
    Some((database, store))
}

/// Fills, is interrupted, and fills again.
async fn filled<S: Engine>(url: &str) -> Migrated {
    let cut = tokio::time::timeout(Duration::from_millis(500), S::fill(url, &POLICY, 50));
    assert!(cut.await.is_err());
    S::fill(url, &POLICY, BATCH).await.unwrap()
}

/// No row is without its cap or lost, and none without a cap is taken.
async fn is_capped<S: Engine>(store: &S, load: &Load) {
    let wrong = "SELECT COUNT(*) FROM sessions WHERE absolute_expires_at IS NULL
        OR absolute_expires_at <> created_at + 3888000 OR expires_at > absolute_expires_at";
    assert_eq!(store.count(wrong).await, 0);
    let count = store.count("SELECT COUNT(*) FROM sessions").await;
    assert_eq!(count, rows() + load.balance.load(Ordering::SeqCst));
    check_adopted(store).await;
    let uncapped = format!(
        "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
            VALUES ({}, 'u', 1, 2, {})",
        S::literal(&[0; 16]),
        S::literal(&[0; 32]),
    );
    assert!(store.run(uncapped).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_table_is_given_its_cap_while_in_use() {
    let Some((database, store)) = seeded::<PostgresStore>().await else { return };
    let (pool, url) = (store.pool().clone(), &database.url);
    let watch = locks::of_postgres(url);
    let load = Arc::new(Load::default());
    let clients = spawn_load!(pool, BEFORE, load);

    let filled = filled::<PostgresStore>(url).await;
    let contracted = PostgresStore::contract(url, &POLICY).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop(PostgresStore::NAME, &load, clients, [filled, contracted]).await;
    println!("the longest wait for a lock, by pg_locks: {:?}", watch.longest());
    assert_eq!(PostgresStore::fill(url, &POLICY, BATCH).await.unwrap().batches, 0);
    PostgresStore::finish(url, &POLICY).await.unwrap();

    is_capped(&store, &load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_table_is_given_its_cap_while_in_use() {
    let Some((database, store)) = seeded::<MariaDbStore>().await else { return };
    let (pool, url) = (store.pool().clone(), &database.url);
    let rows_before = locks::longest_row_lock(url).await;
    let watch = locks::of_mariadb(url);
    let load = Arc::new(Load::default());
    let clients = spawn_load!(pool, BEFORE_ON_MARIADB, load);

    let filled = filled::<MariaDbStore>(url).await;
    // The table is written to as fast as eight clients can.
    let before =
        store.count("SELECT CAST(@@GLOBAL.innodb_online_alter_log_max_size AS SIGNED)").await;
    let set =
        |bytes: i64| store.run(format!("SET GLOBAL innodb_online_alter_log_max_size = {bytes}"));
    set(before.max(4 << 30)).await.unwrap();
    let contracted = MariaDbStore::contract(url, &POLICY).await.unwrap();
    set(before).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop(MariaDbStore::NAME, &load, clients, [filled, contracted]).await;
    println!(
        "the longest request that waited for the table, by the list of processes: {:?}; for a row, \
         and how many waited, by InnoDB: {:?}, before {rows_before:?}",
        watch.longest(),
        locks::longest_row_lock(url).await,
    );
    assert_eq!(MariaDbStore::fill(url, &POLICY, BATCH).await.unwrap().batches, 0);
    MariaDbStore::finish(url, &POLICY).await.unwrap();

    is_capped(&store, &load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_table_is_given_its_cap_while_in_use() {
    let Some((database, store)) = seeded::<SqliteStore>().await else { return };
    let (pool, url) = (store.pool().clone(), &database.url);
    let watch = locks::of_sqlite(url);
    let load = Arc::new(Load::default());
    let clients = spawn_load!(pool, BEFORE, load);

    let filled = filled::<SqliteStore>(url).await;
    // The program of before stops writing; reads go on.
    load.only_reads.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let filling = watch.longest();
    let watch = locks::of_sqlite(url);
    let contracted = SqliteStore::contract(url, &POLICY).await.unwrap();
    println!("the writer was taken for {filling:?} while filling, then for {:?}", watch.longest());
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop(SqliteStore::NAME, &load, clients, [filled, contracted]).await;
    assert_eq!(SqliteStore::fill(url, &POLICY, BATCH).await.unwrap().batches, 0);
    assert_eq!(SqliteStore::contract(url, &POLICY).await.unwrap().longest_change, Duration::ZERO);

    is_capped(&store, &load).await;
}
