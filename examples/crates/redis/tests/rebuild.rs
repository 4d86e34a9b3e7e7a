//! When the store makes another connection, by a clock that stands: no engine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, Value};
use session_policy_redis::{Connect, RedisStore};
use tokio::time::{Instant, sleep, timeout};

const LIMIT: Duration = Duration::from_millis(800);

/// An engine whose connections fall silent, as those of a cluster while slots move.
#[derive(Clone, Default)]
struct Engine(Arc<State>);

#[derive(Default)]
struct State {
    connections: AtomicU32,
    attempts: AtomicU32,
    connecting: AtomicBool,
    /// The connections up to this one are silent.
    silent: AtomicU32,
    cannot_connect: AtomicBool,
}

impl Engine {
    fn connections(&self) -> u32 {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Those there are now.
    fn silence(&self) {
        self.0.silent.store(self.connections(), Ordering::Relaxed);
    }

    fn store(&self) -> RedisStore<Connection> {
        RedisStore::open(self.clone(), "shop").unwrap()
    }
}

/// An attempt; dropped when it is over.
struct Connecting<'a>(&'a State);

impl<'a> Connecting<'a> {
    fn begin(state: &'a State) -> Self {
        state.attempts.fetch_add(1, Ordering::Relaxed);
        assert!(!state.connecting.swap(true, Ordering::Relaxed), "one at a time");
        Self(state)
    }
}

impl Drop for Connecting<'_> {
    fn drop(&mut self) {
        self.0.connecting.store(false, Ordering::Relaxed);
    }
}

impl Connect for Engine {
    type Connection = Connection;

    async fn connect(&self, _: Duration) -> RedisResult<Connection> {
        let _one = Connecting::begin(&self.0);
        if self.0.cannot_connect.load(Ordering::Relaxed) {
            return pending().await;
        }
        sleep(Duration::from_millis(100)).await;
        let number = self.0.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Connection { engine: self.clone(), number })
    }
}

#[derive(Clone)]
struct Connection {
    engine: Engine,
    number: u32,
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
        if self.number <= self.engine.0.silent.load(Ordering::Relaxed) {
            pending().boxed()
        } else {
            ready(Ok(Value::Okay)).boxed()
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        unreachable!("the store has no pipelines")
    }

    fn get_db(&self) -> i64 {
        0
    }
}

#[tokio::test(start_paused = true)]
async fn three_calls_without_an_answer_make_another_connection() {
    let engine = Engine::default();
    let store = engine.store();
    store.ping().await.unwrap();
    sleep(Duration::from_secs(5)).await;
    for round in 1..=4 {
        assert_eq!(engine.connections(), round);
        engine.silence();
        let silent = Instant::now();
        for _ in 0..3 {
            assert!(store.ping().await.is_err());
            assert_eq!(engine.connections(), round, "not yet");
        }
        sleep(Duration::from_millis(150)).await;
        store.ping().await.unwrap();
        println!("served again after {:?}", silent.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_before_the_limit_count_too_and_harm_nothing() {
    let engine = Engine::default();
    let store = engine.store();
    store.ping().await.unwrap();
    sleep(Duration::from_secs(5)).await;
    engine.silence();
    for _ in 0..3 {
        assert!(timeout(LIMIT * 3 / 4, store.ping()).await.is_err(), "the caller gives up");
    }
    // This one gives up while the store connects; the attempt goes on.
    assert!(timeout(Duration::from_millis(10), store.ping()).await.is_err());
    sleep(Duration::from_millis(100)).await;
    assert_eq!(engine.connections(), 2);
    store.ping().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_at_once_make_no_connection() {
    let engine = Engine::default();
    let store = engine.store();
    store.ping().await.unwrap();
    engine.silence();
    for _ in 0..100 {
        assert!(timeout(LIMIT / 4, store.ping()).await.is_err());
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(engine.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_calls_at_once_make_one_connection() {
    let engine = Engine::default();
    let store = engine.store();
    // The first connection, too.
    assert!(join_all((0..1_000).map(|_| store.ping())).await.iter().all(Result::is_ok));
    assert_eq!(engine.connections(), 1);
    sleep(Duration::from_secs(5)).await;
    engine.silence();
    assert!(join_all((0..1_000).map(|_| store.ping())).await.iter().all(Result::is_err));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(engine.connections(), 2);
    store.ping().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_connecting_takes_long_every_call_is_refused_in_time_and_attempts_are_bounded() {
    let engine = Engine::default();
    engine.0.cannot_connect.store(true, Ordering::Relaxed);
    let store = engine.store();
    let started = Instant::now();
    let mut refused = 0;
    while started.elapsed() < Duration::from_secs(60) {
        let asked = Instant::now();
        assert!(store.ping().await.is_err());
        assert!(asked.elapsed() <= LIMIT + Duration::from_millis(1));
        refused += 1;
    }
    // Each attempt has four limits of time.
    let attempts = engine.0.attempts.load(Ordering::Relaxed);
    assert!((15..=20).contains(&attempts) && refused >= 75, "{attempts}, {refused}");
    engine.0.cannot_connect.store(false, Ordering::Relaxed);
    sleep(4 * LIMIT).await;
    store.ping().await.unwrap();
    assert_eq!(engine.connections(), 1);
}

#[test]
fn an_attempt_that_ended_with_its_runtime_is_begun_anew() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let engine = Engine::default();
    let store = engine.store();
    engine.0.cannot_connect.store(true, Ordering::Relaxed);
    let first = runtime();
    first.block_on(async { timeout(LIMIT / 10, store.ping()).await.unwrap_err() });
    drop(first);
    engine.0.cannot_connect.store(false, Ordering::Relaxed);
    runtime().block_on(store.ping()).unwrap();
}
