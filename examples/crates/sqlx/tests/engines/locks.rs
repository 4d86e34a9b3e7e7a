//! The longest wait for a lock while something runs, as the engine itself tells it.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, MySqlConnection, PgConnection, raw_sql};

/// Looks every millisecond on a connection and a thread of its own, until stopped.
pub(crate) struct Watch {
    watching: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

/// Of `pg_locks`: since when each waits that has no lock yet.
pub(crate) fn of_postgres(url: &str) -> Watch {
    let url = url.to_owned();
    Watch::start(async move |watching| {
        let mut engine = PgConnection::connect(&url).await.unwrap();
        let text = "SELECT EXTRACT(EPOCH FROM MAX(clock_timestamp() - waitstart))::FLOAT8
            FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE NOT granted AND datname = current_database()";
        let mut waits = Vec::new();
        while watching.load(Ordering::SeqCst) {
            let longest: Option<f64> =
                sqlx::query_scalar(text).fetch_one(&mut engine).await.unwrap();
            waits.extend(longest.map(|longest| Duration::from_secs_f64(longest.max(0.0))));
            std::thread::sleep(Duration::from_millis(1));
        }
        waits
    })
}

/// Of the list of processes: how long the statement of a request runs that waits for the
/// table itself. For rows there is [`longest_row_lock`].
pub(crate) fn of_mariadb(url: &str) -> Watch {
    let url = url.to_owned();
    Watch::start(async move |watching| {
        let mut engine = MySqlConnection::connect(&url).await.unwrap();
        let text = "SELECT CAST(MAX(TIME_MS) AS DOUBLE) FROM information_schema.PROCESSLIST
            WHERE DB = DATABASE() AND STATE LIKE 'Waiting for%lock'
            AND INFO REGEXP '^(DELETE|INSERT|SELECT|UPDATE)'";
        let mut waits = Vec::new();
        while watching.load(Ordering::SeqCst) {
            let longest: Option<f64> =
                sqlx::query_scalar(text).fetch_one(&mut engine).await.unwrap();
            waits.extend(longest.map(|millis| Duration::from_secs_f64(millis / 1_000.0)));
            std::thread::sleep(Duration::from_millis(1));
        }
        waits
    })
}

/// The longest that InnoDB waited for a row since the engine started, and how often it
/// waited at all.
pub(crate) async fn longest_row_lock(url: &str) -> (Duration, u64) {
    let mut engine = MySqlConnection::connect(url).await.unwrap();
    let mut counted = [0, 0];
    for (count, name) in counted.iter_mut().zip(["time_max", "waits"]) {
        let text = format!("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_{name}'");
        let (_, value): (String, String) =
            sqlx::query_as(sqlx::AssertSqlSafe(text)).fetch_one(&mut engine).await.unwrap();
        *count = value.parse().unwrap();
    }
    (Duration::from_millis(counted[0]), counted[1])
}

/// SQLite keeps no count: a connection asks for the only writer over and over, and this
/// is how long each time it was taken.
pub(crate) fn of_sqlite(url: &str) -> Watch {
    let options = SqliteConnectOptions::from_str(url).unwrap().busy_timeout(Duration::ZERO);
    Watch::start(async move |watching| {
        let mut other: SqliteConnection = options.connect().await.unwrap();
        let mut waits = Vec::new();
        while watching.load(Ordering::SeqCst) {
            let (start, mut taken) = (Instant::now(), false);
            while let Err(error) = raw_sql("BEGIN IMMEDIATE").execute(&mut other).await {
                let code = error.as_database_error().and_then(DatabaseError::code);
                assert_eq!(code.as_deref(), Some("5"), "busy, not {error}");
                taken = true;
            }
            if taken {
                waits.push(start.elapsed());
            }
            raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
            std::thread::sleep(Duration::from_micros(100));
        }
        waits
    })
}

impl Watch {
    fn start<W>(watch: W) -> Self
    where
        W: AsyncFnOnce(&AtomicBool) -> Vec<Duration> + Send + 'static,
    {
        let watching = Arc::new(AtomicBool::new(true));
        let thread = std::thread::spawn({
            let watching = Arc::clone(&watching);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(watch(&watching))
            }
        });
        Self { watching, thread }
    }

    /// Every wait that was seen; of one engine's list, each look is one.
    pub(crate) fn waits(self) -> Vec<Duration> {
        self.watching.store(false, Ordering::SeqCst);
        self.thread.join().expect("the engine answers")
    }

    pub(crate) fn longest(self) -> Duration {
        self.waits().into_iter().max().unwrap_or_default()
    }
}
