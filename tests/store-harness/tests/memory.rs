//! The embedded store under load.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::sync::Arc;

use session_policy::{MemoryStore, WhenFull};
use session_policy_store_harness::{Load, race_sign_ins};

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_sound_with_32_clients_on_one_session() {
    let report = Load::of_sessions(1).run(Arc::new(MemoryStore::new())).await;
    println!("memory, 1 session: {report}");
    report.assert_clean();
    assert!(report.operations >= 100_000);
    assert!(report.renewed > 1_000 && report.ended > 100, "{report}");
    assert!(report.rotated > 100 && report.claimed > 50, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_sound_with_32_clients_on_1_000_sessions() {
    let report = Load::of_sessions(1_000).run(Arc::new(MemoryStore::new())).await;
    println!("memory, 1,000 sessions: {report}");
    report.assert_clean();
    assert!(report.operations >= 100_000);
    assert!(report.renewed > 10_000 && report.ended > 1_000 && report.swept > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn raced_sign_ins_converge_to_the_limit() {
    let three = NonZeroU32::new(3).unwrap();
    for _ in 0..20 {
        let store = Arc::new(MemoryStore::new());
        let came = race_sign_ins(store, "limited", 32, three, WhenFull::EndOldest).await;
        assert_eq!(came.left, 3, "{came:?}");
        assert!(came.succeeded >= 1, "{came:?}");

        let store = Arc::new(MemoryStore::new());
        let came = race_sign_ins(store, "limited", 32, three, WhenFull::Refuse).await;
        assert!(came.left <= 3 && came.left == came.succeeded, "{came:?}");

        let store = Arc::new(MemoryStore::new());
        let came = race_sign_ins(store, "limited", 32, three, WhenFull::EndLeastRecent).await;
        assert!((1..=3).contains(&came.left) && came.succeeded >= 1, "{came:?}");
    }
}
