//! What `Sessions` asks of a store, and what it does when the store fails, or
//! when another request has been faster.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::mem::take;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::TimeDelta;
use pollster::block_on as wait;
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{
    AuthenticateError, Event, EventKind, ManualClock, MemoryStore, Policies, RejectReason,
    RenewalOutcome, RotateError, Session, SessionId, SessionLimit, SessionPolicy, SessionToken,
    Sessions, StartError, Timestamp, WhenFull,
};

/// What a driver might say; it must not reach a log by way of our own texts.
const DRIVER: &str = "postgres://app:hunter2@db: connection refused";

/// Runs once, just before the store answers the next `update` or `remove`.
type Race = Box<dyn FnOnce(&MemoryStore) + Send>;

/// Writes down each call, fails those it is told to, and lets another request
/// be faster.
#[derive(Default)]
struct Probe {
    inner: MemoryStore,
    calls: Mutex<Vec<&'static str>>,
    /// Each entry fails one call of that verb.
    failing: Arc<Mutex<Vec<&'static str>>>,
    /// Each entry carries out one call of that verb and loses its answer.
    losing: Mutex<Vec<&'static str>>,
    race: Mutex<Option<Race>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl Probe {
    fn fail(&self, verbs: &[&'static str]) {
        locked(&self.failing).extend(verbs);
    }

    fn lose(&self, verbs: &[&'static str]) {
        locked(&self.losing).extend(verbs);
    }

    fn race(&self, act: impl FnOnce(&MemoryStore) + Send + 'static) {
        *locked(&self.race) = Some(Box::new(act));
    }

    fn calls(&self) -> Vec<&'static str> {
        take(&mut *locked(&self.calls))
    }

    fn called(&self, verb: &'static str) -> Result<&MemoryStore, StoreError> {
        locked(&self.calls).push(verb);
        if matches!(verb, "update" | "remove")
            && let Some(act) = locked(&self.race).take()
        {
            act(&self.inner);
        }
        let mut failing = locked(&self.failing);
        match failing.iter().position(|failing| *failing == verb) {
            Some(found) => {
                failing.remove(found);
                Err(StoreError::unavailable(DRIVER))
            }
            None => Ok(&self.inner),
        }
    }

    fn answered<T>(
        &self,
        verb: &'static str,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match locked(&self.losing).pop_if(|losing| *losing == verb) {
            Some(_) => Err(StoreError::unavailable(DRIVER)),
            None => answer,
        }
    }
}

impl SessionStore for Probe {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.called("create")?.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.called("load")?.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let updated = self.called("update")?.update(update).await;
        self.answered("update", updated)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let removed = self.called("remove")?.remove(id).await;
        self.answered("remove", removed)
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        self.called("remove_expired")?.remove_expired(now, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.called("list")?.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.called("remove_all")?.remove_all(subject, except).await
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

/// Idle for 30 minutes, renewed every 5, 2 hours in all.
fn policy() -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(1_800), secs(300), secs(7_200)).unwrap()
}

struct World {
    sessions: Sessions<Probe>,
    clock: ManualClock,
    token: SessionToken,
    session: Session,
}

/// One session, started at 0.
fn world() -> World {
    let clock = ManualClock::new(at(0));
    let sessions = Sessions::new(Probe::default(), policy()).with_clock(clock.clone());
    let started = wait(sessions.start("user-42")).unwrap();
    assert_eq!(sessions.store().calls(), ["create"]);
    World { sessions, clock, token: started.token, session: started.session }
}

impl World {
    fn store(&self) -> &Probe {
        self.sessions.store()
    }

    fn len(&self) -> usize {
        self.store().inner.len()
    }

    fn is_served(&self) -> bool {
        wait(self.sessions.authenticate(self.token.expose())).is_ok()
    }

