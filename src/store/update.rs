use crate::record::{SecretHash, Session, SessionId};
use crate::rule::Lifetime;
use crate::time::Timestamp;

/// One guarded write of a stored session: all that ever changes in one.
///
/// It has no field for the creation time, the cap, the subject, the profile, the
/// epoch, the ordinal or what the session is about, so no store can change them. It
/// applies only to the version it was made from (compare and set).
#[doc = include_str!("examples/update.md")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Update {
    id: SessionId,
    expected_version: u64,
    at: Timestamp,
    renewed_at: Timestamp,
    expires_at: Timestamp,
    secret: SecretHash,
    generation: u64,
    confirmed_at: Option<Timestamp>,
}

impl Update {
    /// The write at the instant `at` that gives `session` the `renewed_at` and
    /// `expires_at` of `lifetime`, of which nothing else is read.
    ///
    /// `expires_at` is clamped to the session's own cap.
    #[must_use]
    pub fn new(session: &Session, at: impl Into<Timestamp>, lifetime: &Lifetime) -> Self {
        Self {
            id: session.id(),
            expected_version: session.version(),
            at: at.into(),
            renewed_at: lifetime.renewed_at(),
            expires_at: lifetime.expires_at().min(session.lifetime().absolute_expires_at()),
            secret: *session.secret(),
            generation: session.generation(),
            confirmed_at: session.confirmed_at(),
        }
    }

    /// The same write, which also sets the secret: a rotation.
    #[must_use]
    pub const fn with_secret(self, secret: SecretHash) -> Self {
        Self { secret, ..self }
    }

    /// The same write, which also sets the generation of a hybrid session and
    /// when its current token was first presented.
    #[must_use]
    pub const fn with_generation(self, generation: u64, confirmed_at: Option<Timestamp>) -> Self {
        Self { generation, confirmed_at, ..self }
    }

    /// The session after this write, or `None` if it does not apply: it is for
    /// another session or version, the cap does not lie ahead of it, or it would
    /// break the order of the instants.
    ///
    /// This is the guard of [`SessionStore::update`] for stores that keep whole
    /// records.
    ///
    /// [`SessionStore::update`]: crate::store::SessionStore::update
    #[must_use]
    pub fn apply(&self, session: &Session) -> Option<Session> {
        self.apply_to(session.clone())
    }

    /// [`apply`](Self::apply), in place if nobody shares the record.
    pub(crate) fn apply_to(&self, session: Session) -> Option<Session> {
        let lifetime = session.lifetime();
        let applies = self.id == session.id()
            && self.expected_version == session.version()
            && self.at < lifetime.absolute_expires_at()
            && self.renewed_at >= lifetime.renewed_at();
        if !applies {
            return None;
        }
        let lifetime = Lifetime::restore(
            lifetime.created_at(),
            self.renewed_at,
            self.expires_at,
            lifetime.absolute_expires_at(),
        );
        let (version, lifetime) = (session.version().checked_add(1)?, lifetime.ok()?);
        Some(session.with(|fields, more| {
            fields.version = version;
            fields.lifetime = lifetime;
            fields.secret = self.secret;
            fields.generation = self.generation;
            more.confirmed_at = self.confirmed_at;
        }))
    }

    /// Which session.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The version that the stored session must have; the write makes it one
    /// more.
    #[must_use]
    pub const fn expected_version(&self) -> u64 {
        self.expected_version
    }

    /// The instant of the write, which the stored cap must lie ahead of.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// When the session counts as renewed after this write; the guard asks that it is not
    /// before the stored one.
    #[must_use]
    pub const fn renewed_at(&self) -> Timestamp {
        self.renewed_at
    }

    /// Its end without further activity after this write, clamped to the cap.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The hash of the secret after this write; only a rotation changes it.
    #[must_use]
    pub const fn secret(&self) -> &SecretHash {
        &self.secret
    }

    /// The new generation of a hybrid session; unchanged for others.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The new confirmation of a hybrid session; others never read it.
    #[must_use]
    pub const fn confirmed_at(&self) -> Option<Timestamp> {
        self.confirmed_at
    }
}
