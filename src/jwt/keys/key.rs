use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64, Encoding};
use jsonwebtoken::{DecodingKey, EncodingKey};
use simple_asn1::ASN1Block;
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::key_error::KeyError;

/// RFC 7518 section 3.3.
const LEAST_RSA_BITS: u64 = 2_048;
const LONGEST_KID: usize = 64;

/// A key that signs tokens, and verifies what it signed.
///
/// | algorithm | from |
/// | --- | --- |
/// | HS256, HS384, HS512 | a [secret](Self::secret) from a cryptographically secure generator, at least as long as the hash |
/// | `EdDSA`, ES256, PS256, RS256 | a key pair in [PEM](Self::pem) or [DER](Self::der) |
///
/// Neither `Debug` nor any error shows key material.
///
/// # Example
///
/// ```
/// use session_policy::jwt::{Algorithm, SigningKey};
///
/// let weak = SigningKey::secret("2026-03", Algorithm::Hs256, "correct horse battery").unwrap_err();
/// assert_eq!(
///     weak.to_string(),
///     "secret of key `2026-03` has 21 bytes, and HS256 takes at least 32",
/// );
/// ```
///
#[doc = include_str!("examples/signing.md")]
#[derive(Clone)]
pub struct SigningKey {
    pub(in crate::jwt) verifying: VerifyingKey,
    pub(in crate::jwt) key: EncodingKey,
}

impl SigningKey {
    /// A key from the bytes of an HMAC secret.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if `kid` is not 1 to 64 bytes without control characters,
    /// the algorithm takes a key pair, or the secret is shorter than its hash
    /// (RFC 7518 section 3.2) or is the text of a PEM.
    pub fn secret(
        kid: impl Into<Arc<str>>,
        algorithm: Algorithm,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        let verifying = VerifyingKey::secret(kid, algorithm, secret)?;
        Ok(Self { verifying, key: EncodingKey::from_secret(secret) })
    }

    /// A key pair from PEM texts: `PRIVATE KEY` (PKCS #8; for RSA also PKCS #1)
    /// and `PUBLIC KEY`.
    ///
    /// That the halves belong together is checked when the key joins a
    /// [`KeyRing`](super::KeyRing).
    ///
    /// # Errors
    ///
    /// [`KeyError`] if `kid` is not 1 to 64 bytes without control characters,
    /// the algorithm takes a secret, a half is no key of the algorithm, or an RSA
    /// key has fewer than 2048 bits (RFC 7518 section 3.3).
    pub fn pem(
        kid: impl Into<Arc<str>>,
        algorithm: Algorithm,
        private: impl AsRef<[u8]>,
        public: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        let verifying = VerifyingKey::pem(kid, algorithm, public)?;
        let private = private.as_ref();
        let key = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_pem(private),
            Algorithm::Es256 => EncodingKey::from_ec_pem(private),
            _ => EncodingKey::from_rsa_pem(private),
        };
        let key =
            key.map_err(|_| KeyError::Private { kid: Arc::clone(&verifying.kid), algorithm })?;
        Ok(Self { verifying, key })
    }

    /// A key pair from DER bytes: PKCS #8 and `SubjectPublicKeyInfo`, which are
    /// what a PEM wraps.
    ///
    /// # Errors
    ///
    /// As for [`pem`](Self::pem).
    pub fn der(
        kid: impl Into<Arc<str>>,
        algorithm: Algorithm,
        private: impl AsRef<[u8]>,
        public: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        let private = pem_of("PRIVATE KEY", private.as_ref());
        Self::pem(kid, algorithm, private, pem_of("PUBLIC KEY", public.as_ref()))
    }

    /// Its id, as in a token's header.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.verifying.kid()
    }

    /// Its one algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.verifying.algorithm
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {}, [redacted])", self.kid(), self.algorithm())
    }
}

/// A key that only verifies: of another service, or retired from signing.
///
/// Neither `Debug` nor any error shows key material.
#[doc = include_str!("examples/verifying.md")]
#[derive(Clone)]
pub struct VerifyingKey {
    pub(in crate::jwt) kid: Arc<str>,
    pub(in crate::jwt) algorithm: Algorithm,
    pub(in crate::jwt) key: DecodingKey,
}

