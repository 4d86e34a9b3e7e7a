//! Hybrid sessions under concurrency, exhaustively: every schedule of the store
//! operations of several requests, and every course of requests and answers that
//! are delayed, lost or reordered for less than the grace.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::TimeDelta;
use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{
    AuthenticateError, Decision, Lifetime, ManualClock, MemoryStore, Session, SessionId,
    SessionPolicy, Timestamp,
};

const START: i64 = 1_800_000_000;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_secs(START + offset)
}

fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
}

fn policy(update_age: i64) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    let policy = SessionPolicy::new(secs(10_000), secs(update_age), secs(20_000)).unwrap();
    // Of one clock; `tests/model` has two.
    policy.with_clock_skew(secs(0)).unwrap()
}

// 1. Every schedule of store operations.

/// One row. Each operation waits for its turn, and is put on record.
#[derive(Default)]
struct Scheduled {
    row: Mutex<Option<Session>>,
    log: Mutex<Vec<(usize, &'static str)>>,
    running: Mutex<usize>,
}

impl Scheduled {
    async fn turn(&self, operation: &'static str) {
        let mut waited = false;
        poll_fn(
            |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending },
        )
        .await;
        self.log.lock().unwrap().push((*self.running.lock().unwrap(), operation));
    }
}

impl SessionStore for Scheduled {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        *self.row.lock().unwrap() = Some(session.clone());
        Ok(())
    }

    async fn load(&self, _: &SessionId) -> Result<Option<Session>, StoreError> {
        self.turn("load").await;
        Ok(self.row.lock().unwrap().clone())
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.turn("update").await;
        let mut row = self.row.lock().unwrap();
        let updated = row.as_ref().and_then(|row| update.apply(row));
        let applied = updated.is_some();
        *row = updated.or(row.take());
        Ok(applied)
    }

    async fn remove(&self, _: &SessionId) -> Result<bool, StoreError> {
        self.turn("remove").await;
        Ok(self.row.lock().unwrap().take().is_some())
    }

    async fn remove_expired(&self, _: Timestamp, _: u32) -> Result<Vec<Removed>, StoreError> {
        Ok(Vec::new())
    }

    // The one row is the subject's.
    async fn list(&self, _: &str) -> Result<Vec<Session>, StoreError> {
        Ok(self.row.lock().unwrap().iter().cloned().collect())
    }

    async fn remove_all(
        &self,
        _: &str,
        _: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.row.lock().unwrap().take().iter().map(Session::id).collect())
    }
}

#[derive(Debug)]
enum Done {
    Ended,
    Refused(AuthenticateError),
    Served(Option<String>),
}

/// What a client or thief presents, or that the user signs out.
#[derive(Clone, Copy, Debug)]
enum Act {
    Logout,
    /// The token of this many generations back.
    Present(usize),
}

/// A session whose row is brought to a state: rotated `rotations` times, its last
/// token presented or not, and `since` seconds later.
struct Scene {
    rotations: i64,
    confirmed: bool,
    since: i64,
}

type Task<'a> = Pin<Box<dyn Future<Output = Done> + 'a>>;

