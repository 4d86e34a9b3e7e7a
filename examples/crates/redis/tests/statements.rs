//! What a request costs the engine, by the engine's own counters, beside
//! tower-sessions under the same traffic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::TimeDelta;
use http::{Request, Response, header};
use session_policy::{ManualClock, RenewalOutcome, SessionPolicy, Sessions, Timestamp};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::time::Duration};
use tower_sessions_redis_store::{RedisStore as TowerStore, fred};

use crate::common::{Server, store};

/// A working day, a request a minute.
const REQUESTS: u64 = 480;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_costs_one_read_and_a_write_only_when_a_renewal_is_due() {
    let Some(server) = Server::start(&[]) else { return };
    let clock = ManualClock::new(Timestamp::from_unix_secs(1_800_000_000));
    let policy =
        SessionPolicy::new(TimeDelta::hours(1), TimeDelta::minutes(5), TimeDelta::hours(24));
    let (store, _) = store(&server.client());
    let sessions = Sessions::new(store, policy.unwrap()).with_clock(clock.clone());
    let started = sessions.start("user-42").await.unwrap();
    let day = async |minutes: u64| {
        let mut renewed = 0;
        for _ in 0..minutes {
            clock.advance(TimeDelta::minutes(1));
            let renewal = sessions.authenticate(started.token.expose()).await.unwrap().renewal;
            renewed += u64::from(matches!(renewal, RenewalOutcome::Renewed));
        }
        renewed
    };
    day(5).await; // The first renewal loads its script.

    reset(&server).await;
    let renewed = day(REQUESTS).await;
    let ours = counts(&server).await;
    println!("session-policy: {REQUESTS} requests, {renewed} renewals: {ours:?}");
    assert_eq!(renewed, REQUESTS / 5);
    // A renewal is one script, which reads its guard, writes, and sets the expiry.
    let expected = [
        ("evalsha", renewed),
        ("expireat", renewed),
        ("hmget", REQUESTS + renewed),
        ("hset", renewed),
        ("time", renewed),
    ];
    assert_eq!(ours, expected.map(|(command, calls)| (command.to_owned(), calls)).into());

    reset(&server).await;
    for _ in 0..REQUESTS {
        sessions.peek(started.token.expose()).await.unwrap();
    }
    assert_eq!(counts(&server).await, [("hmget".to_owned(), REQUESTS)].into());
    reset(&server).await;
    sessions.authenticate(started.token.expose()).await.unwrap();
    assert_eq!(counts(&server).await, [("hmget".to_owned(), 1)].into(), "none is due");

    for always_save in [false, true] {
        let theirs = tower_sessions(&server, always_save).await;
        println!("tower-sessions, always_save {always_save}: {REQUESTS} requests: {theirs:?}");
        let (reads, writes) = (theirs["get"], theirs.get("set").copied().unwrap_or(0));
        println!(
            "  reads {reads} and writes {writes}, beside {REQUESTS} and {renewed} of session-policy"
        );
    }
}

/// The same traffic on a session that ends after an hour without activity. It has
/// no throttle: either no request slides it, or every one does.
async fn tower_sessions(server: &Server, always_save: bool) -> BTreeMap<String, u64> {
    use fred::prelude::{ClientLike, Config, Pool};

    let config = Config::from_url(&format!("redis://127.0.0.1:{}/", server.port)).unwrap();
    let pool = Pool::new(config, None, None, None, 1).unwrap();
    let connected = pool.connect();
    pool.wait_for_connect().await.unwrap();
    let layer = SessionManagerLayer::new(TowerStore::new(pool.clone()))
        .with_always_save(always_save)
        .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
    let mut service = layer.layer(service_fn(async |request: Request<String>| {
        let session: &tower_sessions::Session = request.extensions().get().unwrap();
        if request.uri().path() == "/login" {
            session.insert("user", "user-42").await.unwrap();
        }
        let user: Option<String> = session.get("user").await.unwrap();
        Ok::<_, Infallible>(Response::new(user.unwrap_or_default()))
    }));

    let login = Request::get("/login").body(String::new()).unwrap();
    let answer = service.ready().await.unwrap().call(login).await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    reset(server).await;
    for _ in 0..REQUESTS {
        let request = Request::get("/").header(header::COOKIE, &cookie).body(String::new());
        let answer = service.ready().await.unwrap().call(request.unwrap()).await.unwrap();
        assert_eq!(answer.body(), "user-42");
    }
    let counts = counts(server).await;
    pool.quit().await.unwrap();
    connected.await.unwrap().unwrap();
    counts
}

async fn reset(server: &Server) {
    server.command::<()>(redis::cmd("CONFIG").arg("RESETSTAT")).await;
}

/// Calls by command, without those of connections and of this test.
async fn counts(server: &Server) -> BTreeMap<String, u64> {
    let info: String = server.command(redis::cmd("INFO").arg("commandstats")).await;
    let call = |line: &str| {
        let (command, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let of_a_connection = ["client", "config", "hello", "info", "ping", "quit", "select"];
        let own = of_a_connection.iter().any(|own| command.starts_with(own));
        (!own).then(|| (command.to_owned(), rest.split(',').next().unwrap().parse().unwrap()))
    };
    info.lines().filter_map(call).collect()
}
