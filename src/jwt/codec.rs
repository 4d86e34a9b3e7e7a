//! Claims to signed text and back.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::audience::Audience;
use super::claims::RESERVED;
use super::object::{Malformed, Object, Text};
use super::signature::Verifying;
use super::{Claims, IssueError, JwtError, KeyRing, SignedToken};
use crate::session::check_names;
use crate::token::random_id;
use crate::{Lifetime, RejectReason, SessionId, Timestamp};

/// Checked before anything is parsed. Browsers keep 4 KiB in a cookie.
const LONGEST_TOKEN: usize = 8_192;
const USUAL_PAYLOAD: usize = 512;

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
        let mut json = Vec::with_capacity(USUAL_PAYLOAD);
        serde_json::to_writer(&mut json, &payload).map_err(unserialisable)?;
        let mut text = String::with_capacity(signing.header.len() + 2 * json.len());
        text.push_str(signing.header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&json, &mut text);
        let signature = signing.sign(text.as_bytes()).ok_or(IssueError::Signing)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut text);
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
        let key = self.key_of(header)?;
        // For the signature, and then for the payload.
        let mut buffer = Vec::with_capacity(payload.len().max(signature.len()));
        decode(signature, &mut buffer)?;
        if let Some(since) = key.retires_at.filter(|at| *at <= now) {
            return Err(JwtError::KeyRetired { since });
        }
        if !key.verifies(message.as_bytes(), &buffer) {
            return Err(JwtError::Signature);
        }
        decode(payload, &mut buffer)?;
        let mut claims = Object::parse(&buffer).ok_or(JwtError::Malformed)?;
        self.check_issuer(&mut claims)?;
        self.check_audience(&mut claims)?;
        check_not_before(&mut claims, now)?;
        read_claims(claims)
    }

    /// The key that a header selects. One that reads as we write it needs no
    /// parsing: it says what is known of its key, and nothing else.
    fn key_of(&self, header: &str) -> Result<Verifying<'_>, JwtError> {
        if let Some(key) = self.ring.with_header(header) {
            return Ok(key);
        }
        let mut json = Vec::new();
        decode(header, &mut json)?;
        let (kid, algorithm) = read_header(&json)?;
        let key = self.ring.find(kid.as_deref()).ok_or(JwtError::UnknownKey)?;
        if algorithm == key.algorithm.as_str() { Ok(key) } else { Err(JwtError::Algorithm) }
    }

    fn check_issuer(&self, claims: &mut Object<'_>) -> Result<(), JwtError> {
        let issuer = optional_text(claims, "iss")?;
        match &self.issuer {
            Some(ours) if issuer.as_ref().map(|text| &*text.0) != Some(ours) => {
                Err(JwtError::Issuer)
            }
            _ => Ok(()),
        }
    }

    /// RFC 7519 section 4.1.3: a token with an audience is refused by whoever is
    /// not in it, so also where none is configured.
    fn check_audience(&self, claims: &mut Object<'_>) -> Result<(), JwtError> {
        let audience: Option<Audience<'_>> = optional(claims, "aud")?;
        let accepted = match (&self.audience, audience) {
            (None, None) => true,
            (Some(ours), Some(Audience::One(one))) => *one.0 == **ours,
            (Some(ours), Some(Audience::Many(many))) => many.iter().any(|one| *one.0 == **ours),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if accepted { Ok(()) } else { Err(JwtError::Audience) }
    }
}

/// Strict: without padding, white space and stray bits, so that a token has one
/// text only. An empty segment is none. In time that depends on the text, which
/// is no secret: it came from the client.
fn decode(segment: &str, bytes: &mut Vec<u8>) -> Result<(), JwtError> {
    bytes.clear();
    match URL_SAFE_NO_PAD.decode_vec(segment, bytes) {
        Ok(()) if !bytes.is_empty() => Ok(()),
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
    match optional_instant(claims, "nbf")? {
        Some(since) if now < since => {
            Err(JwtError::Rejected { reason: RejectReason::NotYetValid, since })
        }
        _ => Ok(()),
    }
}

fn read_claims<A: DeserializeOwned>(mut claims: Object<'_>) -> Result<Claims<A>, JwtError> {
    let subject = text(&mut claims, "sub")?;
    let id = text(&mut claims, "sid")?;
    let id = id.0.parse().map_err(|_| JwtError::ClaimMalformed { claim: "sid" })?;
    let mut at = |claim| present(claim, optional_instant(&mut claims, claim)?);
    let (created_at, renewed_at) = (at("auth_time")?, at("iat")?);
    let (expires_at, cap) = (at("exp")?, at("cap")?);
    let lifetime = Lifetime::restore(created_at, renewed_at, expires_at, cap);
    let token_id = text(&mut claims, "jti")?;
    if token_id.0.is_empty() {
        return Err(JwtError::ClaimMalformed { claim: "jti" });
    }
    let generation = present("gen", integer(&mut claims, "gen")?)?;
    let profile = text(&mut claims, "profile")?;
    check_names(&subject.0, &profile.0).map_err(JwtError::Names)?;
    let rest = Value::Object(claims.into_rest().ok_or(JwtError::Malformed)?);
    Ok(Claims {
        id,
        subject: subject.0.into(),
        profile: profile.0.into(),
        lifetime: lifetime.map_err(JwtError::Lifetime)?,
        generation,
        token_id: token_id.0.into(),
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

fn optional_text<'a>(
    claims: &mut Object<'a>,
    claim: &'static str,
) -> Result<Option<Text<'a>>, JwtError> {
    claims.take_text(claim).map_err(|Malformed| JwtError::ClaimMalformed { claim })
}

fn text<'a>(claims: &mut Object<'a>, claim: &'static str) -> Result<Text<'a>, JwtError> {
    present(claim, optional_text(claims, claim)?)
}

/// Unsigned, so that a negative number is malformed, as are fractions, exponents
/// and what overflows.
fn integer(claims: &mut Object<'_>, claim: &'static str) -> Result<Option<u64>, JwtError> {
    claims.take_integer(claim).map_err(|Malformed| JwtError::ClaimMalformed { claim })
}

fn optional_instant(
    claims: &mut Object<'_>,
    claim: &'static str,
) -> Result<Option<Timestamp>, JwtError> {
    let Some(secs) = integer(claims, claim)? else { return Ok(None) };
    let instant = i64::try_from(secs).ok().and_then(|secs| Timestamp::try_from(secs).ok());
    instant.map(Some).ok_or(JwtError::ClaimMalformed { claim })
}

fn present<T>(claim: &'static str, value: Option<T>) -> Result<T, JwtError> {
    value.ok_or(JwtError::ClaimMissing { claim })
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
