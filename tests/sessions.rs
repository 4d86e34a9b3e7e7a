//! Every verb of `Sessions` over the embedded store and a clock moved by hand.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::TimeDelta;
use pollster::block_on as wait;
use session_policy::store::{SecretHash, SessionStore};
use session_policy::{
    AuthenticateError, Authenticated, ManualClock, MemoryStore, Policies, RejectReason,
    RenewalOutcome, RotateError, Session, SessionId, SessionPolicy, SessionToken, Sessions, SignIn,
    StartError, Started, Timestamp,
};

type Node = Sessions<Arc<MemoryStore>>;

const fn policy(max_age: i64, update_age: i64, absolute_cap: i64) -> SessionPolicy {
    let [max_age, update_age, absolute_cap] = [
        TimeDelta::seconds(max_age),
        TimeDelta::seconds(update_age),
        TimeDelta::seconds(absolute_cap),
    ];
    match SessionPolicy::new(max_age, update_age, absolute_cap) {
        Ok(policy) => policy,
        Err(_) => panic!("contradictory policy"),
    }
}

/// Idle for 30 minutes, renewed every 5, 8 hours in all.
const POLICY: SessionPolicy = policy(1_800, 300, 28_800);
const ADMIN: SessionPolicy = policy(600, 60, 3_600);

/// 2027-01-15T08:00:00Z, plus `secs`.
fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

fn policies() -> Policies {
    Policies::new(POLICY).with_profile("admin", ADMIN).unwrap()
}

/// A process over a store that others may share, with a clock of its own.
fn node(store: &Arc<MemoryStore>, policies: impl Into<Policies>) -> (Node, ManualClock) {
    let clock = ManualClock::new(at(0));
    (Sessions::new(Arc::clone(store), policies).with_clock(clock.clone()), clock)
}

fn new() -> (Node, ManualClock) {
    node(&Arc::default(), policies())
}

fn start(sessions: &Node) -> Started {
    wait(sessions.start("user-42")).unwrap()
}

fn stored(sessions: &Node, session: &Session) -> Option<Session> {
    wait(sessions.store().load(&session.id())).unwrap()
}

/// An answer as one comparable word, and for how long a renewal holds. A cap of at most
/// 400 days sends nothing again.
fn word(answer: &Result<Authenticated, AuthenticateError>) -> (&'static str, Option<i64>) {
    match answer {
        Ok(Authenticated { renewal, status, token, .. }) => {
            let word = match renewal {
                RenewalOutcome::Deferred(_) => "deferred",
                RenewalOutcome::NotDue => "not due",
                RenewalOutcome::Renewed => "renewed",
                RenewalOutcome::Superseded => "superseded",
            };
            assert!(token.is_none());
            let held = status.idle_expires_at.since(status.now).num_seconds();
            (word, (word == "renewed").then_some(held))
        }
        Err(AuthenticateError::Rejected { reason, since }) => {
            (reason.as_str(), Some(since.since(at(0)).num_seconds()))
        }
        Err(error) => (error.as_str(), None),
    }
}

fn authenticate(sessions: &Node, token: &SessionToken) -> (&'static str, Option<i64>) {
    word(&wait(sessions.authenticate(token.expose())))
}

#[test]
fn a_start_stores_the_session_and_tells_what_to_send() {
    let (sessions, _) = new();
    let started = start(&sessions);
    assert_eq!(started.session.subject(), "user-42");
    assert_eq!(started.session.profile(), "default");
    assert_eq!(started.session.version(), 0);
    let (id, secret) = started.token.expose().split_once('.').unwrap();
    assert_eq!(id, started.session.id().to_string());
    let secret = Base64UrlUnpadded::decode_vec(secret).unwrap().try_into().unwrap();
    assert_eq!(*started.session.secret(), SecretHash::of_secret(&secret));
    assert_eq!(started.session.lifetime(), &POLICY.start(at(0)));
    assert_eq!(started.status.cookie_max_age(), TimeDelta::seconds(28_800));
    assert_eq!(started.status, POLICY.status(started.session.lifetime(), at(0)));
    assert_eq!(stored(&sessions, &started.session), Some(started.session));
}

