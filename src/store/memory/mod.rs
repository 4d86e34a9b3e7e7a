mod by_id;
mod scan;
mod shards;
mod subject_ids;

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use smol_str::SmolStr;

use self::by_id::ById;
use self::shards::{Shards, shard};
use self::subject_ids::SubjectIds;
use super::contract::{SessionStore, StoreError};
use super::scan::Removed;
use super::update::Update;
use super::yielding::yield_now;
use crate::record::{Session, SessionId};
use crate::time::Timestamp;

/// How many sessions a sweep takes from `expiries` at once, which is microseconds
/// under the lock; and after how many a call lets other tasks run.
const AT_ONCE: usize = 512;

/// Keeps sessions in memory: the embedded default, for one process and for
/// tests.
///
/// Sessions end with the process. Reads and updates of different sessions run in parallel.
/// A session is shared with its readers. It is one allocation; a subject or profile of more
/// than 23 bytes is another, and so is all that few sessions have: an epoch, an ordinal, an
/// `about`, and when a hybrid token was confirmed. Removal takes time proportional to the number of sessions
/// removed. A sweep takes time proportional to the sessions that it removes and those that
/// were renewed since it last met them. A call about many sessions lets other tasks run
/// after every 512.
///
/// # Example
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use session_policy::{MemoryStore, SessionPolicy, Sessions};
///
/// let capacity = NonZeroUsize::new(100_000).unwrap();
/// let sessions = Sessions::new(MemoryStore::with_capacity(capacity), SessionPolicy::WORKING_DAY);
/// # drop(sessions);
/// ```
///
#[doc = include_str!("example.md")]
// Locks are taken in this order: a shard of `sessions`, a shard of `subjects`,
// `expiries`. Whoever starts from an index copies its keys and lets it go first.
pub struct MemoryStore {
    /// By a quick seeded hash, since ids are random. Subjects are users' choice, so
    /// their map keeps the standard hash.
    ///
    /// With each session its place in `expiries`.
    sessions: Shards<ById, Timestamp, foldhash::fast::RandomState>,
    subjects: Shards<SmolStr, SubjectIds, RandomState>,
    subject_hash: RandomState,
    /// When to look at which session for its expiry; never later than its
    /// `expires_at`, so that a renewal need not touch this index.
    expiries: Mutex<BTreeSet<(Timestamp, SessionId)>>,
    count: AtomicUsize,
    capacity: usize,
}

impl MemoryStore {
    /// An empty store without a bound: it grows until sessions end or a
    /// [sweep](crate::Sessions::sweep) removes expired ones.
    #[must_use]
    pub fn new() -> Self {
        Self::bounded(usize::MAX)
    }

    /// An empty store that holds at most `capacity` sessions. Once full it
    /// refuses new ones with [`StoreError::Full`], rather than evicting live
    /// ones; then [`Sessions`](crate::Sessions) removes expired ones and tries again.
    #[must_use]
    pub fn with_capacity(capacity: NonZeroUsize) -> Self {
        Self::bounded(capacity.get())
    }

    /// How many sessions it holds, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Whether it holds no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bounded(capacity: usize) -> Self {
        let subject_hash = RandomState::new();
        Self {
            sessions: Shards::new(&foldhash::fast::RandomState::default()),
            subjects: Shards::new(&subject_hash),
            subject_hash,
            expiries: Mutex::default(),
            count: AtomicUsize::new(0),
            capacity,
        }
    }

    fn subject_shard(&self, subject: &str) -> usize {
        // The map takes the low bits of the same hash.
        (self.subject_hash.hash_one(subject) >> 32) as usize
    }

    /// No code panics while it holds the lock.
    fn expiries(&self) -> MutexGuard<'_, BTreeSet<(Timestamp, SessionId)>> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_later(&self, look_at: &mut Timestamp, session: &Session) {
        let (id, later) = (session.id(), session.lifetime().expires_at());
        let mut expiries = self.expiries();
        expiries.remove(&(*look_at, id));
        expiries.insert((later, id));
        *look_at = later;
    }

    fn remove_if(&self, id: SessionId, is_meant: impl Fn(&Session) -> bool) -> Option<Session> {
        let mut sessions = self.sessions.write(shard(id));
        sessions.get_key_value(&id).filter(|(held, _)| is_meant(&held.0))?;
        let (ById(session), look_at) = sessions.remove_entry(&id)?;
        let subject = session.subject_text();
        if let Entry::Occupied(mut ids) =
            self.subjects.write(self.subject_shard(subject)).entry(subject.clone())
            && ids.get_mut().remove(id)
        {
            ids.remove();
        }
        self.expiries().remove(&(look_at, id));
        self.count.fetch_sub(1, Ordering::AcqRel);
        Some(session)
    }

    #[inline]
    fn get(&self, id: SessionId) -> Option<Session> {
        self.sessions.read(shard(id)).get_key_value(&id).map(|(held, _)| held.0.clone())
    }

    fn ids_of(&self, subject: &str) -> Vec<SessionId> {
        let subjects = self.subjects.read(self.subject_shard(subject));
        subjects.get(subject).map_or_else(Vec::new, SubjectIds::to_vec)
    }
}

