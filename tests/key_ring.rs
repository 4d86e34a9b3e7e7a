//! Keys: weak ones are refused with a clear message, and rotation is exact to the
//! second.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::too_many_lines, reason = "one row a case")]

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::TimeDelta;
use session_policy::jwt::{
    Algorithm, IssueError, JwtSessions, KeyError, KeyRing, SigningKey, TokenError, VerifyingKey,
};
use session_policy::{AuthenticateError, ManualClock, RenewalOutcome, SessionPolicy, Timestamp};

const ED: &str = include_str!("data/keys/ed25519.test.pem");
const ED_PUBLIC: &str = include_str!("data/keys/ed25519.test.pub.pem");
const OTHER_ED_PUBLIC: &str = include_str!("data/keys/ed25519-other.test.pub.pem");
const ED_DER: &[u8] = include_bytes!("data/keys/ed25519.test.der");
const ED_PUBLIC_DER: &[u8] = include_bytes!("data/keys/ed25519.test.pub.der");
const P256: &str = include_str!("data/keys/p256.test.pem");
const P256_PUBLIC: &str = include_str!("data/keys/p256.test.pub.pem");
const P384: &str = include_str!("data/keys/p384.test.pem");
const P384_PUBLIC: &str = include_str!("data/keys/p384.test.pub.pem");
const RSA: &str = include_str!("data/keys/rsa2048.test.pem");
const RSA_PUBLIC: &str = include_str!("data/keys/rsa2048.test.pub.pem");
const SMALL_RSA: &str = include_str!("data/keys/rsa1024.test.pem");
const SMALL_RSA_PUBLIC: &str = include_str!("data/keys/rsa1024.test.pub.pem");

const NOON: i64 = 1_800_014_400;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_secs(NOON + offset)
}

fn secret(kid: &str) -> SigningKey {
    SigningKey::secret(kid, Algorithm::Hs256, vec![u8::try_from(kid.len()).unwrap(); 32]).unwrap()
}

fn all_keys() -> Vec<SigningKey> {
    let pair = |algorithm, private, public| {
        SigningKey::pem(format!("{algorithm}"), algorithm, private, public).unwrap()
    };
    let hmac = |algorithm: Algorithm, bytes| {
        SigningKey::secret(format!("{algorithm}"), algorithm, vec![3; bytes]).unwrap()
    };
    vec![
        pair(Algorithm::EdDsa, ED, ED_PUBLIC),
        pair(Algorithm::Es256, P256, P256_PUBLIC),
        hmac(Algorithm::Hs256, 32),
        hmac(Algorithm::Hs384, 48),
        hmac(Algorithm::Hs512, 64),
        pair(Algorithm::Ps256, RSA, RSA_PUBLIC),
        pair(Algorithm::Rs256, RSA, RSA_PUBLIC),
        SigningKey::der("der", Algorithm::EdDsa, ED_DER, ED_PUBLIC_DER).unwrap(),
    ]
}

/// F24: of ES256, (r, s) and (r, n - s) both verify, and anybody can make one of the
/// other. The documentation says so: it is the same token, by its `jti` and `sid`.
#[test]
fn an_es256_token_has_two_texts_and_one_identity() {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    ];
    let key = SigningKey::pem("k", Algorithm::Es256, P256, P256_PUBLIC).unwrap();
    let sessions = JwtSessions::new(KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY)
        .with_clock(ManualClock::new(at(0)));
    let token = pollster::block_on(sessions.start("ada")).unwrap().token;
    let (message, signature) = token.expose().rsplit_once('.').unwrap();
    let mut signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let mut borrow = false;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let (less, one) = order.overflowing_sub(*byte);
        let (less, other) = less.overflowing_sub(u8::from(borrow));
        (*byte, borrow) = (less, one || other);
    }
    let other = format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature));
    assert_ne!(other, token.expose());
    let [one, other] =
        [token.expose(), &other].map(|text| pollster::block_on(sessions.peek(text)).unwrap());
    assert_eq!(one.session, other.session);
}

