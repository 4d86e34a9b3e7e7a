//! Redis servers for tests: the one at `REDIS_URL`, and private ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "shared by test binaries that each use a part, and a test fails by panicking"
)]

pub mod cluster;
pub mod probe;

use std::env;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd};
use session_policy_redis::RedisStore;
use session_policy_store_harness::free_port;
use tempfile::TempDir;

/// A client of the shared server, or `None` and a line if there is none.
pub async fn shared() -> Option<Client> {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/".to_owned());
    let client = Client::open(url).expect("REDIS_URL is a Redis URL");
    match client.get_multiplexed_async_connection().await {
        Ok(_) => Some(client),
        Err(error) => absent("no Redis at REDIS_URL (redis://127.0.0.1:6379/ if not set)", &error),
    }
}

/// Says in one line what is skipped, or fails if the engines are required.
pub fn absent<T>(what: &str, error: &dyn std::error::Error) -> Option<T> {
    let required = env::var_os("SESSION_POLICY_REQUIRE_ENGINES").is_some_and(|value| value == "1");
    assert!(!required, "{what}, and SESSION_POLICY_REQUIRE_ENGINES=1: {error}");
    eprintln!("skipped: {what}: {error}");
    None
}

/// How many operations a load has: `SESSION_POLICY_LOAD_OPERATIONS`, or so many.
pub fn operations(default: u64) -> u64 {
    let operations = env::var("SESSION_POLICY_LOAD_OPERATIONS");
    operations.map_or(default, |operations| operations.parse().expect("a number of operations"))
}

pub async fn manager(client: &Client) -> ConnectionManager {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(Duration::from_secs(5)))
        .set_max_delay(Duration::from_millis(200));
    ConnectionManager::new_with_config(client.clone(), config).await.unwrap()
}

/// A prefix for keys that no other run has.
pub fn prefix() -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    format!("session-policy-test-{}-{}", std::process::id(), now.as_nanos())
}

/// A store over keys of its own.
pub fn store(client: &Client) -> (RedisStore, String) {
    let prefix = prefix();
    (RedisStore::open(client.clone(), &prefix).unwrap(), prefix)
}

/// Deletes the keys of these tests under `prefix`, and no others.
pub async fn delete(client: &Client, prefix: &str) -> usize {
    let mut connection = manager(client).await;
    let mut cursor = 0_u64;
    let mut deleted = 0;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(1_000);
        let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await.unwrap();
        if !keys.is_empty() {
            deleted += keys.len();
            let _: () = redis::cmd("DEL").arg(keys).query_async(&mut connection).await.unwrap();
        }
        cursor = next;
        if cursor == 0 {
            return deleted;
        }
    }
}

/// A `redis-server` of the test's own, on a port of its own; killed on drop.
pub struct Server {
    child: Child,
    pub port: u16,
    arguments: Vec<String>,
    dir: TempDir,
}

impl Server {
    /// Starts `redis-server` with these options, or says that there is none.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut all: Vec<String> =
            ["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"]
                .map(str::to_owned)
                .into();
        all.push(dir.path().to_str().unwrap().to_owned());
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        match spawn(&all) {
            Ok(child) => {
                let server = Self { child, port, arguments: all, dir };
                server.wait();
                Some(server)
            }
            Err(error) => absent("no redis-server in PATH", &error),
        }
    }

    pub fn client(&self) -> Client {
        Client::open(format!("redis://127.0.0.1:{}/", self.port)).unwrap()
    }

    /// As a power failure of the engine: SIGKILL, nothing is written any more.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As a host that hangs: the kernel still takes connections for it.
    pub fn hang(&self) {
        self.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    pub fn start_again(&mut self) {
        self.child = spawn(&self.arguments).unwrap();
        self.wait();
    }

    /// One command on a connection of its own.
    pub async fn command<T: redis::FromRedisValue>(&self, command: &Cmd) -> T {
        let client = self.client();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }

    fn wait(&self) {
        let client = self.client();
        let started = Instant::now();
        while client
            .get_connection_with_timeout(Duration::from_secs(1))
            .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection))
            .is_err()
        {
            assert!(started.elapsed() < Duration::from_secs(20), "redis-server does not answer");
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(arguments: &[String]) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