impl VerifyingKey {
    /// A key from the bytes of an HMAC secret.
    ///
    /// # Errors
    ///
    /// As for [`SigningKey::secret`].
    pub fn secret(
        kid: impl Into<Arc<str>>,
        algorithm: Algorithm,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        let kid = checked_kid(kid.into())?;
        let secret = secret.as_ref();
        let Some(least) = algorithm.least_secret() else {
            return Err(KeyError::TakesPair { kid, algorithm });
        };
        if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
            return Err(KeyError::SecretIsPem { kid });
        }
        if secret.len() < least {
            return Err(KeyError::ShortSecret { kid, algorithm, bytes: secret.len(), least });
        }
        Ok(Self { kid, algorithm, key: DecodingKey::from_secret(secret) })
    }

    /// The public half of a key pair from a PEM text, `PUBLIC KEY`.
    ///
    /// # Errors
    ///
    /// As for [`SigningKey::pem`].
    pub fn pem(
        kid: impl Into<Arc<str>>,
        algorithm: Algorithm,
        public: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        let kid = checked_kid(kid.into())?;
        if algorithm.least_secret().is_some() {
            return Err(KeyError::TakesSecret { kid, algorithm });
        }
        let public = public.as_ref();
        let key = match algorithm {
            Algorithm::EdDsa => DecodingKey::from_ed_pem(public),
            Algorithm::Es256 => DecodingKey::from_ec_pem(public),
            _ => DecodingKey::from_rsa_pem(public),
        };
        let malformed = || KeyError::Public { kid: Arc::clone(&kid), algorithm };
        let key = key.map_err(|_| malformed())?;
        let bytes = key.try_get_as_bytes().map_err(|_| malformed())?;
        match algorithm {
            Algorithm::EdDsa if bytes.len() == 32 => {}
            // An uncompressed point of P-256.
            Algorithm::Es256 if bytes.len() == 65 && bytes[0] == 4 => {}
            Algorithm::Ps256 | Algorithm::Rs256 => {
                let bits = modulus_bits(bytes).ok_or_else(malformed)?;
                if bits < LEAST_RSA_BITS {
                    return Err(KeyError::SmallModulus { kid, bits });
                }
            }
            _ => return Err(malformed()),
        }
        Ok(Self { kid, algorithm, key })
    }

    /// The public half of a key pair from DER bytes, `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    ///
    /// As for [`SigningKey::pem`].
    pub fn der(
        kid: impl Into<Arc<str>>,
        algorithm: Algorithm,
        public: impl AsRef<[u8]>,
    ) -> Result<Self, KeyError> {
        Self::pem(kid, algorithm, pem_of("PUBLIC KEY", public.as_ref()))
    }

    /// Its id, as in a token's header.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its one algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({} {}, [redacted])", self.kid, self.algorithm)
    }
}

fn checked_kid(kid: Arc<str>) -> Result<Arc<str>, KeyError> {
    if kid.is_empty() || kid.len() > LONGEST_KID || kid.contains(char::is_control) {
        // Not repeated: it may be a key that was put in the wrong place.
        return Err(KeyError::Kid);
    }
    Ok(kid)
}

/// `RSAPublicKey` of RFC 8017 appendix A.1.1: the modulus and the exponent.
fn modulus_bits(der: &[u8]) -> Option<u64> {
    match simple_asn1::from_der(der).ok()?.as_slice() {
        [ASN1Block::Sequence(_, fields)] => match fields.as_slice() {
            [ASN1Block::Integer(_, modulus), ASN1Block::Integer(_, _)] => Some(modulus.bits()),
            _ => None,
        },
        _ => None,
    }
}

fn pem_of(label: &str, der: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut base64 = Zeroizing::new(alloc::vec![0; Base64::encoded_len(der)]);
    // Always `Ok`: the buffer has exactly the size of the text.
    let base64 = Base64::encode(der, &mut base64).unwrap_or_default();
    let (base64, label) = (base64.as_bytes(), label.as_bytes());
    // At once, since a buffer that grew would leave the key behind.
    let pem: [&[u8]; 7] =
        [b"-----BEGIN ", label, b"-----\n", base64, b"\n-----END ", label, b"-----\n"];
    Zeroizing::new(pem.concat())
}
