use alloc::string::{String, ToString};
use core::fmt;
use core::mem::replace;

use chrono::TimeDelta;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::super::limit::SessionLimit;
use super::setting::{Limit, Place, Setting};
use crate::rule::SessionPolicy;
use crate::time::Human;

/// The settings of time, and those of a limit.
const KEYS: [&str; 6] =
    ["max_age", "update_age", "absolute_cap", "clock_skew", "max_sessions", "when_full"];
const TIMES: usize = 4;

/// Durations as text (`8h`) in human-readable formats, as whole seconds in
/// others.
impl Serialize for SessionPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let human = serializer.is_human_readable();
        let mut policy = serializer.serialize_struct("SessionPolicy", TIMES)?;
        serialize_times(self, human, &mut policy)?;
        policy.end()
    }
}

/// A policy of a set, with its limit if it has one.
pub(super) struct Limited<'a> {
    pub(super) policy: &'a SessionPolicy,
    pub(super) limit: Option<&'a SessionLimit>,
}

impl Serialize for Limited<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let human = serializer.is_human_readable();
        let max_sessions = self.limit.map(SessionLimit::max_sessions);
        let when_full = self.limit.map(SessionLimit::when_full);
        let absent = human && self.limit.is_none();
        let fields = if absent { TIMES } else { KEYS.len() };
        let mut policy = serializer.serialize_struct("SessionPolicy", fields)?;
        serialize_times(self.policy, human, &mut policy)?;
        if !absent {
            policy.serialize_field("max_sessions", &max_sessions)?;
            policy.serialize_field("when_full", &when_full)?;
        }
        policy.end()
    }
}

fn serialize_times<S: SerializeStruct>(
    policy: &SessionPolicy,
    human: bool,
    into: &mut S,
) -> Result<(), S::Error> {
    let values =
        [policy.max_age(), policy.update_age(), policy.absolute_cap(), policy.clock_skew()];
    for (key, value) in KEYS.into_iter().zip(values) {
        if human {
            into.serialize_field(key, &Human(value).to_string())?;
        } else {
            into.serialize_field(key, &value.num_seconds())?;
        }
    }
    Ok(())
}

/// `max_age`, `update_age` and `absolute_cap` are required, `clock_skew` is 60 s
/// if absent, and other keys are refused. A duration is a text such as `8h`,
/// `15m`, `45d`, `1h 30m`; a number without a unit is refused, since one reader takes
/// it for seconds and another for milliseconds. Formats that people do not read have
/// whole seconds.
impl<'de> Deserialize<'de> for SessionPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (policy, _) = Policy::alone().deserialize(deserializer)?;
        Ok(policy)
    }
}

/// Reads a policy, and its limit if it may have one. Every message names the
/// place.
pub(super) struct Policy<'a> {
    place: Place<'a>,
    keys: &'static [&'static str],
}

/// What is under the keys of a policy.
#[derive(Default)]
struct Values {
    times: [Option<TimeDelta>; TIMES],
    limit: Limit,
}

impl<'a> Policy<'a> {
    pub(super) fn alone() -> Self {
        Self { place: Place(None), keys: &KEYS[..TIMES] }
    }

    pub(super) fn of_profile(name: &'a str) -> Self {
        Self { place: Place(Some(name)), keys: &KEYS }
    }

    fn refuse<E: de::Error>(&self, why: impl fmt::Display) -> E {
        E::custom(format_args!("{}{why}", self.place))
    }

    fn build<E: de::Error>(
        &self,
        values: &Values,
    ) -> Result<(SessionPolicy, Option<SessionLimit>), E> {
        let required = |index: usize| {
            let missing = || self.refuse(format_args!("missing field `{}`", KEYS[index]));
            values.times[index].ok_or_else(missing)
        };
        let policy = SessionPolicy::new(required(0)?, required(1)?, required(2)?)
            .and_then(|policy| match values.times[3] {
                Some(clock_skew) => policy.with_clock_skew(clock_skew),
                None => Ok(policy),
            })
            .map_err(|error| self.refuse(error))?;
        let limit = match (values.limit.max_sessions, values.limit.when_full) {
            (None, None) => None,
            (Some(max_sessions), Some(when_full)) => {
                Some(SessionLimit::new(max_sessions, when_full))
            }
            (Some(_), None) => return Err(self.refuse("max_sessions is without when_full")),
            (None, Some(_)) => return Err(self.refuse("when_full is without max_sessions")),
        };
        Ok((policy, limit))
    }
}

impl<'de> DeserializeSeed<'de> for Policy<'_> {
    type Value = (SessionPolicy, Option<SessionLimit>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Where people write it, a list without keys is no policy.
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(self)
        } else {
            deserializer.deserialize_struct("SessionPolicy", self.keys, self)
        }
    }
}

impl<'de> Visitor<'de> for Policy<'_> {
    type Value = (SessionPolicy, Option<SessionLimit>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy of max_age, update_age and absolute_cap")?;
        match self.place.0 {
            Some(profile) => write!(f, " for profile `{}`", profile.escape_debug()),
            None => Ok(()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = Values::default();
        let mut met = [false; KEYS.len()];
        while let Some(index) = map.next_key_seed(Key(&self))? {
            let key = KEYS[index];
            if replace(&mut met[index], true) {
                return Err(self.refuse(format_args!("duplicate field `{key}`")));
            }
            let setting = Setting { place: self.place, key };
            match values.times.get_mut(index) {
                Some(time) => *time = Some(map.next_value_seed(setting)?),
                None if key == "max_sessions" => {
                    values.limit.max_sessions = map.next_value_seed(setting.max_sessions())?;
                }
                None => values.limit.when_full = map.next_value_seed(setting.when_full())?,
            }
        }
        self.build(&values)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut values = Values::default();
        for (key, value) in KEYS.into_iter().zip(&mut values.times) {
            *value = seq.next_element_seed(Setting { place: self.place, key })?;
        }
        if self.keys.len() > TIMES {
            values.limit.max_sessions = seq.next_element()?.flatten();
            values.limit.when_full = seq.next_element()?.flatten();
        }
        self.build(&values)
    }
}

/// Reads a key: its place in `KEYS`.
struct Key<'a>(&'a Policy<'a>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        let key = String::deserialize(deserializer)?;
        self.0.keys.iter().position(|known| *known == key).ok_or_else(|| {
            self.0.refuse(format_args!(
                "unknown field `{}`, expected one of `{}`",
                key.escape_debug(),
                self.0.keys.join("`, `"),
            ))
        })
    }
}
