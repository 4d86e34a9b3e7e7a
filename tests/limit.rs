//! The limit on concurrent sessions of a subject.

#![cfg(all(feature = "memory", feature = "serde"))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::store::{Removed, SecretHash, SessionStore, StoreError, Update};
use session_policy::{
    AuthenticateError, Clock, Event, EventKind, ManualClock, MemoryStore, Policies, Session,
    SessionId, SessionLimit, SessionPolicy, Sessions, SignIn, StartError, Started, Timestamp,
    WhenFull,
};

const LOGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

fn limited(max_sessions: u32, when_full: WhenFull) -> Policies {
    let limit = SessionLimit::new(NonZeroU32::new(max_sessions).unwrap(), when_full);
    Policies::new(SessionPolicy::WORKING_DAY).with_limit(Policies::DEFAULT, limit).unwrap()
}

fn sessions<S: SessionStore>(
    store: S,
    max_sessions: u32,
    when_full: WhenFull,
) -> (Sessions<S>, ManualClock) {
    let clock = ManualClock::new(LOGIN);
    (Sessions::new(store, limited(max_sessions, when_full)).with_clock(clock.clone()), clock)
}

#[test]
fn a_sign_in_beyond_the_limit_ends_the_oldest_session() {
    let (sessions, clock) = sessions(MemoryStore::new(), 2, WhenFull::EndOldest);
    let start = |_| {
        clock.advance(TimeDelta::seconds(1));
        block_on(sessions.start("user-42")).unwrap()
    };
    let started: Vec<_> = (0..3).map(start).collect();
    let error = block_on(sessions.authenticate(started[0].token.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Unknown), "{error}");
    block_on(sessions.authenticate(started[1].token.expose())).unwrap();
    block_on(sessions.authenticate(started[2].token.expose())).unwrap();
}

/// Under the ceiling of a provider's session that has ended.
#[test]
fn a_sign_in_that_would_be_over_at_once_displaces_nobody() {
    let (sessions, _) = sessions(MemoryStore::new(), 1, WhenFull::EndOldest);
    let live = block_on(sessions.start("user-42")).unwrap();
    let error = block_on(sessions.start(SignIn::of("user-42").until(LOGIN))).unwrap_err();
    assert!(matches!(error, StartError::CeilingReached { .. }), "{error}");
    assert!(block_on(sessions.authenticate(live.token.expose())).is_ok());
}

/// The limit was lowered from three to two.
#[test]
fn what_has_ended_goes_first_and_of_the_others_no_more_than_need_be() {
    for when_full in [WhenFull::EndOldest, WhenFull::EndLeastRecent] {
        let store = Arc::new(MemoryStore::new());
        let (three, clock) = sessions(Arc::clone(&store), 3, when_full);
        let start = |sessions: &Sessions<_>, secs| {
            clock.set(LOGIN.saturating_add(TimeDelta::seconds(secs)));
            block_on(sessions.start("user-42")).unwrap()
        };
        let started = [0, 100, 101].map(|secs| start(&three, secs));
        let two = Sessions::new(Arc::clone(&store), limited(2, when_full));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::clone(&heard);
        let two = two.with_clock(clock.clone()).with_observer(move |event: &Event<'_>| {
            ends.lock().unwrap().push(format!("{:?}", event.kind));
        });
        let last = start(&two, SessionPolicy::WORKING_DAY.max_age().num_seconds());
        let lives = |started: &Started| block_on(two.peek(started.token.expose())).is_ok();
        assert_eq!(
            [&started[0], &started[1], &started[2], &last].map(lives),
            [false, false, true, true]
        );
        assert_eq!(store.len(), 2, "{when_full:?}");
        let heard = heard.lock().unwrap();
        let ends = ["Expired { reason: AbsoluteCap }", "Ended { cause: \"limit\" }"];
        assert_eq!(heard[..2], ends, "{when_full:?}");
    }
}

