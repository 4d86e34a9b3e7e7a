//! Counts what goes to a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{MemoryStore, Session, SessionId, Timestamp};

/// How often a store was read and written.
#[derive(Debug, Default)]
pub struct Traffic {
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Traffic {
    /// How often it was read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    /// How often it was written, or asked to write.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Relaxed)
    }

    /// One more read.
    pub fn read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    /// One more write.
    pub fn write(&self) {
        self.writes.fetch_add(1, Relaxed);
    }
}

/// Our [`MemoryStore`], counted.
#[derive(Debug)]
pub struct CountedStore {
    store: MemoryStore,
    traffic: Arc<Traffic>,
    is_remote: bool,
}

impl CountedStore {
    /// An empty store.
    #[must_use]
    pub fn new(traffic: Arc<Traffic>) -> Self {
        Self { store: MemoryStore::new(), traffic, is_remote: false }
    }

    /// The same, but each read lets other requests run before it answers, as one
    /// over a network does.
    #[must_use]
    pub fn remote(traffic: Arc<Traffic>) -> Self {
        Self { is_remote: true, ..Self::new(traffic) }
    }
}

impl SessionStore for CountedStore {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.traffic.write();
        self.store.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.traffic.read();
        let loaded = self.store.load(id).await;
        if self.is_remote {
            tokio::task::yield_now().await;
        }
        loaded
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.traffic.write();
        self.store.update(update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.traffic.write();
        self.store.remove(id).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.traffic.write();
        self.store.remove_expired(before, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.traffic.read();
        self.store.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.traffic.write();
        self.store.remove_all(subject, except).await
    }
}
