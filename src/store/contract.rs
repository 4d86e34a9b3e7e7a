use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::future::Future;

use super::scan::{Cursor, Page, Removed};
use super::update::Update;
use crate::record::{Session, SessionId};
use crate::time::Timestamp;

/// Keeps sessions, by id and by subject.
///
/// A store never looks at a clock and never judges a session: it returns what it
/// holds, and [`SessionPolicy::evaluate`] decides. There is no `save`: an upsert
/// under that name is how a request that is still running brings back a session
/// that was signed out.
///
/// An implementer writes plain `async fn`.
///
/// # Contract
///
/// Each point stops an attack, or a user's loss:
///
/// 1. [`create`](Self::create) never replaces: a taken id is
///    [`StoreError::Conflict`], also if the session there was removed while the call
///    ran. *Who could choose an id could otherwise take over a session.*
/// 2. [`load`](Self::load) returns what the store holds, expired or not, whole (never
///    half of an update), and writes nothing. *Reading must not keep a session alive.*
/// 3. Read your writes: every answer sees each write that was answered before it,
///    through whichever handle, clone or process that was: from the primary or a
///    synchronous quorum, and from no cache that another process's write does not
///    reach. *A session that was ended would otherwise still be served.*
/// 4. [`update`](Self::update) never creates, so that a request that races a sign-out
///    cannot bring the session back. It is one atomic step, also among threads, and
///    `true` only if all of this held: the session exists, its version is
///    [`Update::expected_version`], its `absolute_expires_at` is later than
///    [`Update::at`], and the new instants keep the order `renewed_at` (stored)
///    `<= renewed_at <= expires_at <= absolute_expires_at`. It then sets
///    `renewed_at`, `expires_at`, `secret`, `generation` and `confirmed_at`, adds 1
///    to the version and changes nothing else. Of concurrent updates of one version,
///    exactly one wins. `false` is not an error. *A stale write would otherwise
///    undo a rotation, and a stolen token open the session again.*
/// 5. [`remove`](Self::remove) is idempotent: one caller is told `true`.
/// 6. [`remove_expired`](Self::remove_expired) is half-open (a session whose
///    `expires_at` is `before` has expired), removes at most `limit`, and returns each
///    that it removed, once. *An audit log would otherwise miss an end, or count it twice.*
/// 7. [`list`](Self::list) shows every session that is there while it runs, each once.
///    *A limit counts by it.*
/// 8. [`remove_all`](Self::remove_all) is one pass: every session that was there when
///    it was called is gone when it returns, but `except`; one that is created
///    meanwhile may stay. An `except` that is not there spares nothing. *The stolen
///    session that the user meant to end would otherwise live on.*
/// 9. Subjects and profiles are compared, and all texts kept, byte by byte: `Ada` does
///    not end the sessions of `ada`, nor `ada ` with a space.
/// 10. Instants are kept to the second over the whole range of
///     [`Timestamp`](crate::Timestamp), and counts in 64 bits.
/// 11. No live session is evicted: a store that is full refuses
///     ([`StoreError::Full`]).
/// 12. Cancel-safe: a call that is dropped at any await has done, for each session, all
///     of its work or none of it, leaves no lock behind, and what it did is found by
///     every verb, by id and by subject. *Clients hang up, and frameworks limit time.*
///
/// An error of `load` lets nobody in. An error of `update` is safe: the session is
/// served while its stored record is valid.
#[doc = include_str!("examples/store.md")]
///
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
pub trait SessionStore: Send + Sync {
    /// Whether [`load`](Self::load), [`update`](Self::update) and [`remove`](Self::remove) are
    /// done whenever they are first polled, as in memory: `web` then asks for the session of a
    /// request without boxing a future. A store around another one says what that one says.
    ///
    /// Where it is `true` and a call waits nevertheless, that call is dropped, and the request
    /// begins anew. Nobody is let in by that, but what the dropped call did is not told of, and
    /// a cookie that it called for is not sent.
    const NEVER_WAITS: bool = false;

    /// Adds a session; never replaces one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the id is taken, others as the store has them.
    fn create(&self, session: &Session) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The session of this id as it is held, expired or not.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell; nobody is let in.
    fn load(
        &self,
        id: &SessionId,
    ) -> impl Future<Output = Result<Option<Session>, StoreError>> + Send;

