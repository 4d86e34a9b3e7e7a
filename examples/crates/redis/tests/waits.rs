//! How long a request waits for an engine that is gone, hangs or cannot be reached.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fmt::Debug;
use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use redis::Client;
use redis::aio::{ConnectionLike, ConnectionManager};
use redis::cluster::ClusterClient;
use session_policy::store::{ScanStore, SecretHash, SessionStore, StoreError, Update};
use session_policy::{Clock, Session, SessionId, SessionPolicy, Sessions, SystemClock};
use session_policy_redis::{Connect, RedisStore};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use crate::common::Server;

/// What a request may wait for its refusal.
const A_SECOND: Duration = Duration::from_secs(1);

fn store(server: &Server) -> RedisStore {
    RedisStore::open(server.client(), "shop").unwrap()
}

/// How long a call took to be refused, which is `within` at most.
async fn refused<T: Debug>(
    within: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Duration {
    let started = Instant::now();
    let answer = timeout(within * 4, call).await.unwrap();
    let waited = started.elapsed();
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(waited < within, "refused after {waited:?} only");
    waited
}

/// Every verb is refused in time, alone and beside others; the longest wait.
async fn every_verb_is_refused<C>(store: &RedisStore<C>, within: Duration) -> Duration
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    let now = SystemClock.now();
    let id = SessionId::from_bytes([7; 16]);
    let lifetime = SessionPolicy::WORKING_DAY.start(now);
    let secret = SecretHash::of_secret(&[1; 32]);
    let session = Session::new(id, "user-42", "default", secret, lifetime).unwrap();
    let update = Update::new(&session, now, &lifetime);
    let verbs = async {
        tokio::join!(
            refused(within, store.create(&session)),
            refused(within, store.list("user-42")),
            refused(within, store.ping()),
            refused(within, store.remove(&id)),
            refused(within, store.remove_all("user-42", None)),
            refused(within, store.remove_expired(now, 100)),
            refused(within, store.scan(None, 100)),
            refused(within, store.update(&update)),
        )
    };
    let verbs = Box::pin(verbs).await;
    let loads = join_all((0..32).map(|_| refused(within, store.load(&id)))).await;
    loads.into_iter().chain(<[Duration; 8]>::from(verbs)).max().unwrap()
}

/// How long it takes until the store is served.
async fn served_after<C>(store: &RedisStore<C>) -> Duration
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    let started = Instant::now();
    while store.ping().await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(5), "it is not served again");
        sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_engine_killed_a_request_is_refused_within_a_second() {
    let Some(mut server) = Server::start(&[]) else { return };
    let store = store(&server);
    store.ping().await.unwrap();
    server.kill();
    let waited = every_verb_is_refused(&store, A_SECOND).await;
    server.start_again();
    let again = served_after(&store).await;
    println!("killed: refused after {waited:.1?} at most, served again after {again:.1?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_engine_hung_a_request_is_refused_within_a_second() {
    let Some(server) = Server::start(&[]) else { return };
    let sessions = Sessions::new(store(&server), SessionPolicy::WORKING_DAY);
    let started = sessions.start("user-42").await.unwrap();
    let own = store(&server);
    own.ping().await.unwrap();
    // A connection of the application's own, as the driver makes it.
    let manager: ConnectionManager = server.client().get_connection_manager().await.unwrap();
    let given = RedisStore::new(manager, "shop").unwrap();

    server.hang();
    let asked = Instant::now();
    assert!(sessions.authenticate(started.token.expose()).await.is_err());
    let request = asked.elapsed();
    assert!(request < A_SECOND, "{request:?}");
    let waited = every_verb_is_refused(&own, A_SECOND).await;
    let given_waited = every_verb_is_refused(&given, A_SECOND).await;
    server.go_on();
    let (again, given_again) = (served_after(&own).await, served_after(&given).await);
    println!("hung: a request is refused after {request:.1?}");
    println!("  any call after {waited:.1?} at most, served again after {again:.1?}");
    println!("  connection given: {given_waited:.1?}, served again after {given_again:.1?}");
    sessions.authenticate(started.token.expose()).await.unwrap();
}

/// An address where the kernel takes connections and nobody answers.
async fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address whose queue is full, so that connecting to it takes for ever, as to a host
/// behind a firewall that drops packets.
async fn unreachable() -> ((TcpListener, Vec<TcpStream>), SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        queue.push(connected.unwrap());
    }
    ((listener, queue), address)
}

async fn refuses<T: Connect>(what: &str, client: T) {
    let store = RedisStore::open(client, "shop").unwrap();
    let waited = every_verb_is_refused(&store, A_SECOND).await;
    println!("{what}: refused after {waited:.1?} at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_engine_silent_or_unreachable_from_the_start_a_request_is_refused_within_a_second()
{
    let (_listener, silent) = silent().await;
    let (_queue, unreachable) = unreachable().await;
    for (what, address) in [("silent", silent), ("unreachable", unreachable)] {
        let url = format!("redis://{address}/");
        refuses(what, Client::open(url.as_str()).unwrap()).await;
        refuses(&format!("{what} cluster"), ClusterClient::new([url]).unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_is_a_setting() {
    let (_listener, address) = silent().await;
    let client = Client::open(format!("redis://{address}/")).unwrap();
    let limit = Duration::from_millis(100);
    let store = RedisStore::open(client, "shop").unwrap().with_time_limit(limit);
    let error = store.ping().await.unwrap_err();
    let StoreError::Unavailable(why) = error else { panic!("{error}") };
    assert_eq!(why.to_string(), "no answer within 100ms");
    let waited = every_verb_is_refused(&store, Duration::from_millis(300)).await;
    println!("a limit of {limit:?}: refused after {waited:.1?} at most");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_may_start_before_its_engine() {
    let Some(mut server) = Server::start(&[]) else { return };
    server.kill();
    let store = store(&server);
    let waited = every_verb_is_refused(&store, A_SECOND).await;
    server.start_again();
    let again = served_after(&store).await;
    println!("not there yet: refused after {waited:.1?} at most, served after {again:.1?}");
}
