use alloc::sync::Arc;
use core::fmt;

use smol_str::SmolStr;

use super::id::SessionId;
use super::token::SecretHash;
use crate::config::{ProfileError, check_profile_name};
use crate::rule::Lifetime;
use crate::time::Timestamp;

const LONGEST_SUBJECT: usize = 1_024;

/// One session as a store keeps it.
///
/// The creation time, the cap, the subject and the profile have no setter: what
/// changes a stored session is an [`Update`], which has no field for them. Only a
/// new login makes a new cap. Cloning does not allocate.
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
    pub(crate) secret: SecretHash,
    pub(crate) version: u64,
    pub(crate) lifetime: Lifetime,
    pub(crate) generation: u64,
    pub(crate) confirmed_at: Option<Timestamp>,
}

/// The fields of a [`Session`], for stores to write and read.
///
/// Serialised as one flat object, whose instants are unix seconds.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct SessionParts {
    /// The public name of the session.
    pub id: SessionId,
    /// Whose session it is: 1 to 1024 bytes without NUL.
    pub subject: Arc<str>,
    /// Which policy of the set it was started under: 1 to 64 bytes without
    /// control characters.
    pub profile: Arc<str>,
    /// Counts the guarded writes; what a renewal compares. Starts at 0.
    pub version: u64,
    /// The hash of the token's secret.
    pub secret: SecretHash,
    /// The four instants.
    pub lifetime: Lifetime,
    /// Counts the tokens of a hybrid session; 0 for others.
    pub generation: u64,
    /// When a hybrid session's current token was first presented; `None` until
    /// then. At the start, the start.
    pub confirmed_at: Option<Timestamp>,
}

impl Session {
    /// A new session, at version 0 and generation 0.
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
            version,
            secret,
            lifetime,
            generation,
            confirmed_at,
        } = parts;
        check_names(&subject, &profile)?;
        let (subject, profile) = (subject.into(), profile.into());
        Ok(Self { id, subject, profile, secret, version, lifetime, generation, confirmed_at })
    }

    /// Its fields, for a store to write.
    #[must_use]
    pub fn into_parts(self) -> SessionParts {
        let Self { id, subject, profile, secret, version, lifetime, generation, confirmed_at } =
            self;
        let (subject, profile) = (subject.into(), profile.into());
        SessionParts { id, subject, profile, version, secret, lifetime, generation, confirmed_at }
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
