//! The oracle finds what a broken store does wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use session_policy::store::{Removed, SessionParts, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use session_policy_store_harness::{
    Load, NO_LEAK, NO_RESURRECTION, NO_SESSION_LOST, NO_TAKEOVER, NO_TORN_READ, NO_WRITE_LOST,
    ONE_WINNER, Report,
};
use tokio::task::yield_now;

#[tokio::test(flavor = "multi_thread")]
async fn the_store_without_a_fault_is_sound() {
    load(Fault::None).await.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_creates_is_found() {
    found(&load(Fault::RenewCreates).await, NO_RESURRECTION);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_without_a_guard_is_found() {
    found(&load(Fault::LastWriteWins).await, ONE_WINNER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_is_acknowledged_and_not_done_is_found() {
    found(&load(Fault::ForgetsALogout).await, NO_RESURRECTION);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_two_are_told_of_is_found() {
    found(&load(Fault::RemovesTwice).await, ONE_WINNER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_takes_live_sessions_is_found() {
    found(&load(Fault::SweepsTheLiving).await, NO_SESSION_LOST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_misses_a_session_is_found() {
    found(&load(Fault::HidesASession).await, NO_SESSION_LOST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_looks_first_is_found() {
    found(&load(Fault::LooksThenCreates).await, NO_TAKEOVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_replaces_is_found() {
    found(&load(Fault::CreateReplaces).await, NO_TAKEOVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_create_that_is_listed_is_found() {
    found(&load(Fault::ListsTheRefused).await, NO_LEAK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_between_two_halves_of_an_update_is_found() {
    for fault in [Fault::TornInstants, Fault::TornSecret, Fault::TornVersion] {
        found(&load(fault).await, NO_TORN_READ);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_keeps_the_secret_is_found() {
    let report = load(Fault::KeepsTheSecret).await;
    found(&report, NO_RESURRECTION);
    found(&report, NO_SESSION_LOST);
}

/// Also where what a read has seen may be lost with the engine.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_acknowledged_and_not_made_is_found() {
    for as_told in [|load: Load| load, Load::shows_early] {
        found(&load_as(Fault::ForgetsARenewal, as_told).await, NO_WRITE_LOST);
        found(&load_as(Fault::LastWriteWins, as_told).await, ONE_WINNER);
        found(&load_as(Fault::ForgetsALogout, as_told).await, NO_RESURRECTION);
    }
}

async fn load(fault: Fault) -> Report {
    load_as(fault, |load| load).await
}

async fn load_as(fault: Fault, as_told: fn(Load) -> Load) -> Report {
    let store = Arc::new(Broken { fault, sessions: Mutex::default(), refused: Mutex::default() });
    as_told(Load::of_sessions(40).operations(60_000)).run(store).await
}

#[track_caller]
fn found(report: &Report, rule: &str) {
    println!("{report}");
    assert!(report.violations.contains_key(rule), "{rule}: {report}");
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    CreateReplaces,
    ForgetsALogout,
    ForgetsARenewal,
    HidesASession,
    KeepsTheSecret,
    LastWriteWins,
    ListsTheRefused,
    LooksThenCreates,
    None,
    RemovesTwice,
    RenewCreates,
    SweepsTheLiving,
    TornInstants,
    TornSecret,
    TornVersion,
}

/// A plain store, except for one fault.
struct Broken {
    fault: Fault,
    sessions: Mutex<HashMap<SessionId, Session>>,
    /// Sessions whose creation was refused.
    refused: Mutex<Vec<Session>>,
}

impl Broken {
    /// One in 4 sessions, always the same.
    fn chosen(id: &SessionId) -> bool {
        id.as_bytes()[0].is_multiple_of(4)
    }

    fn get(&self, id: &SessionId) -> Option<Session> {
        self.sessions.lock().unwrap().get(id).cloned()
    }

    fn of(&self, subject: &str) -> Vec<Session> {
        let sessions = self.sessions.lock().unwrap();
        sessions.values().filter(|session| session.subject() == subject).cloned().collect()
    }
}

impl SessionStore for Broken {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        yield_now().await;
        if self.fault == Fault::LooksThenCreates {
            let is_taken = self.get(&session.id()).is_some();
            yield_now().await;
            if is_taken {
                return Err(StoreError::Conflict);
            }
            self.sessions.lock().unwrap().insert(session.id(), session.clone());
            return Ok(());
        }
        let mut sessions = self.sessions.lock().unwrap();
        let is_taken = sessions.contains_key(&session.id());
        if !is_taken || self.fault == Fault::CreateReplaces {
            sessions.insert(session.id(), session.clone());
        }
        if is_taken {
            self.refused.lock().unwrap().push(session.clone());
            return Err(StoreError::Conflict);
        }
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        yield_now().await;
        let Some(before) = self.get(id) else { return Ok(None) };
        yield_now().await;
        let Some(after) = self.get(id) else { return Ok(None) };
        let (before, after) = (before.into_parts(), after.into_parts());
        let torn = match self.fault {
            Fault::TornInstants => SessionParts { lifetime: after.lifetime, ..before },
            Fault::TornSecret => SessionParts { secret: before.secret, ..after },
            Fault::TornVersion => SessionParts { version: before.version, ..after },
            _ => after,
        };
        Ok(Some(Session::restore(torn).unwrap()))
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        yield_now().await;
        let guarded = !matches!(self.fault, Fault::LastWriteWins | Fault::RenewCreates);
        if !guarded {
            // Read, then write what was read: others go between.
            let Some(renewed) = self.get(&update.id()).and_then(|held| update.apply(&held)) else {
                return Ok(false);
            };
            yield_now().await;
            let mut sessions = self.sessions.lock().unwrap();
            if self.fault == Fault::RenewCreates || sessions.contains_key(&update.id()) {
                sessions.insert(update.id(), renewed);
            }
            return Ok(true);
        }
        let mut sessions = self.sessions.lock().unwrap();
        let Some(held) = sessions.get_mut(&update.id()) else { return Ok(false) };
        let secret = *held.secret();
        let Some(mut updated) = update.apply(held) else { return Ok(false) };
        if self.fault == Fault::ForgetsARenewal && Self::chosen(&update.id()) {
            return Ok(true);
        }
        if self.fault == Fault::KeepsTheSecret {
            updated = Session::restore(SessionParts { secret, ..updated.into_parts() }).unwrap();
        }
        *held = updated;
        Ok(true)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        yield_now().await;
        if self.fault == Fault::ForgetsALogout && Self::chosen(id) {
            return Ok(self.get(id).is_some());
        }
        if self.fault == Fault::RemovesTwice {
            let there = self.get(id).is_some();
            for _ in 0..8 {
                yield_now().await;
            }
            self.sessions.lock().unwrap().remove(id);
            return Ok(there);
        }
        Ok(self.sessions.lock().unwrap().remove(id).is_some())
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        yield_now().await;
        let slack = if self.fault == Fault::SweepsTheLiving { 590 } else { 0 };
        let before = Timestamp::from_unix_secs(before.as_unix_secs() + slack);
        let mut sessions = self.sessions.lock().unwrap();
        let expired = |session: &&Session| session.lifetime().expires_at() <= before;
        let due: Vec<_> =
            sessions.values().filter(expired).map(Removed::of).take(limit as usize).collect();
        for removed in &due {
            sessions.remove(&removed.id());
        }
        Ok(due)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let hidden =
            |session: &Session| self.fault == Fault::HidesASession && Self::chosen(&session.id());
        let mut sessions = self.of(subject);
        sessions.retain(|session| !hidden(session));
        if self.fault == Fault::ListsTheRefused {
            let refused = self.refused.lock().unwrap();
            sessions.extend(refused.iter().filter(|one| one.subject() == subject).cloned());
        }
        Ok(sessions)
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut ids: Vec<_> = self.of(subject).iter().map(Session::id).collect();
        ids.retain(|id| Some(id) != except && self.sessions.lock().unwrap().remove(id).is_some());
        Ok(ids)
    }
}
