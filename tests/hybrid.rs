//! Hybrid sessions: the table to the second, failures of the store, and what ends a
//! session.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use jsonwebtoken::dangerous::insecure_decode_claims;
use pollster::block_on;
use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey, VerifyingKey};
use session_policy::store::{Removed, SecretHash, SessionParts, SessionStore, StoreError, Update};
use session_policy::{
    AuthenticateError, Event, EventKind, ManualClock, MemoryStore, NoClaims, Policies,
    RejectReason, RenewalOutcome, RotateError, Session, SessionId, SessionPolicy, SessionToken,
    Sessions, Started, Timestamp,
};

const NINE: i64 = 1_800_003_600;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_secs(NINE + offset)
}

fn secs(secs: i64) -> TimeDelta {
    TimeDelta::seconds(secs)
}

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
}

/// 30 min idle, renewed every 5 min, 8 h in all, with a grace of 30 s.
fn policy() -> SessionPolicy {
    let policy = SessionPolicy::new(secs(1_800), secs(300), secs(28_800)).unwrap();
    policy.with_clock_skew(secs(0)).unwrap()
}

/// A store that can refuse to update, to load or to remove, and whose `remove` can come after a
/// logout, and `update` after two rotations.
#[derive(Default)]
struct Flaky {
    held: MemoryStore,
    ended_before_remove: AtomicBool,
    rotated_before_update: AtomicBool,
    update_fails: AtomicBool,
    load_fails: AtomicBool,
    remove_fails: AtomicBool,
}

impl SessionStore for Flaky {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.held.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        if self.load_fails.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("timeout"));
        }
        self.held.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        if self.update_fails.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("read-only replica"));
        }
        if self.rotated_before_update.swap(false, Ordering::SeqCst) {
            let row = self.held.load(&update.id()).await?.unwrap();
            let rotated = Update::new(&row, update.at(), row.lifetime());
            let rotated = match row.generation() {
                0 => rotated.with_secret(SecretHash::from_bytes([9; 32])),
                of => rotated.with_generation(of + 2, Some(update.at())),
            };
            assert!(self.held.update(&rotated).await?);
        }
        self.held.update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        if self.remove_fails.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("read-only replica"));
        }
        if self.ended_before_remove.swap(false, Ordering::SeqCst) {
            self.held.remove(id).await?;
        }
        self.held.remove(id).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        self.held.remove_expired(now, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.held.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.held.remove_all(subject, except).await
    }
}

struct Service {
    sessions: HybridSessions<Arc<Flaky>>,
    clock: ManualClock,
    id: SessionId,
    /// By generation, from 1.
    tokens: Vec<String>,
}

impl Service {
    fn new() -> Self {
        let clock = ManualClock::new(at(0));
        let sessions = HybridSessions::new(Arc::new(Flaky::default()), ring(), policy()).unwrap();
        let sessions = sessions.with_clock(clock.clone());
        let started = block_on(sessions.start("ada")).unwrap();
        let tokens = vec![started.token.expose().to_owned()];
        Self { sessions, clock, id: started.session.id(), tokens }
    }

    /// Presents a generation: "nothing", the generation of the answer, or why
    /// not.
    fn present(&mut self, now: i64, generation: usize) -> String {
        self.clock.set(at(now));
        match block_on(self.sessions.authenticate(&self.tokens[generation - 1])) {
            Ok(served) => match served.token {
                Some(token) => {
                    let answer = usize::try_from(served.session.generation()).unwrap();
                    self.tokens.truncate(answer - 1);
                    self.tokens.push(token.expose().to_owned());
                    format!("token {answer}")
                }
                None => "nothing".into(),
            },
            Err(error) => error.as_str().into(),
        }
    }

    fn row(&self) -> Option<Session> {
        block_on(self.sessions.store().held.load(&self.id)).unwrap()
    }
}

