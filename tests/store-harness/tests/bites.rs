//! The oracle finds what a broken store does wrong.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use session_policy::store::{SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};
use session_policy_store_harness::{Load, NO_RESURRECTION, NO_SESSION_LOST, ONE_WINNER, Report};
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

async fn load(fault: Fault) -> Report {
    let store = Arc::new(Broken { fault, sessions: Mutex::default() });
    Load::of_sessions(40).operations(60_000).run(store).await
}

#[track_caller]
fn found(report: &Report, rule: &str) {
    println!("{report}");
    assert!(report.violations.contains_key(rule), "{rule}: {report}");
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    ForgetsALogout,
    HidesASession,
    LastWriteWins,
    None,
    RemovesTwice,
    RenewCreates,
    SweepsTheLiving,
}

/// A plain store, except for one fault.
struct Broken {
    fault: Fault,
    sessions: Mutex<HashMap<SessionId, Session>>,
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
        self.sessions.lock().unwrap().insert(session.id(), session.clone());
        Ok(())
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        yield_now().await;
        Ok(self.get(id))
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
        let Some(renewed) = update.apply(held) else { return Ok(false) };
        *held = renewed;
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

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        yield_now().await;
        let slack = if self.fault == Fault::SweepsTheLiving { 590 } else { 0 };
        let now = Timestamp::from_unix_secs(now.as_unix_secs() + slack);
        let mut sessions = self.sessions.lock().unwrap();
        let expired = |session: &&Session| session.lifetime().expires_at() <= now;
        let due: Vec<_> =
            sessions.values().filter(expired).map(Session::id).take(limit as usize).collect();
        for id in &due {
            sessions.remove(id);
        }
        Ok(due.len() as u64)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let hidden =
            |session: &Session| self.fault == Fault::HidesASession && Self::chosen(&session.id());
        let mut sessions = self.of(subject);
        sessions.retain(|session| !hidden(session));
        Ok(sessions)
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        let ids = self.of(subject).into_iter().map(|session| session.id());
        let mut removed = 0;
        for id in ids.filter(|id| Some(id) != except) {
            removed += u64::from(self.sessions.lock().unwrap().remove(&id).is_some());
        }
        Ok(removed)
    }
}
