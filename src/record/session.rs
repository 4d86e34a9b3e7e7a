use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use smol_str::SmolStr;

use super::id::SessionId;
use super::more::More;
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
/// which has no field for them. Only a new sign-in makes a new cap. A clone is the same
/// record, shared: one pointer.
#[doc = include_str!("examples/session.md")]
///
/// [`Update`]: crate::store::Update
#[derive(Clone, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(into = "SessionParts", try_from = "SessionParts"))]
pub struct Session(Arc<Fields>);

/// In little space, since a store may hold millions of them, and in this order, so that what
/// most requests read is together: each line of the cache that they do not touch is a miss less.
#[derive(Clone, Eq, PartialEq)]
#[repr(C)]
pub(crate) struct Fields {
    id: SessionId,
    pub(crate) secret: SecretHash,
    pub(crate) lifetime: Lifetime,
    profile: SmolStr,
    subject: SmolStr,
    pub(crate) version: u64,
    pub(crate) generation: u64,
    /// `None` is what [`More::of`] says.
    more: Option<Box<More>>,
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
        let (subject, profile) = (subject.into(), profile.into());
        check_names(&subject, &profile)?;
        Ok(Self::named(id, subject, profile, secret, lifetime))
    }

    /// [`new`](Self::new), of names that were checked.
    pub(crate) fn named(
        id: SessionId,
        subject: impl Into<SmolStr>,
        profile: impl Into<SmolStr>,
        secret: SecretHash,
        lifetime: Lifetime,
    ) -> Self {
        let (subject, profile) = (subject.into(), profile.into());
        let (version, generation, more) = (0, 0, None);
        let fields = Fields { id, secret, lifetime, profile, subject, version, generation, more };
        Self(Arc::new(fields))
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
        Ok(Self::new(id, subject, profile, secret, lifetime)?.with(|fields, more| {
            fields.version = version;
            fields.generation = generation;
            more.epoch = epoch;
            more.ordinal = ordinal;
            more.set_about(about);
            more.confirmed_at = confirmed_at;
        }))
    }

    /// Its fields, for a store to write.
    #[must_use]
    pub fn into_parts(self) -> SessionParts {
        let Fields { id, subject, profile, version, secret, lifetime, generation, more } =
            Arc::unwrap_or_clone(self.0);
        let (subject, profile) = (subject.into(), profile.into());
        let More { epoch, ordinal, about, confirmed_at } =
            more.map_or_else(|| More::of(&lifetime), |more| *more);
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

    /// The same session with other fields. Whoever shares the record keeps it as it was.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Fields, &mut More)) -> Self {
        let fields = Arc::make_mut(&mut self.0);
        let more = fields.more.take();
        let mut more = more.map_or_else(|| More::of(&fields.lifetime), |more| *more);
        change(fields, &mut more);
        fields.more = (more != More::of(&fields.lifetime)).then(|| Box::new(more));
        self
    }

    /// The public name of the session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.0.id
    }

    /// [`id`](Self::id), where it is.
    #[cfg(feature = "memory")]
    pub(crate) fn id_ref(&self) -> &SessionId {
        &self.0.id
    }

    /// Whose session it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The subject as it is kept: one that is long is shared by its clones.
    pub(crate) fn subject_text(&self) -> &SmolStr {
        &self.0.subject
    }

    /// Which policy of the set it was started under.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.0.profile
    }

    pub(crate) fn profile_text(&self) -> &SmolStr {
        &self.0.profile
    }

    /// Under which epoch of its subject it was started, if under any.
    #[must_use]
    pub fn epoch(&self) -> Option<u64> {
        self.0.more.as_ref()?.epoch
    }

    /// Its place among its subject's sessions, where a limit counts them; else 0.
    #[must_use]
    pub fn ordinal(&self) -> u64 {
        self.0.more.as_ref().map_or(0, |more| more.ordinal)
    }

    /// What its user knows it by, for a page of devices, which escapes it; as given
    /// to [`SignIn::about`](crate::SignIn::about).
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        self.0.more.as_ref()?.about.as_deref()
    }

    /// Counts the guarded writes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// The hash of the token's secret.
    ///
    /// A stateless session has no secret: this is made of its public id then, and
    /// nothing secret can be derived from it.
    #[must_use]
    pub fn secret(&self) -> &SecretHash {
        &self.0.secret
    }

    /// The four instants.
    #[must_use]
    pub fn lifetime(&self) -> &Lifetime {
        &self.0.lifetime
    }

    /// Counts the tokens of a hybrid session.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// When the current token of a hybrid session was first presented.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        match &self.0.more {
            Some(more) => more.confirmed_at,
            None => Some(self.0.lifetime.created_at()),
        }
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
