use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::private;
use super::text::Text;

/// One JSON object, none of whose names occurs twice, read once.
///
/// RFC 7515 section 4 and RFC 7519 section 4 let a parser take the last of
/// several, which is how two readers of one token come to see different claims.
/// A known member is read as exactly its type: a number is not rounded, a text is
/// no number, and `null` is not absent.
#[derive(Default)]
pub(super) struct Object<'a, K> {
    pub(super) known: K,
    pub(super) others: Others<'a>,
}

/// The members that an object is read for, each with its type.
pub(super) trait Known<'a>: Default {
    /// Reads the value that follows `name` into its place with [`fill`], which
    /// says whether it is the first of this name; `None` if it is not known.
    fn read<M: MapAccess<'a>>(&mut self, name: &str, map: &mut M)
    -> Result<Option<bool>, M::Error>;
}

/// None, so that any object of distinct names can be read.
impl<'a> Known<'a> for () {
    fn read<M: MapAccess<'a>>(&mut self, _: &str, _: &mut M) -> Result<Option<bool>, M::Error> {
        Ok(None)
    }
}

/// The other members, as their JSON.
#[derive(Default)]
pub(super) struct Others<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

/// It is no object of distinct names or, if a name is given, that member is not
/// what it has to be.
pub(super) struct Malformed<'a>(pub(super) Option<Cow<'a, str>>);

impl<'a, K: Known<'a>> Object<'a, K> {
    /// Reads it into an empty one, where that is: it is too large to be moved about.
    pub(super) fn read(&mut self, json: &'a [u8]) -> Result<(), Malformed<'a>> {
        // Checked at once, rather than value by value.
        let json = core::str::from_utf8(json).map_err(|_| Malformed(None))?;
        let mut reading = Reading { object: self, wrong: None };
        let mut reader = serde_json::Deserializer::from_str(json);
        if reader.deserialize_map(&mut reading).and_then(|()| reader.end()).is_ok() {
            return Ok(());
        }
        let is_object = |_: &Cow<'a, str>| Object::<()>::default().read(json.as_bytes()).is_ok();
        Err(Malformed(reading.wrong.filter(is_object)))
    }
}

impl Others<'_> {
    /// `None` if something is nested more than 127 deep, has a lone surrogate or a name
    /// that `serde_json` takes for its own.
    pub(super) fn into_map(self) -> Option<Map<String, Value>> {
        if self.0.is_empty() {
            return Some(Map::new());
        }
        let value = |raw: &RawValue| {
            serde_json::from_str::<private::Free>(raw.get()).ok()?;
            serde_json::from_str(raw.get()).ok()
        };
        self.0.into_iter().map(|(name, raw)| Some((name.into_owned(), value(raw)?))).collect()
    }
}

/// Reads the value of a member; whether it is the first.
pub(super) fn fill<'a, M: MapAccess<'a>, T: Deserialize<'a>>(
    place: &mut Option<T>,
    map: &mut M,
) -> Result<Option<bool>, M::Error> {
    Ok(Some(place.replace(map.next_value()?).is_none()))
}

struct Reading<'o, 'a, K> {
    object: &'o mut Object<'a, K>,
    /// The known member that could not be read.
    wrong: Option<Cow<'a, str>>,
}

impl<'a, K: Known<'a>> Visitor<'a> for &mut Reading<'_, 'a, K> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let Object { known, others } = &mut *self.object;
        while let Some(Text(name)) = map.next_key()? {
            let is_first = match known.read(&name, &mut map) {
                Ok(Some(is_first)) => is_first,
                Ok(None) => {
                    private::check::<M::Error>(&name)?;
                    others.0.insert(name, map.next_value()?).is_none()
                }
                Err(error) => {
                    self.wrong = Some(name);
                    return Err(error);
                }
            };
            if !is_first {
                return Err(M::Error::custom("a name occurs twice"));
            }
        }
        Ok(())
    }
}
