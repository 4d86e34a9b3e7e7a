//! A store with an index by subject and one by expiry, right but for one planted fault.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use session_policy::store::{
    Cursor, Page, Removed, ScanStore, SecretHash, SessionStore, StoreError, Update,
};
use session_policy::{Lifetime, Session, SessionId, Timestamp};

use crate::columns::{id_key, stored, subject_key, updated};
use crate::faults::Fault;

const WAITS_FOR: [Fault; 4] =
    [Fault::WaitsForCreate, Fault::WaitsForList, Fault::WaitsForRemoveAll, Fault::WaitsForSweep];

/// A handle on a store, which may say that it never waits.
pub(super) struct Planted<const SAYS_NEVER_WAITS: bool = false> {
    pub(super) fault: Fault,
    /// Whether the calls wait between their steps, or run through.
    waits: bool,
    /// Whether they let other threads run between their steps.
    yields: bool,
    /// Whether they wait for another thread, as for a server.
    outside: bool,
    shared: Arc<Shared>,
    /// Of this handle alone.
    cached: Mutex<BTreeMap<SessionId, Option<Session>>>,
    cached_lists: Mutex<BTreeMap<String, Vec<Session>>>,
    behind: Mutex<Vec<Update>>,
    own: Mutex<()>,
    /// How many writes this handle was told of when it filled its cache.
    cached_at: AtomicUsize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    second: Mutex<()>,
    taken: AtomicBool,
    running: AtomicUsize,
    creating: AtomicUsize,
    /// How many writes the handles were told of.
    told: AtomicUsize,
}

#[derive(Clone, Default)]
struct State {
    rows: BTreeMap<SessionId, Row>,
    subjects: BTreeMap<String, BTreeSet<SessionId>>,
    expiries: BTreeSet<(Timestamp, SessionId)>,
    order: VecDeque<SessionId>,
    removed: BTreeMap<SessionId, Session>,
    /// Marked as removed, by the verb that the fault is about.
    marked: BTreeMap<SessionId, Session>,
    swept: bool,
}

impl State {
    fn count_writes_of(&mut self, subject: &str) {
        for row in self.rows.values_mut().filter(|row| row.session.subject() == subject) {
            let mut parts = row.session.clone().into_parts();
            parts.version += 1;
            row.session = Session::restore(parts).unwrap();
        }
    }
}

#[derive(Clone)]
struct Row {
    session: Session,
    first_expires_at: Timestamp,
}

impl Planted {
    pub(super) fn new(fault: Fault, waits: bool) -> Self {
        Self::on(fault, waits, Arc::default())
    }

    pub(super) fn saying_that_it_never_waits(self) -> Planted<true> {
        Planted::on(self.fault, self.waits, Arc::clone(&self.shared))
    }
}

impl<const SAYS_NEVER_WAITS: bool> Planted<SAYS_NEVER_WAITS> {
    fn on(fault: Fault, waits: bool, shared: Arc<Shared>) -> Self {
        let (cached, cached_lists, behind, own, cached_at) = Default::default();
        Self {
            fault,
            waits,
            yields: false,
            outside: false,
            shared,
            cached,
            cached_lists,
            behind,
            own,
            cached_at,
        }
    }

    pub(super) fn another(&self) -> Self {
        let shared = if self.has(Fault::ClonesForget) {
            let state = Mutex::new(self.state().clone());
            Arc::new(Shared { state, ..Shared::default() })
        } else {
            self.shared.clone()
        };
        Self::on(self.fault, self.waits, shared)
    }

    pub(super) fn yielding(mut self) -> Self {
        self.yields = true;
        self
    }

    pub(super) fn waiting_outside(mut self) -> Self {
        self.outside = true;
        self
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, subject: &str) -> String {
        subject_key(self.fault, subject)
    }

    /// Gives way once, so that others come between, if the calls do at all.
    async fn gap(&self) {
        if self.yields {
            std::thread::yield_now();
        }
        if self.outside {
            woken_from_outside().await;
        }
        if self.waits {
            yield_once().await;
        }
    }

    /// What each call does first.
    async fn begin(&self) {
        if self.has(Fault::NeverWoken) && self.shared.running.fetch_add(1, Ordering::AcqRel) == 40 {
            std::future::pending::<()>().await;
        }
        self.gap().await;
    }

    /// Waits in a verb that is not to wait.
    async fn waits(&self, in_this_verb: Fault, id: &SessionId) {
        let taken = || self.shared.taken.load(Ordering::Acquire);
        if self.has(in_this_verb)
            || WAITS_FOR.contains(&self.fault) && taken()
            || self.has(Fault::WaitsWhereNoneIs) && self.get(id).is_none()
        {
            yield_once().await;
        }
    }

