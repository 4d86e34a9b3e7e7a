//! Each store under the load harness: 32 clients on one session and on 1,000, and
//! the limit on concurrent sessions. `SESSION_POLICY_LOAD_OPERATIONS` says how many
//! operations (100,000 if not set).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use session_policy::{RotateError, SessionPolicy, Sessions, WhenFull};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};
use session_policy_store_harness::{Load, race_sign_ins};

use crate::engine::Engine;
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_store_is_sound_under_load() {
    is_sound::<PostgresStore>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mariadb_store_is_sound_under_load() {
    is_sound::<MariaDbStore>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_is_sound_under_load() {
    is_sound::<SqliteStore>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rotation_escapes_a_logout_from_everywhere_on_postgres() {
    no_rotation_escapes_a_logout_from_everywhere::<PostgresStore>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rotation_escapes_a_logout_from_everywhere_on_mariadb() {
    no_rotation_escapes_a_logout_from_everywhere::<MariaDbStore>().await;
}

async fn is_sound<S: Engine>() {
    let Some(database) = S::database("session_policy_load").await else { return };
    let store = S::at(&database.url).await;
    store.create_table().await.unwrap();
    let (store, operations) = (Arc::new(store), support::operations(100_000));
    let engine = S::NAME;
    for sessions in [1, 1_000] {
        let load = Load::of_sessions(sessions).operations(operations);
        let report = load.run(Arc::clone(&store)).await;
        println!("{engine}, {sessions} sessions: {report}");
        report.assert_clean();
        assert!(report.operations >= operations && report.renewed > 1_000, "{report}");
        assert!(report.ended > 100 && report.rotated > 100, "{report}");
    }
    let three = NonZeroU32::new(3).unwrap();
    for round in 0..10 {
        let subject = format!("limited-{round}");
        let store = Arc::clone(&store);
        let came = race_sign_ins(store, &subject, 32, three, WhenFull::EndOldest).await;
        println!("{engine}, 32 sign-ins race for 3 places: {came:?}");
        assert_eq!(came.left, 3, "{came:?}");
    }
}

/// A session that is rotated over and over, while its user signs out everywhere.
async fn no_rotation_escapes_a_logout_from_everywhere<S: Engine>() {
    let Some(database) = S::database("session_policy_rotation").await else { return };
    let store = S::at(&database.url).await;
    store.create_table().await.unwrap();
    let store = Arc::new(store);
    for round in 0..200 {
        let sessions = Sessions::new(Arc::clone(&store), SessionPolicy::WORKING_DAY);
        let subject = format!("rotating-{round}");
        let mut session = sessions.start(subject.as_str()).await.unwrap().session;
        let rotating = tokio::spawn({
            let sessions = sessions.clone();
            async move {
                loop {
                    match sessions.rotate(&session).await {
                        Ok(rotated) => session = rotated.session,
                        Err(RotateError::Unknown) => return,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
        tokio::task::yield_now().await;
        sessions.end_all(&subject).await.unwrap();
        // A session that escaped would be rotated for ever.
        let ended = tokio::time::timeout(Duration::from_secs(10), rotating).await;
        ended.unwrap_or_else(|_| panic!("round {round}: a rotation escaped")).unwrap();
        let left = sessions.list(&subject).await.unwrap();
        assert!(left.is_empty(), "round {round}: {left:?}");
    }
}
