//! A payload as `issue` writes it, which needs no parser of JSON: every member
//! once, in our order, without blanks and escapes, and none of the application's.

use alloc::borrow::Cow;

use super::audience::Audience;
use super::members::Payload;
use super::text::Text;

/// What such a payload says; `None` if it is any other text, which may say as much.
pub(super) fn read(json: &[u8]) -> Option<Payload<'_>> {
    let (json, profile) = last(json.strip_prefix(b"{")?.strip_suffix(b"\"}")?)?;
    let mut rest = Rest(json);
    let iss = rest.text(b"\"iss\":");
    let aud = rest.text(b"\"aud\":").map(Audience::One);
    let sub = Some(rest.text(b"\"sub\":")?);
    let sid = Some(rest.text(b"\"sid\":")?);
    let auth_time = Some(rest.number(b"\"auth_time\":")?);
    let iat = Some(rest.number(b"\"iat\":")?);
    let exp = Some(rest.number(b"\"exp\":")?);
    let cap = Some(rest.number(b"\"cap\":")?);
    let jti = Some(rest.text(b"\"jti\":")?);
    let fam = rest.text(b"\"fam\":");
    let r#gen = Some(rest.number(b"\"gen\":")?);
    let epoch = rest.number(b"\"epoch\":");
    let nbf = None;
    rest.0.is_empty().then_some(Payload {
        iss,
        aud,
        sub,
        sid,
        auth_time,
        iat,
        exp,
        cap,
        jti,
        fam,
        r#gen,
        epoch,
        profile,
        nbf,
    })
}

/// What is before the profile, and the profile, which ends a payload that says nothing of the
/// application's: so one that does is left soon.
fn last(json: &[u8]) -> Option<(&[u8], Option<Text<'_>>)> {
    let (json, text) = json.split_at(json.iter().rposition(|byte| *byte == b'"')?);
    let text = text.get(1..)?;
    if end(text).is_some() {
        return None;
    }
    let profile = Some(Text(Cow::Borrowed(str::from_utf8(text).ok()?)));
    Some((json.strip_suffix(b"\"profile\":")?, profile))
}

/// What has not been read yet. It stays where the next member is another one.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// A text that stands for itself: RFC 8259 section 7.
    fn text(&mut self, name: &[u8]) -> Option<Text<'a>> {
        let value = self.0.strip_prefix(name)?.strip_prefix(b"\"")?;
        let (text, rest) = value.split_at(end(value)?);
        let text = str::from_utf8(text).ok()?;
        self.0 = rest.strip_prefix(b"\",")?;
        Some(Text(Cow::Borrowed(text)))
    }

    /// Digits alone, of which the first is not 0 unless it is the only one: RFC 8259 section 6.
    fn number(&mut self, name: &[u8]) -> Option<u64> {
        let value = self.0.strip_prefix(name)?;
        let count = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = value.split_at(count);
        if let [] | [b'0', _, ..] = digits {
            return None;
        }
        let add = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add((digit - b'0').into());
        let number = digits.iter().try_fold(0, add)?;
        self.0 = rest.strip_prefix(b",")?;
        Some(number)
    }
}

