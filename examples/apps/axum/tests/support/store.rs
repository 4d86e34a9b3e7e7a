use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use session_policy::store::{Removed, SessionStore, StoreError, Update};
use session_policy::{MemoryStore, Session, SessionId, Timestamp};
use tokio::sync::Semaphore;

/// A memory store that can go away, refuse writes, count them, and hold calls
/// back until the test lets them go.
pub(crate) struct TestStore {
    inner: MemoryStore,
    /// Nothing can be read or written.
    pub(crate) down: AtomicBool,
    /// Nothing can be renewed, as on a read-only replica.
    pub(crate) read_only: AtomicBool,
    /// Renewals that were written.
    pub(crate) renewals: AtomicU64,
    /// Calls of any verb.
    pub(crate) calls: AtomicU64,
    /// Sessions that sweeps removed.
    pub(crate) swept: AtomicU64,
    /// Before a session is written.
    pub(crate) creations: Gate,
    /// Before a session is read.
    pub(crate) loads: Gate,
    /// After a session was removed.
    pub(crate) removals: Gate,
    /// Before a renewal is written.
    renewing: Gate,
    /// Before a sweep removes any.
    pub(crate) sweeps: Gate,
}

/// Where the next calls wait until they are let go.
pub(crate) struct Gate {
    to_hold: AtomicUsize,
    held_back: Semaphore,
    let_go: Semaphore,
}

impl Default for TestStore {
    fn default() -> Self {
        Self {
            inner: MemoryStore::new(),
            down: AtomicBool::new(false),
            read_only: AtomicBool::new(false),
            renewals: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            swept: AtomicU64::new(0),
            creations: Gate::default(),
            loads: Gate::default(),
            removals: Gate::default(),
            renewing: Gate::default(),
            sweeps: Gate::default(),
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        let (held_back, let_go) = (Semaphore::new(0), Semaphore::new(0));
        Self { to_hold: AtomicUsize::new(0), held_back, let_go }
    }
}

impl Gate {
    /// The next `count` calls wait for [`Self::let_go`].
    pub(crate) fn hold(&self, count: usize) {
        self.to_hold.store(count, SeqCst);
    }

    /// Until so many calls wait.
    pub(crate) async fn held(&self, count: u32) {
        self.held_back.acquire_many(count).await.unwrap().forget();
    }

    pub(crate) fn let_go(&self) {
        self.let_go.add_permits(1_000);
    }

    async fn pass(&self) {
        if self.to_hold.fetch_update(SeqCst, SeqCst, |count| count.checked_sub(1)).is_ok() {
            self.held_back.add_permits(1);
            self.let_go.acquire().await.unwrap().forget();
        }
    }
}

impl TestStore {
    pub(crate) fn held(&self) -> usize {
        self.inner.len()
    }

    /// The next `count` renewals wait for [`Self::let_renewals_go`].
    pub(crate) fn hold_renewals(&self, count: usize) {
        self.renewing.hold(count);
    }

    /// Until so many renewals wait.
    pub(crate) async fn renewals_are_held(&self, count: u32) {
        self.renewing.held(count).await;
    }

    pub(crate) fn let_renewals_go(&self) {
        self.renewing.let_go();
    }

    fn check(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, SeqCst);
        if self.down.load(SeqCst) { Err(StoreError::unavailable("switched off")) } else { Ok(()) }
    }
}

impl SessionStore for TestStore {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.check()?;
        self.creations.pass().await;
        self.inner.create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.check()?;
        self.loads.pass().await;
        // So that concurrent requests interleave as over a network.
        tokio::task::yield_now().await;
        self.inner.load(id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        self.check()?;
        if self.read_only.load(SeqCst) {
            return Err(StoreError::unavailable("read-only"));
        }
        self.renewing.pass().await;
        let written = self.inner.update(update).await?;
        self.renewals.fetch_add(written.into(), SeqCst);
        Ok(written)
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.check()?;
        let removed = self.inner.remove(id).await?;
        self.removals.pass().await;
        Ok(removed)
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        self.check()?;
        self.sweeps.pass().await;
        let removed = self.inner.remove_expired(before, limit).await?;
        self.swept.fetch_add(removed.len() as u64, SeqCst);
        Ok(removed)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.check()?;
        self.inner.list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.check()?;
        self.inner.remove_all(subject, except).await
    }
}
