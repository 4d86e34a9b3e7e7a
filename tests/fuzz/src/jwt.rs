use base64ct::{Base64UrlUnpadded, Encoding};
use pollster::block_on;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey, VerifyingKey};
use session_policy::{AuthenticateError, Authenticated, ManualClock, SessionPolicy, Timestamp};

use crate::input::Input;
use crate::provider::{HMAC, hmac};

/// Short keys, so that nobody takes them for real ones.
const KEYS: [(&str, [u8; 32]); 3] = [("now", [1; 32]), ("before", [2; 32]), ("retired", [3; 32])];
const SINCE: i64 = 1_800_000_000;
const CLAIMS: [(&str, &str); 11] = [
    ("iss", "\"https://login.example\""),
    ("aud", "\"shop\""),
    ("sub", "\"ada\""),
    ("sid", "\"AAECAwQFBgcICQoLDA0ODw\""),
    ("auth_time", "1800000000"),
    ("iat", "1800000000"),
    ("exp", "1800028800"),
    ("cap", "1800028800"),
    ("jti", "\"j\""),
    ("gen", "0"),
    ("profile", "\"default\""),
];

/// No text is served but one that a key of the ring signed, whose claims say so
/// when read a second way, and which no limit has ended.
pub fn jwt(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 4;
    let limit = input.one_of(&[0, -60, 900, 14_400, 28_800]);
    let now = SINCE + limit + input.near();
    let sessions = sessions(now);
    match kind {
        0 => any_text(&sessions, input, now),
        1 => any_header_and_payload(&sessions, input, now),
        2 => one_claim(&sessions, input, now),
        _ => one_change(&sessions, input),
    }
}

fn sessions(now: i64) -> JwtSessions {
    let verifying = |(kid, secret): (&str, [u8; 32])| {
        VerifyingKey::secret(kid, Algorithm::Hs256, secret).expect("a key")
    };
    let (kid, secret) = KEYS[0];
    let signing = SigningKey::secret(kid, Algorithm::Hs256, secret).expect("a key");
    let ring = KeyRing::with_provider(&HMAC, signing)
        .and_then(|ring| ring.with_verifying(verifying(KEYS[1])))
        .and_then(|ring| {
            let retires_at = Timestamp::from_unix_secs(SINCE + 901);
            ring.with_verifying_until(verifying(KEYS[2]), retires_at)
        })
        .expect("a ring");
    JwtSessions::new(ring, SessionPolicy::WORKING_DAY)
        .with_issuer("https://login.example")
        .with_audience("shop")
        .with_clock(ManualClock::new(Timestamp::from_unix_secs(now)))
}

fn any_text(sessions: &JwtSessions, input: Input<'_>, now: i64) {
    if let Some(text) = input.text() {
        decided(sessions, text, now);
    }
}

fn any_header_and_payload(sessions: &JwtSessions, mut input: Input<'_>, now: i64) {
    let (_, secret) = input.one_of(&KEYS);
    let length = usize::from(input.byte());
    let (header, payload) = match input.rest() {
        rest if rest.len() < length => return,
        rest => rest.split_at(length),
    };
    decided(sessions, &signed(header, payload, &secret), now);
}

/// The claims of a good token, one of them with any JSON as its value, or one
/// more.
fn one_claim(sessions: &JwtSessions, mut input: Input<'_>, now: i64) {
    let key = input.one_of(&KEYS);
    let claim = usize::from(input.byte()) % (CLAIMS.len() + 2);
    let Some(value) = input.text() else { return };
    let mut members: Vec<_> = CLAIMS
        .iter()
        .enumerate()
        .map(|(at, (name, good))| format!("\"{name}\":{}", if at == claim { value } else { good }))
        .collect();
    match claim.checked_sub(CLAIMS.len()) {
        Some(0) => members.push(format!("\"nbf\":{value}")),
        Some(_) => members.push(value.to_owned()),
        None => {}
    }
    let payload = format!("{{{}}}", members.join(","));
    let token = signed(&header(key.0), payload.as_bytes(), &key.1);
    decided(sessions, &token, now);
}

/// A good token with one byte changed is no token.
fn one_change(sessions: &JwtSessions, mut input: Input<'_>) {
    let members = CLAIMS.map(|(name, value)| format!("\"{name}\":{value}"));
    let payload = format!("{{{}}}", members.join(","));
    let (kid, secret) = KEYS[0];
    let mut token = signed(&header(kid), payload.as_bytes(), &secret).into_bytes();
    let at = input.below(token.len());
    let to = input.byte();
    if core::mem::replace(&mut token[at], to) != to
        && let Ok(token) = String::from_utf8(token)
    {
        assert!(block_on(sessions.peek(&token)).is_err(), "{token} was served");
    }
}

fn header(kid: &str) -> Vec<u8> {
    format!("{{\"alg\":\"HS256\",\"kid\":\"{kid}\",\"typ\":\"JWT\"}}").into_bytes()
}