#[test]
fn a_sweep_by_policy_removes_what_todays_policy_ended() {
    let (store, clock) = (Arc::new(MemoryStore::new()), ManualClock::new(at(0)));
    let sessions = |policy: SessionPolicy| {
        let sessions = HybridSessions::new(Arc::clone(&store), ring(), policy).unwrap();
        sessions.with_clock(clock.clone()).with_retention(secs(0))
    };
    for _ in 0..3 {
        drop(block_on(sessions(SessionPolicy::SLIDING_MONTH).start("ada")).unwrap());
    }
    for (now, swept) in [(1_799, 0), (1_800, 3), (1_801, 0)] {
        clock.set(at(now));
        assert_eq!(block_on(sessions(policy()).sweep_by_policy(2)).unwrap(), swept, "at {now}");
    }
    assert!(store.is_empty());
}

#[test]
fn a_day_of_rotations_is_decided_to_the_second() {
    let mut service = Service::new();
    // Each in turn: when, the generation presented, the answer, and then the
    // row's generation, `confirmed_at` and `renewed_at`.
    for (now, presented, answer, generation, confirmed_at, renewed_at) in [
        (0, 1, "nothing", 1, Some(0), 0),
        (299, 1, "nothing", 1, Some(0), 0),
        (300, 1, "token 2", 2, None, 300),
        // The answer was lost: the same generation again, however late.
        (301, 1, "token 2", 2, None, 300),
        (599, 1, "token 2", 2, None, 300),
        (600, 1, "token 2", 2, None, 600), // and extended
        // It arrives.
        (700, 2, "nothing", 2, Some(700), 600),
        // Requests that were under way with the first token.
        (700, 1, "nothing", 2, Some(700), 600),
        (729, 1, "nothing", 2, Some(700), 600),
        (900, 2, "token 3", 3, None, 900),
        // Confirmed when the next renewal is due: extended, not yet issued anew.
        (1_200, 3, "nothing", 3, Some(1_200), 1_200),
        (1_229, 2, "nothing", 3, Some(1_200), 1_200),
        (1_500, 3, "token 4", 4, None, 1_500),
        (1_795, 4, "nothing", 4, Some(1_795), 1_500),
        (1_800, 3, "nothing", 4, Some(1_795), 1_800), // extended within the grace
        (1_824, 3, "nothing", 4, Some(1_795), 1_800),
        (2_100, 4, "token 5", 5, None, 2_100),
    ] {
        assert_eq!(service.present(now, presented), answer, "{presented} at {now}");
        let row = service.row().unwrap();
        let expected = (generation, confirmed_at.map(at), at(renewed_at));
        let found = (row.generation(), row.confirmed_at(), row.lifetime().renewed_at());
        assert_eq!(found, expected, "{presented} at {now}");
        assert_eq!(row.lifetime().absolute_expires_at(), at(28_800));
    }
}

#[test]
fn a_superseded_token_ends_the_session_from_the_second_its_grace_is_over() {
    for (now, expected) in [(729, "nothing"), (730, "reused")] {
        let mut service = Service::new();
        assert_eq!(service.present(600, 1), "token 2");
        assert_eq!(service.present(700, 2), "nothing");
        assert_eq!(service.present(now, 1), expected, "{now}");
        assert_eq!(service.row().is_none(), expected == "reused");
        if expected == "reused" {
            assert_eq!(service.present(now, 2), "unknown");
        }
    }
}

#[test]
fn to_peek_neither_extends_nor_confirms_nor_ends_a_reused_session() {
    let mut service = Service::new();
    let first = service.tokens[0].clone();
    assert_eq!(service.present(300, 1), "token 2");
    let before = service.row();
    service.clock.set(at(900));
    for token in [&first, &service.tokens[1]] {
        let peeked = block_on(service.sessions.peek(token)).unwrap();
        assert!(peeked.token.is_none());
        assert_eq!(peeked.status.idle_expires_at, at(2_100));
    }
    assert_eq!(service.row(), before);
    assert_eq!(service.present(900, 2), "nothing");
    service.clock.set(at(930));
    let row = service.row();
    assert!(matches!(block_on(service.sessions.peek(&first)), Err(AuthenticateError::Reused)));
    assert_eq!(service.row(), row);
    assert_eq!(service.present(930, 1), "reused");
    assert_eq!(service.row(), None);
}

