//! No logout is undone: every interleaving of the verbs of `Sessions`, at every
//! point where one waits for its store.
//!
//! The store stops before and after each of its verbs, and the scheduler below
//! runs the requests in every order that these stops allow. The same check over
//! four stores that break the contract shows that it bites.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;
use pollster::block_on as wait;
use session_policy::store::{AnyStore, Removed, SecretHash, SessionStore, StoreError, Update};
use session_policy::{
    ManualClock, MemoryStore, RenewalOutcome, Session, SessionId, SessionPolicy, SessionToken,
    Sessions, Timestamp,
};

const FIRST: SessionId = SessionId::from_bytes([1; 16]);
const SUBJECT: &str = "user-42";

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000 + secs)
}

/// Idle for 30 minutes, renewed every 5, 8 hours in all.
fn policy() -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(1_800), secs(300), secs(28_800)).unwrap()
}

// The requests.

/// What the client was sent: the token that it may use from now on.
type Sent = Option<SessionToken>;
type Request = Pin<Box<dyn Future<Output = Sent>>>;
type Make = fn(&World, Node) -> Request;
type Node = Sessions<Stopping>;

fn authenticate(world: &World, node: Node) -> Request {
    let token = world.token.clone();
    // A renewal is what makes the token good for longer.
    Box::pin(async move {
        let served = node.authenticate(token.expose()).await.ok()?;
        matches!(served.renewal, RenewalOutcome::Renewed).then_some(token)
    })
}

fn rotate(world: &World, node: Node) -> Request {
    let session = world.session.clone();
    Box::pin(async move { Some(node.rotate(&session).await.ok()?.token) })
}

fn end(world: &World, node: Node) -> Request {
    let id = world.session.id();
    Box::pin(async move { node.end(&id).await.map(|_| None).unwrap() })
}

fn end_all(_: &World, node: Node) -> Request {
    Box::pin(async move { node.end_all(SUBJECT).await.map(|_| None).unwrap() })
}

fn sweep(_: &World, node: Node) -> Request {
    Box::pin(async move { node.sweep(10).await.map(|_| None).unwrap() })
}

// The store.

/// One answer that changed something: which request it was for, and the verb.
type Log = Arc<Mutex<Vec<(usize, &'static str)>>>;

/// Stops before and after each verb of the store that all requests share.
struct Stopping {
    shared: AnyStore,
    request: usize,
    log: Log,
}

async fn stop() {
    let mut stopped = false;
    poll_fn(
        |_| {
            if std::mem::replace(&mut stopped, true) { Poll::Ready(()) } else { Poll::Pending }
        },
    )
    .await;
}

impl Stopping {
    async fn answer<T>(
        &self,
        verb: &'static str,
        answer: impl Future<Output = Result<T, StoreError>>,
        changed: impl Fn(&T) -> bool,
    ) -> Result<T, StoreError> {
        stop().await;
        let answer = answer.await;
        if answer.as_ref().is_ok_and(changed) {
            self.log.lock().unwrap().push((self.request, verb));
        }
        stop().await;
        answer
    }
}

impl SessionStore for Stopping {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.answer("create", self.shared.create(session), |()| true).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.answer("load", self.shared.load(id), |_| false).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.answer("update", self.shared.update(update), |updated| *updated).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.answer("remove", self.shared.remove(id), |removed| *removed).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        let swept = self.shared.remove_expired(now, limit);
        self.answer("remove_expired", swept, |removed| !removed.is_empty()).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.answer("list", self.shared.list(subject), |_| false).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let removed = self.shared.remove_all(subject, except);
        self.answer("remove_all", removed, |removed| !removed.is_empty()).await
    }
}

// The scheduler.

/// One session, and the requests that are about to run.
struct World {
    shared: AnyStore,
    token: SessionToken,
    session: Session,
}

/// What is left when all requests have been answered.
struct Outcome {
    log: Vec<(usize, &'static str)>,
    sent: Vec<Sent>,
    left: Vec<Session>,
}

impl Outcome {
    /// When the store answered `verb` of a request with a change.
    fn when(&self, request: usize, verb: &str) -> Option<usize> {
        self.log.iter().position(|entry| *entry == (request, verb))
    }

    /// Whether a token that was sent still opens a session.
    fn opens(&self, request: usize) -> bool {
        let Some(token) = &self.sent[request] else { return false };
        let store = MemoryStore::new();
        for session in &self.left {
            wait(store.create(session)).unwrap();
        }
        let node = Sessions::new(store, policy()).with_clock(ManualClock::new(at(400)));
        wait(node.peek(token.expose())).is_ok()
    }