#[test]
fn every_start_has_a_token_of_its_own() {
    let (sessions, _) = new();
    let (first, second) = (start(&sessions), start(&sessions));
    assert_ne!(first.session.id(), second.session.id());
    assert_ne!(first.session.secret(), second.session.secret());
}

#[test]
fn a_profile_gives_its_own_lifetime() {
    let (sessions, clock) = new();
    let started = wait(sessions.start(SignIn::of("root").profile("admin"))).unwrap();
    assert_eq!(started.session.profile(), "admin");
    assert_eq!(started.status.cookie_max_age(), TimeDelta::seconds(3_600));
    clock.set(at(600));
    assert_eq!(authenticate(&sessions, &started.token), ("idle", Some(600)));
}

#[test]
fn a_start_under_a_profile_that_is_not_in_the_set_is_refused() {
    let (sessions, _) = new();
    for (profile, text) in [
        ("admn", "there is no profile `admn`"),
        ("", "there is no profile ``"),
        ("two\nlines", r"there is no profile `two\nlines`"),
    ] {
        let error = wait(sessions.start(SignIn::of("user-42").profile(profile))).unwrap_err();
        assert!(matches!(error, StartError::UnknownProfile { .. }));
        assert_eq!(error.to_string(), text);
    }
    assert!(sessions.store().is_empty());
}

#[test]
fn a_start_of_a_subject_that_cannot_be_stored_is_refused() {
    let (sessions, _) = new();
    for (subject, text) in [
        (String::new(), "subject is empty"),
        ("a\0b".into(), "subject has a NUL character"),
        ("a".repeat(1_025), "subject of 1025 bytes is longer than 1024 bytes"),
    ] {
        let error = wait(sessions.start(subject)).unwrap_err();
        assert!(matches!(error, StartError::Session(_)));
        assert_eq!(error.to_string(), text);
    }
    assert!(sessions.store().is_empty());
}

#[test]
fn a_ceiling_lowers_the_cap_and_never_raises_it() {
    let (sessions, _) = new();
    for (ceiling, cap, max_age) in
        [(3_600, 3_600, 3_600), (900, 900, 900), (1, 1, 1), (99_999, 28_800, 28_800)]
    {
        let started = wait(sessions.start(SignIn::of("user-42").until(at(ceiling)))).unwrap();
        let lifetime = started.session.lifetime();
        assert_eq!(lifetime.absolute_expires_at(), at(cap), "ceiling {ceiling}");
        assert_eq!(
            started.status.cookie_max_age(),
            TimeDelta::seconds(max_age),
            "ceiling {ceiling}"
        );
        wait(sessions.authenticate(started.token.expose())).unwrap();
    }
}

#[test]
fn a_ceiling_that_is_reached_starts_nothing() {
    let (sessions, _) = new();
    for ceiling in [0, -1, -5, i64::MIN / 4] {
        let ceiling = at(ceiling);
        let error = wait(sessions.start(SignIn::of("user-42").until(ceiling))).unwrap_err();
        assert!(matches!(error, StartError::CeilingReached { .. }), "{error}");
        let text = format!(
            "the ceiling `{ceiling}` is not after `2027-01-15T08:00:00Z`, when the session starts"
        );
        assert_eq!(error.to_string(), text);
    }
    assert!(sessions.store().is_empty());
}

#[test]
fn a_request_is_judged_to_the_second() {
    for (now, expected) in [
        (-61, ("not_yet_valid", Some(-60))),
        (-60, ("not due", None)),
        (0, ("not due", None)),
        (299, ("not due", None)),
        (300, ("renewed", Some(1_800))),
        (1_799, ("renewed", Some(1_800))),
        (1_800, ("idle", Some(1_800))),
        (28_800, ("idle", Some(1_800))),
    ] {
        let (sessions, clock) = new();
        let started = start(&sessions);
        clock.set(at(now));
        assert_eq!(authenticate(&sessions, &started.token), expected, "now {now}");
        let version = stored(&sessions, &started.session).unwrap().version();
        assert_eq!(version, u64::from(expected.0 == "renewed"), "now {now}");
    }
}

