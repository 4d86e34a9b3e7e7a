use session_policy::{SessionId, SessionToken};
use session_policy::store::SecretHash;

use crate::input::Input;

/// A text is a token, an id or a hash if it is exactly the text that the value
/// prints, and nothing else is.
pub fn token(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data) {
        any_text(text);
    }
    let mut input = Input::new(data);
    let token = SessionToken::from_parts(SessionId::from_bytes(input.bytes()), input.bytes());
    printed(&token);
    let at = input.below(SessionToken::CHARS);
    changed(&token, at, input.byte());
}

fn any_text(text: &str) {
    let parts = text.split_once('.').filter(|_| text.len() == SessionToken::CHARS);
    let expected = parts.and_then(|(id, secret)| {
        Some((<[u8; 16]>::try_from(decode(id)?).ok()?, <[u8; 32]>::try_from(decode(secret)?).ok()?))
    });
    match (text.parse::<SessionToken>(), expected) {
        (Ok(token), Some((id, secret))) => {
            assert_eq!(token.expose(), text);
            assert_eq!(token.id().as_bytes(), &id);
            let other = SessionToken::from_parts(token.id(), secret);
            assert!(token.secret_hash().matches(&other));
        }
        (Err(error), None) => {
            assert!(text.len() < SessionToken::CHARS || !error.to_string().contains(text));
        }
        (parsed, expected) => panic!("{parsed:?} of {text:?}, not {expected:?}"),
    }
    let id = decode(text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    assert_eq!(text.parse().ok(), id.map(SessionId::from_bytes), "{text:?}");
    let hash = decode(text).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    assert_eq!(text.parse().ok(), hash.map(SecretHash::from_bytes), "{text:?}");
}

fn printed(token: &SessionToken) {
    let text = token.expose();
    let again: SessionToken = text.parse().expect("what is printed");
    assert_eq!((again.id(), again.expose()), (token.id(), text));
    assert!(token.secret_hash().matches(&again));
    let hash = serde_json::to_string(&token.secret_hash()).expect("a text");
    assert_eq!(serde_json::from_str::<SecretHash>(&hash).expect("a hash"), token.secret_hash());
    let debug = format!("{token:?} {:?}", token.secret_hash());
    assert!(!debug.contains(&token.expose()[23..]) && !debug.contains(hash.trim_matches('"')));
}

/// One byte of a token is changed: it is another token, or none.
fn changed(token: &SessionToken, at: usize, to: u8) {
    let mut text = token.expose().into_bytes();
    if text[at] == to {
        return;
    }
    text[at] = to;
    let Ok(text) = String::from_utf8(text) else { return };
    any_text(&text);
    if let Ok(other) = text.parse::<SessionToken>() {
        let same_secret = token.secret_hash().matches(&other);
        assert!(other.id() != token.id() || !same_secret, "{text:?} has two texts");
        assert_eq!(same_secret, at < 22);
    }
}

/// Base64url without padding and without stray bits, written a second way.
fn decode(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = Vec::with_capacity(text.len() * 6);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    let stray = bits.len() % 8;
    let whole = bits.len() - stray;
    if stray >= 6 || bits[whole..].contains(&1) {
        return None;
    }
    let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    bits[..whole].chunks(8).map(|bits| u8::try_from(byte(bits)).ok()).collect()
}
