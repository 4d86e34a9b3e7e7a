//! A table without a cap is given one while the program of before serves from
//! it, on `SESSION_POLICY_MIGRATION_ROWS` rows (20,000 if not set).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use session_policy::store::SessionStore;
use session_policy::{SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::{
    MariaDbStore, Migrated, PostgresStore, SqliteStore, contract_mariadb, contract_postgres,
    contract_sqlite, fill_mariadb, fill_postgres, fill_sqlite, finish_mariadb, finish_postgres,
};
use sqlx::AssertSqlSafe;

use crate::{locks, support};

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;
/// In the past, since a migration refuses what is ahead of the engine's clock.
const NOW: i64 = 1_700_000_000;
const DAY: i64 = 86_400;
const CLIENTS: i64 = 8;
const BATCH: u32 = 1_000;

/// What the program of before said, on one engine; `$1` is an id, `$2` an
/// instant.
struct Before {
    read: &'static str,
    slide: &'static str,
    sign_in: &'static str,
    sign_out: &'static str,
}

/// What the clients of the program of before saw.
#[derive(Default)]
struct Load {
    /// Whether clients sign in and out, too.
    writing: AtomicBool,
    stopped: AtomicBool,
    requests: AtomicU64,
    longest_micros: AtomicU64,
    /// Sessions started less sessions ended.
    balance: AtomicI64,
}

impl Load {
    fn new() -> Arc<Self> {
        let load = Self::default();
        load.writing.store(true, Ordering::SeqCst);
        Arc::new(load)
    }

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
                        if !load.writing.load(Ordering::SeqCst) {
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

macro_rules! seed {
    ($pool:expr, $insert:expr) => {
        for from in (0..rows()).step_by(500) {
            let values: Vec<String> = (from..rows().min(from + 500))
                .map(|n| {
                    let hex: String = id(n).iter().map(|byte| format!("{byte:02x}")).collect();
                    let created_at = created_at(n);
                    format!(
                        "({}'{hex}'{}, 'user-{}', {}, {created_at}, {})",
                        $insert.0,
                        $insert.1,
                        n % 5_000,
                        $insert.2,
                        seeded_expiry(n)
                    )
                })
                .collect();
            let text = format!(
                "INSERT INTO sessions (id, subject, secret, created_at, expires_at) VALUES {}",
                values.join(", "),
            );
            sqlx::raw_sql(AssertSqlSafe(text)).execute($pool).await.unwrap();
        }
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_table_is_given_its_cap_while_in_use() {
    let Some(url) = support::postgres("session_policy_migration").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let pool = store.pool().clone();
    let table = "CREATE TABLE sessions (
        id BYTEA NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BYTEA NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)";
    sqlx::query(table).execute(&pool).await.unwrap();
    seed!(&pool, ("decode(", ", 'hex')", "decode(repeat('ab', 32), 'hex')"));
    let before = || Before {
        read: "SELECT expires_at FROM sessions WHERE id = $1",
        slide: "UPDATE sessions SET expires_at = $1 WHERE id = $2",
        sign_in: "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
            VALUES ($1, 'new', $2, $3, $4)",
        sign_out: "DELETE FROM sessions WHERE id = $1",
    };
    let watch = locks::of_postgres(&url);
    let load = Load::new();
    let clients = spawn_load!(pool, before(), load);

    // Interrupted, then run again.
    let cut = tokio::time::timeout(Duration::from_millis(500), fill_postgres(&url, &POLICY, 50));
    assert!(cut.await.is_err());
    let filled = fill_postgres(&url, &POLICY, BATCH).await.unwrap();
    let contracted = contract_postgres(&url, &POLICY).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop("PostgreSQL", &load, clients, [filled, contracted]).await;
    println!("the longest wait for a lock, by pg_locks: {:?}", watch.longest());
    assert_eq!(fill_postgres(&url, &POLICY, BATCH).await.unwrap().batches, 0);
    finish_postgres(&url, &POLICY).await.unwrap();

    let wrong = "SELECT COUNT(*) FROM sessions WHERE absolute_expires_at IS NULL
        OR absolute_expires_at <> created_at + 3888000 OR expires_at > absolute_expires_at";
    let (wrong, count): (i64, i64) = (
        sqlx::query_scalar(wrong).fetch_one(&pool).await.unwrap(),
        sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(&pool).await.unwrap(),
    );
    assert_eq!(wrong, 0);
    assert_eq!(count, rows() + load.balance.load(Ordering::SeqCst));
    check_adopted(&store).await;
    let uncapped = "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
        VALUES (decode(repeat('00', 16), 'hex'), 'u', 1, 2, decode(repeat('00', 32), 'hex'))";
    assert!(sqlx::query(uncapped).execute(&pool).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_table_is_given_its_cap_while_in_use() {
    let Some(url) = support::mariadb("session_policy_migration").await else { return };
    let store = MariaDbStore::connect(&url).await.unwrap();
    let pool = store.pool().clone();
    let table = "CREATE TABLE sessions (
        id BINARY(16) NOT NULL PRIMARY KEY, subject VARBINARY(1024) NOT NULL,
        secret BINARY(32) NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
        ) ENGINE = InnoDB";
    sqlx::raw_sql(table).execute(&pool).await.unwrap();
    seed!(&pool, ("UNHEX(", ")", "UNHEX(REPEAT('ab', 32))"));
    let before = || Before {
        read: "SELECT expires_at FROM sessions WHERE id = ?",
        slide: "UPDATE sessions SET expires_at = ? WHERE id = ?",
        sign_in: "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
            VALUES (?, 'new', ?, ?, ?)",
        sign_out: "DELETE FROM sessions WHERE id = ?",
    };
    let rows_before = locks::longest_row_lock(&url).await;
    let watch = locks::of_mariadb(&url);
    let load = Load::new();
    let clients = spawn_load!(pool, before(), load);

    let cut = tokio::time::timeout(Duration::from_millis(500), fill_mariadb(&url, &POLICY, 50));
    assert!(cut.await.is_err());
    let filled = fill_mariadb(&url, &POLICY, BATCH).await.unwrap();
    // The table is written to as fast as eight clients can.
    let log = "innodb_online_alter_log_max_size";
    let before: u64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT @@GLOBAL.{log}")))
        .fetch_one(&pool)
        .await
        .unwrap();
    let set = |bytes: u64| sqlx::raw_sql(AssertSqlSafe(format!("SET GLOBAL {log} = {bytes}")));
    set(before.max(4 << 30)).execute(&pool).await.unwrap();
    let contracted = contract_mariadb(&url, &POLICY).await.unwrap();
    set(before).execute(&pool).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop("MariaDB", &load, clients, [filled, contracted]).await;
    println!(
        "the longest request that waited for the table, by the list of processes: {:?}; for a row, and how many \
         waited, by InnoDB: {:?}, before {rows_before:?}",
        watch.longest(),
        locks::longest_row_lock(&url).await,
    );
    assert_eq!(fill_mariadb(&url, &POLICY, BATCH).await.unwrap().batches, 0);
    finish_mariadb(&url, &POLICY).await.unwrap();

    let wrong = "SELECT COUNT(*) FROM sessions WHERE absolute_expires_at IS NULL
        OR absolute_expires_at <> created_at + 3888000 OR expires_at > absolute_expires_at";
    let (wrong, count): (i64, i64) = (
        sqlx::query_scalar(wrong).fetch_one(&pool).await.unwrap(),
        sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(&pool).await.unwrap(),
    );
    assert_eq!(wrong, 0);
    assert_eq!(count, rows() + load.balance.load(Ordering::SeqCst));
    check_adopted(&store).await;
    let uncapped = "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
        VALUES (UNHEX(REPEAT('00', 16)), 'u', 1, 2, UNHEX(REPEAT('00', 32)))";
    assert!(sqlx::query(uncapped).execute(&pool).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_table_is_given_its_cap_while_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    let pool = store.pool().clone();
    let table = "CREATE TABLE sessions (
        id BLOB NOT NULL PRIMARY KEY, subject TEXT NOT NULL, secret BLOB NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)";
    sqlx::query(table).execute(&pool).await.unwrap();
    seed!(&pool, ("x", "", "zeroblob(32)"));
    let before = || Before {
        read: "SELECT expires_at FROM sessions WHERE id = ?1",
        slide: "UPDATE sessions SET expires_at = ?1 WHERE id = ?2",
        sign_in: "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
            VALUES (?1, 'new', ?2, ?3, ?4)",
        sign_out: "DELETE FROM sessions WHERE id = ?1",
    };
    let watch = locks::of_sqlite(&url);
    let load = Load::new();
    let clients = spawn_load!(pool, before(), load);

    let cut = tokio::time::timeout(Duration::from_millis(500), fill_sqlite(&url, &POLICY, 50));
    assert!(cut.await.is_err());
    let filled = fill_sqlite(&url, &POLICY, BATCH).await.unwrap();
    // The program of before stops writing; reads go on.
    load.writing.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let filling = watch.longest();
    let watch = locks::of_sqlite(&url);
    let contracted = contract_sqlite(&url, &POLICY).await.unwrap();
    println!("the writer was taken for {filling:?} while filling, then for {:?}", watch.longest());
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop("SQLite", &load, clients, [filled, contracted]).await;
    assert_eq!(fill_sqlite(&url, &POLICY, BATCH).await.unwrap().batches, 0);
    assert_eq!(contract_sqlite(&url, &POLICY).await.unwrap().longest_change, Duration::ZERO);

    let wrong = "SELECT COUNT(*) FROM sessions WHERE absolute_expires_at IS NULL
        OR absolute_expires_at <> created_at + 3888000 OR expires_at > absolute_expires_at";
    let (wrong, count): (i64, i64) = (
        sqlx::query_scalar(wrong).fetch_one(&pool).await.unwrap(),
        sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(&pool).await.unwrap(),
    );
    assert_eq!(wrong, 0);
    assert_eq!(count, rows() + load.balance.load(Ordering::SeqCst));
    check_adopted(&store).await;
    let uncapped = "INSERT INTO sessions (id, subject, created_at, expires_at, secret)
        VALUES (zeroblob(16), 'u', 1, 2, zeroblob(32))";
    assert!(sqlx::query(uncapped).execute(&pool).await.is_err());
}