#[test]
fn of_sign_ins_within_one_second_the_later_stays() {
    // Ids are random: going by them alone would end the later half of the time.
    for when_full in [WhenFull::EndOldest, WhenFull::EndLeastRecent].repeat(32) {
        let (sessions, _) = sessions(MemoryStore::new(), 1, when_full);
        let first = block_on(sessions.start("user-42")).unwrap();
        let second = block_on(sessions.start("user-42")).unwrap();
        assert!(block_on(sessions.authenticate(first.token.expose())).is_err());
        assert!(block_on(sessions.authenticate(second.token.expose())).is_ok());
    }
}

#[test]
fn a_limit_that_was_lowered_holds_after_one_sign_in() {
    let store = MemoryStore::new();
    let (before, clock) = sessions(&store, 10, WhenFull::EndOldest);
    for _ in 0..10 {
        clock.advance(TimeDelta::seconds(1));
        let _ = block_on(before.start("user-42")).unwrap();
    }
    let (after, _) = sessions(&store, 3, WhenFull::EndOldest);
    let newest = block_on(after.start("user-42")).unwrap();
    let left = block_on(store.list("user-42")).unwrap();
    assert_eq!(left.len(), 3);
    assert!(left.iter().any(|session| session.id() == newest.session.id()));
}

/// Before one that lives, though it is the oldest by far.
#[test]
fn what_has_ended_makes_way_however_much_of_it_there_is() {
    for when_full in [WhenFull::EndOldest, WhenFull::EndLeastRecent, WhenFull::Refuse] {
        let store = MemoryStore::new();
        let (before, clock) = sessions(&store, 10, WhenFull::EndOldest);
        let oldest = block_on(before.start("user-42")).unwrap();
        for secs in 0..6 {
            clock.set(LOGIN.saturating_add(TimeDelta::seconds(secs)));
            let sign_in = SignIn::of("user-42").until(LOGIN.saturating_add(TimeDelta::hours(1)));
            let _ = block_on(before.start(sign_in)).unwrap();
        }
        let (after, clock) = sessions(&store, 2, when_full);
        clock.advance(TimeDelta::hours(2));
        let newest = block_on(after.start("user-42")).unwrap();
        for live in [&oldest, &newest] {
            block_on(after.authenticate(live.token.expose())).unwrap();
        }
        assert_eq!(block_on(store.list("user-42")).unwrap().len(), 2, "{when_full:?}");
    }
}

#[test]
fn a_full_subject_is_refused_and_its_sessions_are_left_alone() {
    let (sessions, clock) = sessions(MemoryStore::new(), 2, WhenFull::Refuse);
    let started: Vec<_> = (0..2).map(|_| block_on(sessions.start("user-42")).unwrap()).collect();
    let error = block_on(sessions.start("user-42")).unwrap_err();
    assert_eq!(error.to_string(), "the subject has as many sessions as it may: 2");
    for started in &started {
        block_on(sessions.authenticate(started.token.expose())).unwrap();
    }
    assert!(block_on(sessions.start("user-43")).is_ok(), "another subject's are its own");

    block_on(sessions.end(&started[0].session.id())).unwrap();
    assert!(block_on(sessions.start("user-42")).is_ok(), "a logout makes room");

    clock.advance(SessionPolicy::WORKING_DAY.max_age());
    assert!(block_on(sessions.start("user-42")).is_ok(), "sessions past their end do not count");
}

