//! What a request over the embedded store allocates: nothing but the token that it
//! sends, if it sends one; on the web, two more.
//!
//! Counted by a global allocator, on this thread only.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use chrono::TimeDelta;
use session_policy::web::{SessionCookie, WebSessions};
use session_policy::{
    AuthenticateError, Decision, ManualClock, MemoryStore, Policies, RenewalOutcome, SessionId,
    SessionPolicy, SessionToken, Sessions, SignIn, Started, Timestamp,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

/// Idle for 30 minutes, renewed every 5, an hour in all.
fn policy() -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(1_800), secs(300), secs(3_600)).unwrap()
}

/// A future of the embedded store is ready at once; an executor might allocate.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the embedded store waits for nothing"),
    }
}

/// How often `act` allocates, and what it answers.
fn allocations<T>(act: impl FnOnce() -> T) -> (u64, T) {
    let mut answer = None;
    let counted = measure(|| answer = Some(black_box(act())));
    (counted.count_total, answer.unwrap())
}

fn world() -> (Sessions<MemoryStore>, ManualClock, Started) {
    let clock = ManualClock::new(at(0));
    let policies = Policies::new(policy()).with_profile("admin", policy()).unwrap();
    let sessions = Sessions::new(MemoryStore::new(), policies).with_clock(clock.clone());
    let started = now(sessions.start(SignIn::of("user-42").profile("admin"))).unwrap();
    (sessions, clock, started)
}

#[test]
fn the_counter_counts() {
    let (count, text) = allocations(|| String::from("one"));
    assert_eq!((count, text.as_str()), (1, "one"));
}

#[test]
fn the_rule_allocates_nothing() {
    let policy = policy();
    let lifetime = policy.start(at(0));
    for secs in [-61, 0, 299, 300, 1_799, 1_800, 3_600] {
        let (count, _) = allocations(|| policy.evaluate(&lifetime, at(secs)));
        assert_eq!(count, 0, "evaluate at {secs}");
        let (count, _) = allocations(|| policy.peek(&lifetime, at(secs)));
        assert_eq!(count, 0, "peek at {secs}");
        let (count, _) = allocations(|| policy.status(&lifetime, at(secs)));
        assert_eq!(count, 0, "status at {secs}");
    }
    // The instants above meet every kind of decision.
    assert!(matches!(policy.evaluate(&lifetime, at(299)), Decision::Keep { .. }));
    assert!(matches!(policy.evaluate(&lifetime, at(300)), Decision::Renew { .. }));
    assert!(matches!(policy.evaluate(&lifetime, at(1_800)), Decision::Reject { .. }));
}

#[test]
fn a_token_allocates_its_text_alone() {
    let text = "AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let (count, token) = allocations(|| text.parse::<SessionToken>());
    assert_eq!(token.unwrap().expose(), text);
    assert_eq!(count, 1);
    let (count, token) = allocations(|| text[1..].parse::<SessionToken>());
    assert!(token.is_err());
    assert_eq!(count, 0);
}

#[test]
fn a_request_with_nothing_to_renew_allocates_nothing() {
    let (sessions, clock, started) = world();
    for secs in [-60, 0, 299] {
        clock.set(at(secs));
        let (count, answer) = allocations(|| now(sessions.authenticate(started.token.expose())));
        assert!(matches!(answer.unwrap().renewal, RenewalOutcome::NotDue), "at {secs}");
        assert_eq!(count, 0, "at {secs}");
        let (count, answer) = allocations(|| now(sessions.peek(started.token.expose())));
        assert_eq!(answer.unwrap().session, started.session, "at {secs}");
        assert_eq!(count, 0, "peek at {secs}");
    }
}

#[test]
fn a_refused_request_allocates_nothing() {
    let (sessions, clock, started) = world();
    clock.set(at(1_800));
    let (count, answer) = allocations(|| now(sessions.authenticate(started.token.expose())));
    assert!(matches!(answer, Err(AuthenticateError::Rejected { .. })));
    assert_eq!(count, 0);
    let forged = SessionToken::from_parts(started.session.id(), [0; 32]);
    let (count, answer) = allocations(|| now(sessions.authenticate(forged.expose())));
    assert!(matches!(answer, Err(AuthenticateError::WrongSecret)));
    assert_eq!(count, 0);
    let unknown = SessionToken::from_parts(SessionId::from_bytes([7; 16]), [0; 32]);
    let (count, answer) = allocations(|| now(sessions.authenticate(unknown.expose())));
    assert!(matches!(answer, Err(AuthenticateError::Unknown)));
    assert_eq!(count, 0);
    let (count, answer) = allocations(|| now(sessions.authenticate("a token of nobody's")));
    assert!(matches!(answer, Err(AuthenticateError::Token(_))));
    assert_eq!(count, 0);
}

/// Whoever has read the session keeps it as it was. The subject and the profile are in place
/// or shared, and the index by expiry is touched only if the session is to end earlier than
/// before.
#[test]
fn a_renewal_in_the_embedded_store_allocates_the_new_record_alone() {
    let (sessions, clock, Started { token, .. }) = world();
    for secs in [300, 1_800] {
        clock.set(at(secs));
        let (count, answer) = allocations(|| now(sessions.authenticate(token.expose())));
        assert!(matches!(answer.unwrap().renewal, RenewalOutcome::Renewed), "at {secs}");
        assert_eq!(count, 1, "at {secs}");
    }
}

/// Also of its user, so a store that many users come and go in does not grow.
#[test]
fn a_session_that_has_ended_leaves_nothing_behind() {
    let (sessions, _, _) = world();
    let come_and_go = |name: &str| {
        for number in 0..10_000 {
            let subject = format!("{name}-{number}");
            let one = now(sessions.start(SignIn::of(&*subject).profile("admin"))).unwrap().session;
            let two = now(sessions.start(SignIn::of(&*subject).profile("admin"))).unwrap().session;
            assert!(now(sessions.end(&one.id())).unwrap() && now(sessions.end(&two.id())).unwrap());
            let one = now(sessions.start(SignIn::of(&*subject).profile("admin"))).unwrap().session;
            assert!(now(sessions.end(&one.id())).unwrap());
        }
    };
    // The tables have grown to their size.
    come_and_go("first");
    let kept = measure(|| come_and_go("user")).bytes_current;
    assert!(kept < 50_000, "{kept} bytes are kept of 10,000 users who have left");
}

/// What the request and its answer share, and the session that the handler is given.
#[test]
fn a_request_on_the_web_boxes_no_future_of_the_embedded_store() {
    let (sessions, _, Started { token, .. }) = world();
    let web = WebSessions::new(sessions, SessionCookie::host("session")).unwrap();
    let cookie = format!("__Host-session={}", token.expose());
    for looks in [false, true] {
        let (count, served) = allocations(|| {
            let exchange = web.exchange();
            let served = if looks {
                now(exchange.peeked([cookie.as_bytes()], [])).is_ok()
            } else {
                now(exchange.active([cookie.as_bytes()], [])).is_ok()
            };
            exchange.reply_now([]).is_some_and(|reply| reply.set_cookie.is_none()) && served
        });
        assert_eq!((count, served), (2, true), "looks: {looks}");
    }
}
