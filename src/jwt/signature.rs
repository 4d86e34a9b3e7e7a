//! One signature made, or verified, with one key of the ring.

use alloc::vec::Vec;

use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::Algorithm;
use crate::Timestamp;

/// The key that signs.
pub(super) struct Signing<'a> {
    /// What the token's first segment is to be.
    pub(super) header: &'a str,
    pub(super) algorithm: Algorithm,
    pub(super) provider: &'static CryptoProvider,
    pub(super) key: &'a EncodingKey,
}

impl Signing<'_> {
    /// `None` if the provider fails, which it did not when the key joined.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signer = (self.provider.signer_factory)(&self.algorithm.backend(), self.key).ok()?;
        signer.try_sign(message).ok()
    }
}

/// A key that verifies.
pub(super) struct Verifying<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) retires_at: Option<Timestamp>,
    pub(super) provider: &'static CryptoProvider,
    pub(super) key: &'a DecodingKey,
}

impl Verifying<'_> {
    pub(super) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        (self.provider.verifier_factory)(&self.algorithm.backend(), self.key)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}