#[test]
fn each_profile_counts_its_own_sessions_and_a_retired_one_counts_as_the_default() {
    let store = MemoryStore::new();
    let one = SessionLimit::new(NonZeroU32::MIN, WhenFull::Refuse);
    let policies = limited(2, WhenFull::Refuse)
        .with_profile("admin", SessionPolicy::WORKING_DAY)
        .and_then(|policies| policies.with_limit("admin", one))
        .and_then(|policies| policies.with_profile("free", SessionPolicy::WORKING_DAY))
        .unwrap();
    let sessions = Sessions::new(&store, policies).with_clock(ManualClock::new(LOGIN));
    let start =
        |profile| block_on(sessions.start(SignIn::of("user-42").profile(profile))).map(drop);
    start("admin").unwrap();
    let error = start("admin").unwrap_err();
    assert_eq!(error.to_string(), "the subject has as many sessions as it may: 1");
    for _ in 0..5 {
        start("free").unwrap();
    }
    start("default").unwrap();
    start("default").unwrap();
    assert!(start("default").is_err());

    let no_profiles =
        Sessions::new(&store, limited(9, WhenFull::Refuse)).with_clock(ManualClock::new(LOGIN));
    assert!(block_on(no_profiles.start("user-42")).is_ok(), "eight and this one");
    assert!(block_on(no_profiles.start("user-42")).is_err());
}

#[test]
fn the_observer_hears_of_every_session_that_a_sign_in_ends() {
    let ended = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&ended);
    let observer = move |event: &Event<'_>| {
        if event.kind == (EventKind::Ended { cause: "limit" }) {
            told.lock().unwrap().push(event.session);
        }
    };
    let (sessions, clock) = sessions(MemoryStore::new(), 2, WhenFull::EndOldest);
    let sessions = sessions.with_observer(observer);
    let start = |_| {
        clock.advance(TimeDelta::seconds(1));
        block_on(sessions.start("user-42")).unwrap().session.id()
    };
    let ids: Vec<_> = (0..4).map(start).collect();
    assert_eq!(*ended.lock().unwrap(), [Some(ids[0]), Some(ids[1])]);
}

#[cfg(feature = "jwt")]
#[test]
fn hybrid_sessions_are_limited_and_stateless_ones_refuse_a_limit() {
    use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};

    let key = || SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
    let ring = || KeyRing::new(key()).unwrap();
    let clock = ManualClock::new(LOGIN);
    for when_full in [WhenFull::EndLeastRecent, WhenFull::EndOldest, WhenFull::Refuse] {
        let hybrid = HybridSessions::new(MemoryStore::new(), ring(), limited(1, when_full))
            .unwrap()
            .with_clock(clock.clone());
        let first = block_on(hybrid.start("user-42")).unwrap();
        clock.advance(TimeDelta::seconds(1));
        let second = block_on(hybrid.start("user-42"));
        let first = block_on(hybrid.authenticate(first.token.expose()));
        match when_full {
            WhenFull::EndLeastRecent | WhenFull::EndOldest => {
                assert!(second.is_ok());
                assert!(matches!(first.unwrap_err(), AuthenticateError::Unknown));
            }
            WhenFull::Refuse => {
                let error = second.unwrap_err();
                assert!(matches!(error, StartError::TooMany { .. }), "{error}");
                assert!(first.is_ok());
            }
        }
    }

    let stateless = JwtSessions::new(ring(), limited(1, WhenFull::Refuse)).with_clock(clock);
    let error = block_on(stateless.start("user-42")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the limit on sessions of profile `default` cannot be enforced without a store",
    );
}

#[test]
fn a_sign_in_that_cannot_be_settled_is_taken_back() {
    for when_full in [WhenFull::EndOldest, WhenFull::Refuse] {
        let store = Stepped { listings: AtomicU32::new(1), ..Stepped::default() };
        let (sessions, _) = sessions(store, 2, when_full);
        let error = block_on(sessions.start("user-42")).unwrap_err();
        assert!(matches!(error, StartError::Store(StoreError::Unavailable(_))), "{error}");
        assert!(sessions.store().sessions.is_empty());
    }
}

