//! Recorded attacks on session tokens are decided as recorded, and no mutation of
//! a valid token is accepted with other claims.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::too_many_lines, reason = "one row a case")]

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey, VerifyingKey};
use session_policy::{AuthenticateError, Authenticated, ManualClock, SessionPolicy, Timestamp};

const CASES: &str = include_str!("data/jwt_attacks.jsonl");
const SECRET: [u8; 32] = [7; 32];
const NOW: i64 = 1_800_000_000;

fn lines() -> (Value, Vec<Value>) {
    let mut lines = CASES.lines().map(|line| serde_json::from_str(line).unwrap());
    (lines.next().unwrap(), lines.collect())
}

fn key(header: &Value, name: &str) -> VerifyingKey {
    let key = &header["keys"][name];
    let kid = key["kid"].as_str().unwrap();
    match name {
        "hs" => {
            let hex = key["secret_hex"].as_str().unwrap();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let secret: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
            VerifyingKey::secret(kid, Algorithm::Hs256, secret).unwrap()
        }
        "ed" => {
            let pem = key["public_pem"].as_str().unwrap();
            VerifyingKey::pem(kid, Algorithm::EdDsa, pem).unwrap()
        }
        "rs" => {
            let pem = key["public_pem"].as_str().unwrap();
            VerifyingKey::pem(kid, Algorithm::Rs256, pem).unwrap()
        }
        other => panic!("no key {other}"),
    }
}

fn verifier(header: &Value, name: &str) -> JwtSessions {
    let ring = if name == "ring" {
        let ring = KeyRing::verify_only(key(header, "hs")).unwrap();
        let ring = ring.with_verifying(key(header, "ed")).unwrap();
        ring.with_verifying(key(header, "rs")).unwrap()
    } else {
        KeyRing::verify_only(key(header, name)).unwrap()
    };
    let setting = |name: &str| TimeDelta::seconds(header["policy"][name].as_i64().unwrap());
    let (max_age, update_age) = (setting("max_age"), setting("update_age"));
    let policy = SessionPolicy::new(max_age, update_age, setting("absolute_cap")).unwrap();
    JwtSessions::new(ring, policy)
        .with_issuer(header["iss"].as_str().unwrap())
        .with_audience(header["aud"].as_str().unwrap())
        .with_clock(ManualClock::new(Timestamp::from_unix_secs(header["now"].as_i64().unwrap())))
}

#[test]
fn every_recorded_token_is_decided_as_recorded() {
    let (header, cases) = lines();
    assert_eq!(cases.len(), usize::try_from(header["count"].as_u64().unwrap()).unwrap());
    let mut wrong = Vec::new();
    for case in &cases {
        let sessions = verifier(&header, case["key"].as_str().unwrap());
        let token = case["token"].as_str().unwrap();
        let peeked = pollster::block_on(sessions.peek(token));
        let authenticated = pollster::block_on(sessions.authenticate(token));
        assert_eq!(peeked.is_ok(), authenticated.is_ok(), "{}", case["name"]);
        if peeked.is_ok() != (case["expected"] == "accept") {
            wrong.push(format!("{}: {:?}", case["name"], peeked.map(|_| ())));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The signing key of the tokens below, and sessions that verify with it.
fn own(keys: &[&str]) -> JwtSessions {
    let key = |kid: &str| SigningKey::secret(kid, Algorithm::Hs256, SECRET).unwrap();
    let mut ring = KeyRing::new(key(keys[0])).unwrap();
    for kid in &keys[1..] {
        let other = VerifyingKey::secret(*kid, Algorithm::Hs256, [9; 32]).unwrap();
        ring = ring.with_verifying(other).unwrap();
    }
    let policy =
        SessionPolicy::new(TimeDelta::hours(2), TimeDelta::minutes(15), TimeDelta::hours(8));
    JwtSessions::new(ring, policy.unwrap())
        .with_issuer("https://issuer.test")
        .with_audience("oracle-app")
        .with_clock(ManualClock::new(Timestamp::from_unix_secs(NOW)))
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://issuer.test", "aud": "oracle-app", "sub": "user-1",
        "sid": "AAECAwQFBgcICQoLDA0ODw", "auth_time": NOW - 60, "iat": NOW - 60,
        "exp": NOW + 3_600, "cap": NOW + 28_740, "gen": 0, "profile": "default", "jti": "j1",
    });
    claims.as_object().unwrap().clone()
}

fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let encode = Base64UrlUnpadded::encode_string;
    let message = format!("{}.{}", encode(header.as_ref()), encode(payload.as_ref()));
    let key = jsonwebtoken::EncodingKey::from_secret(&SECRET);
    let provider = &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    let signer = (provider.signer_factory)(&jsonwebtoken::Algorithm::HS256, &key).unwrap();
    let signature = signer.try_sign(message.as_bytes()).unwrap();
    format!("{message}.{}", encode(&signature))
}

