use alloc::string::String;
use core::fmt;

use chrono::TimeDelta;

use super::{Claims, IssueError, NoClaims};
use crate::Status;

/// A signed token, three base64url segments. Whoever has it is let in, so
/// `Debug` does not show it.
///
/// It has at most 8 KiB; a browser keeps at most 4 KiB in a cookie (RFC 6265bis
/// section 5.6), so keep the application's claims short.
#[derive(Clone, Eq, PartialEq)]
pub struct SignedToken(pub(super) String);

impl SignedToken {
    /// The text of the token, as the value of a cookie or after `Bearer`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken([redacted])")
    }
}

/// A token to send to the client.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[must_use = "the client must be sent the token"]
pub struct Issued {
    /// What the client is to hold from now on.
    pub token: SignedToken,
    /// The `Max-Age` of its cookie: 0 s to 400 days (RFC 6265bis section 5.6.2).
    pub max_age: TimeDelta,
}

/// A new session and its first token.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "the client must be sent the token"]
pub struct Started<A = NoClaims> {
    /// What to send to the client.
    pub issued: Issued,
    /// What the token says.
    pub claims: Claims<A>,
    /// How long the session has.
    pub status: Status,
}

/// A session that is served.
#[derive(Debug)]
#[non_exhaustive]
pub struct Authenticated<A = NoClaims> {
    /// The session: as the token that is now current says, or as the store does.
    pub claims: Claims<A>,
    /// How long it has, with the instant at which that was judged.
    pub status: Status,
    /// The token to send to the client, if any.
    pub issued: Option<Issued>,
    /// What became of the renewal.
    pub renewal: TokenRenewal,
}

/// What became of a renewal.
#[derive(Debug)]
pub enum TokenRenewal {
    /// It was due, or a hybrid token had to be confirmed, and that failed. The
    /// session is valid and served, and the next request tries again.
    Deferred(IssueError),
    /// It was not due.
    NotDue,
    /// It was carried out.
    Renewed,
    /// It was due, but another request had written first; the session was
    /// loaded again and is valid.
    Superseded,
}