#[test]
fn raced_sign_ins_that_end_the_oldest_converge_to_the_limit_in_every_interleaving() {
    for (racers, before, max_sessions) in [
        (2, &[][..], 1),
        (2, &[-30], 1),
        (2, &[30], 1),
        (2, &[-30, 30], 2),
        (2, &[-31, -30, 30], 2),
        (2, &[30, 31], 2),
        (3, &[], 2),
    ] {
        for clocks in [Clocks::One, Clocks::Behind] {
            let schedules = every_interleaving(|choose| {
                let when_full = WhenFull::EndOldest;
                let (signed_in, left) =
                    race(racers, clocks, before, max_sessions, when_full, choose);
                assert_eq!(left.len(), max_sessions as usize, "{racers} after {before:?}");
                assert!(!signed_in.is_empty(), "at least one is told that it is signed in");
            });
            println!("{racers} after {before:?}, limit {max_sessions}: {schedules} schedules");
        }
    }
}

#[test]
fn many_sign_ins_converge_to_the_limit() {
    // Schedules that are drawn: too many to go through, and within one second it
    // is chance which id is the greatest.
    let mut state = 0x9e37_79b9_u64;
    let mut choose = |runnable: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(state >> 33).unwrap() % runnable
    };
    for (racers, before, max_sessions) in [(3, &[-30][..], 1), (12, &[-30], 3), (12, &[], 1)] {
        for clocks in [Clocks::One, Clocks::Stopped] {
            for round in 0..300 {
                let when_full = WhenFull::EndOldest;
                let (signed_in, left) =
                    race(racers, clocks, before, max_sessions, when_full, &mut choose);
                assert_eq!(left.len(), max_sessions as usize, "round {round}");
                assert!(signed_in.is_superset(&left), "round {round}: what stays was handed out");
            }
        }
    }
}

#[test]
fn raced_sign_ins_that_are_refused_never_exceed_the_limit_in_any_interleaving() {
    for (before, max_sessions) in [(&[][..], 1), (&[-30], 2), (&[], 2)] {
        let mut by_winners = [0; 3];
        let schedules = every_interleaving(|choose| {
            let (signed_in, left) =
                race(2, Clocks::One, before, max_sessions, WhenFull::Refuse, choose);
            assert!(left.len() <= max_sessions as usize);
            let kept = before.len() + signed_in.len();
            assert_eq!(left.len(), kept, "nobody else's session is ended");
            by_winners[signed_in.len()] += 1;
        });
        println!(
            "2 after {before:?}, limit {max_sessions}: {schedules} by winners: {by_winners:?}"
        );
        assert!(by_winners[max_sessions as usize - before.len()] > schedules / 2);
    }
}

#[test]
fn sign_ins_of_many_threads_converge_to_the_limit() {
    for when_full in [WhenFull::EndOldest, WhenFull::Refuse] {
        for _ in 0..20 {
            let (sessions, _) = sessions(Arc::new(MemoryStore::new()), 3, when_full);
            thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| drop(block_on(sessions.start("user-42"))));
                }
            });
            let left = || block_on(sessions.list("user-42")).unwrap().len();
            if when_full == WhenFull::Refuse {
                // Perhaps all were refused that raced for the last place.
                assert!(left() <= 3);
                while left() < 3 {
                    let _ = block_on(sessions.start("user-42")).unwrap();
                }
            }
            assert_eq!(left(), 3);
        }
    }
}

#[test]
fn of_two_sign_ins_that_race_for_the_last_place_each_is_told_to_try_again() {
    let (store, now) = (Stepped::default(), Arc::new(AtomicI64::new(LOGIN.as_unix_secs())));
    let sessions =
        Sessions::new(&store, limited(1, WhenFull::Refuse)).with_clock(Ticking { now, tick: 1 });
    let mut sign_ins: [Starting<'_>; 2] =
        [(); 2].map(|()| Box::pin(sessions.start("user-42")) as _);
    let mut outcomes = [None, None];
    // A step each in turn, so that neither has looked when the other creates.
    while outcomes.iter().any(Option::is_none) {
        for (sign_in, outcome) in sign_ins.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let Poll::Ready(ready) =
                    sign_in.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                *outcome = Some(ready);
            }
        }
    }
    for outcome in outcomes.map(Option::unwrap) {
        let error = outcome.unwrap_err();
        assert!(matches!(error, StartError::Raced), "{error}");
    }
    assert!(store.sessions.is_empty());
    assert!(block_on(sessions.start("user-42")).is_ok(), "alone it comes in");
}

