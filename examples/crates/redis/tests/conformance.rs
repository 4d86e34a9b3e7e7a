//! The whole conformance kit on one Redis, and on a cluster of three.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::cell::Cell;
use std::process::Command;
use std::sync::Arc;

use redis::aio::ConnectionManager;
use redis::cluster::ClusterClient;
use session_policy::testing::StoreKit;
use session_policy_redis::RedisStore;
use session_policy_store_harness::Load;

use crate::common::{Server, absent, delete, manager, prefix, shared};

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_the_contract() {
    let Some(client) = shared().await else { return };
    let own = prefix();
    let (connection, other) = (manager(&client).await, manager(&client).await);
    let count = Cell::new(0);
    let store = |connection: &ConnectionManager| {
        RedisStore::new(connection.clone(), &format!("{own}:{}", count.get())).unwrap()
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
    let Some(cluster) = Cluster::start() else { return };
    let client = ClusterClient::new(cluster.urls()).unwrap();
    let connection = client.get_async_connection().await.unwrap();
    let count = Cell::new(0);
    let empty = async || {
        count.set(count.get() + 1);
        RedisStore::new(connection.clone(), &format!("kit:{}", count.get())).unwrap()
    };
    let report = StoreKit::new().check(empty).await;
    println!("{report}");
    report.assert_passed();
    let report = StoreKit::new().check_scan(empty).await;
    println!("{report}");
    report.assert_passed();

    let store = RedisStore::new(connection.clone(), "load").unwrap();
    let report = Load::of_sessions(200).operations(20_000).run(Arc::new(store)).await;
    println!("a cluster of three, 200 sessions: {report}");
    report.assert_clean();

    for server in &cluster.0 {
        let keys: u64 = server.command(&redis::cmd("DBSIZE")).await;
        println!("the node at {} holds {keys} keys", server.port);
        assert!(keys > 0, "the keys are spread over the nodes");
    }
}

/// Three masters that serve the 16,384 slots between them.
struct Cluster([Server; 3]);

impl Cluster {
    fn start() -> Option<Self> {
        let node =
            || Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"]);
        let cluster = Self([node()?, node()?, node()?]);
        let addresses = cluster.0.each_ref().map(|node| format!("127.0.0.1:{}", node.port));
        let created = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "0", "--cluster-yes"])
            .output();
        match created {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(error) => return absent("no redis-cli in PATH", &error),
        }
        cluster.wait();
        Some(cluster)
    }

    fn urls(&self) -> Vec<String> {
        self.0.iter().map(|node| format!("redis://127.0.0.1:{}/", node.port)).collect()
    }

    /// Until each node knows that all slots are served.
    fn wait(&self) {
        let started = std::time::Instant::now();
        for node in &self.0 {
            let mut connection = node.client().get_connection().unwrap();
            loop {
                let info: String =
                    redis::cmd("CLUSTER").arg("INFO").query(&mut connection).unwrap();
                if info.contains("cluster_state:ok") {
                    break;
                }
                assert!(started.elapsed().as_secs() < 30, "the cluster does not come up: {info}");
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }
    }
}