    /// The rule: after the removal `ended`, nothing is left, and no answer that
    /// came later made a credential.
    fn is_final(&self, ended: usize) -> bool {
        let granted = |request: usize, sent: &Sent| match sent {
            Some(_) => self.log.iter().rposition(|(by, _)| *by == request),
            None => None,
        };
        let last = self.sent.iter().enumerate().filter_map(|(by, sent)| granted(by, sent)).max();
        self.left.is_empty() && last.is_none_or(|granted| granted < ended)
    }
}

/// A story: which store, which requests, at which seconds.
struct Story {
    store: fn() -> AnyStore,
    requests: Vec<(Make, i64)>,
}

impl Story {
    /// Requests when a renewal is due.
    fn of(requests: &[Make]) -> Self {
        Self {
            store: || AnyStore::new(MemoryStore::new()),
            requests: requests.iter().map(|request| (*request, 400)).collect(),
        }
    }

    fn over(self, store: fn() -> AnyStore) -> Self {
        Self { store, ..self }
    }

    /// Runs every schedule; how many there are, and how many break the law.
    fn explore(&self, law: impl Fn(&Outcome) -> bool) -> (usize, usize) {
        // Each step's choice, out of how many requests that were still running.
        let mut path: Vec<(usize, usize)> = Vec::new();
        let (mut schedules, mut broken) = (0, 0);
        loop {
            schedules += 1;
            broken += usize::from(!law(&self.run(&mut path)));
            while path.pop_if(|(choice, choices)| *choice + 1 == *choices).is_some() {}
            match path.last_mut() {
                Some((choice, _)) => *choice += 1,
                None => return (schedules, broken),
            }
        }
    }

    /// Follows `path`, and the first choice from its end on.
    fn run(&self, path: &mut Vec<(usize, usize)>) -> Outcome {
        let token = SessionToken::from_parts(FIRST, [2; 32]);
        let lifetime = policy().start(at(0));
        let secret = SecretHash::of_secret(&[2; 32]);
        let session = Session::new(FIRST, SUBJECT, "default", secret, lifetime).unwrap();
        let world = World { shared: (self.store)(), token, session };
        wait(world.shared.create(&world.session)).unwrap();

        let log = Log::default();
        let mut sent = vec![None; self.requests.len()];
        let mut running: Vec<_> = self
            .requests
            .iter()
            .enumerate()
            .map(|(request, (start, now))| {
                let shared = world.shared.clone();
                let store = Stopping { shared, request, log: Arc::clone(&log) };
                let node = Sessions::new(store, policy()).with_clock(ManualClock::new(at(*now)));
                (request, start(&world, node))
            })
            .collect();
        let mut step = 0;
        while !running.is_empty() {
            if step == path.len() {
                path.push((0, running.len()));
            }
            let (choice, choices) = path[step];
            assert_eq!(choices, running.len(), "a replay takes the same way");
            let (request, future) = &mut running[choice];
            if let Poll::Ready(answer) =
                future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                sent[*request] = answer;
                drop(running.remove(choice));
            }
            step += 1;
        }
        let left = wait(world.shared.list(SUBJECT)).unwrap();
        let log = log.lock().unwrap().clone();
        Outcome { log, sent, left }
    }
}

// The laws.

fn ended(outcome: &Outcome) -> bool {
    outcome.when(1, "remove").is_some_and(|ended| outcome.is_final(ended))
}

#[test]
fn no_request_brings_back_a_session_that_was_ended() {
    // The removal comes before the load (10 schedules), between the load and the
    // renewal, so that the session is loaded again (38), or after both (16).
    let story = Story::of(&[authenticate, end]);
    assert_eq!(story.explore(ended), (64, 0));
}

#[test]
fn two_requests_that_race_a_logout_do_not_bring_the_session_back() {
    let law = |outcome: &Outcome| {
        let renewals = outcome.log.iter().filter(|(_, verb)| *verb == "update").count();
        let ended = outcome.when(2, "remove");
        ended.is_some_and(|ended| outcome.is_final(ended)) && renewals <= 1
    };
    let story = Story::of(&[authenticate, authenticate, end]);
    assert_eq!(story.explore(law), (409_896, 0));
}

