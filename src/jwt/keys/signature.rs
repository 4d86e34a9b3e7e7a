//! One signature made, or verified, with one key of the ring.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::CryptoProvider;
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::algorithm::Algorithm;
use super::kept;
use crate::time::Timestamp;

/// The key that signs.
pub(in crate::jwt) struct Signing<'a> {
    /// What the token's first segment is to be.
    pub(in crate::jwt) header: &'a str,
    pub(in crate::jwt) algorithm: Algorithm,
    pub(in crate::jwt) provider: &'static CryptoProvider,
    pub(in crate::jwt) key: &'a Arc<EncodingKey>,
}

impl Signing<'_> {
    /// `None` if the provider fails, which it did not when the key joined.
    pub(in crate::jwt) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let set_up = || (self.provider.signer_factory)(&self.algorithm.backend(), self.key);
        kept::sign(self.key, set_up, message)
    }
}

/// A key that verifies.
pub(in crate::jwt) struct Verifying<'a> {
    pub(in crate::jwt) algorithm: Algorithm,
    pub(in crate::jwt) retires_at: Option<Timestamp>,
    pub(in crate::jwt) provider: &'static CryptoProvider,
    pub(in crate::jwt) key: &'a Arc<DecodingKey>,
}

impl Verifying<'_> {
    pub(in crate::jwt) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        let set_up = || (self.provider.verifier_factory)(&self.algorithm.backend(), self.key);
        kept::verifies(self.key, set_up, message, signature)
    }
}

/// Which kind of session a token is of, as its `typ` says (RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::jwt) enum Kind {
    Hybrid,
    Stateless,
}

impl Kind {
    const fn typ(self) -> &'static str {
        match self {
            Self::Hybrid => "session+jwt",
            Self::Stateless => "JWT",
        }
    }

    /// Whether a header's `typ` says so: a media type, in any case (RFC 7515 section
    /// 4.1.9); a stateless token need have none (RFC 7519 section 5.1).
    pub(in crate::jwt) fn is_said_by(self, typ: Option<&str>) -> bool {
        const PREFIX: &str = "application/";
        let Some(typ) = typ else {
            return self == Self::Stateless;
        };
        let short = match typ.split_at_checked(PREFIX.len()) {
            Some((prefix, short)) if prefix.eq_ignore_ascii_case(PREFIX) => short,
            _ => typ,
        };
        short.eq_ignore_ascii_case(self.typ())
    }
}

/// The first segments of a key's tokens: `alg`, `kid` and `typ`, and nothing else.
#[derive(Clone)]
pub(super) struct Headers {
    hybrid: Arc<str>,
    stateless: Arc<str>,
}

impl Headers {
    pub(super) fn new(kid: &str, algorithm: Algorithm) -> Self {
        let header = |kind: Kind| {
            let alg = algorithm.as_str();
            let json = serde_json::json!({ "alg": alg, "kid": kid, "typ": kind.typ() });
            URL_SAFE_NO_PAD.encode(json.to_string()).into()
        };
        Self { hybrid: header(Kind::Hybrid), stateless: header(Kind::Stateless) }
    }

    pub(super) fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::Hybrid => &self.hybrid,
            Kind::Stateless => &self.stateless,
        }
    }
}