    /// The stored session renewed at `now` by somebody else.
    fn renewal(&self, now: Timestamp, policy: &SessionPolicy) -> Update {
        Update::new(&self.session, now, &policy.start(now))
    }
}

/// Our own text is safe to log; the driver's is kept as the source.
fn assert_unavailable(error: &(dyn Error + 'static)) {
    assert_eq!(error.to_string(), "the session store is unavailable");
    assert_eq!(error.source().unwrap().to_string(), DRIVER);
}

#[test]
fn a_request_costs_one_load_and_one_update_only_if_it_is_due() {
    let world = world();
    for (now, calls) in [
        (-61, &["load"][..]), // Not yet valid.
        (299, &["load"]),
        (300, &["load", "update"]),
        (301, &["load"]),
        (599, &["load"]),
        (600, &["load", "update"]),
        (2_399, &["load", "update"]),
        (4_198, &["load", "update"]),
        (5_997, &["load", "update"]), // To the cap, at 7,200.
        (6_296, &["load"]),
        (6_297, &["load", "update"]), // Moves the last activity, at the cap, too.
        (6_596, &["load"]),
        (7_199, &["load", "update"]),
        (7_200, &["load"]), // Refused.
    ] {
        world.clock.set(at(now));
        wait(world.sessions.peek(world.token.expose())).ok();
        assert_eq!(world.store().calls(), ["load"], "peek at {now}");
        world.is_served();
        assert_eq!(world.store().calls(), calls, "now {now}");
    }
    let forged = SessionToken::from_parts(world.session.id(), [0; 32]);
    for token in [forged, SessionToken::from_parts(SessionId::from_bytes([7; 16]), [0; 32])] {
        world.clock.set(at(6_500));
        assert!(wait(world.sessions.authenticate(token.expose())).is_err());
        assert_eq!(world.store().calls(), ["load"]);
    }
}

#[test]
fn the_other_verbs_ask_once() {
    let World { sessions, session, .. } = world();
    wait(sessions.list("user-42")).unwrap();
    assert_eq!(sessions.store().calls(), ["list"]);
    let rotated = wait(sessions.rotate(&session)).unwrap();
    assert_eq!(sessions.store().calls(), ["update"]);
    wait(sessions.end_others(&rotated.session)).unwrap();
    assert_eq!(sessions.store().calls(), ["remove_all"]);
    wait(sessions.end(&rotated.session.id())).unwrap();
    assert_eq!(sessions.store().calls(), ["remove"]);
    wait(sessions.end_all("user-42")).unwrap();
    assert_eq!(sessions.store().calls(), ["remove_all"]);
    wait(sessions.sweep(1)).unwrap();
    assert_eq!(sessions.store().calls(), ["remove_expired"]);
}

#[test]
fn a_load_that_fails_lets_nobody_in_and_keeps_the_cookie() {
    let world = world();
    world.store().fail(&["load", "load"]);
    for answer in [
        wait(world.sessions.authenticate(world.token.expose())),
        wait(world.sessions.peek(world.token.expose())),
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, AuthenticateError::Store(StoreError::Unavailable(_))));
        assert_unavailable(&error);
    }
    assert!(world.is_served());
}

#[test]
fn a_renewal_that_fails_still_serves_and_says_so() {
    let world = world();
    for now in [300, 301, 1_799] {
        world.clock.set(at(now));
        world.store().fail(&["update", "update"]);
        let answer = wait(world.sessions.authenticate(world.token.expose())).unwrap();
        assert_eq!(answer.session, world.session, "now {now}");
        assert_eq!(answer.status.idle_expires_at, at(1_800), "now {now}");
        assert!(answer.token.is_none(), "now {now}");
        let RenewalOutcome::Deferred(error) = answer.renewal else { panic!("{answer:?}") };
        assert_unavailable(&*error.downcast::<StoreError>().unwrap());
    }
    // The next request tries again.
    let answer = wait(world.sessions.authenticate(world.token.expose())).unwrap();
    assert!(matches!(answer.renewal, RenewalOutcome::Renewed));
}

