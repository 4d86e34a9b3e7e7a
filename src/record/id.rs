use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::time::ParseError;

const NOT_AN_ID: ParseError = ParseError::of_text("session id is not 22 base64url characters");

/// The public name of a session: 128 random bits, printed as 22 base64url
/// characters.
///
/// It finds a session but does not open it (the token's secret does), so it may
/// stand in logs, on a page of the user's devices and in URLs. 128 bits from the
/// operating system's generator meet OWASP ASVS 5.0 7.2.3. It names one session from
/// sign-in to end, also after a rotation.
///
/// # Example
///
/// ```
/// use session_policy::SessionId;
///
/// let id: SessionId = "AAECAwQFBgcICQoLDA0ODw".parse()?;
/// assert_eq!(id, SessionId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]));
/// assert_eq!(id.to_string(), "AAECAwQFBgcICQoLDA0ODw");
/// # Ok::<(), session_policy::ParseError>(())
/// ```
///
/// A store keeps its bytes:
///
/// ```
/// use session_policy::SessionId;
///
/// let id = SessionId::from_bytes([7; SessionId::BYTES]);
/// let column: Vec<u8> = id.as_bytes().to_vec();
/// assert_eq!(SessionId::from_bytes(column.try_into().unwrap()), id);
/// ```
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct SessionId([u8; Self::BYTES]);

impl SessionId {
    /// Its length in bytes.
    pub const BYTES: usize = 16;
    /// The length of its text.
    pub const CHARS: usize = 22;

    /// An id from its bytes, as a store keeps them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes, as a store keeps them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// As one number: an array would also tell its length.
impl Hash for SessionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.0));
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; Self::CHARS];
        URL_SAFE_NO_PAD.encode_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.pad(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Strict: exactly 22 characters of the base64url alphabet, without padding and
/// without stray bits, so that an id has one text only.
impl FromStr for SessionId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() != Self::CHARS {
            return Err(NOT_AN_ID);
        }
        let mut bytes = [0; Self::BYTES];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(Self::BYTES) => Ok(Self(bytes)),
            _ => Err(NOT_AN_ID),
        }
    }
}

/// As its text.
#[cfg(feature = "serde")]
impl serde::Serialize for SessionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for SessionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::deserialize(deserializer)
    }
}

/// A new id from the operating system's generator.
#[cfg(feature = "std")]
pub(crate) fn random_id() -> Result<SessionId, getrandom::Error> {
    let mut id = [0; SessionId::BYTES];
    getrandom::fill(&mut id)?;
    Ok(SessionId(id))
}
