//! Behind a pooler that hands out connections by the transaction, clients' prepared
//! statements share their names: another's may be run in place of one's own. So the
//! store prepares none.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use session_policy::store::{SecretHash, SessionStore, Update};
use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
use session_policy_sqlx::PostgresStore;
use session_policy_store_harness::free_port;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::private::{as_user, folder_in};
use crate::support::{self, missing};

const POLICY: SessionPolicy = SessionPolicy::SLIDING_MONTH;
const CLIENTS: u32 = 24;
const ROUNDS: u32 = 64;

/// A pgbouncer before an engine, with fewer connections than it gets clients; killed
/// on drop.
struct Pooler {
    server: Child,
    url: String,
    _folder: TempDir,
}

impl Pooler {
    async fn start(engine: &str, mode: &str) -> Option<Self> {
        if Command::new("pgbouncer").arg("--version").stdout(Stdio::null()).status().is_err() {
            missing("pgbouncer");
            return None;
        }
        let (user, rest) = engine.trim_start_matches("postgres://").split_once('@').unwrap();
        let (place, database) = rest.split_once('/').unwrap();
        let (host, engine_port) = place.split_once(':').unwrap_or((place, "5432"));
        let folder = folder_in(&std::env::temp_dir(), "postgres");
        let (settings, port) = (folder.path().join("pgbouncer.ini"), free_port());
        let text = format!(
            "[databases]\n* = host={host} port={engine_port} user={user}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = 3\n",
        );
        std::fs::write(&settings, text).unwrap();
        let server = as_user("postgres", Path::new("pgbouncer"))
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer runs");
        let url = format!("postgres://{user}@127.0.0.1:{port}/{database}");
        let pooler = Self { server, url, _folder: folder };
        let start = Instant::now();
        while PgConnection::connect_with(&options(&pooler.url)).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "pgbouncer does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(pooler)
    }
}

/// Those of an application that connects to pgbouncer through sqlx.
fn options(url: &str) -> PgConnectOptions {
    url.parse::<PgConnectOptions>().unwrap().extra_float_digits(None)
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_of_a_transaction_pooler_is_answered_its_own_statement() {
    let Some(url) = support::postgres("session_policy_pooler").await else { return };
    let Some(pooler) = Pooler::start(&url, "transaction").await else { return };
    answers_each_client_its_own(&url, &pooler).await;

    // The kit deletes what was there through a pool that may prepare statements.
    let direct = PostgresStore::connect(&url).await.unwrap();
    let store = PostgresStore::connect(&pooler.url).await.unwrap();
    let empty = async || {
        sqlx::query("TRUNCATE sessions").execute(direct.pool()).await.unwrap();
        store.clone()
    };
    support::kit("update").check(&empty).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_of_a_statement_pooler_is_answered_its_own_statement() {
    let Some(url) = support::postgres("session_policy_pooler_2").await else { return };
    let Some(pooler) = Pooler::start(&url, "statement").await else { return };
    answers_each_client_its_own(&url, &pooler).await;
}

/// Clients that ask for different things, each through a pool of its own.
async fn answers_each_client_its_own(url: &str, pooler: &Pooler) {
    PostgresStore::connect(url).await.unwrap().create_table().await.unwrap();
    let start = Instant::now();
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|client| {
            let options = options(&pooler.url);
            tokio::spawn(async move {
                let pool = PgPoolOptions::new().max_connections(2).connect_with(options);
                let pool = pool.await.unwrap();
                let mut asked = 0;
                for round in 0..ROUNDS {
                    asked += ask(&PostgresStore::new(pool.clone()), client, round).await;
                }
                asked
            })
        })
        .collect();
    let mut asked = 0;
    for client in clients {
        asked += client.await.expect("no answer to another's statement");
    }
    println!("{asked} statements through a pooler, each answered, in {:?}", start.elapsed());
    assert!(asked >= 15_000, "{asked}");
}

/// A round of one client, which knows every answer; how many statements it was.
async fn ask(store: &PostgresStore, client: u32, round: u32) -> u32 {
    let now = Timestamp::from_unix_secs(1_800_000_000);
    let subject = format!("client-{client}");
    let [one, other, gone] = [1, 2, 3].map(|n: u32| {
        let id = [client, round, n, 7].map(u32::to_be_bytes).concat();
        let id = SessionId::from_bytes(id.try_into().unwrap());
        let secret = SecretHash::from_bytes([u8::try_from(n).unwrap(); 32]);
        Session::new(id, subject.as_str(), "default", secret, POLICY.start(now)).unwrap()
    });
    store.create(&one).await.unwrap();
    store.create(&other).await.unwrap();
    assert_eq!(store.load(&one.id()).await.unwrap().as_ref(), Some(&one));
    assert!(!store.remove(&gone.id()).await.unwrap());
    let update = Update::new(&one, now, one.lifetime());
    let updated = store.update(&update).await.unwrap();
    assert!(updated, "client {client}, round {round}");
    // Each client begins its rest elsewhere, so that unlike statements meet.
    if (client + round).is_multiple_of(2) {
        assert_eq!(store.list(&subject).await.unwrap().len(), 2);
        assert!(store.remove(&one.id()).await.unwrap());
    } else {
        assert!(store.remove(&one.id()).await.unwrap());
        assert_eq!(store.list(&subject).await.unwrap(), std::slice::from_ref(&other));
    }
    assert!(!store.update(&update).await.unwrap());
    assert_eq!(store.load(&one.id()).await.unwrap(), None);
    assert_eq!(store.remove_all(&subject, None).await.unwrap(), [other.id()]);
    10
}

#[tokio::test]
async fn no_statement_is_prepared() {
    let Some(url) = support::postgres("session_policy_unprepared").await else { return };
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    let store = PostgresStore::new(pool.clone());
    store.create_table().await.unwrap();
    ask(&store, 1, 1).await;
    let now = Timestamp::from_unix_secs(1_800_000_000);
    store.remove_expired(now, 10).await.unwrap();
    session_policy::store::ScanStore::scan(&store, None, 10).await.unwrap();
    let prepared = "SELECT COUNT(*) FROM pg_prepared_statements";
    let prepared: i64 =
        sqlx::query_scalar(prepared).persistent(false).fetch_one(&pool).await.unwrap();
    assert_eq!(prepared, 0);
}