#[test]
fn a_full_subject_is_told_which_sessions_are_in_the_way() {
    let (sessions, clock) = sessions(MemoryStore::new(), 2, WhenFull::Refuse);
    let start = |_| {
        clock.advance(TimeDelta::seconds(1));
        block_on(sessions.start(SignIn::of("user-42").about("Firefox"))).unwrap().session
    };
    let started: Vec<_> = (0..2).map(start).collect();
    let error = block_on(sessions.start("user-42")).unwrap_err();
    let StartError::TooMany { max_sessions, sessions: in_the_way } = error else {
        panic!("{error}")
    };
    assert_eq!((max_sessions.get(), in_the_way), (2, started));
}

#[test]
fn the_session_that_was_renewed_the_longest_ago_makes_way() {
    let (sessions, clock) = sessions(MemoryStore::new(), 2, WhenFull::EndLeastRecent);
    let laptop = block_on(sessions.start("user-42")).unwrap();
    clock.advance(TimeDelta::hours(1));
    let tablet = block_on(sessions.start("user-42")).unwrap();
    clock.advance(TimeDelta::hours(1));
    block_on(sessions.authenticate(laptop.token.expose())).unwrap();
    let phone = block_on(sessions.start("user-42")).unwrap();
    assert!(block_on(sessions.authenticate(tablet.token.expose())).is_err());
    for started in [laptop, phone] {
        block_on(sessions.authenticate(started.token.expose())).unwrap();
    }
}

/// Every sign-in that is raced names the same ones.
#[test]
fn of_sessions_that_nothing_else_tells_apart_the_lowest_ids_make_way() {
    for when_full in [WhenFull::EndOldest, WhenFull::EndLeastRecent] {
        let (sessions, _) = sessions(MemoryStore::new(), 11, when_full);
        let lifetime = SessionPolicy::WORKING_DAY.start(LOGIN);
        for n in (0..20_u8).map(|n| n * 7 % 20) {
            let (id, secret) = (SessionId::from_bytes([n; 16]), SecretHash::of_secret(&[n; 32]));
            let session = Session::new(id, "user-42", "default", secret, lifetime).unwrap();
            block_on(sessions.store().create(&session)).unwrap();
        }
        let before = block_on(sessions.store().list("user-42")).unwrap();
        let started = block_on(sessions.start("user-42")).unwrap().session.id();
        let before: BTreeSet<_> = before.iter().map(Session::id).collect();
        let mut expected: BTreeSet<_> = before.into_iter().skip(10).collect();
        expected.insert(started);
        let left = block_on(sessions.store().list("user-42")).unwrap();
        assert_eq!(left.iter().map(Session::id).collect::<BTreeSet<_>>(), expected);
    }
}

#[test]
fn a_limit_is_read_from_configuration_and_written_back() {
    const FILE: &str = r#"
        [default]
        max_age = "8h"
        update_age = "15m"
        absolute_cap = "8h"
        max_sessions = 3
        when_full = "end_oldest"

        [profiles.admin]
        max_age = "1h"
        update_age = "1m"
        absolute_cap = "8h"
        max_sessions = 1
        when_full = "refuse"

        [profiles.family]
        max_age = "30d"
        update_age = "1d"
        absolute_cap = "45d"
        max_sessions = 5
        when_full = "end_least_recent"

        [profiles.kiosk]
        max_age = "1h"
        update_age = "1m"
        absolute_cap = "8h"
    "#;
    let policies: Policies = toml::from_str(FILE).unwrap();
    let limit = |max_sessions, when_full| {
        Some(SessionLimit::new(NonZeroU32::new(max_sessions).unwrap(), when_full))
    };
    assert_eq!(policies.limit("default").copied(), limit(3, WhenFull::EndOldest));
    assert_eq!(policies.limit("admin").copied(), limit(1, WhenFull::Refuse));
    assert_eq!(policies.limit("family").copied(), limit(5, WhenFull::EndLeastRecent));
    assert_eq!(policies.limit("kiosk"), None);
    assert_eq!(policies.limit("retired").copied(), limit(3, WhenFull::EndOldest));

    let written = toml::to_string(&policies).unwrap();
    assert_eq!(toml::from_str::<Policies>(&written).unwrap(), policies);
    let written = serde_json::to_string(&policies).unwrap();
    assert_eq!(serde_json::from_str::<Policies>(&written).unwrap(), policies);
}