/// Runs `future` alone.
fn alone<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// Plays all schedules of `acts` in `scene`; how many there are.
fn every_schedule(
    scene: &Scene,
    acts: &[Act],
    check: impl Fn(&[(usize, &'static str)], &[Done], &[String], &dyn Fn(&str) -> bool, u64),
) -> usize {
    let mut script: Vec<(usize, usize)> = Vec::new(); // choice, of how many
    let mut played = 0;
    loop {
        let store = Arc::new(Scheduled::default());
        let clock = ManualClock::new(at(0));
        let sessions = HybridSessions::new(Arc::clone(&store), ring(), policy(100)).unwrap();
        let sessions = sessions.with_clock(clock.clone());
        let started = alone(sessions.start("ada")).unwrap();
        let mut tokens = vec![started.token.expose().to_owned()];
        let mut now = 0;
        for _ in 0..scene.rotations {
            now += 200;
            clock.set(at(now));
            let token = tokens.last().unwrap();
            // Confirms, if this is not the first.
            alone(sessions.authenticate(token)).unwrap();
            now += 200;
            clock.set(at(now));
            let rotated = alone(sessions.authenticate(token)).unwrap();
            tokens.push(rotated.token.unwrap().expose().to_owned());
        }
        if scene.confirmed {
            alone(sessions.authenticate(tokens.last().unwrap())).unwrap();
        }
        clock.set(at(now + scene.since));
        let generation = store.row.lock().unwrap().as_ref().unwrap().generation();
        let id = started.session.id();
        store.log.lock().unwrap().clear();

        let mut tasks: Vec<Option<Task<'_>>> = Vec::new();
        for act in acts {
            let (sessions, tokens) = (&sessions, &tokens);
            let act = *act;
            tasks.push(Some(Box::pin(async move {
                match act {
                    Act::Logout => {
                        sessions.end(&id).await.unwrap();
                        Done::Ended
                    }
                    Act::Present(back) => {
                        let token = &tokens[tokens.len() - 1 - back];
                        match sessions.authenticate(token).await {
                            Ok(served) => {
                                Done::Served(served.token.map(|token| token.expose().to_owned()))
                            }
                            Err(error) => Done::Refused(error),
                        }
                    }
                }
            })));
        }
        let mut done: Vec<Option<Done>> = acts.iter().map(|_| None).collect();
        let mut poll = |at: usize, done: &mut Vec<Option<Done>>| {
            *store.running.lock().unwrap() = at;
            let task = tasks[at].as_mut().unwrap();
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(finished) = task.as_mut().poll(&mut context) {
                done[at] = Some(finished);
            }
        };
        // All stand before their first operation.
        for at in 0..acts.len() {
            poll(at, &mut done);
        }
        let mut step = 0;
        loop {
            let runnable: Vec<usize> = (0..acts.len()).filter(|at| done[*at].is_none()).collect();
            if runnable.is_empty() {
                break;
            }
            if step == script.len() {
                script.push((0, runnable.len()));
            }
            poll(runnable[script[step].0], &mut done);
            step += 1;
        }
        let done: Vec<Done> = done.into_iter().map(Option::unwrap).collect();
        let log = store.log.lock().unwrap().clone();
        let after = store.row.lock().unwrap().as_ref().map_or(generation, Session::generation);
        assert!(after <= generation + 1, "{log:?}");
        check(
            &log,
            &done,
            &tokens,
            &|token| alone(sessions.peek(token)).is_ok(),
            after - generation,
        );
        played += 1;

        script.truncate(step);
        while script.last().is_some_and(|(choice, of)| choice + 1 == *of) {
            script.pop();
        }
        match script.last_mut() {
            Some((choice, _)) => *choice += 1,
            None => return played,
        }
    }
}

/// The states in which a request of the current token, of its predecessor and of
/// the one before are decided differently.
const SCENES: [Scene; 5] = [
    Scene { rotations: 2, confirmed: true, since: 50 }, // nothing is due
    Scene { rotations: 2, confirmed: true, since: 100 }, // a rotation is due
    Scene { rotations: 2, confirmed: false, since: 10 }, // not confirmed
    Scene { rotations: 2, confirmed: false, since: 150 }, // not confirmed, renewal due
    Scene { rotations: 2, confirmed: true, since: 10 }, // the predecessor is in grace
];

#[test]
fn nobody_is_served_after_a_logout_and_no_request_brings_the_session_back() {
    let mut schedules = 0;
    for scene in &SCENES {
        for thief in [1, 2] {
            let acts = [Act::Present(0), Act::Present(1), Act::Logout, Act::Present(thief)];
            schedules += every_schedule(scene, &acts, |log, done, tokens, opens, _| {
                let removal = log.iter().position(|(_, operation)| *operation == "remove").unwrap();
                for (task, done) in done.iter().enumerate() {
                    let last = log.iter().rposition(|(of, _)| *of == task).unwrap();
                    if let Done::Served(answer) = done {
                        assert!(last < removal, "{log:?}");
                        assert!(!answer.as_deref().is_some_and(opens), "{log:?}");
                    }
                }
                assert!(!tokens.iter().any(|token| opens(token)), "{log:?}");
            });
        }
    }
    assert!(schedules > 1_000, "{schedules}");
}

#[test]
fn parallel_requests_of_an_honest_client_are_all_served_and_rotate_once() {
    let mut schedules = 0;
    for (scene, acts) in [
        (0, [Act::Present(0); 3]),
        (1, [Act::Present(0); 3]),
        (2, [Act::Present(0), Act::Present(1), Act::Present(1)]),
        (3, [Act::Present(0), Act::Present(1), Act::Present(1)]),
        (4, [Act::Present(0), Act::Present(1), Act::Present(1)]),
    ] {
        schedules += every_schedule(&SCENES[scene], &acts, |log, done, _, opens, rotations| {
            assert_eq!(rotations, u64::from(scene == 1), "{log:?}");
            let mut answers = HashSet::new();
            for done in done {
                let Done::Served(answer) = done else { panic!("{log:?}: {done:?}") };
                if let Some(answer) = answer {
                    assert!(opens(answer), "{log:?}");
                    let payload = answer.split('.').nth(1).unwrap();
                    let payload = Base64UrlUnpadded::decode_vec(payload).unwrap();
                    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
                    answers.insert(claims["gen"].as_u64().unwrap());
                }
            }
            assert!(answers.len() <= 1, "{log:?}: {answers:?}");
        });
    }
    assert!(schedules > 100, "{schedules}");
}

#[test]
fn a_stolen_token_ends_the_session_in_every_schedule_and_clears_no_honest_cookie() {
    // The thief presents the token before last; the client the current one.
    let mut schedules = 0;
    for scene in &SCENES {
        let acts = [Act::Present(0), Act::Present(0), Act::Present(2)];
        schedules += every_schedule(scene, &acts, |log, done, tokens, opens, _| {
            assert!(
                matches!(done[2], Done::Refused(AuthenticateError::Reused)),
                "{log:?}: {done:?}"
            );
            assert!(!tokens.iter().any(|token| opens(token)), "{log:?}");
            for done in &done[..2] {
                match done {
                    Done::Served(answer) => assert!(!answer.as_deref().is_some_and(opens)),
                    Done::Refused(error) => {
                        assert!(matches!(error, AuthenticateError::Unknown), "{log:?}");
                    }
                    Done::Ended => panic!("{log:?}"),
                }
            }
        });
    }
    assert!(schedules > 200, "{schedules}");
}

// 2. Every course of requests and answers.

/// Decides a request of generation `presented` at `now`, on `row`.
trait Server {
    fn handle(&self, row: &mut Session, presented: u64, now: i64) -> Handled;
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Handled {
    Reuse,
    /// With the generation of the answer, if any.
    Served(Option<u64>),
}

/// The real one, on a store that is given the row and asked for it.
struct Real {
    sessions: HybridSessions<Arc<Scheduled>>,
    clock: ManualClock,
    tokens: RefCell<BTreeMap<u64, String>>,
}

impl Real {
    fn new(grace: i64, update_age: i64) -> (Self, Session) {
        let clock = ManualClock::new(at(0));
        let (store, grace) = (Arc::new(Scheduled::default()), TimeDelta::seconds(grace));
        let sessions = HybridSessions::with_grace(store, ring(), policy(update_age), grace);
        let sessions = sessions.unwrap().with_clock(clock.clone());
        let started = alone(sessions.start("ada")).unwrap();
        let row = sessions.store().row.lock().unwrap().clone().unwrap();
        let token = started.token.expose().to_owned();
        let tokens = RefCell::new(BTreeMap::from([(row.generation(), token)]));
        (Self { sessions, clock, tokens }, row)
    }
}

impl Server for Real {
    fn handle(&self, row: &mut Session, presented: u64, now: i64) -> Handled {
        self.clock.set(at(now));
        *self.sessions.store().row.lock().unwrap() = Some(row.clone());
        let token = self.tokens.borrow()[&presented].clone();
        let served = match alone(self.sessions.authenticate(&token)) {
            Ok(served) => served,
            Err(AuthenticateError::Reused) => {
                assert!(self.sessions.store().row.lock().unwrap().is_none());
                return Handled::Reuse;
            }
            Err(error) => panic!("{error}"),
        };
        *row = self.sessions.store().row.lock().unwrap().clone().unwrap();
        Handled::Served(served.token.map(|token| {
            let generation = served.session.generation();
            self.tokens.borrow_mut().insert(generation, token.expose().to_owned());
            generation
        }))
    }
}

/// The table written a second time, and two ways to get it wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Table {
    AsDesigned,
    GraceFromRenewal,
    RotatesUnconfirmed,
}

struct Model {
    table: Table,
    grace: i64,
    policy: SessionPolicy,
}

impl Server for Model {
    fn handle(&self, row: &mut Session, presented: u64, now: i64) -> Handled {
        let now = at(now);
        let due = match self.policy.evaluate(row.lifetime(), now) {
            Decision::Keep { .. } => None,
            Decision::Reject { .. } => panic!("the session lives longer than the test"),
            Decision::Renew { lifetime } => Some(lifetime),
        };
        let (g, confirmed) = (row.generation(), row.confirmed_at());
        let over = |from: Timestamp| from.saturating_add(TimeDelta::seconds(self.grace)) <= now;
        let may_rotate = match self.table {
            Table::RotatesUnconfirmed => true,
            _ => confirmed.is_some_and(over),
        };
        let in_grace = match self.table {
            Table::GraceFromRenewal => !over(row.lifetime().renewed_at()),
            _ => confirmed.is_some_and(|from| !over(from)),
        };
        if presented == g && due.is_some() && may_rotate {
            write(row, now, due, g + 1, None);
            Handled::Served(Some(g + 1))
        } else if presented == g {
            write(row, now, due, g, confirmed.or(Some(now)));
            Handled::Served(None)
        } else if presented + 1 == g && confirmed.is_none() {
            write(row, now, due, g, confirmed);
            Handled::Served(Some(g))
        } else if presented + 1 == g && in_grace {
            write(row, now, due, g, confirmed);
            Handled::Served(None)
        } else {
            Handled::Reuse
        }
    }
}

fn write(
    row: &mut Session,
    now: Timestamp,
    due: Option<Lifetime>,
    generation: u64,
    confirmed_at: Option<Timestamp>,
) {
    if due.is_some() || confirmed_at != row.confirmed_at() {
        let lifetime = due.unwrap_or(*row.lifetime());
        let update = Update::new(row, now, &lifetime).with_generation(generation, confirmed_at);
        *row = update.apply(row).unwrap();
    }
}

/// A client, its requests and its answers, both under way with their age.
#[derive(Clone)]
struct World {
    now: i64,
    row: Session,
    cookie: u64,
    requests: Vec<(u64, i64)>,
    answers: Vec<(u64, i64)>,
}

/// What tells two worlds apart: the version does not.
type Key = (i64, u64, Timestamp, Option<Timestamp>, u64, Vec<(u64, i64)>, Vec<(u64, i64)>);

impl World {
    fn key(&self) -> Key {
        let (mut requests, mut answers) = (self.requests.clone(), self.answers.clone());
        requests.sort_unstable();
        answers.sort_unstable();
        let row = &self.row;
        let renewed_at = row.lifetime().renewed_at();
        (self.now, row.generation(), renewed_at, row.confirmed_at(), self.cookie, requests, answers)
    }

    fn after(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        change(&mut world);
        world
    }
}

/// Plays every course of an honest client of at most `horizon` seconds, whose
/// requests and answers take at most `transit`, with at most two requests and two
/// answers under way. Whether any of them is taken for reuse, and how many states
/// there are.
fn explore(server: &dyn Server, row: Session, transit: i64, horizon: i64) -> (bool, usize) {
    let cookie = row.generation();
    let first = World { now: 0, row, cookie, requests: Vec::new(), answers: Vec::new() };
    let mut seen = HashSet::from([first.key()]);
    let mut open = vec![first];
    while let Some(world) = open.pop() {
        let mut next = Vec::new();
        if world.requests.len() < 2 {
            next.push(world.after(|world| world.requests.push((world.cookie, 0))));
        }
        for at in 0..world.requests.len() {
            let mut world = world.clone();
            let (presented, _) = world.requests.remove(at);
            next.push(world.clone()); // lost on the way
            match server.handle(&mut world.row, presented, world.now) {
                Handled::Reuse => return (true, seen.len()),
                Handled::Served(Some(answer)) if world.answers.len() < 2 => {
                    world.answers.push((answer, 0));
                }
                Handled::Served(_) => {} // with more under way, lost
            }
            next.push(world);
        }
        for at in 0..world.answers.len() {
            let mut world = world.clone();
            let (generation, _) = world.answers.remove(at);
            next.push(world.clone()); // lost on the way
            world.cookie = generation;
            next.push(world);
        }
        let under_way = || world.requests.iter().chain(&world.answers);
        if world.now < horizon && under_way().all(|(_, age)| *age < transit) {
            next.push(world.after(|world| {
                world.now += 1;
                world.requests.iter_mut().chain(&mut world.answers).for_each(|(_, age)| *age += 1);
            }));
        }
        open.extend(next.into_iter().filter(|world| seen.insert(world.key())));
    }
    (false, seen.len())
}

#[test]
fn an_honest_client_is_never_logged_out_while_transit_stays_under_the_grace() {
    for (grace, update_age, horizon) in [(2, 2, 14), (2, 3, 14), (3, 3, 13), (2, 4, 14)] {
        let (server, row) = Real::new(grace, update_age);
        let (ended, states) = explore(&server, row, grace - 1, horizon);
        assert!(!ended, "grace {grace}, update_age {update_age}");
        assert!(states > 5_000, "{states}");
        println!("grace {grace} s, update_age {update_age} s: {states} states");
    }
}

#[test]
fn the_wrong_tables_log_an_honest_client_out() {
    for (table, grace, update_age, ends) in [
        (Table::AsDesigned, 2, 3, false),
        (Table::GraceFromRenewal, 2, 3, true),
        (Table::RotatesUnconfirmed, 2, 3, true),
        // Grace above update_age, which `HybridSessions` refuses: it ends nobody honest, but
        // serves a superseded token for longer.
        (Table::AsDesigned, 2, 1, false),
        (Table::AsDesigned, 3, 2, false),
    ] {
        let (_, row) = Real::new(1, 1);
        let server = Model { table, grace, policy: policy(update_age) };
        let (ended, states) = explore(&server, row, grace - 1, 14);
        assert_eq!(ended, ends, "{table:?}, grace {grace}, update_age {update_age}: {states}");
    }
    let (store, grace) = (MemoryStore::new(), TimeDelta::seconds(2));
    assert!(HybridSessions::with_grace(store, ring(), policy(1), grace).is_err());
}

#[test]
fn transit_of_the_grace_itself_is_too_long() {
    let (server, row) = Real::new(2, 3);
    assert!(explore(&server, row, 2, 14).0);
}

#[test]
fn hybrid_sessions_do_what_the_table_says() {
    struct Both(Real, Model);

    impl Server for Both {
        fn handle(&self, row: &mut Session, presented: u64, now: i64) -> Handled {
            let mut modelled = row.clone();
            let expected = self.1.handle(&mut modelled, presented, now);
            let handled = self.0.handle(row, presented, now);
            assert_eq!((handled, &*row), (expected, &modelled), "{presented} at {now}");
            handled
        }
    }

    for (grace, update_age) in [(2, 3), (3, 3)] {
        let (real, row) = Real::new(grace, update_age);
        let model = Model { table: Table::AsDesigned, grace, policy: policy(update_age) };
        // Beyond the grace, so that reuse is among the answers: it ends the play.
        let (_, states) = explore(&Both(real, model), row, grace - 1, 12);
        assert!(states > 1_000, "{states}");
    }
}
