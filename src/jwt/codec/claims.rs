use crate::record::{SecretHash, Session, SessionId};

/// The names that an application's claims may not have: ours, and `nbf`.
pub(super) const RESERVED: [&str; 12] =
    ["aud", "auth_time", "cap", "exp", "gen", "iat", "iss", "jti", "nbf", "profile", "sid", "sub"];

/// What a verified token says.
pub(in crate::jwt) struct Claims<A> {
    /// Whose secret is not known, and which has no version.
    pub(in crate::jwt) session: Session,
    pub(in crate::jwt) application: A,
}

/// In the place of the secret that a session in a signed token does not have. It
/// tells sessions apart, and opens none.
pub(in crate::jwt) fn no_secret(id: SessionId) -> SecretHash {
    let mut bytes = [0; SecretHash::BYTES];
    bytes[..SessionId::BYTES].copy_from_slice(id.as_bytes());
    SecretHash::from_bytes(bytes)
}