/// How much it holds, of nobody in particular.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("expiries", &self.expiries().len())
            .field("count", &self.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionStore for MemoryStore {
    const NEVER_WAITS: bool = true;

    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let id = session.id();
        let mut sessions = self.sessions.write(shard(id));
        if sessions.contains_key(&id) {
            return Err(StoreError::Conflict);
        }
        let room = |count: usize| (count < self.capacity).then(|| count + 1);
        self.count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, room)
            .map_err(|_| StoreError::Full { capacity: self.capacity })?;
        let look_at = session.lifetime().expires_at();
        let subject = session.subject_text();
        match self.subjects.write(self.subject_shard(subject)).entry(subject.clone()) {
            Entry::Occupied(mut ids) => ids.get_mut().insert(id),
            Entry::Vacant(none) => drop(none.insert(SubjectIds::One(id))),
        }
        self.expiries().insert((look_at, id));
        sessions.insert(ById(session.clone()), look_at);
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.get(*id))
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let id = update.id();
        let mut sessions = self.sessions.write(shard(id));
        let held = sessions.get_key_value(&id);
        let updated = held.and_then(|(held, look_at)| Some((update.apply(&held.0)?, *look_at)));
        let Some((updated, mut look_at)) = updated else {
            return Ok(false);
        };
        if update.expires_at() < look_at {
            self.look_later(&mut look_at, &updated);
        }
        // `insert` alone would keep the session as it was.
        sessions.remove(&id);
        sessions.insert(ById(updated), look_at);
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.remove_if(*id, |_| true).is_some())
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let has_expired = |session: &Session| session.lifetime().expires_at() <= before;
        let limit = limit as usize;
        let mut removed = Vec::new();
        loop {
            let due: Vec<_> = self
                .expiries()
                .iter()
                .take_while(|(at, _)| *at <= before)
                .take((limit - removed.len()).min(AT_ONCE))
                .copied()
                .collect();
            if due.is_empty() {
                return Ok(removed);
            }
            for (_, id) in due {
                if let Some(session) = self.remove_if(id, has_expired) {
                    removed.push(Removed::of(&session));
                    continue;
                }
                let mut sessions = self.sessions.write(shard(id));
                let held = sessions.get_key_value(&id).map(|(held, _)| held.0.clone());
                // Else it was ended since.
                if let (Some(session), Some(look_at)) = (held, sessions.get_mut(&id)) {
                    self.look_later(look_at, &session);
                }
            }
            yield_now().await;
        }
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut listed = Vec::new();
        for ids in self.ids_of(subject).chunks(AT_ONCE) {
            let sessions = ids.iter().filter_map(|id| self.get(*id));
            // An id may have been ended and taken by another subject since.
            listed.extend(sessions.filter(|session| session.subject() == subject));
            if ids.len() == AT_ONCE {
                yield_now().await;
            }
        }
        Ok(listed)
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        // Others may have taken an id since.
        let is_theirs = |session: &Session| session.subject() == subject;
        let mut removed = Vec::new();
        for ids in self.ids_of(subject).chunks(AT_ONCE) {
            let is_meant =
                |id: &&SessionId| Some(*id) != except && self.remove_if(**id, is_theirs).is_some();
            removed.extend(ids.iter().filter(is_meant));
            if ids.len() == AT_ONCE {
                yield_now().await;
            }
        }
        Ok(removed)
    }
}