#[test]
fn a_renewal_is_what_is_stored_and_what_is_answered() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    clock.set(at(300));
    let answer = wait(sessions.authenticate(started.token.expose())).unwrap();
    let lifetime = answer.session.lifetime();
    assert_eq!(lifetime.created_at(), at(0));
    assert_eq!(lifetime.renewed_at(), at(300));
    assert_eq!(lifetime.expires_at(), at(2_100));
    assert_eq!(lifetime.absolute_expires_at(), at(28_800));
    assert_eq!(answer.status, POLICY.status(lifetime, at(300)));
    assert_eq!(stored(&sessions, &started.session), Some(answer.session));

    for (now, expected) in [
        (599, ("not due", None)),
        (2_099, ("renewed", Some(1_800))),
        (3_898, ("renewed", Some(1_800))),
        (5_698, ("idle", Some(5_698))),
    ] {
        clock.set(at(now));
        assert_eq!(authenticate(&sessions, &started.token), expected, "now {now}");
    }
}

#[test]
fn a_session_that_is_pinned_at_its_cap_is_still_renewed_once_per_update_age() {
    let (sessions, clock) = new();
    let started = wait(sessions.start(SignIn::of("user-42").until(at(2_000)))).unwrap();
    for (now, expected, renewed_at) in [
        (300, ("renewed", Some(1_700)), 300), // The last renewal that gains time.
        (599, ("not due", None), 300),
        (600, ("renewed", Some(1_400)), 600),
        (899, ("not due", None), 600),
        (1_999, ("renewed", Some(1)), 1_999),
        (2_000, ("absolute_cap", Some(2_000)), 1_999),
    ] {
        clock.set(at(now));
        assert_eq!(authenticate(&sessions, &started.token), expected, "now {now}");
        let lifetime = *stored(&sessions, &started.session).unwrap().lifetime();
        assert_eq!(lifetime.renewed_at(), at(renewed_at), "now {now}");
        assert_eq!(lifetime.expires_at(), at(2_000), "now {now}");
    }
}

#[test]
fn a_busy_session_is_never_idle_and_ends_at_its_cap() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    let mut renewals = 0;
    for now in (0..28_800).step_by(60) {
        clock.set(at(now));
        let answer = wait(sessions.authenticate(started.token.expose())).unwrap();
        assert!(answer.session.lifetime().expires_at() <= at(28_800), "now {now}");
        renewals += u32::from(matches!(answer.renewal, RenewalOutcome::Renewed));
    }
    // Every 300 s, also from 27,000 on, where expiry is pinned at the cap.
    assert_eq!(renewals, 95);
    clock.set(at(28_800));
    assert_eq!(authenticate(&sessions, &started.token), ("absolute_cap", Some(28_800)));
}

#[test]
fn a_peek_neither_renews_nor_writes() {
    for (now, expected) in [
        (-61, ("not_yet_valid", Some(-60))),
        (300, ("not due", None)),
        (1_799, ("not due", None)),
        (1_800, ("idle", Some(1_800))),
    ] {
        let (sessions, clock) = new();
        let started = start(&sessions);
        clock.set(at(now));
        assert_eq!(word(&wait(sessions.peek(started.token.expose()))), expected, "now {now}");
        assert_eq!(stored(&sessions, &started.session), Some(started.session), "now {now}");
    }
}

#[test]
fn a_wrong_secret_opens_nothing_and_changes_nothing() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    let forged = SessionToken::from_parts(started.session.id(), [7; 32]);
    clock.set(at(300));
    assert_eq!(authenticate(&sessions, &forged), ("wrong_secret", None));
    assert_eq!(word(&wait(sessions.peek(forged.expose()))), ("wrong_secret", None));
    clock.set(at(1_800)); // A forger does not learn that the session has expired.
    assert_eq!(authenticate(&sessions, &forged), ("wrong_secret", None));
    assert_eq!(stored(&sessions, &started.session), Some(started.session));
}