    /// Applies a write if its guard holds. Returns whether it did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    fn update(&self, update: &Update) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes a session. Returns whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    fn remove(&self, id: &SessionId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes at most `limit` sessions whose `expires_at` is at or before `before`.
    /// Returns those removed, none for a `limit` of 0; fewer than `limit` means that none is
    /// left, except those that are being written at that moment, unless the store failed on its
    /// way.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write. A store that fails after it removed some may
    /// return those: the next call tells of the error, if it lasts.
    fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Removed>, StoreError>> + Send;

    /// All sessions of a subject, expired or not, in any order: for a page of the
    /// user's devices (OWASP ASVS 5.0 7.5.2) and a
    /// [limit](crate::SessionLimit) on concurrent sessions.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell.
    fn list(&self, subject: &str) -> impl Future<Output = Result<Vec<Session>, StoreError>> + Send;

    /// Removes all sessions of a subject except `except`. Returns the ids removed. For
    /// "sign out everywhere" and an administrator's lock (OWASP ASVS 5.0 7.4.2, 7.4.3 and
    /// 7.4.5).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot write.
    fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> impl Future<Output = Result<Vec<SessionId>, StoreError>> + Send;
}

/// A store that can be gone through from end to end: for counts, exports, a
/// `review::Impact`, and a [sweep by today's policy](crate::Sessions::sweep_by_policy).
/// Starting sessions does not need it.
///
/// # Contract
///
/// Every session that is there throughout is in at least one page, whatever else is
/// written meanwhile. One may be in several; take them by id.
#[doc = include_str!("examples/scan.md")]
pub trait ScanStore: SessionStore {
    /// About `limit` (from 1) sessions, from the beginning or from where a page ended.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store cannot tell, or the cursor is not one of its own.
    fn scan(
        &self,
        from: Option<&Cursor>,
        limit: u32,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;
}

/// Why a store did not do as asked. The text is safe to log; the source is the
/// store's own error, which may not be.
///
/// # Example
///
/// ```
/// use session_policy::store::StoreError;
///
/// let away = StoreError::unavailable(std::io::Error::from(std::io::ErrorKind::TimedOut));
/// assert_eq!(away.to_string(), "the session store is unavailable");
/// let odd = StoreError::corrupt("id of 15 bytes");
/// assert_eq!(odd.to_string(), "the stored session is unreadable");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The id of a new session is taken.
    #[error("the session id is taken")]
    Conflict,
    /// A stored record is no session. It is refused, never repaired.
    #[error("the stored session is unreadable")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// The store holds as many sessions as it may; live ones are not evicted.
    #[error("the session store is full at its capacity of {capacity}")]
    Full {
        /// How many sessions it may hold.
        capacity: usize,
    },
    /// The store could not be reached or did not answer in time.
    #[error("the session store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// For a row that was read and is no session, such as an id of 15 bytes; `source` says why.
    pub fn corrupt(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Corrupt(source.into())
    }

    /// For a store that could not be reached, or did not answer in time; `source` says why.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// Implements the contract for a pointer to a store.
macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<S: SessionStore + ?Sized> SessionStore for $pointer {
            const NEVER_WAITS: bool = S::NEVER_WAITS;

            async fn create(&self, session: &Session) -> Result<(), StoreError> {
                (**self).create(session).await
            }

            async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
                (**self).load(id).await
            }

            async fn update(&self, update: &Update) -> Result<bool, StoreError> {
                (**self).update(update).await
            }

            async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
                (**self).remove(id).await
            }

            async fn remove_expired(
                &self,
                before: Timestamp,
                limit: u32,
            ) -> Result<Vec<Removed>, StoreError> {
                (**self).remove_expired(before, limit).await
            }

            async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
                (**self).list(subject).await
            }

            async fn remove_all(
                &self,
                subject: &str,
                except: Option<&SessionId>,
            ) -> Result<Vec<SessionId>, StoreError> {
                (**self).remove_all(subject, except).await
            }
        }

        impl<S: ScanStore + ?Sized> ScanStore for $pointer {
            async fn scan(&self, from: Option<&Cursor>, limit: u32) -> Result<Page, StoreError> {
                (**self).scan(from, limit).await
            }
        }
    )*};
}

delegate!(&S, Arc<S>, Box<S>);