fn decided(header: &str, payload: &str) -> Result<Authenticated, AuthenticateError> {
    pollster::block_on(own(&["hs-1"]).authenticate(&signed(header, payload)))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"hs-1"}"#;

#[test]
fn a_header_is_decided_by_what_it_demands() {
    let payload = Value::Object(claims()).to_string();
    for (header, expected) in [
        (HEADER, "ok"),
        (r#" { "alg" : "HS256" , "kid" : "hs-1" } "#, "ok"),
        (r#"{"alg":"HS256"}"#, "ok"), // the only key of the ring
        (r#"{"alg":"HS256","typ":"jwt"}"#, "ok"),
        (r#"{"alg":"HS256","typ":"application/jwt"}"#, "ok"),
        (r#"{"alg":"HS256","typ":"APPLICATION/JWT"}"#, "ok"),
        (r#"{"alg":"HS256","typ":""}"#, "type"),
        (r#"{"alg":"HS256","typ":"JWT "}"#, "type"),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, "type"),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, "type"),
        (r#"{"alg":"HS256","typ":"application-JWT"}"#, "type"),
        (r#"{"alg":"HS256","typ":"JWE"}"#, "type"),
        (r#"{"alg":"HS256","typ":null}"#, "malformed"),
        (r#"{"alg":"HS256","typ":["JWT"]}"#, "malformed"),
        (r#"{"alg":"HS256","typ":1}"#, "malformed"),
        // Keys in the header are neither followed nor used.
        (r#"{"alg":"HS256","jku":"https://a.test","x5u":"https://a.test","x5c":["AA"]}"#, "ok"),
        (r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"},"zip":"DEF","cty":"x"}"#, "ok"),
        (r#"{"alg":"HS256","kid":""}"#, "unknown_key"),
        (r#"{"alg":"HS256","kid":"HS-1"}"#, "unknown_key"),
        (r#"{"alg":"HS256","kid":"hs-1 "}"#, "unknown_key"),
        (r#"{"alg":"HS256","kid":"hs-1\u0000"}"#, "unknown_key"),
        (r#"{"alg":"HS256","kid":"../../dev/null"}"#, "unknown_key"),
        (r#"{"alg":"HS256","kid":"' OR 1=1 --"}"#, "unknown_key"),
        (r#"{"alg":"HS256","kid":null}"#, "malformed"),
        (r#"{"alg":"HS256","kid":["hs-1"]}"#, "malformed"),
        (r#"{"alg":"HS256","kid":1}"#, "malformed"),
        (r#"{"typ":"JWT"}"#, "algorithm"),
        (r#"{"alg":"none"}"#, "algorithm"),
        (r#"{"alg":"None"}"#, "algorithm"),
        (r#"{"alg":"hs256"}"#, "algorithm"),
        (r#"{"alg":"HS256 "}"#, "algorithm"),
        (r#"{"alg":""}"#, "algorithm"),
        (r#"{"alg":"HS384"}"#, "algorithm"),
        (r#"{"alg":"HS512"}"#, "algorithm"),
        (r#"{"alg":"RS256"}"#, "algorithm"),
        (r#"{"alg":"EdDSA"}"#, "algorithm"),
        (r#"{"alg":"dir","enc":"A128GCM"}"#, "algorithm"),
        (r#"{"alg":null}"#, "malformed"),
        (r#"{"alg":["HS256"]}"#, "malformed"),
        (r#"{"alg":{"name":"HS256"}}"#, "malformed"),
        (r#"{"alg":256}"#, "malformed"),
        (r#"{"alg":true}"#, "malformed"),
        (r#"{"Alg":"HS256"}"#, "algorithm"),
        (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, "critical"),
        (r#"{"alg":"HS256","crit":[]}"#, "critical"),
        (r#"{"alg":"HS256","crit":null}"#, "critical"),
        (r#"{"alg":"HS256","crit":"exp"}"#, "critical"),
        (r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, "critical"),
        (r#"{"alg":"HS256","b64":false}"#, "critical"),
        (r#"{"alg":"none","alg":"HS256"}"#, "malformed"),
        (r#"{"alg":"HS256","alg":"HS256"}"#, "malformed"),
        (r#"{"alg":"HS256","\u0061lg":"none"}"#, "malformed"),
        (r#"{"alg":"HS256","x":1,"x":1}"#, "malformed"),
        (r#"["HS256","JWT","hs-1"]"#, "malformed"),
        (r#""HS256""#, "malformed"),
        ("null", "malformed"),
        ("{}", "algorithm"),
        (r#"{"alg":"HS256",}"#, "malformed"),
        (r#"{"alg":"HS256"}{}"#, "malformed"),
        (r#"{"alg":"HS256"} x"#, "malformed"),
        ("{'alg':'HS256'}", "malformed"),
        ("{\"alg\":\"HS256\"/**/}", "malformed"),
        ("\u{feff}{\"alg\":\"HS256\"}", "malformed"),
        ("{\"alg\":\"HS256\"\0}", "malformed"),
    ] {
        let decided = decided(header, &payload).map_or_else(|error| error.as_str(), |_| "ok");
        assert_eq!(decided, expected, "{header}");
    }
}

#[test]
fn without_a_kid_only_a_ring_of_one_key_verifies() {
    let token = signed(r#"{"alg":"HS256"}"#, Value::Object(claims()).to_string());
    assert!(pollster::block_on(own(&["hs-1"]).peek(&token)).is_ok());
    let error = pollster::block_on(own(&["hs-1", "hs-2"]).peek(&token)).unwrap_err();
    assert_eq!(error.as_str(), "unknown_key");
}

#[test]
fn a_claim_is_decided_by_its_exact_json() {
    // The claim, its JSON in the place of the valid one ("" for absent), the
    // decision.
    let mut cases: Vec<(&str, String, &str)> = Vec::new();
    for claim in ["auth_time", "iat", "exp", "cap"] {
        let valid = claims()[claim].as_i64().unwrap();
        for json in [
            "null",
            "true",
            "\"1800000000\"",
            "\"\"",
            "-1",
            "-0",
            "1e400",
            "-1e400",
            "1.8e9",
            "1800000000.0",
            "1800000000.5",
            "18446744073709551615",
            "18446744073709551616",
            "9223372036854775807",
            "9223372036854775808",
            "8210266876800",
            "[]",
            "{}",
            "[1800000000]",
            "\"2099-01-01T00:00:00Z\"",
            "9".repeat(400).as_str(),
        ] {
            cases.push((claim, json.into(), "claim_malformed"));
        }
        for json in ["NaN", "Infinity", "01800000000", "+1800000000", "0x6b49d200", "1_800", "1."] {
            cases.push((claim, json.into(), "malformed"));
        }
        cases.push((claim, String::new(), "claim_missing"));
        cases.push((claim, valid.to_string(), "ok"));
    }
    let now = |offset: i64| (NOW + offset).to_string();
    let case = |claim, json: &str, expected| (claim, json.to_owned(), expected);
    cases.extend([
        ("exp", now(0), "idle"),
        ("exp", now(1), "ok"),
        ("exp", now(-1), "idle"),
        ("exp", now(-61), "lifetime"),    // before iat
        ("exp", now(28_741), "lifetime"), // after cap
        ("exp", "0".into(), "lifetime"),
        ("cap", now(3_599), "lifetime"),
        ("cap", now(3_600), "ok"),
        ("cap", "0".into(), "lifetime"),
        ("iat", now(-61), "lifetime"), // before auth_time
        ("auth_time", now(-59), "lifetime"),
        ("auth_time", "0".into(), "absolute_cap"), // before the policy's own cap
        ("nbf", now(0), "ok"),
        ("nbf", now(-1), "ok"),
        ("nbf", "0".into(), "ok"),
        ("nbf", now(1), "not_yet_valid"), // without leeway
        ("nbf", now(600), "not_yet_valid"),
        case("nbf", "null", "claim_malformed"),
        case("nbf", "\"0\"", "claim_malformed"),
        case("nbf", "1.5", "claim_malformed"),
        case("nbf", "-1", "claim_malformed"),
        case("gen", "", "claim_missing"),
        case("gen", "-1", "claim_malformed"),
        case("gen", "0.0", "claim_malformed"),
        case("gen", "\"0\"", "claim_malformed"),
        case("gen", "18446744073709551616", "claim_malformed"),
        case("gen", "1", "strategy"), // of a hybrid session
        case("sub", "", "claim_missing"),
        case("sub", "null", "claim_malformed"),
        case("sub", "42", "claim_malformed"),
        case("sub", "[\"user-1\"]", "claim_malformed"),
        case("sub", "\"\"", "names"),
        case("sub", "\"user\\u0000\"", "names"),
        case("sub", "\"\\ud800\"", "claim_malformed"),
        ("sub", format!("\"{}\"", "s".repeat(1_024)), "ok"),
        ("sub", format!("\"{}\"", "s".repeat(1_025)), "names"),
        case("profile", "", "claim_missing"),
        case("profile", "\"\"", "names"),
        case("profile", "\"a\\n\"", "names"),
        case("profile", "0", "claim_malformed"),
        case("jti", "", "claim_missing"),
        case("jti", "\"\"", "claim_malformed"),
        case("jti", "7", "claim_malformed"),
        case("sid", "", "claim_missing"),
        case("sid", "\"\"", "claim_malformed"),
        case("sid", "7", "claim_malformed"),
        case("sid", "\"AAECAwQFBgcICQoLDA0OD\"", "claim_malformed"),
        case("sid", "\"AAECAwQFBgcICQoLDA0ODw==\"", "claim_malformed"),
        case("sid", "\"AAECAwQFBgcICQoLDA0ODx\"", "claim_malformed"), // stray bits
        case("sid", "\"AAECAwQFBgcICQoLDA0OD/\"", "claim_malformed"),
        case("iss", "", "issuer"),
        case("iss", "\"https://issuer.test/\"", "issuer"),
        case("iss", "\"HTTPS://issuer.test\"", "issuer"),
        case("iss", "\"issuer.test\"", "issuer"),
        case("iss", "\"\"", "issuer"),
        case("iss", "[\"https://issuer.test\"]", "claim_malformed"),
        case("iss", "null", "claim_malformed"),
        case("aud", "", "audience"),
        case("aud", "\"\"", "audience"),
        case("aud", "\"oracle-ap\"", "audience"),
        case("aud", "\"oracle-app \"", "audience"),
        case("aud", "\"Oracle-App\"", "audience"),
        case("aud", "[]", "audience"),
        case("aud", "[\"other\"]", "audience"),
        case("aud", "[\"other\",\"oracle-app\"]", "ok"),
        case("aud", "[[\"oracle-app\"]]", "claim_malformed"),
        case("aud", "[\"oracle-app\",1]", "claim_malformed"),
        case("aud", "{\"oracle-app\":1}", "claim_malformed"),
        case("aud", "null", "claim_malformed"),
        case("unknown", "{\"ignored\":[1,2]}", "ok"),
        // F23: names that serde_json takes for its own, at any depth.
        case("unknown", r#"{"$serde_json::private::RawValue":"{\"sub\":\"root\"}"}"#, "malformed"),
        case("unknown", r#"[1,{"a":[{"$serde_json::private::RawValue":"1"}]}]"#, "malformed"),
        case("unknown", r#"{"$serde_json::private::Number":"1"}"#, "malformed"),
        case("unknown", r#"{"\u0024serde_json::private::RawValue":"1"}"#, "malformed"),
        case("$serde_json::private::RawValue", "\"{}\"", "malformed"),
        case("sub", r#"{"$serde_json::private::RawValue":"\"root\""}"#, "claim_malformed"),
        case("aud", r#"[{"$serde_json::private::RawValue":"\"oracle-app\""}]"#, "claim_malformed"),
        case("unknown", r#""$serde_json::private::RawValue""#, "ok"),
    ]);
    for (claim, json, expected) in cases {
        let mut members: Vec<String> = claims()
            .iter()
            .filter(|(name, _)| *name != claim)
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        if !json.is_empty() {
            members.push(format!("\"{claim}\":{json}"));
        }
        let payload = format!("{{{}}}", members.join(","));
        let decided = decided(HEADER, &payload).map_or_else(|error| error.as_str(), |_| "ok");
        assert_eq!(decided, expected, "{claim}: {json}");
    }
}

#[test]
fn a_name_that_occurs_twice_is_refused_whichever_comes_last() {
    let valid = Value::Object(claims()).to_string();
    for (name, value) in claims() {
        for member in [format!("\"{name}\":{value}"), format!("\"{name}\":\"other\"")] {
            let first = format!("{{{member},{}", &valid[1..]);
            let last = format!("{},{member}}}", &valid[..valid.len() - 1]);
            for payload in [first, last] {
                assert_eq!(decided(HEADER, &payload).unwrap_err().as_str(), "malformed");
            }
        }
    }
    let escaped = format!("{},\"\\u0065xp\":9999999999}}", &valid[..valid.len() - 1]);
    assert_eq!(decided(HEADER, &escaped).unwrap_err().as_str(), "malformed");
}

#[test]
fn a_name_that_occurs_twice_among_many_is_refused() {
    let valid = Value::Object(claims()).to_string();
    for count in [1, 10, 13, 14, 40, 300] {
        let others: Vec<String> = (0..count).map(|at| format!("\"x{at}\":{at}")).collect();
        let payload = format!("{},{}}}", &valid[..valid.len() - 1], others.join(","));
        assert!(decided(HEADER, &payload).is_ok(), "{count} others");
        for twice in ["\"x0\":0", "\"sub\":\"other\""] {
            let payload = format!("{},{twice}}}", &payload[..payload.len() - 1]);
            assert_eq!(decided(HEADER, &payload).unwrap_err().as_str(), "malformed", "{count}");
        }
    }
}

#[test]
fn a_malformed_claim_is_named_only_in_an_object_of_distinct_names() {
    let valid = Value::Object(claims()).to_string();
    let open = format!("{{\"nbf\":null,{}", &valid[1..valid.len() - 1]);
    for (rest, expected) in [
        ("}", "claim_malformed"),
        (",\"x\":1e400}", "claim_malformed"),
        ("", "malformed"),
        (",}", "malformed"),
        ("}x", "malformed"),
        (",\"x\":01}", "malformed"),
        (",\"x\":1,\"x\":1}", "malformed"),
        (",\"\\u006ebf\":1}", "malformed"),
    ] {
        let payload = format!("{open}{rest}");
        assert_eq!(decided(HEADER, &payload).unwrap_err().as_str(), expected, "{rest}");
    }
}

#[test]
fn a_payload_that_is_no_claims_object_is_refused() {
    let token = signed(HEADER, Value::Object(claims()).to_string());
    for payload in ["null", "[]", "\"x\"", "1", "{", "{}x", token.as_str()] {
        assert_eq!(decided(HEADER, payload).unwrap_err().as_str(), "malformed", "{payload}");
    }
    assert_eq!(decided(HEADER, "{}").unwrap_err().as_str(), "issuer");
}

#[test]
fn what_is_not_utf_8_is_refused() {
    let valid = Value::Object(claims()).to_string();
    let replaced = |text: &str, from: &str, to: &[u8]| {
        let (before, after) = text.split_once(from).unwrap();
        [before.as_bytes(), to, after.as_bytes()].concat()
    };
    let utf_16 = valid.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (header, payload) in [
        (HEADER.into(), replaced(&valid, "user-1", b"user-\xff")),
        (HEADER.into(), replaced(&valid, "user-1", b"user-\xed\xa0\x80")), // a surrogate
        (HEADER.into(), replaced(&valid, "user-1", b"\xc0\xaf")),          // overlong
        (HEADER.into(), utf_16),
        (replaced(HEADER, "hs-1", b"hs-\xff"), valid.clone().into_bytes()),
        (replaced(HEADER, "}", b",\"x\":\"\xff\"}"), valid.clone().into_bytes()),
    ] {
        let header: Vec<u8> = header;
        let token = signed(&header, &payload);
        let error = pollster::block_on(own(&["hs-1"]).peek(&token)).unwrap_err();
        assert_eq!(error.as_str(), "malformed", "{payload:?}");
    }
}

#[test]
fn nesting_does_not_overflow_the_stack() {
    let valid = Value::Object(claims()).to_string();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for closed in [true, false] {
            let depth = 5_500 / open.len();
            let close = if closed { close.repeat(depth) } else { String::new() };
            let nested = format!("{}1{close}", open.repeat(depth));
            let payload = format!("{},\"deep\":{nested}}}", &valid[..valid.len() - 1]);
            let reason = decided(HEADER, &payload).unwrap_err().as_str();
            assert!(reason == "malformed" || reason == "too_long", "{reason}");
            let header = format!(r#"{{"alg":"HS256","deep":{nested}}}"#);
            let _ = decided(&header, &valid);
        }
    }
}

/// A valid token of exactly so many bytes: white space in its header, and an
/// unknown claim.
fn of_length(bytes: usize) -> String {
    let base64 = |bytes: usize| (4 * bytes).div_ceil(3);
    let padded = |padding: usize| {
        let mut claims = claims();
        claims.insert("pad".into(), "x".repeat(padding).into());
        Value::Object(claims).to_string()
    };
    let unpadded = padded(0).len();
    let fitting = (0..4).find_map(|spaces| {
        let header = format!("{HEADER}{}", " ".repeat(spaces));
        // The full stops, and the signature of 32 bytes.
        let left = bytes - base64(header.len()) - 2 - base64(32);
        (base64(left * 3 / 4) == left).then(|| (header, left * 3 / 4 - unpadded))
    });
    let (header, padding) = fitting.unwrap();
    signed(header, padded(padding))
}

#[test]
fn a_token_of_8_kib_is_read_and_a_longer_one_is_not_parsed() {
    for (bytes, read) in [(8_191, true), (8_192, true), (8_193, false)] {
        let token = of_length(bytes);
        assert_eq!(token.len(), bytes);
        let peeked = pollster::block_on(own(&["hs-1"]).peek(&token));
        assert_eq!(peeked.map_err(|error| error.as_str()).err(), (!read).then_some("too_long"));
    }
    for garbage in ["x".repeat(8_193), ".".repeat(10_000), "🦀".repeat(1_000_000)] {
        let error = pollster::block_on(own(&["hs-1"]).peek(&garbage)).unwrap_err();
        assert_eq!(error.as_str(), "too_long");
    }
}

#[test]
fn an_empty_segment_is_none() {
    let valid = signed(HEADER, Value::Object(claims()).to_string());
    let segments: Vec<_> = valid.split('.').collect();
    let decide = |token: &str| pollster::block_on(own(&["hs-1"]).peek(token)).map(|_| ());
    assert!(decide(&valid).is_ok());
    // Nothing of a payload is read before its signature is verified.
    for (empty, expected) in ["malformed", "signature", "malformed"].into_iter().enumerate() {
        let mut segments = segments.clone();
        segments[empty] = "";
        assert_eq!(decide(&segments.join(".")).unwrap_err().as_str(), expected, "{empty}");
    }
    // An empty payload under a signature of its own.
    assert_eq!(decide(&signed(HEADER, "")).unwrap_err().as_str(), "malformed");
}

#[test]
fn an_unconfigured_audience_accepts_only_tokens_without_one() {
    let key = SigningKey::secret("hs-1", Algorithm::Hs256, SECRET).unwrap();
    let sessions = JwtSessions::new(KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY)
        .with_clock(ManualClock::new(Timestamp::from_unix_secs(NOW)));
    let mut claims = claims();
    let token = signed(HEADER, Value::Object(claims.clone()).to_string());
    assert_eq!(pollster::block_on(sessions.peek(&token)).unwrap_err().as_str(), "audience");
    claims.remove("aud");
    let token = signed(HEADER, Value::Object(claims).to_string());
    assert!(pollster::block_on(sessions.peek(&token)).is_ok());
}

#[test]
fn a_refusal_says_nothing_of_the_token() {
    for payload in [
        r#"{"iss":"https://issuer.test","aud":"oracle-app","exp":"S3CRET"}"#,
        r#"{"iss":"S3CRET"}"#,
        r#"{"S3CRET":1,"S3CRET":2}"#,
    ] {
        let error = decided(HEADER, payload).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("S3CRET"), "{error:?}");
    }
    let started = pollster::block_on(own(&["hs-1"]).start("user-1")).unwrap();
    let token = started.token.expose().to_owned();
    assert!(!format!("{started:?}").contains(&token[token.len() - 20..]));
}

#[test]
fn every_test_that_the_table_of_rfc_8725_names_is_there() {
    const TESTS: [&str; 3] = [
        include_str!("jwt_attacks.rs"),
        include_str!("jwt_sessions.rs"),
        include_str!("key_ring.rs"),
    ];
    let module = include_str!("../src/jwt/mod.rs");
    let rows: Vec<&str> = module.lines().filter(|line| line.starts_with("//! | 3.")).collect();
    assert_eq!(rows.len(), 12);
    let shown_by = rows.iter().filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let names = shown_by.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    for name in names.filter(|name| !["jwt_attacks", "jwt_sessions", "key_ring"].contains(name)) {
        assert!(TESTS.iter().any(|test| test.contains(&format!("fn {name}("))), "{name}");
    }
}

/// The token of a session, and another session's of the same keys.
fn two_tokens() -> [String; 2] {
    ["user-1", "user-2"].map(|subject| {
        let started = pollster::block_on(own(&["hs-1"]).start(subject)).unwrap();
        started.token.expose().to_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changing_any_characters_of_a_token_is_refused(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let [token, _] = two_tokens();
        let mut mutated: Vec<char> = token.chars().collect();
        for (at, character) in edits {
            let at = at.index(mutated.len());
            mutated[at] = character;
        }
        let mutated: String = mutated.into_iter().collect();
        let decided = pollster::block_on(own(&["hs-1"]).peek(&mutated));
        prop_assert!(decided.is_err() || mutated == token);
    }

    #[test]
    fn flipping_bits_within_a_segment_is_refused(
        segment in 0..3_usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4),
    ) {
        let [token, _] = two_tokens();
        let mut segments: Vec<String> = token.split('.').map(String::from).collect();
        let mut bytes = Base64UrlUnpadded::decode_vec(&segments[segment]).unwrap();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        segments[segment] = Base64UrlUnpadded::encode_string(&bytes);
        let mutated = segments.join(".");
        let decided = pollster::block_on(own(&["hs-1"]).peek(&mutated));
        prop_assert!(decided.is_err() || mutated == token);
    }

    #[test]
    fn segments_put_together_anew_are_refused(picks in prop::collection::vec(0..6_usize, 1..6)) {
        let tokens = two_tokens();
        let segments: Vec<&str> = tokens.iter().flat_map(|token| token.split('.')).collect();
        let picked: Vec<&str> = picks.iter().map(|at| segments[*at]).collect();
        let mutated = picked.join(".");
        let decided = pollster::block_on(own(&["hs-1"]).peek(&mutated));
        // Both headers are the same.
        let original = matches!(picks.as_slice(), [0 | 3, 1, 2] | [0 | 3, 4, 5]);
        prop_assert_eq!(decided.is_ok(), original, "{:?}", picks);
    }

    #[test]
    fn claims_edited_without_the_key_are_refused(
        claim in prop::sample::select(claims().keys().cloned().collect::<Vec<_>>()),
        value in prop_oneof![
            any::<u32>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(Value::Null),
        ],
    ) {
        let [token, _] = two_tokens();
        let segments: Vec<&str> = token.split('.').collect();
        let payload = Base64UrlUnpadded::decode_vec(segments[1]).unwrap();
        let mut edited: Map<String, Value> = serde_json::from_slice(&payload).unwrap();
        edited.insert(claim, value);
        let edited = serde_json::to_vec(&edited).unwrap();
        prop_assume!(edited != payload);
        let edited = Base64UrlUnpadded::encode_string(&edited);
        let mutated = format!("{}.{edited}.{}", segments[0], segments[2]);
        prop_assert!(pollster::block_on(own(&["hs-1"]).peek(&mutated)).is_err());
    }

    #[test]
    fn no_text_panics(text in any::<String>(), header in any::<String>(), payload in any::<String>()) {
        let sessions = own(&["hs-1"]);
        let signed = signed(&header, &payload);
        prop_assert!(pollster::block_on(sessions.peek(&text)).is_err());
        prop_assert!(pollster::block_on(sessions.peek(&signed)).is_err());
    }
}
