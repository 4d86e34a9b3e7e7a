//! Engines that fail: nobody is let in who should not be, no acknowledged
//! session is lost, and errors say what happened.

use std::collections::HashMap;
use std::env::temp_dir;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use session_policy::store::{SecretHash, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Executor, Pool};

use crate::engine::Engine;
use crate::private::{PrivateEngine, SmallDisk};
use crate::support;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;

fn now() -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000)
}

fn later(session: &Session) -> Update {
    let at = session.lifetime().renewed_at().saturating_add(TimeDelta::minutes(15));
    let lifetime = POLICY.start_until(at, session.lifetime().absolute_expires_at());
    Update::new(session, at, &lifetime)
}

fn new_session(n: u64) -> Session {
    let id = SessionId::from_bytes(
        [n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), n.to_be_bytes()]
            .concat()
            .try_into()
            .unwrap(),
    );
    Session::new(id, "user-42", "default", SecretHash::from_bytes([1; 32]), POLICY.start(now()))
        .unwrap()
}

/// What the engine has acknowledged, by session.
#[derive(Default)]
struct Acknowledged {
    live: Mutex<HashMap<SessionId, Session>>,
    ended: Mutex<Vec<SessionId>>,
    errors: AtomicU64,
    stopped: AtomicBool,
    next: AtomicU64,
}

impl Acknowledged {
    /// One session's life, until the engine fails to answer for it.
    async fn live_once(&self, store: &impl SessionStore) {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        let session = new_session(n);
        if self.failed(store.create(&session).await).is_none() {
            return;
        }
        self.live.lock().unwrap().insert(session.id(), session.clone());
        match self.failed(store.load(&session.id()).await) {
            Some(loaded) => assert_eq!(loaded.as_ref(), Some(&session), "an acknowledged session"),
            None => return,
        }
        // Unknown while under way: taken out, and back once acknowledged.
        self.live.lock().unwrap().remove(&session.id());
        let update = later(&session);
        let Some(updated) = self.failed(store.update(&update).await) else { return };
        assert!(updated);
        let session = update.apply(&session).unwrap();
        if n.is_multiple_of(2) {
            self.live.lock().unwrap().insert(session.id(), session);
        } else if self.failed(store.remove(&session.id()).await) == Some(true) {
            self.ended.lock().unwrap().push(session.id());
        }
    }

    fn failed<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(StoreError::Unavailable(_)) => {
                self.errors.fetch_add(1, Ordering::SeqCst);
                None
            }
            Err(error) => panic!("not the error of an engine that is gone: {error:?}"),
        }
    }

    async fn check(&self, engine: &str, store: &impl SessionStore) {
        let live: Vec<_> = self.live.lock().unwrap().values().cloned().collect();
        let ended = self.ended.lock().unwrap().clone();
        let errors = self.errors.load(Ordering::SeqCst);
        println!(
            "{engine}: {} acknowledged sessions and {} acknowledged logouts, {errors} errors",
            live.len(),
            ended.len(),
        );
        assert!(live.len() > 100 && ended.len() > 100 && errors > 0, "the fault hit a load");
        for session in live {
            let held = store.load(&session.id()).await.unwrap();
            assert_eq!(held, Some(session), "lost by {engine}");
        }
        for id in ended {
            assert_eq!(store.load(&id).await.unwrap(), None, "brought back by {engine}");
        }
    }
}

