//! A store of whole records under one lock, right but for one planted fault.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;

use session_policy::store::{SecretHash, SessionParts, SessionStore, StoreError, Update};
use session_policy::{Lifetime, Session, SessionId, Timestamp};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    CountsIn32Bits,
    CreateChecksThenWrites,
    CreateIgnoresProfile,
    CreateReplaces,
    GenerationIsVersion,
    IdsCutAt15Bytes,
    IdsIgnoreCase,
    InstantsBefore1970AreZero,
    InstantsClampedTo9999,
    ListHidesExpired,
    ListIsEmpty,
    ListKeepsRemoved,
    ListLooksOnce,
    ListPages,
    LoadCountsReads,
    LoadHidesExpired,
    LoadTouches,
    None,
    ProfilesTrimmed,
    RemoveAllEndsEverybody,
    RemoveAllIgnoresExcept,
    RemoveAllLooksOnce,
    RemoveChecksThenWrites,
    RemoveEndsSubject,
    RemoveKeepsTombstone,
    RemoveMissesRenewed,
    RemoveTwice,
    SecondBefore1970IsNone,
    SubjectsByPrefix,
    SubjectsIgnoreCase,
    SweepByCap,
    SweepByFirstExpiry,
    SweepClosed,
    SweepIgnoresLimit,
    SweepOnce,
    SweepSelectsThenDeletes,
    SweepTakesLiving,
    TextsCutAt255,
    TextsTrimmed,
    Unavailable,
    UpdateAtCap,
    UpdateForgetsConfirmation,
    UpdateGoesBack,
    UpdateIgnoresVersion,
    UpdateKeepsVersion,
    UpdateMovesCap,
    UpdateMovesCreation,
    UpdateOnlyLengthens,
    UpdatePastCap,
    UpdateReadsThenWrites,
    UpdateRunsAllOfSubject,
    UpdateTruncatesToMinutes,
    UpdateUpserts,
}

pub(super) struct Planted {
    fault: Fault,
    rows: Mutex<BTreeMap<SessionId, Row>>,
    removed: Mutex<Vec<Session>>,
    swept: Mutex<bool>,
}

#[derive(Clone)]
struct Row {
    session: Session,
    first_expires_at: Timestamp,
}

