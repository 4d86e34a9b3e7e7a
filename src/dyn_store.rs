use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;

use crate::{Renewal, Session, SessionId, SessionStore, StoreError, SubjectStore, Timestamp};

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The object-safe twin of [`SubjectStore`], for a store that is chosen at run
/// time. Every [`SubjectStore`] is one, and `dyn DynSessionStore` is a
/// [`SubjectStore`] again; each call allocates its future.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use std::sync::Arc;
///
/// use session_policy::{DynSessionStore, MemoryStore, SessionPolicy, Sessions};
///
/// let store: Arc<dyn DynSessionStore> = Arc::new(MemoryStore::new());
/// let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY);
/// # drop(sessions);
/// # }
/// ```
pub trait DynSessionStore: Send + Sync {
    /// [`SessionStore::create`], boxed.
    fn boxed_create<'a>(&'a self, session: &'a Session) -> Answer<'a, ()>;

    /// [`SessionStore::load`], boxed.
    fn boxed_load<'a>(&'a self, id: &'a SessionId) -> Answer<'a, Option<Session>>;

    /// [`SessionStore::renew`], boxed.
    fn boxed_renew<'a>(&'a self, renewal: &'a Renewal) -> Answer<'a, bool>;

    /// [`SessionStore::remove`], boxed.
    fn boxed_remove<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool>;

    /// [`SessionStore::remove_expired`], boxed.
    fn boxed_remove_expired(&self, now: Timestamp, limit: u32) -> Answer<'_, u64>;

    /// [`SubjectStore::list`], boxed.
    fn boxed_list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Session>>;

    /// [`SubjectStore::remove_all`], boxed.
    fn boxed_remove_all<'a>(
        &'a self,
        subject: &'a str,
        except: Option<&'a SessionId>,
    ) -> Answer<'a, u64>;
}

impl<S: SubjectStore> DynSessionStore for S {
    fn boxed_create<'a>(&'a self, session: &'a Session) -> Answer<'a, ()> {
        Box::pin(self.create(session))
    }

    fn boxed_load<'a>(&'a self, id: &'a SessionId) -> Answer<'a, Option<Session>> {
        Box::pin(self.load(id))
    }

    fn boxed_renew<'a>(&'a self, renewal: &'a Renewal) -> Answer<'a, bool> {
        Box::pin(self.renew(renewal))
    }

    fn boxed_remove<'a>(&'a self, id: &'a SessionId) -> Answer<'a, bool> {
        Box::pin(self.remove(id))
    }

    fn boxed_remove_expired(&self, now: Timestamp, limit: u32) -> Answer<'_, u64> {
        Box::pin(self.remove_expired(now, limit))
    }

    fn boxed_list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Session>> {
        Box::pin(self.list(subject))
    }

    fn boxed_remove_all<'a>(
        &'a self,
        subject: &'a str,
        except: Option<&'a SessionId>,
    ) -> Answer<'a, u64> {
        Box::pin(self.remove_all(subject, except))
    }
}

impl SessionStore for dyn DynSessionStore + '_ {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.boxed_create(session).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        self.boxed_load(id).await
    }

    async fn renew(&self, renewal: &Renewal) -> Result<bool, StoreError> {
        self.boxed_renew(renewal).await
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        self.boxed_remove(id).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.boxed_remove_expired(now, limit).await
    }
}

impl SubjectStore for dyn DynSessionStore + '_ {
    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        self.boxed_list(subject).await
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<u64, StoreError> {
        self.boxed_remove_all(subject, except).await
    }
}
