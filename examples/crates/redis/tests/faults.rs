//! What becomes of sessions when the engine fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use session_policy::store::StoreError;
use session_policy::{
    AuthenticateError, ManualClock, RenewalOutcome, SessionPolicy, Sessions, StartError, Started,
    Timestamp,
};
use session_policy_redis::RedisStore;
use session_policy_store_harness::Load;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::common::{Server, manager, operations, store};

const LOGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);
const AOF_ALWAYS: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// An hour of idleness, renewed every 5 minutes, 8 hours in all.
const SLIDES: SessionPolicy =
    match SessionPolicy::new(TimeDelta::hours(1), TimeDelta::minutes(5), TimeDelta::hours(8)) {
        Ok(policy) => policy,
        Err(_) => panic!("contradictory policy"),
    };

fn sessions(server: &Server) -> (Sessions<RedisStore>, ManualClock) {
    let clock = ManualClock::new(LOGIN);
    let (store, _) = store(&server.client());
    (Sessions::new(store, SLIDES).with_clock(clock.clone()), clock)
}

/// The text of an error and of its causes, as a log has it.
fn chain(error: &dyn Error) -> String {
    let cause = error.source().map(|source| format!(": {}", chain(source)));
    format!("{error}{}", cause.unwrap_or_default())
}

