use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use session_policy::store::{Removed, SecretHash, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};

use super::Choices;

/// Where the store waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    /// Before the effect alone: enough where nothing is dropped and no clock moves,
    /// since what a request does between its calls touches nothing that is shared.
    Before,
    Both,
}

/// How a store is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Every row has the ordinal 0, so that a limit goes by time.
    NoOrdinals,
    None,
    /// What a request takes back of its own stays.
    OwnStays,
    /// An update that does not move the end says that it was made, and writes nothing.
    SkipsWithoutGain,
    /// An update does not write the secret.
    UpdateIgnoresSecret,
    /// An update writes whatever the version.
    UpdateIgnoresVersion,
}

/// One call that a request made, for laws and for people.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) task: usize,
    pub(crate) verb: &'static str,
    /// Of which session, by its name.
    pub(crate) of: usize,
    /// Whether it changed something.
    pub(crate) changed: bool,
    /// Whether the request was told of an error.
    pub(crate) failed: bool,
    /// The row before it, where it was removed.
    pub(crate) removed: Option<Session>,
}

pub(crate) struct Store {
    state: Mutex<State>,
    pub(crate) when: When,
    pub(crate) fault: Fault,
    choices: Arc<Mutex<Choices>>,
}

#[derive(Default)]
struct State {
    /// By their names, so that no random id orders them.
    rows: Vec<(usize, Session)>,
    names: HashMap<SessionId, usize>,
    secrets: HashMap<[u8; SecretHash::BYTES], usize>,
    /// `None`: a test looks, and nothing waits or fails.
    running: Option<usize>,
    /// What each request was answered so far.
    histories: HashMap<usize, u64>,
    calls: Vec<Call>,
    failures: u32,
    ids_in_order: bool,
    redraw: bool,
}

/// The name of what a request makes: those before the requests have their numbers.
pub(crate) const MADE_BY: usize = 1_000;
/// The name of what is started over this store before the requests.
const BEFORE: usize = 500;

impl Store {
    pub(crate) fn new(choices: &Arc<Mutex<Choices>>, when: When, fault: Fault) -> Self {
        Self { state: Mutex::default(), when, fault, choices: Arc::clone(choices) }
    }

    pub(crate) fn with_failures(self, failures: u32) -> Self {
        self.state().failures = failures;
        self
    }

    /// Only runs in which requests that come first have lower ids.
    pub(crate) fn with_ids_in_order(self) -> Self {
        self.state().ids_in_order = true;
        self
    }

    pub(crate) fn hold(&self, row: &Session) {
        let mut state = self.state();
        let number = usize::from(row.id().as_bytes()[SessionId::BYTES - 1]);
        state.names.insert(row.id(), number);
        state.secrets.insert(*row.secret().as_bytes(), number);
        state.rows.push((number, row.clone()));
    }

    /// In the order of their names.
    pub(crate) fn rows(&self) -> Vec<Session> {
        self.state().rows.iter().map(|(_, row)| row.clone()).collect()
    }

    pub(crate) fn row(&self, id: SessionId) -> Option<Session> {
        self.state().find(id).cloned()
    }

