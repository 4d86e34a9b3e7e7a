//! Names that `serde_json` takes for its own: an object with one of them is read as the
//! JSON in its text, past every check of names.

use alloc::string::ToString;
use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::text::Text;

/// How `serde_json` reads a number where its feature `arbitrary_precision` is on, which
/// any crate of a build may turn on.
const NUMBER: &str = "$serde_json::private::Number";

fn numbers_are_texts() -> bool {
    serde_json::from_str::<Number>("1.00").is_ok_and(|number| number.to_string() == "1.00")
}

pub(super) fn is_named(name: &str) -> bool {
    name.starts_with("$serde_json::private::")
}

/// In any object, at any depth.
pub(super) fn is_in(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(is_in),
        Value::Object(members) => {
            members.iter().any(|(name, value)| is_named(name) || is_in(value))
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

/// Any JSON without such a name, read for nothing else.
pub(super) struct Free;

impl<'de> Deserialize<'de> for Free {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Free;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without a private name")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Free, E> {
        Ok(Free)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Free, E> {
        Ok(Free)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Free, E> {
        Ok(Free)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Free, E> {
        Ok(Free)
    }

    fn visit_str<E>(self, _: &str) -> Result<Free, E> {
        Ok(Free)
    }

    fn visit_unit<E>(self) -> Result<Free, E> {
        Ok(Free)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Free, A::Error> {
        while values.next_element::<Free>()?.is_some() {}
        Ok(Free)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Free, A::Error> {
        while let Some(Text(name)) = members.next_key()? {
            if !(name == NUMBER && numbers_are_texts()) {
                check::<A::Error>(&name)?;
            }
            members.next_value::<Free>()?;
        }
        Ok(Free)
    }
}

pub(super) fn check<E: Error>(name: &str) -> Result<(), E> {
    if is_named(name) { Err(E::custom("a private name")) } else { Ok(()) }
}