/// One that is served is not told of as refused.
#[test]
fn a_renewal_that_fails_is_one_event() {
    let world = world();
    let winner = world.renewal(at(299), &policy());
    let World { sessions, clock, token, .. } = world;
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let sessions = sessions.with_observer(move |event: &Event<'_>| locked(&log).push(event.kind));
    clock.set(at(300));
    sessions.store().fail(&["update", "update"]);
    assert!(wait(sessions.authenticate(token.expose())).is_ok());
    // The update, and the load that is to tell what became of it.
    sessions.store().fail(&["update"]);
    let failing = Arc::clone(&sessions.store().failing);
    sessions.store().race(move |_| locked(&failing).push("load"));
    assert!(wait(sessions.authenticate(token.expose())).is_ok());
    // The update, where another request has written.
    sessions.store().fail(&["update"]);
    sessions.store().race(move |store| assert!(wait(store.update(&winner)).unwrap()));
    assert!(wait(sessions.authenticate(token.expose())).is_ok());
    assert_eq!(*locked(&told), [EventKind::RenewalDeferred; 3]);
}

#[test]
fn a_session_that_makes_way_is_told_of_although_the_answer_to_its_end_was_lost() {
    let one = SessionLimit::new(NonZeroU32::MIN, WhenFull::EndOldest);
    let policies = Policies::new(policy()).with_limit("default", one).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let sessions = Sessions::new(Probe::default(), policies)
        .with_observer(move |event: &Event<'_>| locked(&log).push(event.kind));
    let _first = wait(sessions.start("user-42")).unwrap();
    sessions.store().lose(&["remove"]);
    let _second = wait(sessions.start("user-42")).unwrap();
    assert!(locked(&told).contains(&EventKind::Ended { cause: "limit" }), "{told:?}");
}

#[test]
fn a_renewal_that_fails_extends_nothing() {
    let world = world();
    world.clock.set(at(1_799));
    world.store().fail(&["update", "update"]);
    assert!(world.is_served());
    world.clock.set(at(1_800));
    let error = wait(world.sessions.authenticate(world.token.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Rejected { reason: RejectReason::Idle, .. }));
}

#[test]
fn a_renewal_that_takes_until_the_end_serves_nobody() {
    for (now, failing, end, expected) in [
        (1_799, &["update"][..], 1_800, RejectReason::Idle),
        (1_799, &[], 3_599, RejectReason::Idle), // Written, and ended since.
        (5_697, &[], 7_200, RejectReason::AbsoluteCap),
    ] {
        let world = world();
        for now in (0..now).step_by(1_799) {
            world.clock.set(at(now));
            assert!(world.is_served());
        }
        world.clock.set(at(now));
        let clock = world.clock.clone();
        world.store().race(move |_| clock.set(at(end)));
        world.store().fail(failing);
        let error = wait(world.sessions.authenticate(world.token.expose())).unwrap_err();
        let AuthenticateError::Rejected { reason, since } = error else { panic!("{error}") };
        assert_eq!((reason, since), (expected, at(end)));
    }
}

#[test]
fn a_lost_race_loads_once_more_and_serves_what_the_winner_stored() {
    let world = world();
    world.clock.set(at(400));
    let winner = world.renewal(at(399), &policy());
    world.store().race(move |store| assert!(wait(store.update(&winner)).unwrap()));
    let answer = wait(world.sessions.authenticate(world.token.expose())).unwrap();
    assert_eq!(world.store().calls(), ["load", "update", "load"]);
    assert!(matches!(answer.renewal, RenewalOutcome::Superseded));
    assert!(answer.token.is_none()); // The winner sent the cookie.
    assert_eq!(answer.session.version(), 1);
    assert_eq!(answer.session.lifetime().renewed_at(), at(399));
    assert_eq!(answer.status.idle_expires_at, at(2_199));
}

#[test]
fn a_race_lost_to_a_logout_serves_nobody() {
    let world = world();
    world.clock.set(at(400));
    let id = world.session.id();
    world.store().race(move |store| assert!(wait(store.remove(&id)).unwrap()));
    let error = wait(world.sessions.authenticate(world.token.expose())).unwrap_err();
    assert_eq!(world.store().calls(), ["load", "update", "load"]);
    assert!(matches!(error, AuthenticateError::Unknown));
    assert_eq!(world.len(), 0);
}

#[test]
fn a_race_lost_to_a_renewal_that_has_expired_meanwhile_is_a_refusal() {
    // The winner's node has a tighter policy, and the answer takes a while.
    let world = world();
    world.clock.set(at(400));
    let secs = TimeDelta::seconds;
    let tighter = SessionPolicy::new(secs(100), secs(10), secs(7_200)).unwrap();
    let (winner, clock) = (world.renewal(at(400), &tighter), world.clock.clone());
    world.store().race(move |store| {
        assert!(wait(store.update(&winner)).unwrap());
        clock.set(at(500));
    });
    let error = wait(world.sessions.authenticate(world.token.expose())).unwrap_err();
    assert_eq!(world.store().calls(), ["load", "update", "load"]);
    let AuthenticateError::Rejected { reason, since } = error else { panic!("{error}") };
    assert_eq!((reason, since), (RejectReason::Idle, at(500)));
}

#[test]
fn a_race_lost_and_a_reload_that_fails_lets_nobody_in() {
    let world = world();
    world.clock.set(at(400));
    let winner = world.renewal(at(400), &policy());
    let failing = Arc::clone(&world.store().failing);
    world.store().race(move |store| {
        assert!(wait(store.update(&winner)).unwrap());
        locked(&failing).push("load");
    });
    let error = wait(world.sessions.authenticate(world.token.expose())).unwrap_err();
    assert_eq!(world.store().calls(), ["load", "update", "load"]);
    assert!(matches!(error, AuthenticateError::Store(_)));
    assert_unavailable(&error);
}

#[test]
fn a_start_that_is_not_stored_gives_no_token() {
    let world = world();
    world.store().fail(&["create"]);
    let error = wait(world.sessions.start("user-43")).unwrap_err();
    assert!(matches!(error, StartError::Store(StoreError::Unavailable(_))));
    assert_unavailable(&error);
    assert_eq!(world.len(), 1);
}

#[test]
fn an_update_whose_answer_is_lost_is_tried_again() {
    let world = world();
    world.clock.set(at(300));
    world.store().fail(&["update"]);
    let answer = wait(world.sessions.authenticate(world.token.expose())).unwrap();
    assert!(matches!(answer.renewal, RenewalOutcome::Renewed));
    assert_eq!(world.store().calls(), ["load", "update", "load", "update"]);
    assert_eq!(answer.session.version(), 1);
    // A rotation, too.
    world.store().fail(&["update"]);
    let rotated = wait(world.sessions.rotate(&answer.session)).unwrap();
    assert_eq!(world.store().calls(), ["update", "load", "update"]);
    assert!(wait(world.sessions.peek(rotated.token.expose())).is_ok());
    assert!(!world.is_served());
}

#[test]
fn a_write_that_was_made_although_its_answer_was_lost_is_recognised() {
    let world = world();
    world.clock.set(at(300));
    world.store().lose(&["update"]);
    let answer = wait(world.sessions.authenticate(world.token.expose())).unwrap();
    assert!(matches!(answer.renewal, RenewalOutcome::Renewed));
    assert_eq!(world.store().calls(), ["load", "update", "load"]);
    assert_eq!((answer.session.version(), answer.session.lifetime().renewed_at()), (1, at(300)));
    // By its secret, if it was a rotation.
    world.store().lose(&["update"]);
    let rotated = wait(world.sessions.rotate(&answer.session)).unwrap();
    assert_eq!(world.store().calls(), ["update", "load"]);
    assert_eq!(rotated.session.version(), 2);
    assert!(wait(world.sessions.peek(rotated.token.expose())).is_ok());
    assert!(!world.is_served());
}

#[test]
fn a_rotation_that_is_not_stored_leaves_the_old_token_working() {
    let world = world();
    world.store().fail(&["update", "load"]);
    let error = wait(world.sessions.rotate(&world.session)).unwrap_err();
    assert!(matches!(error, RotateError::Store(StoreError::Unavailable(_))));
    assert_unavailable(&error);
    assert_eq!(world.store().calls(), ["update", "load"]);
    assert!(world.is_served());
    assert_eq!(world.len(), 1);
}

#[test]
fn a_rotation_gives_up_in_the_end_and_leaves_the_old_token_working() {
    let world = world();
    world.store().fail(&["update"; 8]);
    let error = wait(world.sessions.rotate(&world.session)).unwrap_err();
    assert_unavailable(&error);
    assert_eq!(world.store().calls().len(), 16);
    assert!(world.is_served());
    assert_eq!(world.len(), 1);
}

#[test]
fn a_rotation_that_loses_to_a_logout_brings_nothing_back() {
    let world = world();
    let id = world.session.id();
    world.store().race(move |store| assert!(wait(store.remove(&id)).unwrap()));
    let error = wait(world.sessions.rotate(&world.session)).unwrap_err();
    assert!(matches!(error, RotateError::Unknown));
    assert_eq!(world.store().calls(), ["update", "load"]);
    assert_eq!(world.len(), 0);
}

#[test]
fn a_rotation_that_loses_to_a_renewal_keeps_what_that_wrote() {
    let world = world();
    world.clock.set(at(100));
    let winner = world.renewal(at(100), &policy());
    world.store().race(move |store| assert!(wait(store.update(&winner)).unwrap()));
    let rotated = wait(world.sessions.rotate(&world.session)).unwrap();
    assert_eq!(rotated.session.lifetime().renewed_at(), at(100));
    assert_eq!((rotated.session.id(), rotated.session.version()), (world.session.id(), 2));
    assert_eq!(world.len(), 1);
}

/// A handler that took longer than `max_age`, while other requests came in.
#[test]
fn a_rotation_by_a_copy_whose_time_is_over_goes_by_the_row() {
    let world = world();
    world.clock.set(at(1_700));
    assert!(world.is_served());
    let _ = world.store().calls();
    world.clock.set(at(1_800));
    let rotated = wait(world.sessions.rotate(&world.session)).unwrap();
    assert_eq!(world.store().calls(), ["load", "update"]);
    assert_eq!(rotated.session.lifetime().renewed_at(), at(1_700));
    world.clock.set(at(3_500));
    let error = wait(world.sessions.rotate(&rotated.session)).unwrap_err();
    let RotateError::Rejected { reason, since } = error else { panic!("{error}") };
    assert_eq!((reason, since), (RejectReason::Idle, at(3_500)));
    assert_eq!(world.store().calls(), ["load"]);
}

#[test]
fn an_end_that_fails_is_not_reported_as_done() {
    let world = world();
    world.store().fail(&["remove", "remove_all", "remove_all", "remove_expired", "list"]);
    let World { sessions, session, .. } = &world;
    assert_unavailable(&wait(sessions.end(&session.id())).unwrap_err());
    assert_unavailable(&wait(sessions.end_all("user-42")).unwrap_err());
    assert_unavailable(&wait(sessions.end_others(session)).unwrap_err());
    assert_unavailable(&wait(sessions.sweep(1)).unwrap_err());
    assert_unavailable(&wait(sessions.list("user-42")).unwrap_err());
    assert!(world.is_served());
    assert!(wait(sessions.end(&session.id())).unwrap());
    assert!(!world.is_served());
}

#[test]
fn a_full_store_refuses_a_start_and_goes_on_serving_and_rotating() {
    let store = MemoryStore::with_capacity(NonZeroUsize::MIN);
    let sessions = Sessions::new(store, policy()).with_clock(ManualClock::new(at(0)));
    let started = wait(sessions.start("user-42")).unwrap();
    let text = "the session store is full at its capacity of 1";
    let error = wait(sessions.start("user-43")).unwrap_err();
    assert!(matches!(error, StartError::Store(StoreError::Full { capacity: 1 })));
    assert_eq!(error.to_string(), text);
    // A rotation needs no room.
    let rotated = wait(sessions.rotate(&started.session)).unwrap();
    assert!(wait(sessions.authenticate(rotated.token.expose())).is_ok());
}

/// Nobody swept it; a session that may be served again by the clock's next second stays.
#[test]
fn what_has_ended_makes_way_in_a_full_store() {
    let store = MemoryStore::with_capacity(NonZeroUsize::new(2).unwrap());
    let clock = ManualClock::new(at(0));
    let sessions = Sessions::new(store, policy()).with_clock(clock.clone());
    let first = wait(sessions.start("user-42")).unwrap().session;
    let end = first.lifetime().expires_at();
    clock.set(at(1));
    drop(wait(sessions.start("user-43")).unwrap());
    clock.set(end.saturating_add(TimeDelta::seconds(-1)));
    let error = wait(sessions.start("user-44")).unwrap_err();
    assert!(matches!(error, StartError::Store(StoreError::Full { capacity: 2 })));
    clock.set(end);
    drop(wait(sessions.start("user-44")).unwrap());
    assert_eq!(wait(sessions.store().load(&first.id())).unwrap(), None);
    assert_eq!(wait(sessions.list("user-43")).unwrap().len(), 1);
}

#[test]
fn the_text_of_a_store_error_names_what_is_wrong_and_not_its_source() {
    for (error, text, source) in [
        (StoreError::Conflict, "the session id is taken", None),
        (StoreError::corrupt(DRIVER), "the stored session is unreadable", Some(DRIVER)),
        (StoreError::unavailable(DRIVER), "the session store is unavailable", Some(DRIVER)),
    ] {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), source);
    }
}