    /// Which request made it, or `None` where it was there before.
    pub(crate) fn maker(&self, id: SessionId) -> Option<usize> {
        self.state().names.get(&id).and_then(|name| name.checked_sub(MADE_BY))
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub(super) fn count_of_calls(&self) -> usize {
        self.state().calls.len()
    }

    pub(super) fn runs(&self, task: Option<usize>) {
        self.state().running = task;
    }

    pub(super) fn redraw(&self) -> bool {
        self.state().redraw
    }

    pub(super) fn hash(&self, hasher: &mut impl Hasher) {
        let state = self.state();
        for (name, row) in &state.rows {
            (name, state.face(row)).hash(hasher);
        }
        let mut histories: Vec<_> = state.histories.iter().collect();
        histories.sort_unstable();
        (histories, state.failures).hash(hasher);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn call<T>(
        &self,
        verb: &'static str,
        of: Option<SessionId>,
        effect: impl FnOnce(&mut State) -> Result<T, StoreError>,
        face: impl Fn(&State, &T) -> (u64, bool),
    ) -> Result<T, StoreError> {
        let Some(task) = self.state().running else {
            return effect(&mut self.state());
        };
        stop().await;
        let answer = self.act(task, verb, of, effect, face);
        if self.when == When::Both {
            stop().await;
        }
        answer
    }

    /// The effect of a call, or its failure before or after it.
    fn act<T>(
        &self,
        task: usize,
        verb: &'static str,
        of: Option<SessionId>,
        effect: impl FnOnce(&mut State) -> Result<T, StoreError>,
        face: impl Fn(&State, &T) -> (u64, bool),
    ) -> Result<T, StoreError> {
        let may_fail = self.state().failures > 0;
        let fails = if may_fail { self.choices.lock().unwrap().choose(3) } else { 0 };
        let mut state = self.state();
        let before = of.and_then(|of| state.find(of)).cloned();
        let mut answer = if fails == 1 { Err(away()) } else { effect(&mut state) };
        let (seen, changed) = answer.as_ref().map_or((u64::MAX, false), |it| face(&state, it));
        if fails == 2 {
            answer = Err(away());
        }
        state.failures -= u32::from(fails != 0);
        let of = of.and_then(|of| state.names.get(&of).copied()).unwrap_or_default();
        let history = state.histories.entry(task).or_default();
        *history = hash(&(*history, verb, of, seen, fails));
        let removed = before.filter(|_| changed && verb == "remove");
        state.calls.push(Call { task, verb, of, changed, failed: answer.is_err(), removed });
        answer
    }
}

impl State {
    fn find(&self, id: SessionId) -> Option<&Session> {
        self.rows.iter().find(|(_, row)| row.id() == id).map(|(_, row)| row)
    }

    fn add(&mut self, row: Session) {
        let task = self.running.map_or(BEFORE, |task| MADE_BY + task);
        let name = *self.names.entry(row.id()).or_insert(task);
        let lower = |other: usize, id: SessionId| (other < task) != (id < row.id());
        let made = self.names.iter().filter(|(id, _)| **id != row.id());
        if self.ids_in_order && made.clone().any(|(id, other)| lower(*other, *id)) {
            self.redraw = true;
        }
        self.secret(*row.secret());
        let place = self.rows.partition_point(|(other, _)| *other <= name);
        self.rows.insert(place, (name, row));
    }

    /// A new secret is named by its request.
    fn secret(&mut self, secret: SecretHash) {
        let task = MADE_BY * self.running.map_or(0, |task| 1 + task);
        let of_task = self.secrets.values().filter(|name| **name / MADE_BY == task / MADE_BY);
        let name = task + of_task.count();
        self.secrets.entry(*secret.as_bytes()).or_insert(name);
    }

    /// A row without what is random.
    fn face(&self, row: &Session) -> u64 {
        let lifetime = row.lifetime();
        let instants =
            [lifetime.created_at(), lifetime.renewed_at(), lifetime.expires_at()].map(seconds);
        let secret = self.secrets.get(row.secret().as_bytes());
        let confirmed_at = row.confirmed_at().map(seconds);
        let name = self.names.get(&row.id());
        let counts = [row.ordinal(), row.version(), row.generation()];
        hash(&(name, row.profile(), instants, counts, secret, confirmed_at))
    }

    fn faces<'a>(&self, rows: impl IntoIterator<Item = &'a Session>) -> u64 {
        hash(&rows.into_iter().map(|row| self.face(row)).collect::<Vec<_>>())
    }
}

impl SessionStore for Store {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let row = if self.fault == Fault::NoOrdinals {
            without_ordinal(session)
        } else {
            session.clone()
        };
        let effect = |state: &mut State| {
            if state.find(row.id()).is_some() {
                return Err(StoreError::Conflict);
            }
            state.add(row);
            Ok(())
        };
        self.call("create", Some(session.id()), effect, |_, ()| (0, true)).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let effect = |state: &mut State| Ok(state.find(*id).cloned());
        self.call("load", Some(*id), effect, |state, row| (state.faces(row), false)).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let fault = self.fault;
        let effect = |state: &mut State| Ok(state.update(update, fault));
        let face = |_: &State, applied: &bool| (u64::from(*applied), *applied);
        self.call("update", Some(update.id()), effect, face).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let stays = self.fault == Fault::OwnStays;
        let effect = |state: &mut State| {
            let before = state.rows.len();
            let own = state.running.map(|task| MADE_BY + task);
            let own = stays && own.is_some() && state.names.get(id).copied() == own;
            state.rows.retain(|(_, row)| own || row.id() != *id);
            Ok(own || state.rows.len() < before)
        };
        let face = |_: &State, removed: &bool| (u64::from(*removed), *removed);
        self.call("remove", Some(*id), effect, face).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let effect = |state: &mut State| {
            let mut removed = Vec::new();
            state.rows.retain(|(_, row)| {
                let goes = row.lifetime().expires_at() <= before && removed.len() < limit as usize;
                removed.extend(goes.then(|| Removed::of(row)));
                !goes
            });
            Ok(removed)
        };
        let face = |_: &State, removed: &Vec<Removed>| (hash(&removed.len()), !removed.is_empty());
        self.call("remove_expired", None, effect, face).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let effect = |state: &mut State| {
            let rows = state.rows.iter().map(|(_, row)| row.clone());
            Ok(rows.filter(|row| row.subject() == subject).collect())
        };
        self.call("list", None, effect, |state, rows: &Vec<_>| (state.faces(rows), false)).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let effect = |state: &mut State| {
            let mut removed = Vec::new();
            state.rows.retain(|(_, row)| {
                let goes = row.subject() == subject && Some(&row.id()) != except;
                removed.extend(goes.then(|| row.id()));
                !goes
            });
            Ok(removed)
        };
        let face = |_: &State, removed: &Vec<_>| (hash(&removed.len()), !removed.is_empty());
        self.call("remove_all", None, effect, face).await
    }
}