#[test]
fn a_rotation_keeps_the_session_and_changes_its_token() {
    let (sessions, clock) = new();
    let started = wait(sessions.start(SignIn::of("root").profile("admin"))).unwrap();
    clock.set(at(59));
    let rotated = wait(sessions.rotate(&started.session)).unwrap();
    assert_eq!(rotated.session.id(), started.session.id());
    assert_ne!(rotated.session.secret(), started.session.secret());
    assert_eq!(rotated.session.subject(), "root");
    assert_eq!(rotated.session.profile(), "admin");
    assert_eq!(rotated.session.lifetime(), started.session.lifetime());
    assert_eq!(rotated.status.cookie_max_age(), TimeDelta::seconds(3_541));
    assert_eq!(authenticate(&sessions, &started.token), ("wrong_secret", None));
    assert_eq!(authenticate(&sessions, &rotated.token), ("not due", None));
    assert_eq!(sessions.store().len(), 1);
}

#[test]
fn a_rotation_when_a_renewal_is_due_renews_under_the_same_cap() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    clock.set(at(1_000));
    let rotated = wait(sessions.rotate(&started.session)).unwrap();
    let lifetime = rotated.session.lifetime();
    assert_eq!(lifetime.created_at(), at(0));
    assert_eq!(lifetime.renewed_at(), at(1_000));
    assert_eq!(lifetime.expires_at(), at(2_800));
    assert_eq!(lifetime.absolute_expires_at(), at(28_800));
    assert_eq!(rotated.status.cookie_max_age(), TimeDelta::seconds(27_800));
    assert_eq!(stored(&sessions, &rotated.session), Some(rotated.session));
}

#[test]
fn a_rotation_is_one_more_write_of_the_session() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    clock.set(at(1_000));
    let renewed = wait(sessions.authenticate(started.token.expose())).unwrap().session;
    assert_eq!(renewed.version(), 1);
    assert_eq!(wait(sessions.rotate(&renewed)).unwrap().session.version(), 2);
}

#[test]
fn a_chain_of_rotations_never_moves_the_cap() {
    let (sessions, clock) = new();
    let mut current = start(&sessions);
    for now in (0..28_800).step_by(777) {
        clock.set(at(now));
        current = wait(sessions.rotate(&current.session)).unwrap();
        assert_eq!(current.session.lifetime().created_at(), at(0), "now {now}");
        assert_eq!(current.session.lifetime().absolute_expires_at(), at(28_800), "now {now}");
        assert_eq!(sessions.store().len(), 1, "now {now}");
    }
    clock.set(at(28_800));
    assert_eq!(authenticate(&sessions, &current.token), ("absolute_cap", Some(28_800)));
}

#[test]
fn an_expired_session_is_not_rotated() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    clock.set(at(1_800));
    let error = wait(sessions.rotate(&started.session)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the session is refused since 2027-01-15T08:30:00Z: idle for too long",
    );
    let RotateError::Rejected { reason, since } = error else { panic!("{error}") };
    assert_eq!((reason, since), (RejectReason::Idle, at(1_800)));
    assert_eq!(sessions.store().len(), 1);
}

#[test]
fn a_rotation_of_an_ended_session_leaves_nothing_behind() {
    let (sessions, _) = new();
    let started = start(&sessions);
    assert!(wait(sessions.end(&started.session.id())).unwrap());
    let error = wait(sessions.rotate(&started.session)).unwrap_err();
    assert!(matches!(error, RotateError::Unknown));
    assert_eq!(error.to_string(), "there is no such session");
    assert!(sessions.store().is_empty());
}

