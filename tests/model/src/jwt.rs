//! Signed tokens from and to the model's claims. Nobody forges in the model, so
//! the signature is a constant; `tests/jwt_attacks.rs` is about forgery.

use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use serde_json::{Value, json};

use super::subject::jwt::{Algorithm, KeyRing, SigningKey};
use super::tape::{Names, at, sec, small};
use crate::script::{Row, Token};

const SIGNATURE: &[u8] = b"signed";

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Ok(Box::new(Constant)),
    verifier_factory: |_, _| Ok(Box::new(Constant)),
    key_utils: KeyUtils::new_unimplemented(),
};

pub(super) fn ring() -> KeyRing {
    let key = SigningKey::secret("k", Algorithm::Hs256, [7; 32]).expect("the key is long enough");
    KeyRing::with_provider(&PROVIDER, key).expect("the provider takes it")
}

/// The text of a token.
pub(super) fn mint(token: Token) -> String {
    let Token::Signed(claims) = token else { panic!("a hybrid session has no opaque token") };
    let names = Names::default();
    let family = names.secret(claims.secret).as_bytes()[..8].to_owned();
    let is_hybrid = claims.generation > 0;
    let kind = if is_hybrid { "session+jwt" } else { "JWT" };
    let segments = [
        json!({ "alg": "HS256", "kid": "k", "typ": kind }),
        without_nulls(json!({
            "sub": "ada",
            "sid": names.id(claims.id).to_string(),
            "auth_time": at(claims.created).as_unix_secs(),
            "iat": at(claims.renewed).as_unix_secs(),
            "exp": at(claims.expires).as_unix_secs(),
            "cap": at(claims.cap).as_unix_secs(),
            "jti": "j",
            "fam": is_hybrid.then(|| Base64UrlUnpadded::encode_string(&family)),
            "epoch": claims.epoch,
            "gen": claims.generation,
            "profile": "default",
        })),
    ]
    .map(|segment| Base64UrlUnpadded::encode_string(segment.to_string().as_bytes()));
    format!("{}.{}", segments.join("."), Base64UrlUnpadded::encode_string(SIGNATURE))
}

/// The claims of a token that was issued.
pub(super) fn read(text: &str, names: &mut Names) -> Token {
    let payload = text.split('.').nth(1).expect("a token has three segments");
    let payload = Base64UrlUnpadded::decode_vec(payload).expect("a token is base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("claims are JSON");
    let instant = |claim: &str| {
        let secs = claims[claim].as_i64().expect("an instant is a number");
        sec(super::subject::Timestamp::from_unix_secs(secs))
    };
    let id = claims["sid"].as_str().and_then(|id| id.parse().ok()).expect("it names a session");
    let family =
        claims["fam"].as_str().and_then(|family| Base64UrlUnpadded::decode_vec(family).ok());
    let (created, cap) = (instant("auth_time"), instant("cap"));
    let renewed = instant("iat");
    assert!((created..=cap).contains(&renewed), "issued within its time");
    let family = family.map(|family| names.family_name(&family));
    Token::Signed(Row {
        id: names.id_name(id),
        version: 0,
        created,
        // Of a hybrid token it decides nothing, so tokens do not differ by it here.
        renewed: if family.is_some() { created } else { renewed },
        expires: instant("exp"),
        cap,
        secret: family.unwrap_or(0),
        epoch: claims["epoch"].as_u64().map(small),
        ordinal: 0,
        generation: small(claims["gen"].as_u64().expect("a generation is a number")),
        confirmed: None,
    })
}

fn without_nulls(mut claims: Value) -> Value {
    if let Value::Object(members) = &mut claims {
        members.retain(|_, value| !value.is_null());
    }
    claims
}

struct Constant;

impl Signer<Vec<u8>> for Constant {
    fn try_sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(SIGNATURE.to_vec())
    }
}

impl Verifier<Vec<u8>> for Constant {
    fn verify(&self, _: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        if signature == SIGNATURE { Ok(()) } else { Err(Error::new()) }
    }
}

impl JwtSigner for Constant {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::HS256
    }
}

impl JwtVerifier for Constant {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        jsonwebtoken::Algorithm::HS256
    }
}
