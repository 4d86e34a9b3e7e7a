//! Base64url without padding, read in constant time.
//!
//! There is no table and no branch on a character, so nothing of a secret shows
//! in the time or in a cache, and the compiler judges many characters at once.

use zeroize::Zeroize;

const BLOCK_CHARS: usize = 32;
const BLOCK_BYTES: usize = 24;
/// Marks what is no character of the alphabet.
const NONE: u8 = 0x80;

/// Fills `bytes` from `text`. `false` if `text` is not exactly how they are
/// written: of another length, with another character, with padding or with
/// stray bits at its end. `bytes` then hold nothing of use.
#[must_use]
pub(crate) fn decode(text: &str, bytes: &mut [u8]) -> bool {
    if text.len() != (bytes.len() * 4).div_ceil(3) {
        return false;
    }
    let (mut block, mut decoded) = ([0; BLOCK_CHARS], [0; BLOCK_BYTES]);
    let (mut seen, mut stray) = (0, 0);
    for (chars, bytes) in text.as_bytes().chunks(BLOCK_CHARS).zip(bytes.chunks_mut(BLOCK_BYTES)) {
        // Behind the last character stand zeros.
        block.fill(b'A');
        block[..chars.len()].copy_from_slice(chars);
        for char in &mut block {
            *char = sextet(*char);
            seen |= *char;
        }
        let (fours, _) = block.as_chunks::<4>();
        let (threes, _) = decoded.as_chunks_mut::<3>();
        for (four, three) in fours.iter().zip(threes) {
            let four = u32::from_be_bytes(*four);
            let high = (four & 0x3F00_0000) >> 6 | (four & 0x003F_0000) >> 4;
            let low = (four & 0x0000_3F00) >> 2 | four & 0x0000_003F;
            let [_, bits @ ..] = (high | low).to_be_bytes();
            *three = bits;
        }
        let (whole, rest) = decoded.split_at(bytes.len());
        bytes.copy_from_slice(whole);
        stray |= rest.iter().fold(0, |stray, bits| stray | bits);
    }
    block.zeroize();
    decoded.zeroize();
    seen & NONE == 0 && stray == 0
}

/// The 6 bits that a character stands for.
fn sextet(char: u8) -> u8 {
    // All ones if `char` is one of the `count` from `first` on.
    let is = |first: u8, count: u8| u8::from(char.wrapping_sub(first) < count).wrapping_neg();
    let (upper, lower, digit) = (is(b'A', 26), is(b'a', 26), is(b'0', 10));
    let (dash, underscore) = (is(b'-', 1), is(b'_', 1));
    (upper & char.wrapping_sub(b'A'))
        | (lower & char.wrapping_sub(b'a' - 26))
        | (digit & char.wrapping_add(52 - b'0'))
        | (dash & 62)
        | (underscore & 63)
        | (!(upper | lower | digit | dash | underscore) & NONE)
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};

    use super::decode;

    const LONGEST: usize = 100;

    /// What another decoder makes of it.
    fn expected(text: &str) -> Option<alloc::vec::Vec<u8>> {
        Base64UrlUnpadded::decode_vec(text).ok()
    }

    fn decoded(text: &str, length: usize) -> Option<alloc::vec::Vec<u8>> {
        let mut bytes = alloc::vec![0; length];
        decode(text, &mut bytes).then_some(bytes)
    }

    #[test]
    fn what_is_written_is_read_back_at_every_length() {
        for length in 0..LONGEST {
            let bytes: alloc::vec::Vec<_> = (0..length)
                .map(|at| u8::try_from((at * 151 + length * 89) % 256).unwrap())
                .collect();
            let text = Base64UrlUnpadded::encode_string(&bytes);
            assert_eq!(decoded(&text, length).as_deref(), Some(&*bytes));
            for wrong in (0..LONGEST + 3).filter(|wrong| *wrong != length) {
                assert_eq!(decoded(&text, wrong), None, "{length} bytes read as {wrong}");
            }
        }
    }

    /// Every ASCII character at every place, stray bits included.
    #[test]
    fn it_agrees_with_another_decoder_on_every_character() {
        for length in [1, 2, 3, 16, 23, 24, 25, 32, 64] {
            let text = Base64UrlUnpadded::encode_string(&alloc::vec![0x5A; length]);
            for at in 0..text.len() {
                for char in 0..128 {
                    let mut changed = text.clone().into_bytes();
                    changed[at] = char;
                    let changed = alloc::string::String::from_utf8(changed).unwrap();
                    assert_eq!(decoded(&changed, length), expected(&changed), "{changed:?}");
                }
            }
        }
    }

    #[test]
    fn no_byte_beyond_ascii_is_a_character() {
        for char in ['\u{80}', 'ÿ', 'Ā', '¡'] {
            let text = alloc::format!("AA{char}");
            assert_eq!(text.len(), 4);
            assert_eq!(decoded(&text, 3), None);
        }
    }
}
