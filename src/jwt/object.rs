use alloc::collections::{BTreeMap, btree_map::Entry};
use alloc::string::String;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The members of one JSON object, none of whose names occurs twice.
///
/// RFC 7515 section 4 and RFC 7519 section 4 let a parser take the last of
/// several, which is how two readers of one token come to see different claims.
/// A member is read as exactly the type that is asked for: a number is not
/// rounded, a text is no number, and `null` is not absent.
pub(super) struct Object<'a>(BTreeMap<String, &'a RawValue>);

/// The member is there, and not what it has to be.
pub(super) struct Malformed;

impl<'a> Object<'a> {
    /// `None` if `json` is not one well-formed UTF-8 object of distinct names.
    pub(super) fn parse(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes out a member; `None` if there is none of this name.
    pub(super) fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Malformed> {
        let raw = self.0.remove(name);
        raw.map(|raw| serde_json::from_str(raw.get()).map_err(|_| Malformed)).transpose()
    }

    /// What has not been taken out. `None` if something is nested more than 127
    /// deep or has a lone surrogate.
    pub(super) fn into_rest(self) -> Option<Map<String, Value>> {
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).ok();
        self.0.into_iter().map(|(name, raw)| Some((name, value(raw)?))).collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = BTreeMap<String, &'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry()? {
                    match members.entry(name) {
                        Entry::Occupied(_) => return Err(M::Error::custom("a name occurs twice")),
                        Entry::Vacant(vacant) => vacant.insert(value),
                    };
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Self)
    }
}
