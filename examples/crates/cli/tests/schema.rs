//! What the JSON Schema of a policy file accepts is what the crate accepts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value, json};
use session_policy::Policies;

const KEPT: &str = include_str!("../../../data/policy.schema.json");

static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&serde_json::from_str(KEPT).unwrap()).unwrap());

/// What the crate says, as the program and an application read it.
fn read(value: &Value) -> Result<(), String> {
    serde_json::from_value::<Policies>(value.clone()).map(drop).map_err(|error| error.to_string())
}

/// A set of one policy.
fn set(policy: &Value) -> Value {
    json!({"default": policy})
}

/// What a schema cannot say: how settings compare, and how long a text is.
fn is_beyond_a_schema(error: &str) -> bool {
    [
        "is longer than",
        "is not shorter than",
        "is shorter than `1s`",
        "is not between",
        "longer than 64 bytes",
    ]
    .iter()
    .any(|part| error.contains(part))
}

fn assert_agreement(value: &Value) {
    match (SCHEMA.is_valid(value), read(value)) {
        (true, Ok(())) | (false, Err(_)) => {}
        (true, Err(error)) => assert!(is_beyond_a_schema(&error), "{value}: {error}"),
        (false, Ok(())) => panic!("the schema refuses {value}, which is good"),
    }
}

#[test]
fn the_schema_that_is_kept_is_the_one_the_program_prints() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_session-policy"));
    let output = program.arg("schema").output().unwrap();
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, serde_json::from_str::<Value>(KEPT).unwrap());
    // The order of the keys depends on what else is in the build; the rest does not.
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(|line| line.trim_end_matches(',')).collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    assert_eq!(sorted(&String::from_utf8(output.stdout).unwrap()), sorted(KEPT));
}

#[test]
fn schema_and_crate_agree_row_by_row() {
    let with = |key: &str, value: Value| {
        let mut policy = json!({"max_age": "8h", "update_age": "15m", "absolute_cap": "8h"});
        policy[key] = value;
        policy
    };
    let one = |key: &str, value: Value| set(&with(key, value));
    let limited = |max_sessions: Value, when_full: Value| {
        let mut policy = with("max_sessions", max_sessions);
        policy["when_full"] = when_full;
        json!({"default": policy, "profiles": {"admin": policy}})
    };
    for (good, value) in [
        (true, one("clock_skew", json!("60s"))),
        // A policy outside a set.
        (false, with("clock_skew", json!("60s"))),
        (false, one("clock_skew", json!(0))),
        (false, one("clock_skew", json!(86_400))),
        (true, one("clock_skew", json!("0s"))),
        (true, one("clock_skew", json!("86400s"))),
        (false, one("clock_skew", json!(86_401))),
        (false, one("clock_skew", json!(-1))),
        (true, one("max_age", json!("1h 30m"))),
        (true, one("max_age", json!("1h30m"))),
        (false, one("max_age", json!("3600"))),
        (true, one("max_age", json!("3600s"))),
        (false, one("max_age", json!(28_800))),
        (false, one("max_age", json!(28_800.5))),
        (false, one("max_age", json!("1.5h"))),
        (false, one("max_age", json!("8 h"))),
        (false, one("max_age", json!(" 8h"))),
        (false, one("max_age", json!("8h "))),
        (false, one("max_age", json!("8x"))),
        (false, one("max_age", json!("+8h"))),
        (false, one("max_age", json!("-8h"))),
        (false, one("max_age", json!("8h 30"))),
        (false, one("max_age", json!("1 2"))),
        (false, one("max_age", json!(""))),
        (false, one("max_age", json!(0))),
        (false, one("max_age", json!(null))),
        (false, one("max_age", json!(true))),
        (false, one("max_age", json!([1]))),
        (false, one("max_age", json!({"secs": 1}))),
        (false, one("update_age", json!(0))),
        (true, one("update_age", json!("0s"))),
        (false, one("update_age", json!(-1))),
        (true, one("absolute_cap", json!("36525d"))),
        (false, one("absolute_cap", json!(3_155_760_000_i64))),
        (false, one("absolute_cap", json!(3_155_760_001_i64))),
        (true, one("absolute_cap", json!("2w"))),
        (false, one("idle", json!("8h"))),
        (false, set(&json!({"max_age": "8h", "update_age": "15m"}))),
        (false, json!({})),
        (false, json!([])),
        (false, json!("8h")),
        (true, json!({"default": with("max_age", json!("1h"))})),
        (true, json!({"default": with("max_age", json!("1h")), "profiles": {}})),
        (
            true,
            json!({"default": with("max_age", json!("1h")), "profiles": {"admin": with("max_age", json!("1000s"))}}),
        ),
        (false, json!({"default": with("max_age", json!("1h")), "profiles": {"admin": {}}})),
        (
            false,
            json!({"default": with("max_age", json!("1h")), "profiles": {"default": with("max_age", json!("1h"))}}),
        ),
        (
            false,
            json!({"default": with("max_age", json!("1h")), "profiles": {"": with("max_age", json!("1h"))}}),
        ),
        (
            false,
            json!({"default": with("max_age", json!("1h")), "profiles": {"a\nb": with("max_age", json!("1h"))}}),
        ),
        (false, json!({"default": with("max_age", json!("1h")), "profiles": null})),
        (false, json!({"default": with("max_age", json!("1h")), "max_age": "8h"})),
        (false, json!({"profiles": {}})),
        // A limit is both of its settings or none, and of a policy in a set only.
        (true, limited(json!(1), json!("refuse"))),
        (true, limited(json!(1), json!("end_least_recent"))),
        (true, limited(json!(4_294_967_295_u32), json!("end_oldest"))),
        (false, limited(json!(4_294_967_296_u64), json!("end_oldest"))),
        (false, limited(json!(0), json!("refuse"))),
        (false, limited(json!("1"), json!("refuse"))),
        (false, limited(json!(1.5), json!("refuse"))),
        (false, limited(json!(null), json!("refuse"))),
        (false, limited(json!(1), json!("end_newest"))),
        (false, limited(json!(1), json!(null))),
        (false, json!({"default": with("max_sessions", json!(1))})),
        (false, json!({"default": with("when_full", json!("refuse"))})),
        (false, limited(json!(1), json!("refuse"))["default"].clone()),
        (
            true,
            json!({"default": with("max_age", json!("1h")), "profiles": limited(json!(1), json!("refuse"))["profiles"]}),
        ),
    ] {
        assert_eq!(SCHEMA.is_valid(&value), good, "the schema: {value}");
        assert_eq!(read(&value).is_ok(), good, "the crate: {value}: {:?}", read(&value));
    }
}

