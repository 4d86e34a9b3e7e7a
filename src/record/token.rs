use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::id::SessionId;
use crate::time::ParseError;

const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;
const NOT_A_TOKEN: ParseError = ParseError::of_text(
    "session token is not 22 and 43 base64url characters with a full stop between them",
);
const NOT_A_HASH: ParseError = ParseError::of_text("secret hash is not 43 base64url characters");

/// What a client holds, as the text of a cookie or after `Bearer`. Whoever has it
/// is let in.
///
/// [`Sessions`](crate::Sessions) gives opaque tokens, `id.secret`, as 22 and 43
/// base64url characters: the id finds the session, and the secret, 256 random bits
/// of which a store keeps only the hash, opens it. A reader of the store, or of a
/// backup of it, therefore cannot sign in as anyone. `jwt::JwtSessions` and
/// `jwt::HybridSessions` give signed ones, three base64url segments of at most
/// 8 KiB; a browser keeps at most 4 KiB in a cookie (RFC 6265bis section 5.6), so
/// keep the application's claims short.
///
/// It is wiped from memory on drop, and `Debug` does not show it. A token that
/// comes back is a text: `authenticate` takes it as it is.
///
/// # Example
///
/// ```
/// use session_policy::SessionToken;
///
/// let cookie = "AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
/// let token: SessionToken = cookie.parse()?;
/// assert_eq!(format!("{token:?}"), "SessionToken([redacted])");
/// assert_eq!(token.expose(), cookie);
/// # Ok::<(), session_policy::ParseError>(())
/// ```
///
/// A fixture's, which opens the [`SecretHash`] of the same secret:
///
/// ```
/// use session_policy::{SessionId, SessionToken};
///
/// let token = SessionToken::from_parts(SessionId::from_bytes([0; 16]), [1; 32]);
/// assert!(token.expose().starts_with("AAAAAAAAAAAAAAAAAAAAAA.AQEBAQ"));
/// ```
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// An opaque token from an id and a secret of the caller's own generator, which
    /// must be a cryptographically secure one. For migrations, tests and fixtures: `start`
    /// makes its own.
    #[must_use]
    pub fn from_parts(id: SessionId, secret: [u8; SECRET_BYTES]) -> Self {
        let secret = Zeroizing::new(secret);
        Self(Zeroizing::new(with_text(&secret, |text| alloc::format!("{id}.{text}"))))
    }

    /// The text of the token, secret and all.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "std")]
impl SessionToken {
    /// Another opaque token for the session `id`, from the operating system's
    /// generator, with what a store keeps of it.
    pub(crate) fn generate(id: SessionId) -> Result<(Self, SecretHash), getrandom::Error> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(&mut *secret)?;
        Ok((Self::from_parts(id, *secret), SecretHash::of_secret(&secret)))
    }

    /// A token that is a text already: the one that a client presented, or a signed
    /// one.
    pub(crate) fn of_text(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken([redacted])")
    }
}

/// Of an opaque token. Strict: the id has one text only, and so has the secret,
/// which is hashed as it stands.
impl FromStr for SessionToken {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        PresentedToken::parse(text)?;
        Ok(Self(Zeroizing::new(text.into())))
    }
}

/// The two halves of a presented opaque token. Nothing secret is decoded.
#[cfg_attr(not(feature = "std"), expect(dead_code, reason = "only parsed without `Sessions`"))]
pub(crate) struct PresentedToken<'a> {
    pub(crate) id: SessionId,
    secret: &'a str,
}

impl<'a> PresentedToken<'a> {
    #[inline]
    pub(crate) fn parse(text: &'a str) -> Result<Self, ParseError> {
        let (id, rest) = text.split_at_checked(SessionId::CHARS).ok_or(NOT_A_TOKEN)?;
        let secret = rest.strip_prefix('.').ok_or(NOT_A_TOKEN)?;
        let chars: &[u8; SECRET_CHARS] = secret.as_bytes().try_into().map_err(|_| NOT_A_TOKEN)?;
        let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() | matches!(*byte, b'-' | b'_');
        // Many are compared at once where none of them ends it.
        if !chars.iter().fold(true, |all, byte| all & is_base64url(byte)) {
            return Err(NOT_A_TOKEN);
        }
        let id = id.parse().map_err(|_| NOT_A_TOKEN)?;
        Ok(Self { id, secret })
    }

    #[cfg(feature = "std")]
    pub(crate) fn secret_hash(&self) -> SecretHash {
        SecretHash::of_text(self.secret)
    }
}

/// The SHA-256 of the text of a token's secret: what a store keeps.
///
/// A fast hash is right here, unlike for passwords: the secret has 256 random
/// bits, so there is nothing to guess. Comparison takes constant time, and
/// `Debug` does not show it.
///
/// # Example
///
/// A session that a test puts into a store by hand, and the token that opens it:
///
/// ```
/// use session_policy::store::SecretHash;
/// use session_policy::{Session, SessionId, SessionPolicy, SessionToken, Timestamp};
///
/// let (id, secret) = (SessionId::from_bytes([0; 16]), [1; 32]);
/// let lifetime = SessionPolicy::WORKING_DAY.start(Timestamp::from_unix_secs(1_800_000_000));
/// let session = Session::new(id, "user-42", "default", SecretHash::of_secret(&secret), lifetime)?;
/// let cookie = SessionToken::from_parts(id, secret);
/// # let _ = (session, cookie);
/// # Ok::<(), session_policy::store::SessionError>(())
/// ```
///
/// A store keeps its bytes:
///
/// ```
/// use session_policy::store::SecretHash;
///
/// let hash = SecretHash::of_secret(&[1; 32]);
/// let column: Vec<u8> = hash.as_bytes().to_vec();
/// assert_eq!(SecretHash::from_bytes(column.try_into().unwrap()), hash);
/// ```
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

    /// The hash that opens to the token of this secret
    /// ([`SessionToken::from_parts`]).
    #[must_use]
    pub fn of_secret(secret: &[u8; SECRET_BYTES]) -> Self {
        with_text(secret, Self::of_text)
    }

    /// Its bytes, as a store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    fn words(&self) -> [u64; 4] {
        let (words, _) = self.0.as_chunks();
        core::array::from_fn(|at| u64::from_ne_bytes(words[at]))
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
        with_text(&self.0, |text| serializer.serialize_str(text))
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for SecretHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::deserialize(deserializer)
    }
}

/// Strict: exactly 43 base64url characters, as serialised.
impl FromStr for SecretHash {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = [0; Self::BYTES];
        match Base64UrlUnpadded::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == Self::BYTES => Ok(Self(bytes)),
            _ => Err(NOT_A_HASH),
        }
    }
}

/// The 43 base64url characters of 32 bytes, which are wiped after use. Encoded in
/// constant time.
fn with_text<T>(bytes: &[u8; 32], use_text: impl FnOnce(&str) -> T) -> T {
    let mut buffer = Zeroizing::new([0; SECRET_CHARS]);
    // Always `Ok`: the buffer has exactly the size of the text.
    use_text(Base64UrlUnpadded::encode(bytes, &mut *buffer).unwrap_or_default())
}