#[test]
fn a_request_that_races_a_rotation_leaves_it_alone() {
    let law = |outcome: &Outcome| {
        let rotated = outcome.log.iter().rposition(|entry| *entry == (1, "update")).unwrap();
        let renewed = outcome.when(0, "update");
        outcome.left.len() == 1
            && outcome.opens(1)
            && outcome.sent[0].is_some() == renewed.is_some()
            && renewed.is_none_or(|renewed| renewed < rotated)
    };
    let story = Story::of(&[authenticate, rotate]);
    assert_eq!(story.explore(law), (84, 0));
}

/// The logout always finds the session: it is one row, whatever secret it has.
#[test]
fn a_rotation_never_undoes_a_logout() {
    assert_eq!(Story::of(&[rotate, end]).explore(ended), (26, 0));
}

#[test]
fn of_two_rotations_one_wins() {
    let law = |outcome: &Outcome| {
        outcome.left.len() == 1
            && (outcome.opens(0) != outcome.opens(1))
            && outcome.sent.iter().flatten().count() == 1
    };
    assert_eq!(Story::of(&[rotate, rotate]).explore(law), (32, 0));
}

#[test]
fn a_rotation_never_undoes_a_logout_from_everywhere() {
    let law = |outcome: &Outcome| {
        outcome.when(1, "remove_all").is_some_and(|ended| outcome.is_final(ended))
    };
    assert_eq!(Story::of(&[rotate, end_all]).explore(law), (26, 0));
}

#[test]
fn a_request_that_races_a_sweep_is_renewed_or_gone() {
    let law = |outcome: &Outcome| match outcome.when(1, "remove_expired") {
        Some(swept) => outcome.is_final(swept) && outcome.sent[0].is_none(),
        None => outcome.left.len() == 1 && outcome.opens(0) && outcome.left[0].version() == 1,
    };
    // In the last second, by a clock that is a second behind the sweep's.
    let mut story = Story::of(&[]);
    story.requests = vec![(authenticate, 1_799), (sweep, 1_800)];
    assert_eq!(story.explore(law), (56, 0));
}

// The same laws over stores that break the contract.

/// How a store's `update` breaks the contract.
#[derive(Clone, Copy)]
enum Fault {
    /// `update` does not write the secret.
    IgnoresTheSecret,
    /// `update` writes the whole record back, as an upsert does.
    Creates,
    /// `update` does not count the rows that it wrote.
    SaysTrue,
}

struct Broken {
    inner: MemoryStore,
    fault: Fault,
    loaded: Mutex<Option<Session>>,
}

impl Broken {
    fn shared(fault: Fault) -> AnyStore {
        AnyStore::new(Self { inner: MemoryStore::new(), fault, loaded: Mutex::default() })
    }
}

impl SessionStore for Broken {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.inner.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let loaded = self.inner.load(id).await?;
        if loaded.is_some() {
            self.loaded.lock().unwrap().clone_from(&loaded);
        }
        Ok(loaded)
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let held = self.inner.load(&update.id()).await?;
        let update = &match (self.fault, held) {
            (Fault::IgnoresTheSecret, Some(held)) => update.with_secret(*held.secret()),
            _ => *update,
        };
        let updated = self.inner.update(update).await?;
        let loaded = self.loaded.lock().unwrap().clone();
        match (self.fault, loaded) {
            (Fault::Creates, Some(loaded)) if !updated => {
                self.inner.remove(&update.id()).await?;
                self.inner.create(&update.apply(&loaded).unwrap_or(loaded)).await?;
                Ok(true)
            }
            (Fault::SaysTrue, _) => Ok(true),
            _ => Ok(updated),
        }
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.inner.remove(id).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<Removed>, StoreError> {
        self.inner.remove_expired(now, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.inner.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.inner.remove_all(subject, except).await
    }
}

#[test]
fn an_upsert_is_found_to_bring_sessions_back() {
    let story = Story::of(&[authenticate, end]).over(|| Broken::shared(Fault::Creates));
    assert_eq!(story.explore(ended), (50, 24));
}

#[test]
fn a_renewal_that_always_succeeds_is_found_to_send_a_credential_after_the_end() {
    let story = Story::of(&[authenticate, end]).over(|| Broken::shared(Fault::SaysTrue));
    assert_eq!(story.explore(ended), (50, 24));
}

#[test]
fn an_update_that_ignores_the_secret_is_found_to_let_nobody_win() {
    let law = |outcome: &Outcome| outcome.opens(0) != outcome.opens(1);
    let shared = || Broken::shared(Fault::IgnoresTheSecret);
    let story = Story::of(&[rotate, rotate]).over(shared);
    let (schedules, broken) = story.explore(law);
    assert_eq!(schedules, broken, "in every schedule the old token still opens");
}
