//! What a session takes in Redis, and how many calls a second it answers, by hand: the
//! figures of `session-policy capacity`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use session_policy_redis::RedisStore;
use session_policy_store_harness::rates;

use crate::common::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute, and the figures need a quiet machine"]
async fn redis_among_100_000_sessions() {
    for subject in [36, 64, 65, 136] {
        let Some(server) = Server::start(&["--appendonly", "yes"]) else { return };
        let store = RedisStore::open(server.client(), "app").unwrap();
        store.ping().await.unwrap();
        let empty = used(&server).await;
        let bytes = async || {
            let mut usage = redis::cmd("MEMORY");
            usage.arg("USAGE").arg("app:expiry:0").arg("SAMPLES").arg(0);
            let noted: u64 = server.command(redis::cmd("ZCARD").arg("app:expiry:0")).await;
            let set: u64 = server.command(&usage).await;
            println!("{} bytes a note in the index by expiry", set / noted);
            used(&server).await - empty
        };
        let rates = rates(Arc::new(store), 100_000, subject, bytes).await;
        println!("Redis, {subject}: {rates:?}");
    }
}

async fn used(server: &Server) -> u64 {
    let info: String = server.command(redis::cmd("INFO").arg("memory")).await;
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.unwrap().parse().unwrap()
}
