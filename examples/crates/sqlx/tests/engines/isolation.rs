//! PostgreSQL databases whose default isolation is stricter: a removal that meets an
//! update fails nowhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use session_policy::store::{SecretHash, SessionStore, Update};
use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::PostgresStore;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use crate::support;

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;
const ROUNDS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_removal_fails_under_repeatable_read() {
    let Some(url) = support::postgres("session_policy_repeatable_read").await else { return };
    removes_whatever_races_it(&url, "session_policy_repeatable_read", "repeatable read").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_removal_fails_under_serializable() {
    let Some(url) = support::postgres("session_policy_serializable").await else { return };
    removes_whatever_races_it(&url, "session_policy_serializable", "serializable").await;
}

/// Through a pool of the application's own, which sets nothing.
async fn removes_whatever_races_it(url: &str, database: &str, isolation: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    let text =
        format!("ALTER DATABASE {database} SET default_transaction_isolation = '{isolation}'");
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    pool.close().await;
    let pool = PgPool::connect(url).await.unwrap();
    let shown: String =
        sqlx::query_scalar("SHOW transaction_isolation").fetch_one(&pool).await.unwrap();
    assert_eq!(shown, isolation);
    let store = PostgresStore::new(pool.clone());
    store.create_table().await.unwrap();
    let (start, updates) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    for round in 0..ROUNDS {
        race(&store, round, &updates).await;
    }
    let updates = updates.load(Ordering::SeqCst);
    println!(
        "{isolation}: {ROUNDS} rounds against {updates} updates, none failed, in {:?}",
        start.elapsed(),
    );
    assert!(updates > u64::from(ROUNDS) * 8, "{updates}");
    let empty = async || {
        sqlx::raw_sql("TRUNCATE sessions").execute(&pool).await.unwrap();
        store.clone()
    };
    let start = Instant::now();
    support::kit("a raced").check(&empty).await.assert_passed();
    println!("{isolation}: conforms, by a kit that took {:?}", start.elapsed());
}

/// Eight sessions that are updated without a pause while they are ended, one by
/// `remove`, the others by `remove_all`, the last also by sweeps.
async fn race(store: &PostgresStore, round: u32, updates: &Arc<AtomicU64>) {
    let now = Timestamp::from_unix_secs(1_800_000_000);
    let subject = format!("user-{round}");
    let stopped = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    let mut ids = Vec::new();
    for n in 0..8 {
        let id = [round, n, 0, 7].map(u32::to_be_bytes).concat();
        let id = SessionId::from_bytes(id.try_into().unwrap());
        let secret = SecretHash::from_bytes([1; 32]);
        let mut session =
            Session::new(id, subject.as_str(), "default", secret, POLICY.start(now)).unwrap();
        store.create(&session).await.unwrap();
        ids.push(id);
        let (store, stopped, updates) = (store.clone(), stopped.clone(), updates.clone());
        tasks.push(tokio::spawn(async move {
            while !stopped.load(Ordering::SeqCst) {
                let update = Update::new(&session, now, session.lifetime());
                if !store.update(&update).await.expect("an update") {
                    return;
                }
                updates.fetch_add(1, Ordering::SeqCst);
                session = update.apply(&session).unwrap();
            }
        }));
    }
    let far = POLICY.start(now).expires_at();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (removed, swept, all) = tokio::join!(
        store.remove(&ids[0]),
        store.remove_expired(far, 1),
        store.remove_all(&subject, None),
    );
    removed.expect("remove");
    swept.expect("remove_expired");
    all.expect("remove_all");
    assert!(store.list(&subject).await.unwrap().is_empty(), "round {round}");
    stopped.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.expect("no update fails");
    }
}
