//! Claims to signed text and back.

mod audience;
mod base64url;
mod claims;
mod issue;
mod members;
mod object;
mod private;
mod text;
mod written;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::audience::Audience;
use self::base64url::decode;
use self::claims::RESERVED;
pub(super) use self::claims::{Claims, Family, no_secret};
use self::object::{Malformed, Object};
use self::text::Text;
use super::keys::{KeyRing, Kind, Verifying};
use crate::record::check_names;
use crate::rule::{Lifetime, RejectReason};
use crate::sessions::{AuthenticateError, TokenError};
use crate::time::Timestamp;

/// Checked before anything is parsed.
const LONGEST_TOKEN: usize = 8_192;

/// What issues and verifies tokens of one kind: keys, issuer and audience.
#[derive(Clone, Debug)]
pub(in crate::jwt) struct Codec {
    pub(in crate::jwt) ring: KeyRing,
    kind: Kind,
    pub(in crate::jwt) issuer: Option<Arc<str>>,
    pub(in crate::jwt) audience: Option<Arc<str>>,
    /// The longest token that is issued.
    pub(in crate::jwt) longest: usize,
}

impl Codec {
    pub(in crate::jwt) const fn new(ring: KeyRing, kind: Kind) -> Self {
        Self { ring, kind, issuer: None, audience: None, longest: LONGEST_TOKEN }
    }

