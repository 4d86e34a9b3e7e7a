use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;

use chrono::TimeDelta;

use crate::rule::Lifetime;
use crate::sessions::StartError;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Tells up to when a subject's tokens are revoked: "sign out everywhere" for
/// stateless tokens (OWASP ASVS 5.0 7.4.1), after a change of password or
/// privilege.
///
/// Given to [`JwtSessions::with_valid_after`]; without one nothing is revoked. It is
/// asked once per served token, after the signature and the limits,
/// and when a session is started.
///
/// # To the second
///
/// * A token is refused if its `iat` is at or before the instant: within one
///   second nobody can tell which came first, so whatever was issued in the very
///   second of the change is revoked.
/// * A session that is started in that second is served all the same: its token
///   is stamped with the second after the revocation as its `iat`. Its
///   `auth_time`, `exp` and `cap` count from the actual start, so it gains
///   nothing.
///
/// # A request under way
///
/// A request that asked before the change was written may re-issue its token
/// after it, with a later `iat`. So write an instant that lies ahead of the clock
/// by the longest that such a request takes, 5 seconds for instance: new sessions
/// are stamped after it, as above.
///
/// # A second change
///
/// A session that was started since the last change, and before its instant, is
/// stamped with the second after it. So that another change revokes that one too,
/// write whichever is later: the clock with its margin, or the second after the
/// instant that is stored.
///
/// To go on with one session after a change of privilege, start another
/// [`until`](crate::SignIn::until) the former `absolute_expires_at`, so that its cap
/// does not move.
///
/// [`JwtSessions::with_valid_after`]: super::JwtSessions::with_valid_after
///
/// # Example
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::RwLock;
///
/// use session_policy::jwt::ValidAfter;
/// use session_policy::Timestamp;
/// use session_policy::store::StoreError;
///
/// /// One row per user; a real one asks a database or a cache.
/// struct PasswordChanges(RwLock<HashMap<String, Timestamp>>);
///
/// impl ValidAfter for PasswordChanges {
///     async fn valid_after(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
///         let changes = self.0.read().map_err(|_| StoreError::unavailable("poisoned"))?;
///         Ok(changes.get(subject).copied())
///     }
/// }
/// ```
pub trait ValidAfter: Send + Sync {
    /// The last instant whose tokens are revoked; `None` if none is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that cannot be told; nobody is let in.
    fn valid_after(
        &self,
        subject: &str,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
}

impl<V: ValidAfter + ?Sized> ValidAfter for Arc<V> {
    async fn valid_after(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        (**self).valid_after(subject).await
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Timestamp>, StoreError>> + Send + 'a>>;

/// The object-safe twin of [`ValidAfter`].
pub(super) trait Erased: Send + Sync {
    fn valid_after<'a>(&'a self, subject: &'a str) -> Answer<'a>;
}

impl<V: ValidAfter> Erased for V {
    fn valid_after<'a>(&'a self, subject: &'a str) -> Answer<'a> {
        Box::pin(ValidAfter::valid_after(self, subject))
    }
}

/// A new lifetime whose `renewed_at` is after what is revoked. Nothing counts
/// from the later stamp: `expires_at` and the cap stay.
pub(super) fn stamped_after(
    lifetime: Lifetime,
    valid_after: Option<Timestamp>,
) -> Result<Lifetime, StartError> {
    let Some(valid_after) = valid_after else {
        return Ok(lifetime);
    };
    let first = valid_after.saturating_add(TimeDelta::seconds(1));
    if first <= lifetime.renewed_at() {
        return Ok(lifetime);
    }
    if first > lifetime.expires_at() || first == valid_after {
        return Err(StartError::Revoked { valid_after });
    }
    Ok(Lifetime::ordered(
        lifetime.created_at(),
        first,
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ))
}