#[test]
fn every_algorithm_signs_what_only_its_own_key_verifies() {
    let clock = ManualClock::new(at(0));
    let sessions_of =
        |ring| JwtSessions::new(ring, SessionPolicy::WORKING_DAY).with_clock(clock.clone());
    for key in all_keys() {
        let kid = key.kid().to_owned();
        let signing = sessions_of(KeyRing::new(key).unwrap());
        let started = pollster::block_on(signing.start("ada")).unwrap();
        for verifying in all_keys() {
            let same = verifying.kid() == kid;
            let verifier = sessions_of(KeyRing::new(verifying).unwrap());
            let decided = pollster::block_on(verifier.peek(started.token.expose()));
            assert_eq!(decided.is_ok(), same, "{kid}");
        }
    }
}

#[test]
fn a_key_that_a_token_names_wrongly_does_not_verify_it() {
    // One key pair under the ids of both RSA algorithms, and the same secret
    // under two ids: only `kid` differs.
    let clock = ManualClock::new(at(0));
    let sign = |key| {
        let sessions = JwtSessions::new(KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY);
        let sessions = sessions.with_clock(clock.clone());
        pollster::block_on(sessions.start("ada")).unwrap().token
    };
    let pkcs = sign(SigningKey::pem("rsa", Algorithm::Rs256, RSA, RSA_PUBLIC).unwrap());
    let pss = VerifyingKey::pem("rsa", Algorithm::Ps256, RSA_PUBLIC).unwrap();
    let verifier = JwtSessions::new(KeyRing::verify_only(pss).unwrap(), SessionPolicy::WORKING_DAY)
        .with_clock(clock.clone());
    let error = pollster::block_on(verifier.peek(pkcs.expose())).unwrap_err();
    assert!(matches!(error, AuthenticateError::Token(TokenError::Algorithm)), "{error}");

    let renamed = sign(SigningKey::secret("b", Algorithm::Hs256, [1; 32]).unwrap());
    let original = VerifyingKey::secret("a", Algorithm::Hs256, [1; 32]).unwrap();
    let verifier =
        JwtSessions::new(KeyRing::verify_only(original).unwrap(), SessionPolicy::WORKING_DAY);
    let error = pollster::block_on(verifier.with_clock(clock.clone()).peek(renamed.expose()));
    assert!(matches!(error.unwrap_err(), AuthenticateError::Token(TokenError::UnknownKey)));
}

#[test]
fn a_public_key_in_der_is_the_one_in_pem() {
    let der = VerifyingKey::der("k", Algorithm::EdDsa, ED_PUBLIC_DER).unwrap();
    assert_eq!((der.kid(), der.algorithm()), ("k", Algorithm::EdDsa));
    let signing = || SigningKey::pem("k", Algorithm::EdDsa, ED, ED_PUBLIC).unwrap();
    let clock = ManualClock::new(at(0));
    let issuer = JwtSessions::new(KeyRing::new(signing()).unwrap(), SessionPolicy::WORKING_DAY)
        .with_clock(clock.clone());
    let token = pollster::block_on(issuer.start("ada")).unwrap().token;
    let ring = KeyRing::verify_only(der).unwrap();
    let verifier = JwtSessions::new(ring, SessionPolicy::WORKING_DAY);
    assert!(pollster::block_on(verifier.with_clock(clock).peek(token.expose())).is_ok());
}

#[test]
fn a_key_id_has_one_to_64_bytes() {
    for (bytes, accepted) in [(0, false), (1, true), (64, true), (65, false)] {
        let key = SigningKey::secret("k".repeat(bytes), Algorithm::Hs256, [7; 32]);
        assert_eq!(key.and_then(KeyRing::new).is_ok(), accepted, "{bytes}");
    }
}

