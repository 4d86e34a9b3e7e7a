//! A watched connection never outlives its session's deadline, and outlives its end by
//! at most the interval of its looks (law 18).
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::TimeDelta;
use pollster::block_on;
use proptest::prelude::*;
use session_policy::{
    Clock, Look, ManualClock, MemoryStore, RejectReason, Session, SessionPolicy, Sessions, SignIn,
    Timestamp, Watch,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

fn secs(secs: i64) -> TimeDelta {
    TimeDelta::seconds(secs)
}

/// Half an hour idle, renewed every 5 minutes, 8 hours in all.
fn policy() -> SessionPolicy {
    SessionPolicy::new(secs(1_800), secs(300), secs(28_800)).unwrap()
}

/// What becomes of a look.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Arrives,
    /// The store is away: the caller hears of it and tells the watch nothing.
    Fails,
    /// Nothing is heard.
    Hangs,
}

/// A connection that is opened at 0; when it ends, and why. `answer` is that to the look
/// that begins at an instant, and `meanwhile` what happens before it.
fn connection(
    sessions: &Sessions<MemoryStore>,
    clock: &ManualClock,
    token: &str,
    interval: i64,
    mut meanwhile: impl FnMut(i64),
    mut answer: impl FnMut(i64) -> Answer,
) -> (i64, Option<RejectReason>) {
    let opened = block_on(sessions.peek(token)).unwrap();
    let mut watch = Watch::new(&opened.status, secs(interval));
    let offset = |instant: Timestamp| instant.since(at(0)).num_seconds();
    let mut looked_at = None;
    loop {
        match watch.next(clock.now()) {
            Look::End { at, reason } => return (offset(at), reason),
            Look::At { at } => {
                assert!(at >= clock.now());
                // One that failed is tried again a second later.
                let at = if looked_at == Some(at) { at.saturating_add(secs(1)) } else { at };
                clock.set(at);
                looked_at = Some(at);
                let Look::At { .. } = watch.next(at) else { continue };
                meanwhile(offset(at));
                match answer(offset(at)) {
                    Answer::Arrives => match block_on(sessions.peek(token)) {
                        Ok(seen) => watch.saw(at, &seen.status),
                        // The session has ended: the caller closes the connection.
                        Err(_) => return (offset(at), None),
                    },
                    Answer::Fails | Answer::Hangs => {}
                }
            }
        }
    }
}

fn world(ceiling: i64) -> (Sessions<MemoryStore>, ManualClock, String, Session) {
    let clock = ManualClock::new(at(0));
    let sessions = Sessions::new(MemoryStore::new(), policy()).with_clock(clock.clone());
    let sign_in = SignIn::of("ada").until(at(ceiling));
    let started = block_on(sessions.start(sign_in)).unwrap();
    let token = started.token.expose().to_owned();
    (sessions, clock, token, started.session)
}

#[test]
fn it_ends_at_the_deadline_to_the_second() {
    for (ceiling, end, reason) in [
        (28_800, 1_800, RejectReason::Idle),
        (1_800, 1_800, RejectReason::AbsoluteCap),
        (1_799, 1_799, RejectReason::AbsoluteCap),
        (1, 1, RejectReason::AbsoluteCap),
    ] {
        for interval in [2, 7, 30, 1_799, 1_800, 100_000] {
            let (sessions, clock, token, _) = world(ceiling);
            let ended =
                connection(&sessions, &clock, &token, interval, |_| {}, |_| Answer::Arrives);
            assert_eq!(ended, (end, Some(reason)), "{ceiling} {interval}");
        }
    }
}

#[test]
fn activity_elsewhere_keeps_it_open_to_the_cap() {
    let (sessions, clock, token, _) = world(28_800);
    let active = |_| {
        block_on(sessions.authenticate(&token)).unwrap();
    };
    let ended = connection(&sessions, &clock, &token, 60, active, |_| Answer::Arrives);
    assert_eq!(ended, (28_800, Some(RejectReason::AbsoluteCap)));
}

