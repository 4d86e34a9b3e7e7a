//! A Redis Cluster of the test's own.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::cluster::ClusterClient;

use crate::common::{Server, absent};

/// After how many milliseconds of silence a master counts as gone.
const NODE_TIMEOUT: &str = "2000";

pub struct Cluster {
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// Masters that serve the 16,384 slots between them.
    pub fn start(masters: usize) -> Option<Self> {
        let nodes: Vec<Server> = (0..masters).map(|_| node()).collect::<Option<_>>()?;
        let cluster = Self { nodes };
        let addresses: Vec<_> = cluster.nodes.iter().map(address).collect();
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

    /// Adds a master without slots.
    pub fn add_master(&mut self) {
        self.add(&[]);
    }

    /// Adds a replica of a node; returns once it has caught up.
    pub fn add_replica_of(&mut self, master: usize) {
        let id = self.id(master);
        self.add(&["--cluster-slave", "--cluster-master-id", &id]);
        let replica = self.nodes.last().unwrap();
        until("the replica catches up", || {
            info(replica, "replication").contains("master_link_status:up")
        });
        self.until_all("knows the replica", |node| {
            query(node, &["CLUSTER", "NODES"]).contains("slave")
        });
    }

    /// Moves slots from one node to another, with their keys.
    pub fn reshard(&self, from: usize, to: usize, slots: usize) {
        let (slots, from, to) = (slots.to_string(), self.id(from), self.id(to));
        let options = ["--cluster-from", &from, "--cluster-to", &to, "--cluster-slots", &slots];
        let address = address(&self.nodes[0]);
        cli(&[&["--cluster", "reshard", &address][..], &options, &["--cluster-yes"]].concat());
    }

    /// Has a replica take its master's place, as an operator does: nothing is lost.
    pub fn fail_over_to(&self, replica: usize) {
        assert_eq!(query(&self.nodes[replica], &["CLUSTER", "FAILOVER"]), "OK");
        self.until_master(replica);
    }

    pub fn until_master(&self, node: usize) {
        until("the replica takes over", || {
            info(&self.nodes[node], "replication").contains("role:master")
        });
    }

    /// Until a former master follows the one that took its place.
    pub fn until_replica(&self, node: usize) {
        until("the former master follows", || {
            let info = info(&self.nodes[node], "replication");
            info.contains("role:slave") && info.contains("master_link_status:up")
        });
    }

    /// Until the replica of a master has confirmed all that was written to the master so far:
    /// a failover that nobody coordinates loses the rest.
    pub fn until_followed(&self, master: usize) {
        let value = |info: &str, name: &str| {
            let (_, rest) = info.split_once(name)?;
            rest.split(|end: char| !end.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        let replication = || info(&self.nodes[master], "replication");
        let written = value(&replication(), "master_repl_offset:").unwrap();
        until("the replica follows", || {
            let info = replication();
            info.contains("state=online") && value(&info, ",offset=") >= Some(written)
        });
    }

    pub fn client(&self) -> ClusterClient {
        let urls = self.nodes.iter().map(|node| format!("redis://{}/", address(node)));
        ClusterClient::new(urls).unwrap()
    }

    fn add(&mut self, options: &[&str]) {
        let new = node().unwrap();
        let (known, added) = (address(&self.nodes[0]), address(&new));
        cli(&[&["--cluster", "add-node", &added, &known][..], options].concat());
        self.nodes.push(new);
        let count = format!("cluster_known_nodes:{}", self.nodes.len());
        self.until_all("knows the new node", |node| {
            query(node, &["CLUSTER", "INFO"]).contains(&count)
        });
        self.wait();
    }

    fn id(&self, node: usize) -> String {
        query(&self.nodes[node], &["CLUSTER", "MYID"])
    }

    /// Until each node knows that all slots are served.
    fn wait(&self) {
        self.until_all("the cluster comes up", |node| {
            query(node, &["CLUSTER", "INFO"]).contains("cluster_state:ok")
        });
    }

    fn until_all(&self, what: &str, is: impl Fn(&Server) -> bool) {
        until(what, || self.nodes.iter().all(&is));
    }
}

fn node() -> Option<Server> {
    let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT];
    Server::start(&options)
}

fn address(node: &Server) -> String {
    format!("127.0.0.1:{}", node.port)
}

fn info(node: &Server, section: &str) -> String {
    query(node, &["INFO", section])
}

fn query(node: &Server, words: &[&str]) -> String {
    let mut connection = node.client().get_connection().unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap()
}

fn cli(arguments: &[&str]) {
    let output = Command::new("redis-cli").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn until(what: &str, is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < Duration::from_secs(30), "never: {what}");
        sleep(Duration::from_millis(50));
    }
}
