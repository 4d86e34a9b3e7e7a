use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::SessionId;

const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;

/// What the client holds: `id.secret`, as 22 and 43 base64url characters.
///
/// The id finds the session; the secret, 256 random bits of which a store keeps
/// only the [`SecretHash`], opens it. A reader of the store, or of a backup of
/// it, therefore cannot sign in as anyone. The secret is wiped from memory on
/// drop, and `Debug` does not show it.
///
/// # Example
///
/// ```
/// use session_policy::SessionToken;
///
/// let cookie = "AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
/// let token: SessionToken = cookie.parse()?;
/// assert_eq!(format!("{token:?}"), "SessionToken(AAAAAAAAAAAAAAAAAAAAAA.[redacted])");
/// assert_eq!(token.expose(), cookie);
/// # Ok::<(), session_policy::SessionTokenError>(())
/// ```
#[derive(Clone)]
pub struct SessionToken {
    id: SessionId,
    secret: [u8; SECRET_BYTES],
}

impl SessionToken {
    /// The length of its text.
    pub const CHARS: usize = SessionId::CHARS + 1 + SECRET_CHARS;

    /// A new token from the operating system's generator.
    ///
    /// # Errors
    ///
    /// [`RandomError`] if the operating system has no randomness to give.
    #[cfg(feature = "std")]
    pub fn generate() -> Result<Self, RandomError> {
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(RandomError)?;
        Ok(Self { id: random_id()?, secret })
    }

    /// A token from an id and a secret of the caller's own generator, which must
    /// be a cryptographically secure one.
    #[must_use]
    pub const fn from_parts(id: SessionId, secret: [u8; SECRET_BYTES]) -> Self {
        Self { id, secret }
    }

    /// The same secret under another id.
    #[cfg(feature = "std")]
    pub(crate) const fn named(mut self, id: SessionId) -> Self {
        self.id = id;
        self
    }

    /// The public half.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// What a store keeps of the secret.
    #[must_use]
    pub fn secret_hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.secret).into())
    }

    /// Prints the token with its secret, as the value of a cookie.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut secret = [0; SECRET_CHARS];
        // Always `Ok`: the buffer has exactly the size of the text.
        let text = Base64UrlUnpadded::encode(&self.secret, &mut secret).unwrap_or_default();
        let exposed = alloc::format!("{}.{text}", self.id);
        secret.zeroize();
        exposed
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionToken({}.[redacted])", self.id)
    }
}

impl Drop for SessionToken {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Strict: exactly what [`SessionToken::expose`] prints.
impl FromStr for SessionToken {
    type Err = SessionTokenError;

    fn from_str(text: &str) -> Result<Self, SessionTokenError> {
        let error = SessionTokenError(());
        if text.len() != Self::CHARS {
            return Err(error);
        }
        let (id, secret_text) = text.split_once('.').ok_or(error)?;
        let id = id.parse().map_err(|_| error)?;
        let mut token = Self { id, secret: [0; SECRET_BYTES] };
        match Base64UrlUnpadded::decode(secret_text, &mut token.secret) {
            Ok(decoded) if decoded.len() == SECRET_BYTES => Ok(token),
            _ => Err(error),
        }
    }
}

/// The SHA-256 of a token's secret: what a store keeps.
///
/// A fast hash is right here, unlike for passwords: the secret has 256 random
/// bits, so there is nothing to guess. Comparison takes constant time, and
/// `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; Self::BYTES]);

impl SecretHash {
    /// Its length in bytes.
    pub const BYTES: usize = 32;

    /// A hash from its bytes, as a store keeps them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as a store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    fn words(&self) -> [u64; 4] {
        let (words, _) = self.0.as_chunks();
        core::array::from_fn(|at| u64::from_ne_bytes(words[at]))
    }

    /// Whether this is the hash of `token`'s secret, in constant time.
    ///
    /// ```
    /// use session_policy::{SessionId, SessionToken};
    ///
    /// let id = SessionId::from_bytes([0; 16]);
    /// let token = SessionToken::from_parts(id, [1; 32]);
    /// let forged = SessionToken::from_parts(id, [2; 32]);
    /// assert!(token.secret_hash().matches(&token));
    /// assert!(!token.secret_hash().matches(&forged));
    /// ```
    #[must_use]
    pub fn matches(&self, token: &SessionToken) -> bool {
        *self == token.secret_hash()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash([redacted])")
    }
}

impl Eq for SecretHash {}

/// In constant time.
impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        // In words, since `subtle` spends as much on each element as on a byte.
        self.words().ct_eq(&other.words()).into()
    }
}

/// As 43 base64url characters, for stores that keep text.
#[cfg(feature = "serde")]
impl serde::Serialize for SecretHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; SECRET_CHARS];
        let text = Base64UrlUnpadded::encode(&self.0, &mut text);
        serializer.serialize_str(text.map_err(serde::ser::Error::custom)?)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for SecretHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize(deserializer)
    }
}

/// Strict: exactly 43 base64url characters, as serialised.
impl FromStr for SecretHash {
    type Err = SecretHashError;

    fn from_str(text: &str) -> Result<Self, SecretHashError> {
        let mut bytes = [0; Self::BYTES];
        match Base64UrlUnpadded::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == Self::BYTES => Ok(Self(bytes)),
            _ => Err(SecretHashError(())),
        }
    }
}

/// Why a text is not a [`SecretHash`]. The text itself is not repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("secret hash is not 43 base64url characters")]
pub struct SecretHashError(());

/// Why a text is not a [`SessionToken`]. The text itself is not repeated, since
/// it may be a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("session token is not 22 and 43 base64url characters with a full stop between them")]
pub struct SessionTokenError(());

#[cfg(feature = "std")]
pub(crate) fn random_id() -> Result<SessionId, RandomError> {
    let mut id = [0; SessionId::BYTES];
    getrandom::fill(&mut id).map_err(RandomError)?;
    Ok(SessionId::from_bytes(id))
}

/// The operating system had no randomness to give.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct RandomError(#[source] getrandom::Error);
