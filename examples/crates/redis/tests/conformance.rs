//! The whole conformance kit on one Redis, and on a cluster of three.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::cell::Cell;
use std::sync::Arc;

use redis::aio::ConnectionManager;
use session_policy::testing::StoreKit;
use session_policy_redis::RedisStore;
use session_policy_store_harness::Load;

use crate::common::cluster::Cluster;
use crate::common::{delete, manager, prefix, shared};

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_contract() {
    let Some(client) = shared().await else { return };
    let own = prefix();
    let (connection, other) = (manager(&client).await, manager(&client).await);
    let count = Cell::new(0);
    let store = |connection: &ConnectionManager| {
        RedisStore::new(connection.clone(), &format!("{own}-{}", count.get())).unwrap()
    };
    let empty = async || {
        count.set(count.get() + 1);
        store(&connection)
    };
    let report = StoreKit::new().check_with_handles(empty, async |_| store(&other)).await;
    println!("{report}");
    let scans = StoreKit::new().check_scan(empty).await;
    println!("{scans}");
    delete(&client, &own).await;
    report.assert_passed();
    scans.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_three_keeps_the_contract_and_is_sound_under_load() {
    let Some(cluster) = Cluster::start(3) else { return };
    let client = cluster.client();
    let count = Cell::new(0);
    let empty = async || {
        count.set(count.get() + 1);
        RedisStore::open(client.clone(), &format!("kit-{}", count.get())).unwrap()
    };
    let report = StoreKit::new().check(empty).await;
    println!("{report}");
    report.assert_passed();
    let report = StoreKit::new().check_scan(empty).await;
    println!("{report}");
    report.assert_passed();

    let store = RedisStore::open(client, "load").unwrap();
    let report = Load::of_sessions(200).operations(20_000).run(Arc::new(store)).await;
    println!("a cluster of three, 200 sessions: {report}");
    report.assert_clean();

    for server in &cluster.nodes {
        let keys: u64 = server.command(&redis::cmd("DBSIZE")).await;
        println!("the node at {} holds {keys} keys", server.port);
        assert!(keys > 0, "the keys are spread over the nodes");
    }
}
