use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::super::limit::SessionLimit;
use super::super::policies::{Policies, ProfileError};
use super::policy::{Limited, Policy};
use crate::rule::SessionPolicy;

/// `default`, and `profiles` by name, each with its limit if it has one.
impl Serialize for Policies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Profiles<'a>(&'a Policies);

        impl Serialize for Profiles<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.profiles().count()))?;
                for (name, policy) in self.0.profiles() {
                    map.serialize_entry(name, &Limited { policy, limit: self.0.limit(name) })?;
                }
                map.end()
            }
        }

        let default = Limited { policy: self.default_policy(), limit: self.limit(Self::DEFAULT) };
        let mut policies = serializer.serialize_struct("Policies", 2)?;
        policies.serialize_field("default", &default)?;
        policies.serialize_field("profiles", &Profiles(self))?;
        policies.end()
    }
}

/// `default` is required, `profiles` is empty if absent, and other keys are
/// refused, as is a profile that is there twice. A policy may be limited by
/// `max_sessions` (a whole number from 1) and `when_full` (`end_oldest`,
/// `end_least_recent` or `refuse`), both or neither.
impl<'de> Deserialize<'de> for Policies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawPolicies { default: (default, limit), profiles } =
            RawPolicies::deserialize(deserializer)?;
        let limited = |policies: Self, name: &str, limit| match limit {
            Some(limit) => policies.with_limit(name, limit),
            None => Ok(policies),
        };
        let policies = limited(Self::new(default), Self::DEFAULT, limit);
        let add = |policies: Self, (name, (policy, limit)): (String, LimitedPolicy)| {
            limited(policies.with_profile(name.as_str(), policy)?, &name, limit)
        };
        let policies: Result<_, ProfileError> =
            policies.and_then(|policies| profiles.0.into_iter().try_fold(policies, add));
        policies.map_err(de::Error::custom)
    }
}

type LimitedPolicy = (SessionPolicy, Option<SessionLimit>);

struct RawPolicies {
    default: LimitedPolicy,
    profiles: RawProfiles,
}

impl<'de> Deserialize<'de> for RawPolicies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Policies", &KEYS, Set)
    }
}

const KEYS: [&str; 2] = ["default", "profiles"];

/// Reads a key; a derived reader would repeat an unknown one as it is, control
/// characters and all.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        let key = String::deserialize(deserializer)?;
        let unknown = || de::Error::unknown_field(&key.escape_debug().to_string(), &KEYS);
        KEYS.into_iter().find(|known| *known == key).ok_or_else(unknown)
    }
}

struct Set;

impl<'de> Visitor<'de> for Set {
    type Value = RawPolicies;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("policies: `default` and `profiles`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawPolicies, A::Error> {
        let (mut default, mut profiles) = (None, None);
        while let Some(key) = map.next_key_seed(Key)? {
            let known = if key == KEYS[0] {
                default.replace(map.next_value_seed(default_policy())?).is_some()
            } else {
                profiles.replace(map.next_value()?).is_some()
            };
            if known {
                return Err(de::Error::duplicate_field(key));
            }
        }
        let default = default.ok_or_else(|| de::Error::missing_field(KEYS[0]))?;
        Ok(RawPolicies { default, profiles: profiles.unwrap_or_default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawPolicies, A::Error> {
        let missing = || de::Error::invalid_length(0, &self);
        let default = seq.next_element_seed(default_policy())?.ok_or_else(missing)?;
        let profiles = seq.next_element()?.unwrap_or_default();
        Ok(RawPolicies { default, profiles })
    }
}

fn default_policy() -> Policy<'static> {
    Policy::of_profile(Policies::DEFAULT)
}

#[derive(Default)]
struct RawProfiles(Vec<(String, LimitedPolicy)>);

impl<'de> Deserialize<'de> for RawProfiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Profiles;

        impl<'de> Visitor<'de> for Profiles {
            type Value = RawProfiles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("policies by the names of their profiles")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawProfiles, A::Error> {
                let mut profiles = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let policy = map.next_value_seed(Policy::of_profile(&name))?;
                    profiles.push((name, policy));
                }
                Ok(RawProfiles(profiles))
            }
        }

        deserializer.deserialize_map(Profiles)
    }
}
