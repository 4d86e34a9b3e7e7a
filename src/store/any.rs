use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;

use super::contract::{SessionStore, StoreError};
use super::scan::Removed;
use super::update::Update;
use crate::record::{Session, SessionId};
use crate::time::Timestamp;

/// A store whose type is chosen at run time. Each call allocates its future; a
/// clone is the same store.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::store::AnyStore;
/// use session_policy::{MemoryStore, SessionPolicy, Sessions};
///
/// fn store_of(url: &str) -> Result<AnyStore, String> {
///     match url {
///         "memory:" => Ok(AnyStore::new(MemoryStore::new())),
///         // "postgres://…" => Ok(AnyStore::new(PostgresStore::connect(url)…)),
///         other => Err(format!("no store is known for `{other}`")),
///     }
/// }
///
/// let sessions = Sessions::new(store_of("memory:")?, SessionPolicy::WORKING_DAY);
/// # drop(sessions);
/// # }
/// # Ok::<(), String>(())
/// ```
#[derive(Clone)]
pub struct AnyStore(Arc<dyn Erased>);

impl AnyStore {
    /// Erases the type of `store`.
    #[must_use]
    pub fn new(store: impl SessionStore + 'static) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStore").finish_non_exhaustive()
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The object-safe twin of [`SessionStore`].
trait Erased: Send + Sync {
    fn create<'a>(&'a self, session: &'a Session) -> Answer<'a, ()>;
    fn load<'a>(&'a self, id: &'a SessionId) -> Answer<'a, Option<Session>>;
    fn update<'a>(&'a self, update: &'a Update) -> Answer<'a, bool>;
    fn remove<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool>;
    fn remove_expired(&self, before: Timestamp, limit: u32) -> Answer<'_, Vec<Removed>>;
    fn list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Session>>;
    fn remove_all<'a>(
        &'a self,
        subject: &'a str,
        except: Option<&'a SessionId>,
    ) -> Answer<'a, Vec<SessionId>>;
}

impl<S: SessionStore> Erased for S {
    fn create<'a>(&'a self, session: &'a Session) -> Answer<'a, ()> {
        Box::pin(SessionStore::create(self, session))
    }

    fn load<'a>(&'a self, id: &'a SessionId) -> Answer<'a, Option<Session>> {
        Box::pin(SessionStore::load(self, id))
    }

    fn update<'a>(&'a self, update: &'a Update) -> Answer<'a, bool> {
        Box::pin(SessionStore::update(self, update))
    }

    fn remove<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool> {
        Box::pin(SessionStore::remove(self, id))
    }

    fn remove_expired(&self, before: Timestamp, limit: u32) -> Answer<'_, Vec<Removed>> {
        Box::pin(SessionStore::remove_expired(self, before, limit))
    }

    fn list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Session>> {
        Box::pin(SessionStore::list(self, subject))
    }

    fn remove_all<'a>(
        &'a self,
        subject: &'a str,
        except: Option<&'a SessionId>,
    ) -> Answer<'a, Vec<SessionId>> {
        Box::pin(SessionStore::remove_all(self, subject, except))
    }
}

impl SessionStore for AnyStore {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        Erased::create(&*self.0, session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        Erased::load(&*self.0, id).await
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        Erased::update(&*self.0, update).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        Erased::remove(&*self.0, id).await
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        Erased::remove_expired(&*self.0, before, limit).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        Erased::list(&*self.0, subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        Erased::remove_all(&*self.0, subject, except).await
    }
}
