use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::algorithm::Algorithm;
use super::key::{SigningKey, VerifyingKey};
use super::key_error::KeyError;
use super::signature::{Headers, Kind, Signing, Verifying};
use crate::time::Timestamp;

/// Signed when a key joins, to see that its halves belong together.
const PROBE: &[u8] = b"session-policy";

/// The keys of a service: one that signs, and all that verify.
///
/// Every key has an id and one fixed algorithm. A token's `kid` only selects
/// among these, and its `alg` must then be the key's own (RFC 8725 sections 2.1
/// and 3.1).
///
/// # Rotation
///
/// A ring holds the schedule of its keys, so that every node of a service can be
/// given the next key before it signs, and nobody is signed out:
///
#[doc = include_str!("examples/rotation.md")]
///
/// # The crypto provider
///
/// [`new`](Self::new) and [`verify_only`](Self::verify_only) use aws-lc-rs
/// (feature `jwt`), whatever other backend is in the build and whatever provider
/// `jsonwebtoken` has been told to use: they never touch its process-wide
/// default, whose absence panics. With feature `jwt-custom-provider` alone these
/// two do not exist, so a missing backend fails the build;
/// [`with_provider`](Self::with_provider) and
/// [`verify_only_with_provider`](Self::verify_only_with_provider) take one.
///
/// A thread keeps the eight signers and the eight verifiers that it used last, since to set
/// one up can take as long as a signature. Those of a ring that was dropped go when the thread
/// sets up another key, or ends.
#[doc = include_str!("examples/ring.md")]
#[derive(Clone)]
pub struct KeyRing {
    provider: &'static CryptoProvider,
    entries: Vec<Entry>,
}

/// `signing` keys are in the order of their `signs_from`.
#[derive(Clone)]
struct Entry {
    kid: Arc<str>,
    algorithm: Algorithm,
    headers: Headers,
    verifying: Arc<DecodingKey>,
    signing: Option<(Timestamp, Arc<EncodingKey>)>,
    retires_at: Option<Timestamp>,
}

#[cfg(feature = "jwt")]
impl KeyRing {
    /// A ring whose only key signs and verifies, on aws-lc-rs.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the halves of the key do not belong together.
    pub fn new(key: SigningKey) -> Result<Self, KeyError> {
        Self::with_provider(&jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER, key)
    }

    /// A ring that signs nothing, on aws-lc-rs: for a service that only reads
    /// the tokens of another.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the backend refuses the key.
    pub fn verify_only(key: VerifyingKey) -> Result<Self, KeyError> {
        Self::verify_only_with_provider(&jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER, key)
    }
}

impl KeyRing {
    /// [`new`](Self::new) on a crypto provider of the application's choice, such
    /// as `jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER`. What its factories make is
    /// used for many messages; a signer that fails is made anew, a verifier is not.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the provider cannot use the key, or its halves do not
    /// belong together.
    pub fn with_provider(
        provider: &'static CryptoProvider,
        key: SigningKey,
    ) -> Result<Self, KeyError> {
        Self { provider, entries: Vec::new() }.with_signing(key, Timestamp::MIN)
    }

    /// [`verify_only`](Self::verify_only) on a crypto provider of the
    /// application's choice.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the provider cannot use the key.
    pub fn verify_only_with_provider(
        provider: &'static CryptoProvider,
        key: VerifyingKey,
    ) -> Result<Self, KeyError> {
        Self { provider, entries: Vec::new() }.with_verifying(key)
    }

    /// Adds the next signing key: from `signs_from` on it signs and its
    /// predecessor only verifies, until that retires at `retires_at` (the first
    /// instant at which it does not). The new key verifies at once.
    ///
    /// For nobody to be signed out, let `retires_at` be after `signs_from` by the longest
    /// `max_age` of the policies, or `absolute_cap` if the sessions are hybrid.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if no key of the ring signs before `signs_from`, `retires_at` is before
    /// `signs_from` (the same instant is allowed), the id is taken, or the key cannot be used.
    pub fn with_successor(
        mut self,
        next: SigningKey,
        signs_from: impl Into<Timestamp>,
        retires_at: impl Into<Timestamp>,
    ) -> Result<Self, KeyError> {
        let (signs_from, retires_at) = (signs_from.into(), retires_at.into());
        let last = self.entries.iter_mut().rev().find_map(|entry| match entry.signing {
            Some((from, _)) => Some((from, &entry.kid, &mut entry.retires_at)),
            None => None,
        });
        match last {
            Some((from, kid, retires)) if from < signs_from => {
                if retires_at < signs_from {
                    let kid = Arc::clone(kid);
                    return Err(KeyError::RetiresTooEarly { kid, retires_at, signs_from });
                }
                *retires = Some(retires_at);
            }
            _ => {
                let kid = next.verifying.kid;
                return Err(KeyError::SuccessorTooEarly { kid, signs_from });
            }
        }
        self.with_signing(next, signs_from)
    }

    /// Adds a key that verifies for as long as the ring holds it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the id is taken or the key cannot be used.
    pub fn with_verifying(self, key: VerifyingKey) -> Result<Self, KeyError> {
        self.with_entry(key, None, None)
    }

