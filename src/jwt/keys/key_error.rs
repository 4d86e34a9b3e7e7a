use alloc::sync::Arc;

use super::algorithm::Algorithm;
use crate::time::Timestamp;

/// Why a key is not one, or cannot join a [`KeyRing`](super::KeyRing). The text
/// is safe to log: it holds no key material.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Two keys under one id: which one verifies would be an accident.
    #[error("key id `{kid}` is in the ring twice")]
    DuplicateKid {
        /// The id.
        kid: Arc<str>,
    },
    /// A public half verifies nothing that the private half signs.
    #[error("the halves of key `{kid}` do not belong together")]
    Halves {
        /// The key's id.
        kid: Arc<str>,
    },
    /// The id of a key is empty, too long or has control characters. It is not
    /// repeated: it may be a key that was put in the wrong place.
    #[error("key id is not 1 to 64 bytes without control characters")]
    Kid,
    /// The private half is no key of the algorithm, or not in PKCS #8.
    #[error("private half of key `{kid}` is no {algorithm} key in PKCS #8")]
    Private {
        /// The key's id.
        kid: Arc<str>,
        /// What it is to sign with.
        algorithm: Algorithm,
    },
    /// The public half is no key of the algorithm.
    #[error("public half of key `{kid}` is no {algorithm} key")]
    Public {
        /// The key's id.
        kid: Arc<str>,
        /// What it is to verify with.
        algorithm: Algorithm,
    },
    /// A key would retire while it still signs.
    #[error(
        "key `{kid}` would retire at {retires_at}, before its successor signs from {signs_from}"
    )]
    RetiresTooEarly {
        /// The id of the key that retires.
        kid: Arc<str>,
        /// When it would.
        retires_at: Timestamp,
        /// When its successor signs.
        signs_from: Timestamp,
    },
    /// The secret is the text of a PEM: of a public key, it is no secret.
    #[error("secret of key `{kid}` is a PEM")]
    SecretIsPem {
        /// The key's id.
        kid: Arc<str>,
    },
    /// The secret is shorter than its hash (RFC 7518 section 3.2).
    #[error("secret of key `{kid}` has {bytes} bytes, and {algorithm} takes at least {least}")]
    ShortSecret {
        /// The key's id.
        kid: Arc<str>,
        /// What it is to sign with.
        algorithm: Algorithm,
        /// Its length.
        bytes: usize,
        /// The least length.
        least: usize,
    },
    /// An RSA key is too small (RFC 7518 section 3.3).
    #[error("key `{kid}` has {bits} bits, and RSA takes at least 2048")]
    SmallModulus {
        /// The key's id.
        kid: Arc<str>,
        /// The size of its modulus.
        bits: u64,
    },
    /// Nothing signs before, or a later key would sign before an earlier one.
    #[error("key `{kid}` would sign from {signs_from}, but succeeds no key that signs before")]
    SuccessorTooEarly {
        /// The id of the successor.
        kid: Arc<str>,
        /// When it would sign.
        signs_from: Timestamp,
    },
    /// A secret was given for an algorithm of key pairs.
    #[error("{algorithm} of key `{kid}` takes a key pair, not a secret")]
    TakesPair {
        /// The key's id.
        kid: Arc<str>,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// A key pair was given for an algorithm of secrets.
    #[error("{algorithm} of key `{kid}` takes a secret, not a key pair")]
    TakesSecret {
        /// The key's id.
        kid: Arc<str>,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The crypto provider has no such algorithm, or refuses the key.
    #[error("the crypto provider cannot use key `{kid}` for {algorithm}")]
    Unusable {
        /// The key's id.
        kid: Arc<str>,
        /// The algorithm.
        algorithm: Algorithm,
    },
}