#[test]
fn contradictions_are_beyond_the_schema_and_refused_by_the_crate() {
    for (max_age, update_age, cap) in
        [("8h", "8h", "8h"), ("9h", "1h", "8h"), ("0s", "0s", "1s"), ("1d", "0s", "36526d")]
    {
        let value =
            set(&json!({"max_age": max_age, "update_age": update_age, "absolute_cap": cap}));
        assert!(SCHEMA.is_valid(&value), "{value}");
        assert!(is_beyond_a_schema(&read(&value).unwrap_err()), "{value}");
    }
}

#[test]
fn the_example_files_are_good_by_the_schema() {
    for text in [
        include_str!("../../../data/before.toml"),
        include_str!("../../../data/after.toml"),
        include_str!("../../../data/working-day.toml"),
    ] {
        let value: Value = toml::from_str(text).unwrap();
        assert!(SCHEMA.is_valid(&value), "{value}");
        read(&value).unwrap();
    }
}

fn any_duration() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[0-9]{1,3}[smhdw]( ?[0-9]{1,2}[smhdw]){0,2}".prop_map(Value::from),
        4 => "[0-9smhdw +.-]{0,6}".prop_map(Value::from),
        4 => (-2..90_000_i64).prop_map(Value::from),
        1 => (-1e6..1e6_f64)
            .prop_filter("not whole", |number| number.fract() != 0.0)
            .prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn any_policy() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        8 => Just("max_age".to_owned()),
        8 => Just("update_age".to_owned()),
        8 => Just("absolute_cap".to_owned()),
        4 => Just("clock_skew".to_owned()),
        1 => Just("max_sessions".to_owned()),
        1 => "[a-z_]{0,8}",
    ];
    prop::collection::hash_map(key, any_duration(), 0..6)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn schema_and_crate_agree_on_any_value(policy in any_policy()) {
        assert_agreement(&policy);
    }

    #[test]
    fn schema_and_crate_agree_on_any_policy_of_a_set(
        policy in any_policy(),
        when_full in prop::option::of("end_least_recent|end_oldest|refuse|end"),
    ) {
        let mut policy = policy;
        if let Some(when_full) = when_full {
            policy["when_full"] = when_full.into();
        }
        assert_agreement(&set(&policy));
    }

    #[test]
    fn schema_and_crate_agree_on_any_duration(duration in any_duration()) {
        let policy = json!({"max_age": "1s", "update_age": "0s", "absolute_cap": duration});
        assert_agreement(&set(&policy));
    }
}
