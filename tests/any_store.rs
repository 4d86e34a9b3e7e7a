//! `Sessions` over every kind of pointer to a store, over a store that is chosen
//! at run time, and over one that an implementer wrote with plain `async fn`.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::TimeDelta;
use pollster::block_on as wait;
use session_policy::store::{AnyStore, Removed, SessionStore, StoreError, Update};
use session_policy::{
    AuthenticateError, ManualClock, RenewalOutcome, Session, SessionId, SessionPolicy, Sessions,
    SignIn, Timestamp,
};

/// All that a correct store takes: a map behind a lock.
#[derive(Default)]
struct Plain(Mutex<HashMap<SessionId, Session>>);

impl Plain {
    fn map(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.0.lock().unwrap()
    }
}

impl SessionStore for Plain {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        match self.map().entry(session.id()) {
            Entry::Occupied(_) => Err(StoreError::Conflict),
            Entry::Vacant(entry) => {
                entry.insert(session.clone());
                Ok(())
            }
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.map().get(id).cloned())
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let mut map = self.map();
        let Some(session) = map.get_mut(&update.id()) else { return Ok(false) };
        let Some(updated) = update.apply(session) else { return Ok(false) };
        *session = updated;
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.map().remove(id).is_some())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        let mut map = self.map();
        let expired = |session: &&Session| session.lifetime().expires_at() <= now;
        let removed: Vec<_> =
            map.values().filter(expired).map(Removed::of).take(limit as usize).collect();
        map.retain(|id, _| removed.iter().all(|removed| removed.id() != *id));
        Ok(removed)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let map = self.map();
        Ok(map.values().filter(|session| session.subject() == subject).cloned().collect())
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut map = self.map();
        let is_meant =
            |session: &Session| session.subject() == subject && Some(&session.id()) != except;
        let removed: Vec<_> = map.values().filter(|held| is_meant(held)).map(Session::id).collect();
        map.retain(|id, _| !removed.contains(id));
        Ok(removed)
    }
}