/// Until the store answers again.
async fn recover(sessions: &Sessions<RedisStore>, subject: &str) {
    for _ in 0..200 {
        if sessions.list(subject).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the connection does not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_appendfsync_always_a_killed_engine_loses_nothing_that_was_acknowledged() {
    let Some(mut server) = Server::start(&AOF_ALWAYS) else { return };
    let (store, _) = store(&server.client());
    let operations = operations(60_000);
    let load = Load::of_sessions(200).operations(operations);
    let load: JoinHandle<_> = tokio::spawn(async move { load.run(Arc::new(store)).await });
    let mut kills = 0;
    loop {
        sleep(Duration::from_millis(if kills < 3 { 400 } else { 5_000 })).await;
        if load.is_finished() {
            break;
        }
        server.kill();
        sleep(Duration::from_millis(100)).await;
        server.start_again();
        kills += 1;
    }
    let report = load.await.unwrap();
    println!("killed {kills} times, appendfsync always: {report}");
    report.assert_sound();
    assert!(kills >= 3 && report.errors > 0, "the kills must be felt: {report}");
    assert!(report.operations >= operations && report.renewed > operations / 100, "{report}");
    assert!(report.errors < operations / 4, "a load of errors shows nothing: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_snapshots_alone_a_killed_engine_comes_back_as_of_the_last_snapshot() {
    let Some(mut server) = Server::start(&[]) else { return };
    let (sessions, _) = sessions(&server);
    let before = sessions.start("user-42").await.unwrap();
    server.command::<()>(&redis::cmd("SAVE")).await;
    let after = sessions.start("user-42").await.unwrap();
    assert!(sessions.end(&before.session.id()).await.unwrap());

    server.kill();
    let error = sessions.authenticate(after.token.expose()).await.unwrap_err();
    assert!(matches!(error, AuthenticateError::Store(StoreError::Unavailable(_))), "{error}");
    server.start_again();
    recover(&sessions, "user-42").await;

    // This is what the documentation warns of.
    let lost = sessions.authenticate(after.token.expose()).await;
    assert!(matches!(lost, Err(AuthenticateError::Unknown)), "a later sign-in is lost");
    assert!(
        sessions.authenticate(before.token.expose()).await.is_ok(),
        "an earlier logout is undone"
    );
    // The indices are of the same snapshot, so that the session can be ended again.
    assert_eq!(sessions.end_all("user-42").await.unwrap(), 1);
    assert!(sessions.authenticate(before.token.expose()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_mid_command_are_felt_and_harm_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    let (store, _) = store(&server.client());
    let load = Load::of_sessions(200).operations(60_000);
    let load: JoinHandle<_> = tokio::spawn(async move { load.run(Arc::new(store)).await });
    let mut cut = 0;
    while !load.is_finished() && cut < 20 {
        sleep(Duration::from_millis(50)).await;
        let mut kill = redis::cmd("CLIENT");
        kill.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes");
        cut += server.command::<u64>(&kill).await;
    }
    let report = load.await.unwrap();
    println!("{cut} connections cut: {report}");
    assert!(report.errors > 0, "the cuts must be felt: {report}");
    report.assert_sound();
}

/// A primary and its replica, sessions over each, and a session that both have.
struct Replicated {
    primary: Server,
    _replica: Server,
    writing: Sessions<RedisStore>,
    reading: Sessions<RedisStore>,
    clock: ManualClock,
    started: Started,
}

impl Replicated {
    /// `None` without an engine.
    async fn start() -> Option<Self> {
        let primary = Server::start(&[])?;
        let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()])?;
        let clock = ManualClock::new(LOGIN);
        let over = async |server: &Server| {
            let store = RedisStore::new(manager(&server.client()).await, "shop").unwrap();
            Sessions::new(store, SLIDES).with_clock(clock.clone())
        };
        let (writing, reading) = (over(&primary).await, over(&replica).await);
        let started = writing.start("user-42").await.unwrap();
        // Until the replica has caught up.
        while !reading.list("user-42").await.is_ok_and(|sessions| sessions.len() == 1) {
            sleep(Duration::from_millis(50)).await;
        }
        Some(Self { primary, _replica: replica, writing, reading, clock, started })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_replica_serves_reads_and_defers_renewals() {
    let Some(replicated) = Replicated::start().await else { return };
    let Replicated { writing, reading, clock, started, .. } = &replicated;
    clock.advance(SLIDES.update_age());
    let served = reading.authenticate(started.token.expose()).await.unwrap();
    let RenewalOutcome::Deferred(error) = served.renewal else {
        panic!("a replica cannot renew: {served:?}");
    };
    println!("renewal deferred: {}", chain(&*error));
    assert!(chain(&*error).contains("read only"), "{}", chain(&*error));
    assert_eq!(served.session.version(), 0);

    let refused = reading.start("user-43").await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::Unavailable(_))), "{refused}");
    let refused = reading.end(&started.session.id()).await.unwrap_err();
    println!("logout refused: {}", chain(&refused));
    assert!(writing.end(&started.session.id()).await.unwrap(), "a logout goes to the primary");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_on_a_read_only_replica_ends_with_an_error_also_over_a_note_of_nothing() {
    let Some(replicated) = Replicated::start().await else { return };
    let Replicated { writing, reading, clock, started, .. } = &replicated;
    // As if the engine dropped it by itself: its note stays.
    let mut drop = redis::cmd("DEL");
    drop.arg(format!("shop:session:{}", started.session.id()));
    assert_eq!(replicated.primary.command::<u64>(&drop).await, 1);
    while !reading.list("user-42").await.unwrap().is_empty() {
        sleep(Duration::from_millis(50)).await;
    }
    clock.advance(SLIDES.max_age() + TimeDelta::days(1)); // Which it is kept for.

    let sweep = timeout(Duration::from_secs(10), reading.sweep(100)).await;
    let refused = sweep.unwrap().unwrap_err();
    println!("sweep refused: {}", chain(&refused));
    assert!(chain(&refused).contains("read only"), "{}", chain(&refused));
    assert_eq!(writing.sweep(100).await.unwrap(), 0, "the primary drops the note");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_sign_ins_are_refused_and_live_sessions_are_served_and_ended() {
    let Some(server) = Server::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let (sessions, clock) = sessions(&server);
    let live = sessions.start("user-42").await.unwrap();
    let mut set = redis::cmd("CONFIG");
    server.command::<()>(set.arg("SET").arg("maxmemory").arg("1mb")).await;

    let refused = sessions.start("user-43").await.unwrap_err();
    println!("sign-in refused: {}", chain(&refused));
    assert!(matches!(refused, StartError::Store(StoreError::Unavailable(_))));
    assert!(chain(&refused).contains("maxmemory"), "{}", chain(&refused));
    assert!(sessions.list("user-43").await.unwrap().is_empty());

    clock.advance(TimeDelta::minutes(5));
    let renewal = sessions.authenticate(live.token.expose()).await.unwrap().renewal;
    assert!(matches!(renewal, RenewalOutcome::Deferred(_)), "{renewal:?}");
    clock.advance(TimeDelta::minutes(55));
    let late = sessions.authenticate(live.token.expose()).await.unwrap_err();
    assert!(matches!(late, AuthenticateError::Rejected { .. }), "never past its end: {late}");

    clock.set(LOGIN);
    assert!(sessions.end(&live.session.id()).await.unwrap(), "a logout needs no memory");
    assert!(sessions.authenticate(live.token.expose()).await.is_err());
}
