use alloc::sync::Arc;

use crate::{Lifetime, SessionId};

/// The names that an application's claims may not have: ours, and `nbf`.
pub(super) const RESERVED: [&str; 12] =
    ["aud", "auth_time", "cap", "exp", "gen", "iat", "iss", "jti", "nbf", "profile", "sid", "sub"];

/// What a verified token says.
///
/// | claim | value | source |
/// | --- | --- | --- |
/// | `sub` | the subject | RFC 7519 section 4.1.2 |
/// | `sid` | the session's id, 22 base64url characters | OpenID Connect Front-Channel Logout section 3 |
/// | `auth_time` | `created_at` | OpenID Connect Core section 2; a refreshed token keeps it (12.2) |
/// | `iat` | `renewed_at` | RFC 7519 section 4.1.6 |
/// | `exp` | `expires_at` | RFC 7519 section 4.1.4 |
/// | `cap` | `absolute_expires_at` | |
/// | `jti` | 128 random bits, another in every token | RFC 7519 section 4.1.7 |
/// | `gen` | the generation of a hybrid token, from 1; 0 in a stateless one | |
/// | `profile` | the policy's name | |
/// | `iss`, `aud` | as configured | RFC 7519 sections 4.1.1 and 4.1.3 |
///
/// Instants are whole unix seconds, not before 1970. The application's own
/// claims, a type of its choice, stand beside these and cannot have their names.
/// A token is signed, not encrypted: put nothing in it that the client must not
/// read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claims<A = NoClaims> {
    pub(super) id: SessionId,
    pub(super) subject: Arc<str>,
    pub(super) profile: Arc<str>,
    pub(super) lifetime: Lifetime,
    pub(super) generation: u64,
    pub(super) token_id: Arc<str>,
    pub(super) application: A,
}

impl<A> Claims<A> {
    /// The public name of the session (`sid`).
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// Whose session it is (`sub`).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Which policy of the set it was started under (`profile`).
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// The four instants (`auth_time`, `iat`, `exp`, `cap`).
    #[must_use]
    pub const fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Which token of a hybrid session this is, from 1; 0 in a stateless one
    /// (`gen`).
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The name of this one token (`jti`).
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// The application's own claims.
    #[must_use]
    pub const fn application(&self) -> &A {
        &self.application
    }

    /// The application's own claims.
    #[must_use]
    pub fn into_application(self) -> A {
        self.application
    }
}

/// The application has no claims of its own. Those that a token has are ignored
/// (RFC 7519 section 4).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct NoClaims {}