impl Planted {
    pub(super) fn new(fault: Fault) -> Self {
        let (rows, removed, swept) = Default::default();
        Self { fault, rows, removed, swept }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<SessionId, Row>> {
        self.rows.lock().unwrap()
    }

    fn key(&self, id: &SessionId) -> SessionId {
        let mut bytes = *id.as_bytes();
        match self.fault {
            Fault::IdsCutAt15Bytes => bytes[15] = 0,
            Fault::IdsIgnoreCase => bytes.make_ascii_lowercase(),
            _ => {}
        }
        SessionId::from_bytes(bytes)
    }

    fn same_subject(&self, stored: &str, asked: &str) -> bool {
        match self.fault {
            Fault::SubjectsByPrefix => stored.starts_with(asked),
            Fault::SubjectsIgnoreCase => stored.to_lowercase() == asked.to_lowercase(),
            _ => stored == asked,
        }
    }

    /// What the columns make of a session.
    fn stored(&self, session: &Session) -> Session {
        let mut parts = session.clone().into_parts();
        match self.fault {
            Fault::CountsIn32Bits => {
                parts.version &= u64::from(u32::MAX);
                parts.generation &= u64::from(u32::MAX);
            }
            Fault::CreateIgnoresProfile => parts.profile = "default".into(),
            Fault::GenerationIsVersion => parts.generation = parts.version,
            Fault::InstantsBefore1970AreZero => each_instant(&mut parts, |secs| secs.max(0)),
            Fault::InstantsClampedTo9999 => {
                each_instant(&mut parts, |secs| secs.min(253_402_300_799));
            }
            Fault::ProfilesTrimmed if !parts.profile.trim_end().is_empty() => {
                parts.profile = parts.profile.trim_end().into();
            }
            // An error of C's mktime.
            Fault::SecondBefore1970IsNone => {
                parts.confirmed_at = parts.confirmed_at.filter(|at| at.as_unix_secs() != -1);
            }
            Fault::TextsCutAt255 => {
                parts.subject = parts.subject.chars().take(255).collect::<String>().into();
            }
            Fault::TextsTrimmed if !parts.subject.trim_end().is_empty() => {
                parts.subject = parts.subject.trim_end().into();
            }
            _ => {}
        }
        Session::restore(parts).unwrap()
    }

    /// The record after the update, where the guard (less its fault) holds.
    fn updated(&self, session: &Session, update: &Update) -> Option<Session> {
        let stored = session.lifetime();
        let holds = update.id() == session.id()
            && (update.expected_version() == session.version()
                || self.has(Fault::UpdateIgnoresVersion))
            && (update.at() < stored.absolute_expires_at() || self.has(Fault::UpdateAtCap))
            && (update.renewed_at() >= stored.renewed_at() || self.has(Fault::UpdateGoesBack))
            && (update.expires_at() >= stored.expires_at()
                || !self.has(Fault::UpdateOnlyLengthens));
        if !holds {
            return None;
        }
        let (mut created_at, mut cap) = (stored.created_at(), stored.absolute_expires_at());
        let (mut renewed_at, mut expires_at) = (update.renewed_at(), update.expires_at());
        match self.fault {
            Fault::UpdateMovesCap => cap = expires_at,
            Fault::UpdateMovesCreation => created_at = renewed_at,
            Fault::UpdatePastCap => cap = cap.max(expires_at),
            Fault::UpdateTruncatesToMinutes => {
                renewed_at = minutes(renewed_at).max(created_at);
                expires_at = minutes(expires_at).max(renewed_at);
            }
            _ => {}
        }
        let mut parts = session.clone().into_parts();
        parts.lifetime = Lifetime::restore(created_at, renewed_at, expires_at, cap).ok()?;
        parts.version += u64::from(!self.has(Fault::UpdateKeepsVersion));
        parts.generation = update.generation();
        if !self.has(Fault::UpdateForgetsConfirmation) {
            parts.confirmed_at = update.confirmed_at();
        }
        Some(Session::restore(parts).unwrap())
    }

    fn upsert(&self, update: &Update) {
        let (renewed_at, expires_at) = (update.renewed_at(), update.expires_at());
        let lifetime = Lifetime::restore(renewed_at, renewed_at, expires_at, expires_at).unwrap();
        let secret = SecretHash::from_bytes([0; 32]);
        let session = Session::new(update.id(), "user-42", "default", secret, lifetime).unwrap();
        self.rows().insert(update.id(), Row { session, first_expires_at: expires_at });
    }
}

impl SessionStore for Planted {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        let key = self.key(&session.id());
        let taken = self.rows().contains_key(&key);
        if taken && !self.has(Fault::CreateReplaces) {
            return Err(StoreError::Conflict);
        }
        let buried = self.removed.lock().unwrap().iter().any(|removed| removed.id() == key);
        if buried && self.has(Fault::RemoveKeepsTombstone) {
            return Err(StoreError::Conflict);
        }
        if self.has(Fault::CreateChecksThenWrites) {
            let_others_run().await;
        }
        let session = self.stored(session);
        let first_expires_at = session.lifetime().expires_at();
        self.rows().insert(key, Row { session, first_expires_at });
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        if self.has(Fault::Unavailable) {
            return Err(StoreError::unavailable("the cable is out"));
        }
        let mut rows = self.rows();
        let Some(row) = rows.get_mut(&self.key(id)) else { return Ok(None) };
        let seen = row.session.clone();
        let lifetime = *seen.lifetime();
        let mut parts = seen.clone().into_parts();
        match self.fault {
            Fault::LoadCountsReads => parts.version += 1,
            Fault::LoadHidesExpired if lifetime.expires_at() < today() => return Ok(None),
            Fault::LoadTouches => {
                let (renewed_at, cap) = (lifetime.renewed_at(), lifetime.absolute_expires_at());
                parts.lifetime =
                    Lifetime::restore(lifetime.created_at(), renewed_at, cap, cap).unwrap();
            }
            _ => {}
        }
        row.session = Session::restore(parts).unwrap();
        Ok(Some(seen))
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let key = self.key(&update.id());
        let Some(row) = self.rows().get(&key).cloned() else {
            if self.has(Fault::UpdateUpserts) {
                self.upsert(update);
            }
            return Ok(self.has(Fault::UpdateUpserts));
        };
        let Some(session) = self.updated(&row.session, update) else { return Ok(false) };
        if self.has(Fault::UpdateReadsThenWrites) {
            let_others_run().await;
        }
        let mut rows = self.rows();
        if self.has(Fault::UpdateRunsAllOfSubject) {
            for row in rows.values_mut().filter(|row| row.session.subject() == session.subject()) {
                let parts = row.session.clone().into_parts();
                let parts = SessionParts { version: parts.version + 1, ..parts };
                row.session = Session::restore(parts).unwrap();
            }
        }
        rows.insert(key, Row { session, ..row });
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        let key = self.key(id);
        if self.has(Fault::RemoveChecksThenWrites) {
            let there = self.rows().contains_key(&key);
            let_others_run().await;
            self.rows().remove(&key);
            return Ok(there);
        }
        let missed = self.rows().get(&key).is_some_and(|row| row.session.version() > 0);
        if missed && self.has(Fault::RemoveMissesRenewed) {
            return Ok(false);
        }
        let Some(row) = self.rows().remove(&key) else {
            return Ok(self.has(Fault::RemoveTwice));
        };
        if self.has(Fault::RemoveEndsSubject) {
            self.rows().retain(|_, other| other.session.subject() != row.session.subject());
        }
        self.removed.lock().unwrap().push(row.session);
        Ok(true)
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let once = self.has(Fault::SweepOnce) && limit > 1;
        if once && std::mem::replace(&mut *self.swept.lock().unwrap(), true) {
            return Ok(0);
        }
        let expired = |row: &Row| {
            let lifetime = row.session.lifetime();
            match self.fault {
                Fault::SweepByCap => lifetime.absolute_expires_at() <= now,
                Fault::SweepByFirstExpiry => row.first_expires_at <= now,
                Fault::SweepClosed => lifetime.expires_at() < now,
                Fault::SweepTakesLiving => lifetime.renewed_at() <= now,
                _ => lifetime.expires_at() <= now,
            }
        };
        let limit = if self.has(Fault::SweepIgnoresLimit) { usize::MAX } else { limit as usize };
        let remove = |id: &SessionId| drop(self.rows().remove(id));
        let ids: Vec<SessionId> = {
            let rows = self.rows();
            rows.iter().filter(|(_, row)| expired(row)).take(limit).map(|(id, _)| *id).collect()
        };
        if self.has(Fault::SweepSelectsThenDeletes) {
            let_others_run().await;
        }
        ids.iter().for_each(remove);
        Ok(ids.len() as u64)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let mut sessions: Vec<_> = self.rows().values().map(|row| row.session.clone()).collect();
        if self.has(Fault::ListKeepsRemoved) {
            sessions.extend(self.removed.lock().unwrap().iter().cloned());
        }
        sessions.retain(|session| self.same_subject(session.subject(), subject));
        if self.has(Fault::ListLooksOnce) {
            let_others_run().await;
            let rows = self.rows();
            sessions.retain(|session| rows.contains_key(&session.id()));
        }
        match self.fault {
            Fault::ListHidesExpired => sessions.retain(|session| {
                session.lifetime().expires_at() > session.lifetime().created_at()
            }),
            Fault::ListIsEmpty => sessions.clear(),
            Fault::ListPages => sessions.truncate(1_000),
            _ => {}
        }
        Ok(sessions)
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let except = except.filter(|_| !self.has(Fault::RemoveAllIgnoresExcept));
        let seen: Vec<_> = self.rows().keys().copied().collect();
        if self.has(Fault::RemoveAllLooksOnce) {
            let_others_run().await;
        }
        let mut rows = self.rows();
        let before = rows.len();
        rows.retain(|id, row| {
            let ends = self.has(Fault::RemoveAllEndsEverybody)
                || self.same_subject(row.session.subject(), subject);
            Some(id) == except || !ends || !seen.contains(id)
        });
        Ok((before - rows.len()) as u64)
    }
}

fn each_instant(parts: &mut SessionParts, change: impl Fn(i64) -> i64) {
    let change = |at: Timestamp| Timestamp::from_unix_secs(change(at.as_unix_secs()));
    let lifetime = parts.lifetime;
    parts.lifetime = Lifetime::restore(
        change(lifetime.created_at()),
        change(lifetime.renewed_at()),
        change(lifetime.expires_at()),
        change(lifetime.absolute_expires_at()),
    )
    .unwrap();
    parts.confirmed_at = parts.confirmed_at.map(change);
}

fn minutes(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_secs(at.as_unix_secs().div_euclid(60) * 60)
}

/// 2026-11-22: later than the kit's expired sessions, earlier than its others.
fn today() -> Timestamp {
    Timestamp::from_unix_secs(1_795_305_600)
}

/// Gives way once, so that the other futures of a race come between.
async fn let_others_run() {
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
