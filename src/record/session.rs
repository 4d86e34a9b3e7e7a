use alloc::sync::Arc;
use core::fmt;

use smol_str::SmolStr;

use super::about::shown;
use super::id::SessionId;
use super::session_parts::SessionParts;
use super::token::SecretHash;
use crate::config::{ProfileError, check_profile_name};
use crate::rule::Lifetime;
use crate::time::Timestamp;

const LONGEST_SUBJECT: usize = 1_024;

/// One session as a store keeps it.
///
/// It is one record under one id from sign-in to end: a renewal moves its instants,
/// a rotation gives it another secret, and the id stays. So a page of devices, an
/// audit log and an application's own tables can rely on the id.
///
/// The creation time, the cap, the subject, the profile, the epoch, the ordinal and
/// what it is about have no setter: what changes a stored session is an [`Update`],
/// which has no field for them. Only a new sign-in makes a new cap. Cloning does not
/// allocate.
#[doc = include_str!("examples/session.md")]
///
/// [`Update`]: crate::store::Update
#[derive(Clone, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(into = "SessionParts", try_from = "SessionParts"))]
pub struct Session {
    // Also written by `store`, which keeps them in less space and applies updates, and
    // by `sessions` and `jwt`, which make new sessions.
    pub(crate) id: SessionId,
    pub(crate) subject: SmolStr,
    pub(crate) profile: SmolStr,
    pub(crate) epoch: Option<u64>,
    pub(crate) ordinal: u64,
    pub(crate) about: Option<Arc<str>>,
    pub(crate) version: u64,
    pub(crate) secret: SecretHash,
    pub(crate) lifetime: Lifetime,
    pub(crate) generation: u64,
    pub(crate) confirmed_at: Option<Timestamp>,
}

impl Session {
    /// A new session, at version 0 and generation 0, without an epoch or an `about`, and
    /// with ordinal 0.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if `subject` is empty, longer than 1024 bytes or has a
    /// NUL (which some databases refuse and others cut off), or if `profile` is
    /// not 1 to 64 bytes without control characters.
    pub fn new(
        id: SessionId,
        subject: impl Into<Arc<str>>,
        profile: impl Into<Arc<str>>,
        secret: SecretHash,
        lifetime: Lifetime,
    ) -> Result<Self, SessionError> {
        Self::restore(SessionParts {
            id,
            subject: subject.into(),
            profile: profile.into(),
            epoch: None,
            ordinal: 0,
            about: None,
            version: 0,
            secret,
            lifetime,
            generation: 0,
            confirmed_at: Some(lifetime.created_at()),
        })
    }

    /// A session from its stored fields.
    ///
    /// # Errors
    ///
    /// [`SessionError`] as for [`new`](Self::new).
    pub fn restore(parts: SessionParts) -> Result<Self, SessionError> {
        let SessionParts {
            id,
            subject,
            profile,
            epoch,
            ordinal,
            about,
            version,
            secret,
            lifetime,
            generation,
            confirmed_at,
        } = parts;
        check_names(&subject, &profile)?;
        Ok(Self {
            id,
            subject: subject.into(),
            profile: profile.into(),
            epoch,
            ordinal,
            about: about.and_then(shown),
            version,
            secret,
            lifetime,
            generation,
            confirmed_at,
        })
    }

    /// Its fields, for a store to write.
    #[must_use]
    pub fn into_parts(self) -> SessionParts {
        let Self {
            id,
            subject,
            profile,
            epoch,
            ordinal,
            about,
            version,
            secret,
            lifetime,
            generation,
            confirmed_at,
        } = self;
        let (subject, profile) = (subject.into(), profile.into());
        SessionParts {
            id,
            subject,
            profile,
            epoch,
            ordinal,
            about,
            version,
            secret,
            lifetime,
            generation,
            confirmed_at,
        }
    }

    /// The public name of the session.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Whose session it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Which policy of the set it was started under.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// Under which epoch of its subject it was started, if under any.
    #[must_use]
    pub const fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Its place among its subject's sessions, where a limit counts them; else 0.
    #[must_use]
    pub const fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// What its user knows it by, for a page of devices, which escapes it; as given
    /// to [`SignIn::about`](crate::SignIn::about).
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// Counts the guarded writes.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The hash of the token's secret.
    ///
    /// A stateless session has no secret: this is made of its public id then, and
    /// nothing secret can be derived from it.
    #[must_use]
    pub const fn secret(&self) -> &SecretHash {
        &self.secret
    }

    /// The four instants.
    #[must_use]
    pub const fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Counts the tokens of a hybrid session.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// When the current token of a hybrid session was first presented.
    #[must_use]
    pub const fn confirmed_at(&self) -> Option<Timestamp> {
        self.confirmed_at
    }
}

#[cfg(feature = "std")]
impl Session {
    pub(crate) fn with_about(self, about: Option<Arc<str>>) -> Self {
        Self { about: about.and_then(shown), ..self }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.clone().into_parts()).finish()
    }
}

impl From<Session> for SessionParts {
    fn from(session: Session) -> Self {
        session.into_parts()
    }
}

impl TryFrom<SessionParts> for Session {
    type Error = SessionError;

    fn try_from(parts: SessionParts) -> Result<Self, SessionError> {
        Self::restore(parts)
    }
}

pub(crate) fn check_names(subject: &str, profile: &str) -> Result<(), SessionError> {
    if subject.is_empty() {
        return Err(SessionError::SubjectEmpty);
    }
    if subject.len() > LONGEST_SUBJECT {
        return Err(SessionError::SubjectTooLong { bytes: subject.len() });
    }
    if subject.contains('\0') {
        return Err(SessionError::SubjectHasNul);
    }
    Ok(check_profile_name(profile)?)
}

/// Why fields are not a [`Session`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The profile is not a profile's name.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No subject.
    #[error("subject is empty")]
    SubjectEmpty,
    /// The subject has a NUL character.
    #[error("subject has a NUL character")]
    SubjectHasNul,
    /// The subject is longer than 1024 bytes.
    #[error("subject of {bytes} bytes is longer than 1024 bytes")]
    SubjectTooLong {
        /// Its length.
        bytes: usize,
    },
}