#[test]
fn weak_and_wrong_keys_are_refused_with_a_message_without_key_material() {
    use Algorithm::{EdDsa, Es256, Hs256, Hs384, Hs512, Ps256, Rs256};

    let in_ring = |key: Result<SigningKey, KeyError>| key.and_then(KeyRing::new).unwrap_err();
    let pem = |algorithm, private, public| SigningKey::pem("k", algorithm, private, public);
    let bytes = |algorithm, length| SigningKey::secret("k", algorithm, vec![b's'; length]);
    let no_kid = "key id is not 1 to 64 bytes without control characters";
    for (error, message) in [
        (in_ring(bytes(Hs256, 0)), "secret of key `k` has 0 bytes, and HS256 takes at least 32"),
        (in_ring(bytes(Hs256, 31)), "secret of key `k` has 31 bytes, and HS256 takes at least 32"),
        (in_ring(bytes(Hs384, 47)), "secret of key `k` has 47 bytes, and HS384 takes at least 48"),
        (in_ring(bytes(Hs512, 63)), "secret of key `k` has 63 bytes, and HS512 takes at least 64"),
        (in_ring(bytes(EdDsa, 64)), "EdDSA of key `k` takes a key pair, not a secret"),
        (in_ring(SigningKey::secret("k", Hs256, RSA_PUBLIC)), "secret of key `k` is a PEM"),
        (in_ring(SigningKey::secret("k", Hs256, format!("\n{ED}"))), "secret of key `k` is a PEM"),
        (in_ring(pem(Hs256, ED, ED_PUBLIC)), "HS256 of key `k` takes a secret, not a key pair"),
        (in_ring(pem(EdDsa, ED, "")), "public half of key `k` is no EdDSA key"),
        (in_ring(pem(EdDsa, "", ED_PUBLIC)), "private half of key `k` is no EdDSA key in PKCS #8"),
        (
            in_ring(pem(EdDsa, ED_PUBLIC, ED_PUBLIC)),
            "private half of key `k` is no EdDSA key in PKCS #8",
        ),
        (in_ring(pem(EdDsa, ED, ED)), "public half of key `k` is no EdDSA key"),
        (in_ring(pem(EdDsa, ED, P256_PUBLIC)), "public half of key `k` is no EdDSA key"),
        (in_ring(pem(EdDsa, ED, OTHER_ED_PUBLIC)), "the halves of key `k` do not belong together"),
        (
            in_ring(pem(EdDsa, P256, ED_PUBLIC)),
            "private half of key `k` is no EdDSA key in PKCS #8",
        ),
        (in_ring(pem(Es256, P384, P384_PUBLIC)), "public half of key `k` is no ES256 key"),
        (
            in_ring(pem(Es256, P384, P256_PUBLIC)),
            "private half of key `k` is no ES256 key in PKCS #8",
        ),
        (
            in_ring(pem(Es256, RSA, P256_PUBLIC)),
            "private half of key `k` is no ES256 key in PKCS #8",
        ),
        (in_ring(pem(Es256, P256, P256)), "public half of key `k` is no ES256 key"),
        (
            in_ring(pem(Rs256, SMALL_RSA, SMALL_RSA_PUBLIC)),
            "key `k` has 1024 bits, and RSA takes at least 2048",
        ),
        (
            in_ring(pem(Ps256, RSA, SMALL_RSA_PUBLIC)),
            "key `k` has 1024 bits, and RSA takes at least 2048",
        ),
        (
            in_ring(pem(Rs256, SMALL_RSA, RSA_PUBLIC)),
            "private half of key `k` is no RS256 key in PKCS #8",
        ),
        (
            in_ring(pem(Rs256, RSA_PUBLIC, RSA_PUBLIC)),
            "private half of key `k` is no RS256 key in PKCS #8",
        ),
        (in_ring(pem(Rs256, RSA, RSA)), "public half of key `k` is no RS256 key"),
        (
            in_ring(pem(Rs256, P256, RSA_PUBLIC)),
            "private half of key `k` is no RS256 key in PKCS #8",
        ),
        (
            in_ring(pem(
                Rs256,
                "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
                RSA_PUBLIC,
            )),
            "private half of key `k` is no RS256 key in PKCS #8",
        ),
        (
            in_ring(SigningKey::der("k", EdDsa, ED_DER, ED_DER)),
            "public half of key `k` is no EdDSA key",
        ),
        (
            in_ring(SigningKey::der("k", EdDsa, b"", ED_PUBLIC_DER)),
            "private half of key `k` is no EdDSA key in PKCS #8",
        ),
        (in_ring(SigningKey::secret("", Hs256, [0; 32])), no_kid),
        (in_ring(SigningKey::secret("k".repeat(65), Hs256, [0; 32])), no_kid),
        (in_ring(SigningKey::secret("k\n", Hs256, [0; 32])), no_kid),
        (in_ring(SigningKey::secret(RSA, Hs256, [0; 32])), no_kid),
        (
            KeyRing::new(secret("k"))
                .unwrap()
                .with_verifying(VerifyingKey::pem("k", EdDsa, ED_PUBLIC).unwrap())
                .unwrap_err(),
            "key id `k` is in the ring twice",
        ),
        (
            KeyRing::new(secret("k"))
                .unwrap()
                .with_successor(secret("k"), at(0), at(0))
                .unwrap_err(),
            "key id `k` is in the ring twice",
        ),
        (
            KeyRing::new(secret("k"))
                .unwrap()
                .with_successor(secret("next"), at(0), at(-1))
                .unwrap_err(),
            "key `k` would retire at 2027-01-15T11:59:59Z, before its successor signs from 2027-01-15T12:00:00Z",
        ),
        (
            KeyRing::new(secret("k"))
                .unwrap()
                .with_successor(secret("next"), at(0), at(9))
                .unwrap()
                .with_successor(secret("third"), at(0), at(9))
                .unwrap_err(),
            "key `third` would sign from 2027-01-15T12:00:00Z, but succeeds no key that signs before",
        ),
        (
            KeyRing::verify_only(VerifyingKey::pem("k", EdDsa, ED_PUBLIC).unwrap())
                .unwrap()
                .with_successor(secret("next"), at(0), at(9))
                .unwrap_err(),
            "key `next` would sign from 2027-01-15T12:00:00Z, but succeeds no key that signs before",
        ),
    ] {
        assert_eq!(error.to_string(), message);
        let debug = format!("{error:?}");
        assert!(!debug.contains("ssss") && !debug.contains("BEGIN"), "{debug}");
    }
}

