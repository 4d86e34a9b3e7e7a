//! What holds for a subject right now only tightens (law 13), and another epoch revokes
//! whatever clocks say (law 14), in all three strategies.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use pollster::block_on;
use proptest::prelude::*;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::{SessionStore, StoreError};
use session_policy::{
    AuthenticateError, Authenticated, Bound, Bounds, ManualClock, MemoryStore, NoClaims, Policies,
    RotateError, SessionLimit, SessionPolicy, Sessions, SignIn, StartError, Started, Timestamp,
    WhenFull,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

fn secs(secs: i64) -> TimeDelta {
    TimeDelta::seconds(secs)
}

/// Half an hour idle, renewed every 5 minutes, 8 hours in all; clocks agree.
fn policy() -> SessionPolicy {
    let policy = SessionPolicy::new(secs(1_800), secs(300), secs(28_800)).unwrap();
    policy.with_clock_skew(secs(0)).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
}

/// The users' rows: `None` is a user who is deleted or disabled.
#[derive(Clone, Default)]
struct Users {
    rows: Arc<Mutex<HashMap<String, Option<Bound>>>>,
    asked: Arc<AtomicUsize>,
    down: Arc<Mutex<bool>>,
}

impl Users {
    fn set(&self, subject: &str, bound: impl Into<Option<Bound>>) {
        self.rows.lock().unwrap().insert(subject.into(), bound.into());
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

impl Bounds for Users {
    async fn bound(&self, subject: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if *self.down.lock().unwrap() {
            return Err(StoreError::unavailable("timeout"));
        }
        Ok(self.rows.lock().unwrap().get(subject).copied().unwrap_or(Some(Bound::default())))
    }
}

fn epoch(epoch: u64) -> Bound {
    Bound::default().with_epoch(epoch)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Hybrid,
    Opaque,
    Stateless,
}

const KINDS: [Kind; 3] = [Kind::Hybrid, Kind::Opaque, Kind::Stateless];

/// One server.
enum Node {
    Hybrid(HybridSessions<Arc<MemoryStore>>),
    Opaque(Sessions<Arc<MemoryStore>>),
    Stateless(JwtSessions),
}

macro_rules! of_any {
    ($node:expr, $sessions:ident => $call:expr) => {
        match $node {
            Node::Hybrid($sessions) => $call,
            Node::Opaque($sessions) => $call,
            Node::Stateless($sessions) => $call,
        }
    };
}

type Served = Result<Authenticated, AuthenticateError>;

impl Node {
    /// Unbounded.
    fn new(kind: Kind, store: &Arc<MemoryStore>, now: i64) -> Self {
        Self::of(kind, store, policy(), now)
    }

    fn of(kind: Kind, store: &Arc<MemoryStore>, policies: impl Into<Policies>, now: i64) -> Self {
        let (store, clock) = (Arc::clone(store), ManualClock::new(at(now)));
        match kind {
            Kind::Hybrid => {
                let sessions = HybridSessions::new(store, ring(), policies).unwrap();
                Self::Hybrid(sessions.with_clock(clock))
            }
            Kind::Opaque => Self::Opaque(Sessions::new(store, policies).with_clock(clock)),
            Kind::Stateless => {
                Self::Stateless(JwtSessions::new(ring(), policies).with_clock(clock))
            }
        }
    }

    fn bounded(self, bounds: impl Bounds + 'static) -> Self {
        match self {
            Self::Hybrid(sessions) => Self::Hybrid(sessions.with_bounds(bounds)),
            Self::Opaque(sessions) => Self::Opaque(sessions.with_bounds(bounds)),
            Self::Stateless(sessions) => Self::Stateless(sessions.with_bounds(bounds)),
        }
    }

    fn start(&self, sign_in: SignIn) -> Result<Started, StartError> {
        of_any!(self, sessions => block_on(sessions.start(sign_in)))
    }

    fn authenticate(&self, token: &str) -> Served {
        of_any!(self, sessions => block_on(sessions.authenticate(token)))
    }

    fn peek(&self, token: &str) -> Served {
        of_any!(self, sessions => block_on(sessions.peek(token)))
    }
}

fn is_revoked(served: &Served) -> bool {
    matches!(served, Err(AuthenticateError::Revoked))
}

#[test]
fn another_epoch_revokes_at_once_by_whatever_clock() {
    for kind in KINDS {
        let (store, users) = (Arc::default(), Users::default());
        users.set("ada", epoch(1));
        let node = |now| Node::new(kind, &store, now).bounded(users.clone());
        let started = node(0).start(SignIn::of("ada").epoch(1)).unwrap();
        let token = started.token.expose();
        assert!(node(10).authenticate(token).is_ok(), "{kind:?}");
        users.set("ada", epoch(2));
        for now in [0, 9, 10, 11, 300, 1_799] {
            assert!(is_revoked(&node(now).authenticate(token)), "{kind:?} {now}");
            assert!(is_revoked(&node(now).peek(token)), "{kind:?} {now}");
        }
        // It was refused, and not written: the restored backup of an epoch serves it.
        users.set("ada", epoch(1));
        assert!(node(20).peek(token).is_ok(), "an epoch is never used twice: {kind:?}");
    }
}

/// A sign-in that verified the old password while it changed.
#[test]
fn a_sign_in_under_the_former_epoch_starts_nothing() {
    for kind in KINDS {
        let (store, users) = (Arc::default(), Users::default());
        users.set("ada", epoch(1));
        let node = Node::new(kind, &store, 0).bounded(users.clone());
        // The epoch is read together with the hash.
        let sign_in = SignIn::of("ada").epoch(1);
        users.set("ada", epoch(2));
        assert!(matches!(node.start(sign_in), Err(StartError::Revoked)), "{kind:?}");
        // Without one a thief would get today's.
        assert!(matches!(node.start(SignIn::of("ada")), Err(StartError::EpochMissing)));
        assert!(store.is_empty());
        assert!(node.start(SignIn::of("ada").epoch(2)).is_ok());
        // Where the subject has none, a sign-in may carry one.
        assert!(node.start(SignIn::of("bob").epoch(5)).is_ok());
        assert!(node.start(SignIn::of("bob")).is_ok());
    }
}

#[test]
fn a_deleted_user_has_no_session() {
    for kind in KINDS {
        let (store, users) = (Arc::default(), Users::default());
        let node = Node::new(kind, &store, 0).bounded(users.clone());
        let started = node.start(SignIn::of("ada")).unwrap();
        users.set("ada", None);
        assert!(is_revoked(&node.authenticate(started.token.expose())), "{kind:?}");
        assert!(is_revoked(&node.peek(started.token.expose())), "{kind:?}");
        assert!(matches!(node.start(SignIn::of("ada")), Err(StartError::Revoked)));
    }
}

/// The session that changes the password goes on; all others end.
#[test]
fn the_session_that_changes_the_password_is_replaced() {
    let (store, users) = (Arc::default(), Users::default());
    users.set("ada", epoch(1));
    let Node::Opaque(sessions) = Node::new(Kind::Opaque, &store, 0).bounded(users.clone()) else {
        unreachable!()
    };
    let sign_in = || SignIn::of("ada").epoch(1);
    let (own, other) = (
        block_on(sessions.start(sign_in())).unwrap(),
        block_on(sessions.start(sign_in())).unwrap(),
    );
    users.set("ada", epoch(2));
    let next = SignIn::of("ada").epoch(2).replacing(&own.session);
    let next = block_on(sessions.start(next)).unwrap();
    assert!(block_on(sessions.authenticate(next.token.expose())).is_ok());
    for old in [&own, &other] {
        assert!(block_on(sessions.authenticate(old.token.expose())).is_err());
    }
    // What is revoked is not among the devices, and can be ended as before.
    assert_eq!(block_on(sessions.list("ada")).unwrap(), std::slice::from_ref(&next.session));
    assert!(block_on(sessions.end(&other.session.id())).unwrap());
}

#[test]
fn a_revoked_session_is_not_rotated() {
    let (store, users) = (Arc::default(), Users::default());
    users.set("ada", epoch(1));
    let opaque = Node::new(Kind::Opaque, &store, 0).bounded(users.clone());
    let hybrid = Node::new(Kind::Hybrid, &store, 0).bounded(users.clone());
    let (one, other) = (
        opaque.start(SignIn::of("ada").epoch(1)).unwrap().session,
        hybrid.start(SignIn::of("ada").epoch(1)).unwrap().session,
    );
    users.set("ada", epoch(2));
    let (Node::Opaque(opaque), Node::Hybrid(hybrid)) = (opaque, hybrid) else { unreachable!() };
    assert!(matches!(block_on(opaque.rotate(&one)), Err(RotateError::Revoked)));
    assert!(matches!(block_on(hybrid.rotate(&other, NoClaims {})), Err(RotateError::Revoked)));
    for session in [one, other] {
        assert_eq!(block_on(store.load(&session.id())).unwrap(), Some(session));
    }
}

#[test]
fn what_is_revoked_makes_way_under_a_limit_and_is_swept() {
    for when_full in [WhenFull::EndLeastRecent, WhenFull::EndOldest, WhenFull::Refuse] {
        let users = Users::default();
        users.set("ada", epoch(1));
        let limit = SessionLimit::new(NonZeroU32::new(2).unwrap(), when_full);
        let policies = Policies::new(policy()).with_limit(Policies::DEFAULT, limit).unwrap();
        let clock = ManualClock::new(at(0));
        let sessions = Sessions::new(MemoryStore::new(), policies)
            .with_clock(clock.clone())
            .with_retention(secs(60))
            .with_bounds(users.clone());
        for _ in 0..2 {
            let _ = block_on(sessions.start(SignIn::of("ada").epoch(1))).unwrap();
        }
        users.set("ada", epoch(2));
        let started = block_on(sessions.start(SignIn::of("ada").epoch(2))).unwrap();
        assert!(block_on(sessions.authenticate(started.token.expose())).is_ok());
        assert_eq!(sessions.store().len(), 2);
        // A sweep by today's policy and bound removes the rest, once unused for as long.
        clock.set(at(59));
        assert_eq!(block_on(sessions.sweep_by_policy(10)).unwrap(), 0, "{when_full:?}");
        clock.set(at(60));
        assert_eq!(block_on(sessions.sweep_by_policy(1)).unwrap(), 1, "{when_full:?}");
        assert_eq!(block_on(sessions.list("ada")).unwrap(), [started.session]);
    }
}

/// By a server whose cache still has the former epoch.
#[test]
fn a_sweep_by_a_stale_bound_ends_no_new_session() {
    let store = Arc::default();
    let (users, stale) = (Users::default(), Users::default());
    users.set("ada", epoch(2));
    stale.set("ada", epoch(1));
    let Node::Opaque(sweeper) = Node::new(Kind::Opaque, &store, 0).bounded(stale) else {
        unreachable!()
    };
    let node = Node::new(Kind::Opaque, &store, 0).bounded(users);
    let started = node.start(SignIn::of("ada").epoch(2)).unwrap();
    assert_eq!(block_on(sweeper.sweep_by_policy(1)).unwrap(), 0);
    assert!(node.authenticate(started.token.expose()).is_ok());
}

/// Subject and profile: `remember` is revoked for ada, and bob altogether.
#[test]
fn each_profile_of_each_subject_is_judged_by_its_own_bound() {
    struct Each(Arc<AtomicUsize>);

    impl Bounds for Each {
        async fn bound(&self, subject: &str, profile: &str) -> Result<Option<Bound>, StoreError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok((subject == "eve" || (subject, profile) == ("ada", "default")).then(Bound::default))
        }
    }

    for batch in [1, 4, 100] {
        let (store, asked) = (Arc::<MemoryStore>::default(), Arc::default());
        let policies = Policies::new(policy()).with_profile("remember", policy()).unwrap();
        let sessions = Sessions::new(Arc::clone(&store), policies)
            .with_clock(ManualClock::new(at(0)))
            .with_retention(secs(0));
        let mut ends = Vec::new();
        for n in 0..24 {
            let (subject, profile) =
                (["ada", "bob", "eve"][n % 3], ["default", "remember"][n / 3 % 2]);
            let started = sessions.start(SignIn::of(subject).profile(profile));
            let session = block_on(started).unwrap().session;
            if subject == "bob" || (subject, profile) == ("ada", "remember") {
                ends.push(session.id());
            }
        }
        let sessions = sessions.with_bounds(Each(Arc::clone(&asked)));
        for (subject, listed, profiles) in [("ada", 4, 2), ("bob", 0, 2), ("eve", 8, 2)] {
            assert_eq!(block_on(sessions.list(subject)).unwrap().len(), listed, "{subject}");
            assert_eq!(asked.swap(0, Ordering::SeqCst), profiles, "{subject}: once a profile");
        }
        assert_eq!(block_on(sessions.sweep_by_policy(batch)).unwrap(), 12, "{batch}");
        assert!(ends.iter().all(|id| block_on(store.load(id)).unwrap().is_none()), "{batch}");
        assert_eq!(store.len(), 12);
        asked.store(0, Ordering::SeqCst);
        // Of one subject and profile, a page asks once.
        block_on(sessions.end_all("eve")).unwrap();
        assert_eq!(store.len(), 4);
        assert_eq!(block_on(sessions.sweep_by_policy(100)).unwrap(), 0);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{batch}");
    }
}

#[test]
fn an_error_of_the_bound_lets_nobody_in_and_ends_nothing() {
    for kind in KINDS {
        let (store, users) = (Arc::default(), Users::default());
        let node = Node::new(kind, &store, 400).bounded(users.clone());
        let started = Node::new(kind, &store, 0).start(SignIn::of("ada")).unwrap();
        let token = started.token.expose();
        *users.down.lock().unwrap() = true;
        for served in [node.authenticate(token), node.peek(token)] {
            assert!(matches!(served, Err(AuthenticateError::Store(StoreError::Unavailable(_)))));
        }
        assert!(matches!(node.start(SignIn::of("ada")), Err(StartError::Store(_))));
        *users.down.lock().unwrap() = false;
        assert!(node.authenticate(token).is_ok(), "{kind:?}");
    }
}

#[test]
fn one_request_sees_one_bound() {
    for kind in KINDS {
        let (store, users) = (Arc::default(), Users::default());
        let node = |now| Node::new(kind, &store, now).bounded(users.clone());
        let started = node(0).start(SignIn::of("ada")).unwrap();
        assert_eq!(users.asked(), 1, "{kind:?}: a sign-in");
        for (now, what) in [(1, "kept"), (300, "renewed")] {
            node(now).authenticate(started.token.expose()).unwrap();
            assert_eq!(users.asked(), 1, "{kind:?}: {what}");
        }
        node(301).peek(started.token.expose()).unwrap();
        assert_eq!(users.asked(), 1, "{kind:?}: a peek");
        // Of what opens nothing, nothing is asked.
        assert!(node(301).authenticate("a.b").is_err());
        assert_eq!(users.asked(), 0, "{kind:?}: junk");
        assert!(node(2_100).authenticate(started.token.expose()).is_err());
        assert_eq!(users.asked(), 0, "{kind:?}: over by the profile's policy");
    }
}

/// A tenant's policy, as it holds from now on.
#[test]
fn a_tighter_policy_holds_for_sessions_that_are_there() {
    for kind in KINDS {
        let (store, users) = (Arc::default(), Users::default());
        let node = |now| Node::new(kind, &store, now).bounded(users.clone());
        let started = node(0).start(SignIn::of("ada")).unwrap();
        let token = started.token.expose();
        let tighter = SessionPolicy::new(secs(600), secs(300), secs(3_600)).unwrap();
        users.set("ada", Some(Bound::default().with_policy(tighter)));
        let served = node(599).authenticate(token).unwrap();
        assert_eq!(served.status.absolute_expires_at, at(3_600), "{kind:?}");
        assert_eq!(served.status.idle_expires_at, at(1_199), "{kind:?}");
        assert!(node(600).authenticate("junk").is_err());
        let renewed = served.token.as_ref().map_or(token, |token| token.expose());
        assert!(node(1_198).peek(renewed).is_ok(), "{kind:?}");
        assert!(node(1_199).peek(renewed).is_err(), "{kind:?}");
        // A new one is stamped with it.
        let started = node(1_200).start(SignIn::of("ada")).unwrap();
        assert_eq!(started.session.lifetime().absolute_expires_at(), at(4_800));
    }
}

/// The skew is about servers, not about a subject: an honest request to a server that is
/// behind would be taken for a session of the future, or for reuse.
#[test]
fn a_bound_does_not_tighten_the_skew() {
    let wide = policy().with_clock_skew(secs(200)).unwrap();
    let users = Users::default();
    users.set("ada", Bound::default().with_policy(policy()));
    for kind in KINDS {
        let store = Arc::default();
        let node = |now| Node::of(kind, &store, wide, now).bounded(users.clone());
        let started = node(200).start(SignIn::of("ada")).unwrap();
        assert!(node(0).authenticate(started.token.expose()).is_ok(), "{kind:?}");
    }
}

/// Since when it is kept, and what it is.
type Kept = (i64, Option<Bound>);

/// A cache before the users' rows: an answer is kept for so long.
#[derive(Clone)]
struct Cache {
    users: Users,
    age: i64,
    clock: Arc<Mutex<i64>>,
    kept: Arc<Mutex<HashMap<String, Kept>>>,
}

impl Bounds for Cache {
    async fn bound(&self, subject: &str, profile: &str) -> Result<Option<Bound>, StoreError> {
        let now = *self.clock.lock().unwrap();
        let kept = self.kept.lock().unwrap().get(subject).copied();
        match kept {
            Some((since, bound)) if now < since + self.age => Ok(bound),
            _ => {
                let bound = self.users.bound(subject, profile).await?;
                self.kept.lock().unwrap().insert(subject.into(), (now, bound));
                Ok(bound)
            }
        }
    }
}

fn any_policy() -> impl Strategy<Value = SessionPolicy> {
    (1..60_i64, 0..60_i64, 0..90_i64).prop_map(|(max_age, update_age, more)| {
        let policy =
            SessionPolicy::new(secs(max_age), secs(update_age % max_age), secs(max_age + more));
        policy.unwrap().with_clock_skew(secs(0)).unwrap()
    })
}

/// One of the events of a session's life, some seconds after the one before.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// By a server whose clock differs by so much.
    Request {
        ahead: i64,
    },
    Change,
    SignIn {
        ahead: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let ahead = -100..100_i64;
    let step = prop_oneof![
        4 => ahead.clone().prop_map(|ahead| Step::Request { ahead }),
        1 => Just(Step::Change),
        1 => ahead.prop_map(|ahead| Step::SignIn { ahead }),
    ];
    prop::collection::vec((0..40_i64, step), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// 13. Whoever is refused without the bound is refused with it, and a renewal under
    /// it writes no later end.
    #[test]
    fn a_bound_only_tightens(
        profile in any_policy(),
        bound in any_policy(),
        started in 0..30_i64,
        asked in 0..160_i64,
    ) {
        for kind in [Kind::Opaque, Kind::Stateless] {
            let (free, bounded) = (Arc::default(), Arc::default());
            let users = Users::default();
            let token = |store| {
                let node = Node::of(kind, store, profile, started);
                let started = node.start(SignIn::of("ada")).unwrap();
                started.token.expose().to_owned()
            };
            let (one, other) = (token(&free), token(&bounded));
            users.set("ada", Some(Bound::default().with_policy(bound)));
            let without = Node::of(kind, &free, profile, asked).authenticate(&one);
            let with = Node::of(kind, &bounded, profile, asked)
                .bounded(users)
                .authenticate(&other);
            match (without, with) {
                (Err(_), with) => prop_assert!(with.is_err()),
                (Ok(_), Err(_)) => {}
                (Ok(without), Ok(with)) => {
                    // A shorter update age may renew more often, and no further.
                    let end = |it: &Authenticated| it.session.lifetime().expires_at();
                    let renewed = at(asked).saturating_add(profile.max_age());
                    let widest = renewed.min(without.session.lifetime().absolute_expires_at());
                    prop_assert!(end(&with) <= end(&without).max(widest));
                    let widest = without.status.idle_expires_at.max(widest);
                    prop_assert!(with.status.idle_expires_at <= widest);
                    prop_assert!(
                        with.status.absolute_expires_at <= without.status.absolute_expires_at
                    );
                }
            }
        }
    }

    /// 14. By a server whose bounds answer today's epoch, none of another is served,
    /// renewed or re-issued; a cache delays that by its age.
    #[test]
    fn another_epoch_is_never_served(steps in steps(), age in 0..50_i64) {
        for kind in KINDS {
            let (store, users) = (Arc::default(), Users::default());
            let time = Arc::new(Mutex::new(0));
            let cache = Cache {
                users: users.clone(),
                age,
                clock: Arc::clone(&time),
                kept: Arc::default(),
            };
            let (mut now, mut current, mut changed_at) = (0, 1, 0);
            users.set("ada", epoch(current));
            let node = |now, ahead| Node::new(kind, &store, now + ahead).bounded(cache.clone());
            // Every token that there ever was, and under which epoch it was started.
            let mut tokens: Vec<(u64, String)> = Vec::new();
            for (pause, step) in &steps {
                now += pause;
                *time.lock().unwrap() = now;
                match *step {
                    Step::Change => {
                        current += 1;
                        changed_at = now;
                        users.set("ada", epoch(current));
                    }
                    Step::SignIn { ahead } => {
                        let sign_in = SignIn::of("ada").epoch(current);
                        if let Ok(started) = node(now, ahead).start(sign_in) {
                            tokens.push((current, started.token.expose().to_owned()));
                        }
                    }
                    Step::Request { ahead } => {
                        let mut issued = Vec::new();
                        for (of, token) in &tokens {
                            if let Ok(served) = node(now, ahead).authenticate(token) {
                                prop_assert_eq!(served.session.epoch(), Some(*of));
                                let delayed = now < changed_at + age;
                                prop_assert!(*of == current || delayed, "{:?}", kind);
                                let anew = served.token.map(|it| it.expose().to_owned());
                                issued.extend(anew.map(|token| (*of, token)));
                            }
                        }
                        tokens.extend(issued);
                    }
                }
            }
        }
    }
}
