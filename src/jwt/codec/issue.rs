use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::keys::Kind;
use super::claims::{Family, application_claims};
use super::{Codec, base64url};
use crate::record::{Session, SessionId, SessionToken, random_id};
use crate::sessions::IssueError;
use crate::time::Timestamp;

const USUAL_PAYLOAD: usize = 512;

/// In the order in which `written` reads it without a parser.
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
    jti: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    fam: Option<String>,
    r#gen: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    profile: &'a str,
    #[serde(flatten)]
    application: Map<String, Value>,
}

impl Codec {
    /// A token of `session` at its generation, with a `jti` of its own.
    pub(in crate::jwt) fn issue<A: Serialize>(
        &self,
        session: &Session,
        application: &A,
        now: Timestamp,
    ) -> Result<SessionToken, IssueError> {
        let lifetime = session.lifetime();
        let signing = self.ring.signing_at(now, self.kind).ok_or(IssueError::VerifyOnly)?;
        let created_at = lifetime.created_at();
        if created_at.as_unix_secs() < 0 {
            return Err(IssueError::BeforeEpoch { created_at });
        }
        let token_id = random_id().map_err(|error| IssueError::Random(Box::new(error)))?;
        let (iat, exp, fam) = match self.kind {
            // The row says when it ends; the token was issued just now, and not before
            // the sign-in, wherever this clock is behind.
            Kind::Hybrid => {
                let iat = now.clamp(created_at, lifetime.absolute_expires_at());
                (iat, lifetime.absolute_expires_at(), Some(Family::of(session).to_text()))
            }
            Kind::Stateless => (lifetime.renewed_at(), lifetime.expires_at(), None),
        };
        let payload = Payload {
            iss: self.issuer.as_deref(),
            aud: self.audience.as_deref(),
            sub: session.subject(),
            sid: session.id(),
            auth_time: created_at,
            iat,
            exp,
            cap: lifetime.absolute_expires_at(),
            jti: token_id,
            fam,
            r#gen: session.generation(),
            epoch: session.epoch(),
            profile: session.profile(),
            application: application_claims(application)?,
        };
        let unserialisable = |error| IssueError::Application(Box::new(error));
        let mut json = Vec::with_capacity(USUAL_PAYLOAD);
        serde_json::to_writer(&mut json, &payload).map_err(unserialisable)?;
        let mut text = String::with_capacity(signing.header.len() + 2 * json.len());
        text.push_str(signing.header);
        text.push('.');
        base64url::encode(&json, &mut text);
        let signature = signing.sign(text.as_bytes()).ok_or(IssueError::Signing)?;
        text.push('.');
        base64url::encode(&signature, &mut text);
        if text.len() > self.longest {
            return Err(IssueError::TooLong { bytes: text.len(), longest: self.longest });
        }
        Ok(SessionToken::of_text(text))
    }
}

#[cfg(all(test, feature = "jwt"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use alloc::vec::Vec;

    use super::super::super::keys::{Algorithm, KeyRing, Kind, SigningKey};
    use super::super::base64url::decode;
    use super::super::{Codec, written};
    use crate::record::{NoClaims, SecretHash, Session, SessionId};
    use crate::rule::SessionPolicy;
    use crate::time::Timestamp;

    #[test]
    fn what_is_issued_is_read_without_a_parser() {
        let now = Timestamp::from_unix_secs(1_800_000_000);
        let (id, hash) = (SessionId::from_bytes([7; 16]), SecretHash::from_bytes([7; 32]));
        let lifetime = SessionPolicy::WORKING_DAY.start(now);
        let session = Session::new(id, "ada", "default", hash, lifetime).unwrap();
        for kind in [Kind::Hybrid, Kind::Stateless] {
            let key = SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
            let mut codec = Codec::new(KeyRing::new(key).unwrap(), kind);
            for (optional, epoch) in [(None, None), (Some("web".into()), Some(7))] {
                codec.issuer = optional.clone();
                codec.audience = optional;
                let session = session.clone().with(|_, more| more.epoch = epoch);
                let token = codec.issue(&session, &NoClaims {}, now).unwrap();
                let mut json = Vec::new();
                decode(token.expose().split('.').nth(1).unwrap(), &mut json).unwrap();
                let read = written::read(&json).unwrap();
                assert_eq!(
                    (read.sub.unwrap().0, read.fam.is_some()),
                    ("ada".into(), kind == Kind::Hybrid)
                );
            }
        }
    }
}