#[test]
fn a_token_names_the_session_to_the_cap_and_the_row_decides() {
    // F16: nothing is lost with an answer that says nothing.
    let mut service = Service::new();
    assert_eq!(service.present(600, 1), "token 2"); // good until 2 400
    assert_eq!(service.present(895, 2), "nothing");
    assert_eq!(service.present(900, 1), "nothing"); // extends the row to 2 700
    assert_eq!(service.row().unwrap().lifetime().expires_at(), at(2_700));
    for now in [2_399, 2_400, 2_699] {
        service.clock.set(at(now));
        assert!(block_on(service.sessions.peek(&service.tokens[1])).is_ok());
    }
    service.clock.set(at(2_700));
    let error = block_on(service.sessions.peek(&service.tokens[1])).unwrap_err();
    assert!(matches!(error, AuthenticateError::Rejected { reason: RejectReason::Idle, .. }));
}

/// Whoever rotates may have a clock that is behind.
#[test]
fn a_token_expires_at_the_cap_and_was_never_issued_before_the_sign_in() {
    let clock = ManualClock::new(at(0));
    let policy = policy().with_clock_skew(secs(10)).unwrap();
    let sessions = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap();
    let sessions = sessions.with_clock(clock.clone());
    let started = block_on(sessions.start("ada")).unwrap();
    clock.set(at(-10));
    let rotated = block_on(sessions.rotate(&started.session, NoClaims {})).unwrap();
    let claims: serde_json::Value = insecure_decode_claims(rotated.token.expose()).unwrap();
    assert_eq!([&claims["iat"], &claims["exp"]], [NINE, NINE + 28_800]);
}

/// Where the cap outlives cookies, the current token is sent again at a renewal; one
/// that was superseded gets none, since a thief may hold it.
#[test]
fn under_a_cap_of_more_than_400_days_only_the_current_token_is_sent_again() {
    let policy = SessionPolicy::new(secs(86_400), secs(300), secs(500 * 86_400)).unwrap();
    let policy = policy.with_clock_skew(secs(0)).unwrap();
    let mut service = Service::new();
    let store = Arc::clone(service.sessions.store());
    service.sessions =
        HybridSessions::new(store, ring(), policy).unwrap().with_clock(service.clock.clone());
    service.clock.set(at(0));
    let started = block_on(service.sessions.start("ada")).unwrap();
    service.tokens = vec![started.token.expose().to_owned()];
    assert_eq!(service.present(300, 1), "token 2");
    assert_eq!(service.present(590, 2), "nothing"); // confirmed
    let superseded = service.tokens[0].clone();
    service.clock.set(at(600));
    let served = block_on(service.sessions.authenticate(&superseded)).unwrap();
    assert!(matches!(served.renewal, RenewalOutcome::Renewed));
    assert!(served.token.is_none());
    // Confirmed just now, so no other generation is due yet.
    assert_eq!(service.present(900, 2), "token 3");
    assert_eq!(service.present(1_195, 3), "nothing");
    assert_eq!(service.present(1_200, 3), "token 3");
}

#[test]
fn nobody_is_served_at_the_cap() {
    let mut service = Service::new();
    let mut now = 0;
    while now + 900 < 28_800 {
        now += 900;
        let current = service.tokens.len();
        let answer = service.present(now, current);
        // Every second renewal confirms what the one before issued.
        let expected = if now % 1_800 == 0 { "nothing" } else { "token " };
        assert!(answer.starts_with(expected), "{answer} at {now}");
    }
    let current = service.tokens.len();
    assert_ne!(service.present(28_799, current), "absolute_cap");
    let current = service.tokens.len();
    assert_eq!(service.present(28_800, current), "absolute_cap");
}

#[test]
fn a_store_that_cannot_update_defers_and_one_that_cannot_load_lets_nobody_in() {
    let mut service = Service::new();
    let store = Arc::clone(service.sessions.store());
    store.update_fails.store(true, Ordering::SeqCst);
    service.clock.set(at(300));
    let served = block_on(service.sessions.authenticate(&service.tokens[0])).unwrap();
    assert!(served.token.is_none());
    let RenewalOutcome::Deferred(error) = served.renewal else { panic!("{served:?}") };
    assert!(matches!(error.downcast_ref(), Some(StoreError::Unavailable(_))));
    store.update_fails.store(false, Ordering::SeqCst);
    assert_eq!(service.present(301, 1), "token 2");
    // A lost answer is repeated even then.
    store.update_fails.store(true, Ordering::SeqCst);
    assert_eq!(service.present(700, 1), "token 2");
    assert_eq!(service.row().unwrap().lifetime().renewed_at(), at(301));

    store.load_fails.store(true, Ordering::SeqCst);
    let error = block_on(service.sessions.authenticate(&service.tokens[0])).unwrap_err();
    assert!(matches!(error, AuthenticateError::Store(_)));
}

