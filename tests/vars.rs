//! Policies from variables, and which texts are durations.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::cell::RefCell;

use chrono::TimeDelta;
use proptest::prelude::*;
use session_policy::SessionPolicy;

const DURATION: &str = "is not a duration such as `8h`, `15m`, `45d`, `1h 30m`";
const DAYS: &str = "is not whole days from 1 to 36525";

#[test]
fn a_duration_is_whole_numbers_with_units() {
    for (text, secs) in [
        ("8h", 28_800),
        ("15m", 900),
        ("45d", 3_888_000),
        ("2w", 1_209_600),
        ("90s", 90),
        ("00090s", 90),
        ("1h 30m", 5_400),
        ("1h30m", 5_400),
        ("1h  30m", 5_400),
        ("30m 1h", 5_400),
        ("1d 6h", 108_000),
        ("1d 1d", 172_800),
        ("1w 1d 1h 1m 1s", 694_861),
        ("1d 0h 0m", 86_400),
        ("36525d", 3_155_760_000),
    ] {
        assert_eq!(max_age(text), Ok(secs), "{text:?}");
    }
}

#[test]
fn any_other_text_is_refused_and_shown() {
    for text in [
        "",
        " ",
        " 8h",
        "8h ",
        "8 h",
        "8h\n",
        "\t8h",
        "1h\t30m",
        "1h,30m",
        "1h, 30m",
        "1h:30m",
        "1,h",
        "1_h",
        "8H",
        "15M",
        "1D",
        "8hours",
        "8 hours",
        "8hr",
        "1min",
        "1sec",
        "1y",
        "1mo",
        "5ms",
        "5us",
        "5µs",
        "5ns",
        "h",
        "h8",
        "PT8H",
        "P1D",
        "08:00",
        "1.5h",
        "1.0h",
        ".5h",
        "5.",
        "1,5h",
        "1e3",
        "1e3s",
        "1_000",
        "1'000",
        "0x10",
        "½h",
        "-5m",
        "+5m",
        "-0",
        "+90",
        "--5m",
        "1h-30m",
        "1h -30m",
        "1h +30m",
        "1h+30m",
        // A number without a unit beside another: an hour and 30 what?
        "1h 30",
        "1h30",
        "30 1h",
        "1 2",
        "1h 30m 5",
        "∞",
        "inf",
        "infinity",
        "nan",
        "never",
        "none",
        "null",
        "true",
        "default",
        "８h",
        "٨h",
        "8h\0",
        "\u{feff}8h",
        "8\u{a0}h",
        "8h\u{200b}",
        "9223372036854776s",
        "18446744073709551616",
        "18446744073709551616s",
        "99999999999999999999d",
        "9223372036854775807w",
        "9223372036854775s 9223372036854775s",
    ] {
        let message = format!("SESSION_MAX_AGE: `{}` {DURATION}", text.escape_debug());
        assert_eq!(max_age(text), Err(message), "{text:?}");
    }
    let long = "9".repeat(100_000);
    assert_eq!(max_age(&long), Err(format!("SESSION_MAX_AGE: `{long}` {DURATION}")));
}

