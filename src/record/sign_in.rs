use alloc::string::String;
use alloc::sync::Arc;

use super::session::Session;
use crate::config::Policies;
use crate::time::Timestamp;

/// A sign-in: what a session is started from.
///
/// | part | what it says | if not set |
/// | --- | --- | --- |
/// | [`of`](Self::of) | whose session it is: 1 to 1024 bytes without NUL | – |
/// | [`profile`](Self::profile) | which policy of the set | "default" |
/// | [`until`](Self::until) | an upper bound of the cap | the policy's cap alone |
/// | [`about`](Self::about) | what the user knows the session by | nothing |
/// | [`epoch`](Self::epoch) | the subject's value that revokes when it changes | none |
/// | [`replacing`](Self::replacing) | which session ends once this one stands | none |
/// | [`claims`](Self::claims) | what of the application's own a signed token says | nothing |
///
/// A `&str` or a [`String`] converts, as the subject. The parts are checked by the
/// `start` that takes them.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::{MemoryStore, Policies, SessionPolicy, Sessions, SignIn};
///
/// # pollster::block_on(async {
/// let policies = Policies::new(SessionPolicy::SLIDING_MONTH)
///     .with_profile("admin", SessionPolicy::WORKING_DAY)?;
/// let sessions = Sessions::new(MemoryStore::new(), policies);
///
/// let user = sessions.start("user-42").await?;
/// let admin = sessions.start(SignIn::of("user-1").profile("admin")).await?;
/// assert!(admin.status.absolute_expires_at < user.status.absolute_expires_at);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
///
#[doc = include_str!("examples/sign_in.md")]
#[derive(Clone, Debug)]
#[must_use = "a sign-in starts nothing by itself"]
pub struct SignIn<A = NoClaims> {
    pub(crate) subject: Arc<str>,
    pub(crate) profile: Arc<str>,
    pub(crate) ceiling: Timestamp,
    pub(crate) about: Option<Arc<str>>,
    pub(crate) epoch: Option<u64>,
    pub(crate) replacing: Option<Session>,
    pub(crate) claims: A,
}

impl SignIn {
    /// The sign-in of `subject`, an id that is never given to another user: 1 to 1024 bytes
    /// without NUL, else `start` is [`StartError::Session`](crate::StartError::Session).
    pub fn of(subject: impl Into<Arc<str>>) -> Self {
        Self {
            subject: subject.into(),
            profile: Policies::DEFAULT.into(),
            ceiling: Timestamp::MAX,
            about: None,
            epoch: None,
            replacing: None,
            claims: NoClaims {},
        }
    }
}

impl<A> SignIn<A> {
    /// Under a named profile, such as "remember-me" or "admin".
    pub fn profile(self, profile: impl Into<Arc<str>>) -> Self {
        Self { profile: profile.into(), ..self }
    }

    /// With a cap of at most `ceiling`, such as the end of an upstream provider's
    /// session (`SessionNotOnOrAfter` of SAML; not the `exp` of an ID token, which
    /// ends the token and not the session). A ceiling that is already reached is an
    /// error of `start`.
    pub fn until(self, ceiling: impl Into<Timestamp>) -> Self {
        Self { ceiling: ceiling.into(), ..self }
    }

    /// With a text by which the user knows the session on a page of devices, such as
    /// "Firefox on Linux", made of the header `User-Agent`, which this crate does not read, or
    /// a name that the user gives.
    ///
    /// It is never refused: control and bidirectional characters are removed, and it
    /// is cut at a character within 1 KiB. The page escapes it. It decides nothing,
    /// enters no token, event or `Debug`, survives renewals and rotations, and is gone
    /// with the session.
    pub fn about(self, about: impl Into<Arc<str>>) -> Self {
        Self { about: Some(about.into()), ..self }
    }

    /// Under this epoch: the value of the subject's that the application changes to
    /// revoke all that was started under another ([`Bounds`](crate::Bounds)). It is the
    /// one that was read together with the hash of the password.
    pub fn epoch(self, epoch: u64) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    /// In the place of a session, such as at a re-authentication or when a guest signs
    /// in: the old session ends once the new one stands, and does not count beside it.
    /// Nothing of it is carried over: give profile, epoch and `about` again.
    ///
    /// A stateless token is replaced at its client alone: a copy of it is good until
    /// its `exp`.
    pub fn replacing(self, session: &Session) -> Self {
        Self { replacing: Some(session.clone()), ..self }
    }

    /// With the application's own claims, which a signed token carries beside the
    /// session's.
    pub fn claims<B>(self, claims: B) -> SignIn<B> {
        let Self { subject, profile, ceiling, about, epoch, replacing, claims: _ } = self;
        SignIn { subject, profile, ceiling, about, epoch, replacing, claims }
    }
}

impl From<&str> for SignIn {
    fn from(subject: &str) -> Self {
        Self::of(subject)
    }
}

impl From<String> for SignIn {
    fn from(subject: String) -> Self {
        Self::of(subject)
    }
}

/// The application has no claims of its own. Those that a token has are ignored
/// (RFC 7519 section 4).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct NoClaims {}