/// Where a text ends, or has an escape, or something that is to have one. In blocks, which are
/// compared at once.
#[expect(clippy::needless_bitwise_bool, reason = "a jump per byte is what it avoids")]
fn end(bytes: &[u8]) -> Option<usize> {
    let ends = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < b' ');
    let (blocks, _) = bytes.as_chunks::<16>();
    let runs_on = |block: &&[u8; 16]| !block.iter().fold(false, |any, byte| any | ends(byte));
    let whole = 16 * blocks.iter().take_while(runs_on).count();
    Some(whole + bytes[whole..].iter().position(ends)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::object::Object;
    use super::{Audience, Payload, Text, read};

    const MEMBERS: [&str; 13] = [
        r#""iss":"https://id.example""#,
        r#""aud":"web""#,
        r#""sub":"ada""#,
        r#""sid":"AAECAwQFBgcICQoLDA0ODw""#,
        r#""auth_time":1800000000"#,
        r#""iat":1800000001"#,
        r#""exp":1800000900"#,
        r#""cap":18446744073709551615"#,
        r#""jti":"DwAAAAAAAAAAAAAAAAAADw""#,
        r#""fam":"AAECAwQFBgc""#,
        r#""gen":0"#,
        r#""epoch":7"#,
        r#""profile":"default""#,
    ];
    /// Those that are not in every token.
    const OPTIONAL: [usize; 4] = [0, 1, 9, 11];

    fn object<'a>(members: impl IntoIterator<Item = &'a str>) -> String {
        alloc::format!("{{{}}}", members.into_iter().collect::<Vec<_>>().join(","))
    }

    /// All that is known of a payload.
    fn known(payload: &Payload<'_>) -> [Option<String>; 14] {
        let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.to_string());
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let aud = payload.aud.as_ref().map(|aud| match aud {
            Audience::One(one) => one.0.to_string(),
            Audience::Many(many) => alloc::format!("{} of them", many.len()),
        });
        [
            text(&payload.iss),
            aud,
            text(&payload.sub),
            text(&payload.sid),
            number(payload.auth_time),
            number(payload.iat),
            number(payload.exp),
            number(payload.cap),
            text(&payload.jti),
            text(&payload.fam),
            number(payload.r#gen),
            number(payload.epoch),
            text(&payload.profile),
            number(payload.nbf),
        ]
    }

    /// What is read here, the parser of JSON reads as well and alike.
    fn agrees(json: &[u8]) -> bool {
        let Some(here) = read(json) else { return false };
        let mut there = Object::<Payload<'_>>::default();
        assert!(there.read(json).is_ok(), "{}", json.escape_ascii());
        assert_eq!(known(&here), known(&there.known), "{}", json.escape_ascii());
        assert!(there.others.into_map().unwrap().is_empty(), "{}", json.escape_ascii());
        true
    }

    #[test]
    fn what_we_write_is_read_with_and_without_what_may_be_left_out() {
        for left_out in 0..16 {
            let is_in = |at: &usize| {
                OPTIONAL.iter().position(|it| it == at).is_none_or(|bit| left_out & 1 << bit == 0)
            };
            let json = object((0..13).filter(is_in).map(|at| MEMBERS[at]));
            assert!(agrees(json.as_bytes()), "{json}");
        }
        for subject in
            ["\u{7f}", "Łukasz 名", " ", "a,b:{}[]", "sixteen bytes..", "sixteen bytes..."]
        {
            let sub = alloc::format!(r#""sub":"{subject}""#);
            let json = object(MEMBERS.map(|it| if it == MEMBERS[2] { &*sub } else { it }));
            assert!(agrees(json.as_bytes()), "{json}");
        }
    }

    #[test]
    fn any_other_text_is_left_to_the_parser() {
        let written = object(MEMBERS);
        for (from, to) in [
            ("{", " {"),
            ("}", "} "),
            ("}", ",}"),
            ("}", ""),
            ("}", r#","role":"admin"}"#),
            ("}", r#","sub":"eve"}"#),
            (r#""sub":"#, r#""sub": "#),
            (r#""sub":"ada","#, ""),
            (r#""sub":"ada""#, r#""sub":"\u0061da""#),
            (r#""sub":"ada""#, r#""sub":"a\"da""#),
            (r#""sub":"ada""#, "\"sub\":\"a\u{1f}da\""),
            (r#""sub":"ada""#, r#""sub":null"#),
            (r#""sub":"ada""#, r#""sub":"ada","sub":"eve""#),
            (r#""aud":"web""#, r#""aud":["web"]"#),
            (r#""gen":0"#, r#""gen":00"#),
            (r#""gen":0"#, r#""gen":01"#),
            (r#""gen":0"#, r#""gen":-0"#),
            (r#""gen":0"#, r#""gen":"#),
            (r#""gen":0"#, r#""gen":0.0"#),
            (r#""gen":0"#, r#""gen":1e3"#),
            ("18446744073709551615", "18446744073709551616"),
            ("18446744073709551615", "184467440737095516150"),
            (r#""default""#, r#""def\"ault""#),
            (r#""default""#, "default"),
        ] {
            let json = written.replacen(from, to, 1);
            assert!(json != written && !agrees(json.as_bytes()), "{json}");
        }
        assert!(!agrees(&[]));
        let cut = written.replacen("ada", "\u{e9}", 1).into_bytes();
        let cut: Vec<_> = cut.into_iter().filter(|byte| *byte != 0xc3).collect();
        assert!(!agrees(&cut), "it is not UTF-8");
    }

    proptest! {
        #[test]
        fn the_parser_of_json_agrees(
            order in proptest::collection::vec(0..13_usize, 0..3),
            edits in proptest::collection::vec((0..300_usize, any::<u8>(), 0..3_u8), 0..3),
            subject in r#"[ -~\x00-\x1féλ"\\]{0,24}"#,
        ) {
            let mut members = MEMBERS.map(ToString::to_string);
            members[2] = alloc::format!(r#""sub":"{subject}""#);
            if let [from, to] = order[..] {
                members.swap(from, to);
            }
            let mut json = object(members.iter().map(|it| &**it)).into_bytes();
            for (at, byte, edit) in edits {
                let at = at % json.len();
                match edit {
                    0 => json[at] = byte,
                    1 => json.insert(at, byte),
                    _ => drop(json.remove(at)),
                }
            }
            agrees(&json);
        }
    }
}
