use core::fmt;

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// A key has exactly one. "none" is not among them.
///
/// # Example
///
/// ```
/// use session_policy::jwt::Algorithm;
///
/// assert_eq!(Algorithm::EdDsa.as_str(), "EdDSA"); // As in a token's header.
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519: a key pair.
    EdDsa,
    /// ECDSA on P-256 with SHA-256: a key pair.
    Es256,
    /// HMAC with SHA-256: a secret of at least 32 bytes.
    Hs256,
    /// HMAC with SHA-384: a secret of at least 48 bytes.
    Hs384,
    /// HMAC with SHA-512: a secret of at least 64 bytes.
    Hs512,
    /// RSA-PSS with SHA-256: a key pair of at least 2048 bits.
    Ps256,
    /// RSA (PKCS #1 v1.5) with SHA-256: a key pair of at least 2048 bits.
    Rs256,
}

impl Algorithm {
    /// Its name, as in a token's header; case-sensitive.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    /// The least length of an HMAC secret in bytes, that of the hash (RFC 7518
    /// section 3.2); `None` for key pairs.
    pub(in crate::jwt) const fn least_secret(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            Self::EdDsa | Self::Es256 | Self::Ps256 | Self::Rs256 => None,
        }
    }

    pub(in crate::jwt) const fn backend(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
            Self::Hs384 => jsonwebtoken::Algorithm::HS384,
            Self::Hs512 => jsonwebtoken::Algorithm::HS512,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
