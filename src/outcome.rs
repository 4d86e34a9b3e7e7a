use core::num::NonZeroU32;

use chrono::TimeDelta;

use crate::admission::AdmissionError;
use crate::{
    RandomError, RejectReason, Session, SessionError, SessionToken, Status, StoreError, Timestamp,
};

/// A new session and the token that opens it, from [`Sessions::start`] and
/// [`Sessions::rotate`].
///
/// [`Sessions::start`]: crate::Sessions::start
/// [`Sessions::rotate`]: crate::Sessions::rotate
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "the client must be sent the token"]
pub struct Started {
    /// What the client is to hold, once [exposed](SessionToken::expose).
    pub token: SessionToken,
    /// The `Max-Age` of the token's cookie.
    pub max_age: TimeDelta,
    /// The session as it is stored.
    pub session: Session,
    /// How long it has.
    pub status: Status,
}

/// A session that is served, from [`Sessions::authenticate`] and
/// [`Sessions::peek`].
///
/// [`Sessions::authenticate`]: crate::Sessions::authenticate
/// [`Sessions::peek`]: crate::Sessions::peek
#[derive(Debug)]
#[non_exhaustive]
pub struct Authenticated {
    /// The session as it is stored now.
    pub session: Session,
    /// How long it has, with the instant at which that was judged.
    pub status: Status,
    /// What to do with the client's cookie.
    pub cookie: Cookie,
    /// What became of the renewal.
    pub renewal: RenewalOutcome,
}

/// What to send to the client about its cookie.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[must_use = "the client must be sent what this says"]
pub enum Cookie {
    /// Send a cookie that clears it.
    Clear,
    /// Send nothing.
    Keep,
    /// Send the token that the client presented again, with this `Max-Age`.
    Set {
        /// 0 s to 400 days (RFC 6265bis section 5.6.2).
        max_age: TimeDelta,
    },
}

/// What became of a renewal.
#[derive(Debug)]
pub enum RenewalOutcome {
    /// It was due, but the store could not write. The session is valid and
    /// served, and the next request tries again.
    Deferred(StoreError),
    /// It was due, but would gain no time, as where the session is pinned at its cap.
    /// Nothing was written.
    NoGain,
    /// It was not due.
    NotDue,
    /// It was written.
    Renewed,
    /// It was due, but another request had written first; the session was
    /// loaded again and is valid.
    Superseded,
}

/// Why a token does not authenticate. The text is safe to log and holds no part
/// of the token.
///
/// Exhaustive, since callers branch on it: [`Store`](Self::Store) is a 503, the
/// others are a 401. Do not tell a client [`Unknown`](Self::Unknown) from
/// [`WrongSecret`](Self::WrongSecret).
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The session has reached a limit of its policy.
    #[error("the session is refused {} {since}: {reason}", reason.bound())]
    Rejected {
        /// Which limit.
        reason: RejectReason,
        /// As of [`Decision::Reject`](crate::Decision::Reject).
        since: Timestamp,
    },
    /// The store could not tell, so nobody is let in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such session: it was ended, swept or never was.
    #[error("there is no such session")]
    Unknown,
    /// The session is there, and the token's secret is not its own: a forgery.
    #[error("the token's secret is wrong")]
    WrongSecret,
}

impl AuthenticateError {
    /// The error as its stable, machine-readable word, for an audit log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Rejected { reason, .. } => reason.as_str(),
            Self::Store(_) => "store",
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong_secret",
        }
    }

    /// What to do with the client's cookie.
    ///
    /// Only a session that reached a limit clears it. After
    /// [`Unknown`](Self::Unknown) the cookie is kept, since the request may have
    /// raced a [rotation](crate::Sessions::rotate) whose answer has just set the
    /// cookie anew; after [`Store`](Self::Store), since the session may be well.
    pub const fn cookie(&self) -> Cookie {
        match self {
            Self::Rejected { reason: RejectReason::AbsoluteCap | RejectReason::Idle, .. } => {
                Cookie::Clear
            }
            Self::Rejected { .. } | Self::Store(_) | Self::Unknown | Self::WrongSecret => {
                Cookie::Keep
            }
        }
    }
}

/// Why no session was started. The text is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Later sign-ins of the same subject raced this one and ended it, as the
    /// profile's limit has it.
    #[error("the session was ended by later sign-ins of the same subject")]
    Displaced,
    /// There was no randomness for a token.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The subject or the profile cannot be a session's.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store did not take the session.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The subject has as many sessions as the profile's limit allows.
    #[error("the subject has as many sessions as it may: {max_sessions}")]
    TooManySessions {
        /// The limit.
        max_sessions: NonZeroU32,
    },
    /// No policy has this name, and a misspelt name must not inherit another
    /// lifetime.
    #[error("there is no profile `{}`", profile.escape_debug())]
    UnknownProfile {
        /// The refused name.
        profile: alloc::string::String,
    },
}

impl From<AdmissionError> for StartError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Displaced => Self::Displaced,
            AdmissionError::Store(error) => Self::Store(error),
            AdmissionError::TooMany { max_sessions } => Self::TooManySessions { max_sessions },
        }
    }
}

/// Why a session was not rotated. The text is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotateError {
    /// There was no randomness for a token.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The session has reached a limit of its policy.
    #[error("the session is refused {} {since}: {reason}", reason.bound())]
    Rejected {
        /// Which limit.
        reason: RejectReason,
        /// As of [`Decision::Reject`](crate::Decision::Reject).
        since: Timestamp,
    },
    /// The store could not write; the old token is as it was, unless the store
    /// removed the session and its answer was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session has ended meanwhile; it is not brought back.
    #[error("there is no such session")]
    Unknown,
}