#[test]
fn a_session_is_rotated_once() {
    let (sessions, _) = new();
    let started = start(&sessions);
    let rotated = wait(sessions.rotate(&started.session)).unwrap();
    let again = wait(sessions.rotate(&started.session)).unwrap_err();
    assert!(matches!(again, RotateError::Unknown));
    assert_eq!(authenticate(&sessions, &rotated.token), ("not due", None));
    assert_eq!(sessions.store().len(), 1);
}

#[test]
fn an_end_is_idempotent_and_final() {
    let (sessions, _) = new();
    let (started, other) = (start(&sessions), start(&sessions));
    assert!(wait(sessions.end(&started.session.id())).unwrap());
    assert!(!wait(sessions.end(&started.session.id())).unwrap());
    assert_eq!(authenticate(&sessions, &started.token), ("unknown", None));
    assert_eq!(authenticate(&sessions, &other.token), ("not due", None));
}

#[test]
fn an_end_of_all_ends_those_of_the_subject_only() {
    let (sessions, _) = new();
    let mine = [start(&sessions), start(&sessions), start(&sessions)];
    let other = wait(sessions.start("user-43")).unwrap();
    assert_eq!(wait(sessions.end_all("user-42")).unwrap(), 3);
    assert_eq!(wait(sessions.end_all("user-42")).unwrap(), 0);
    for started in &mine {
        assert_eq!(authenticate(&sessions, &started.token), ("unknown", None));
    }
    assert_eq!(authenticate(&sessions, &other.token), ("not due", None));
}

#[test]
fn an_end_of_the_others_spares_this_session_and_other_subjects() {
    let (sessions, _) = new();
    let (this, that) = (start(&sessions), start(&sessions));
    let other = wait(sessions.start("user-43")).unwrap();
    assert_eq!(wait(sessions.end_others(&this.session)).unwrap(), 1);
    assert_eq!(wait(sessions.end_others(&this.session)).unwrap(), 0);
    assert_eq!(authenticate(&sessions, &this.token), ("not due", None));
    assert_eq!(authenticate(&sessions, &that.token), ("unknown", None));
    assert_eq!(authenticate(&sessions, &other.token), ("not due", None));
}

#[test]
fn a_list_has_the_live_sessions_oldest_first() {
    let (sessions, clock) = new();
    let mut started = Vec::new();
    for now in [0, 1_000, 1_799, 1_800] {
        clock.set(at(now));
        started.push(start(&sessions).session);
    }
    let _ = wait(sessions.start("user-43")).unwrap();
    for (now, live) in [(1_799, 0..4), (1_800, 1..4), (2_799, 1..4), (2_800, 2..4), (3_600, 4..4)] {
        clock.set(at(now));
        assert_eq!(wait(sessions.list("user-42")).unwrap(), started[live], "now {now}");
    }
    assert_eq!(wait(sessions.list("nobody")).unwrap(), []);
    assert_eq!(sessions.store().len(), 5); // Listing removes nothing.
}

#[test]
fn a_sweep_is_bounded_and_half_open() {
    let (sessions, clock) = new();
    let sessions = sessions.with_retention(TimeDelta::zero());
    for _ in 0..5 {
        let _ = start(&sessions);
    }
    clock.set(at(1));
    let live = start(&sessions);
    clock.set(at(1_799));
    assert_eq!(wait(sessions.sweep(10)).unwrap(), 0);
    clock.set(at(1_800));
    assert_eq!(wait(sessions.sweep(0)).unwrap(), 0);
    assert_eq!(wait(sessions.sweep(2)).unwrap(), 2);
    assert_eq!(wait(sessions.sweep(2)).unwrap(), 2);
    assert_eq!(wait(sessions.sweep(2)).unwrap(), 1); // Fewer than 2: none is left.
    assert_eq!(sessions.store().len(), 1);
    assert_eq!(authenticate(&sessions, &live.token), ("renewed", Some(1_800)));
}

