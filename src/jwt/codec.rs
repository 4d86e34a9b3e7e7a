//! Claims to signed text and back.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::claims::RESERVED;
use super::object::{Malformed, Object};
use super::{Claims, IssueError, JwtError, KeyRing, SignedToken};
use crate::session::check_names;
use crate::token::random_id;
use crate::{Lifetime, RejectReason, SessionId, Timestamp};

/// Checked before anything is parsed. Browsers keep 4 KiB in a cookie.
const LONGEST_TOKEN: usize = 8_192;

/// What issues and verifies tokens: keys, issuer and audience.
#[derive(Clone, Debug)]
pub(super) struct Codec {
    pub(super) ring: KeyRing,
    pub(super) issuer: Option<Arc<str>>,
    pub(super) audience: Option<Arc<str>>,
}

/// What a token is to say. `jti` is made anew for each.
pub(super) struct Draft<'a, A> {
    pub(super) id: SessionId,
    pub(super) subject: &'a str,
    pub(super) profile: &'a str,
    pub(super) lifetime: &'a Lifetime,
    pub(super) generation: u64,
    pub(super) application: &'a A,
}

/// The text of a token and its `jti`.
pub(super) struct Signed {
    pub(super) token: SignedToken,
    pub(super) token_id: Arc<str>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    sub: &'a str,
    sid: SessionId,
    auth_time: Timestamp,
    iat: Timestamp,
    exp: Timestamp,
    cap: Timestamp,
    jti: &'a str,
    r#gen: u64,
    profile: &'a str,
    #[serde(flatten)]
    application: Map<String, Value>,
}

impl Codec {
    pub(super) fn new(ring: KeyRing) -> Self {
        Self { ring, issuer: None, audience: None }
    }

    pub(super) fn issue<A: Serialize>(
        &self,
        draft: &Draft<'_, A>,
        now: Timestamp,
    ) -> Result<Signed, IssueError> {
        let Draft { subject, profile, lifetime, .. } = *draft;
        let signing = self.ring.signing_at(now).ok_or(IssueError::VerifyOnly)?;
        let created_at = lifetime.created_at();
        if created_at.as_unix_secs() < 0 {
            return Err(IssueError::BeforeEpoch { created_at });
        }
        let token_id: Arc<str> = random_id()?.to_string().into();
        let header = Header { alg: signing.algorithm.as_str(), kid: signing.kid, typ: "JWT" };
        let payload = Payload {
            iss: self.issuer.as_deref(),
            aud: self.audience.as_deref(),
            sub: subject,
            sid: draft.id,
            auth_time: created_at,
            iat: lifetime.renewed_at(),
            exp: lifetime.expires_at(),
            cap: lifetime.absolute_expires_at(),
            jti: &token_id,
            r#gen: draft.generation,
            profile,
            application: application_claims(draft.application)?,
        };
        let unserialisable = |error| IssueError::Application(Box::new(error));
        let header = serde_json::to_vec(&header).map_err(unserialisable)?;
        let payload = serde_json::to_vec(&payload).map_err(unserialisable)?;
        let mut text = Base64UrlUnpadded::encode_string(&header);
        text.push('.');
        text.push_str(&Base64UrlUnpadded::encode_string(&payload));
        let signature = signing.sign(text.as_bytes()).ok_or(IssueError::Signing)?;
        text.push('.');
        text.push_str(&Base64UrlUnpadded::encode_string(&signature));
        if text.len() > LONGEST_TOKEN {
            return Err(IssueError::TooLong { bytes: text.len() });
        }
        Ok(Signed { token: SignedToken(text), token_id })
    }

