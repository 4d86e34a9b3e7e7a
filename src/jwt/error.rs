use alloc::boxed::Box;
use alloc::string::String;
use core::error::Error;
use core::num::NonZeroU32;

use crate::admission::AdmissionError;
use crate::{
    Cookie, LifetimeError, RandomError, RejectReason, SessionError, StoreError, Timestamp,
};

/// Why a token does not authenticate. The text is safe to log: it holds no part of
/// a token that is not ours, and of one that is at most its instants and its
/// profile, without control characters.
///
/// Callers branch on [`Store`](Self::Store), which is a 503; the others are a
/// 401. A client need not be told which.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// The header's `alg` is not the one algorithm of the key.
    #[error("the token's algorithm is not that of its key")]
    Algorithm,
    /// The application's own claims are not what its type takes.
    #[error("the application's claims do not fit")]
    Application(#[source] Box<dyn Error + Send + Sync>),
    /// The token is for another audience, or for one although none is
    /// configured (RFC 7519 section 4.1.3).
    #[error("the token is for another audience")]
    Audience,
    /// A claim of the session is there and is not what it has to be.
    #[error("claim `{claim}` is malformed")]
    ClaimMalformed {
        /// Its name.
        claim: &'static str,
    },
    /// A claim of the session is not there.
    #[error("claim `{claim}` is missing")]
    ClaimMissing {
        /// Its name.
        claim: &'static str,
    },
    /// The header demands an extension, by `crit` or `b64`, and there is none
    /// (RFC 7515 section 4.1.11, RFC 7797).
    #[error("the token demands an extension")]
    Critical,
    /// The token is of another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// The token's key has retired.
    #[error("the token's key is retired since {since}")]
    KeyRetired {
        /// Since when.
        since: Timestamp,
    },
    /// The token's instants contradict each other.
    #[error("the token's instants are out of order: {0}")]
    Lifetime(#[source] LifetimeError),
    /// It is not three base64url segments, of which two are JSON objects of
    /// distinct names.
    #[error("the token is malformed")]
    Malformed,
    /// The subject or the profile cannot be a session's.
    #[error(transparent)]
    Names(SessionError),
    /// The session has reached a limit of its policy, or the token is not valid
    /// yet.
    #[error("the session is refused {} {since}: {reason}", reason.bound())]
    Rejected {
        /// Which limit.
        reason: RejectReason,
        /// As of [`Decision::Reject`](crate::Decision::Reject).
        since: Timestamp,
    },
    /// A superseded token of a hybrid session came back, and the session has
    /// been ended.
    #[error("the token was superseded, so its session has been ended")]
    Reused,
    /// Everything issued to the subject up to this instant is revoked.
    #[error("the subject's tokens are revoked up to and including {valid_after}")]
    Revoked {
        /// The last instant whose tokens are revoked.
        valid_after: Timestamp,
    },
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    Signature,
    /// The store could not tell, so nobody is let in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token belongs to a session of the other strategy: `gen` is 0 in a
    /// stateless token and at least 1 in a hybrid one.
    #[error("the token is not of this kind of session")]
    Strategy,
    /// The token is longer than 8 KiB; it was not parsed.
    #[error("the token of {bytes} bytes is longer than 8192 bytes")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The header's `typ` is neither absent nor JWT.
    #[error("the token is of another type")]
    Type,
    /// There is no such hybrid session: it was ended, swept or never was.
    #[error("there is no such session")]
    Unknown,
    /// The header's `kid` names no key of the ring.
    #[error("the token's key is not in the ring")]
    UnknownKey,
}

impl JwtError {
    /// What to do with the client's cookie. Only a session that has ended clears
    /// it: not an unreadable token, since another request's answer may just have
    /// set a good one, and never a lost race.
    pub const fn cookie(&self) -> Cookie {
        match self {
            Self::KeyRetired { .. }
            | Self::Rejected { reason: RejectReason::AbsoluteCap | RejectReason::Idle, .. }
            | Self::Reused
            | Self::Revoked { .. } => Cookie::Clear,
            _ => Cookie::Keep,
        }
    }

    /// The error as its stable, machine-readable word, for an audit log.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Algorithm => "algorithm",
            Self::Application(_) => "application",
            Self::Audience => "audience",
            Self::ClaimMalformed { .. } => "claim_malformed",
            Self::ClaimMissing { .. } => "claim_missing",
            Self::Critical => "critical",
            Self::Issuer => "issuer",
            Self::KeyRetired { .. } => "key_retired",
            Self::Lifetime(_) => "lifetime",
            Self::Malformed => "malformed",
            Self::Names(_) => "names",
            Self::Rejected { reason, .. } => reason.as_str(),
            Self::Reused => "reused",
            Self::Revoked { .. } => "revoked",
            Self::Signature => "signature",
            Self::Store(_) => "store",
            Self::Strategy => "strategy",
            Self::TooLong { .. } => "too_long",
            Self::Type => "type",
            Self::Unknown => "unknown",
            Self::UnknownKey => "unknown_key",
        }
    }
}

/// Why no token was issued. The text is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The application's claims do not serialise.
    #[error("the application's claims do not serialise")]
    Application(#[source] Box<dyn Error + Send + Sync>),
    /// The application's claims are not an object, so they have no names.
    #[error("the application's claims are not an object")]
    ApplicationNotObject,
    /// A token counts from 1970.
    #[error("the session was started at {created_at}, before 1970")]
    BeforeEpoch {
        /// When.
        created_at: Timestamp,
    },
    /// Later sign-ins of the same subject raced this one and ended it, as the
    /// profile's limit has it.
    #[error("the session was ended by later sign-ins of the same subject")]
    Displaced,
    /// The profile has a limit on concurrent sessions, and stateless tokens
    /// cannot be counted.
    #[error("the limit on sessions of profile `{profile}` cannot be enforced without a store")]
    LimitNotEnforceable {
        /// The profile.
        profile: String,
    },
    /// There was no randomness.
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
    /// A claim of the application would shadow one of ours.
    #[error("the application's claim `{claim}` has a reserved name")]
    Reserved {
        /// Its name.
        claim: &'static str,
    },
    /// The subject's tokens are revoked to beyond the end of the new session.
    #[error("the subject's tokens are revoked up to and including {valid_after}")]
    Revoked {
        /// The last instant whose tokens are revoked.
        valid_after: Timestamp,
    },
    /// The subject or the profile cannot be a session's.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The crypto provider failed.
    #[error("the crypto provider did not sign")]
    Signing,
    /// The store did not take the session, or could not write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token would be refused, since it is longer than 8 KiB.
    #[error("the token of {bytes} bytes is longer than 8192 bytes")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The subject has as many sessions as the profile's limit allows.
    #[error("the subject has as many sessions as it may: {max_sessions}")]
    TooManySessions {
        /// The limit.
        max_sessions: NonZeroU32,
    },
    /// The session has ended meanwhile; it is not brought back.
    #[error("there is no such session")]
    Unknown,
    /// No policy has this name, and a misspelt name must not inherit another
    /// lifetime.
    #[error("there is no profile `{}`", profile.escape_debug())]
    UnknownProfile {
        /// The refused name.
        profile: String,
    },
    /// The key ring holds no key that signs.
    #[error("the key ring only verifies")]
    VerifyOnly,
}

impl From<AdmissionError> for IssueError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Displaced => Self::Displaced,
            AdmissionError::Store(error) => Self::Store(error),
            AdmissionError::TooMany { max_sessions } => Self::TooManySessions { max_sessions },
        }
    }
}