#[test]
fn nodes_whose_clocks_differ_serve_one_session() {
    let store = Arc::default();
    let (ahead, ahead_clock) = node(&store, policies());
    let (behind, behind_clock) = node(&store, policies());
    ahead_clock.set(at(60));
    let started = start(&ahead);
    assert_eq!(authenticate(&behind, &started.token), ("not due", None));
    behind_clock.set(at(-1)); // 61 s before the session's creation.
    assert_eq!(authenticate(&behind, &started.token), ("not_yet_valid", Some(0)));

    // The node ahead renews at 360; the one behind neither undoes nor repeats it.
    ahead_clock.set(at(360));
    behind_clock.set(at(300));
    assert_eq!(authenticate(&ahead, &started.token), ("renewed", Some(1_800)));
    assert_eq!(authenticate(&behind, &started.token), ("not due", None));
    assert_eq!(stored(&behind, &started.session).unwrap().lifetime().renewed_at(), at(360));

    // At the end, each goes by its own clock and none passes the stored end.
    ahead_clock.set(at(2_160));
    behind_clock.set(at(2_159));
    assert_eq!(authenticate(&ahead, &started.token), ("idle", Some(2_160)));
    assert_eq!(word(&wait(behind.peek(started.token.expose()))), ("not due", None));
    behind_clock.set(at(2_160));
    assert_eq!(authenticate(&behind, &started.token), ("idle", Some(2_160)));
}

#[test]
fn a_policy_that_is_tightened_between_requests_holds_at_once() {
    let store = Arc::default();
    let (before, _) = node(&store, POLICY);
    let started = start(&before);
    for (tighter, now, expected) in [
        (policy(900, 300, 28_800), 299, ("not due", None)),
        (policy(900, 300, 28_800), 900, ("idle", Some(900))),
        (policy(900, 300, 1_000), 900, ("idle", Some(900))),
        (policy(900, 300, 900), 900, ("absolute_cap", Some(900))),
    ] {
        let (after, clock) = node(&store, tighter);
        clock.set(at(now));
        assert_eq!(authenticate(&after, &started.token), expected, "{tighter:?}");
    }
    // A renewal under the tighter policy shortens what is stored.
    let (after, clock) = node(&store, policy(900, 300, 28_800));
    clock.set(at(300));
    assert_eq!(authenticate(&after, &started.token), ("renewed", Some(900)));
    assert_eq!(stored(&after, &started.session).unwrap().lifetime().expires_at(), at(1_200));
}

#[test]
fn a_policy_that_is_loosened_never_moves_a_stored_cap() {
    let store = Arc::default();
    let (before, _) = node(&store, ADMIN);
    let started = start(&before);
    let (after, clock) = node(&store, policy(90_000, 60, 900_000));
    clock.set(at(599));
    assert_eq!(authenticate(&after, &started.token), ("renewed", Some(3_001)));
    clock.set(at(3_600));
    assert_eq!(authenticate(&after, &started.token), ("absolute_cap", Some(3_600)));
}

#[test]
fn a_cookie_of_a_rotation_never_outlives_the_cap_in_force() {
    let store = Arc::default();
    let (before, _) = node(&store, policy(2_000, 1_000, 9_000));
    let started = start(&before);
    let (after, clock) = node(&store, policy(1_500, 1_000, 1_500));
    clock.set(at(600));
    let rotated = wait(after.rotate(&started.session)).unwrap();
    assert_eq!(rotated.status.absolute_expires_at, at(1_500));
    assert_eq!(rotated.status.cookie_max_age(), TimeDelta::seconds(900));
}

#[test]
fn a_session_of_a_retired_profile_is_judged_by_the_default_policy() {
    let store = Arc::default();
    let (before, _) = node(&store, policies());
    let started = wait(before.start(SignIn::of("root").profile("admin"))).unwrap();
    let (after, clock) = node(&store, policy(500, 300, 28_800));
    for (now, expected) in [(499, ("renewed", Some(500))), (999, ("idle", Some(999)))] {
        clock.set(at(now));
        assert_eq!(authenticate(&after, &started.token), expected, "now {now}");
    }
    let error = wait(after.start(SignIn::of("root").profile("admin"))).unwrap_err();
    assert_eq!(error.to_string(), "there is no profile `admin`");
}

