use alloc::boxed::Box;
use core::error::Error;

use crate::record::SessionError;
use crate::rule::LifetimeError;
use crate::time::Timestamp;

/// Why a text is not one of our tokens. It is safe to log: it holds no part of a
/// token that is not ours, and of one that is at most its instants and its profile,
/// without control characters.
///
/// Of an opaque token it is [`Malformed`](Self::Malformed); the others are about
/// signed ones. A client need not be told which.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
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
    /// It is not 22 and 43 base64url characters with a full stop between them or,
    /// where it is to be signed, not three base64url segments of which two are JSON
    /// objects of distinct names.
    #[error("the token is malformed")]
    Malformed,
    /// The subject or the profile cannot be a session's.
    #[error(transparent)]
    Names(SessionError),
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    Signature,
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
    /// The header's `typ` is not that of this kind of session: absent or `JWT` in a
    /// stateless token, `session+jwt` in a hybrid one.
    #[error("the token is of another type")]
    Type,
    /// The header's `kid` names no key of the ring.
    #[error("the token's key is not in the ring")]
    UnknownKey,
}

impl TokenError {
    /// The error as its stable, machine-readable word, for an audit log.
    ///
    /// ```
    /// # #[cfg(feature = "jwt-custom-provider")] {
    /// use session_policy::jwt::TokenError;
    ///
    /// assert_eq!(TokenError::Malformed.as_str(), "malformed");
    /// assert_eq!(TokenError::ClaimMissing { claim: "cap" }.as_str(), "claim_missing");
    /// # }
    /// ```
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
            Self::Signature => "signature",
            Self::Strategy => "strategy",
            Self::TooLong { .. } => "too_long",
            Self::Type => "type",
            Self::UnknownKey => "unknown_key",
        }
    }
}

/// Why no signed token was issued. The text is safe to log.
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
    /// A name in the application's claims, at whatever depth, is one that `serde_json`
    /// takes for its own: the claims would be read as something else.
    #[error("the application's claims have a name that serde_json takes for its own")]
    Private,
    /// There was no randomness.
    #[error("the operating system gave no randomness")]
    Random(#[source] Box<dyn Error + Send + Sync>),
    /// A claim of the application would shadow one of ours.
    #[error("the application's claim `{claim}` has a reserved name")]
    Reserved {
        /// Its name.
        claim: &'static str,
    },
    /// The crypto provider failed.
    #[error("the crypto provider did not sign")]
    Signing,
    /// The token would be refused, since it is longer than 8 KiB, or ignored by browsers,
    /// since its cookie is longer than 4 KiB.
    #[error("the token of {bytes} bytes is longer than {longest} bytes: give it fewer claims")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is issued.
        longest: usize,
    },
    /// The key ring holds no key that signs.
    #[error("the key ring only verifies")]
    VerifyOnly,
}