#[test]
fn ended_sessions_stay_ended() {
    let mut service = Service::new();
    assert!(block_on(service.sessions.end(&service.id)).unwrap());
    assert!(!block_on(service.sessions.end(&service.id)).unwrap());
    assert_eq!(service.present(300, 1), "unknown");
    assert_eq!(service.row(), None);
}

#[test]
fn a_rotation_keeps_the_session_and_ends_every_token_it_had() {
    let mut service = Service::new();
    assert_eq!(service.present(300, 1), "token 2");
    service.clock.set(at(310));
    let session = block_on(service.sessions.peek(&service.tokens[1])).unwrap().session;
    let rotated = block_on(service.sessions.rotate(&session, NoClaims {})).unwrap();
    assert_eq!(rotated.session.id(), service.id);
    assert_eq!(rotated.session.generation(), 1);
    assert_eq!(rotated.session.lifetime().absolute_expires_at(), at(28_800));
    // Of another family, so none is taken for reuse, and none ends anything.
    for generation in [1, 2] {
        assert_eq!(service.present(310, generation), "unknown");
    }
    let token = rotated.token.expose();
    assert!(block_on(service.sessions.authenticate(token)).is_ok());
    let error = block_on(service.sessions.rotate(&session, NoClaims {})).unwrap_err();
    assert_eq!(error.to_string(), "there is no such session");
}

#[test]
fn a_rotation_goes_by_the_rule() {
    for (now, renewed_at) in [(299, Some(0)), (300, Some(300)), (1_799, Some(1_799)), (1_800, None)]
    {
        let service = Service::new();
        let session = block_on(service.sessions.peek(&service.tokens[0])).unwrap().session;
        service.clock.set(at(now));
        match (block_on(service.sessions.rotate(&session, NoClaims {})), renewed_at) {
            (Ok(rotated), Some(renewed_at)) => {
                assert_eq!(rotated.session.lifetime().renewed_at(), at(renewed_at), "{now}");
            }
            (Err(RotateError::Rejected { reason: RejectReason::Idle, since }), None) => {
                assert_eq!(since, at(1_800));
                assert!(service.row().is_some());
            }
            (rotated, expected) => panic!("{now}: {rotated:?} is not {expected:?}"),
        }
    }
}

#[test]
fn a_refusal_says_until_when_a_session_is_not_yet_valid_and_since_when_it_is_over() {
    let service = Service::new();
    let session = block_on(service.sessions.peek(&service.tokens[0])).unwrap().session;
    for (now, text) in [
        (-600, "the session is refused until 2027-01-15T09:00:00Z: not yet valid"),
        (1_800, "the session is refused since 2027-01-15T09:30:00Z: idle for too long"),
    ] {
        service.clock.set(at(now));
        let refused = block_on(service.sessions.authenticate(&service.tokens[0])).unwrap_err();
        assert_eq!(refused.to_string(), text);
        let refused = block_on(service.sessions.rotate(&session, NoClaims {})).unwrap_err();
        assert_eq!(refused.to_string(), text);
    }
}

#[test]
fn a_rotation_that_is_not_written_leaves_the_token_as_it_was() {
    let service = Service::new();
    let store = Arc::clone(service.sessions.store());
    let session = block_on(service.sessions.peek(&service.tokens[0])).unwrap().session;
    let rotate = || block_on(service.sessions.rotate(&session, NoClaims {})).unwrap_err();
    let held = || block_on(store.list("ada")).unwrap().len();
    store.update_fails.store(true, Ordering::SeqCst);
    assert!(matches!(rotate(), RotateError::Store(StoreError::Unavailable(_))));
    assert!(block_on(service.sessions.peek(&service.tokens[0])).is_ok());
    assert_eq!(held(), 1);
    // A logout that comes first.
    store.update_fails.store(false, Ordering::SeqCst);
    assert!(block_on(service.sessions.end(&service.id)).unwrap());
    assert!(matches!(rotate(), RotateError::Unknown));
    assert_eq!(held(), 0);
}

