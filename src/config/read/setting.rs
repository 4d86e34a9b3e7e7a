use alloc::string::ToString;
use core::fmt::{self, Write};
use core::num::NonZeroU32;

use chrono::TimeDelta;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Unexpected, Visitor,
};

use super::super::limit::WhenFull;
use crate::time::DurationError;

/// Names the profile in front of a message; nothing for a policy on its own.
#[derive(Clone, Copy)]
pub(super) struct Place<'a>(pub(super) Option<&'a str>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(profile) => write!(f, "profile `{}`: ", profile.escape_debug()),
            None => Ok(()),
        }
    }
}

/// Reads the duration under one key of a policy.
pub(super) struct Setting<'a> {
    pub(super) place: Place<'a>,
    pub(super) key: &'static str,
}

impl<'a> Setting<'a> {
    pub(super) fn max_sessions(self) -> MaxSessionsSetting<'a> {
        MaxSessionsSetting(self)
    }

    pub(super) fn when_full(self) -> WhenFullSetting<'a> {
        WhenFullSetting(self)
    }

    /// Names the place and the key, also where the format itself refuses a
    /// value: `1e400`.
    fn named<T, E: de::Error>(&self, read: Result<T, E>) -> Result<T, E> {
        read.map_err(|error| {
            let error = error.to_string();
            // TOML ends its messages with a line feed.
            let error = OneLine(error.trim_end());
            E::custom(format_args!("{}{}: {error}", self.place, self.key))
        })
    }
}

/// A message without control characters, which would forge lines of a log: serde
/// repeats an unknown variant as it is.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| {
            if character.is_control() {
                write!(f, "{}", character.escape_debug())
            } else {
                f.write_char(character)
            }
        })
    }
}

impl<'de> DeserializeSeed<'de> for Setting<'_> {
    type Value = TimeDelta;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TimeDelta, D::Error> {
        self.named(if deserializer.is_human_readable() {
            deserializer.deserialize_any(Duration)
        } else {
            i64::deserialize(deserializer).and_then(|secs| {
                let refuse = || D::Error::custom(format_args!("`{secs}` is out of range"));
                TimeDelta::try_seconds(secs).ok_or_else(refuse)
            })
        })
    }
}

/// The settings of a limit.
#[derive(Default)]
pub(super) struct Limit {
    pub(super) max_sessions: Option<NonZeroU32>,
    pub(super) when_full: Option<WhenFull>,
}

/// Reads `max_sessions`; formats that people do not write also say that there is none.
pub(super) struct MaxSessionsSetting<'a>(Setting<'a>);

impl<'de> DeserializeSeed<'de> for MaxSessionsSetting<'_> {
    type Value = Option<NonZeroU32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.named(if deserializer.is_human_readable() {
            deserializer.deserialize_any(Count).map(Some)
        } else {
            Option::deserialize(deserializer)
        })
    }
}

/// Reads `when_full`, as `max_sessions`.
pub(super) struct WhenFullSetting<'a>(Setting<'a>);

impl<'de> DeserializeSeed<'de> for WhenFullSetting<'_> {
    type Value = Option<WhenFull>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.named(if deserializer.is_human_readable() {
            WhenFull::deserialize(deserializer).map(Some)
        } else {
            Option::deserialize(deserializer)
        })
    }
}

/// A whole number from 1.
struct Count;

impl Visitor<'_> for Count {
    type Value = NonZeroU32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 1 to 4294967295")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<NonZeroU32, E> {
        let count = u32::try_from(value).ok().and_then(NonZeroU32::new);
        count.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<NonZeroU32, E> {
        let count = u32::try_from(value).ok().and_then(NonZeroU32::new);
        count.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

/// A text, as people write it; every message has the value.
struct Duration;

impl<'de> Visitor<'de> for Duration {
    type Value = TimeDelta;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DurationError::EXPECTED)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<TimeDelta, E> {
        Err(refuse(value, DurationError::Malformed))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<TimeDelta, E> {
        Err(refuse(value, DurationError::of_number(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<TimeDelta, E> {
        Err(refuse(value, DurationError::Unitless(value)))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<TimeDelta, E> {
        Err(refuse(value, DurationError::Malformed))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<TimeDelta, E> {
        Err(refuse(value, DurationError::Malformed))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<TimeDelta, E> {
        Err(refuse(format_args!("{value:?}"), DurationError::Malformed))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<TimeDelta, E> {
        crate::time::parse(value).map_err(|error| refuse(value.escape_debug(), error))
    }

    fn visit_unit<E: de::Error>(self) -> Result<TimeDelta, E> {
        Err(refuse("null", DurationError::Malformed))
    }

    fn visit_none<E: de::Error>(self) -> Result<TimeDelta, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<TimeDelta, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom(format_args!("a list {}", DurationError::Malformed)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<TimeDelta, A::Error> {
        while table.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom(format_args!("a table or a date {}", DurationError::Malformed)))
    }
}

fn refuse<E: de::Error>(value: impl fmt::Display, why: DurationError) -> E {
    E::custom(format_args!("`{value}` {why}"))
}