    /// Everything but the limits of the policy: whose signature, for whom, and
    /// well-formed claims. Nothing of the payload is parsed before its signature
    /// has been verified.
    pub(super) fn verify<A: DeserializeOwned>(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Claims<A>, JwtError> {
        if token.len() > LONGEST_TOKEN {
            return Err(JwtError::TooLong { bytes: token.len() });
        }
        let (message, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(JwtError::Malformed)?;
        // A fourth segment would hold a full stop, which is not base64url.
        let (header, payload) = (decode(header)?, decode(payload)?);
        let signature = decode(signature)?;
        let (kid, algorithm) = read_header(&header)?;
        let key = self.ring.find(kid.as_deref()).ok_or(JwtError::UnknownKey)?;
        if algorithm != key.algorithm.as_str() {
            return Err(JwtError::Algorithm);
        }
        if let Some(since) = key.retires_at.filter(|at| *at <= now) {
            return Err(JwtError::KeyRetired { since });
        }
        if !key.verifies(message.as_bytes(), &signature) {
            return Err(JwtError::Signature);
        }
        let mut claims = Object::parse(&payload).ok_or(JwtError::Malformed)?;
        self.check_issuer(&mut claims)?;
        self.check_audience(&mut claims)?;
        check_not_before(&mut claims, now)?;
        read_claims(claims)
    }

    fn check_issuer(&self, claims: &mut Object<'_>) -> Result<(), JwtError> {
        let issuer: Option<Cow<'_, str>> = optional(claims, "iss")?;
        match &self.issuer {
            Some(ours) if issuer.as_deref() != Some(ours) => Err(JwtError::Issuer),
            _ => Ok(()),
        }
    }

    /// RFC 7519 section 4.1.3: a token with an audience is refused by whoever is
    /// not in it, so also where none is configured.
    fn check_audience(&self, claims: &mut Object<'_>) -> Result<(), JwtError> {
        let audience: Option<Audience> = optional(claims, "aud")?;
        let accepted = match (&self.audience, audience) {
            (None, None) => true,
            (Some(ours), Some(Audience::One(one))) => *one == **ours,
            (Some(ours), Some(Audience::Many(many))) => many.iter().any(|one| **one == **ours),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if accepted { Ok(()) } else { Err(JwtError::Audience) }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Strict: without padding, white space and stray bits, so that a token has one
/// text only. An empty segment is none.
fn decode(segment: &str) -> Result<Vec<u8>, JwtError> {
    match Base64UrlUnpadded::decode_vec(segment) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(JwtError::Malformed),
    }
}

/// The `kid` and the `alg`. Other parameters are ignored (RFC 7515 section 4),
/// above all those that bring or point to a key: `jku`, `jwk`, `x5c`, `x5u`.
fn read_header(json: &[u8]) -> Result<(Option<String>, String), JwtError> {
    let mut header = Object::parse(json).ok_or(JwtError::Malformed)?;
    if header.contains("crit") || header.contains("b64") {
        return Err(JwtError::Critical);
    }
    let of_header = |Malformed| JwtError::Malformed;
    let algorithm: String = header.take("alg").map_err(of_header)?.ok_or(JwtError::Algorithm)?;
    let kid: Option<String> = header.take("kid").map_err(of_header)?;
    let media_type: Option<String> = header.take("typ").map_err(of_header)?;
    // RFC 7519 section 5.1, RFC 7515 section 4.1.9: a media type, in any case.
    let is_jwt = |found: String| {
        ["JWT", "application/JWT"].iter().any(|jwt| found.eq_ignore_ascii_case(jwt))
    };
    if media_type.is_none_or(is_jwt) { Ok((kid, algorithm)) } else { Err(JwtError::Type) }
}

/// A claim that we do not issue, and honour without leeway: "on or after" (RFC
/// 7519 section 4.1.5).
fn check_not_before(claims: &mut Object<'_>, now: Timestamp) -> Result<(), JwtError> {
    match optional(claims, "nbf")?.map(|secs| instant("nbf", secs)).transpose()? {
        Some(since) if now < since => {
            Err(JwtError::Rejected { reason: RejectReason::NotYetValid, since })
        }
        _ => Ok(()),
    }
}

fn read_claims<A: DeserializeOwned>(mut claims: Object<'_>) -> Result<Claims<A>, JwtError> {
    let mut at = |claim| instant(claim, required(&mut claims, claim)?);
    let (created_at, renewed_at) = (at("auth_time")?, at("iat")?);
    let (expires_at, cap) = (at("exp")?, at("cap")?);
    let lifetime = Lifetime::restore(created_at, renewed_at, expires_at, cap);
    let subject: Arc<str> = required(&mut claims, "sub")?;
    let profile: Arc<str> = required(&mut claims, "profile")?;
    check_names(&subject, &profile).map_err(JwtError::Names)?;
    let token_id: Arc<str> = required(&mut claims, "jti")?;
    if token_id.is_empty() {
        return Err(JwtError::ClaimMalformed { claim: "jti" });
    }
    let id = required(&mut claims, "sid")?;
    let generation = required(&mut claims, "gen")?;
    let rest = Value::Object(claims.into_rest().ok_or(JwtError::Malformed)?);
    Ok(Claims {
        id,
        subject,
        profile,
        lifetime: lifetime.map_err(JwtError::Lifetime)?,
        generation,
        token_id,
        application: A::deserialize(rest)
            .map_err(|error| JwtError::Application(Box::new(error)))?,
    })
}

fn optional<'a, T: Deserialize<'a>>(
    claims: &mut Object<'a>,
    claim: &'static str,
) -> Result<Option<T>, JwtError> {
    claims.take(claim).map_err(|Malformed| JwtError::ClaimMalformed { claim })
}

fn required<'a, T: Deserialize<'a>>(
    claims: &mut Object<'a>,
    claim: &'static str,
) -> Result<T, JwtError> {
    optional(claims, claim)?.ok_or(JwtError::ClaimMissing { claim })
}

/// Unsigned, so that a negative number is malformed; serde refuses fractions,
/// exponents and what overflows.
fn instant(claim: &'static str, secs: u64) -> Result<Timestamp, JwtError> {
    let secs = i64::try_from(secs).ok();
    let instant = secs.and_then(|secs| Timestamp::try_from(secs).ok());
    instant.ok_or(JwtError::ClaimMalformed { claim })
}

fn application_claims<A: Serialize>(application: &A) -> Result<Map<String, Value>, IssueError> {
    let value = serde_json::to_value(application)
        .map_err(|error| IssueError::Application(Box::new(error)))?;
    let Value::Object(claims) = value else {
        return Err(IssueError::ApplicationNotObject);
    };
    match RESERVED.into_iter().find(|claim| claims.contains_key(*claim)) {
        Some(claim) => Err(IssueError::Reserved { claim }),
        None => Ok(claims),
    }
}
