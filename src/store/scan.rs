use alloc::boxed::Box;
use alloc::vec::Vec;

use smol_str::SmolStr;

use crate::record::{Session, SessionId};
use crate::time::Timestamp;

/// What a store says of a session that it removed as expired: whose it was, and when
/// it ended.
///
/// # Example
///
/// ```
/// use session_policy::store::{Removed, SecretHash, SessionError};
/// use session_policy::{Session, SessionId, SessionPolicy, Timestamp};
///
/// let (id, secret) = (SessionId::from_bytes([7; 16]), SecretHash::of_secret(&[1; 32]));
/// let lifetime = SessionPolicy::SLIDING_MONTH.start(Timestamp::from_unix_secs(1_800_000_000));
/// let session = Session::new(id, "ada", "default", secret, lifetime)?;
///
/// let removed = Removed::of(&session); // By a store that keeps whole records.
/// assert_eq!((removed.id(), removed.subject(), removed.profile()), (id, "ada", "default"));
/// // By one whose statement returns the columns.
/// let (expires_at, cap) = (removed.expires_at(), removed.absolute_expires_at());
/// assert_eq!(Removed::from_parts(id, "ada", "default", expires_at, cap), removed);
/// # Ok::<(), SessionError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Removed {
    id: SessionId,
    subject: SmolStr,
    profile: SmolStr,
    expires_at: Timestamp,
    absolute_expires_at: Timestamp,
}

impl Removed {
    /// Of a session as it was when it was removed.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let lifetime = session.lifetime();
        Self {
            id: session.id(),
            subject: session.subject_text().clone(),
            profile: session.profile_text().clone(),
            expires_at: lifetime.expires_at(),
            absolute_expires_at: lifetime.absolute_expires_at(),
        }
    }

    /// From what a statement returns of the removed row.
    #[must_use]
    pub fn from_parts(
        id: SessionId,
        subject: &str,
        profile: &str,
        expires_at: Timestamp,
        absolute_expires_at: Timestamp,
    ) -> Self {
        let (subject, profile) = (subject.into(), profile.into());
        Self { id, subject, profile, expires_at, absolute_expires_at }
    }

    /// Which session it was.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it was.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The profile it was started under, `default` unless the sign-in named another: 1 to 64
    /// bytes.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The first instant at which it was not valid without further activity.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The first instant at which it would not have been valid whatever the activity: its
    /// cap, never before [`expires_at`](Self::expires_at).
    #[must_use]
    pub const fn absolute_expires_at(&self) -> Timestamp {
        self.absolute_expires_at
    }
}

/// Some of a store's sessions, from [`ScanStore::scan`](super::ScanStore::scan).
#[derive(Clone, Debug)]
pub struct Page {
    /// The sessions, expired or not, in any order; perhaps none, which does not make it the last
    /// page. A session may come again in a later page: take them by id.
    pub sessions: Vec<Session>,
    /// Where to go on; `None` after the last page.
    pub next: Option<Cursor>,
}

/// Where a scan goes on: bytes that mean something to their own store alone.
///
/// # Example
///
/// ```
/// use session_policy::SessionId;
/// use session_policy::store::Cursor;
///
/// // A store that goes by the order of ids notes the last one of the page.
/// let last = SessionId::from_bytes([7; 16]);
/// let next = Cursor::from_bytes(last.as_bytes().as_slice());
/// let from: [u8; 16] = next.as_bytes().try_into().unwrap();
/// assert_eq!(SessionId::from_bytes(from), last);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cursor(Box<[u8]>);

impl Cursor {
    /// A cursor of the store that calls this.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes, as the store made them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
