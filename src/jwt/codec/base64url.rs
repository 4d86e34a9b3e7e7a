//! The segments of a token: base64url without padding (RFC 7515 section 2).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;

use crate::sessions::TokenError;

/// By the vector instructions that this processor has.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
))]
fn engine() -> &'static impl Engine {
    use std::sync::LazyLock;

    use base64::engine::Simd;
    use base64::engine::general_purpose::NO_PAD;

    static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
    &*ENGINE
}

/// The same, where there are none.
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little", target_feature = "neon")
)))]
fn engine() -> &'static impl Engine {
    &base64::engine::general_purpose::URL_SAFE_NO_PAD
}

/// Strict: without padding, white space and stray bits, so that a token has one
/// text only. An empty segment is none. In time that depends on the text, which
/// is no secret: it came from the client.
pub(super) fn decode(segment: &str, bytes: &mut Vec<u8>) -> Result<(), TokenError> {
    bytes.clear();
    match engine().decode_vec(segment, bytes) {
        Ok(()) if !bytes.is_empty() => Ok(()),
        _ => Err(TokenError::Malformed),
    }
}

pub(super) fn encode(bytes: &[u8], text: &mut String) {
    engine().encode_string(bytes, text);
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{decode, engine};

    /// Of any length, so in blocks, in what is left of them, and at the bounds between.
    #[test]
    fn a_segment_has_one_text_only_however_long_it_is() {
        let (mut decoded, wrong) = (Vec::new(), *b"=+/ \n\0\x7f\x80\xff.");
        for length in 1..300 {
            let bytes: Vec<_> = (0..=u8::MAX).cycle().step_by(37).take(length).collect();
            let text = engine().encode(&bytes);
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes));
            assert!(decode(&text, &mut decoded).is_ok() && decoded == bytes, "{text}");
            for at in 0..text.len() {
                let mut text = text.clone().into_bytes();
                text[at] = wrong[at % wrong.len()];
                let text =
                    text.iter().map(|byte| char::from(*byte)).collect::<alloc::string::String>();
                assert!(decode(&text, &mut decoded).is_err(), "{}", text.escape_debug());
            }
            for longer in ["=", "==", "A", "AA=", " ", "\n"] {
                let alike = alloc::format!("{text}{longer}");
                let bytes = URL_SAFE_NO_PAD.decode(&alike).ok();
                let here = decode(&alike, &mut decoded).is_ok().then(|| decoded.clone());
                assert_eq!(here, bytes, "{alike}");
            }
            // What stands in the bits that no byte needs.
            let last = text.len() - 1;
            for stray in ['B', 'C', 'E', 'I', 'P', 'g', '_'] {
                let alike = alloc::format!("{}{stray}", &text[..last]);
                let bytes = URL_SAFE_NO_PAD.decode(&alike).ok();
                let here = decode(&alike, &mut decoded).is_ok().then(|| decoded.clone());
                assert_eq!(here, bytes, "{alike}");
            }
        }
        assert!(decode("", &mut decoded).is_err());
    }
}