#[test]
fn a_limit_that_is_not_one_is_refused_by_name() {
    const COUNT: &str = "expected a whole number from 1 to 4294967295";
    for (limit, message) in [
        (r#""max_sessions": 3"#, "max_sessions is without when_full"),
        (r#""when_full": "refuse""#, "when_full is without max_sessions"),
        (
            r#""max_sessions": 0, "when_full": "refuse""#,
            &format!("max_sessions: invalid value: integer `0`, {COUNT}"),
        ),
        (
            r#""max_sessions": -1, "when_full": "refuse""#,
            &format!("max_sessions: invalid value: integer `-1`, {COUNT}"),
        ),
        (
            r#""max_sessions": null, "when_full": "refuse""#,
            &format!("max_sessions: invalid type: null, {COUNT}"),
        ),
        (
            r#""max_sessions": 3, "when_full": "end_newest""#,
            "when_full: unknown variant `end_newest`, expected one of `end_least_recent`, \
             `end_oldest`, `refuse`",
        ),
        (r#""max_sesions": 3, "when_full": "refuse""#, "unknown field `max_sesions`"),
    ] {
        let file = format!(
            r#"{{"default": {{"max_age": "8h", "update_age": "1m", "absolute_cap": "8h", {limit}}}}}"#
        );
        let error = serde_json::from_str::<Policies>(&file).unwrap_err().to_string();
        let expected = format!("profile `default`: {message}");
        assert!(error.starts_with(&expected), "{limit}: {error}");
    }
}

#[test]
fn a_profile_is_limited_once_and_only_if_it_is_in_the_set() {
    let one = SessionLimit::new(NonZeroU32::MIN, WhenFull::Refuse);
    let twice = limited(2, WhenFull::Refuse).with_limit(Policies::DEFAULT, one).unwrap_err();
    assert_eq!(twice.to_string(), "profile `default` is limited twice");
    let unknown = limited(2, WhenFull::Refuse).with_limit("a\tb", one).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no profile `a\\tb` to limit");
}

#[test]
fn the_future_of_a_sign_in_can_be_spawned() {
    fn spawnable<F: Future + Send>(future: F) -> F {
        future
    }
    let (sessions, _) = sessions(MemoryStore::new(), 1, WhenFull::EndOldest);
    assert!(block_on(spawnable(sessions.start("user-42"))).is_ok());
}

/// A store whose every call may be interleaved with those of other tasks.
struct Stepped {
    sessions: MemoryStore,
    /// How many more times it lists before it fails.
    listings: AtomicU32,
}

impl Default for Stepped {
    fn default() -> Self {
        Self { sessions: MemoryStore::new(), listings: AtomicU32::new(u32::MAX) }
    }
}

impl SessionStore for Stepped {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        step().await;
        self.sessions.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        step().await;
        self.sessions.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        step().await;
        self.sessions.update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        step().await;
        self.sessions.remove(id).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        step().await;
        self.sessions.remove_expired(now, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        step().await;
        let fewer = |left: u32| left.checked_sub(1);
        match self.listings.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer) {
            Ok(_) => self.sessions.list(subject).await,
            Err(_) => Err(StoreError::unavailable("cut")),
        }
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        step().await;
        self.sessions.remove_all(subject, except).await
    }
}

/// Lets another task go first, once.
async fn step() {
    let mut stepped = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut stepped, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Runs `race` for every way of answering its questions "which of n goes?",
/// depth first; how many ways there are.
fn every_interleaving(mut race: impl FnMut(&mut dyn FnMut(usize) -> usize)) -> u32 {
    let mut path: Vec<(usize, usize)> = Vec::new();
    let mut ways = 0;
    loop {
        let mut depth = 0;
        race(&mut |runnable| {
            if depth == path.len() {
                path.push((0, runnable));
            }
            let (choice, alternatives) = path[depth];
            assert_eq!(alternatives, runnable, "a race must depend on its schedule alone");
            depth += 1;
            choice
        });
        ways += 1;
        while path.pop_if(|(choice, alternatives)| *choice + 1 == *alternatives).is_some() {}
        match path.last_mut() {
            Some((choice, _)) => *choice += 1,
            None => return ways,
        }
    }
}

type Starting<'a> = Pin<Box<dyn Future<Output = Result<Started, StartError>> + 'a>>;

/// The clocks of racing sign-ins.
#[derive(Clone, Copy, Debug)]
enum Clocks {
    /// One, which goes on by a second whenever it is read.
    One,
    /// One, which stands.
    Stopped,
    /// One each, each a second behind that of the sign-in before.
    Behind,
}

struct Ticking {
    now: Arc<AtomicI64>,
    tick: i64,
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_secs(self.now.fetch_add(self.tick, Ordering::Relaxed))
    }
}

/// `racers` sign-ins of one subject, which go in the order of `choose`: the
/// sessions that were handed out and those that are stored. `before`, the subject
/// has a session of each of these seconds.
fn race(
    racers: usize,
    clocks: Clocks,
    before: &[i64],
    max_sessions: u32,
    when_full: WhenFull,
    choose: &mut dyn FnMut(usize) -> usize,
) -> (BTreeSet<SessionId>, BTreeSet<SessionId>) {
    let store = Stepped::default();
    for &offset in before {
        let now = LOGIN.saturating_add(TimeDelta::seconds(offset));
        let unlimited =
            Sessions::new(&store, SessionPolicy::WORKING_DAY).with_clock(ManualClock::new(now));
        assert!(block_on(unlimited.start("user-42")).is_ok(), "by a clock at {offset}");
    }
    let seconds: Vec<_> = (0..)
        .take(racers)
        .map(|racer| Arc::new(AtomicI64::new(LOGIN.as_unix_secs() - racer)))
        .collect();
    let racing: Vec<_> = seconds
        .iter()
        .map(|own| match clocks {
            Clocks::One => Ticking { now: Arc::clone(&seconds[0]), tick: 1 },
            Clocks::Stopped => Ticking { now: Arc::clone(&seconds[0]), tick: 0 },
            Clocks::Behind => Ticking { now: Arc::clone(own), tick: 0 },
        })
        .map(|clock| Sessions::new(&store, limited(max_sessions, when_full)).with_clock(clock))
        .collect();
    let mut tasks: Vec<Option<Starting<'_>>> =
        racing.iter().map(|sessions| Some(Box::pin(sessions.start("user-42")) as _)).collect();
    let mut handed_out = BTreeSet::new();
    loop {
        let runnable: Vec<_> = (0..racers).filter(|&racer| tasks[racer].is_some()).collect();
        let next = match *runnable {
            [] => break,
            [only] => only,
            _ => runnable[choose(runnable.len())],
        };
        let Some(task) = &mut tasks[next] else { continue };
        if let Poll::Ready(started) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            tasks[next] = None;
            match started {
                Ok(started) => _ = handed_out.insert(started.session.id()),
                Err(StartError::Displaced | StartError::Raced | StartError::TooMany { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    let left = block_on(store.sessions.list("user-42")).unwrap();
    (handed_out, left.iter().map(Session::id).collect())
}