impl State {
    fn update(&mut self, update: &Update, fault: Fault) -> bool {
        self.secret(*update.secret());
        let Some(at) = self.rows.iter().position(|(_, row)| row.id() == update.id()) else {
            return false;
        };
        let (name, row) = self.rows[at].clone();
        let guarded = match fault {
            Fault::UpdateIgnoresVersion => with_version(&row, update.expected_version()),
            _ => row.clone(),
        };
        let Some(updated) = update.apply(&guarded) else { return false };
        let mut parts = updated.into_parts();
        parts.version = row.version() + 1;
        match fault {
            Fault::UpdateIgnoresSecret => parts.secret = *row.secret(),
            Fault::SkipsWithoutGain
                if parts.lifetime.expires_at() == row.lifetime().expires_at() =>
            {
                return true;
            }
            _ => {}
        }
        self.rows[at] = (name, Session::restore(parts).unwrap());
        true
    }
}

fn with_version(row: &Session, version: u64) -> Session {
    let mut parts = row.clone().into_parts();
    parts.version = version;
    Session::restore(parts).unwrap()
}

fn without_ordinal(row: &Session) -> Session {
    let mut parts = row.clone().into_parts();
    parts.ordinal = 0;
    Session::restore(parts).unwrap()
}

fn away() -> StoreError {
    StoreError::unavailable("the store is away")
}

fn seconds(instant: Timestamp) -> i64 {
    instant.as_unix_secs()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

async fn stop() {
    let mut stopped = false;
    let wait = |_: &mut std::task::Context<'_>| {
        if std::mem::replace(&mut stopped, true) { Poll::Ready(()) } else { Poll::Pending }
    };
    poll_fn(wait).await;
}
