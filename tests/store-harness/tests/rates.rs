//! What a session takes in memory, and how many calls a second it answers, by hand: the
//! figures of `session-policy capacity`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::Arc;

use session_policy::MemoryStore;
use session_policy_store_harness::rates;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the figures need a quiet machine, and Linux"]
async fn memory_among_100_000_sessions() {
    let empty = resident();
    for subject in [36, 136] {
        let bytes = async || resident() - empty;
        let rates = rates(Arc::new(MemoryStore::new()), 100_000, subject, bytes).await;
        println!("memory, {subject}: {rates:?}");
    }
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}
