//! Signed tokens beside `jsonwebtoken` alone.

use base64ct::{Base64UrlUnpadded, Encoding};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use session_policy::MemoryStore;
use session_policy::jwt::{self, HybridSessions, JwtSessions, KeyRing, SigningKey};

use crate::app::SUBJECT;
use crate::record::{Instants, Verdict, now, random};
use crate::rule::POLICY;
use crate::task::{Group, Task};

/// What our tokens say.
#[derive(Deserialize, Serialize)]
struct Claims<Text> {
    sub: Text,
    sid: Text,
    iat: i64,
    auth_time: i64,
    exp: i64,
    cap: i64,
    jti: Text,
    #[serde(rename = "gen")]
    generation: u64,
    profile: Text,
}

/// HS256: reading a token that is not due, and issuing one.
#[must_use]
pub fn groups() -> Vec<Group> {
    let secret: [u8; 32] = random();
    let token = token(&secret);
    let header = token.split('.').next().unwrap_or_default().to_owned();
    vec![
        Group::new(
            "read a token (HS256)",
            200,
            vec![
                decode(token.clone(), &secret),
                floor(token.clone(), header, &secret),
                authenticate(token, &secret),
                authenticate_hybrid(&secret),
            ],
        ),
        Group::new("issue a token (HS256)", 200, vec![encode(&secret), start(&secret)]),
    ]
}

fn ring(secret: &[u8; 32]) -> KeyRing {
    let key = SigningKey::secret("1", jwt::Algorithm::Hs256, secret);
    key.and_then(KeyRing::new).unwrap_or_else(|error| unreachable!("{error}"))
}

fn sessions(secret: &[u8; 32]) -> JwtSessions {
    JwtSessions::new(ring(secret), POLICY)
}

fn token(secret: &[u8; 32]) -> String {
    let started = sessions(secret).start(SUBJECT).now_or_never();
    let Some(Ok(started)) = started else { unreachable!("a token can be issued") };
    started.token.expose().to_owned()
}

fn authenticate(token: String, secret: &[u8; 32]) -> Task {
    let sessions = sessions(secret);
    Task::new("session-policy", move || {
        let served = sessions.authenticate(&token).now_or_never();
        let Some(Ok(served)) = served else { panic!("it is not served") };
        assert_eq!((served.session.subject(), served.token.is_none()), (SUBJECT, true));
    })
}

fn authenticate_hybrid(secret: &[u8; 32]) -> Task {
    let sessions = HybridSessions::new(MemoryStore::new(), ring(secret), POLICY);
    let sessions = sessions.unwrap_or_else(|error| unreachable!("{error}"));
    let started = sessions.start(SUBJECT).now_or_never();
    let Some(Ok(started)) = started else { unreachable!("a token can be issued") };
    Task::new("session-policy, hybrid", move || {
        let served = sessions.authenticate(started.token.expose()).now_or_never();
        let Some(Ok(served)) = served else { panic!("it is not served") };
        assert_eq!((served.session.subject(), served.token.is_none()), (SUBJECT, true));
    })
}

/// As its documentation has it. It judges `exp` only, so the cap is left to the
/// application.
fn decode(token: String, secret: &[u8; 32]) -> Task {
    let key = DecodingKey::from_secret(secret);
    let validation = Validation::new(Algorithm::HS256);
    Task::new("jsonwebtoken::decode", move || {
        let read = jsonwebtoken::decode::<Claims<String>>(&token, &key, &validation);
        let Ok(read) = read else { panic!("it is not served") };
        assert_eq!((&*read.claims.sub, read.claims.cap > now()), (SUBJECT, true));
    })
}

/// One HMAC, one JSON parse, and the header by its bytes.
fn floor(token: String, own_header: String, secret: &[u8; 32]) -> Task {
    let key = DecodingKey::from_secret(secret);
    let serve = move |token: &str| {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let verify = jsonwebtoken::crypto::verify;
        let signed = verify(signature, message.as_bytes(), &key, Algorithm::HS256).ok()?;
        if header != own_header || !signed {
            return None;
        }
        let payload = Base64UrlUnpadded::decode_vec(payload).ok()?;
        let claims: Claims<&str> = serde_json::from_slice(&payload).ok()?;
        let instants = Instants {
            created_at: claims.auth_time,
            renewed_at: claims.iat,
            expires_at: claims.exp,
            absolute_expires_at: claims.cap,
        };
        (instants.verdict(now()) == Verdict::Keep).then(|| claims.sub.to_owned())
    };
    Task::new("HMAC and one parse", move || assert_eq!(serve(&token).as_deref(), Some(SUBJECT)))
}

fn start(secret: &[u8; 32]) -> Task {
    let sessions = sessions(secret);
    Task::new("session-policy", move || {
        let started = sessions.start(SUBJECT).now_or_never();
        assert!(matches!(started, Some(Ok(started)) if started.token.expose().len() > 200));
    })
}

fn encode(secret: &[u8; 32]) -> Task {
    let key = EncodingKey::from_secret(secret);
    let header = Header { kid: Some("1".into()), ..Header::new(Algorithm::HS256) };
    Task::new("jsonwebtoken::encode", move || {
        let random = || Base64UrlUnpadded::encode_string(&random::<16>());
        let instants = Instants::from(now());
        let claims = Claims {
            sub: SUBJECT.to_owned(),
            sid: random(),
            iat: instants.renewed_at,
            auth_time: instants.created_at,
            exp: instants.expires_at,
            cap: instants.absolute_expires_at,
            jti: random(),
            generation: 0,
            profile: "default".to_owned(),
        };
        let token = jsonwebtoken::encode(&header, &claims, &key);
        assert!(token.is_ok_and(|token| token.len() > 200));
    })
}