#[test]
fn a_refusal_says_why() {
    let (sessions, clock) = new();
    let started = wait(sessions.start(SignIn::of("user-42").until(at(3_000)))).unwrap();
    let renewed = wait(sessions.start(SignIn::of("user-42").until(at(3_000)))).unwrap();
    clock.set(at(1_200));
    assert_eq!(authenticate(&sessions, &renewed.token), ("renewed", Some(1_800)));
    let unknown = SessionToken::from_parts(SessionId::from_bytes([7; 16]), [0; 32]);
    let forged = SessionToken::from_parts(started.session.id(), [0; 32]);
    let prefix = "the session is refused";
    for (token, now, text) in [
        (
            started.token.expose(),
            -61,
            format!("{prefix} until 2027-01-15T07:59:00Z: not yet valid"),
        ),
        (
            started.token.expose(),
            1_800,
            format!("{prefix} since 2027-01-15T08:30:00Z: idle for too long"),
        ),
        (
            renewed.token.expose(),
            3_000,
            format!("{prefix} since 2027-01-15T08:50:00Z: the absolute cap is reached"),
        ),
        (unknown.expose(), 0, "there is no such session".into()),
        (forged.expose(), 0, "the token's secret is wrong".into()),
        ("a token of nobody's", 0, "the token is malformed".into()),
    ] {
        clock.set(at(now));
        let error = wait(sessions.authenticate(token)).unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

/// F2: a browser keeps no cookie for longer than 400 days.
#[test]
fn only_where_the_cap_is_longer_than_a_cookie_it_is_sent_again() {
    const DAY: i64 = 86_400;
    for (cap, sent) in [(399, None), (400, None), (401, Some(400)), (3_653, Some(400))] {
        let (sessions, clock) = node(&Arc::default(), policy(365 * DAY, DAY, cap * DAY));
        let started = start(&sessions);
        assert_eq!(started.status.cookie_max_age(), TimeDelta::days(cap.min(400)));
        clock.set(at(DAY));
        let served = wait(sessions.authenticate(started.token.expose())).unwrap();
        assert!(matches!(served.renewal, RenewalOutcome::Renewed));
        let token = served.token.as_ref().map(SessionToken::expose);
        assert_eq!(token, sent.map(|_| started.token.expose()), "{cap} days");
        let max_age = served.token.map(|_| served.status.cookie_max_age());
        assert_eq!(max_age, sent.map(TimeDelta::days), "{cap} days");
        // Nothing is due, so nothing is sent.
        let kept = wait(sessions.authenticate(started.token.expose())).unwrap();
        assert!(kept.token.is_none());
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    let (sessions, _) = new();
    let started = start(&sessions);
    let exposed = started.token.expose();
    let (_, secret) = exposed.split_once('.').unwrap();
    let answer = wait(sessions.authenticate(started.token.expose())).unwrap();
    let forged = SessionToken::from_parts(started.session.id(), [0; 32]);
    let error = wait(sessions.authenticate(forged.expose())).unwrap_err();
    for text in [
        format!("{started:?}"),
        format!("{answer:?}"),
        format!("{error:?} {error}"),
        format!("{sessions:?}"),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// Also where the sign-in came in on a server whose clock is ahead.
#[test]
fn a_sign_in_is_fresh_until_that_many_seconds_ago_and_never_for_none() {
    let (sessions, clock) = new();
    let started = start(&sessions);
    let fresh = |now: i64, within: i64| {
        clock.set(at(now));
        let served = wait(sessions.peek(started.token.expose())).unwrap();
        served.is_fresh(TimeDelta::seconds(within))
    };
    for (now, within, expected) in [
        (0, 1, true),
        (1, 1, false),
        (299, 300, true),
        (300, 300, false),
        (0, 0, false),
        (-30, 1, true),
        (-30, 0, false),
        (-30, -10, false),
    ] {
        assert_eq!(fresh(now, within), expected, "{within} s at {now}");
    }
}
