//! MariaDB with other settings than its own, on a pool of the application's making:
//! nothing of the store depends on them.

use std::time::Instant;

use session_policy::store::{ScanStore, SecretHash, SessionStore};
use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::MariaDbStore;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};

use crate::support;

const MODES: [&str; 9] = [
    "",
    "ANSI",
    "EMPTY_STRING_IS_NULL,TIME_ROUND_FRACTIONAL",
    "HIGH_NOT_PRECEDENCE,PIPES_AS_CONCAT",
    "MSSQL",
    "NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
    "NO_UNSIGNED_SUBTRACTION,SIMULTANEOUS_ASSIGNMENT",
    "ORACLE",
    "TRADITIONAL",
];
/// Of the conformance kit; each is run under at least two of the modes.
const PARTS: [&str; 4] = ["sweep", "kept", "remove_all", "update"];
const ISOLATIONS: [&str; 3] = ["READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

/// A pool whose connections have these settings.
async fn pool(url: &str, settings: String) -> MySqlPool {
    let options: MySqlConnectOptions = url.parse().unwrap();
    MySqlPoolOptions::new()
        .max_connections(8)
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move {
                connection.execute(AssertSqlSafe(settings)).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_settings_the_store_conforms() {
    for (n, mode) in MODES.into_iter().enumerate() {
        let (charset, zone) = [("utf8mb3", "+13:00"), ("latin1", "-12:00")][n % 2];
        let isolation = ISOLATIONS[n % 3];
        let Some(url) = support::mariadb("session_policy_modes").await else { return };
        let settings = format!(
            "SET NAMES {charset};
            SET SESSION TRANSACTION ISOLATION LEVEL {isolation};
            SET SESSION sql_mode = '{mode}', time_zone = '{zone}', autocommit = 0,
                sql_safe_updates = 1, completion_type = 'CHAIN'",
        );
        let charset_of_tables =
            format!("ALTER DATABASE session_policy_modes CHARACTER SET {charset}");
        let mut engine = MySqlConnection::connect(&url).await.unwrap();
        engine.execute(AssertSqlSafe(charset_of_tables)).await.unwrap();
        let start = Instant::now();
        let pool = pool(&url, settings).await;
        let store = MariaDbStore::new(pool.clone());
        store.create_table().await.unwrap();
        store.create_table().await.unwrap();
        ends_what_it_says(&store, &url).await;
        let empty = async || {
            pool.execute("TRUNCATE sessions").await.unwrap();
            store.clone()
        };
        support::kit(PARTS[n % 4]).check(&empty).await.assert_passed();
        println!("sql_mode {mode:?}, {charset}, {zone}, {isolation}: {:?}", start.elapsed());
        pool.close().await;
    }
}

/// What was answered holds for another client: it was committed.
async fn ends_what_it_says(store: &MariaDbStore, url: &str) {
    let other = MariaDbStore::connect(url).await.unwrap();
    let now = Timestamp::from_unix_secs(1_800_000_000);
    let lifetime = SessionPolicy::WORKING_DAY.start(now);
    for n in 0..8 {
        let (id, secret) = (SessionId::from_bytes([n; 16]), SecretHash::from_bytes([n; 32]));
        let session = Session::new(id, "Zoë", "default", secret, lifetime).unwrap();
        store.create(&session).await.unwrap();
        // Each connection of the pool may have looked before; none may go on seeing that.
        for _ in 0..8 {
            assert_eq!(store.load(&id).await.unwrap().as_ref(), Some(&session));
        }
        assert!(other.remove(&id).await.unwrap());
        for _ in 0..8 {
            assert_eq!(store.load(&id).await.unwrap(), None);
        }
        store.create(&session).await.unwrap();
        assert!(store.remove(&id).await.unwrap());
        assert_eq!(other.load(&id).await.unwrap(), None);
    }
    let session = Session::new(
        SessionId::from_bytes([9; 16]),
        "Zoë",
        "default",
        SecretHash::from_bytes([9; 32]),
        lifetime,
    );
    store.create(&session.unwrap()).await.unwrap();
    assert_eq!(store.scan(None, 10).await.unwrap().sessions.len(), 1);
    assert_eq!(store.remove_expired(lifetime.expires_at(), 10).await.unwrap().len(), 1);
    assert!(other.list("Zoë").await.unwrap().is_empty());
}