/// F29: 3600000 is a thousand hours to one reader and an hour to the other.
#[test]
fn a_number_without_a_unit_is_refused_with_two_ways_to_write_it() {
    for (text, ways) in [
        ("3600000", "`3600000s` for seconds, or `3600s` if these are milliseconds"),
        ("1000", "`1000s` for seconds, or `1s` if these are milliseconds"),
        ("3600001", "`3600001s` for seconds, or `3600001m` for minutes"),
        ("90", "`90s` for seconds, or `90m` for minutes"),
        ("00090", "`90s` for seconds, or `90m` for minutes"),
        ("0", "`0s` for seconds, or `0m` for minutes"),
        (
            "18446744073709551615",
            "`18446744073709551615s` for seconds, or `18446744073709551615m` for minutes",
        ),
    ] {
        let number: u64 = text.parse().unwrap();
        let message = format!("SESSION_MAX_AGE: `{number}` has no unit: write {ways}");
        assert_eq!(max_age(text), Err(message), "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_read_is_printed_and_read_again(
        text in r"[0-9smhdw +\-.]{0,12}|\PC{0,20}",
    ) {
        if let Ok(secs) = max_age(&text) {
            prop_assert_eq!(max_age(&format!("{secs}s")), Ok(secs), "{}", text);
        }
    }
}

#[test]
fn the_variables_make_a_policy_and_the_lifetime_is_45_days_if_absent() {
    let month = [("SESSION_MAX_AGE", "30d"), ("SESSION_UPDATE_AGE", "5m")];
    assert_eq!(from(&month), Ok(SessionPolicy::SLIDING_MONTH));
    let explicit = [month[0], month[1], ("SESSION_ABSOLUTE_LIFETIME_DAYS", "45")];
    assert_eq!(from(&explicit), Ok(SessionPolicy::SLIDING_MONTH));
    let week = [month[0], month[1], ("SESSION_ABSOLUTE_LIFETIME_DAYS", "0090")];
    assert_eq!(from(&week).unwrap().absolute_cap(), TimeDelta::days(90));
}

/// F28: a cap under a day, as of a working day.
#[test]
fn the_cap_is_a_duration_or_days_and_not_both() {
    let day =
        [("SESSION_MAX_AGE", "8h"), ("SESSION_UPDATE_AGE", "15m"), ("SESSION_ABSOLUTE_CAP", "8h")];
    assert_eq!(from(&day), Ok(SessionPolicy::WORKING_DAY));
    let both = [day[0], day[1], day[2], ("SESSION_ABSOLUTE_LIFETIME_DAYS", "45\n")];
    let message = r"SESSION_ABSOLUTE_CAP is `8h` and SESSION_ABSOLUTE_LIFETIME_DAYS is `45\n`: set one of them";
    assert_eq!(from(&both), Err(message.into()));
    for (value, message) in [
        ("8", "`8` has no unit: write `8s` for seconds, or `8m` for minutes".to_owned()),
        ("", format!("`` {DURATION}")),
        ("8x", format!("`8x` {DURATION}")),
    ] {
        let message = format!("SESSION_ABSOLUTE_CAP: {message}");
        assert_eq!(from(&[day[0], day[1], ("SESSION_ABSOLUTE_CAP", value)]), Err(message));
    }
}

#[test]
fn nothing_else_is_looked_up_and_each_variable_once() {
    let asked = RefCell::new(Vec::new());
    let policy = SessionPolicy::from_vars(|name| {
        asked.borrow_mut().push(name.to_owned());
        (!name.contains("ABSOLUTE")).then_some("30s")
    });
    assert_eq!(
        policy.unwrap_err().to_string(),
        contradictory("update_age `30s` is not shorter than max_age `30s`")
    );
    assert_eq!(
        asked.into_inner(),
        [
            "SESSION_MAX_AGE",
            "SESSION_UPDATE_AGE",
            "SESSION_ABSOLUTE_CAP",
            "SESSION_ABSOLUTE_LIFETIME_DAYS",
        ],
    );
}

#[test]
fn a_variable_that_is_absent_malformed_or_contradictory_is_named_with_its_value() {
    let max_age = ("SESSION_MAX_AGE", "30d");
    let update_age = ("SESSION_UPDATE_AGE", "5m");
    let days = |value| ("SESSION_ABSOLUTE_LIFETIME_DAYS", value);
    for (variables, message) in [
        (vec![], "SESSION_MAX_AGE is not set".into()),
        (vec![update_age], "SESSION_MAX_AGE is not set".into()),
        (vec![max_age], "SESSION_UPDATE_AGE is not set".into()),
        (vec![max_age, ("SESSION_UPDATE_AGE", "")], format!("SESSION_UPDATE_AGE: `` {DURATION}")),
        (
            vec![max_age, ("SESSION_UPDATE_AGE", "5m\u{1b}[0m")],
            format!(r"SESSION_UPDATE_AGE: `5m\u{{1b}}[0m` {DURATION}"),
        ),
        (
            vec![max_age, ("SESSION_UPDATE_AGE", "30d")],
            contradictory("update_age `30d` is not shorter than max_age `30d`"),
        ),
        (
            vec![("SESSION_MAX_AGE", "0s"), update_age],
            contradictory("max_age `0s` is shorter than `1s`"),
        ),
        // Longer than the 45 days that hold where no lifetime is set.
        (
            vec![("SESSION_MAX_AGE", "46d"), update_age],
            contradictory("max_age `46d` is longer than absolute_cap `45d`"),
        ),
        (
            vec![max_age, update_age, days("29")],
            contradictory("max_age `30d` is longer than absolute_cap `29d`"),
        ),
    ] {
        assert_eq!(from(&variables), Err(message), "{variables:?}");
    }
    for value in [
        "",
        " ",
        "0",
        "-1",
        "+45",
        "45d",
        "45.0",
        "4.5e1",
        " 45",
        "45 ",
        "45\n",
        "1_0",
        "0x2d",
        "36526",
        "65535",
        "65581",
        "4294967341",
        "99999999999999999999",
        "forty-five",
        "∞",
        "٤٥",
        "null",
        "45,90",
    ] {
        let value_shown = value.escape_debug();
        let message = format!("SESSION_ABSOLUTE_LIFETIME_DAYS: `{value_shown}` {DAYS}");
        assert_eq!(from(&[max_age, update_age, days(value)]), Err(message));
    }
}

fn from(variables: &[(&str, &str)]) -> Result<SessionPolicy, String> {
    let lookup = |name: &str| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| *value)
    };
    SessionPolicy::from_vars(lookup).map_err(|error| error.to_string())
}

/// The seconds that a text is read as, as `SESSION_MAX_AGE` under the longest
/// cap.
fn max_age(text: &str) -> Result<i64, String> {
    let variables = [
        ("SESSION_MAX_AGE", text),
        ("SESSION_UPDATE_AGE", "0s"),
        ("SESSION_ABSOLUTE_LIFETIME_DAYS", "36525"),
    ];
    from(&variables).map(|policy| policy.max_age().num_seconds())
}

fn contradictory(why: &str) -> String {
    format!(
        "SESSION_MAX_AGE, SESSION_UPDATE_AGE and SESSION_ABSOLUTE_CAP or \
         SESSION_ABSOLUTE_LIFETIME_DAYS (45 if neither is set) make no policy: {why}",
    )
}
