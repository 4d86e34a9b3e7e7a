use crate::time::Timestamp;

/// The four instants of one session.
///
/// They are always in this order, and a record that breaks it cannot be built:
///
/// ```text
/// created_at <= renewed_at <= expires_at <= absolute_expires_at
/// ```
///
/// | instant | moves | meaning |
/// | --- | --- | --- |
/// | `created_at` | never | the sign-in (OpenID Connect Core section 2: `auth_time`) |
/// | `renewed_at` | forward, at a renewal | the last write of this record |
/// | `expires_at` | at a renewal | the end without further activity |
/// | `absolute_expires_at` | never | the end whatever the activity |
///
/// All instants are whole seconds and half-open: a deadline is the first
/// instant at which the session is *not* valid. There is no setter: a lifetime
/// comes from [`SessionPolicy::start`], from a renewal that
/// [`SessionPolicy::evaluate`] decided, or from storage through
/// [`Lifetime::restore`].
///
/// [`SessionPolicy::start`]: crate::SessionPolicy::start
/// [`SessionPolicy::evaluate`]: crate::SessionPolicy::evaluate
///
/// # Example
///
/// A record that outlives its own cap is refused, not repaired:
///
/// ```
/// use session_policy::{Lifetime, Timestamp};
///
/// let at = Timestamp::from_unix_secs;
/// let error = Lifetime::restore(at(0), at(60), at(999), at(900)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "expires_at `1970-01-01T00:16:39Z` is after absolute_expires_at `1970-01-01T00:15:00Z`",
/// );
/// ```
///
/// What is in order is taken as it is:
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::{Lifetime, SessionPolicy, Timestamp};
///
/// let login = Timestamp::from_unix_secs(1_800_000_000);
/// let started = SessionPolicy::SLIDING_MONTH.start(login);
/// assert_eq!(started.created_at(), login);
/// assert_eq!(started.renewed_at(), login);
/// assert_eq!(started.expires_at().since(login), TimeDelta::days(30));
/// assert_eq!(started.absolute_expires_at().since(login), TimeDelta::days(45));
///
/// let stored = Lifetime::restore(
///     started.created_at(),
///     started.renewed_at(),
///     started.expires_at(),
///     started.absolute_expires_at(),
/// )?;
/// assert_eq!(stored, started);
/// # Ok::<(), session_policy::store::LifetimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(try_from = "raw::Lifetime"))]
#[expect(clippy::struct_field_names, reason = "the field's own terms")]
pub struct Lifetime {
    created_at: Timestamp,
    renewed_at: Timestamp,
    expires_at: Timestamp,
    absolute_expires_at: Timestamp,
}

impl Lifetime {
    /// A lifetime from its stored instants.
    ///
    /// # Errors
    ///
    /// [`LifetimeError`] if the instants are not in the order `created_at <=
    /// renewed_at <= expires_at <= absolute_expires_at`.
    pub fn restore(
        created_at: impl Into<Timestamp>,
        renewed_at: impl Into<Timestamp>,
        expires_at: impl Into<Timestamp>,
        absolute_expires_at: impl Into<Timestamp>,
    ) -> Result<Self, LifetimeError> {
        let created_at = created_at.into();
        let renewed_at = renewed_at.into();
        let expires_at = expires_at.into();
        let absolute_expires_at = absolute_expires_at.into();
        if renewed_at < created_at {
            Err(LifetimeError::RenewedBeforeCreated { created_at, renewed_at })
        } else if expires_at < renewed_at {
            Err(LifetimeError::ExpiresBeforeRenewed { expires_at, renewed_at })
        } else if absolute_expires_at < expires_at {
            Err(LifetimeError::ExpiresAfterCap { absolute_expires_at, expires_at })
        } else {
            Ok(Self::ordered(created_at, renewed_at, expires_at, absolute_expires_at))
        }
    }

    /// When the session was started.
    #[must_use]
    #[inline]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it was last renewed; at the start, the start.
    #[must_use]
    #[inline]
    pub const fn renewed_at(&self) -> Timestamp {
        self.renewed_at
    }

    /// The first instant at which it is not valid without further activity.
    #[must_use]
    #[inline]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The first instant at which it is not valid, whatever the activity.
    #[must_use]
    #[inline]
    pub const fn absolute_expires_at(&self) -> Timestamp {
        self.absolute_expires_at
    }

    /// The caller keeps the order of the instants.
    #[inline]
    pub(crate) fn ordered(
        created_at: Timestamp,
        renewed_at: Timestamp,
        expires_at: Timestamp,
        absolute_expires_at: Timestamp,
    ) -> Self {
        debug_assert!(
            created_at <= renewed_at
                && renewed_at <= expires_at
                && expires_at <= absolute_expires_at,
            "instants out of order",
        );
        Self { created_at, renewed_at, expires_at, absolute_expires_at }
    }
}

/// Why four instants are not a [`Lifetime`]. serde tells it as its own error, with this text.
///
/// Equal instants are in order. Where several pairs are out of order, the first is told:
/// created and renewed, renewed and expires, expires and the cap.
///
/// ```
/// use session_policy::store::LifetimeError;
/// use session_policy::{Lifetime, Timestamp};
///
/// let at = Timestamp::from_unix_secs;
/// let error = Lifetime::restore(at(0), at(60), at(1_860), at(1_800)).unwrap_err();
/// let LifetimeError::ExpiresAfterCap { absolute_expires_at, .. } = error else { panic!() };
/// assert_eq!(absolute_expires_at, at(1_800));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LifetimeError {
    /// The record would outlive its cap.
    #[error("expires_at `{expires_at}` is after absolute_expires_at `{absolute_expires_at}`")]
    ExpiresAfterCap {
        /// The cap of the record.
        absolute_expires_at: Timestamp,
        /// The later instant.
        expires_at: Timestamp,
    },
    /// The record would have been renewed after its end.
    #[error("expires_at `{expires_at}` is before renewed_at `{renewed_at}`")]
    ExpiresBeforeRenewed {
        /// The earlier instant.
        expires_at: Timestamp,
        /// The renewal of the record.
        renewed_at: Timestamp,
    },
    /// The record would have been renewed before it existed.
    #[error("renewed_at `{renewed_at}` is before created_at `{created_at}`")]
    RenewedBeforeCreated {
        /// The creation of the record.
        created_at: Timestamp,
        /// The earlier instant.
        renewed_at: Timestamp,
    },
}

#[cfg(feature = "serde")]
mod raw {
    use super::LifetimeError;
    use crate::time::Timestamp;

    /// The instants as stored, before their order is checked.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(clippy::struct_field_names, reason = "the field's own terms")]
    pub(super) struct Lifetime {
        created_at: Timestamp,
        renewed_at: Timestamp,
        expires_at: Timestamp,
        absolute_expires_at: Timestamp,
    }

    impl TryFrom<Lifetime> for super::Lifetime {
        type Error = LifetimeError;

        fn try_from(raw: Lifetime) -> Result<Self, LifetimeError> {
            Self::restore(raw.created_at, raw.renewed_at, raw.expires_at, raw.absolute_expires_at)
        }
    }
}