    /// What those wait for.
    async fn is_waited_for(&self, fault: Fault) {
        if self.has(fault) {
            self.shared.taken.store(true, Ordering::Release);
            yield_once().await;
            self.shared.taken.store(false, Ordering::Release);
        }
    }

    /// Tells the other handles to empty their caches, unless this write is forgotten.
    fn tells(&self, forgotten: Fault) {
        if !self.has(forgotten) {
            self.shared.told.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// A lock that a dropped call leaves taken.
    async fn locks(&self, leaves: Fault) {
        if self.has(leaves) {
            while self.shared.taken.swap(true, Ordering::AcqRel) {
                yield_once().await;
            }
            self.gap().await;
            self.shared.taken.store(false, Ordering::Release);
        }
    }

    fn mark(&self, state: &mut State, faults: &[Fault], session: &Session) {
        if faults.contains(&self.fault) {
            state.marked.insert(session.id(), session.clone());
        }
    }

    fn insert(&self, state: &mut State, session: &Session) {
        state.marked.remove(&session.id());
        let id = id_key(self.fault, session.id());
        let session = stored(self.fault, session);
        let expires_at = session.lifetime().expires_at();
        state.subjects.entry(self.key(session.subject())).or_default().insert(id);
        state.expiries.insert((expires_at, id));
        state.order.push_back(id);
        let most = match self.fault {
            Fault::EvictsOver10000 => 10_000,
            Fault::EvictsAt10000 => 9_999,
            _ => usize::MAX,
        };
        state.rows.insert(id, Row { session, first_expires_at: expires_at });
        while state.rows.len() > most {
            let Some(oldest) = state.order.pop_front() else { break };
            self.take(state, oldest);
        }
        if self.has(Fault::EvictsOver100OfASubject) {
            let of_subject = state.subjects.values().find(|ids| ids.len() > 100);
            if let Some(first) = of_subject.and_then(|ids| ids.first().copied()) {
                self.take(state, first);
            }
        }
    }

    fn take(&self, state: &mut State, id: SessionId) -> Option<Session> {
        let Row { session, first_expires_at } = state.rows.remove(&id)?;
        let subject = self.key(session.subject());
        if !self.has(Fault::RemoveLeavesIndex)
            && let Some(ids) = state.subjects.get_mut(&subject)
        {
            ids.remove(&id);
        }
        if !self.has(Fault::RemoveLeavesExpiry) {
            state.expiries.remove(&(session.lifetime().expires_at(), id));
            state.expiries.remove(&(first_expires_at, id));
        }
        state.removed.insert(id, session.clone());
        Some(session)
    }

    fn write(&self, state: &mut State, session: Session) {
        let id = id_key(self.fault, session.id());
        let Some(row) = state.rows.get_mut(&id) else { return };
        let former = row.session.lifetime().expires_at();
        if !self.has(Fault::SweepByFirstExpiry) && !self.has(Fault::SweepTakesRenewed) {
            state.expiries.remove(&(former, id));
            if !self.has(Fault::SweepForgetsRenewed) {
                state.expiries.insert((session.lifetime().expires_at(), id));
            }
        }
        row.session = session;
    }

    fn ids_of(&self, subject: &str) -> Vec<SessionId> {
        let state = self.state();
        let key = self.key(subject);
        if self.has(Fault::SubjectsByPattern) {
            let prefix = key.split('%').next().unwrap_or_default();
            let is_pattern = key.contains('%');
            let those = state
                .subjects
                .iter()
                .filter(|(stored, _)| **stored == key || is_pattern && stored.starts_with(prefix));
            return those.flat_map(|(_, ids)| ids.iter().copied()).collect();
        }
        state.subjects.get(&key).into_iter().flatten().copied().collect()
    }

    fn get(&self, id: &SessionId) -> Option<Session> {
        self.state().rows.get(&id_key(self.fault, *id)).map(|row| row.session.clone())
    }

    fn forget_cached(&self, id: &SessionId) {
        self.cached.lock().unwrap().remove(id);
        self.cached_lists.lock().unwrap().clear();
    }

    fn upsert(&self, state: &mut State, update: &Update) {
        let (renewed_at, expires_at) = (update.renewed_at(), update.expires_at());
        let lifetime = Lifetime::restore(renewed_at, renewed_at, expires_at, expires_at).unwrap();
        let secret = SecretHash::from_bytes([0; 32]);
        let session = Session::new(update.id(), "user-42", "default", secret, lifetime).unwrap();
        self.insert(state, &session);
    }

    fn update_of_none(&self, id: &SessionId, update: &Update) -> bool {
        let state = &mut self.state();
        if [Fault::UpdateRevivesEnded, Fault::UpdateRevivesRemoved].contains(&self.fault)
            && let Some(marked) = state.marked.get(id)
            && let Some(session) = update.apply(marked)
        {
            self.insert(state, &session);
            return true;
        }
        if self.has(Fault::UpdateUpserts) {
            self.upsert(state, update);
        }
        self.has(Fault::UpdateUpserts)
    }

    fn refused_update(&self, id: &SessionId, held: &Session, update: &Update) -> bool {
        let repeated = held.version() == update.expected_version() + 1
            && held.secret() == update.secret()
            && held.lifetime().expires_at() == update.expires_at();
        if self.has(Fault::UpdateRepeats) && repeated {
            return true;
        }
        let state = &mut self.state();
        if self.has(Fault::RefusedWritesSecret)
            && let Some(row) = state.rows.get_mut(id)
        {
            let mut parts = row.session.clone().into_parts();
            parts.secret = *update.secret();
            row.session = Session::restore(parts).unwrap();
        }
        false
    }

    fn write_behind(&self) {
        for update in self.behind.lock().unwrap().drain(..) {
            let state = &mut self.state();
            let held = state.rows.get(&update.id()).map(|row| row.session.clone());
            if let Some(session) = held.and_then(|held| update.apply(&held)) {
                self.write(state, session);
            }
        }
    }

    fn update_under_own_lock(&self, update: &Update) -> bool {
        let _own = self.own.lock().unwrap();
        let Some(held) = self.get(&update.id()) else { return false };
        let Some(session) = update.apply(&held) else { return false };
        let state = &mut self.state();
        self.write(state, session);
        true
    }

    fn is_expired(&self, row: &Row, before: Timestamp) -> bool {
        let lifetime = row.session.lifetime();
        let expires_at = lifetime.expires_at();
        match self.fault {
            Fault::SweepByCap => lifetime.absolute_expires_at() <= before,
            Fault::SweepByFirstExpiry => row.first_expires_at <= before,
            Fault::SweepClosed => expires_at < before,
            Fault::SweepTakesLiving => lifetime.renewed_at() <= before,
            Fault::SweepByLaterClock => expires_at <= before.max(today()),
            Fault::SweepByEarlierClock => expires_at <= before.min(today()),
            Fault::SweepComparesTexts => {
                let text = |at: Timestamp| at.as_unix_secs().to_string();
                text(expires_at) <= text(before)
            }
            Fault::SweepTakesRenewed => true,
            _ => expires_at <= before,
        }
    }
}

/// Counts a call while it runs.
struct Busy<'a> {
    shared: &'a Shared,
    /// How many ran before it.
    before: usize,
}

impl<'a> Busy<'a> {
    fn one(shared: &'a Shared) -> Self {
        Self { shared, before: shared.creating.fetch_add(1, Ordering::AcqRel) }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.shared.creating.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<const SAYS_NEVER_WAITS: bool> Drop for Planted<SAYS_NEVER_WAITS> {
    fn drop(&mut self) {
        if self.has(Fault::DropForgets) {
            *self.state() = State::default();
        }
    }
}

impl<const SAYS_NEVER_WAITS: bool> SessionStore for Planted<SAYS_NEVER_WAITS> {
    const NEVER_WAITS: bool = SAYS_NEVER_WAITS;

    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.begin().await;
        self.is_waited_for(Fault::WaitsForCreate).await;
        self.tells(Fault::CachesPastCreate);
        self.forget_cached(&session.id());
        let id = id_key(self.fault, session.id());
        let busy = self.has(Fault::CreateChecksThenWritesIfBusy).then(|| Busy::one(&self.shared));
        let lifetime = session.lifetime();
        assert!(
            !self.has(Fault::PanicsAtTheEnds) || lifetime.absolute_expires_at() < Timestamp::MAX,
            "attempt to add with overflow",
        );
        match self.fault {
            Fault::CreateChecksThenWrites => {
                if self.state().rows.contains_key(&id) {
                    return Err(StoreError::Conflict);
                }
                self.gap().await;
                let state = &mut self.state();
                self.insert(state, session);
                return Ok(());
            }
            Fault::CreateIndexesLater | Fault::CreateIndexesFirst => {
                if self.state().rows.contains_key(&id) {
                    return Err(StoreError::Conflict);
                }
                {
                    let state = &mut self.state();
                    self.insert(state, session);
                    if self.has(Fault::CreateIndexesLater) {
                        state.subjects.entry(self.key(session.subject())).or_default().remove(&id);
                    } else {
                        state.rows.remove(&id);
                    }
                }
                self.gap().await;
                let state = &mut self.state();
                self.insert(state, session);
                return Ok(());
            }
            Fault::CreateChecksThenWritesIfBusy => {
                if self.state().rows.contains_key(&id) {
                    return Err(StoreError::Conflict);
                }
                self.gap().await;
                let state = &mut self.state();
                if busy.is_none_or(|busy| busy.before < 8) && state.rows.contains_key(&id) {
                    return Err(StoreError::Conflict);
                }
                self.insert(state, session);
                return Ok(());
            }
            Fault::CreateJudges if lifetime.expires_at() <= today() => return Ok(()),
            Fault::SubjectsReadThenWritten => {
                let key = self.key(session.subject());
                let ids = self.state().subjects.get(&key).cloned();
                self.gap().await;
                let state = &mut self.state();
                if state.rows.contains_key(&id) {
                    return Err(StoreError::Conflict);
                }
                self.insert(state, session);
                let mut ids = ids.unwrap_or_default();
                ids.insert(id);
                state.subjects.insert(key, ids);
                return Ok(());
            }
            _ => {}
        }
        let state = &mut self.state();
        if let Some(row) = state.rows.get(&id) {
            let replaces = match self.fault {
                Fault::CreateReplaces => true,
                Fault::CreateReplacesExpired => row.session.lifetime().expires_at() <= today(),
                Fault::CreateRepeats => row.session == *session,
                _ => false,
            };
            if !replaces {
                return Err(match self.fault {
                    Fault::ConflictIsUnavailable => StoreError::unavailable("unique"),
                    _ => StoreError::Conflict,
                });
            }
            self.take(state, id);
        }
        let removed = state.removed.get(&id).cloned();
        match removed {
            Some(_) if self.has(Fault::RemoveKeepsTombstone) => return Err(StoreError::Conflict),
            Some(removed) if self.has(Fault::CreateBringsBack) => self.insert(state, &removed),
            _ => self.insert(state, session),
        }
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.waits(Fault::LoadWaits, id).await;
        if self.has(Fault::Unavailable) {
            return Err(StoreError::unavailable("the cable is out"));
        }
        let running = self.shared.running.fetch_add(1, Ordering::AcqRel);
        if self.has(Fault::HangsOver40Callers) {
            yield_once().await;
            if running >= 40 {
                std::future::pending::<()>().await;
            }
            self.shared.running.fetch_sub(1, Ordering::AcqRel);
        }
        self.gap().await;
        self.locks(Fault::LoadLeavesALock).await;
        if [
            Fault::CachesPastCreate,
            Fault::CachesPastRemove,
            Fault::CachesPastRemoveAll,
            Fault::CachesPastSweep,
            Fault::CachesPastUpdate,
        ]
        .contains(&self.fault)
        {
            let told = self.shared.told.load(Ordering::Acquire);
            let mut cached = self.cached.lock().unwrap();
            if self.cached_at.swap(told, Ordering::AcqRel) != told {
                cached.clear();
            }
            return Ok(cached.entry(*id).or_insert_with(|| self.get(id)).clone());
        }
        if self.has(Fault::CachesLoads) || self.has(Fault::CachesAbsence) {
            let mut cached = self.cached.lock().unwrap();
            if let Some(seen) = cached.get(id)
                && (seen.is_none() || self.has(Fault::CachesLoads))
            {
                return Ok(seen.clone());
            }
            let found = self.get(id);
            cached.insert(*id, found.clone());
            return Ok(found);
        }
        let marked = [Fault::LoadKeepsRemoved, Fault::LoadKeepsSwept].contains(&self.fault);
        let seen = self.get(id).or_else(|| self.state().marked.get(id).filter(|_| marked).cloned());
        if self.has(Fault::LoadMissesTheFirstOf10000) {
            let state = self.state();
            let first = state.rows.first_key_value().is_some_and(|(first, _)| first == id);
            return Ok(seen.filter(|_| !first || state.rows.len() <= 10_000));
        }
        if [
            Fault::RemovesByItsCache,
            Fault::UpdateTakesItsCacheToo,
            Fault::UpdateWantsItsCacheToo,
            Fault::UpdatesItsCache,
        ]
        .contains(&self.fault)
        {
            self.cached.lock().unwrap().insert(*id, seen.clone());
        }
        if self.has(Fault::ExpiresADayAfterCreation) {
            let day = chrono::TimeDelta::days(1);
            let end = |one: &Session| one.lifetime().created_at().saturating_add(day);
            return Ok(seen.filter(|one| end(one) > today()));
        }
        let hides = self.has(Fault::LoadHidesExpired);
        let writes = self.has(Fault::LoadCountsReads) || self.has(Fault::LoadTouches);
        if let Some(held) = seen.as_ref().filter(|_| writes) {
            let mut parts = held.clone().into_parts();
            if self.has(Fault::LoadCountsReads) {
                parts.version += 1;
            } else {
                let lifetime = held.lifetime();
                let cap = lifetime.absolute_expires_at();
                let (created, renewed) = (lifetime.created_at(), lifetime.renewed_at());
                parts.lifetime = Lifetime::restore(created, renewed, cap, cap).unwrap();
            }
            let state = &mut self.state();
            self.write(state, Session::restore(parts).unwrap());
        }
        Ok(seen.filter(|seen| !hides || seen.lifetime().expires_at() > today()))
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.waits(Fault::UpdateWaits, &update.id()).await;
        self.begin().await;
        self.tells(Fault::CachesPastUpdate);
        let cached = self.cached.lock().unwrap().get(&update.id()).cloned();
        self.forget_cached(&update.id());
        let id = id_key(self.fault, update.id());
        self.locks(Fault::LeavesALock).await;
        if self.has(Fault::LocksPerHandle) {
            return Ok(self.update_under_own_lock(update));
        }
        let held = {
            let locks = self.has(Fault::LocksInTwoOrders);
            let _outer = locks.then(|| self.shared.second.lock().unwrap());
            self.get(&id)
        };
        let held = match (cached.flatten(), self.fault) {
            (Some(cached), Fault::UpdatesItsCache) => Some(cached),
            (Some(cached), Fault::UpdateTakesItsCacheToo)
                if cached.version() == update.expected_version() =>
            {
                Some(cached)
            }
            (Some(cached), Fault::UpdateWantsItsCacheToo)
                if cached.version() != update.expected_version() =>
            {
                return Ok(false);
            }
            _ => held,
        };
        let Some(held) = held else {
            return Ok(self.update_of_none(&id, update));
        };
        let Some(session) = updated(self.fault, &held, update) else {
            return Ok(self.refused_update(&id, &held, update));
        };
        match self.fault {
            Fault::UpdateDeletesFirst => {
                {
                    let state = &mut self.state();
                    if state.rows.get(&id).is_none_or(|row| row.session != held) {
                        return Ok(false);
                    }
                    self.take(state, id);
                }
                self.gap().await;
                let state = &mut self.state();
                self.insert(state, &session);
                return Ok(true);
            }
            Fault::UpdateReadsThenWrites
            | Fault::UpdateTakesItsCacheToo
            | Fault::UpdatesItsCache => {
                self.gap().await;
                let state = &mut self.state();
                if state.rows.contains_key(&id) {
                    self.write(state, session);
                } else {
                    self.insert(state, &session);
                }
                return Ok(true);
            }
            Fault::UpdateInHalves => {
                let mut parts = held.clone().into_parts();
                parts.lifetime = *session.lifetime();
                {
                    let state = &mut self.state();
                    if state.rows.get(&id).is_none_or(|row| row.session != held) {
                        return Ok(false);
                    }
                    self.write(state, Session::restore(parts).unwrap());
                }
                self.gap().await;
                let state = &mut self.state();
                self.write(state, session);
                return Ok(true);
            }
            Fault::WritesBehind => {
                self.write_behind();
                self.behind.lock().unwrap().push(*update);
                return Ok(true);
            }
            _ => {}
        }
        let state = &mut self.state();
        if state.rows.get(&id).is_none_or(|row| row.session != held) {
            return Ok(false);
        }
        if self.has(Fault::UpdateWritesAllOfSubject) {
            state.count_writes_of(session.subject());
        }
        if self.has(Fault::UpdateLosesIndex) {
            state.subjects.entry(self.key(session.subject())).or_default().remove(&id);
        }
        self.write(state, session);
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.waits(Fault::RemoveWaits, id).await;
        self.begin().await;
        self.tells(Fault::CachesPastRemove);
        let absent = self.cached.lock().unwrap().get(id).is_some_and(Option::is_none);
        self.forget_cached(id);
        self.write_behind();
        if absent && self.has(Fault::RemovesByItsCache) {
            return Ok(false);
        }
        let id = id_key(self.fault, *id);
        match self.fault {
            Fault::RemoveChecksThenWrites => {
                let there = self.state().rows.contains_key(&id);
                self.gap().await;
                let state = &mut self.state();
                self.take(state, id);
                return Ok(there);
            }
            Fault::RemoveIndexesFirst => {
                let Some(session) = self.get(&id) else { return Ok(false) };
                let key = self.key(session.subject());
                self.state().subjects.entry(key).or_default().remove(&id);
                self.gap().await;
            }
            Fault::RemoveIndexesLater => {
                let Some(row) = self.state().rows.remove(&id) else { return Ok(false) };
                self.gap().await;
                let state = &mut self.state();
                if !state.rows.contains_key(&id) {
                    let key = self.key(row.session.subject());
                    state.subjects.entry(key).or_default().remove(&id);
                    state.expiries.retain(|(_, of)| *of != id);
                }
                return Ok(true);
            }
            Fault::RemoveMissesUpdated if self.get(&id).is_some_and(|one| one.version() > 0) => {
                return Ok(false);
            }
            Fault::RemoveJudges
                if self.get(&id).is_some_and(|one| one.lifetime().expires_at() <= today()) =>
            {
                return Ok(false);
            }
            _ => {}
        }
        let state = &mut self.state();
        let second = self.has(Fault::LocksInTwoOrders).then(|| self.shared.second.lock().unwrap());
        drop(second);
        let Some(removed) = self.take(state, id) else {
            return Ok(self.has(Fault::RemoveTwice));
        };
        self.mark(state, &[Fault::LoadKeepsRemoved, Fault::UpdateRevivesRemoved], &removed);
        if self.has(Fault::RemoveEndsSubject) {
            for id in state.subjects.get(&self.key(removed.subject())).cloned().unwrap_or_default()
            {
                self.take(state, id);
            }
        }
        Ok(true)
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.begin().await;
        self.is_waited_for(Fault::WaitsForSweep).await;
        self.tells(Fault::CachesPastSweep);
        self.locks(Fault::SweepLeavesALock).await;
        self.cached.lock().unwrap().clear();
        self.cached_lists.lock().unwrap().clear();
        self.write_behind();
        let limit = match self.fault {
            Fault::SweepIgnoresLimit => usize::MAX,
            Fault::SweepLimit0IsAll if limit == 0 => usize::MAX,
            Fault::SweepAtMost1000 => limit.min(1_000) as usize,
            Fault::SweepLimitSigned => usize::try_from(limit.cast_signed()).unwrap_or(0),
            _ => limit as usize,
        };
        let due: Vec<SessionId> = {
            let state = &mut self.state();
            if self.has(Fault::SweepOnce) && std::mem::replace(&mut state.swept, limit > 1) {
                return Ok(Vec::new());
            }
            let ids: Vec<SessionId> = if self.has(Fault::SweepLooksAtStale) {
                let looked = state.rows.iter().filter(|(_, row)| row.first_expires_at <= before);
                looked.take(limit).map(|(id, _)| *id).collect()
            } else if self.has(Fault::SweepTakesRenewed) {
                let looked = state.expiries.iter().filter(|(at, _)| *at <= before);
                looked.map(|(_, id)| *id).collect()
            } else {
                state.rows.keys().copied().collect()
            };
            let indexed: BTreeSet<_> = state.expiries.iter().map(|(_, id)| *id).collect();
            let mut ids: Vec<_> = ids
                .into_iter()
                .filter(|id| indexed.contains(id) || self.has(Fault::SweepByFirstExpiry))
                .filter(|id| state.rows.get(id).is_some_and(|row| self.is_expired(row, before)))
                .take(limit)
                .collect();
            if self.has(Fault::RemoveLeavesExpiry) {
                let ghosts = state.expiries.iter().filter(|(at, _)| *at <= before);
                ids.extend(ghosts.map(|(_, id)| *id).filter(|id| !state.rows.contains_key(id)));
                state.expiries.clear();
            }
            if self.has(Fault::SweepOneASecond) {
                let mut seconds = BTreeSet::new();
                ids.retain(|id| seconds.insert(state.rows[id].session.lifetime().expires_at()));
            }
            ids
        };
        let selects = self.has(Fault::SweepSelectsThenDeletes);
        if selects {
            self.gap().await;
        }
        let mut removed = Vec::new();
        for id in due {
            let state = &mut self.state();
            let there = state.rows.get(&id);
            if !there.is_some_and(|row| selects || self.is_expired(row, before)) && !selects {
                if self.has(Fault::RemoveLeavesExpiry)
                    && let Some(ghost) = state.removed.get(&id)
                {
                    removed.push(Removed::of(ghost));
                }
                continue;
            }
            let former = state.removed.get(&id).cloned();
            let Some(session) = self.take(state, id).or(former.filter(|_| selects)) else {
                continue;
            };
            self.mark(state, &[Fault::LoadKeepsSwept], &session);
            let one = Removed::of(&session);
            let (subject, profile) = (one.subject(), one.profile());
            let (end, cap) = (one.expires_at(), one.absolute_expires_at());
            let told =
                |subject, profile, end, cap| Removed::from_parts(id, subject, profile, end, cap);
            removed.push(match self.fault {
                Fault::SweepTellsNobody => told("?", profile, end, cap),
                Fault::SweepTellsDefault => told(subject, "default", end, cap),
                Fault::SweepTellsBefore => told(subject, profile, before, cap),
                Fault::SweepTellsEndAsCap => told(subject, profile, end, end),
                _ => one,
            });
        }
        match self.fault {
            Fault::SweepTellsTwice if removed.len() > 1 => removed.push(removed[0].clone()),
            Fault::SweepTellsNone => removed.clear(),
            _ => {}
        }
        Ok(removed)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.begin().await;
        self.locks(Fault::ListLeavesALock).await;
        self.is_waited_for(Fault::WaitsForList).await;
        if self.has(Fault::CachesLists)
            && let Some(listed) = self.cached_lists.lock().unwrap().get(subject)
        {
            return Ok(listed.clone());
        }
        let before: BTreeMap<_, _> = match self.fault {
            Fault::ListReadsInHalves => self.state().rows.clone(),
            _ => BTreeMap::new(),
        };
        if self.has(Fault::ListReadsInHalves) {
            self.gap().await;
        }
        let mut listed = Vec::new();
        for id in self.ids_of(subject) {
            listed.extend(self.state().rows.get(&id).map(|row| row.session.clone()));
        }
        for one in &mut listed {
            if let Some(was) = before.get(&one.id()) {
                let mut parts = one.clone().into_parts();
                parts.secret = *was.session.secret();
                *one = Session::restore(parts).unwrap();
            }
        }
        if !self.has(Fault::RemoveLeavesIndex) {
            listed.retain(|one| {
                self.key(one.subject()) == self.key(subject) || self.has(Fault::SubjectsByPattern)
            });
        }
        let ended = |session: &Session| session.lifetime().expires_at() <= today();
        let idle =
            |session: &Session| session.lifetime().expires_at() == session.lifetime().renewed_at();
        match self.fault {
            Fault::ListHidesExpired => listed.retain(|one| !ended(one)),
            Fault::ListHidesIdle => listed.retain(|one| !idle(one)),
            Fault::ListIsEmpty => listed.clear(),
            Fault::ListKeepsRemoved => {
                let state = self.state();
                listed
                    .extend(state.removed.values().filter(|one| one.subject() == subject).cloned());
            }
            Fault::ListPages1000 => listed.truncate(1_000),
            Fault::ListPages2500 => listed.truncate(2_500),
            Fault::ListRepeats => listed.extend(listed.first().cloned()),
            _ => {}
        }
        if self.has(Fault::CachesLists) || self.has(Fault::RemovesAllByItsCache) {
            self.cached_lists.lock().unwrap().insert(subject.to_owned(), listed.clone());
        }
        Ok(listed)
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.begin().await;
        self.is_waited_for(Fault::WaitsForRemoveAll).await;
        self.tells(Fault::CachesPastRemoveAll);
        self.locks(Fault::RemoveAllLeavesALock).await;
        while self.has(Fault::RemoveAllWaitsForRest) {
            let told = self.shared.told.load(Ordering::Acquire);
            std::thread::sleep(std::time::Duration::from_millis(30));
            if self.shared.told.load(Ordering::Acquire) == told {
                break;
            }
        }
        self.cached.lock().unwrap().clear();
        let listed = self.cached_lists.lock().unwrap().remove(subject);
        self.cached_lists.lock().unwrap().clear();
        self.write_behind();
        if let Some(except) = except {
            let there = self.state().rows.contains_key(except);
            match self.fault {
                Fault::UnknownExceptFails if !there => {
                    return Err(StoreError::unavailable("no row"));
                }
                Fault::UnknownExceptSparesAll if !there => return Ok(Vec::new()),
                // In one poll, for ever.
                Fault::LocksTwice => {
                    let _held = self.state();
                    drop(self.state());
                }
                _ => {}
            }
        }
        let except = except.filter(|_| !self.has(Fault::RemoveAllIgnoresExcept)).copied();
        let mut removed = Vec::new();
        loop {
            let mut ids = self.ids_of(subject);
            ids.retain(|id| Some(*id) != except);
            match self.fault {
                Fault::RemoveAllEndsEverybody => {
                    ids = self.state().rows.keys().copied().collect();
                }
                Fault::RemoveAllStopsAt2500 => ids.truncate(2_500),
                Fault::RemovesAllByItsCache => {
                    let known = listed.as_ref().map(|listed| listed.iter().map(Session::id));
                    let known = known.map(Iterator::collect::<BTreeSet<_>>);
                    ids.retain(|id| known.as_ref().is_none_or(|known| known.contains(id)));
                }
                _ => {}
            }
            let selects = self.has(Fault::RemoveAllSelectsThenDeletes);
            if selects {
                self.gap().await;
            }
            let found = !ids.is_empty();
            for id in ids {
                let state = &mut self.state();
                let missed = self.has(Fault::RemoveAllMissesUpdated)
                    && state.rows.get(&id).is_some_and(|row| row.session.version() > 13);
                let taken = if missed { None } else { self.take(state, id) };
                if let Some(session) = &taken {
                    self.mark(state, &[Fault::UpdateRevivesEnded], session);
                }
                if taken.is_some() || selects {
                    removed.push(id);
                }
            }
            if !(found && self.has(Fault::RemoveAllUntilEmpty)) {
                break;
            }
            self.gap().await;
        }
        match self.fault {
            Fault::RemoveAllTellsExcept => removed.extend(except),
            Fault::RemoveAllTellsOne => removed.truncate(1),
            _ => {}
        }
        Ok(removed)
    }
}

impl<const SAYS_NEVER_WAITS: bool> ScanStore for Planted<SAYS_NEVER_WAITS> {
    async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
        self.begin().await;
        let state = self.state();
        let limit = match self.fault {
            Fault::ScanIgnoresLimit => usize::MAX,
            _ => limit.max(1) as usize,
        };
        let mut all: Vec<(Vec<u8>, Session)> = state
            .rows
            .iter()
            .map(|(id, row)| (id.as_bytes().to_vec(), row.session.clone()))
            .collect();
        if self.has(Fault::ScanByExpiry) {
            for (key, session) in &mut all {
                let at = session.lifetime().expires_at().as_unix_secs();
                key.splice(0..0, (at.cast_unsigned() ^ 1 << 63).to_be_bytes());
            }
            all.sort_by(|one, other| one.0.cmp(&other.0));
        }
        let last = from.map(|from| from.as_bytes().to_vec());
        let start = match (&last, self.fault) {
            (None, _) | (_, Fault::ScanStartsAgain) => 0,
            (Some(last), Fault::ScanByOffset) => {
                usize::try_from(u64::from_be_bytes(last.as_slice().try_into().unwrap_or([0; 8])))
                    .unwrap_or(0)
                    .min(all.len())
            }
            // A cursor's row that is gone is the end.
            (Some(last), Fault::ScanNeedsItsRow) => {
                all.iter().position(|(key, _)| key == last).map_or(all.len(), |at| at + 1)
            }
            (Some(last), Fault::ScanSkipsOne) => all.partition_point(|(key, _)| key <= last) + 1,
            (Some(last), _) => all.partition_point(|(key, _)| key <= last),
        };
        let end = start.saturating_add(limit).min(all.len());
        let page = &all[start.min(all.len())..end.max(start.min(all.len()))];
        let next = match (page.last(), self.fault) {
            _ if end >= all.len() && !self.has(Fault::ScanNeverEnds) => None,
            (_, Fault::ScanStopsAt2500) if end >= 2_500 => None,
            (_, Fault::ScanByOffset) => Some((end as u64).to_be_bytes().to_vec()),
            (Some((key, _)), _) => Some(key.clone()),
            (None, _) => Some(last.unwrap_or_default()),
        };
        let mut sessions: Vec<_> = page.iter().map(|(_, session)| session.clone()).collect();
        if self.has(Fault::ScanHidesHybrid) {
            sessions.retain(|session| session.generation() == 0);
        }
        Ok(Page { sessions, next: next.map(Cursor::from_bytes) })
    }
}

/// 2026-11-22: later than the kit's sessions of the past, earlier than its others.
pub(super) fn today() -> Timestamp {
    Timestamp::from_unix_secs(1_795_305_600)
}

async fn woken_from_outside() {
    let mut waited = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        std::thread::spawn(move || waker.wake());
        Poll::Pending
    })
    .await;
}

async fn yield_once() {
    let mut given_way = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut given_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