#[test]
fn a_look_does_not_extend_the_session() {
    let (sessions, clock, token, session) = world(28_800);
    let _ = connection(&sessions, &clock, &token, 30, |_| {}, |_| Answer::Arrives);
    let row = block_on(sessions.list("ada")).unwrap();
    assert!(row.is_empty());
    clock.set(at(1_799));
    assert_eq!(block_on(sessions.list("ada")).unwrap(), [session]);
}

#[test]
fn a_look_that_fails_or_hangs_ends_it_within_the_interval() {
    for silent in [Answer::Fails, Answer::Hangs] {
        for interval in [2, 30, 61] {
            let (sessions, clock, token, _) = world(28_800);
            let half = interval / 2;
            // The last look that is answered begins at `half * 3`.
            let answer = |now| if now > half * 3 { silent } else { Answer::Arrives };
            let ended = connection(&sessions, &clock, &token, interval, |_| {}, answer);
            assert_eq!(ended, (half * 3 + interval, None), "{silent:?} {interval}");
            // One that is answered when it is tried again goes on.
            let (sessions, clock, token, _) = world(28_800);
            let mut failed = false;
            let answer =
                |_| if std::mem::replace(&mut failed, true) { Answer::Arrives } else { silent };
            let ended = connection(&sessions, &clock, &token, interval, |_| {}, answer);
            let again = half + 1 < interval;
            assert_eq!(ended.1, again.then_some(RejectReason::Idle), "{silent:?} {interval}");
        }
    }
}

#[test]
fn an_interval_has_at_least_two_seconds() {
    for interval in [i64::MIN / 1_000, -1, 0, 1, 2, 3] {
        let (sessions, clock, token, _) = world(28_800);
        let ended = connection(&sessions, &clock, &token, interval, |_| {}, |_| Answer::Arrives);
        assert_eq!(ended, (1_800, Some(RejectReason::Idle)), "{interval}");
    }
}

/// The interval counts from then on, and the deadline stays.
#[test]
fn a_clock_that_is_set_back_does_not_stretch_the_interval() {
    let status = policy().status(&policy().start(at(0)), at(1_000));
    let mut watch = Watch::new(&status, secs(60));
    assert_eq!(watch.next(at(1_000)), Look::At { at: at(1_030) });
    assert_eq!(watch.next(at(400)), Look::At { at: at(430) });
    assert_eq!(watch.next(at(459)), Look::At { at: at(459) });
    assert_eq!(watch.next(at(460)), Look::End { at: at(460), reason: None });
    let reason = Some(RejectReason::Idle);
    assert_eq!(watch.next(at(1_800)), Look::End { at: at(1_800), reason });
}

#[test]
fn no_instant_panics() {
    let policy = SessionPolicy::WORKING_DAY;
    for start in [Timestamp::MIN, at(0), Timestamp::MAX] {
        for now in [Timestamp::MIN, at(0), Timestamp::MAX] {
            let status = policy.status(&policy.start(start), now);
            for interval in [TimeDelta::MIN, secs(30), TimeDelta::MAX] {
                let mut watch = Watch::new(&status, interval);
                for next in [Timestamp::MIN, at(0), Timestamp::MAX] {
                    let _ = watch.next(next);
                    watch.saw(next, &status);
                }
            }
        }
    }
}

proptest! {
    /// It outlives a sign-out by at most the interval, and its deadline not at all.
    #[test]
    fn it_outlives_a_sign_out_by_at_most_the_interval(
        interval in 2..400_i64,
        signed_out_at in 0..2_000_i64,
        fails in prop::collection::vec(any::<bool>(), 0..12),
    ) {
        let (sessions, clock, token, session) = world(28_800);
        let mut fails = fails.into_iter();
        let sign_out = |now: i64| {
            if now >= signed_out_at {
                block_on(sessions.end(&session.id())).unwrap();
            }
        };
        let answer = |_| if fails.next() == Some(true) { Answer::Fails } else { Answer::Arrives };
        let (ended, _) = connection(&sessions, &clock, &token, interval, sign_out, answer);
        prop_assert!(ended <= 1_800);
        prop_assert!(ended <= signed_out_at + interval, "{} {}", ended, signed_out_at);
    }
}