    /// Adds a key that verifies until it retires at `retires_at`, the first
    /// instant at which it does not.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the id is taken or the key cannot be used.
    pub fn with_verifying_until(
        self,
        key: VerifyingKey,
        retires_at: impl Into<Timestamp>,
    ) -> Result<Self, KeyError> {
        self.with_entry(key, None, Some(retires_at.into()))
    }

    /// The id of the key that signs at `now`; `None` if the ring only verifies.
    #[must_use]
    pub fn signs_at(&self, now: impl Into<Timestamp>) -> Option<&str> {
        self.signer(now.into()).map(|(entry, _)| &*entry.kid)
    }

    /// The ids of the keys that verify at `now`.
    pub fn verifies_at(&self, now: impl Into<Timestamp>) -> impl Iterator<Item = &str> {
        let now = now.into();
        let verifies = move |entry: &&Entry| entry.retires_at.is_none_or(|at| now < at);
        self.entries.iter().filter(verifies).map(|entry| &*entry.kid)
    }

    fn with_signing(self, key: SigningKey, signs_from: Timestamp) -> Result<Self, KeyError> {
        let SigningKey { verifying, key } = key;
        self.with_entry(verifying, Some((signs_from, key)), None)
    }

    fn with_entry(
        mut self,
        key: VerifyingKey,
        signing: Option<(Timestamp, EncodingKey)>,
        retires_at: Option<Timestamp>,
    ) -> Result<Self, KeyError> {
        let VerifyingKey { kid, algorithm, key } = key;
        if self.entries.iter().any(|entry| entry.kid == kid) {
            return Err(KeyError::DuplicateKid { kid });
        }
        let headers = Headers::new(&kid, algorithm);
        let verifying = Arc::new(key);
        let signing = signing.map(|(from, key)| (from, Arc::new(key)));
        let entry = Entry { kid, algorithm, headers, verifying, signing, retires_at };
        self.probe(&entry)?;
        self.entries.push(entry);
        Ok(self)
    }

    /// Sees that the provider has the algorithm and takes the key, rather than
    /// at the first sign-in.
    fn probe(&self, entry: &Entry) -> Result<(), KeyError> {
        let Entry { kid, algorithm, .. } = entry;
        let (kid, algorithm) = (|| Arc::clone(kid), *algorithm);
        let backend = algorithm.backend();
        let verifier = (self.provider.verifier_factory)(&backend, &entry.verifying)
            .map_err(|_| KeyError::Unusable { kid: kid(), algorithm })?;
        let Some((_, signing)) = &entry.signing else {
            return Ok(());
        };
        let signature = (self.provider.signer_factory)(&backend, signing)
            .ok()
            .and_then(|signer| signer.try_sign(PROBE).ok())
            .ok_or_else(|| KeyError::Private { kid: kid(), algorithm })?;
        verifier.verify(PROBE, &signature).map_err(|_| KeyError::Halves { kid: kid() })
    }

    fn signer(&self, now: Timestamp) -> Option<(&Entry, &Arc<EncodingKey>)> {
        self.entries.iter().rev().find_map(|entry| match &entry.signing {
            Some((from, key)) if *from <= now => Some((entry, key)),
            _ => None,
        })
    }

    /// Which key signs at `now`.
    pub(in crate::jwt) fn signing_at(&self, now: Timestamp, kind: Kind) -> Option<Signing<'_>> {
        let (entry, key) = self.signer(now)?;
        let Entry { algorithm, headers, .. } = entry;
        Some(Signing {
            header: headers.of(kind),
            algorithm: *algorithm,
            provider: self.provider,
            key,
        })
    }

    /// The key of this id; for a token without one, the only key of the ring.
    pub(in crate::jwt) fn find(&self, kid: Option<&str>) -> Option<Verifying<'_>> {
        let entry = match (kid, self.entries.as_slice()) {
            (Some(kid), entries) => entries.iter().find(|entry| *entry.kid == *kid)?,
            (None, [only]) => only,
            (None, _) => return None,
        };
        Some(self.verifying(entry))
    }

    /// The key whose tokens of this kind have exactly the first segment of `message`, and the
    /// second segment.
    pub(in crate::jwt) fn with_header<'t>(
        &self,
        message: &'t str,
        kind: Kind,
    ) -> Option<(Verifying<'_>, &'t str)> {
        self.entries.iter().find_map(|entry| {
            let payload = message.strip_prefix(entry.headers.of(kind))?.strip_prefix('.')?;
            Some((self.verifying(entry), payload))
        })
    }

    fn verifying<'a>(&self, entry: &'a Entry) -> Verifying<'a> {
        let Entry { algorithm, retires_at, verifying: key, .. } = entry;
        Verifying { algorithm: *algorithm, retires_at: *retires_at, provider: self.provider, key }
    }
}

/// Ids, algorithms and instants; no key material.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for Entry { kid, algorithm, signing, retires_at, .. } in &self.entries {
            let signs_from = signing.as_ref().map(|(from, _)| from);
            list.entry(&format_args!(
                "{kid} {algorithm}, signs from {signs_from:?}, retires at {retires_at:?}"
            ));
        }
        list.finish()
    }
}