#[test]
fn reuse_says_that_it_ended_the_session_only_if_it_did() {
    for (raced, expected) in [(true, "unknown"), (false, "reused")] {
        let mut service = Service::new();
        assert_eq!(service.present(300, 1), "token 2");
        assert_eq!(service.present(310, 2), "nothing");
        let store = Arc::clone(service.sessions.store());
        store.ended_before_remove.store(raced, Ordering::SeqCst);
        assert_eq!(service.present(400, 1), expected);
        assert_eq!(service.row(), None);
        assert_eq!(service.present(400, 2), "unknown");
    }
}

#[test]
fn a_reuse_whose_session_cannot_be_ended_is_an_error_of_the_store() {
    let mut service = Service::new();
    assert_eq!(service.present(300, 1), "token 2");
    assert_eq!(service.present(310, 2), "nothing");
    service.sessions.store().remove_fails.store(true, Ordering::SeqCst);
    service.clock.set(at(400));
    let error = block_on(service.sessions.authenticate(&service.tokens[0])).unwrap_err();
    assert!(matches!(error, AuthenticateError::Store(_)), "{error:?}");
}

/// Its token was the current one when the request came in.
#[test]
fn a_request_that_rotations_overtake_is_refused_and_ends_nothing() {
    let (store, clock) = (Arc::new(Flaky::default()), ManualClock::new(at(0)));
    let sessions = HybridSessions::new(Arc::clone(&store), ring(), policy()).unwrap();
    let sessions = sessions.with_clock(clock.clone());
    let started = block_on(sessions.start("ada")).unwrap();
    clock.set(at(300));
    store.rotated_before_update.store(true, Ordering::SeqCst);
    let refused = block_on(sessions.authenticate(started.token.expose())).unwrap_err();
    assert!(matches!(refused, AuthenticateError::Unknown), "{refused:?}");
    assert!(block_on(store.load(&started.session.id())).unwrap().is_some());
    // The next request with that token is a reuse, which does.
    let refused = block_on(sessions.authenticate(started.token.expose())).unwrap_err();
    assert!(matches!(refused, AuthenticateError::Reused), "{refused:?}");
    assert_eq!(block_on(store.load(&started.session.id())).unwrap(), None);
}

#[test]
fn an_opaque_token_that_a_rotation_overtakes_opens_nothing() {
    let (store, clock) = (Arc::new(Flaky::default()), ManualClock::new(at(0)));
    let sessions = Sessions::new(Arc::clone(&store), policy()).with_clock(clock.clone());
    let started = block_on(sessions.start("ada")).unwrap();
    clock.set(at(300));
    store.rotated_before_update.store(true, Ordering::SeqCst);
    let refused = block_on(sessions.authenticate(started.token.expose())).unwrap_err();
    assert!(matches!(refused, AuthenticateError::WrongSecret), "{refused:?}");
    assert!(block_on(store.load(&started.session.id())).unwrap().is_some());
}

#[test]
fn a_token_is_good_for_its_issuer_and_audience_only() {
    let of = |issuer: &str, audience: &str| {
        HybridSessions::new(Arc::new(Flaky::default()), ring(), policy())
            .unwrap()
            .with_issuer(issuer)
            .with_audience(audience)
            .with_clock(ManualClock::new(at(0)))
    };
    let ours = of("https://a.test", "shop");
    assert_eq!(ours.policies(), &Policies::from(policy()));
    let started = block_on(ours.start("ada")).unwrap();
    let token = started.token.expose();
    for (issuer, audience, expected) in [
        ("https://a.test", "shop", "unknown"), // its store is another one
        ("https://b.test", "shop", "issuer"),
        ("https://a.test", "bank", "audience"),
    ] {
        let error = block_on(of(issuer, audience).authenticate(token)).unwrap_err();
        assert_eq!(error.as_str(), expected, "{issuer} {audience}");
    }
    assert!(block_on(ours.authenticate(token)).is_ok());
    let shown = format!("{ours:?}");
    assert!(shown.contains("https://a.test") && shown.contains("shop"), "{shown}");
}

