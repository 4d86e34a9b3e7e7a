use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;

use crate::rule::SessionPolicy;
use crate::store::StoreError;

/// Tells what holds for a subject right now: a tighter policy, an epoch, or that there
/// is to be no session. Given to `with_bounds`; without it nothing is asked.
///
/// It is asked once per request of a session whose time is not over by its profile's
/// policy, once per sign-in and rotation, and once per profile in `list`. A cache in front
/// of it delays a revocation, and a sign-in under the new epoch, by as long as it holds an
/// answer. Let sign-ins ask without the cache: under a limit on sessions, one that is
/// judged by a stale answer may end newer sessions. An error lets nobody in.
///
/// # Recipes
///
/// * **A change of the password** signs out everywhere (OWASP ASVS 5.0 7.4.3): keep a
///   value in the user's row that changes with it, at random or as the instant of the
///   change, and answer it as the epoch. A sign-in reads it together with the password's
///   hash and carries it ([`SignIn::epoch`](crate::SignIn::epoch)), so a sign-in that
///   verified the old password starts nothing that lives. The session that changes the
///   password goes on by [`SignIn::replacing`](crate::SignIn::replacing). An epoch is
///   never used twice: an old token would be good again.
/// * **A disabled or deleted user** is `None`.
/// * **A tenant or a role** with a shorter policy answers that policy. A bound only
///   tightens.
///
/// # Example
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, RwLock};
///
/// use session_policy::store::StoreError;
/// use session_policy::{Bound, Bounds};
///
/// /// A row per user; a real one asks a database.
/// struct Users(Arc<RwLock<HashMap<String, u64>>>);
///
/// impl Bounds for Users {
///     async fn bound(&self, subject: &str, _: &str) -> Result<Option<Bound>, StoreError> {
///         let users = self.0.read().map_err(|_| StoreError::unavailable("poisoned"))?;
///         Ok(users.get(subject).map(|epoch| Bound::default().with_epoch(*epoch)))
///     }
/// }
/// ```
pub trait Bounds: Send + Sync {
    /// What holds for the subject under this profile; `None` if it is to have no
    /// session.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if that cannot be told; nobody is let in.
    fn bound(
        &self,
        subject: &str,
        profile: &str,
    ) -> impl Future<Output = Result<Option<Bound>, StoreError>> + Send;
}

impl<B: Bounds + ?Sized> Bounds for Arc<B> {
    async fn bound(&self, subject: &str, profile: &str) -> Result<Option<Bound>, StoreError> {
        (**self).bound(subject, profile).await
    }
}

/// What holds for a subject right now, from [`Bounds::bound`]; the default bounds
/// nothing.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::store::StoreError;
/// use session_policy::{Bound, Bounds, MemoryStore, SessionPolicy, Sessions, SignIn, StartError};
///
/// struct Everyone;
///
/// impl Bounds for Everyone {
///     async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
///         Ok(Some(Bound::default().with_policy(SessionPolicy::WORKING_DAY).with_epoch(7)))
///     }
/// }
///
/// # pollster::block_on(async {
/// let sessions =
///     Sessions::new(MemoryStore::new(), SessionPolicy::SLIDING_MONTH).with_bounds(Everyone);
/// let started = sessions.start(SignIn::of("ada").epoch(7)).await?;
/// assert_eq!(started.status.cookie_max_age().num_hours(), 8);
///
/// let late = sessions.start(SignIn::of("ada").epoch(6)).await.unwrap_err();
/// assert!(matches!(late, StartError::Revoked));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bound {
    policy: Option<SessionPolicy>,
    epoch: Option<u64>,
}

impl Bound {
    /// With a policy that the profile's is to [meet](SessionPolicy::meet): the tighter of
    /// each setting holds, but for the clock skew, which stays the profile's, since it is
    /// about servers and not about a subject.
    #[must_use]
    pub const fn with_policy(self, policy: SessionPolicy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// With today's epoch: a session that was started under another is revoked, whatever
    /// any clock says.
    #[must_use]
    pub const fn with_epoch(self, epoch: u64) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    pub(super) fn tighten(&self, policy: &SessionPolicy) -> SessionPolicy {
        let met = self.policy.map_or(*policy, |bound| policy.meet(&bound));
        // It is about servers, not about a subject.
        met.with_clock_skew(policy.clock_skew()).unwrap_or(met)
    }

    /// Whether a session of this epoch is revoked.
    pub(super) fn revokes(&self, epoch: Option<u64>) -> bool {
        self.epoch.is_some() && self.epoch != epoch
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Option<Bound>, StoreError>> + Send + 'a>>;

/// The object-safe twin of [`Bounds`].
pub(super) trait Erased: Send + Sync {
    fn bound<'a>(&'a self, subject: &'a str, profile: &'a str) -> Answer<'a>;
}

impl<B: Bounds> Erased for B {
    fn bound<'a>(&'a self, subject: &'a str, profile: &'a str) -> Answer<'a> {
        Box::pin(Bounds::bound(self, subject, profile))
    }
}
