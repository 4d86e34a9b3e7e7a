//! One signature made, or verified, with one key of the ring.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::algorithm::Algorithm;
use crate::time::Timestamp;

/// The key that signs.
pub(in crate::jwt) struct Signing<'a> {
    /// What the token's first segment is to be.
    pub(in crate::jwt) header: &'a str,
    pub(in crate::jwt) algorithm: Algorithm,
    pub(in crate::jwt) provider: &'static CryptoProvider,
    pub(in crate::jwt) key: &'a EncodingKey,
}

impl Signing<'_> {
    /// `None` if the provider fails, which it did not when the key joined.
    pub(in crate::jwt) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signer = (self.provider.signer_factory)(&self.algorithm.backend(), self.key).ok()?;
        signer.try_sign(message).ok()
    }
}

/// A key that verifies.
pub(in crate::jwt) struct Verifying<'a> {
    pub(in crate::jwt) algorithm: Algorithm,
    pub(in crate::jwt) retires_at: Option<Timestamp>,
    pub(in crate::jwt) provider: &'static CryptoProvider,
    pub(in crate::jwt) key: &'a DecodingKey,
}

impl Verifying<'_> {
    pub(in crate::jwt) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        (self.provider.verifier_factory)(&self.algorithm.backend(), self.key)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

/// The first segment of a token: `alg`, `kid` and `typ`, and nothing else.
pub(super) fn header(kid: &str, algorithm: Algorithm) -> Arc<str> {
    let json = serde_json::json!({ "alg": algorithm.as_str(), "kid": kid, "typ": "JWT" });
    URL_SAFE_NO_PAD.encode(json.to_string()).into()
}
