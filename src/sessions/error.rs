use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::num::NonZeroU32;

use super::token_error::{IssueError, TokenError};
use crate::record::{Session, SessionError};
use crate::rule::RejectReason;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Why a token does not authenticate. The text is safe to log and holds no part
/// of a token that is not ours.
///
/// Exhaustive, since callers branch on it: [`Store`](Self::Store) is a 503, the
/// others are a 401. Do not tell a client [`Token`](Self::Token),
/// [`Unknown`](Self::Unknown) and [`WrongSecret`](Self::WrongSecret) apart.
///
/// No refusal clears the client's cookie: clearing works by name, so a late refusal
/// would delete the cookie of the next sign-in. Only a sign-out clears it.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use session_policy::{AuthenticateError, MemoryStore, SessionPolicy, Sessions};
///
/// # pollster::block_on(async {
/// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
/// let error = sessions.authenticate("no token").await.unwrap_err();
/// assert_eq!(error.as_str(), "malformed"); // For the audit log.
/// let status = match error {
///     AuthenticateError::Store(_) => 503,
///     _ => 401,
/// };
/// assert_eq!(status, 401);
/// # });
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The session has reached a limit of its policy, or a signed token its `nbf`
    /// or `exp`.
    #[error("the session is refused {} {since}: {reason}", reason.bound())]
    Rejected {
        /// Which limit.
        reason: RejectReason,
        /// As of [`Decision::Reject`](crate::Decision::Reject).
        since: Timestamp,
    },
    /// A superseded token of a hybrid session came back, so `authenticate` has ended the
    /// session (RFC 9700 section 4.14.2, OWASP ASVS 5.0 10.4.5); `peek` ends nothing.
    #[error("the token was superseded")]
    Reused,
    /// The session was started under another epoch than its subject's, or the subject is
    /// to have no session ([`Bounds`](crate::Bounds)).
    #[error("the session is revoked")]
    Revoked,
    /// The store could not tell, so nobody is let in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The text is not one of our tokens.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no such session: it was ended, swept or never was.
    #[error("there is no such session")]
    Unknown,
    /// The session is there, and the token's secret is not its own: it was rotated
    /// away, or is a forgery. Nothing is ended for it.
    #[error("the token's secret is wrong")]
    WrongSecret,
}

impl AuthenticateError {
    /// The error as its stable, machine-readable word, for an audit log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Rejected { reason, .. } => reason.as_str(),
            Self::Reused => "reused",
            Self::Revoked => "revoked",
            Self::Store(_) => "store",
            Self::Token(error) => error.as_str(),
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong_secret",
        }
    }
}

/// Why no session was started. The text is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The ceiling of the cap is reached already, so the session would have ended.
    #[error("the ceiling `{ceiling}` is not after `{now}`, when the session starts")]
    CeilingReached {
        /// The refused ceiling.
        ceiling: Timestamp,
        /// When the session would have started.
        now: Timestamp,
    },
    /// Later sign-ins of the same subject raced this one and ended it, as the
    /// profile's limit has it.
    #[error("the session was ended by later sign-ins of the same subject")]
    Displaced,
    /// The subject has an epoch, and the sign-in carries none: the one that was read
    /// together with the password's hash. Asking for it now would give a thief today's.
    #[error("the sign-in carries no epoch, and its subject has one")]
    EpochMissing,
    /// No signed token could be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The profile has a limit on concurrent sessions, and stateless tokens
    /// cannot be counted.
    #[error("the limit on sessions of profile `{profile}` cannot be enforced without a store")]
    LimitNotEnforceable {
        /// The profile.
        profile: String,
    },
    /// The session that was to be replaced could not be ended, as far as is known, so it
    /// may live on, and the new one was withdrawn.
    #[error("the session to be replaced could not be ended")]
    NotReplaced(#[source] StoreError),
    /// Sign-ins of the same subject raced for the last place that the profile's limit
    /// allows, and this one withdrew. Try again.
    #[error("sign-ins of the same subject raced for the last place")]
    Raced,
    /// There was no randomness for a token.
    #[error("the operating system gave no randomness")]
    Random(#[source] Box<dyn Error + Send + Sync>),
    /// The subject's epoch changed since it was read with the password's hash, or the
    /// subject is to have no session ([`Bounds`](crate::Bounds)).
    #[error("sessions of the subject are revoked")]
    Revoked,
    /// The subject or the profile cannot be a session's.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store did not take the session.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The subject has as many sessions as the profile's limit allows, under
    /// [`WhenFull::Refuse`](crate::WhenFull::Refuse).
    #[error("the subject has as many sessions as it may: {max_sessions}")]
    TooMany {
        /// The limit.
        max_sessions: NonZeroU32,
        /// The live sessions in the way, the oldest first: a page can offer to end one.
        /// Once the user has chosen, start again with
        /// [`replacing`](crate::SignIn::replacing) that one, which takes its place.
        sessions: Vec<Session>,
    },
    /// No policy has this name, and a misspelt name must not inherit another
    /// lifetime.
    #[error("there is no profile `{}`", profile.escape_debug())]
    UnknownProfile {
        /// The refused name.
        profile: String,
    },
}

impl StartError {
    pub(crate) fn random(error: getrandom::Error) -> Self {
        Self::Random(Box::new(error))
    }
}

/// Why a session was not rotated. The text is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// No signed token could be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// Other writes of the session came first each time; the old token is as it was. Try
    /// again.
    #[error("other writes of the session came first")]
    Raced,
    /// There was no randomness for a token.
    #[error("the operating system gave no randomness")]
    Random(#[source] Box<dyn Error + Send + Sync>),
    /// The session has reached a limit of its policy.
    #[error("the session is refused {} {since}: {reason}", reason.bound())]
    Rejected {
        /// Which limit.
        reason: RejectReason,
        /// As of [`Decision::Reject`](crate::Decision::Reject).
        since: Timestamp,
    },
    /// As of [`AuthenticateError::Revoked`].
    #[error("the session is revoked")]
    Revoked,
    /// The store could not write, or could not tell whether it did: then the old token
    /// is as it was, or opens nothing any more and its user signs in again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session has ended, or another rotation gave it another secret.
    #[error("there is no such session")]
    Unknown,
}

impl RotateError {
    pub(crate) fn random(error: getrandom::Error) -> Self {
        Self::Random(Box::new(error))
    }
}