/// Eight clients, of which none is told what is not so.
async fn loses_nothing_acknowledged<S: Engine>(engine: Option<PrivateEngine>) {
    let Some(mut engine) = engine else { return };
    let store = S::at(engine.url()).await;
    store.create_table().await.unwrap();
    let acknowledged = Arc::new(Acknowledged::default());
    let clients = [(); 8].map(|()| {
        let (store, acknowledged) = (store.clone(), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            while !acknowledged.stopped.load(Ordering::SeqCst) {
                acknowledged.live_once(&store).await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    engine.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.restart().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    acknowledged.stopped.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.expect("no client saw a wrong answer");
    }
    acknowledged.check(S::NAME, &store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_killed_under_load_loses_nothing_acknowledged() {
    let engine = PrivateEngine::postgres(&temp_dir()).await;
    loses_nothing_acknowledged::<PostgresStore>(engine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_killed_under_load_loses_nothing_acknowledged() {
    let engine = PrivateEngine::mariadb(&temp_dir()).await;
    loses_nothing_acknowledged::<MariaDbStore>(engine).await;
}

/// `cut` ends the connection of an update that waits for a lock.
async fn a_cut_writes_nothing<S, DB>(store: &S, pool: &Pool<DB>, cut: impl Future<Output = ()>)
where
    S: Engine,
    DB: sqlx::Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    store.create_table().await.unwrap();
    let session = new_session(0);
    store.create(&session).await.unwrap();
    let mut holding = pool.begin().await.unwrap();
    holding.execute("SELECT 1 FROM sessions FOR UPDATE").await.unwrap();
    let (waiting, update) = (store.clone(), later(&session));
    let waiting = tokio::spawn(async move { waiting.update(&update).await });
    cut.await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    holding.rollback().await.unwrap();
    assert_eq!(store.load(&session.id()).await.unwrap(), Some(session));
}

#[tokio::test]
async fn a_postgres_connection_cut_mid_statement_is_an_error_and_writes_nothing() {
    let Some(url) = support::postgres("session_policy_cut").await else { return };
    let store = PostgresStore::connect(&url).await.unwrap();
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    a_cut_writes_nothing(&store, store.pool(), async { while store.count(cut).await == 0 {} })
        .await;
}

#[tokio::test]
async fn a_mariadb_connection_cut_mid_statement_is_an_error_and_writes_nothing() {
    let Some(url) = support::mariadb("session_policy_cut").await else { return };
    let store = MariaDbStore::connect(&url).await.unwrap();
    let find = "SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist
        WHERE db = DATABASE() AND info LIKE 'UPDATE sessions%'";
    a_cut_writes_nothing(&store, store.pool(), async {
        let thread = loop {
            match store.count(find).await {
                0 => {}
                thread => break thread,
            }
        };
        store.run(format!("KILL {thread}")).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_full_sqlite_disk_takes_no_session_and_keeps_those_it_took() {
    let folder = tempfile::tempdir().unwrap();
    // SQLite's own limit: the same error as a full disk (SQLITE_FULL).
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("sessions.db"))
        .create_if_missing(true)
        .pragma("max_page_count", "64");
    let pool = SqlitePool::connect_with(options).await.unwrap();
    fills_up(SqliteStore::new(pool), || ()).await;
}

#[tokio::test]
async fn a_full_postgres_disk_takes_no_session_and_keeps_those_it_took() {
    let Some(disk) = SmallDisk::mount("postgres", 192) else { return };
    let Some(engine) = PrivateEngine::postgres(disk.path()).await else { return };
    fills_up(PostgresStore::at(engine.url()).await, || disk.leave_free(1)).await;
}

#[tokio::test]
async fn a_full_mariadb_disk_takes_no_session_and_keeps_those_it_took() {
    let Some(disk) = SmallDisk::mount("mariadb", 384) else { return };
    let Some(engine) = PrivateEngine::mariadb(disk.path()).await else { return };
    fills_up(MariaDbStore::at(engine.url()).await, || disk.leave_free(1)).await;
}

/// Creates sessions until the disk is full, and looks for all it took.
async fn fills_up(store: impl Engine, prepared: impl FnOnce()) {
    store.create_table().await.unwrap();
    prepared();
    let mut taken = Vec::new();
    let error = loop {
        let session = new_session(taken.len() as u64);
        match store.create(&session).await {
            Err(error) => break error,
            Ok(()) => taken.push(session),
        }
        assert!(taken.len() < 200_000, "the disk does not fill up");
    };
    println!("full after {} sessions: {:?}", taken.len(), error.source().unwrap());
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(taken.len() > 20, "the disk was full from the start");
    let refused = new_session(taken.len() as u64);
    assert_eq!(store.load(&refused.id()).await.unwrap(), None);
    for session in taken {
        assert_eq!(store.load(&session.id()).await.unwrap(), Some(session));
    }
}
