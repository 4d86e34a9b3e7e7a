use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// As many members as a token of ours has without claims of the application.
const USUAL_MEMBERS: usize = 12;

/// The members of one JSON object, none of whose names occurs twice.
///
/// RFC 7515 section 4 and RFC 7519 section 4 let a parser take the last of
/// several, which is how two readers of one token come to see different claims.
/// A member is read as exactly the type that is asked for: a number is not
/// rounded, a text is no number, and `null` is not absent.
///
/// In the order of the text. A member that was taken out has no value left.
pub(super) struct Object<'a> {
    members: Vec<(Text<'a>, Option<&'a RawValue>)>,
    /// Where to look first: after the member that was taken last, since the
    /// claims of our tokens are asked for in the order they are written in.
    next: usize,
}

/// The member is there, and not what it has to be.
pub(super) struct Malformed;

impl<'a> Object<'a> {
    /// `None` if `json` is not one well-formed UTF-8 object of distinct names.
    pub(super) fn parse(json: &'a [u8]) -> Option<Self> {
        // Checked at once, rather than value by value.
        serde_json::from_str(core::str::from_utf8(json).ok()?).ok()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Takes out a member; `None` if there is none of this name.
    pub(super) fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Malformed> {
        let raw = self.take_raw(name);
        raw.map(|json| serde_json::from_str(json).map_err(|_| Malformed)).transpose()
    }

    /// [`take`](Self::take) of a text.
    pub(super) fn take_text(&mut self, name: &str) -> Result<Option<Text<'a>>, Malformed> {
        let Some(json) = self.take_raw(name) else { return Ok(None) };
        // It is well-formed: without a backslash it is what stands in the quotes.
        match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) if !text.contains('\\') => Ok(Some(Text(Cow::Borrowed(text)))),
            _ => serde_json::from_str(json).map(Some).map_err(|_| Malformed),
        }
    }

    /// [`take`](Self::take) of a number of digits only: no sign, fraction or
    /// exponent.
    pub(super) fn take_integer(&mut self, name: &str) -> Result<Option<u64>, Malformed> {
        // It is well-formed: no number in JSON has a plus or a leading zero.
        self.take_raw(name).map(|json| json.parse().map_err(|_| Malformed)).transpose()
    }

    fn take_raw(&mut self, name: &str) -> Option<&'a str> {
        let at = self.find(name)?;
        self.next = at + 1;
        self.members[at].1.take().map(RawValue::get)
    }

    /// What has not been taken out. `None` if something is nested more than 127
    /// deep or has a lone surrogate.
    pub(super) fn into_rest(self) -> Option<Map<String, Value>> {
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).ok();
        let rest = self.members.into_iter().filter_map(|(name, raw)| Some((name.0, raw?)));
        rest.map(|(name, raw)| Some((name.into_owned(), value(raw)?))).collect()
    }

    fn find(&self, name: &str) -> Option<usize> {
        let is_meant = |(held, _): &(Text<'_>, _)| *held.0 == *name;
        let (before, after) = self.members.split_at_checked(self.next)?;
        match after.iter().position(is_meant) {
            Some(at) => Some(self.next + at),
            None => before.iter().position(is_meant),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Text<'de>, Option<&'de RawValue>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members: Self::Value = Vec::with_capacity(USUAL_MEMBERS);
                while let Some((name, value)) = map.next_entry()? {
                    members.push((name, Some(value)));
                }
                if !are_distinct(&members) {
                    return Err(M::Error::custom("a name occurs twice"));
                }
                Ok(members)
            }
        }

        let members = deserializer.deserialize_map(Members)?;
        Ok(Self { members, next: 0 })
    }
}

fn are_distinct<V>(members: &[(Text<'_>, V)]) -> bool {
    // A forger may write a header of a thousand names, for which each with each
    // would be slow.
    if members.len() > 2 * USUAL_MEMBERS {
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &*name.0).collect();
        names.sort_unstable();
        return names.windows(2).all(|pair| pair[0] != pair[1]);
    }
    // Most names differ from those before them in what is quick to see.
    let mut seen = 0_u64;
    members.iter().enumerate().all(|(at, (name, _))| {
        let text = name.0.as_bytes();
        let (first, last) = (text.first().unwrap_or(&0), text.last().unwrap_or(&0));
        let bit = 1 << ((first ^ last.rotate_left(2)) & 63);
        let is_new = seen & bit == 0 || members[..at].iter().all(|(other, _)| other != name);
        seen |= bit;
        is_new
    })
}

/// A text, without a copy unless it has escapes.
#[derive(Deserialize, Eq, PartialEq)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);