#[test]
fn debug_shows_no_key_material() {
    let ring = KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [b's'; 32]).unwrap());
    let ring = ring.unwrap().with_successor(
        SigningKey::pem("next", Algorithm::EdDsa, ED, ED_PUBLIC).unwrap(),
        at(0),
        at(60),
    );
    assert_eq!(
        format!("{:?}", ring.unwrap()),
        "[k HS256, signs from Some(-262143-01-01T00:00:00Z), retires at Some(2027-01-15T12:01:00Z), \
         next EdDSA, signs from Some(2027-01-15T12:00:00Z), retires at None]",
    );
    assert_eq!(format!("{:?}", secret("k")), "SigningKey(k HS256, [redacted])");
    let key = VerifyingKey::pem("v", Algorithm::Rs256, RSA_PUBLIC).unwrap();
    assert_eq!(format!("{key:?}"), "VerifyingKey(v RS256, [redacted])");
}

#[test]
fn keys_rotate_to_the_second_and_nobody_is_logged_out() {
    // Signed in half an hour before noon; the next key signs from noon on, and
    // the old one retires when its last token has ended.
    let secs = TimeDelta::seconds;
    let policy = SessionPolicy::new(secs(3_600), secs(900), secs(28_800)).unwrap();
    let ring = KeyRing::new(secret("old")).unwrap();
    let ring = ring.with_successor(secret("next"), at(0), at(3_600)).unwrap();
    let clock = ManualClock::new(at(-1_800));
    let sessions = JwtSessions::new(ring, policy).with_clock(clock.clone());
    let kid = |token: &str| {
        let header = jsonwebtoken::decode_header(token).unwrap();
        header.kid.unwrap()
    };

    let started = pollster::block_on(sessions.start("ada")).unwrap();
    let first = started.token.expose().to_owned();
    assert_eq!(kid(&first), "old");
    clock.set(at(-1));
    let served = pollster::block_on(sessions.authenticate(&first)).unwrap();
    let last_of_old = served.token.unwrap().expose().to_owned();
    assert_eq!(kid(&last_of_old), "old");
    clock.set(at(0));
    let served = pollster::block_on(sessions.authenticate(&first)).unwrap();
    let first_of_next = served.token.unwrap().expose().to_owned();
    assert_eq!(kid(&first_of_next), "next");

    // The last token of the old key lives for all of its max_age.
    for (now, expected) in [(0, "ok"), (3_598, "ok"), (3_599, "idle"), (3_600, "key_retired")] {
        clock.set(at(now));
        let decided = pollster::block_on(sessions.peek(&last_of_old));
        let decided = decided.map_or_else(|error| error.as_str(), |_| "ok");
        assert_eq!(decided, expected, "{now} s after noon");
    }
    // A clock that steps back finds the old key again, and the new token good.
    clock.set(at(-1));
    assert!(pollster::block_on(sessions.peek(&first_of_next)).is_ok());
    assert_eq!(sessions.key_ring().signs_at(at(-1)), Some("old"));
    assert_eq!(sessions.key_ring().signs_at(at(0)), Some("next"));
    let verify = |now| sessions.key_ring().verifies_at(at(now)).collect::<Vec<_>>();
    assert_eq!(verify(3_599), ["old", "next"]);
    assert_eq!(verify(3_600), ["next"]);
}

