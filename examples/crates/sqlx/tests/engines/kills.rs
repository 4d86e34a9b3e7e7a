//! Each store under the load harness, while its engine is killed and started again:
//! 32 clients, an oracle, and `SESSION_POLICY_LOAD_OPERATIONS` operations (15,000 if
//! not set).

use std::sync::Arc;
use std::time::Duration;

use session_policy::store::SessionStore;
use session_policy_sqlx::{MariaDbStore, PostgresStore};
use session_policy_store_harness::Load;

use crate::private::PrivateEngine;
use crate::served::{self, Process};
use crate::support;

/// Kills the engine every other second, as long as the load runs.
macro_rules! is_sound {
    ($name:literal, $engine:ident, $store:expr, $load:expr) => {
        let operations = support::operations(15_000);
        let load = $load.operations(operations);
        let store: Arc<_> = Arc::new($store);
        let running = tokio::spawn({
            let store = Arc::clone(&store);
            async move { load.run(store).await }
        });
        let mut kills = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(if kills < 3 { 700 } else { 5_000 })).await;
            if running.is_finished() {
                break;
            }
            $engine.kill();
            tokio::time::sleep(Duration::from_millis(200)).await;
            $engine.restart().await;
            kills += 1;
        }
        let report = running.await.unwrap();
        println!("{}, killed {kills} times: {report}", $name);
        report.assert_sound();
        assert!(kills >= 3 && report.errors > 0, "the kills must be felt: {report}");
        assert!(report.operations >= operations && report.renewed > operations / 100, "{report}");
        assert!(report.errors < operations / 4, "a load of errors shows nothing: {report}");
        assert!(store.list("nobody").await.unwrap().is_empty(), "it answers afterwards");
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_sound_while_it_is_killed_over_and_over() {
    let Some(mut engine) = PrivateEngine::postgres(&std::env::temp_dir()).await else { return };
    let store = PostgresStore::connect(engine.url()).await.unwrap();
    store.create_table().await.unwrap();
    is_sound!("postgres", engine, store, Load::of_sessions(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_is_sound_while_it_is_killed_over_and_over() {
    let Some(mut engine) = PrivateEngine::mariadb(&std::env::temp_dir()).await else { return };
    let store = MariaDbStore::connect(engine.url()).await.unwrap();
    store.create_table().await.unwrap();
    // InnoDB shows a commit to others before its log is written.
    is_sound!("mariadb", engine, store, Load::of_sessions(200).shows_early());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_sound_while_its_process_is_killed_over_and_over() {
    if let Some(folder) = served::folder() {
        return served::serve(&folder).await;
    }
    let test = "kills::sqlite_is_sound_while_its_process_is_killed_over_and_over";
    let mut process = Process::start(test).await;
    let store = process.store();
    is_sound!("sqlite", process, store, Load::of_sessions(200));
}
