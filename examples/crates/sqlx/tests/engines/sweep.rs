//! What a sweep tells of, and that a sweep of a SQLite file lets other writers in. How long
//! it keeps them waiting among millions of rows is measured in `large`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_policy::Timestamp;
use session_policy::store::{SessionStore, StoreError};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};
use sqlx::Connection;
use sqlx::sqlite::{SqlitePoolOptions, UpdateHookResult};

use crate::engine::Engine;

/// Outside of the range, and sorted before every other.
const NO_INSTANT: i64 = i64::MIN + 1;
const END: Timestamp = Timestamp::from_unix_secs(2_592_000);

/// 6,000 expired sessions, in an order that their ids do not follow.
async fn filled(store: &SqliteStore) {
    store.create_table().await.unwrap();
    let text = "WITH RECURSIVE series (n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM series LIMIT 6000
        )
        INSERT INTO sessions SELECT
            randomblob(16), 'user-' || (n % 1000), 'default', NULL, 0, NULL, 0,
            randomblob(32), n, n, n, n, 0, NULL
        FROM (SELECT n * 2654435761 % 2592000 AS n FROM series)";
    sqlx::raw_sql(text).execute(store.pool()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_sweep_lets_other_writers_in() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    filled(&store).await;
    sqlx::raw_sql("CREATE TABLE other (n INTEGER)").execute(store.pool()).await.unwrap();

    let sweeping = Arc::new(AtomicBool::new(true));
    let other = tokio::spawn({
        let (url, sweeping) = (url.clone(), sweeping.clone());
        async move {
            let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let mut writes = 0;
            while sweeping.load(Ordering::SeqCst) {
                sqlx::query("INSERT INTO other VALUES (1)").execute(&mut other).await.unwrap();
                writes += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            writes
        }
    });
    let mut swept = 0;
    for _ in 0..5 {
        swept += store.remove_expired(END, 1_000).await.unwrap().len();
    }
    sweeping.store(false, Ordering::SeqCst);
    let writes = other.await.unwrap();
    println!("five sweeps of 1,000, and meanwhile {writes} other writes");
    assert_eq!(swept, 5_000);
    // In one piece each, the sweeps would let in five or so.
    assert!(writes > 100, "{writes}");
}

/// How many rows each transaction removed: a trigger notes each of them in a table whose
/// changes SQLite tells, which it does not of a table without a `rowid`.
#[tokio::test]
async fn a_sweep_begins_with_8_rows_and_never_removes_more_than_32_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db?mode=rwc", folder.path().display());
    let pool = SqlitePoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = SqliteStore::new(pool.clone());
    filled(&store).await;
    let trigger = "CREATE TABLE swept (id BLOB);
        CREATE TRIGGER note AFTER DELETE ON sessions BEGIN
            INSERT INTO swept VALUES (OLD.id);
        END";
    sqlx::raw_sql(trigger).execute(&pool).await.unwrap();
    let (now, done) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(Vec::new())));
    let mut connection = pool.acquire().await.unwrap();
    let mut handle = connection.lock_handle().await.unwrap();
    handle.set_update_hook({
        let now = Arc::clone(&now);
        move |change: UpdateHookResult<'_>| {
            assert_eq!(change.table, "swept");
            *now.lock().unwrap() += 1;
        }
    });
    handle.set_commit_hook({
        let done = Arc::clone(&done);
        move || {
            done.lock().unwrap().push(std::mem::take(&mut *now.lock().unwrap()));
            true
        }
    });
    drop(handle);
    drop(connection);

    for limit in [1_000, 33, 32, 8, 1] {
        let swept = store.remove_expired(END, limit).await.unwrap();
        let removed: Vec<u32> = std::mem::take(&mut done.lock().unwrap());
        println!("of {limit}: {removed:?}");
        assert_eq!((swept.len(), removed.iter().sum()), (limit as usize, limit));
        assert_eq!(removed[0], limit.min(8));
        assert!(removed.iter().all(|rows| *rows <= 32), "{removed:?}");
    }
    // As many as there are, and then none.
    let swept = store.remove_expired(END, u32::MAX).await.unwrap();
    assert_eq!(swept.len(), 6_000 - 1_074);
    assert!(store.remove_expired(END, 1_000).await.unwrap().is_empty());
}

/// What was removed before an error is told, and the next call meets the error.
#[tokio::test]
async fn a_sweep_that_fails_on_its_way_tells_what_it_removed() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/sessions.db", folder.path().display());
    let store = SqliteStore::connect(&url).await.unwrap();
    filled(&store).await;
    let trigger =
        "CREATE TABLE kept AS SELECT id FROM sessions ORDER BY expires_at LIMIT 1 OFFSET 10;
        CREATE TRIGGER keep BEFORE DELETE ON sessions WHEN OLD.id IN (SELECT id FROM kept) BEGIN
            SELECT RAISE(ABORT, 'kept');
        END";
    sqlx::raw_sql(trigger).execute(store.pool()).await.unwrap();
    let rows = async || {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sessions");
        count.fetch_one(store.pool()).await.unwrap()
    };
    // 8, and then at least as many, the eleventh among them.
    assert_eq!(store.remove_expired(END, 1_000).await.unwrap().len(), 8);
    assert_eq!(rows().await, 6_000 - 8);
    let error = store.remove_expired(END, 1_000).await.unwrap_err();
    assert!(format!("{error:?}").contains("kept"), "{error:?}");
    assert_eq!(rows().await, 6_000 - 8);
}

/// What was removed with a row that is no session is told nevertheless, since the next call
/// cannot; a sweep of such rows alone says what they are.
async fn tells_what_can_be_read<S: Engine>() {
    let Some(database) = S::database("session_policy_swept").await else { return };
    let store = S::at(&database.url).await;
    store.create_table().await.unwrap();
    let put = async |n: u8, end: i64| {
        let (id, secret) = (S::literal(&[n; 16]), S::literal(&[n; 32]));
        let row = format!(
            "INSERT INTO sessions VALUES ({id}, 'user-{n}', 'default', NULL, 0, NULL, 0, {secret}, \
             {end}, {end}, {end}, {end}, 0, NULL)"
        );
        store.run(row).await.unwrap();
    };
    for sessions in [1, 9, 40] {
        put(0, NO_INSTANT).await;
        for n in 1..=sessions {
            put(n, n.into()).await;
        }
        let swept = store.remove_expired(END, 100).await.unwrap();
        let mut subjects: Vec<_> = swept.iter().map(|one| one.subject().to_owned()).collect();
        let mut expected: Vec<_> = (1..=sessions).map(|n| format!("user-{n}")).collect();
        subjects.sort();
        expected.sort();
        assert_eq!(subjects, expected);
        assert_eq!(store.count("SELECT COUNT(*) FROM sessions").await, 0);
    }
    put(0, NO_INSTANT).await;
    let error = store.remove_expired(END, 100).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
    assert!(store.remove_expired(END, 100).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sweep_of_mariadb_tells_what_can_be_read() {
    tells_what_can_be_read::<MariaDbStore>().await;
}

#[tokio::test]
async fn a_sweep_of_postgres_tells_what_can_be_read() {
    tells_what_can_be_read::<PostgresStore>().await;
}

#[tokio::test]
async fn a_sweep_of_sqlite_tells_what_can_be_read() {
    tells_what_can_be_read::<SqliteStore>().await;
}
