//! Redis under load, of `SESSION_POLICY_LOAD_OPERATIONS` operations (100,000 if not
//! set), and the limit on concurrent sessions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::num::NonZeroU32;
use std::sync::Arc;

use session_policy::WhenFull;
use session_policy_store_harness::{Load, race_sign_ins};

use crate::common::{delete, operations, shared, store};

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_sound_with_32_clients_on_one_session_and_on_1_000() {
    let Some(client) = shared().await else { return };
    let operations = operations(100_000);
    for sessions in [1, 1_000] {
        let (store, prefix) = store(&client);
        let load = Load::of_sessions(sessions).operations(operations);
        let report = load.run(Arc::new(store)).await;
        println!("redis, {sessions} sessions: {report}");
        delete(&client, &prefix).await;
        report.assert_clean();
        assert!(report.operations >= operations);
        assert!(report.renewed > 1_000 && report.superseded > 100, "renewals race: {report}");
        assert!(report.ended > 100 && report.rotated > 100, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn raced_sign_ins_converge_to_the_limit() {
    let Some(client) = shared().await else { return };
    let three = NonZeroU32::new(3).unwrap();
    for when_full in [WhenFull::EndLeastRecent, WhenFull::EndOldest, WhenFull::Refuse] {
        for _ in 0..10 {
            let (store, prefix) = store(&client);
            let came = race_sign_ins(Arc::new(store), "limited", 32, three, when_full).await;
            delete(&client, &prefix).await;
            match when_full {
                WhenFull::EndOldest => assert_eq!(came.left, 3, "{came:?}"),
                WhenFull::EndLeastRecent => assert!((1..=3).contains(&came.left), "{came:?}"),
                WhenFull::Refuse => assert!(came.left <= 3, "{came:?}"),
            }
            println!("32 sign-ins race for 3 places, {when_full:?}: {came:?}");
        }
    }
}
