//! Policies from TOML, JSON and binary formats: what is written reads back, and
//! what is refused is refused with its key and its value.

#![cfg(feature = "serde")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]
#![cfg_attr(not(feature = "std"), allow(dead_code, reason = "most settings are texts"))]

mod strategies;

use std::num::NonZeroU32;

use proptest::prelude::*;
use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use session_policy::{Policies, SessionLimit, SessionPolicy, WhenFull};

use crate::strategies::{cases, policy};

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn a_policy_that_is_written_reads_back_equal(policy in policy()) {
        let json = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<SessionPolicy>(&json).unwrap(), policy);
        let toml = toml::to_string(&policy).unwrap();
        prop_assert_eq!(toml::from_str::<SessionPolicy>(&toml).unwrap(), policy);
        let binary = postcard::to_allocvec(&policy).unwrap();
        prop_assert_eq!(postcard::from_bytes::<SessionPolicy>(&binary).unwrap(), policy);
        let named = rmp_serde::to_vec_named(&policy).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<SessionPolicy>(&named).unwrap(), policy);
    }

    #[test]
    fn a_set_of_policies_that_is_written_reads_back_equal(policies in policies()) {
        let json = serde_json::to_string(&policies).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Policies>(&json).unwrap(), &policies);
        let toml = toml::to_string(&policies).unwrap();
        prop_assert_eq!(&toml::from_str::<Policies>(&toml).unwrap(), &policies);
        let binary = postcard::to_allocvec(&policies).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<Policies>(&binary).unwrap(), &policies);
        let named = rmp_serde::to_vec_named(&policies).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<Policies>(&named).unwrap(), &policies);
        let in_order = rmp_serde::to_vec(&policies).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<Policies>(&in_order).unwrap(), &policies);
    }
}

#[cfg(feature = "std")]
#[test]
fn a_policy_is_written_as_people_write_it() {
    let json = serde_json::to_string(&SessionPolicy::SLIDING_MONTH).unwrap();
    let written = r#"{"max_age":"30d","update_age":"5m","absolute_cap":"45d","clock_skew":"1m"}"#;
    assert_eq!(json, written);
    let set = Policies::from(SessionPolicy::SLIDING_MONTH)
        .with_profile("admin", SessionPolicy::WORKING_DAY)
        .unwrap();
    let written = r#"[default]
max_age = "30d"
update_age = "5m"
absolute_cap = "45d"
clock_skew = "1m"

[profiles.admin]
max_age = "8h"
update_age = "15m"
absolute_cap = "8h"
clock_skew = "1m"
"#;
    assert_eq!(toml::to_string(&set).unwrap(), written);
}

#[cfg(feature = "std")]
#[test]
fn a_setting_is_a_text_with_units_and_the_skew_may_be_left_out() {
    for settings in [
        "max_age = '30d'\nupdate_age = '5m'\nabsolute_cap = '45d'",
        "absolute_cap = '3888000s'\nmax_age = '2592000s'\nupdate_age = '300s'\nclock_skew = '60s'",
        "max_age = '4w 2d'\nupdate_age = '300s'\nabsolute_cap = '1080h'\nclock_skew = '60s'",
    ] {
        assert_eq!(toml::from_str(settings), Ok(SessionPolicy::SLIDING_MONTH), "{settings}");
    }
}

