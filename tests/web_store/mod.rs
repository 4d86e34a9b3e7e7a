//! A store that counts, waits and fails as it is told, and a browser's jar.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use pollster::block_on;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::web::{Exchange, Reply, SessionCookie, WebSessions};
use session_policy::{
    Bound, Bounds, ManualClock, MemoryStore, Policies, Session, SessionId, SessionPolicy, Sessions,
    Timestamp,
};

pub(crate) const NAME: &str = "__Host-session";

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_unix_secs(1_800_000_000))
}

pub(crate) fn ring() -> KeyRing {
    KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
}

/// Counts its calls; waits before and after each, or fails, if it is told to.
#[derive(Clone, Default)]
pub(crate) struct Store(Arc<Inner>);

#[derive(Default)]
struct Inner {
    rows: MemoryStore,
    calls: Mutex<BTreeMap<&'static str, u32>>,
    waits: AtomicBool,
    fails: AtomicBool,
    hangs: AtomicBool,
}

impl Store {
    pub(crate) fn wait(&self, waits: bool) {
        self.0.waits.store(waits, SeqCst);
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.0.fails.store(fails, SeqCst);
    }

    pub(crate) fn hang(&self, hangs: bool) {
        self.0.hangs.store(hangs, SeqCst);
    }

    /// The calls since it was last asked.
    pub(crate) fn calls(&self) -> String {
        let calls = std::mem::take(&mut *self.0.calls.lock().unwrap());
        let calls: Vec<_> = calls.iter().map(|(verb, count)| format!("{verb} {count}")).collect();
        calls.join(", ")
    }

    pub(crate) fn len(&self) -> usize {
        self.0.rows.len()
    }

    pub(crate) fn row(&self, id: SessionId) -> Option<Session> {
        block_on(self.0.rows.load(&id)).unwrap()
    }

    pub(crate) fn rows(&self) -> &MemoryStore {
        &self.0.rows
    }

    async fn call<T>(
        &self,
        verb: &'static str,
        effect: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        *self.0.calls.lock().unwrap().entry(verb).or_default() += 1;
        self.stop().await;
        if self.0.fails.load(SeqCst) {
            return Err(StoreError::unavailable("away"));
        }
        if self.0.hangs.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        let answer = effect.await;
        self.stop().await;
        answer
    }

    async fn stop(&self) {
        let mut stopped = !self.0.waits.load(SeqCst);
        poll_fn(|_| {
            if std::mem::replace(&mut stopped, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl SessionStore for Store {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.call("create", self.0.rows.create(session)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.call("load", self.0.rows.load(id)).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.call("update", self.0.rows.update(update)).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.call("remove", self.0.rows.remove(id)).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.call("remove_expired", self.0.rows.remove_expired(before, limit)).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.call("list", self.0.rows.list(subject)).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.call("remove_all", self.0.rows.remove_all(subject, except)).await
    }
}

/// Asked for every subject; it can be away, or know nobody.
#[derive(Clone, Default)]
pub(crate) struct Directory {
    asked: Arc<Mutex<u32>>,
    away: Arc<AtomicBool>,
    nobody: Arc<AtomicBool>,
}

impl Directory {
    pub(crate) fn asked(&self) -> u32 {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    pub(crate) fn go_away(&self, away: bool) {
        self.away.store(away, SeqCst);
    }

    pub(crate) fn suspend(&self, nobody: bool) {
        self.nobody.store(nobody, SeqCst);
    }
}

impl Bounds for Directory {
    async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        *self.asked.lock().unwrap() += 1;
        if self.away.load(SeqCst) {
            return Err(StoreError::unavailable("away"));
        }
        Ok((!self.nobody.load(SeqCst)).then(Bound::default))
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Opaque,
    Hybrid,
    Stateless,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Opaque, Kind::Hybrid, Kind::Stateless];

/// An application behind a cookie.
pub(crate) struct App {
    pub(crate) web: WebSessions,
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) directory: Directory,
    tasks: Tasks,
}

type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
type Tasks = Arc<Mutex<Vec<Task>>>;

impl App {
    pub(crate) fn new(kind: Kind, policies: impl Into<Policies>) -> Self {
        let (store, clock, directory) = (Store::default(), clock(), Directory::default());
        let (policies, cookie) = (policies.into(), SessionCookie::host("session"));
        let web = match kind {
            Kind::Opaque => {
                let sessions = Sessions::new(store.clone(), policies).with_clock(clock.clone());
                WebSessions::new(sessions.with_bounds(directory.clone()), cookie)
            }
            Kind::Hybrid => {
                let sessions = HybridSessions::new(store.clone(), ring(), policies).unwrap();
                let sessions = sessions.with_clock(clock.clone()).with_bounds(directory.clone());
                WebSessions::new(sessions, cookie)
            }
            Kind::Stateless => {
                let sessions = JwtSessions::new(ring(), policies).with_clock(clock.clone());
                WebSessions::new(sessions.with_bounds(directory.clone()), cookie)
            }
        };
        Self { web: web.unwrap(), store, clock, directory, tasks: Tasks::default() }
    }

    /// 30 minutes idle, renewed every 2, 8 hours in all.
    pub(crate) fn of(kind: Kind) -> Self {
        Self::new(kind, policy())
    }

    /// Verbs run in tasks of their own, which go on as [`run`](Self::run) says.
    pub(crate) fn spawning(mut self) -> Self {
        let tasks = Arc::clone(&self.tasks);
        self.web = self.web.spawn_with(move |task| tasks.lock().unwrap().push(task));
        self
    }

    /// Lets every task go on by one step; whether there was one.
    pub(crate) fn step(&self) -> bool {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap());
        let any = !tasks.is_empty();
        for mut task in tasks {
            if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                self.tasks.lock().unwrap().push(task);
            }
        }
        any
    }

    /// Runs what was spawned to its end.
    pub(crate) fn run(&self) {
        while self.step() {}
    }

    /// Runs a verb, and what it spawns.
    pub(crate) fn drive<T>(&self, verb: impl Future<Output = T>) -> T {
        let mut verb = std::pin::pin!(verb);
        for _ in 0..1_000 {
            let polled = verb.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(done) = polled {
                return done;
            }
            self.step();
        }
        panic!("it never ends")
    }

    pub(crate) fn exchange(&self) -> Exchange {
        self.web.exchange()
    }

    /// A cookie of a new sign-in on a client that holds none.
    pub(crate) fn sign_in(&self, subject: &str) -> String {
        let exchange = self.exchange();
        drop(self.drive(exchange.auth([], []).sign_in(subject)).unwrap());
        cookie(&block_on(exchange.reply([])).unwrap()).unwrap()
    }

    /// Whose session a `Cookie` header opens, without extending it.
    pub(crate) fn opens(&self, cookie: &str) -> Result<String, &'static str> {
        let auth = self.exchange().auth([cookie.as_bytes()], []);
        match block_on(auth.peeked()) {
            Ok(seen) => Ok(seen.session.subject().to_owned()),
            Err(refused) => Err(refused.as_str()),
        }
    }
}

pub(crate) fn policy() -> SessionPolicy {
    let secs = chrono::TimeDelta::seconds;
    SessionPolicy::new(secs(1_800), secs(120), secs(28_800)).unwrap()
}

/// The name and the value that a reply sets.
pub(crate) fn cookie(reply: &Reply) -> Option<String> {
    let text = reply.set_cookie.as_ref()?;
    Some(text.split(';').next().unwrap().to_owned())
}