fn signed(header: &[u8], payload: &[u8], secret: &[u8]) -> String {
    let encode = Base64UrlUnpadded::encode_string;
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = hmac(secret, message.as_bytes());
    format!("{message}.{}", encode(&signature))
}

fn decided(sessions: &JwtSessions, token: &str, now: i64) {
    let peeked = block_on(sessions.peek(token));
    let judged = block_on(sessions.authenticate(token));
    match (judged, peeked) {
        (Ok(judged), Ok(peeked)) => {
            assert!(peeked.token.is_none());
            signed_by_a_key(token, now);
            says_what_it_says(&judged, token, now);
            issued(sessions, &judged, now);
        }
        (Err(error), Err(same)) => {
            assert_eq!(error.to_string(), same.to_string());
            safe_to_log(&error, token);
        }
        (judged, peeked) => panic!("{judged:?}, and when peeked at {peeked:?}"),
    }
}

fn signed_by_a_key(token: &str, now: i64) {
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let signs = |(kid, secret): (&str, [u8; 32])| {
        let good =
            Base64UrlUnpadded::encode_string(&hmac(&secret, message.as_bytes())) == signature;
        good && (kid != "retired" || now < SINCE + 901)
    };
    assert!(KEYS.into_iter().any(signs), "{token} is signed by nobody");
    assert!(token.len() <= 8_192);
}

/// The payload read a second way: as one JSON value, whose last members win.
fn says_what_it_says(judged: &Authenticated, token: &str, now: i64) {
    let payload = token.split('.').nth(1).expect("a payload");
    let payload = Base64UrlUnpadded::decode_vec(payload).expect("base64url");
    let claims: Map<String, Value> = serde_json::from_slice(&payload).expect("an object");
    let members: Vec<(String, &RawValue)> = members(&payload);
    assert_eq!(members.len(), claims.len(), "a name occurs twice");

    let secs = |name: &str| claims[name].as_i64().expect("whole seconds");
    let lifetime = judged.session.lifetime();
    assert_eq!(lifetime.created_at().as_unix_secs(), secs("auth_time"));
    assert_eq!(claims["sub"], judged.session.subject());
    assert_eq!(claims["sid"], judged.session.id().to_string());
    assert_eq!(claims["profile"], judged.session.profile());
    assert_eq!(claims["iss"], "https://login.example");
    assert!(
        claims["aud"] == "shop"
            || claims["aud"].as_array().expect("a list").contains(&"shop".into())
    );
    assert_eq!(claims["gen"], 0);
    assert!(claims.get("nbf").is_none_or(|nbf| nbf.as_i64().expect("whole seconds") <= now));
    assert_eq!(lifetime.absolute_expires_at().as_unix_secs(), secs("cap"));
    assert!([secs("auth_time"), secs("iat"), secs("exp"), secs("cap")].is_sorted());
    // Laws 1 and 2 for what is signed, under the policy in force.
    let policy = SessionPolicy::WORKING_DAY;
    let cap = secs("cap").min(secs("auth_time") + policy.absolute_cap().num_seconds());
    let end = secs("exp").min(secs("iat") + policy.max_age().num_seconds()).min(cap);
    assert!(now < end, "served at {now}, although it ended at {end}");
    assert!(now >= secs("auth_time") - policy.clock_skew().num_seconds());
    assert_eq!(judged.token.is_some(), now >= secs("iat") + policy.update_age().num_seconds());
    assert!(lifetime.expires_at().as_unix_secs() <= secs("cap"));
}

fn members(payload: &[u8]) -> Vec<(String, &RawValue)> {
    struct Members;

    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: serde::de::MapAccess<'de>>(
            self,
            mut map: M,
        ) -> Result<Self::Value, M::Error> {
            core::iter::from_fn(|| map.next_entry().transpose()).collect()
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(payload);
    serde::Deserializer::deserialize_map(&mut reader, Members).expect("an object")
}

/// A token that is issued anew names the same session, with the same login and
/// the same cap.
fn issued(sessions: &JwtSessions, judged: &Authenticated, now: i64) {
    let Some(token) = &judged.token else { return };
    let token = token.expose();
    assert!(token.len() <= 8_192);
    let again = block_on(sessions.peek(token)).expect("the token that was just issued");
    assert_eq!(again.session.id(), judged.session.id());
    assert_eq!(again.session.subject(), judged.session.subject());
    assert_eq!(again.session.lifetime(), judged.session.lifetime());
    assert_eq!(again.session.lifetime().renewed_at().as_unix_secs(), now);
    assert!(
        again.session.lifetime().expires_at() <= again.session.lifetime().absolute_expires_at()
    );
}

fn safe_to_log(error: &AuthenticateError, token: &str) {
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(message.len() < 512, "{message:?}");
    let signature = token.rsplit('.').next().unwrap_or_default();
    assert!(signature.len() < 43 || !message.contains(signature));
}
