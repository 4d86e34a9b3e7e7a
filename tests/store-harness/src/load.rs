use std::collections::HashSet;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, RwLock};
use std::time::Instant;

use chrono::TimeDelta;
use session_policy::store::SessionStore;
use session_policy::{
    AuthenticateError, Clock, ManualClock, Session, SessionId, SessionPolicy, Sessions, StartError,
    Timestamp,
};

use crate::Report;
use crate::client::{Client, Place};
use crate::ledger::{Subject, Wrong};
use crate::report::{
    NO_LEAK, NO_LOST_LOGOUT, NO_RESURRECTION, NO_SESSION_LOST, ONE_WINNER, Tally, count,
};
use crate::winners::Winners;

/// How many sessions a subject has at a time, where there are many.
const PER_SUBJECT: usize = 10;
/// Where the clock starts, unless told otherwise: 2027.
const START: Timestamp = Timestamp::from_unix_secs(1_800_000_000);

/// A load: how many clients use how many sessions, for how many operations.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
///
/// use session_policy::MemoryStore;
/// use session_policy_store_harness::Load;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let report = Load::of_sessions(1).operations(1_000).run(Arc::new(MemoryStore::new())).await;
/// report.assert_clean();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Load {
    sessions: usize,
    clients: usize,
    operations: u64,
    seed: u64,
    prefix: String,
    reads_bind: bool,
}

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) sessions: Sessions<Arc<Winners<S>>>,
    pub(crate) clock: ManualClock,
    pub(crate) places: Vec<Place>,
    pub(crate) tally: Tally,
    pub(crate) prefix: String,
    pub(crate) reads_bind: bool,
    operations: u64,
    /// How far the clock goes over the run.
    seconds: u64,
}

impl Load {
    /// 32 clients on this many sessions, for 100,000 operations.
    #[must_use]
    pub fn of_sessions(sessions: usize) -> Self {
        let prefix = format!("load-{sessions}");
        let sessions = sessions.max(1);
        Self { sessions, clients: 32, operations: 100_000, seed: 1, prefix, reads_bind: true }
    }

    /// As many concurrent clients.
    #[must_use]
    pub fn clients(self, clients: usize) -> Self {
        Self { clients, ..self }
    }

    /// At least as many steps, over all clients; most are one call of `Sessions`.
    #[must_use]
    pub fn operations(self, operations: u64) -> Self {
        Self { operations, ..self }
    }

    /// On an engine that shows a write before it is durable, and is killed: what a read has
    /// seen may be lost, so only what a writer was told binds later calls.
    #[must_use]
    pub fn shows_early(self) -> Self {
        Self { reads_bind: false, ..self }
    }

    /// Other choices of the clients.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Runs on a store that holds no session of these subjects, in the tokio
    /// runtime that it is called in; at its end the sessions that live are left in
    /// the store.
    ///
    /// The policy is 10 minutes idle, renewed every 30 s, 30 minutes in all; the
    /// clock passes three caps or more.
    ///
    /// # Panics
    ///
    /// If a client's task panics, or the policy is refused (a defect of this
    /// crate).
    #[expect(clippy::expect_used, reason = "a harness for tests, with constant settings")]
    pub async fn run<S>(&self, store: Arc<S>) -> Report
    where
        S: SessionStore + 'static,
    {
        let policy = SessionPolicy::new(
            TimeDelta::minutes(10),
            TimeDelta::seconds(30),
            TimeDelta::minutes(30),
        )
        .expect("the settings are in order");
        let clock = ManualClock::new(START);
        let shared = Arc::new(Shared {
            sessions: Sessions::new(Arc::new(Winners::new(store)), policy)
                .with_clock(clock.clone())
                .with_retention(TimeDelta::zero()),
            clock,
            places: self.places(),
            tally: Tally::default(),
            prefix: self.prefix.clone(),
            reads_bind: self.reads_bind,
            operations: self.operations,
            // Three caps at least, and 5 s between the requests of a session, so
            // that renewals come due before the session is logged out.
            seconds: (5 * self.operations / self.sessions as u64).max(5_400),
        });
        let started = Instant::now();
        let clients: Vec<_> = (0..self.clients)
            .map(|number| {
                let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
                tokio::spawn(Client::new(Arc::clone(&shared), seed).run())
            })
            .collect();
        for client in clients {
            client.await.expect("no client panics");
        }
        let elapsed = started.elapsed();
        shared.audit().await;
        shared.tally.report(elapsed)
    }

