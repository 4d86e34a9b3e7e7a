//! Which updates the store said it had made.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{Session, SessionId, Timestamp};

/// The store, and of which version of which session it let an update win. What a caller
/// was told through `Sessions` is not enough: after a lost answer it may take another's
/// write, which is the same to the byte, for its own.
pub(crate) struct Winners<S> {
    store: Arc<S>,
    won: Mutex<HashSet<(SessionId, u64)>>,
    won_twice: Mutex<Vec<(SessionId, u64)>>,
}

impl<S> Winners<S> {
    pub(crate) fn new(store: Arc<S>) -> Self {
        Self { store, won: Mutex::default(), won_twice: Mutex::default() }
    }

    pub(crate) fn won_twice(&self) -> Vec<(SessionId, u64)> {
        self.won_twice.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: SessionStore> SessionStore for Winners<S> {
    const NEVER_WAITS: bool = S::NEVER_WAITS;

    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.store.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.store.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let updated = self.store.update(update).await?;
        let version = (update.id(), update.expected_version());
        if updated && !self.won.lock().unwrap_or_else(PoisonError::into_inner).insert(version) {
            self.won_twice.lock().unwrap_or_else(PoisonError::into_inner).push(version);
        }
        Ok(updated)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.store.remove(id).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.store.remove_expired(before, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.store.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.store.remove_all(subject, except).await
    }
}