    /// Everything but the limits of the policy: whose signature, for whom, and
    /// well-formed claims. Nothing of the payload is parsed before its signature
    /// has been verified. The claims lie in `buffer`.
    pub(in crate::jwt) fn verify<'b, A: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
        buffer: &'b mut Vec<u8>,
    ) -> Result<Claims<'b, A>, AuthenticateError> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::TooLong { bytes: token.len() }.into());
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        // A fourth segment would hold a full stop, which is not base64url.
        let (key, payload) = self.key_of(message)?;
        // For the signature, and then for the payload.
        buffer.reserve(payload.len().max(signature.len()));
        decode(signature, buffer)?;
        if let Some(since) = key.retires_at.filter(|at| *at <= now) {
            return Err(TokenError::KeyRetired { since }.into());
        }
        if !key.verifies(message.as_bytes(), buffer) {
            return Err(TokenError::Signature.into());
        }
        decode(payload, buffer)?;
        self.read_claims(buffer, now)
    }

    /// The key that a header selects, and the payload. A header that reads as we
    /// write it needs no parsing: it says what is known of its key, and nothing
    /// else.
    fn key_of<'t>(&self, message: &'t str) -> Result<(Verifying<'_>, &'t str), TokenError> {
        if let Some(found) = self.ring.with_header(message, self.kind) {
            return Ok(found);
        }
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let mut json = Vec::new();
        decode(header, &mut json)?;
        let (kid, algorithm) = self.read_header(&json)?;
        let key = self.ring.find(kid.as_ref().map(|kid| &*kid.0)).ok_or(TokenError::UnknownKey)?;
        if algorithm.0 != key.algorithm.as_str() {
            return Err(TokenError::Algorithm);
        }
        Ok((key, payload))
    }

    /// The `kid` and the `alg`.
    fn read_header<'h>(&self, json: &'h [u8]) -> Result<(Option<Text<'h>>, Text<'h>), TokenError> {
        let mut header = Object::<members::Header<'_>>::default();
        header.read(json).map_err(|_| TokenError::Malformed)?;
        let members::Header { alg, b64, crit, kid, typ } = header.known;
        if crit.is_some() || b64.is_some() {
            return Err(TokenError::Critical);
        }
        let algorithm = alg.ok_or(TokenError::Algorithm)?;
        if self.kind.is_said_by(typ.as_ref().map(|typ| &*typ.0)) {
            Ok((kid, algorithm))
        } else {
            Err(TokenError::Type)
        }
    }

    fn read_claims<'j, A: DeserializeOwned>(
        &self,
        json: &'j [u8],
        now: Timestamp,
    ) -> Result<Claims<'j, A>, AuthenticateError> {
        let mut payload = Object::<members::Payload<'j>>::default();
        match written::read(json) {
            Some(known) => payload.known = known,
            None => payload.read(json).map_err(TokenError::from)?,
        }
        // Part by part: as a whole it is too large to be moved once more.
        let Object { known: members::Payload { iss, aud, sub, sid, .. }, others } = payload;
        let members::Payload { auth_time, iat, exp, cap, jti, fam, .. } = payload.known;
        let members::Payload { r#gen, epoch, profile, nbf, .. } = payload.known;
        self.check_issuer(iss.as_ref())?;
        self.check_audience(aud)?;
        check_not_before(nbf, now)?;
        let subject = present("sub", sub)?;
        let id = present("sid", sid)?;
        let id = id.0.parse().map_err(|_| malformed("sid"))?;
        let lifetime = Lifetime::restore(
            instant("auth_time", auth_time)?,
            instant("iat", iat)?,
            instant("exp", exp)?,
            instant("cap", cap)?,
        );
        let token_id = present("jti", jti)?;
        if token_id.0.is_empty() {
            return Err(malformed("jti").into());
        }
        let generation = present("gen", r#gen)?;
        let family = match (self.kind, fam) {
            (Kind::Stateless, None) => None,
            (Kind::Stateless, Some(_)) => return Err(malformed("fam").into()),
            (Kind::Hybrid, family) => {
                let family = present("fam", family)?;
                Some(Family::parse(&family.0).ok_or_else(|| malformed("fam"))?)
            }
        };
        let profile = present("profile", profile)?;
        check_names(&subject.0, &profile.0).map_err(TokenError::Names)?;
        let others = Value::Object(others.into_map().ok_or(TokenError::Malformed)?);
        let application =
            A::deserialize(others).map_err(|error| TokenError::Application(Box::new(error)))?;
        Ok(Claims {
            id,
            subject: subject.0,
            profile: profile.0,
            epoch,
            lifetime: lifetime.map_err(TokenError::Lifetime)?,
            generation,
            family,
            application,
        })
    }

    fn check_issuer(&self, issuer: Option<&Text<'_>>) -> Result<(), TokenError> {
        match &self.issuer {
            Some(ours) if issuer.map(|text| &*text.0) != Some(ours) => Err(TokenError::Issuer),
            _ => Ok(()),
        }
    }

    /// RFC 7519 section 4.1.3: a token with an audience is refused by whoever is
    /// not in it, so also where none is configured.
    fn check_audience(&self, audience: Option<Audience<'_>>) -> Result<(), TokenError> {
        let accepted = match (&self.audience, audience) {
            (None, None) => true,
            (Some(ours), Some(Audience::One(one))) => *one.0 == **ours,
            (Some(ours), Some(Audience::Many(many))) => many.iter().any(|one| *one.0 == **ours),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if accepted { Ok(()) } else { Err(TokenError::Audience) }
    }
}

/// A claim that we do not issue, and honour without leeway: "on or after" (RFC
/// 7519 section 4.1.5).
fn check_not_before(nbf: Option<u64>, now: Timestamp) -> Result<(), AuthenticateError> {
    if nbf.is_none() {
        return Ok(());
    }
    let since = instant("nbf", nbf)?;
    if now < since {
        return Err(AuthenticateError::Rejected { reason: RejectReason::NotYetValid, since });
    }
    Ok(())
}

const fn malformed(claim: &'static str) -> TokenError {
    TokenError::ClaimMalformed { claim }
}

fn instant(claim: &'static str, secs: Option<u64>) -> Result<Timestamp, TokenError> {
    let secs = i64::try_from(present(claim, secs)?).ok();
    let instant = secs.and_then(|secs| Timestamp::try_from(secs).ok());
    instant.ok_or_else(|| malformed(claim))
}

fn present<T>(claim: &'static str, value: Option<T>) -> Result<T, TokenError> {
    value.ok_or_else(|| TokenError::ClaimMissing { claim })
}

/// Of a payload.
impl From<Malformed<'_>> for TokenError {
    fn from(Malformed(name): Malformed<'_>) -> Self {
        match RESERVED.into_iter().find(|claim| name.as_deref() == Some(*claim)) {
            Some(claim) => Self::ClaimMalformed { claim },
            None => Self::Malformed,
        }
    }
}