/// A decorator, such as one that counts or traces, around a store that is chosen
/// at run time.
struct Traced {
    inner: AnyStore,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Traced {
    fn inner(&self, verb: &'static str) -> &AnyStore {
        self.calls.lock().unwrap().push(verb);
        &self.inner
    }
}

impl SessionStore for Traced {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.inner("create").create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.inner("load").load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.inner("update").update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.inner("remove").remove(id).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        self.inner("remove_expired").remove_expired(now, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.inner("list").list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.inner("remove_all").remove_all(subject, except).await
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

/// Idle for 30 minutes, renewed every 5, 8 hours in all.
fn policy() -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(1_800), secs(300), secs(28_800)).unwrap()
}

/// Every verb once, and what each answers.
fn live_a_life(store: impl SessionStore) {
    let clock = ManualClock::new(at(0));
    let sessions = Sessions::new(store, policy()).with_clock(clock.clone());
    let sessions = sessions.with_retention(TimeDelta::zero());
    let started = wait(sessions.start("user-42")).unwrap();
    clock.set(at(300));
    let answer = wait(sessions.authenticate(started.token.expose())).unwrap();
    assert!(matches!(answer.renewal, RenewalOutcome::Renewed));
    assert!(answer.token.is_none());
    assert_eq!(answer.status.cookie_max_age(), TimeDelta::seconds(28_500));
    let rotated = wait(sessions.rotate(&answer.session)).unwrap();
    let old = wait(sessions.authenticate(started.token.expose())).unwrap_err();
    assert!(matches!(old, AuthenticateError::WrongSecret));
    assert_eq!(wait(sessions.peek(rotated.token.expose())).unwrap().session, rotated.session);
    let listed = wait(sessions.list("user-42")).unwrap();
    assert_eq!(listed, std::slice::from_ref(&rotated.session));

    let other = wait(sessions.start("user-42")).unwrap();
    assert_eq!(wait(sessions.end_others(&rotated.session)).unwrap(), 1);
    assert!(!wait(sessions.end(&other.session.id())).unwrap());
    assert!(wait(sessions.end(&rotated.session.id())).unwrap());
    let _ = wait(sessions.start("user-42")).unwrap();
    assert_eq!(wait(sessions.end_all("user-42")).unwrap(), 1);
    let _ = wait(sessions.start("user-42")).unwrap();
    clock.set(at(2_100));
    assert_eq!(wait(sessions.sweep(10)).unwrap(), 1);
    assert_eq!(wait(sessions.list("user-42")).unwrap(), []);
}

#[test]
fn a_store_of_plain_async_functions_carries_every_verb() {
    live_a_life(Plain::default());
}

#[test]
fn every_pointer_to_a_store_is_a_store() {
    let store = Plain::default();
    live_a_life(&store);
    live_a_life(Box::new(Plain::default()));
    let shared = Arc::new(Plain::default());
    live_a_life(Arc::clone(&shared));
    assert!(shared.map().is_empty());
}

#[test]
fn a_store_that_is_chosen_at_run_time_is_a_store() {
    let chosen = AnyStore::new(Plain::default());
    live_a_life(chosen.clone());
    live_a_life(&chosen);
    live_a_life(AnyStore::new(chosen)); // A pointer behind a pointer.
    live_a_life(Box::new(AnyStore::new(Box::new(Plain::default()))));
}

#[test]
fn a_store_that_is_shared_can_be_chosen_at_run_time() {
    let shared = Arc::new(Plain::default());
    live_a_life(AnyStore::new(Arc::clone(&shared)));
    assert!(shared.map().is_empty());
}

#[cfg(feature = "memory")]
#[test]
fn the_embedded_store_is_one_of_them() {
    use session_policy::MemoryStore;

    live_a_life(AnyStore::new(MemoryStore::new()));
    live_a_life(MemoryStore::new());
}

#[cfg(feature = "memory")]
#[test]
fn a_renewal_is_answered_as_the_store_that_was_chosen_answers_it() {
    let store = AnyStore::new(session_policy::MemoryStore::new());
    let sessions = Sessions::new(store.clone(), policy());
    let session = wait(sessions.start("user-42")).unwrap().session;
    let update = Update::new(&session, session.lifetime().created_at(), session.lifetime());
    let updated = [true, false].map(|_| wait(store.update(&update)).unwrap());
    assert_eq!(updated, [true, false], "the second is of a version that is gone");
}

#[test]
fn a_store_can_wrap_one_that_is_chosen_at_run_time() {
    let calls = Arc::default();
    live_a_life(Traced { inner: AnyStore::new(Plain::default()), calls: Arc::clone(&calls) });
    let calls = calls.lock().unwrap();
    for verb in ["create", "list", "load", "remove", "remove_all", "remove_expired", "update"] {
        assert!(calls.contains(&verb), "{verb}");
    }
}

#[test]
fn nodes_share_a_store_that_is_chosen_at_run_time() {
    let shared = AnyStore::new(Plain::default());
    let node = || Sessions::new(shared.clone(), policy());
    let started = wait(node().start("user-42")).unwrap();
    assert!(wait(node().authenticate(started.token.expose())).is_ok());
    assert_eq!(wait(node().end_all("user-42")).unwrap(), 1);
    assert!(wait(node().authenticate(started.token.expose())).is_err());
}

/// What a server with threads asks of a handler: its future moves between them.
#[test]
fn every_future_is_send() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    fn all_are_send<S: SessionStore>(sessions: &Sessions<S>) {
        let started = wait(is_send(sessions.start("user-42"))).unwrap();
        drop(is_send(sessions.start(String::from("user-42"))));
        drop(is_send(sessions.start(SignIn::of("user-42").profile("default").until(at(0)))));
        drop(is_send(sessions.authenticate(started.token.expose())));
        drop(is_send(sessions.peek(started.token.expose())));
        drop(is_send(sessions.rotate(&started.session)));
        drop(is_send(sessions.end(&started.session.id())));
        drop(is_send(sessions.end_all("user-42")));
        drop(is_send(sessions.end_others(&started.session)));
        drop(is_send(sessions.list("user-42")));
        drop(is_send(sessions.sweep(1)));
        // Nothing runs before it is awaited.
        assert!(wait(sessions.authenticate(started.token.expose())).is_ok());
    }
    all_are_send(&Sessions::new(Plain::default(), policy()));
    all_are_send(&Sessions::new(AnyStore::new(Plain::default()), policy()));
}

#[test]
fn a_clone_is_the_same_sessions_over_a_store_that_cannot_be_cloned() {
    let sessions = Sessions::new(Plain::default(), policy());
    let clone = sessions.clone();
    let started = wait(sessions.start("user-42")).unwrap();
    assert!(wait(clone.authenticate(started.token.expose())).is_ok());
    assert_eq!(wait(clone.end_all("user-42")).unwrap(), 1);
    assert!(wait(sessions.authenticate(started.token.expose())).is_err());
}

/// As a web framework does: the handler's future runs on another thread.
#[test]
fn a_request_runs_on_another_thread() {
    let sessions = Sessions::new(AnyStore::new(Plain::default()), policy());
    let started = wait(sessions.start("user-42")).unwrap();
    let request = {
        let sessions = sessions.clone();
        async move { sessions.authenticate(started.token.expose()).await.map(|answer| answer.session) }
    };
    let session = std::thread::spawn(move || wait(request)).join().unwrap().unwrap();
    assert_eq!(session.subject(), "user-42");
}

/// What a runtime's `spawn` asks of a future.
fn spawned<F: Future + Send + 'static>(future: F) -> F::Output {
    wait(future)
}

#[test]
fn the_sessions_of_a_store_chosen_at_run_time_can_be_spawned() {
    let store = AnyStore::new(Plain::default());
    let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY);
    let swept = spawned(async move {
        let started = sessions.start("ada").await.unwrap();
        let _ = sessions.authenticate(started.token.expose()).await.unwrap();
        sessions.sweep(10).await
    });
    assert_eq!(swept.unwrap(), 0);
}
