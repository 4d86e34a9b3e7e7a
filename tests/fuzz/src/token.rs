use pollster::block_on;
use session_policy::jwt::TokenError;
use session_policy::store::{SecretHash, SessionStore};
use session_policy::{
    AuthenticateError, ManualClock, MemoryStore, Session, SessionId, SessionPolicy, SessionToken,
    Sessions, Timestamp,
};

use crate::input::Input;

const CHARS: usize = 22 + 1 + 43;

/// A text is a token if it is an id's text and 43 base64url characters, and it opens
/// the session of that id whose secret has exactly this text; it is an id or a hash if
/// it is exactly the text that the value prints, and nothing else is.
pub fn token(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data) {
        any_text(text);
    }
    let mut input = Input::new(data);
    let (id, secret) = (SessionId::from_bytes(input.bytes()), input.bytes());
    printed(id, &secret);
    let at = input.below(CHARS);
    changed(id, &secret, at, input.byte());
}

fn any_text(text: &str) {
    let parts = text.split_once('.').filter(|_| text.len() == CHARS);
    let expected = parts.and_then(|(id, secret)| Some((decode(id)?, bits(secret)?)));
    match (text.parse::<SessionToken>(), expected) {
        (Ok(token), Some((id, secret))) => {
            assert_eq!(token.expose(), text);
            let id = SessionId::from_bytes(id);
            let (secret, stray) = bytes(&secret);
            let hash = SecretHash::of_secret(&secret.try_into().expect("43 characters"));
            match peek(id, hash, text) {
                Ok(()) => assert!(!stray, "{text:?} opens what another text opens"),
                Err(error) => {
                    assert!(stray && matches!(error, AuthenticateError::WrongSecret), "{error:?}");
                }
            }
        }
        (Err(error), None) => {
            assert!(text.len() < CHARS || !error.to_string().contains(text));
            let hash = SecretHash::from_bytes([0; 32]);
            let refused = peek(SessionId::from_bytes([0; 16]), hash, text).expect_err("no token");
            assert!(
                matches!(refused, AuthenticateError::Token(TokenError::Malformed)),
                "{refused:?}",
            );
        }
        (parsed, expected) => panic!("{parsed:?} of {text:?}, not {expected:?}"),
    }
    assert_eq!(text.parse().ok(), decode(text).map(SessionId::from_bytes), "{text:?}");
    assert_eq!(text.parse().ok(), decode(text).map(SecretHash::from_bytes), "{text:?}");
}

/// What becomes of a presented text where the one session is this one.
fn peek(id: SessionId, secret: SecretHash, text: &str) -> Result<(), AuthenticateError> {
    let now = Timestamp::from_unix_secs(1_800_000_000);
    let lifetime = SessionPolicy::WORKING_DAY.start(now);
    let session = Session::new(id, "ada", "default", secret, lifetime).expect("a session");
    let store = MemoryStore::new();
    block_on(store.create(&session)).expect("a memory");
    let sessions =
        Sessions::new(&store, SessionPolicy::WORKING_DAY).with_clock(ManualClock::new(now));
    block_on(sessions.peek(text)).map(|served| assert_eq!(served.session, session))
}

fn printed(id: SessionId, secret: &[u8; 32]) {
    let token = SessionToken::from_parts(id, *secret);
    let (first, second) = token.expose().split_once('.').expect("a full stop");
    assert_eq!((first.parse().ok(), decode(second)), (Some(id), Some(*secret)));
    let again: SessionToken = token.expose().parse().expect("what is printed");
    assert_eq!(again.expose(), token.expose());
    let hash = SecretHash::of_secret(secret);
    peek(id, hash, token.expose()).expect("the token of the session");
    let text = serde_json::to_string(&hash).expect("a text");
    assert_eq!(serde_json::from_str::<SecretHash>(&text).expect("a hash"), hash);
    let debug = format!("{token:?} {hash:?}");
    assert!(!debug.contains(second) && !debug.contains(text.trim_matches('"')));
}

/// One byte of a token is changed: it is another token, or none.
fn changed(id: SessionId, secret: &[u8; 32], at: usize, to: u8) {
    let mut text = SessionToken::from_parts(id, *secret).expose().to_owned().into_bytes();
    if text[at] == to {
        return;
    }
    text[at] = to;
    let Ok(text) = String::from_utf8(text) else { return };
    any_text(&text);
    if text.parse::<SessionToken>().is_ok() {
        let hash = SecretHash::of_secret(secret);
        let other = text[..22].parse().expect("the id of a token");
        match peek(id, hash, &text).expect_err("a token has one text") {
            AuthenticateError::Unknown => assert!(at < 22 && peek(other, hash, &text).is_ok()),
            AuthenticateError::WrongSecret => assert!(at > 22 && other == id),
            error => panic!("{error:?}"),
        }
    }
}

/// Base64url without padding and without stray bits, written a second way.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bits = bits(text)?;
    let (bytes, stray) = bytes(&bits);
    if stray || bits.len() % 8 >= 6 { None } else { bytes.try_into().ok() }
}

fn bits(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = Vec::with_capacity(text.len() * 6);
    for byte in text.bytes() {
        let value = u8::try_from(ALPHABET.iter().position(|known| *known == byte)?).ok()?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    Some(bits)
}

/// The whole bytes, and whether a bit is set in what is left.
fn bytes(bits: &[u8]) -> (Vec<u8>, bool) {
    let (whole, stray) = bits.split_at(bits.len() / 8 * 8);
    let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    (whole.chunks(8).map(byte).collect(), stray.contains(&1))
}