#[test]
fn an_added_key_verifies_until_it_retires() {
    let clock = ManualClock::new(at(0));
    let other =
        JwtSessions::new(KeyRing::new(secret("other")).unwrap(), SessionPolicy::WORKING_DAY)
            .with_clock(clock.clone());
    let token = pollster::block_on(other.start("ada")).unwrap().token;
    let key = VerifyingKey::secret("other", Algorithm::Hs256, [5; 32]).unwrap();
    let ring = KeyRing::new(secret("own")).unwrap().with_verifying_until(key, at(60)).unwrap();
    let sessions = JwtSessions::new(ring, SessionPolicy::WORKING_DAY).with_clock(clock.clone());
    clock.set(at(59));
    assert!(pollster::block_on(sessions.peek(token.expose())).is_ok());
    clock.set(at(60));
    let error = pollster::block_on(sessions.peek(token.expose())).unwrap_err();
    assert_eq!(error.to_string(), "the token's key is retired since 2027-01-15T12:01:00Z");
}

#[test]
fn a_ring_that_only_verifies_serves_and_issues_nothing() {
    let clock = ManualClock::new(at(0));
    let key = SigningKey::pem("ed", Algorithm::EdDsa, ED, ED_PUBLIC).unwrap();
    let login = JwtSessions::new(KeyRing::new(key).unwrap(), SessionPolicy::WORKING_DAY)
        .with_clock(clock.clone());
    let token = pollster::block_on(login.start("ada")).unwrap().token;

    let ring = KeyRing::verify_only(VerifyingKey::pem("ed", Algorithm::EdDsa, ED_PUBLIC).unwrap());
    let reader = JwtSessions::new(ring.unwrap(), SessionPolicy::WORKING_DAY);
    let reader = reader.with_clock(clock.clone());
    let refused = pollster::block_on(reader.start("ada")).unwrap_err();
    assert_eq!(refused.to_string(), "the key ring only verifies");
    clock.set(at(900)); // A re-issue is due.
    let served = pollster::block_on(reader.authenticate(token.expose())).unwrap();
    assert!(served.token.is_none());
    assert_eq!(served.session.lifetime().renewed_at(), at(0));
    let RenewalOutcome::Deferred(error) = served.renewal else { panic!("{served:?}") };
    assert!(matches!(error.downcast_ref(), Some(IssueError::VerifyOnly)));
}
