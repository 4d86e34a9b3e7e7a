mod held;
mod subject_ids;

use std::collections::BTreeSet;
use std::fmt;
use std::hash::RandomState;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use dashmap::{DashMap, Entry, OccupiedEntry};
use smol_str::SmolStr;

use self::held::{Held, Profiles};
use self::subject_ids::SubjectIds;
use super::contract::{SessionStore, StoreError};
use super::update::Update;
use crate::record::{Session, SessionId};
use crate::time::Timestamp;

/// Many, so that few requests meet at one, and that none of them takes long to
/// grow.
const SHARDS: usize = 128;
/// How many a sweep takes from `expiries` at once: microseconds under the lock.
const SWEPT_AT_ONCE: usize = 512;

/// Keeps sessions in memory: the embedded default, for one process and for
/// tests.
///
/// Sessions end with the process. Reads and renewals of different sessions run
/// in parallel (a sharded map). A subject of up to 23 bytes stands in the
/// session's own place, where a read finds it with the rest; a longer one is shared
/// with its readers. Removal takes time proportional to the number of sessions removed,
/// and a sweep to the number that it removes or that were renewed since it last met
/// them.
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
// Locks are taken in this order: a shard of `sessions`, a shard of `subjects`,
// `expiries`. Whoever starts from an index copies its keys and lets it go first.
pub struct MemoryStore {
    /// By a quick seeded hash, since ids are random. Subjects are users' choice, so
    /// their map keeps the standard hash.
    sessions: DashMap<SessionId, Held, foldhash::fast::RandomState>,
    subjects: DashMap<SmolStr, SubjectIds>,
    /// When to look at which session for its expiry; never later than its
    /// `expires_at`, so that an update need not touch this index.
    expiries: Mutex<BTreeSet<(Timestamp, SessionId)>>,
    profiles: Profiles,
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
    /// ones, until some end or a sweep removes expired ones.
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
        Self {
            sessions: DashMap::with_hasher_and_shard_amount(
                foldhash::fast::RandomState::default(),
                SHARDS,
            ),
            subjects: DashMap::with_hasher_and_shard_amount(RandomState::new(), SHARDS),
            expiries: Mutex::default(),
            profiles: Profiles::default(),
            count: AtomicUsize::new(0),
            capacity,
        }
    }

    /// No code panics while it holds the lock, and each change is one call.
    fn expiries(&self) -> MutexGuard<'_, BTreeSet<(Timestamp, SessionId)>> {
        self.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_later(&self, held: &mut Held, id: SessionId) {
        let look_at = held.expires_at();
        let mut expiries = self.expiries();
        expiries.remove(&(held.look_at, id));
        expiries.insert((look_at, id));
        held.look_at = look_at;
    }

    fn take(&self, entry: OccupiedEntry<'_, SessionId, Held>) {
        let id = *entry.key();
        let held = entry.get();
        if let Entry::Occupied(mut ids) = self.subjects.entry(held.subject().clone())
            && ids.get_mut().remove(id)
        {
            ids.remove();
        }
        self.expiries().remove(&(held.look_at, id));
        entry.remove();
        self.count.fetch_sub(1, Ordering::AcqRel);
    }

    fn remove_if(&self, id: SessionId, is_meant: impl Fn(&Held) -> bool) -> bool {
        match self.sessions.entry(id) {
            Entry::Occupied(entry) if is_meant(entry.get()) => {
                self.take(entry);
                true
            }
            Entry::Occupied(_) | Entry::Vacant(_) => false,
        }
    }

    fn get(&self, id: &SessionId) -> Option<Session> {
        self.sessions.get(id).map(|held| held.session(*id, &self.profiles))
    }

    fn ids_of(&self, subject: &str) -> Vec<SessionId> {
        self.subjects.get(subject).map_or_else(Vec::new, |ids| ids.to_vec())
    }
}

/// How much it holds, of nobody in particular.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("sessions", &self.sessions.len())
            .field("subjects", &self.subjects.len())
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
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let Entry::Vacant(entry) = self.sessions.entry(session.id()) else {
            return Err(StoreError::Conflict);
        };
        let room = |count: usize| (count < self.capacity).then(|| count + 1);
        self.count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, room)
            .map_err(|_| StoreError::Full { capacity: self.capacity })?;
        let held = Held::new(session, &self.profiles);
        match self.subjects.entry(held.subject().clone()) {
            Entry::Occupied(mut ids) => ids.get_mut().insert(session.id()),
            Entry::Vacant(none) => drop(none.insert(SubjectIds::One(session.id()))),
        }
        self.expiries().insert((held.look_at, session.id()));
        entry.insert(held);
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.get(id))
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let Some(mut held) = self.sessions.get_mut(&update.id()) else {
            return Ok(false);
        };
        if !held.update(update, &self.profiles) {
            return Ok(false);
        }
        if update.expires_at() < held.look_at {
            self.look_later(&mut held, update.id());
        }
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.remove_if(*id, |_| true))
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut left = limit as usize;
        loop {
            let due: Vec<_> = self
                .expiries()
                .iter()
                .take_while(|(at, _)| *at <= now)
                .take(left.min(SWEPT_AT_ONCE))
                .copied()
                .collect();
            if due.is_empty() {
                return Ok(u64::from(limit) - left as u64);
            }
            for (_, id) in due {
                let Entry::Occupied(mut entry) = self.sessions.entry(id) else {
                    continue; // Ended since.
                };
                if entry.get().expires_at() <= now {
                    self.take(entry);
                    left -= 1;
                } else {
                    self.look_later(entry.get_mut(), id);
                }
            }
        }
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        loop {
            let ids = self.ids_of(subject);
            let mut listed: Vec<_> = ids.iter().filter_map(|id| self.get(id)).collect();
            // One that is gone since may go on under another id.
            if listed.len() == ids.len() {
                // And an id may have been ended and taken by another subject.
                listed.retain(|session| session.subject() == subject);
                return Ok(listed);
            }
        }
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        // One look would miss the successor of a session that is rotated while
        // this runs. Once a look finds none, a rotation finds none to rotate.
        loop {
            let mut ids = self.ids_of(subject);
            ids.retain(|id| Some(id) != except);
            if ids.is_empty() {
                return Ok(removed);
            }
            for id in ids {
                removed += u64::from(self.remove_if(id, |held| held.subject() == subject));
            }
        }
    }
}