/// F29: 3600000 is a thousand hours to one reader and an hour to the other.
#[test]
fn a_number_without_a_unit_is_refused_with_two_ways_to_write_it() {
    for (value, ways) in [
        ("3600000", "`3600000s` for seconds, or `3600s` if these are milliseconds"),
        (r#""3600000""#, "`3600000s` for seconds, or `3600s` if these are milliseconds"),
        ("90", "`90s` for seconds, or `90m` for minutes"),
        ("0", "`0s` for seconds, or `0m` for minutes"),
        (
            "9223372036854775807",
            "`9223372036854775807s` for seconds, or `9223372036854775807m` for minutes",
        ),
    ] {
        let shown = value.trim_matches('"');
        for key in KEYS {
            let message = format!("{key}: `{shown}` has no unit: write {ways}");
            assert_eq!(json_error(key, value), message);
            #[cfg(feature = "std")]
            assert_eq!(toml_error(key, value), message);
        }
    }
}

/// JSON's and TOML's own texts of a value, and what the message says of it.
#[cfg(feature = "std")]
#[test]
fn a_value_of_a_wrong_type_is_refused_with_its_key_and_itself() {
    let json_and_toml = [
        ("true", "`true`"),
        ("false", "`false`"),
        ("[1]", "a list"),
        (r#"[[], "8h"]"#, "a list"),
        ("1.5", "`1.5`"),
        ("900.0", "`900.0`"),
        ("1e3", "`1000.0`"),
        ("-1", "`-1`"),
        ("-9223372036854775808", "`-9223372036854775808`"),
        (r#""""#, "``"),
        (r#""soon""#, "`soon`"),
        (r#""-5m""#, "`-5m`"),
        (r#""1.5h""#, "`1.5h`"),
        (r#""99999999999999999999d""#, "`99999999999999999999d`"),
        (r#""a\nb""#, r"`a\nb`"),
    ];
    let json_only = [
        ("null", "`null`"),
        (r#"{"secs": 5}"#, "a table or a date"),
        ("99999999999999999999", "`1e20`"),
    ];
    let toml_only = [
        ("{ secs = 5 }", "a table or a date"),
        ("1979-05-27", "a table or a date"),
        ("nan", "`NaN`"),
        ("-inf", "`-inf`"),
        ("99999999999999999999", "`99999999999999999999`"),
    ];
    let expected = "is not a duration such as `8h`, `15m`, `45d`, `1h 30m`";
    for key in KEYS {
        for (value, shown) in json_and_toml.into_iter().chain(json_only) {
            assert_eq!(json_error(key, value), format!("{key}: {shown} {expected}"), "{value}");
        }
        for (value, shown) in json_and_toml.into_iter().chain(toml_only) {
            assert_eq!(toml_error(key, value), format!("{key}: {shown} {expected}"), "{value}");
        }
        // Refused by the format before this crate sees the value.
        let range = format!("{key}: number out of range");
        assert_eq!(json_error(key, "1e400"), range);
        assert_eq!(toml_error(key, "1e400"), format!("{key}: floating-point number overflowed"));
        let digits = "9".repeat(60);
        assert_eq!(toml_error(key, &digits), format!("{key}: integer number overflowed"));
    }
}

#[cfg(feature = "std")]
#[test]
fn settings_that_contradict_each_other_or_a_bound_are_refused_with_both_values() {
    for (key, value, message) in [
        ("max_age", r#""0s""#, "max_age `0s` is shorter than `1s`"),
        ("max_age", r#""0h""#, "max_age `0s` is shorter than `1s`"),
        ("max_age", r#""10h 1s""#, "max_age `10h 1s` is longer than absolute_cap `10h`"),
        ("max_age", r#""60s""#, "update_age `1m` is not shorter than max_age `1m`"),
        ("max_age", r#""59s""#, "update_age `1m` is not shorter than max_age `59s`"),
        ("update_age", r#""1h""#, "update_age `1h` is not shorter than max_age `1h`"),
        ("absolute_cap", r#""0s""#, "max_age `1h` is longer than absolute_cap `0s`"),
        ("absolute_cap", r#""59m 59s""#, "max_age `1h` is longer than absolute_cap `59m 59s`"),
        (
            "absolute_cap",
            r#""36526d""#,
            "absolute_cap `36526d` is longer than 100 years (`36525d`)",
        ),
        (
            "absolute_cap",
            r#""9223372036854775s""#,
            "absolute_cap `106751991167d 7h 12m 55s` is longer than 100 years (`36525d`)",
        ),
        ("clock_skew", r#""86401s""#, "clock_skew `1d 1s` is not between `0s` and `1d`"),
    ] {
        assert_eq!(json_error(key, value), message);
        assert_eq!(toml_error(key, value), message);
    }
    for (key, value) in
        [("clock_skew", r#""0s""#), ("clock_skew", r#""1d""#), ("update_age", r#""0s""#)]
    {
        serde_json::from_str::<SessionPolicy>(&json_with(key, value)).unwrap();
        toml::from_str::<SessionPolicy>(&toml_with(key, value)).unwrap();
    }
}

#[test]
fn a_key_that_is_unknown_missing_or_there_twice_is_refused_by_name() {
    let known = "expected one of `max_age`, `update_age`, `absolute_cap`, `clock_skew`";
    for (json, message) in [
        (r"{}", "missing field `max_age`".into()),
        (r#"{"max_age":"5s"}"#, "missing field `update_age`".into()),
        (r#"{"update_age":"1s","max_age":"5s"}"#, "missing field `absolute_cap`".into()),
        (r#"{"maxAge":5}"#, format!("unknown field `maxAge`, {known}")),
        (r#"{"max_age":"5s","MAX_AGE":5}"#, format!("unknown field `MAX_AGE`, {known}")),
        (r#"{"":5}"#, format!("unknown field ``, {known}")),
        (r#"{"a\u0000b":5}"#, format!(r"unknown field `a\0b`, {known}")),
        (r#"{"max_age":"5s","max_age":"5s"}"#, "duplicate field `max_age`".into()),
    ] {
        assert_eq!(message_of(serde_json::from_str::<SessionPolicy>(json)), message, "{json}");
    }
    for (json, found) in [
        ("5", "integer `5`"),
        (r#""8h""#, r#"string "8h""#),
        ("null", "null"),
        ("[]", "sequence"),
        ("[3600,60,36000,0]", "sequence"),
    ] {
        let message = message_of(serde_json::from_str::<SessionPolicy>(json));
        let expected = "expected a policy of max_age, update_age and absolute_cap";
        assert_eq!(message, format!("invalid type: {found}, {expected}"), "{json}");
    }
}

#[test]
fn an_error_in_a_set_of_policies_names_the_profile() {
    let good = r#"{"max_age":"1h","update_age":"1m","absolute_cap":"10h"}"#;
    let default = |policy: &str| format!(r#"{{"default":{policy}}}"#);
    let profiles = |profiles: &str| format!(r#"{{"default":{good},"profiles":{profiles}}}"#);
    let named = |name: &str| profiles(&format!(r#"{{"{name}":{good}}}"#));
    let known = "expected one of `max_age`, `update_age`, `absolute_cap`, `clock_skew`, `max_sessions`, `when_full`";
    let policy = "expected a policy of max_age, update_age and absolute_cap";
    let lengths = "max_age `1h` is longer than absolute_cap `5s`";
    let contradictory = r#"{"max_age":"1h","update_age":"1m","absolute_cap":"5s"}"#;
    for (json, message) in [
        (
            default(r#"{"max_age":true}"#),
            "profile `default`: max_age: `true` is not a duration such as `8h`, `15m`, \
             `45d`, `1h 30m`"
                .into(),
        ),
        (
            profiles(r#"{"admin":{"clock_skew":1.5}}"#),
            "profile `admin`: clock_skew: `1.5` is not a duration such as `8h`, `15m`, \
             `45d`, `1h 30m`"
                .into(),
        ),
        (
            profiles(r#"{"admin":{"max_age":1e400}}"#),
            "profile `admin`: max_age: number out of range".into(),
        ),
        (default("{}"), "profile `default`: missing field `max_age`".into()),
        (profiles(r#"{"admin":{}}"#), "profile `admin`: missing field `max_age`".into()),
        (
            profiles(r#"{"admin":{"cap":5}}"#),
            format!("profile `admin`: unknown field `cap`, {known}"),
        ),
        (default(contradictory), format!("profile `default`: {lengths}")),
        (
            profiles(&format!(r#"{{"ad\nmin":{contradictory}}}"#)),
            format!(r"profile `ad\nmin`: {lengths}"),
        ),
        (default("5"), format!("invalid type: integer `5`, {policy} for profile `default`")),
        (
            profiles(r#"{"admin":[]}"#),
            format!("invalid type: sequence, {policy} for profile `admin`"),
        ),
        ("{}".into(), "missing field `default`".into()),
        (
            "5".into(),
            "invalid type: integer `5`, expected policies: `default` and `profiles`".into(),
        ),
        (
            profiles("[]"),
            "invalid type: sequence, expected policies by the names of their profiles".into(),
        ),
        (
            format!(r#"{{"default":{good},"profile":{{}}}}"#),
            "unknown field `profile`, expected `default` or `profiles`".into(),
        ),
        // Found by fuzzing: nothing that is refused may forge a line of a log.
        (
            format!(r#"{{"default":{good},"pro\nfile":{{}}}}"#),
            r"unknown field `pro\nfile`, expected `default` or `profiles`".into(),
        ),
        (
            profiles(r#"{"admin":{"when_full":"re\nfuse"}}"#),
            r"profile `admin`: when_full: unknown variant `re\nfuse`, expected one of `end_least_recent`, `end_oldest`, `refuse`"
                .into(),
        ),
        (
            format!(r#"{{"default":{good},"default":{good}}}"#),
            "duplicate field `default`".into(),
        ),
        (
            format!(r#"{{"default":{good},"profiles":{{}},"profiles":{{}}}}"#),
            "duplicate field `profiles`".into(),
        ),
        ("[]".into(), "invalid length 0, expected policies: `default` and `profiles`".into()),
        (
            profiles(&format!(r#"{{"admin":{good},"admin":{good}}}"#)),
            "profile `admin` is there twice".into(),
        ),
        (named(""), "profile name is empty".into()),
        (named("default"), "profile name `default` is reserved for the default policy".into()),
        (named(&"p".repeat(65)), "profile name of 65 bytes is longer than 64 bytes".into()),
        (named(r"a\tb"), r"profile name `a\tb` has control characters".into()),
    ] {
        assert_eq!(message_of(serde_json::from_str::<Policies>(&json)), message, "{json}");
    }
}

/// TOML's errors keep the line and the place of the value.
#[cfg(feature = "std")]
#[test]
fn an_error_in_a_toml_file_points_at_the_value() {
    let default = "[default]\nmax_age = '1h'\nupdate_age = '0s'\nabsolute_cap = '8h'\n";
    for (profile, line, marked, message) in [
        (
            "max_age = '8x'\n",
            6,
            "6 | max_age = '8x'\n  |           ^^^^\n",
            "profile `admin`: max_age: `8x` is not a duration such as `8h`, `15m`, \
             `45d`, `1h 30m`",
        ),
        (
            "max_age = '60s'\nmax_idle = 5\n",
            7,
            "7 | max_idle = 5\n  | ^^^^^^^^\n",
            "profile `admin`: unknown field `max_idle`, expected one of `max_age`, `update_age`, \
             `absolute_cap`, `clock_skew`, `max_sessions`, `when_full`",
        ),
        (
            "max_age = '1h'\nupdate_age = '0s'\nabsolute_cap = '5m'\n",
            5,
            "5 | [profiles.admin]\n",
            "profile `admin`: max_age `1h` is longer than absolute_cap `5m`",
        ),
    ] {
        let text = format!("{default}[profiles.admin]\n{profile}");
        let error = toml::from_str::<Policies>(&text).unwrap_err();
        assert_eq!(error.message().lines().next(), Some(message));
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("TOML parse error at line {line}, ")), "{shown}");
        assert!(shown.contains(marked), "{shown}");
    }
}

const KEYS: [&str; 4] = ["max_age", "update_age", "absolute_cap", "clock_skew"];

/// A good policy with one value exchanged.
fn settings(key: &str, value: &str) -> impl Iterator<Item = (&'static str, String)> {
    KEYS.into_iter()
        .zip([r#""1h""#, r#""1m""#, r#""10h""#, r#""1m""#])
        .map(move |(known, good)| (known, (if known == key { value } else { good }).to_owned()))
}

fn json_with(key: &str, value: &str) -> String {
    let settings = settings(key, value).map(|(key, value)| format!(r#""{key}":{value}"#));
    format!("{{{}}}", settings.collect::<Vec<_>>().join(","))
}

fn toml_with(key: &str, value: &str) -> String {
    let settings = settings(key, value).map(|(key, value)| format!("{key} = {value}\n"));
    settings.collect::<Vec<_>>().concat()
}

fn json_error(key: &str, value: &str) -> String {
    message_of(serde_json::from_str::<SessionPolicy>(&json_with(key, value)))
}

fn toml_error(key: &str, value: &str) -> String {
    let error = toml::from_str::<SessionPolicy>(&toml_with(key, value)).unwrap_err();
    error.message().to_owned()
}

/// JSON's message without the line and the column.
fn message_of<T: std::fmt::Debug>(read: serde_json::Result<T>) -> String {
    let message = read.unwrap_err().to_string();
    message.split(" at line ").next().expect("a message").to_owned()
}

fn policies() -> impl Strategy<Value = Policies> {
    let name = r"\PC{1,16}".prop_filter("reserved", |name| name != Policies::DEFAULT);
    let limit = (1..=u32::MAX, any::<bool>()).prop_map(|(most, refuse)| {
        let when_full = if refuse { WhenFull::Refuse } else { WhenFull::EndOldest };
        SessionLimit::new(NonZeroU32::new(most).expect("from 1"), when_full)
    });
    let limited = (policy(), proptest::option::of(limit)).boxed();
    (limited.clone(), proptest::collection::btree_map(name, limited, 0..6)).prop_map(
        |((default, limit), profiles)| {
            let limit_of = |policies: Policies, name: &str, limit| match limit {
                Some(limit) => policies.with_limit(name, limit).expect("a profile's name"),
                None => policies,
            };
            let default = limit_of(Policies::new(default), Policies::DEFAULT, limit);
            profiles.into_iter().fold(default, |policies, (name, (policy, limit))| {
                let policies = policies.with_profile(&*name, policy).expect("a name, once");
                limit_of(policies, &name, limit)
            })
        },
    )
}

/// A value of a kind that TOML and JSON do not have.
enum Odd {
    Bytes,
    Large,
    Nothing,
}

impl<'de> Deserializer<'de> for Odd {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Self::Bytes => visitor.visit_bytes(b"8h"),
            Self::Large => visitor.visit_u128(u128::MAX),
            Self::Nothing => visitor.visit_none(),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl IntoDeserializer<'_> for Odd {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[test]
fn values_that_only_other_formats_have_are_refused_with_their_key() {
    for (value, shown) in [
        (Odd::Bytes, "invalid type: byte array, expected a duration"),
        (Odd::Large, "`340282366920938463463374607431768211455` is not a duration"),
        (Odd::Nothing, "`null` is not a duration"),
    ] {
        let file = MapDeserializer::new([("max_age", value)].into_iter());
        let error = SessionPolicy::deserialize(file).unwrap_err().to_string();
        assert!(error.starts_with(&format!("max_age: {shown}")), "{error}");
    }
}
