//! A cluster whose slots move and whose masters fail, under load.
//!
//! `SESSION_POLICY_CLUSTER_ROUNDS=4` does each four times, rather than once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use session_policy_redis::RedisStore;
use session_policy_store_harness::Load;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

use crate::common::cluster::Cluster;
use crate::common::probe::{Probes, Seen};

const USERS: usize = 64;

fn rounds() -> usize {
    env::var("SESSION_POLICY_CLUSTER_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

/// No request hangs, and everybody is served again within five seconds.
fn assert_bounded(seen: &Seen) {
    assert!(seen.longest < Duration::from_millis(1_500), "{seen}");
    assert!(seen.away < Duration::from_secs(5), "{seen}");
    assert!(seen.served > 0, "{seen}");
}

/// Beside the users, on keys of its own, since it sweeps by a clock of its own.
fn load(cluster: &Cluster, round: usize) -> JoinHandle<()> {
    let store = RedisStore::open(cluster.client(), &format!("load-{round}")).unwrap();
    tokio::spawn(async move {
        let report = Load::of_sessions(200).operations(20_000).run(Arc::new(store)).await;
        println!("  the load meanwhile: {report}");
        report.assert_sound();
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_move_under_load_stop_nobody_for_long() {
    let Some(mut cluster) = Cluster::start(3) else { return };
    cluster.add_master();
    let store = RedisStore::open(cluster.client(), "shop").unwrap();
    for round in 0..rounds() {
        let load = load(&cluster, round);
        let probes = Probes::start(store.clone(), USERS).await;
        sleep(Duration::from_millis(500)).await;
        // To the new node first, then some of it back: a master without slots becomes a
        // replica.
        let (from, to, slots) =
            if round % 2 == 0 { (round % 3, 3, 1_000) } else { (3, round % 3, 500) };
        block_in_place(|| cluster.reshard(from, to, slots));
        probes.served_again().await;
        let seen = probes.stop().await;
        println!("reshard {round}: {seen}");
        load.await.unwrap();
        assert_bounded(&seen);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_under_load_serves_everybody_soon() {
    let Some(mut cluster) = Cluster::start(3) else { return };
    cluster.add_replica_of(0);
    let store = RedisStore::open(cluster.client(), "shop").unwrap();
    let (mut master, mut replica) = (0, 3);
    for round in 0..rounds() {
        let load = load(&cluster, round);
        let probes = Probes::start(store.clone(), USERS).await;
        sleep(Duration::from_millis(500)).await;
        block_in_place(|| cluster.fail_over_to(replica));
        probes.served_again().await;
        let seen = probes.stop().await;
        println!("failover {round}, by an operator: {seen}");
        load.await.unwrap();
        assert_bounded(&seen);
        (master, replica) = (replica, master);
    }
    for (round, hangs) in [false, true].into_iter().cycle().take(rounds().max(2)).enumerate() {
        // A failover that nobody coordinates loses writes, so that the load is not judged.
        let probes = Probes::start(store.clone(), USERS).await;
        sleep(Duration::from_millis(500)).await;
        block_in_place(|| cluster.until_followed(master));
        if hangs {
            cluster.nodes[master].hang();
        } else {
            cluster.nodes[master].kill();
        }
        block_in_place(|| cluster.until_master(replica));
        let again = probes.served_again().await;
        println!("  served again {again:.1?} after the replica took over");
        let seen = probes.stop().await;
        println!(
            "failover {round}, the master {}: {seen}",
            if hangs { "hangs" } else { "is killed" }
        );
        if hangs {
            cluster.nodes[master].go_on();
        } else {
            cluster.nodes[master].start_again();
        }
        block_in_place(|| cluster.until_replica(master));
        assert!(seen.longest < Duration::from_millis(1_500), "{seen}");
        assert!(again < Duration::from_secs(5), "{again:?}");
        (master, replica) = (replica, master);
    }
}