#[test]
fn the_sessions_of_a_subject_are_listed_and_ended_together() {
    let clock = ManualClock::new(at(0));
    let sessions = HybridSessions::new(MemoryStore::new(), ring(), policy()).unwrap();
    let sessions = sessions.with_clock(clock.clone()).with_retention(TimeDelta::zero());
    let start = |subject| block_on(sessions.start(subject)).unwrap();
    let (first, second, other) = (start("ada"), start("ada"), start("bob"));
    assert_eq!(block_on(sessions.list("ada")).unwrap().len(), 2);
    assert_eq!(block_on(sessions.end_others(&first.session)).unwrap(), 1);
    let opens = |started: &Started| block_on(sessions.peek(started.token.expose())).is_ok();
    assert_eq!([opens(&first), opens(&second), opens(&other)], [true, false, true]);
    assert_eq!(block_on(sessions.end_all("ada")).unwrap(), 1);
    assert_eq!([opens(&first), opens(&other)], [false, true]);
    clock.set(at(1_800));
    assert_eq!([1, 0].map(|_| block_on(sessions.sweep(10)).unwrap()), [1, 0]);
}

#[test]
fn an_opaque_session_and_a_hybrid_one_neither_open_nor_rotate_each_other() {
    let store = Arc::new(MemoryStore::new());
    let opaque = Sessions::new(Arc::clone(&store), policy()).with_clock(ManualClock::new(at(0)));
    let hybrid = HybridSessions::new(Arc::clone(&store), ring(), policy()).unwrap();
    let hybrid = hybrid.with_clock(ManualClock::new(at(0)));
    let of_opaque = block_on(opaque.start("ada")).unwrap();
    assert_eq!(of_opaque.session.generation(), 0);
    let of_hybrid = block_on(hybrid.start("ada")).unwrap();
    let forged = SessionToken::from_parts(of_hybrid.session.id(), [0; 32]);
    assert!(block_on(opaque.authenticate(forged.expose())).is_err());

    let before = block_on(opaque.list("ada")).unwrap();
    assert_eq!(before.len(), 2);
    let rotated = block_on(opaque.rotate(&of_hybrid.session)).map(drop);
    assert!(matches!(rotated, Err(RotateError::Unknown)), "{rotated:?}");
    let rotated = block_on(hybrid.rotate(&of_opaque.session, NoClaims {})).map(drop);
    assert!(matches!(rotated, Err(RotateError::Unknown)), "{rotated:?}");
    assert_eq!(block_on(opaque.list("ada")).unwrap(), before);
    block_on(opaque.authenticate(of_opaque.token.expose())).unwrap();
    block_on(hybrid.authenticate(of_hybrid.token.expose())).unwrap();
}