    fn places(&self) -> Vec<Place> {
        let subjects: Vec<_> = (0..self.sessions.div_ceil(PER_SUBJECT))
            .map(|number| Arc::new(Subject::new(format!("{}-{number}", self.prefix))))
            .collect();
        (0..self.sessions)
            .map(|place| Place {
                subject: Arc::clone(&subjects[place / PER_SUBJECT]),
                current: RwLock::default(),
            })
            .collect()
    }
}

impl<S: SessionStore> Shared<S> {
    /// Counts one operation, and moves the clock on. `false` once there were
    /// enough.
    pub(crate) fn next(&self) -> bool {
        let number = self.tally.operations.fetch_add(1, Relaxed);
        let second = |number: u64| number.saturating_mul(self.seconds) / self.operations.max(1);
        if second(number) < second(number + 1) {
            let step = i64::try_from(second(number + 1) - second(number)).unwrap_or(1);
            self.clock.advance(TimeDelta::seconds(step));
        }
        number < self.operations
    }

    /// Whether there were enough operations.
    pub(crate) fn is_over(&self) -> bool {
        self.tally.operations.load(Relaxed) >= self.operations
    }

    /// At rest: what was ended is gone, what lives is there, and there is nothing
    /// else.
    async fn audit(&self) {
        for (id, version) in self.sessions.store().won_twice() {
            self.tally.violation(ONE_WINNER, || format!("{id}: two updates won version {version}"));
        }
        let now = self.clock.now();
        let mut subjects: Vec<_> = self.places.iter().map(|place| &place.subject).collect();
        subjects.dedup_by_key(|subject| Arc::as_ptr(subject));
        for subject in subjects {
            let held: Vec<Session> = match self.sessions.list(&subject.name).await {
                Ok(held) => held,
                Err(error) => return self.tally.error("list", &error),
            };
            let held: HashSet<_> = held.iter().map(Session::id).collect();
            for issued in subject.issued() {
                let id = issued.id();
                let found = self.sessions.authenticate(issued.token.expose()).await;
                if let Err(AuthenticateError::Store(error)) = &found {
                    return self.tally.error("authenticate", error);
                }
                if issued.row.ended.load(SeqCst) && (found.is_ok() || held.contains(&id)) {
                    self.tally
                        .violation(NO_LOST_LOGOUT, || format!("{id} is there after it was ended"));
                }
                if issued.rotated.load(SeqCst) && found.is_ok() {
                    self.rotated_away(id);
                }
                let must_live = issued.must_live(&issued.row.seen(), now);
                if must_live && !(found.is_ok() && held.contains(&id)) {
                    self.tally.violation(NO_SESSION_LOST, || format!("{id} is gone or not listed"));
                }
            }
            let known: HashSet<_> = subject.rows().iter().map(|row| row.id()).collect();
            let leaked = held.difference(&known).count();
            // A start that failed may have left one.
            if leaked > 0 && self.tally.errors() == 0 {
                let name = &subject.name;
                self.tally.violation(NO_LEAK, || format!("{name} has {leaked} that nobody has"));
            }
        }
    }

    pub(crate) fn start_failed(&self, error: &StartError) {
        self.tally.error("start", error);
    }

    /// A token was served that a rotation had replaced.
    pub(crate) fn rotated_away(&self, id: SessionId) {
        self.tally.violation(NO_RESURRECTION, || format!("{id} was served by a former token"));
    }

    pub(crate) fn note(&self, wrong: impl IntoIterator<Item = Wrong>) {
        for (rule, sentence) in wrong {
            self.tally.violation(rule, || sentence);
        }
    }

    pub(crate) fn refused(&self) {
        count(&self.tally.refused);
    }
}