#[test]
fn a_token_that_cannot_be_signed_is_told_as_a_renewal_deferred() {
    let mut service = Service::new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let key = VerifyingKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
    let ring = KeyRing::verify_only(key).unwrap();
    let store = Arc::clone(service.sessions.store());
    service.sessions = HybridSessions::new(store, ring, policy())
        .unwrap()
        .with_clock(service.clock.clone())
        .with_observer(move |event: &Event<'_>| log.lock().unwrap().push(event.kind));
    service.clock.set(at(300));
    let served = block_on(service.sessions.authenticate(&service.tokens[0])).unwrap();
    assert!(served.token.is_none());
    assert!(matches!(served.renewal, RenewalOutcome::Deferred(_)), "{:?}", served.renewal);
    let events = events.lock().unwrap();
    assert!(matches!(**events, [EventKind::RenewalDeferred]), "{events:?}");
}

#[test]
fn a_token_opens_the_row_that_it_was_issued_for_and_no_other_of_its_id() {
    type Change = fn(&mut SessionParts);
    let cases: [(&str, Change, bool); 4] = [
        ("the row itself", |_| {}, true),
        ("an opaque session", |row| row.generation = 0, false),
        ("of another subject", |row| row.subject = "bob".into(), false),
        ("of another login", |row| row.lifetime = policy().start(at(1)), false),
    ];
    for (what, change, opens) in cases {
        let mut service = Service::new();
        let mut parts = service.row().unwrap().into_parts();
        change(&mut parts);
        let row = Session::restore(parts).unwrap();
        let store = Arc::clone(service.sessions.store());
        assert!(block_on(store.remove(&service.id)).unwrap());
        block_on(store.create(&row)).unwrap();
        assert_eq!(service.present(2, 1), if opens { "nothing" } else { "unknown" }, "{what}");
        assert_eq!(service.row(), Some(row), "{what}");
    }
}

#[test]
fn a_grace_outside_its_bounds_is_refused() {
    let with = |grace, policies: Policies| {
        HybridSessions::with_grace(MemoryStore::new(), ring(), policies, grace).map(|_| ())
    };
    let of = |update_age| {
        let policy = SessionPolicy::new(secs(60), secs(update_age), secs(60)).unwrap();
        Policies::new(policy.with_clock_skew(secs(1)).unwrap())
    };
    assert_eq!(with(secs(1), of(1)), Ok(()));
    assert_eq!(with(secs(30), of(30)), Ok(()));
    for (grace, policies, message) in [
        (secs(0), of(1), "grace `0s` is not at least `1s` and whole seconds"),
        (secs(-1), of(1), "grace `-1s` is not at least `1s` and whole seconds"),
        (
            TimeDelta::milliseconds(1_500),
            of(30),
            "grace `1.500000000s` is not at least `1s` and whole seconds",
        ),
        (secs(2), of(1), "grace `2s` is longer than update_age `1s` of profile `default`"),
        (secs(1), of(0), "grace `1s` is longer than update_age `0s` of profile `default`"),
        (
            secs(10),
            of(10).with_profile("kiosk", *of(9).default_policy()).unwrap(),
            "grace `10s` is longer than update_age `9s` of profile `kiosk`",
        ),
    ] {
        assert_eq!(with(grace, policies).unwrap_err().to_string(), message);
    }
    // If none is set: the skew and 30 s, at most the least update age.
    for (update_age, skew, grace) in [
        (300, 60, Some(90)),
        (90, 60, Some(90)),
        (89, 60, Some(89)),
        (60, 60, Some(60)),
        (59, 60, None),
    ] {
        let policy = SessionPolicy::new(secs(600), secs(update_age), secs(600)).unwrap();
        let policy = policy.with_clock_skew(secs(skew)).unwrap();
        match (HybridSessions::new(MemoryStore::new(), ring(), policy), grace) {
            (Ok(sessions), Some(grace)) => {
                let shown = format!("{sessions:?}");
                assert!(shown.contains(&format!("secs: {grace}, ")), "{shown}");
            }
            (Err(error), None) => assert_eq!(
                error.to_string(),
                "update_age `59s` of profile `default` is shorter than `1m`, which hybrid sessions \
                 need: the longest clock_skew, and at least 1s",
            ),
            (sessions, grace) => panic!("{sessions:?}, {grace:?}"),
        }
    }
    // By the shortest update age and the longest skew, whosever they are.
    let policy = |update_age, skew| {
        let policy = SessionPolicy::new(secs(600), secs(update_age), secs(600)).unwrap();
        policy.with_clock_skew(secs(skew)).unwrap()
    };
    for (default, kiosk, message) in [
        (policy(300, 60), policy(50, 0), "`50s` of profile `kiosk` is shorter than `1m`"),
        (policy(50, 0), policy(300, 60), "`50s` of profile `default` is shorter than `1m`"),
        (policy(0, 0), policy(300, 0), "`0s` of profile `default` is shorter than `1s`"),
    ] {
        let policies = Policies::new(default).with_profile("kiosk", kiosk).unwrap();
        let error = HybridSessions::new(MemoryStore::new(), ring(), policies).unwrap_err();
        assert!(error.to_string().starts_with(&format!("update_age {message}")), "{error}");
    }
    // F17: servers whose clocks differ by more than the grace.
    let policy = SessionPolicy::new(secs(1_800), secs(300), secs(28_800)).unwrap();
    let error = with(secs(30), policy.into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "grace `30s` is shorter than clock_skew `1m` of profile `default`",
    );
}
